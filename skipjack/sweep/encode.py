"""Parameters of a study as points of the unit cube, and what the models see of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from skipjack.sweep.gp import Array

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

EDGE = 1e-9


class Cube:
    """A study's parameters, one coordinate each.

    Numbers stand on their scale between their ends. Choices among rising numbers stand in order;
    all others have a part of the coordinate each, and a feature each.

    Args:
        distributions: Optuna's, by name.
        scales: "logit" for those that Optuna cannot tell of, by name.
    """

    def __init__(
        self, distributions: Mapping[str, BaseDistribution], scales: Mapping[str, str] | None = None
    ) -> None:
        self.distributions = dict(distributions)
        self.scales = dict(scales or {})
        self.names = tuple(self.distributions)
        self.options = {name: _options(each) for name, each in self.distributions.items()}
        self.unordered = {
            name: index
            for index, name in enumerate(self.names)
            if self.options[name] and not _is_ordered(self.options[name])
        }
        ordered = [i for i, name in enumerate(self.names) if name not in self.unordered]
        self._ordered = np.array(ordered, dtype=np.intp)

    def __len__(self) -> int:
        return len(self.names)

    def encode(self, params: Mapping[str, Any]) -> Array:
        """(parameters,) of one trial's values."""
        return np.array([self._place(name, params[name]) for name in self.names], dtype=np.float64)

    def decode(self, point: Array) -> dict[str, Any]:
        """The values nearest to a point."""
        return {
            name: self._value(name, float(at)) for name, at in zip(self.names, point, strict=True)
        }

    def snap(self, points: Array) -> Array:
        """(points, parameters) moved to values that there are."""
        found = np.clip(points, 0.0, 1.0)
        for index, name in enumerate(self.names):
            if options := self.options[name]:
                at = np.minimum((found[:, index] * len(options)).astype(int), len(options) - 1)
                found[:, index] = (at + 0.5) / len(options)
            elif self._is_whole(name):
                found[:, index] = self._snap_whole(name, found[:, index])
        return found

    def features(self, points: Array) -> Array:
        """(points, features): choices without an order get one each, at equal distances."""
        parts = [points[:, self._ordered]]
        for name, index in self.unordered.items():
            count = len(self.options[name])
            at = np.minimum((points[:, index] * count).astype(int), count - 1)
            parts.append(np.eye(count)[at] * math.sqrt(0.5))
        return np.concatenate(parts, axis=1)

    def log_of(self, name: str, points: Array) -> Array:
        """Logarithms (points,) of a number's values."""
        at = points[:, self.names.index(name)]
        if options := self.options[name]:
            return np.log(options)[np.minimum((at * len(options)).astype(int), len(options) - 1)]
        low, high = self._ends(name)
        if getattr(self.distributions[name], "log", False):
            return np.log(low) + at * np.log(high / low)
        return np.log(np.maximum(low + at * (high - low), EDGE))

    def place_log(self, name: str, logs: Array) -> Array:
        """What `log_of` takes to logarithms, within the ends."""
        low, high = self._ends(name)
        if getattr(self.distributions[name], "log", False):
            return np.clip((logs - np.log(low)) / np.log(high / low), 0.0, 1.0)
        return np.clip((np.exp(logs) - low) / (high - low), 0.0, 1.0)

    def _place(self, name: str, value: Any) -> float:
        if options := self.options[name]:
            return (options.index(value) + 0.5) / len(options)
        low, high = self._ends(name)
        if high == low:
            return 0.5
        bend = self._bend(name)
        return (bend(value) - bend(low)) / (bend(high) - bend(low))

    def _value(self, name: str, at: float) -> Any:
        at = min(max(at, 0.0), 1.0)
        if options := self.options[name]:
            return options[min(int(at * len(options)), len(options) - 1)]
        low, high = self._ends(name)
        bend = self._bend(name)
        bent = bend(low) + at * (bend(high) - bend(low))
        back = {math.log: math.exp, _logit: _logistic}.get(bend, float)
        value = back(bent)
        value = min(max(value, low), high)
        return round(value) if self._is_whole(name) else value

    def _bend(self, name: str) -> Any:
        if self.scales.get(name) == "logit":
            return _logit
        return math.log if getattr(self.distributions[name], "log", False) else float

    def _snap_whole(self, name: str, at: Array) -> Array:
        low, high = self._ends(name)
        if high == low:
            return np.full_like(at, 0.5)
        if getattr(self.distributions[name], "log", False):
            values = np.clip(np.round(np.exp(np.log(low) + at * np.log(high / low))), low, high)
            return np.log(values / low) / np.log(high / low)
        return np.round(at * (high - low)) / (high - low)

    def _is_whole(self, name: str) -> bool:
        return type(self.distributions[name]).__name__ == "IntDistribution"

    def _ends(self, name: str) -> tuple[float, float]:
        found: Any = self.distributions[name]
        return found.low, found.high


def _logit(value: float) -> float:
    value = min(max(value, EDGE), 1 - EDGE)
    return math.log(value / (1 - value))


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def _options(distribution: Any) -> tuple[Any, ...]:
    return tuple(getattr(distribution, "choices", ()))


def _is_ordered(options: tuple[Any, ...]) -> bool:
    numbers = all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in options)
    return numbers and list(options) == sorted(options)
