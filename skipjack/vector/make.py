"""From a name to a vector of envs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from skipjack import config as settings
from skipjack import registry
from skipjack.errors import must
from skipjack.rows import Allocator
from skipjack.vector.config import cores
from skipjack.vector.contract import Vector
from skipjack.vector.serial import Serial
from skipjack.vector.threads import Threads


def make(
    name: str,
    num_envs: int = 1024,
    threads: int = 0,
    groups: int = 1,
    final: str = "truncated",
    config: Mapping[str, Any] | None = None,
) -> Vector:
    """A vector of `num_envs` envs by name, with the env settings of the name's preset.

    Args:
        name: "breakout", "pong/two", ...; all names: `skipjack list`.
        num_envs: envs in all.
        threads: threads that step them, the caller's included; 0 is one for each core.
        groups: groups that take turns; see `Vector`.
        final: "truncated" or "all" last observations in `Batch.final`.
        config: settings of the env that differ from the preset's, by name.

    Raises:
        UsageError: an unknown name or setting, or a value out of its range.
    """
    for what, count in (("num_envs", num_envs), ("threads", threads), ("groups", groups)):
        if not isinstance(count, (int, np.integer)) or count < (what != "threads"):
            raise must(f"{what} must be a whole number and not too small", got=count)
    entry = registry.resolve(name)
    engine_class = registry.load(entry.target)
    env = settings.resolve(
        engine_class.Config(),
        [
            (f"preset {entry.full_name}", registry.preset(entry.full_name).get("env", {})),
            ("argument", dict(config or {})),
        ],
    ).config
    return wrap(engine_class(num_envs, env), threads=threads, groups=groups, final=final)


def wrap(
    engine: Any,
    threads: int = 0,
    groups: int = 1,
    final: str = "truncated",
    allocate: Allocator = np.zeros,
) -> Vector:
    """A vector over an engine: `Serial` for one thread, `Threads` for more (0: all cores)."""
    threads = threads or cores()
    if threads == 1:
        return Serial(engine, groups=groups, final=final, allocate=allocate)
    return Threads(engine, threads, groups=groups, final=final, allocate=allocate)
