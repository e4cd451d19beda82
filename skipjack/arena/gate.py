"""Is the new policy better than the old one? A sequential test: it stops as soon as that is clear.

Wald's test (1945) between two Elo differences, on pairs of mirrored games: what both games of a pair share
(the opening, who begins) moves their points against each other, so that the sum varies less, and more surely
by who is better, than two games by themselves. A pair brings 0, 1/2, 1, 3/2 or 2 points: the pentanomial
test of chess engines' makers. The log-likelihood ratio is that of the pairs' most likely distributions
with the mean score that each hypothesis says: neither draws nor what pairs share needs a model of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from skipjack.arena.rating import ELO
from skipjack.arena.results import WITHOUT, Block
from skipjack.errors import RunError, must

ACCEPTED, REJECTED, UNDECIDED = "better", "not better", "undecided"
"""Verdicts, in the order of the exit codes 0, 1 and 2 of `skipjack gate`."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What is tested, and how sure the answer must be.

    Attributes:
        elo0, elo1: the differences between which is decided: not better, and better.
        error: most probability of a wrong answer, either way, where one of them is true.
        most: games after which it stays undecided; 0 takes three times those of a test of fixed length.
    """

    elo0: float = 0.0
    elo1: float = 35.0
    error: float = 0.05
    most: int = 0

    def __post_init__(self) -> None:
        if not self.elo0 < self.elo1:
            raise must("--elo0 must be less than --elo1", elo0=self.elo0, elo1=self.elo1)

    @property
    def limit(self) -> int:
        """Games after which it stays undecided."""
        return self.most or 3 * self.fixed

    @property
    def fixed(self) -> int:
        """Games with which a test of fixed length is as sure, if games are coin flips."""
        apart = score_of(self.elo1) - score_of(self.elo0)
        return math.ceil((NormalDist().inv_cdf(1 - self.error) / apart) ** 2)

    @property
    def bound(self) -> float:
        """The log-likelihood ratio at which it is decided, either way."""
        return math.log((1 - self.error) / self.error)

    def ratio(self, pairs: npt.ArrayLike) -> float:
        """Logarithm of how much likelier the pairs are with `elo1` than with `elo0`.

        Args:
            pairs: in which the new policy took 0, 1/2, 1, 3/2 and 2 points.
        """
        counts = np.asarray(pairs, np.float64).tolist()
        if not sum(counts):
            return 0.0
        return likelihood(counts, score_of(self.elo1)) - likelihood(counts, score_of(self.elo0))

    def verdict(self, pairs: npt.ArrayLike, games: int) -> str | None:
        """What so many games say, and the pairs among them; None while games should go on."""
        ratio = self.ratio(pairs)
        if ratio >= self.bound:
            return ACCEPTED
        if ratio <= -self.bound:
            return REJECTED
        return UNDECIDED if games >= self.limit else None


@dataclass(frozen=True, slots=True)
class Decision:
    """The end of a test: verdict, outcomes and pairs as the new policy saw them, the log-likelihood ratio."""

    verdict: str
    wins: int
    draws: int
    losses: int
    pairs: tuple[int, ...]
    ratio: float

    @property
    def games(self) -> int:
        """Games played."""
        return self.wins + self.draws + self.losses

    @property
    def score(self) -> float:
        """Mean score of the new policy; NaN without games."""
        return (self.wins + 0.5 * self.draws) / self.games if self.games else math.nan


def decide(
    gate: Gate, new: str, play: Callable[[], Block], stop: Callable[[], bool] = lambda: False
) -> Decision:
    """Play until it is clear.

    Args:
        gate: the test.
        new: the player that should be better.
        play: gives some more games, a whole block: the first games to finish of many would be the
            short ones.
        stop: asked between blocks; true leaves it undecided.

    Raises:
        RunError: no game of a block had an outcome.
    """
    wins = draws = losses = 0
    pairs = np.zeros(5, np.int64)
    verdict: str | None = None
    while (verdict := gate.verdict(pairs, wins + draws + losses)) is None and not stop():
        block = play()
        if not block.games:
            raise RunError(WITHOUT)
        won, drawn, lost = block.outcomes_of(new)
        wins, draws, losses = wins + won, draws + drawn, losses + lost
        pairs += block.pairs_of(new)
    ratio = gate.ratio(pairs)
    return Decision(verdict or UNDECIDED, wins, draws, losses, tuple(pairs.tolist()), ratio)


def score_of(elo: float) -> float:
    """Expected score of who is so many Elo points better."""
    return 1 / (1 + math.exp(-elo / ELO))


def likelihood(counts: Sequence[float], mean: float) -> float:
    """Log-likelihood, up to a constant, of what was seen, under its likeliest distribution.

    Args:
        counts: of each score, from 0 to 1 in even steps: losses, draws and wins, or five kinds of pairs.
        mean: the mean score that the distribution must have.

    It gives outcome i the share f_i / (1 + t (a_i - mean)), where f are the shares seen and a the scores;
    t is where its mean is right (Owen 1988, empirical likelihood).
    """
    # A mean in between needs both ends.
    least = [1e-3, *[0.0] * (len(counts) - 2), 1e-3]
    outcomes = [
        (max(count, few), at / (len(counts) - 1) - mean)
        for at, (count, few) in enumerate(zip(counts, least, strict=True))
    ]
    low, high = -1 / (1 - mean), 1 / mean  # beyond them a share would be negative
    for _ in range(40):
        t = (low + high) / 2
        if sum(count * apart / (1 + t * apart) for count, apart in outcomes) > 0:
            low = t
        else:
            high = t
    return -sum(count * math.log1p((low + high) / 2 * apart) for count, apart in outcomes)
