"""The state of a Python engine's envs, one by one: it goes on with any number of workers."""

from __future__ import annotations

from skipjack.rows import Engine, join_states, part_states


def save(engine: Engine, count: int) -> bytes | None:
    """The state of an engine's `count` envs; None if it cannot be saved."""
    if not getattr(engine, "in_python", False):
        return engine.save(0, count)
    states = [engine.save(env, env + 1) for env in range(count)]
    known = [state for state in states if state is not None]
    return join_states(known) if len(known) == count else None


def load(engine: Engine, count: int, saved: bytes) -> None:
    """Take back what `save` gave."""
    if not getattr(engine, "in_python", False):
        engine.load(0, count, saved)
        return
    for env, state in enumerate(part_states(saved, count)):
        engine.load(env, env + 1, state)
