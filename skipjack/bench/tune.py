"""Which threads, workers, envs and groups are the fastest on this machine."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import math
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from skipjack import config as settings
from skipjack import registry
from skipjack.errors import SkipjackError
from skipjack.run.config import Configured
from skipjack.vector.config import cores

ROUNDS = 3
"""Slices of each candidate; a round takes one of every candidate, so that a drift spares none."""
LATE = 1.25
"""Times the seconds given that a comparison may take before a round is left out."""
MARGIN = 0.03
"""Gain below which a change is not worth it, whatever the noise."""
MACHINE = ("vector.threads", "vector.workers")
"""Settings that change speed alone and so stand in the machine file."""

Changes = Mapping[str, Any]
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Speed:
    """Steps a second of one slice: of the envs alone with random actions, and of training."""

    alone: float
    training: float


@dataclass
class Candidate:
    """One way to step the envs and what it brought.

    Attributes:
        values: the settings of the vector that are tuned, by dotted name.
        slices: one a round.
        error: why it could not be measured, if it could not.
    """

    values: dict[str, int]
    slices: list[Speed] = field(default_factory=list)
    error: str = ""

    @property
    def speed(self) -> Speed:
        """The median slice, for each of the two; 0 where there is none."""
        alone, training = (
            statistics.median([getattr(part, name) for part in self.slices] or [0.0])
            for name in ("alone", "training")
        )
        return Speed(alone, training)

    def gain(self, present: Candidate) -> tuple[float, float]:
        """Gain in training on the present setting, and its noise.

        That is the median over the rounds of the ratio less 1, and half of the ratios' spread.
        """
        pairs = zip(self.slices, present.slices, strict=False)
        ratios = [own.training / other.training for own, other in pairs]
        if len(ratios) < 2:  # one round says nothing of the noise
            return (ratios[0] - 1 if ratios else 0.0), math.inf
        return statistics.median(ratios) - 1, (max(ratios) - min(ratios)) / 2


@dataclass(frozen=True, slots=True)
class Stage:
    """Candidates that were compared with each other; the first is the present setting."""

    candidates: list[Candidate]

    @property
    def present(self) -> Candidate:
        """What was so before."""
        return self.candidates[0]

    @property
    def best(self) -> Candidate:
        """The fastest in training whose gain is beyond the noise; else the present one."""
        found = self.present
        for candidate in self.candidates[1:]:
            gain, noise = candidate.gain(self.present)
            if not candidate.error and gain > max(noise, MARGIN, found.gain(self.present)[0]):
                found = candidate
        return found


Measure = Callable[[Configured, float], Speed]


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a tuning found.

    Attributes:
        env: name of the environment.
        stages: first threads or workers, then envs and groups with the best of these.
    """

    env: str
    stages: list[Stage]

    @property
    def machine(self) -> dict[str, int]:
        """What to keep for this machine: settings that change speed alone; empty if nothing gains."""
        return self._changed(self.stages[0])

    @property
    def flags(self) -> dict[str, int]:
        """What trains faster and also changes what is learned; empty if nothing gains."""
        return self._changed(self.stages[1])

    @staticmethod
    def _changed(stage: Stage) -> dict[str, int]:
        before = stage.present.values
        return {name: v for name, v in stage.best.values.items() if v != before[name]}


def tune(
    configured: Configured,
    seconds: float,
    measure: Measure | None = None,
    clock: Clock = time.perf_counter,
    say: Callable[[str], None] = lambda line: None,
) -> Tuning:
    """Compare threads (workers for Python envs), then envs and groups, in about `seconds`.

    Args:
        configured: settings to begin with.
        seconds: time for all.
        measure: measures one slice, of about so many seconds.
        clock: gives seconds.
        say: is told what is being done.
    """
    measure = measure or measure_slice
    in_python = getattr(registry.load(configured.entry.target), "in_python", False)
    kind = "vector.workers" if in_python else "vector.threads"
    stages: list[Stage] = []
    best: dict[str, int] = {}
    began = clock()
    for number, grid in enumerate((_counts, _sizes)):
        candidates = [Candidate(values) for values in grid(configured, kind, best)]
        what = "envs and groups" if number else f"{kind.partition('.')[2]}"
        say(f"Measuring {what}: {len(candidates)} settings.")
        left = seconds - (clock() - began)
        _compare(candidates, configured, left / (2 - number), measure, clock)
        stages.append(Stage(candidates))
        best = stages[-1].best.values
    return Tuning(configured.entry.full_name, stages)


def measure_slice(configured: Configured, seconds: float) -> Speed:
    """Speeds of one slice, after a short warm-up; envs and policy are made anew.

    Raises:
        SkipjackError: these settings cannot be run.
    """
    from skipjack.bench.train import make_trainer

    trainer = make_trainer(configured)
    with contextlib.closing(trainer.vector) as vector:
        alone = _random_play(vector, seconds / 2)
        trainer.collect()
        trainer.learn()
        began, before = time.perf_counter(), trainer.steps
        while True:
            trainer.collect()
            trainer.learn()
            spent = time.perf_counter() - began
            if spent >= seconds / 2:
                return Speed(alone, (trainer.steps - before) / spent)


def keep(changes: Mapping[str, int]) -> Path:
    """Write settings into the machine file, beside what is there; gives its path.

    The file is replaced as a whole, so that no reader finds half of it.
    """
    path = settings.machine_file()
    there = settings.dotted(settings.load_toml(path)) if path.exists() else {}
    values = {name: value for name, value in (there | dict(changes)).items() if name in MACHINE}
    lines = [f"{name.partition('.')[2]} = {value}\n" for name, value in sorted(values.items())]
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    text = "# Speeds on this machine, as `skipjack tune` found them.\n[vector]\n"
    draft.write_text(text + "".join(lines), encoding="utf-8")
    draft.replace(path)
    return path


def _random_play(vector: Any, seconds: float) -> float:
    """Steps a second with random actions; a quarter of the time before is warm-up."""
    generator = np.random.default_rng(0)
    rows = vector.num_rows // vector.groups
    drawn = itertools.cycle([vector.action.draw(generator, rows) for _ in range(16)])
    vector.reset(0)
    speed = 0.0
    for span in (seconds / 4, seconds):
        count, spent, began = 0, 0.0, time.perf_counter()
        while spent < span:
            vector.step(next(drawn))
            count += rows
            spent = time.perf_counter() - began
        speed = count / spent
    return speed


def _counts(configured: Configured, kind: str, best: Changes) -> list[dict[str, int]]:
    """Present threads or workers first, then the others: 1, 2, 4, ... up to the cores."""
    present = _present(configured)
    given = present[kind] or cores()  # 0 is one for each core
    powers = [2**i for i in range(cores().bit_length()) if 2**i < cores()]
    counts = dict.fromkeys([given, *powers, cores()])
    most = present["vector.num_envs"] // present["vector.groups"]
    return [{kind: count} for count in counts if count <= most or count == given]


def _sizes(configured: Configured, kind: str, best: Changes) -> list[dict[str, int]]:
    """Present envs and groups first, then halves and doubles, and another number of groups."""
    present = _present(configured) | dict(best)
    envs, groups = present["vector.num_envs"], present["vector.groups"]
    other = 2 if groups == 1 else 1
    sizes = [
        (envs, groups), (envs, other), (2 * envs, groups), (2 * envs, other), (4 * envs, groups),
        (envs // 2, groups),
    ]  # fmt: skip
    least = present[kind] if kind == "vector.workers" else 1
    return [
        {kind: present[kind], "vector.num_envs": count, "vector.groups": parts}
        for count, parts in sizes
        if (count, parts) == (envs, groups) or (count // parts >= least and count % parts == 0)
    ]


def _present(configured: Configured) -> dict[str, int]:
    vector = settings.flatten(configured.config.vector)
    return {f"vector.{name}": value for name, value in vector.items() if isinstance(value, int)}


def _compare(
    candidates: Sequence[Candidate],
    configured: Configured,
    seconds: float,
    measure: Measure,
    clock: Clock,
) -> None:
    """Fill in the slices, round by round.

    After the first, only as many candidates go on as there is time for; a round that would end too
    late is left out.
    """
    # What a slice costs beside itself (making envs, warming up) may well be as much again.
    slice_seconds = max(seconds / (2 * ROUNDS * len(candidates)), 0.05)
    present, going, began = candidates[0], list(candidates), clock()
    cost = 0.0
    for number in range(ROUNDS):
        left = seconds * LATE - (clock() - began)
        if number == 1:  # as many as there is time for, the fastest so far
            cost = (clock() - began) / len(candidates)
            others = sorted(going[1:], key=lambda one: -one.gain(present)[0])
            going = [present, *others[: max(int(left / cost / (ROUNDS - 1)) - 1, 1)]]
        if number and cost * len(going) > left:
            break
        for candidate in going:
            config = settings.replace(configured.config, candidate.values)
            own = dataclasses.replace(configured, config=config)
            try:
                candidate.slices.append(measure(own, slice_seconds))
            except SkipjackError as error:
                if candidate is present:
                    raise
                candidate.error = str(error)
        going = [candidate for candidate in going if not candidate.error]
