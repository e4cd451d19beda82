"""Which past self is met next: drawn by how the learner has fared against each of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from skipjack.arena.rating import Array

Rule = Literal["pfsp", "uniform", "variance", "quality", "latest"]
"""How opponents are drawn.

pfsp: (1 - x)^2, where x is the learner's score against it (prioritised fictitious self-play, Vinyals et al.
2019), and one in five uniformly. uniform: all alike. variance: x (1 - x), those of its own strength.
quality: softmax of a quality that falls when the learner wins (Berner et al. 2019, appendix N).
latest: the newest few.
"""

DECAY = 0.99
"""What a game's weight is multiplied by with each later game against the same opponent."""

UNIFORM = 0.2
"""Share of pfsp's draws that look at no score: who was beaten once may be forgotten since."""

NEWEST = 4
"""How many `latest` draws from."""

STEP = 0.01
"""Step size of `quality`."""


class Sampler:
    """Scores against opponents by name, and draws from them.

    Args:
        rule: how.

    Attributes:
        names: of all opponents, oldest first.
        scores: (opponents, 2) the learner's points and games against each, older ones weighing less.
        quality: (opponents,) of the rule of that name.
    """

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.names: list[str] = []
        self.scores: Array = np.zeros((0, 2))
        self.quality: Array = np.zeros(0)

    def keep(self, names: Sequence[str]) -> None:
        """From now on draw from these; a new one is at least as good as the best of the others."""
        known = {name: at for at, name in enumerate(self.names)}
        best = float(self.quality.max()) if len(self.quality) else 0.0
        scores, quality = np.zeros((len(names), 2)), np.full(len(names), best)
        for at, name in enumerate(names):
            if name in known:
                scores[at], quality[at] = self.scores[known[name]], self.quality[known[name]]
        self.names, self.scores, self.quality = list(names), scores, quality

    def take(self, name: str, points: Array) -> None:
        """Take in the learner's points (games,) against an opponent, 1, 0.5 or 0 each."""
        if name not in self.names or not len(points):
            return
        at = self.names.index(name)
        weights = DECAY ** np.arange(len(points))[::-1]
        self.scores[at] *= DECAY ** len(points)
        self.scores[at] += (weights @ points, weights.sum())
        chance = _softmax(self.quality)[at]
        lost = STEP * float((points == 1).mean()) / (len(self.names) * max(chance, 1e-6))
        self.quality[at] -= min(
            lost, 1.0
        )  # a rare opponent, met by chance, does not vanish at once

    def chances(self) -> Array:
        """(opponents,) probability of each."""
        count = len(self.names)
        x = (self.scores[:, 0] + 1) / (self.scores[:, 1] + 2)
        newest = np.arange(count) >= count - NEWEST
        weights = {
            "pfsp": (1 - x) ** 2,
            "uniform": np.ones(count),
            "variance": x * (1 - x),
            "quality": _softmax(self.quality),
            "latest": newest.astype(np.float64),
        }[self.rule]
        even = np.full(count, 1 / count)
        if weights.sum() < 1e-10:
            return even
        drawn = weights / weights.sum()
        return UNIFORM * even + (1 - UNIFORM) * drawn if self.rule == "pfsp" else drawn

    def draw(self, seed: int) -> str:
        """One of the names."""
        at = np.random.default_rng(seed).choice(len(self.names), p=self.chances())
        return self.names[int(at)]


def _softmax(values: Array) -> Array:
    if not len(values):
        return values
    powers = np.exp(values - values.max())
    return powers / powers.sum()


def thinned(steps: Sequence[int], most: int) -> list[int]:
    """At most so many of the steps at which members were taken: first and last, and evenly in between.

    "Evenly" on a scale between that of steps and that of their logarithm: early checkpoints differ most,
    but half of a long run must not lie between two members.

    Args:
        steps: ascending.
        most: how many stay, at least 2.
    """
    kept = list(steps)

    def place(step: int) -> float:
        return math.log1p(step / max(1.0, kept[-1] / 64))

    while len(kept) > most:
        gaps = [place(kept[at + 1]) - place(kept[at - 1]) for at in range(1, len(kept) - 1)]
        kept.pop(1 + gaps.index(min(gaps)))
    return kept
