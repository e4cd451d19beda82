"""What a table of ratings does not say by itself: where it is a bound, a guess, or no order at all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.arena.rating import ELO, Array, Ratings, Result, chance, expected, variance

FEWEST = 5.0
"""Wins and losses that a pair must be expected to have for chi-squared to be told of it."""

RARE, LARGE = 0.001, 0.2
"""Probability and size (nats, root mean square, without noise) of what is called intransitive."""

MOST_CUT = 0.01
"""Share of games cut by a limit that is still passed over."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How well one number a player explains all pairs.

    Attributes:
        pairs: (pairs, 2) places of the players of each pair.
        score: (pairs,) mean score of the first of them.
        games: (pairs,) how many.
        z: (pairs,) how far the score is from what the ratings say, in standard errors.
        chi2, freedom: sum of z squared over pairs with enough games, and what it would be by chance.
        probability: that chance makes it as large.
        size: root mean square of what the ratings leave unexplained, in nats, without noise.
        circles: triples of which each beats the next, every edge over one half at 95 %.
    """

    pairs: npt.NDArray[np.intp]
    score: Array
    games: Array
    z: Array
    chi2: float
    freedom: float
    probability: float
    size: float
    circles: tuple[tuple[str, str, str], ...]

    @property
    def intransitive(self) -> bool:
        """Whether the results contradict any order."""
        return self.probability < RARE and self.size > LARGE


def examine(ratings: Ratings) -> Fit:
    """Compare each pair's score with what the ratings say of it.

    A pair's z squared falls short of 1 by its leverage, the part of its own score that its own ratings
    follow; the sum over pairs of what is left is the freedom.
    """
    table, count = ratings.table, len(ratings.players)
    eta = ratings.theta[table.first] - ratings.theta[table.second] + ratings.side
    chances = chance(eta, ratings.nu)
    turned = table.first > table.second
    low, high = np.minimum(table.first, table.second), np.maximum(table.first, table.second)
    code, line = np.unique(low * count + high, return_inverse=True)
    pairs = np.stack([code // max(count, 1), code % max(count, 1)], 1)

    def per_pair(values: Array) -> Array:
        sums = np.zeros(len(pairs))
        np.add.at(sums, line, values)
        return sums

    def seen_by_low(scores: Array) -> Array:
        return np.where(turned, table.games - scores, scores)

    games = per_pair(table.games)
    points = per_pair(seen_by_low(expected(table.counts)))
    hoped = per_pair(seen_by_low(table.games * expected(chances)))
    information = per_pair(table.games * variance(chances))
    leverage = np.clip(information * ratings.spread()[pairs[:, 0], pairs[:, 1]], 0.0, 1.0)
    z = (points - hoped) / np.sqrt(np.maximum(information, 1e-12))
    enough = np.minimum(hoped, games - hoped) >= FEWEST
    chi2, freedom = float((z[enough] ** 2).sum()), float((1 - leverage[enough]).sum())
    left = max(0.0, chi2 - freedom) / max(float(information[enough].sum()), 1e-12)
    return Fit(
        pairs=pairs,
        score=points / np.maximum(games, 1),
        games=games,
        z=z,
        chi2=chi2,
        freedom=freedom,
        probability=tail(chi2, freedom),
        size=math.sqrt(left),
        circles=_circles(ratings.players, pairs, points, games),
    )


def tail(chi2: float, freedom: float) -> float:
    """Probability that chi-squared is larger than `chi2` by chance; `freedom` need not be whole.

    The regularised incomplete gamma function, by its series below the mean and its continued fraction
    above (Abramowitz and Stegun 6.5.29 and 6.5.31).
    """
    if chi2 <= 0 or freedom <= 0:
        return 1.0
    a, x = freedom / 2, chi2 / 2
    scale = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        for n in range(1, 10_000):
            term *= x / (a + n)
            total += term
            if term < 1e-15 * total:
                break
        return max(0.0, 1 - scale * total)
    upper, lower, ratio = x + 1 - a, math.inf, 1 / (x + 1 - a)
    total = ratio
    for n in range(1, 10_000):
        weight = -n * (n - a)
        upper += 2
        ratio = 1 / (weight * ratio + upper)
        lower = upper + weight / lower
        change = lower * ratio
        total *= change
        if abs(change - 1) < 1e-15:
            break
    return scale * total


def unbeaten(ratings: Ratings) -> list[str]:
    """Players who never gave away half a point: their ratings are bounds, "at least"."""
    return [
        name for name, given in zip(ratings.players, _given(ratings), strict=True) if given == 0
    ]


def _given(ratings: Ratings) -> Array:
    """(players,) points that each gave away; NaN without games."""
    table, count = ratings.table, len(ratings.players)
    given = np.bincount(table.first, table.games - expected(table.counts), count)
    given += np.bincount(table.second, expected(table.counts), count)
    played = np.bincount(table.first, table.games, count)
    played += np.bincount(table.second, table.games, count)
    return np.where(played > 0, given, np.nan)


def groups(ratings: Ratings) -> list[list[str]]:
    """Players parted into those that games connect; between them only the prior stands.

    Those whose ratings are given belong together without games.
    """
    count = len(ratings.players)
    group = np.arange(count)
    given = np.diag(ratings.covariance) == 0
    for _ in range(count):
        before = group.copy()
        group[given] = group[given].min(initial=count)
        for a, b in zip(ratings.table.first, ratings.table.second, strict=True):
            group[a] = group[b] = min(group[a], group[b])
        if (group == before).all():
            break
    return [
        [ratings.players[at] for at in np.flatnonzero(group == each)] for each in np.unique(group)
    ]


def doubts(ratings: Ratings, results: Iterable[Result]) -> list[str]:
    """Everything that a reader of the ratings should know, each a sentence.

    Args:
        ratings: of these results.
        results: with the games that were cut, or had no outcome.
    """
    found = [
        f"{name} is unbeaten: its rating is a bound, at least so much."
        for name in unbeaten(ratings)
    ]
    parts = groups(ratings)
    if len(parts) > 1:
        alone = [" ".join(part) for part in parts if ratings.anchor not in part]
        found.append(
            f"No games connect {'; '.join(alone)} with {ratings.anchor}: their ratings relative to "
            f"it are guesses."
        )
    return [*found, *_order(ratings), *_games(list(results)), *_side(ratings)]


def _order(ratings: Ratings) -> list[str]:
    fit = examine(ratings)
    if not fit.intransitive:
        return []
    worst = np.argsort(-np.abs(fit.z))[:3]
    names = ratings.players
    pairs = ", ".join(
        f"{names[fit.pairs[at, 0]]} against {names[fit.pairs[at, 1]]} {fit.score[at]:.0%}"
        for at in worst
    )
    circles = "".join(
        f" {a} beats {b}, {b} beats {c}, {c} beats {a}." for a, b, c in fit.circles[:3]
    )
    return [
        f"The results are intransitive (chi-squared {fit.chi2:.0f} where chance makes {fit.freedom:.0f}): "
        f"no single number orders these players. Furthest from their ratings: {pairs}.{circles}"
    ]


def _games(results: list[Result]) -> list[str]:
    found = []
    void = sum(result.void for result in results)
    games = sum(result.games for result in results) + void
    cut = sum(result.truncated for result in results)
    if cut > MOST_CUT * games:
        found.append(
            f"{cut / games:.1%} of the games were cut by a limit: their outcomes are what the game says of "
            f"an unfinished one."
        )
    if void:
        found.append(f"{void} of {games} games had no outcome and are not rated.")
    return found


def _side(ratings: Ratings) -> list[str]:
    if abs(ratings.side) <= 3 * ratings.side_error or not ratings.side_error:
        return []
    points, error = abs(ratings.side) * ELO, ratings.side_error * ELO
    word = "first" if ratings.side > 0 else "second"
    return [
        f"The {word} side has an advantage of {points:.0f} ± {1.96 * error:.0f} Elo. Both sides are played "
        f"equally, so that nobody's rating has it."
    ]


def _circles(
    players: Sequence[str], pairs: npt.NDArray[Any], points: Array, games: Array
) -> tuple[tuple[str, str, str], ...]:
    """Triples of which each beats the next for sure."""
    beats = np.zeros((len(players), len(players)), bool)
    for (a, b), score, count in zip(pairs, points, games, strict=True):
        margin = 0.98 / math.sqrt(count)  # of a fair coin's 95 %
        beats[a, b], beats[b, a] = score / count > 0.5 + margin, score / count < 0.5 - margin
    if not np.trace(np.linalg.matrix_power(beats.astype(np.int64), 3)):
        return ()
    found = []
    for a, b, c in combinations(range(len(players)), 3):
        for x, y, z in ((a, b, c), (a, c, b)):
            if beats[x, y] and beats[y, z] and beats[z, x]:
                found.append((players[x], players[y], players[z]))
    return tuple(found)
