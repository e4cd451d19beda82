"""How long an env takes: its own calls, and what Skipjack adds to them."""

from __future__ import annotations

import functools
import statistics
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from skipjack.emulate.config import EmulateConfig
from skipjack.emulate.maker import Maker
from skipjack.rows import Rows, identity_rows
from skipjack.testing.check.findings import Report
from skipjack.testing.check.play import draw
from skipjack.vector.config import cores

Clock = Callable[[], float]
SECONDS = 3.0
"""Of the measurement, at most."""
SLOW_STEP = 1e-3
"""Seconds of a step from which on it is worth a note."""
SLOW_RESET = 100
"""Steps whose time a reset may take before it is worth a note,"""
SLOW_SHARE = 0.05
"""if it is this part of the env's time."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Times of an env in seconds.

    Attributes:
        agents: that act in one call of step.
        step, reset: of one call.
        length: steps of an episode of random play.
        added: what Skipjack adds to a step.
        cores: of this machine.
    """

    agents: int
    step: float
    reset: float
    length: float
    added: float
    cores: int

    @property
    def share(self) -> float:
        """Part of the env's own time that goes into resets."""
        return self.reset / self.length / self._own if self._own else 0.0

    @property
    def whole(self) -> float:
        """Seconds that a call of step takes with its share of the resets and what is added."""
        return self._own + self.added

    @property
    def _own(self) -> float:
        return self.step + self.reset / self.length

    def figures(self) -> dict[str, float]:
        """By name; `steps_per_second_all_cores` is at best."""
        rate = self.agents / self.whole if self.whole else 0.0
        return {
            "step_us": self.step * 1e6,
            "reset_us": self.reset * 1e6,
            "reset_share": self.share,
            "added_us": self.added * 1e6,
            "steps_per_second": rate,
            "cores": self.cores,
            "steps_per_second_all_cores": rate * self.cores,
        }


class Stopwatch:
    """Times an env's own `reset` and `step` while something else calls them.

    Attributes:
        spent: seconds of all calls so far.
        resets: seconds of each reset.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock, self.spent = clock, 0.0
        self.resets: list[float] = []

    def watched(self, env: Any) -> Any:
        """The env, its two methods replaced by ones that are timed."""
        env.reset, env.step = self._timed(env.reset, self.resets), self._timed(env.step, [])
        return env

    def _timed(self, method: Callable[..., Any], each: list[float]) -> Callable[..., Any]:
        @functools.wraps(method)
        def call(*given: Any, **named: Any) -> Any:
            began = self.clock()
            found = method(*given, **named)
            each.append(self.clock() - began)
            self.spent += each[-1]
            return found

        return call


def measure(
    maker: Maker, config: EmulateConfig, length: float, steps: int, seed: int, clock: Clock
) -> Speed:
    """Times of an env while Skipjack's engine steps it, and of what the engine does beside.

    Args:
        maker, config: make the engine.
        length: steps of an episode.
        steps, seed: of the measurement, which also ends after a while.
        clock: gives seconds.
    """
    watch = Stopwatch(clock)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the check has told them
        engine = Maker(lambda **given: watch.watched(maker.make(**given)), maker.name)(1, config)
    rows = Rows.allocate(engine.seats, engine.observation, engine.action)
    engine.bind(rows, identity_rows(1, engine.seats))
    engine.reset(0, 1, np.array([seed], np.uint64))
    generator = np.random.default_rng(seed)
    own: list[float] = []
    beside: list[float] = []
    began = clock()
    while len(own) < steps and clock() - began < SECONDS:
        for row in range(engine.seats):
            mask = None if rows.action_mask is None else rows.action_mask[row]
            rows.actions[row] = draw(engine.action, generator, mask)
        spent, before = watch.spent, clock()
        engine.step(0, 1)
        engine.records(0, 1)
        whole = clock() - before
        own.append(watch.spent - spent)
        beside.append(max(whole - own[-1], 0.0))
    engine.close()
    # Medians: on a busy machine a few calls are interrupted for longer than all of them take.
    step, reset, added = map(statistics.median, (own, watch.resets, beside))
    return Speed(engine.seats, step, reset, length, added, cores())


def judge(report: Report, speed: Speed) -> None:
    """Tell how fast it is, and what is slow."""
    report.figures |= speed.figures()
    rate = speed.agents / speed.whole if speed.whole else 0.0
    whose = f" of all {speed.agents} agents" if speed.agents > 1 else ""
    many = f", at best {rate * speed.cores:,.0f} with {speed.cores} workers"
    told = (
        f"A step{whose} takes {_time(speed.step)}, a reset {_time(speed.reset)} ({speed.share:.0%} of the "
        f"env's time), and Skipjack adds {_time(speed.added)} a step: about {rate:,.0f} steps/s on "
        f"one core{many if speed.cores > 1 else ''}."
    )
    if speed.step >= SLOW_STEP:
        minutes = 1e6 / rate / speed.cores / 60
        report.note(
            "speed",
            f"{told} The step is slow: a million of them take at least {minutes:,.0f} minutes here. "
            f"Make it cheaper, or use more cores with --vector.workers.",
        )
    else:
        report.ok("speed", told)
    if speed.step and speed.reset >= SLOW_RESET * speed.step and speed.share >= SLOW_SHARE:
        report.note(
            "speed",
            f"The reset is slow: it takes as long as {speed.reset / speed.step:,.0f} steps, "
            f"{speed.share:.0%} of the env's time. Keep what it loads or builds from one episode to "
            f"the next, or have longer episodes.",
        )


def _time(seconds: float) -> str:
    """A time with its unit, such as 12 µs or 3.4 ms."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"
