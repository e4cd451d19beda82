"""A run's envs from its settings, without torch."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack import config as settings
from skipjack import registry
from skipjack.errors import must
from skipjack.run.config import Configured
from skipjack.vector import Vector, wrap


def make_vector(
    configured: Configured,
    num_envs: int,
    evaluation: bool = False,
    pinned: bool = False,
    row_of: npt.NDArray[Any] | None = None,
) -> Vector:
    """The run's vector, or one for evaluation: one group, synchronised, its own opponent.

    Args:
        configured: the run's settings.
        num_envs: envs in all.
        evaluation: whether it is for evaluation.
        pinned: rows in memory from which a GPU copies without waiting.
        row_of: as in `Vector`.
    """
    engine_class = registry.load(configured.entry.target)
    config = configured.config
    env = whole_episodes(configured, config.eval.opponent) if evaluation else config.env
    wanted = config.vector
    return wrap(
        lambda count: engine_class(count, env),
        num_envs,
        threads=wanted.threads,
        workers=wanted.workers,
        groups=1 if evaluation else wanted.groups,
        allocate=_pinned if pinned else np.zeros,
        row_of=row_of,
        in_python=getattr(engine_class, "in_python", False),
        start=wanted.start,
        on_crash=wanted.on_crash,
        timeout=wanted.timeout,
    )


def whole_episodes(configured: Configured, opponent: str = "") -> Any:
    """The env's settings with every first episode whole (synchronised), and an opponent if one is named.

    Raises:
        UsageError: one is named for a game that takes none, or one that the game does not have.
    """
    env = configured.config.env
    known = settings.settings(type(env))
    changes: dict[str, Any] = {"desynchronise": False} if "desynchronise" in known else {}
    if opponent:
        if "opponent" not in known:
            raise must(
                "eval.opponent must be empty for a game that takes no opponent",
                env=configured.entry.full_name,
                opponent=opponent,
            )
        wanted = dataclasses.replace(known["opponent"], name="eval.opponent")
        changes["opponent"] = settings.checked(wanted, opponent)
    return settings.replace(env, changes)


def _pinned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Zeros in pinned memory."""
    import torch

    kind = getattr(torch, "bool" if dtype == np.bool_ else dtype.name)
    return torch.zeros(shape, dtype=kind, pin_memory=True).numpy()
