"""The rules of CARBS and of Protein in numpy, from their descriptions, to compare with.

Both move in "basic" units: decades of a logarithm, twice the share of a linear range, 0.6 an option.
CARBS's process keeps its first hyperparameters (its own fit hardly moves them); Protein's are fitted.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import ndtr

from skipjack.sweep import gp
from skipjack.sweep.encode import Cube

RADIUS = 0.3
EXPLORE = 1.0
"""CARBS's `exploration_bias`, in deviations of the scores."""


class Rule:
    """What both have: trials so far, units, the front, points around it."""

    def __init__(self, task: Any, seed: int) -> None:
        self.task, self.random = task, np.random.default_rng(seed)
        self.cube = Cube(task.space, task.scales)
        self.length = np.array([self._length(name) for name in self.cube.names])
        self.x: list[np.ndarray] = []
        self.y: list[float] = []
        self.cost: list[float] = []
        self.failed: list[np.ndarray] = []
        self.asked = 0

    def ask(self) -> dict[str, Any]:
        """The next trial's parameters."""
        self.asked += 1
        if self.asked == 1:
            return dict(self.task.centre)
        return self.cube.decode(self.cube.snap(self.suggest()[None])[0])

    def tell(self, params: dict[str, Any], score: float, cost: float, failed: bool) -> None:
        """What came of it."""
        point = self.cube.encode(params)
        if failed:
            self.failed.append(point)
            return
        self.x.append(point)
        self.y.append(score)
        self.cost.append(cost)

    def suggest(self) -> np.ndarray:
        """A point of the cube."""
        raise NotImplementedError

    def around(self, points: np.ndarray, count: int) -> np.ndarray:
        """Points near others, inside the bounds."""
        picked = points[self.random.integers(len(points), size=count)]
        found = picked + RADIUS * self.random.standard_normal(picked.shape) / self.length
        inside = found[np.all((found >= 0) & (found <= 1), axis=1)]
        return inside if len(inside) else np.clip(found, 0, 1)

    def _length(self, name: str) -> float:
        kind: Any = self.task.space[name]
        if options := getattr(kind, "choices", None):
            return 0.6 * len(options)
        if self.task.scales.get(name) == "logit":
            ends = [math.log10(each / (1 - each)) for each in (kind.low, kind.high)]
            return ends[1] - ends[0]
        return math.log10(kind.high / kind.low) if kind.log else 2.0


class Carbs(Rule):
    """Fetterman et al. 2023: improvement over the front's curve at a candidate's cost, near the front."""

    def suggest(self) -> np.ndarray:
        """A point of the cube by the rule."""
        if len(self.y) < 4:
            return self.around(self.cube.encode(self.task.centre)[None], 64)[0]
        x, y, cost = np.array(self.x), np.array(self.y), np.log(np.array(self.cost))
        groups, front = self._front(x, y, cost)
        if len(self.y) > (self._repeats(x) + 1) * 5:
            counts = [len(groups[tuple(x[i])]) for i in front]
            return x[front[int(np.lexsort((cost[front], counts))[0])]]
        warped = _normal_quantiles(y)
        points = self.around(x[front], 100 * x.shape[1])
        scaled, at = x * self.length, points * self.length
        mean, deviation = _fixed(scaled, warped, at)
        low, high = cost.min(), max(cost.max(), cost.min() + 1e-6)
        predicted, _ = _fixed(scaled, 2 * (cost - low) / (high - low) - 1, at)
        predicted = low + (predicted + 1) / 2 * (high - low)
        curve = _curve(cost[front], warped[front])
        ends = cost[front].min(), cost[front].max()
        best = curve(np.clip(predicted, *ends))
        best = np.maximum(best, curve(np.array([self.random.uniform(*ends)])))
        z = (mean - best - EXPLORE) / deviation
        improvement = deviation * (z * ndtr(z) + np.exp(-0.5 * z**2) / 2.5066282746)
        near = ((at[:, None, :] - scaled[front][None]) ** 2).sum(2).min(1)
        worth = improvement * np.exp(-near / (2 * RADIUS**2)) * self._success(scaled, at)
        worth *= predicted < np.log(self.task.dearest)
        return points[int(np.argmax(worth))]

    def _front(
        self, x: np.ndarray, y: np.ndarray, cost: np.ndarray
    ) -> tuple[dict[Any, list[int]], list[int]]:
        groups: dict[Any, list[int]] = {}
        for i, point in enumerate(x):
            groups.setdefault(tuple(point), []).append(i)
        rows = sorted(
            (cost[g].mean(), y[g].mean(), y[g].max(), g[0], len(g)) for g in groups.values()
        )
        edge = np.quantile(cost, 0.2)
        cheap = [row for row in rows if row[0] <= edge]
        again = [row for row in cheap if row[4] > 1] or cheap
        front, top = [], -np.inf
        if again:
            first = max(again, key=lambda row: row[1])
            front, top = [first[3]], first[2]
        for _, mean, most, index, _count in rows:
            if cost[index] > edge and mean > top:
                front.append(index)
                top = most
        return groups, front or [int(np.argmax(y))]

    def _repeats(self, x: np.ndarray) -> int:
        return len(x) - len({tuple(point) for point in x})

    def _success(self, scaled: np.ndarray, at: np.ndarray) -> np.ndarray:
        if not self.failed:
            return np.ones(len(at))
        both = np.concatenate([scaled, np.array(self.failed) * self.length])
        labels = np.concatenate([-np.ones(len(scaled)), np.ones(len(self.failed))])
        mean, deviation = _fixed(both, labels, at)
        return ndtr(-mean / np.maximum(deviation**2, 1e-9))


class Protein(Rule):
    """PufferLib 3.0's rule: the predicted score, times closeness to a random cost."""

    def suggest(self) -> np.ndarray:
        """A point of the cube by the rule."""
        if len(self.y) < 4:
            return self.around(self.cube.encode(self.task.centre)[None], 64)[0]
        x, y, cost = np.array(self.x), np.array(self.y), np.log(np.array(self.cost))
        order = np.argsort(cost)
        top = np.maximum.accumulate(y[order])
        front = order[y[order] >= top]
        points = self.around(x[front], 256 * len(front))[:4096]
        score01 = (y - y.min()) / max(np.ptp(y), 1e-9)
        low, high = cost.min(), max(cost.max(), cost.min() + 1e-6)
        cost01 = (cost - low) / (high - low)
        mean = self._fitted(x, score01, points)
        predicted = self._fitted(x, cost01, points)
        target = 1.25 * self.random.random()
        worth = mean * (1 - np.abs(target - predicted))
        worth[low + predicted * (high - low) > np.log(self.task.dearest)] = -np.inf
        return points[int(np.argmax(worth))]

    def _fitted(self, x: np.ndarray, y: np.ndarray, at: np.ndarray) -> np.ndarray:
        centre, scale = y.mean(), max(y.std(), 1e-6)
        zero = np.zeros(len(x))
        keep = np.arange(len(x)) if len(x) <= 100 else np.linspace(0, len(x) - 1, 100).astype(int)
        hyper = gp.fit(x, (y - centre) / scale, zero, gp.Prior(), keep=keep, steps=12)
        return centre + scale * gp.GP(x, (y - centre) / scale, zero, hyper).predict(at)[0]


def _fixed(x: np.ndarray, y: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Linear and Matern 3/2 kernels with CARBS's first hyperparameters."""

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        gap = np.sqrt(np.maximum((a * a).sum(1)[:, None] + (b * b).sum(1)[None] - 2 * a @ b.T, 0))
        near = math.sqrt(3) * gap / RADIUS
        return 1.1 * (1 + near) * np.exp(-near) + 0.91 * a @ b.T

    centre = x.mean(0)
    x, at = x - centre, at - centre
    whole = kernel(x, x) + (0.01 + 1e-4) * np.eye(len(x))
    cross = kernel(x, at)
    solved = np.linalg.solve(whole, np.concatenate([y[:, None], cross], axis=1))
    prior = 1.1 + 0.91 * (at * at).sum(1)
    variance = prior - (cross * solved[:, 1:]).sum(0)
    return cross.T @ solved[:, 0], np.sqrt(np.maximum(variance, 1e-9))


def _curve(cost: np.ndarray, y: np.ndarray) -> Any:
    """The front's score over log cost by a process with one input."""
    low, span = cost.min(), max(float(np.ptp(cost)), 1e-6)
    x = ((cost - low) / span)[:, None]
    process = gp.GP(x, y, np.zeros(len(x)), gp.Hyper(np.array([-1.2]), 0.0, -4.6))
    return lambda at: process.predict(((at - low) / span)[:, None])[0]


def _normal_quantiles(y: np.ndarray) -> np.ndarray:
    """Scores through as many quantiles as the root of their number, to a normal distribution."""
    from scipy.special import ndtri

    knots = max(2, int(math.sqrt(len(y))))
    shares = np.linspace(0, 1, knots)
    share = np.interp(y, np.quantile(y, shares), shares)
    return ndtri(np.clip(share, 0.02, 0.98))
