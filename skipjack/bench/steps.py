"""Speed of envs alone on this machine: the median of several repetitions."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from skipjack import registry
from skipjack.rows import Batch
from skipjack.run.config import Configured
from skipjack.vector import Vector, wrap
from skipjack.vector.config import cores
from skipjack.vector.make import worker_count


def measure(configured: Configured, seconds: float, repetitions: int) -> dict[str, Any]:
    """Steps a second with random actions, in the middle of episodes, on one thread and on all.

    Envs written in Python are measured on worker processes instead: on one, this one, and on all.
    Drawing the actions is not part of the time: 64 sets are drawn before, or legal ones between two
    steps where there are masks. Rows that wait for others count no step.

    Returns:
        env; speeds, one for each number of threads or workers, with its steps_per_second, lowest and
        highest; rows; observation_bytes (a row); env_bytes (one env's state) and reset_seconds (one env's,
        on one thread), None where Python makes the envs.
    """
    row: dict[str, Any] = {"env": configured.entry.full_name, "speeds": []}
    engine_class = registry.load(configured.entry.target)
    in_python = getattr(engine_class, "in_python", False)
    wanted = configured.config.vector
    most = worker_count(wanted.num_envs, wanted.workers) if in_python else wanted.threads or cores()
    for count in dict.fromkeys([1, most]):
        vector = wrap(
            lambda size: engine_class(size, configured.config.env),
            wanted.num_envs,
            threads=count,
            workers=count,
            in_python=in_python,
            timeout=wanted.timeout,
            start=wanted.start,
        )
        measured = _measure_steps(vector, seconds, repetitions)
        row["speeds"].append({"workers" if in_python else "threads": count} | summary(measured))
        row["rows"] = vector.num_rows
        row["observation_bytes"] = vector.observation.nbytes
        row["env_bytes"] = getattr(vector.engine, "env_nbytes", None)
        if count == 1:
            row["reset_seconds"] = None if in_python else _reset_seconds(vector, repetitions)
        vector.close()
    return row


def summary(measured: Sequence[float]) -> dict[str, float]:
    """The median of steps a second over the repetitions, the lowest and the highest."""
    return {
        "steps_per_second": statistics.median(measured),
        "lowest": min(measured),
        "highest": max(measured),
    }


def _reset_seconds(vector: Vector, repetitions: int) -> float:
    """What a new first episode of one env takes."""
    spent = []
    for seed in range(repetitions):
        began = time.perf_counter()
        vector.reset(seed)
        spent.append((time.perf_counter() - began) / vector.num_envs)
    return statistics.median(spent)


def _measure_steps(vector: Vector, seconds: float, repetitions: int) -> list[float]:
    generator = np.random.default_rng(0)
    drawn = [vector.action.draw(generator, vector.num_rows) for _ in range(64)]
    batch: Batch = vector.reset(0)
    speeds = []
    for repetition in range(-1, repetitions):  # the first one warms up, into mid-episode states
        spent, acted = 0.0, 0
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            rows = vector.num_rows
            if batch.action_mask is not None:  # what is legal changes with every step
                drawn = [vector.action.draw(generator, rows, batch.action_mask)]
                rows = int(np.count_nonzero(batch.may_act))
            began = time.perf_counter()
            for actions in drawn:
                batch = vector.step(actions)
            spent += time.perf_counter() - began
            acted += len(drawn) * rows
        if repetition >= 0:
            speeds.append(acted / spent)
    return speeds
