"""Is the new policy better than the old one? A sequential test: it stops as soon as that is clear.

Wald's test (1945) between two Elo differences. Its log-likelihood ratio is that of the outcomes' most
likely distributions with the mean score that each hypothesis says: draws need no model of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from skipjack.arena.rating import ELO, Result
from skipjack.errors import must

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

    def ratio(self, wins: int, draws: int, losses: int) -> float:
        """Logarithm of how much likelier the results are with `elo1` than with `elo0`."""
        if not wins + draws + losses:
            return 0.0
        counts = (losses, draws, wins)
        return likelihood(counts, score_of(self.elo1)) - likelihood(counts, score_of(self.elo0))

    def verdict(self, wins: int, draws: int, losses: int) -> str | None:
        """What the results say; None while games should go on."""
        ratio = self.ratio(wins, draws, losses)
        if ratio >= self.bound:
            return ACCEPTED
        if ratio <= -self.bound:
            return REJECTED
        return UNDECIDED if wins + draws + losses >= self.limit else None


@dataclass(frozen=True, slots=True)
class Decision:
    """The end of a test: verdict, outcomes as the new policy saw them, and the log-likelihood ratio."""

    verdict: str
    wins: int
    draws: int
    losses: int
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
    gate: Gate, new: str, play: Callable[[], list[Result]], stop: Callable[[], bool] = lambda: False
) -> Decision:
    """Play until it is clear.

    Args:
        gate: the test.
        new: the player that should be better.
        play: gives the results of some more games, whole blocks alone: the first games to finish of many
            would be the short ones.
        stop: asked between blocks; true leaves it undecided.
    """
    wins = draws = losses = 0
    verdict: str | None = None
    while (verdict := gate.verdict(wins, draws, losses)) is None and not stop():
        for result in play():
            mine = result.first == new
            wins += result.wins if mine else result.losses
            losses += result.losses if mine else result.wins
            draws += result.draws
    ratio = gate.ratio(wins, draws, losses)
    return Decision(verdict or UNDECIDED, wins, draws, losses, ratio)


def score_of(elo: float) -> float:
    """Expected score of who is so many Elo points better."""
    return 1 / (1 + math.exp(-elo / ELO))


def likelihood(counts: Sequence[float], mean: float) -> float:
    """Log-likelihood, up to a constant, of losses, draws and wins under their likeliest distribution.

    Args:
        counts: losses, draws and wins.
        mean: the mean score that the distribution must have.

    It gives outcome i the share f_i / (1 + t (a_i - mean)), where f are the shares seen and a the scores;
    t is where its mean is right (Owen 1988, empirical likelihood).
    """
    losses, draws, wins = counts
    # A mean in between needs both ends.
    outcomes = [(max(losses, 1e-3), -mean), (draws, 0.5 - mean), (max(wins, 1e-3), 1 - mean)]
    low, high = -1 / (1 - mean), 1 / mean  # beyond them a share would be negative
    for _ in range(40):
        t = (low + high) / 2
        if sum(count * apart / (1 + t * apart) for count, apart in outcomes) > 0:
            low = t
        else:
            high = t
    return -sum(count * math.log1p((low + high) / 2 * apart) for count, apart in outcomes)
