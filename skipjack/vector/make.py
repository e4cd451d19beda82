"""From a name, or a user's own maker, to a vector of envs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack import config as settings
from skipjack import registry
from skipjack.errors import must
from skipjack.rows import Allocator
from skipjack.vector.config import cores
from skipjack.vector.contract import Vector, check_groups
from skipjack.vector.processes import Processes
from skipjack.vector.serial import Serial
from skipjack.vector.threads import Threads


def make(
    env: str | Callable[..., Any],
    num_envs: int = 1024,
    threads: int = 0,
    workers: int = 0,
    groups: int = 1,
    final: str = "truncated",
    config: Mapping[str, Any] | None = None,
    **processes: Any,
) -> Vector:
    """A vector of `num_envs` envs, with the env settings of the name's preset.

    Args:
        env: "breakout", "pong/two", ..., all names: `skipjack list`; or what makes one env.
        num_envs: envs in all.
        threads: threads that step native games, the caller's included; 0 is one for each core.
        workers: processes that step envs written in Python; 0 is one for each core, 1 this one.
        groups: groups that take turns; see `Vector`.
        final: "truncated" or "all" last observations in `Batch.final`.
        config: settings of the env that differ from the preset's, by name.
        processes: `start`, `on_crash` and `timeout` of worker processes; see `Processes`.

    Raises:
        UsageError: an unknown name or setting, or a value out of its range.
    """
    for name in processes:
        if name not in ("start", "on_crash", "timeout"):
            raise must(
                "make takes num_envs, threads, workers, groups, final, config, start, on_crash and timeout",
                hint=f"A setting of the env stands in config={{{name!r}: ...}}.",
                got=name,
            )
    given = {"num_envs": num_envs, "threads": threads, "workers": workers, "groups": groups}
    for what, count in given.items():
        least = 0 if what in ("threads", "workers") else 1
        if not isinstance(count, (int, np.integer)) or count < least:
            raise must(f"{what} must be a whole number and not too small", got=count)
    layers: list[tuple[str, Mapping[str, Any]]] = [("argument", dict(config or {}))]
    if isinstance(env, str):
        entry = registry.resolve(env)
        maker = registry.load(entry.target)
        preset = registry.preset(entry.full_name).get("env", {})
        layers.insert(0, (f"preset {entry.full_name}", preset))
    else:
        maker = registry.maker(env)  # what makes an engine of a callable that makes one env
    found = settings.resolve(maker.Config(), layers).config
    return wrap(
        lambda count: maker(count, found),
        num_envs,
        threads=threads,
        workers=workers,
        groups=groups,
        final=final,
        in_python=getattr(maker, "in_python", False),
        **processes,
    )


def wrap(
    make_engine: Callable[[int], Any],
    num_envs: int,
    threads: int = 0,
    workers: int = 0,
    groups: int = 1,
    final: str = "truncated",
    allocate: Allocator = np.zeros,
    in_python: bool = False,
    row_of: npt.NDArray[Any] | None = None,
    **processes: Any,
) -> Vector:
    """A vector over engines: worker processes for those in Python, else threads; `Serial` for one.

    Args:
        make_engine: makes an engine of so many envs; workers make their own.
        num_envs: envs in all.
        threads, workers: 0 is one for each core; there are never more workers than a group has envs.
        groups, final, row_of: as in `Vector`.
        allocate: where the rows' memory comes from; with worker processes it is shared instead.
        in_python: whether the engine is stepped in Python, which one thread at a time can do.
        processes: `start`, `on_crash` and `timeout` of worker processes; see `Processes`.
    """
    if in_python:
        check_groups(num_envs, groups)
        count = worker_count(num_envs, workers, groups)
        if count > 1:
            return Processes(
                make_engine, num_envs, count, groups, final=final, row_of=row_of, **processes
            )
    threads = 1 if in_python else threads or cores()
    engine = make_engine(num_envs)
    if threads == 1 or getattr(engine, "whole", False):
        return Serial(engine, groups=groups, final=final, row_of=row_of, allocate=allocate)
    return Threads(engine, threads, groups=groups, final=final, row_of=row_of, allocate=allocate)


def worker_count(num_envs: int, workers: int = 0, groups: int = 1) -> int:
    """Processes that step envs written in Python: as many as asked for, but one env of a group each."""
    return min(workers or cores(), num_envs // groups)
