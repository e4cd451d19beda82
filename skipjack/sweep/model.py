"""What a study's trials say of trials to come: cost, score and whether they fail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skipjack.sweep import gp
from skipjack.sweep.encode import Cube
from skipjack.sweep.gp import GP, Array

Least = tuple[float, tuple[str, ...]]
"""A number and parameters whose values it is multiplied by."""
NONE: Least = (0.0, ())

MOST = 800
"""Trials that the models take in; of more, the best for their cost and the newest."""


@dataclass(frozen=True, slots=True)
class History:
    """Trials as arrays.

    Attributes:
        x: (trials, parameters) points of the cube, of those that have a score.
        score: (trials,), more is better.
        cost: (trials,) in seconds.
        noise: (trials,) variance of the score as far as it is known.
        failed: (failures, parameters) those that failed by their parameters.
        running: (running, parameters) those under way.
    """

    x: Array
    score: Array
    cost: Array
    noise: Array
    failed: Array
    running: Array

    def thinned(self, most: int = MOST) -> History:
        """At most so many trials: half the best for their cost, half the newest."""
        count = len(self.score)
        if count <= most:
            return self
        level = np.argsort(np.argsort(self.score)) - np.argsort(np.argsort(self.cost))
        kept = set(np.argsort(-level)[: most // 2]) | set(range(count - most // 2, count))
        rows = np.array(sorted(kept), dtype=np.intp)
        return History(
            self.x[rows],
            self.score[rows],
            self.cost[rows],
            self.noise[rows],
            self.failed,
            self.running,
        )


class CostModel:
    """Log cost by least squares on every coordinate and its square, drawn towards a mean.

    Of the knob (steps) the slope is known to be about 1, so that speed is learned, not cost.

    Args:
        cube: the parameters.
        history: what is learned from.
        knob: the parameter that buys score with cost; None if there is none.
        least: as `CostSampler` has it.
    """

    STIFF = (0.003, 0.03, 0.3)
    """Strengths of the pull towards no effect, in trials: the one is taken that tells trials best which
    were left out."""

    def __init__(self, cube: Cube, history: History, knob: str | None, least: Least = NONE) -> None:
        self.cube, self.knob, self.least = cube, knob, least
        logs = np.log(np.maximum(history.cost, 1e-9)) - self._log_knob(history.x)
        design = self._design(history.x)
        self._mean = float(logs.mean())
        fits = [_ridge(design, logs - self._mean, stiff) for stiff in self.STIFF]
        _, self._weights = min(fits, key=lambda fit: fit[0])

    def log_cost(self, x: Array) -> Array:
        """Predicted log cost (points,)."""
        return self._mean + self._design(x) @ self._weights + self._log_knob(x)

    def project(self, x: Array, log_cost: float | Array) -> Array:
        """Points moved along the knob to a cost, as far as its ends allow."""
        if self.knob is None:
            return x
        moved = x.copy()
        column = self.cube.names.index(self.knob)
        for _ in range(2):  # the speed may depend a little on the knob itself
            gap = log_cost - self.log_cost(moved)
            moved[:, column] = self.cube.place_log(self.knob, self._log_knob(moved) + gap)
        return moved

    def _log_knob(self, x: Array) -> Array:
        """What the knob comes to (points,), in log: 0 without one."""
        if self.knob is None:
            return np.zeros(len(x))
        found = self.cube.log_of(self.knob, x)
        factor, names = self.least
        if factor <= 0:
            return found
        parts = [self.cube.log_of(name, x) for name in names]
        return np.maximum(found, np.log(factor) + np.sum(parts, axis=0))

    def _design(self, x: Array) -> Array:
        seen = self.cube.features(x) - 0.5
        return np.concatenate([seen, 4 * seen**2 - 0.33], axis=1)


def _ridge(design: Array, y: Array, stiff: float) -> tuple[float, Array]:
    """Squared error of each left out in turn, and the weights: least squares with a pull towards 0."""
    inverse = np.linalg.inv(design.T @ design + stiff * np.eye(design.shape[1]))
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    weights = inverse @ (design.T @ y)
    left_out = (y - design @ weights) / np.maximum(1 - leverage, 1e-6)
    return float(left_out @ left_out), weights


class ScoreModel:
    """A Gaussian process of the score; trials under way count as done at their expected score."""

    def __init__(self, cube: Cube, history: History, start: gp.Hyper | None = None) -> None:
        self.cube = cube
        self.centre = float(history.score.mean())
        self.scale = max(float(history.score.std()), 1e-6)
        y = (history.score - self.centre) / self.scale
        noise = history.noise / self.scale**2
        x = cube.features(history.x)
        self.hyper = gp.fit(x, y, noise, prior_of(x.shape[1]), start, _telling(history))
        self.process = GP(x, y, noise, self.hyper)
        if len(history.running):
            under_way = cube.features(history.running)
            expected, _ = self.process.predict(under_way)
            both = np.concatenate([x, under_way]), np.concatenate([y, expected])
            padded = np.concatenate([noise, np.zeros(len(under_way))])
            self.process = GP(*both, padded, self.hyper)

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Mean and deviation (points,) of the score."""
        mean, deviation = self.process.predict(self.cube.features(x))
        return self.centre + self.scale * mean, self.scale * deviation

    def without(self, point: Array) -> float:
        """The score expected of a trial by all others."""
        seen = self.cube.features(point[None])
        row = int(np.argmin(((self.process.x - seen) ** 2).sum(1)))
        return self.centre + self.scale * self.process.without(row)


class FailureModel:
    """Probability that a trial goes through, from those that did and did not; 1 without failures."""

    NEWEST = 64
    """Trials of each kind that are looked at."""
    SURE = 0.8
    """What is believed where nobody has been, between -1 (fails) and 1."""

    def __init__(self, cube: Cube, history: History) -> None:
        self.cube, self.process = cube, None
        if not len(history.failed):
            return
        good, bad = history.x[-self.NEWEST :], history.failed[-self.NEWEST :]
        x = cube.features(np.concatenate([good, bad]))
        y = np.concatenate([np.ones(len(good)), -np.ones(len(bad))]) - self.SURE
        hyper = gp.fit(x, y, np.zeros(len(x)), prior_of(x.shape[1]), steps=12)
        self.process = GP(x, y, np.zeros(len(x)), hyper)

    def log_success(self, x: Array) -> Array:
        """Log probability (points,) of going through."""
        from scipy.special import log_ndtr

        if self.process is None:
            return np.zeros(len(x))
        mean, deviation = self.process.predict(self.cube.features(x))
        return log_ndtr((mean + self.SURE) / np.sqrt(0.1 + deviation**2))


def prior_of(inputs: int) -> gp.Prior:
    """Beliefs for so many inputs: the more there are, the less each one matters."""
    return gp.Prior(length=(0.5 * np.log(inputs) - 0.7, 1.0))


def _telling(history: History) -> gp.npt.NDArray[np.intp]:
    """Trials to fit lengths on: the best for their cost, then evenly among the others."""
    count = len(history.score)
    if count <= gp.FITTED:
        return np.arange(count)
    level = np.argsort(np.argsort(history.score)) - 0.5 * np.argsort(np.argsort(history.cost))
    best = np.argsort(-level)[: gp.FITTED // 2]
    others = np.setdiff1d(np.arange(count), best)
    picked = others[np.linspace(0, len(others) - 1, gp.FITTED - len(best)).astype(int)]
    return np.sort(np.concatenate([best, picked]))
