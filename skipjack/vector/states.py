"""The state of a Python engine's envs, one by one: it goes on with any number of workers."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from skipjack.errors import RunError
from skipjack.rows import Engine


def save(engine: Engine, count: int) -> bytes | None:
    """The state of an engine's `count` envs; None if it cannot be saved."""
    if not getattr(engine, "in_python", False):
        return engine.save(0, count)
    states = [engine.save(env, env + 1) for env in range(count)]
    known = [state for state in states if state is not None]
    return join(known) if len(known) == count else None


def load(engine: Engine, count: int, saved: bytes) -> None:
    """Take back what `save` gave."""
    if not getattr(engine, "in_python", False):
        engine.load(0, count, saved)
        return
    for env, state in enumerate(part(saved, count)):
        engine.load(env, env + 1, state)


def join(states: Sequence[bytes]) -> bytes:
    """The states of single envs as one: how long each is, then all of them."""
    return b"".join([struct.pack(f"<{len(states)}Q", *map(len, states)), *states])


def part(saved: bytes, count: int) -> list[bytes]:
    """What `join` joined.

    Raises:
        RunError: it is not of so many envs.
    """
    at = 8 * count
    lengths = struct.unpack_from(f"<{count}Q", saved) if len(saved) >= at else ()
    if at + sum(lengths) != len(saved):
        raise RunError(
            "The saved envs must be as many as there are. Resume with the same settings."
        )
    found = []
    for length in lengths:
        found.append(saved[at : at + length])
        at += length
    return found
