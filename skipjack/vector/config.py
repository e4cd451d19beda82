"""Settings of the vector: how many envs, and how they are stepped."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Annotated, Literal

from skipjack.config import Choice, Pow2, Within


@dataclass(frozen=True, slots=True)
class VectorConfig:
    """How many envs run, in how many groups, on how many threads or worker processes."""

    num_envs: Annotated[int, Pow2(64, 16_384), Within(1, 10_000_000)] = 4096
    """Envs in all."""
    groups: Annotated[int, Choice(1, 2, 4, 8)] = 1
    """Groups that take turns: while one is stepped in the background, the policy acts for another."""
    threads: Annotated[int, Within(0, 1024)] = 0
    """Threads that step native games; 0 is one for each core. Changes speed only, never results."""
    workers: Annotated[int, Within(0, 1024)] = 0
    """Processes that step envs written in Python; 0 is one for each core, 1 is this process itself.
    Changes speed only, never results."""
    start: Literal["auto", "fork", "spawn"] = "auto"
    """How worker processes start; auto is fork on Linux, which takes milliseconds, and spawn elsewhere,
    where forks are not safe."""
    on_crash: Literal["stop", "restart"] = "stop"
    """What happens when a worker process dies or hangs: the run stops, or the worker is replaced and
    its envs begin new episodes. An env that raises always stops the run."""
    timeout: Annotated[float, Within(0.0, None)] = 60.0
    """Seconds that a worker process may take for a step of its envs before it counts as hanging (for
    making them, at least 120); 0 is for ever. One process alone notices no hanging."""


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
