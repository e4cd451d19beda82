"""Settings of the vector: how many envs, and how they are stepped."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Annotated

from skipjack.config import Choice, Pow2, Within


@dataclass(frozen=True, slots=True)
class VectorConfig:
    """How many envs run, in how many groups, on how many threads."""

    num_envs: Annotated[int, Pow2(64, 16_384), Within(1, 10_000_000)] = 4096
    """Envs in all."""
    groups: Annotated[int, Choice(1, 2, 4, 8)] = 1
    """Groups that take turns: while one is stepped in the background, the policy acts for another."""
    threads: Annotated[int, Within(0, 1024)] = 0
    """Threads that step native games; 0 is one for each core. Changes speed only, never results."""


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
