"""Simulated leagues: players of known strength, and the results that they would have."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from skipjack.arena.rating import Result, chance


def league(
    theta: npt.NDArray[np.float64],
    games: int,
    seed: int,
    side: float = 0.0,
    nu: float = 0.0,
    pairs: list[tuple[int, int]] | None = None,
) -> tuple[list[str], list[Result]]:
    """Every pair's games, half of them with sides changed; names are numbers."""
    generator = np.random.default_rng(seed)
    count = len(theta)
    pairs = pairs or [(a, b) for a in range(count) for b in range(a + 1, count)]
    results = []
    for a, b in pairs:
        for first, second in ((a, b), (b, a)):
            eta = np.array(theta[first] - theta[second] + side)
            w, d, x = generator.multinomial(games // 2, chance(eta, nu))
            results.append(Result(str(first), str(second), int(w), int(d), int(x)))
    return [str(at) for at in range(count)], results
