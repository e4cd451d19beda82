"""How long an env takes: its own calls, and what Skipjack adds to them."""

from __future__ import annotations

import itertools
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from skipjack.emulate.config import EmulateConfig
from skipjack.rows import Rows, identity_rows
from skipjack.spaces.tree import ActionTree
from skipjack.testing.check.findings import Report
from skipjack.testing.check.play import draw, play
from skipjack.testing.check.world import Clock, World
from skipjack.vector.config import cores

SECONDS = 2.0
"""Of each measurement, at most."""
SLOW_STEP = 1e-3
"""Seconds of a step from which on it is worth a note."""
SLOW_RESET = 100
"""Steps whose time a reset may take before it is worth a note."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Times of an env in seconds.

    Attributes:
        step, reset: of one call.
        length: steps of an episode of random play.
        added: what Skipjack adds to a step.
        cores: of this machine.
    """

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
        """Seconds that a step takes with its share of the resets and what is added."""
        return self._own + self.added

    @property
    def _own(self) -> float:
        return self.step + self.reset / self.length

    def figures(self) -> dict[str, float]:
        """By name; `steps_per_second_all_cores` is at best."""
        rate = 1 / self.whole if self.whole else 0.0
        return {
            "step_us": self.step * 1e6,
            "reset_us": self.reset * 1e6,
            "reset_share": self.share,
            "added_us": self.added * 1e6,
            "steps_per_second": rate,
            "cores": self.cores,
            "steps_per_second_all_cores": rate * self.cores,
        }


def measure(
    world: World,
    tree: ActionTree,
    maker: Any,
    config: EmulateConfig,
    length: float,
    steps: int,
    seed: int,
    clock: Clock,
) -> Speed:
    """Times of an env that was played before, and of Skipjack's engine of it.

    Args:
        world, tree: the env and its actions.
        maker, config: make the engine.
        length: steps of an episode.
        steps, seed: of each measurement.
        clock: gives seconds.
    """
    watch, began = world.watch, clock()
    watch.clear()
    for _ in play(world, tree, seed, steps, config.time_limit):
        if clock() - began > SECONDS:
            break
    step, reset = (watch.seconds[name] / max(watch.calls[name], 1) for name in ("step", "reset"))
    spent, stepped, episodes = _engine(maker, config, steps, seed, clock)
    added = max(spent - stepped * step - episodes * reset, 0.0) / stepped
    return Speed(step, reset, length, added, cores())


def judge(report: Report, speed: Speed) -> None:
    """Tell how fast it is, and what is slow."""
    report.figures |= speed.figures()
    rate = 1 / speed.whole if speed.whole else 0.0
    many = f", at best {rate * speed.cores:,.0f} with {speed.cores} workers"
    told = (
        f"A step takes {_time(speed.step)}, a reset {_time(speed.reset)} ({speed.share:.0%} of the "
        f"env's time), and Skipjack adds {_time(speed.added)} a step: about {rate:,.0f} steps/s on "
        f"one core{many if speed.cores > 1 else ''}."
    )
    if speed.step >= SLOW_STEP:
        minutes = speed.whole * 1e6 / speed.cores / 60
        report.note(
            "speed",
            f"{told} The step is slow: a million of them take at least {minutes:,.0f} minutes here. "
            f"Make it cheaper, or use more cores with --vector.workers.",
        )
    else:
        report.ok("speed", told)
    if speed.step and speed.reset >= SLOW_RESET * speed.step:
        report.note(
            "speed",
            f"The reset is slow: it takes as long as {speed.reset / speed.step:,.0f} steps, "
            f"{speed.share:.0%} of the env's time. Keep what it loads or builds from one episode to "
            f"the next, or have longer episodes.",
        )


def _engine(
    maker: Any, config: EmulateConfig, steps: int, seed: int, clock: Clock
) -> tuple[float, int, int]:
    """Seconds that Skipjack's engine of one such env took, its steps and its episodes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        engine = maker(1, config)
    rows = Rows.allocate(engine.seats, engine.observation, engine.action)
    engine.bind(rows, identity_rows(1, engine.seats))
    engine.reset(0, 1, np.array([seed], np.uint64))
    generator = np.random.default_rng(seed)
    spent, ended, began = 0.0, 0, clock()
    for step in itertools.count(1):
        for row in range(engine.seats):
            mask = None if rows.action_mask is None else rows.action_mask[row]
            rows.actions[row] = draw(engine.action, generator, mask)
        before = clock()
        engine.step(0, 1)
        records = engine.records(0, 1)
        spent += clock() - before
        ended += len(records)
        if step >= steps or clock() - began > SECONDS:
            break
    engine.close()
    return spent, step, ended // engine.seats


def _time(seconds: float) -> str:
    """A time with its unit, such as 12 µs or 3.4 ms."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"
