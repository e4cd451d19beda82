"""Synthetic trainings: score and cost of settings in closed form, as reinforcement learning has them.

Scores rise with steps and saturate, the best learning rate falls with steps, some settings change
speed, some fail, most hardly matter. Half of the tasks are for tuning a sampler, half for reporting.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

STEPS = "steps"


@dataclass(frozen=True)
class Outcome:
    """What a training comes to: its true score, its cost in seconds, and whether it fails."""

    score: float
    cost: float
    failed: bool = False


@dataclass(frozen=True)
class Task:
    """A synthetic training.

    Attributes:
        space: Optuna's distributions; `steps` is the knob.
        scales: "logit" where Optuna has no scale.
        centre: where a sweep begins.
        rule: gives (ceiling, half steps, steps a second, failed) of the settings as (-1, 1) numbers
            by name, with log10 of steps as "log_steps"; choices come as they are.
        noise: deviation of a score.
        collapse: probability that a run ends at half its score.
        flat: share of half steps before which the score is 0.
    """

    name: str
    space: dict[str, BaseDistribution]
    scales: dict[str, str]
    centre: dict[str, Any]
    rule: Callable[[dict[str, Any]], tuple[float, float, float, bool]]
    noise: float = 0.02
    collapse: float = 0.0
    flat: float = 0.0
    cheapest: float = 2.0
    dearest: float = 600.0
    budget: float = 12_000.0
    reporting: bool = field(default=False)

    def run(self, params: dict[str, Any]) -> Outcome:
        """The true outcome; a run that would cost more than the dearest is cut there."""
        known = {name: self._number(name, value) for name, value in params.items()}
        steps = float(params[STEPS])
        known["log_steps"] = math.log10(steps)
        ceiling, half, speed, failed = self.rule(known)
        cost = steps / speed
        if cost > self.dearest:
            steps, cost = steps * self.dearest / cost, self.dearest
        if failed:
            return Outcome(0.0, 0.2 * cost + 1.0, True)
        passed = max(0.0, steps / half - self.flat)
        return Outcome(ceiling * (1 - (1 + passed) ** -1.5), cost)

    def observe(self, params: dict[str, Any], random: np.random.Generator) -> tuple[float, Outcome]:
        """A noisy score and the true outcome."""
        true = self.run(params)
        score = true.score * (0.5 if random.random() < self.collapse else 1.0)
        return float(np.clip(score + self.noise * random.standard_normal(), 0, 1)), true

    def _number(self, name: str, value: Any) -> Any:
        """(-1, 1) on the setting's scale; choices without order as they are."""
        kind: Any = self.space[name]
        if isinstance(kind, CategoricalDistribution):
            options = list(kind.choices)
            if isinstance(options[0], str):
                return value
            return 2 * options.index(value) / (len(options) - 1) - 1
        low, high = kind.low, kind.high
        if self.scales.get(name) == "logit":
            value, low, high = (math.log(each / (1 - each)) for each in (value, low, high))
        elif kind.log:
            value, low, high = (math.log(each) for each in (value, low, high))
        return 2 * (value - low) / (high - low) - 1


def _space(
    extra: int = 0, choices: dict[str, list[str]] | None = None
) -> dict[str, BaseDistribution]:
    pow2 = CategoricalDistribution
    found: dict[str, BaseDistribution] = {
        STEPS: IntDistribution(20_000, 2_000_000_000, log=True),
        "learning_rate": FloatDistribution(1e-4, 3e-2, log=True),
        "discount": FloatDistribution(0.8, 0.9999),
        "entropy": FloatDistribution(1e-5, 0.1, log=True),
        "clip": FloatDistribution(0.05, 0.4),
        "width": pow2([32, 64, 128, 256, 512]),
        "epochs": IntDistribution(1, 4),
    }
    found |= {f"other{i}": FloatDistribution(0.0, 1.0) for i in range(extra)}
    return found | {name: CategoricalDistribution(each) for name, each in (choices or {}).items()}


CENTRE = {
    STEPS: 2_000_000, "learning_rate": 1e-3, "discount": 0.97, "entropy": 0.001, "clip": 0.2,
    "width": 128, "epochs": 1,
}  # fmt: skip


def _base(
    k: dict[str, Any], where: dict[str, float], steep: float = 1.0
) -> tuple[float, float, float]:
    """Ceiling, half steps and speed that most tasks share; `where` moves the optimum."""
    rate = k["learning_rate"] - (where.get("learning_rate", 0.0) - 0.25 * (k["log_steps"] - 6.5))
    far = {name: k[name] - at for name, at in where.items() if name != "learning_rate"}
    loss = 0.5 * rate**2 + steep * sum(each**2 for each in far.values()) * 0.35
    ceiling = math.exp(-loss) * (0.85 + 0.15 * (k["width"] + 1) / 2)
    half = 3e6 * math.exp(
        -0.9 * k["learning_rate"] - 0.35 * k["epochs"] + 0.5 * far.get("entropy", 0) ** 2
    )
    speed = 250_000 * math.exp(-0.55 * k["width"] - 0.45 * k["epochs"])
    return ceiling, half, speed


def _smooth(k: dict[str, Any]) -> tuple[float, float, float, bool]:
    where = {"learning_rate": 0.1, "discount": 0.4, "entropy": -0.2, "clip": 0.3}
    return *_base(k, where), k["learning_rate"] + 0.3 * k["epochs"] > 1.1


def _wide(k: dict[str, Any]) -> tuple[float, float, float, bool]:
    where = {"learning_rate": 0.0, "discount": 0.5, "entropy": 0.3, "clip": -0.4, "other0": 0.6}
    ceiling, half, speed = _base(k, where)
    return ceiling, half * math.exp(0.6 * (k["other1"] + 0.5) ** 2), speed, k["learning_rate"] > 0.9


def _plateau(k: dict[str, Any]) -> tuple[float, float, float, bool]:
    where = {"learning_rate": -0.1, "discount": 0.7, "entropy": 0.4}
    ceiling, half, speed = _base(k, where)
    return ceiling, 2 * half * math.exp(0.8 * (k["discount"] - 0.7) ** 2), speed, False


def _memory(k: dict[str, Any]) -> tuple[float, float, float, bool]:
    where = {"learning_rate": 0.0, "discount": 0.3, "entropy": 0.0}
    ceiling, half, speed = _base(k, where)
    top, slow = {"none": (0.6, 1.0), "gru": (0.9, 2.5), "lstm": (1.0, 3.0)}[k["memory"]]
    gain = {"relu": 1.0, "tanh": 0.9, "gelu": 0.97}[k["activation"]]
    return ceiling * top * gain, half * slow**0.5, speed / slow, k["learning_rate"] > 0.95


def _cliff(k: dict[str, Any]) -> tuple[float, float, float, bool]:
    where = {"learning_rate": 0.45, "discount": 0.5, "clip": 0.2}
    ceiling, half, speed = _base(k, where)
    return ceiling, half, speed, k["learning_rate"] + 0.5 * k["clip"] + 0.3 * k["epochs"] > 0.75


def _noisy(k: dict[str, Any]) -> tuple[float, float, float, bool]:
    where = {"learning_rate": -0.2, "discount": 0.2, "entropy": 0.5, "clip": 0.0}
    return *_base(k, where), k["learning_rate"] > 0.9


def _speedy(k: dict[str, Any]) -> tuple[float, float, float, bool]:
    where = {"learning_rate": 0.0, "discount": 0.3, "entropy": 0.0}
    ceiling, half, speed = _base(k, where)
    slow = math.exp(-1.3 * k["width"] + 1.2 * k["envs"] - 0.6 * k["minibatches"])
    half *= math.exp(0.7 * k["envs"] - 0.5 * k["minibatches"])
    return (
        ceiling * (0.8 + 0.1 * (k["width"] + 1)),
        half,
        speed * slow,
        k["envs"] > 0.9 and k["width"] > 0.9,
    )


def _far(k: dict[str, Any]) -> tuple[float, float, float, bool]:
    where = {"learning_rate": 0.6, "discount": 0.9, "entropy": -0.8, "clip": -0.8, "epochs": 0.3}
    return *_base(k, where, 0.6), k["learning_rate"] > 0.97


def _sizes(**names: list[int]) -> dict[str, BaseDistribution]:
    return {name: CategoricalDistribution(options) for name, options in names.items()}


LOGIT = {"discount": "logit"}
FEW = {f"other{i}": 0.5 for i in range(3)}
OTHERS = {f"other{i}": 0.5 for i in range(9)}
SIZES = _sizes(envs=[64, 256, 1024, 4096, 16384], minibatches=[1, 2, 4, 8, 16])

TASKS = {
    task.name: task
    for task in (
        Task("smooth", _space(), LOGIT, CENTRE, _smooth),
        Task("plateau", _space(), LOGIT, CENTRE, _plateau, flat=1.0),
        Task("noisy", _space(), LOGIT, CENTRE, _noisy, noise=0.06, collapse=0.1),
        Task("far", _space(3), LOGIT, CENTRE | FEW, _far),
        Task("wide", _space(9), LOGIT, CENTRE | OTHERS, _wide, reporting=True),
        Task(
            "memory",
            _space(0, {"memory": ["none", "gru", "lstm"], "activation": ["relu", "tanh", "gelu"]}),
            LOGIT, CENTRE | {"memory": "none", "activation": "relu"}, _memory, reporting=True,
        ),
        Task("cliff", _space(3), LOGIT, CENTRE | FEW, _cliff, reporting=True),
        Task(
            "speedy", _space() | SIZES, LOGIT, CENTRE | {"envs": 1024, "minibatches": 4}, _speedy,
            noise=0.03, reporting=True,
        ),
    )
}  # fmt: skip
