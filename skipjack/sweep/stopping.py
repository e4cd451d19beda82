"""Early stop: a trial that is behind all others at equal cost, and can no longer reach the front.

Optuna's pruners know no second objective. Here a learning curve is the score over cost, so that a
small fast network is compared with a large slow one at the same second.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

Curve = Sequence[Sequence[float]]
"""(cost, score, steps) by rising cost."""

POINTS = 32
"""Points of a curve that is kept with its trial."""
OTHERS = 6
"""Curves that must reach as far before anything is stopped."""
BEHIND = 0.3
"""Quantile of the others' scores below which a trial is behind."""
EARLIEST = 0.3
"""Share of its planned cost before which no trial is stopped."""
EPISODES = 20
"""Updates with fewer episodes are joined until there are so many."""


def curve_of(
    rows: Sequence[Mapping[str, Any]], metric: str, factor: float, points: int = POINTS
) -> list[list[float]]:
    """A run's curve from its metrics: at most `points`, evenly in log cost.

    Args:
        rows: one an update.
        metric: "score" or another mean over episodes, or "rating": that of each checkpoint.
        factor: cost of a second of training on this machine.
        points: how many at most.
    """
    found = _ratings(rows, factor) if metric == "rating" else []
    total, count = 0.0, 0
    for row in rows:
        if (mean := row.get(f"episodes/{metric}")) is not None and row.get("episodes"):
            total, count = total + mean * row["episodes"], count + row["episodes"]
        if count >= EPISODES:
            found.append([row["seconds"] * factor, total / count, row["steps"]])
            total, count = 0.0, 0
    if len(found) <= points:
        return found
    low, high = (math.log(max(found[end][0], 1e-6)) for end in (0, -1))
    kept: list[list[float]] = []
    for index in range(points):
        cost = math.exp(low + (high - low) * index / (points - 1))
        near = min(found, key=lambda point: abs(point[0] - cost))
        if not kept or near[0] > kept[-1][0]:
            kept.append(near)
    return kept


def _ratings(rows: Sequence[Mapping[str, Any]], factor: float) -> list[list[float]]:
    """(cost, Elo, steps) of each checkpoint, as it was rated last."""
    seconds = {row["steps"]: row["seconds"] for row in rows}
    rated = {
        row["rating/checkpoint"]: row["rating/elo"]
        for row in rows
        if row.get("rating/elo") is not None and row.get("rating/checkpoint") is not None
    }
    return [[seconds[at] * factor, rated[at], at] for at in sorted(rated) if at in seconds]


def at(curve: Curve, cost: float) -> float | None:
    """A curve's score at a cost; None past its end."""
    if not curve or curve[-1][0] < cost:
        return None
    score = curve[0][1]
    for when, value, *_ in curve:
        if when > cost:
            break
        score = value
    return score


def verdict(
    curve: Curve, planned: float, others: Sequence[Curve], front: Sequence[tuple[float, float]]
) -> str:
    """Why a trial should be stopped, in a sentence; empty if it should go on.

    Args:
        curve: its own so far.
        planned: the cost that it will have.
        others: curves of trials that ended as planned.
        front: (cost, score) of the best trials.
    """
    if not curve or curve[-1][0] < EARLIEST * planned:
        return ""
    now, score = curve[-1][0], curve[-1][1]
    there = [(value, other) for other in others if (value := at(other, now)) is not None]
    if len(there) < OTHERS:
        return ""
    ranked = sorted(value for value, _ in there)
    behind = ranked[int(BEHIND * (len(ranked) - 1))]
    if score >= behind:
        return ""
    reach = min(planned, max(other[-1][0] for _, other in there))
    gains = [(at(other, min(reach, other[-1][0])) or 0.0) - value for value, other in there]
    best = max((value for cost, value in front if cost <= planned), default=None)
    gain = max(gains)
    if best is None or score + gain >= best:
        return ""
    return (
        f"At {now:.1f} s its score of {score:.3f} was below {behind:.3f}, which 70 % of {len(there)} trials "
        f"had by then, and the most that any gained from there, {gain:.3f}, would not reach the "
        f"front's {best:.3f}."
    )
