"""Vectors and players for the tests of matches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack import config as settings
from skipjack import registry
from skipjack.arena.players import Player
from skipjack.arena.seating import face_to_face
from skipjack.rows import Batch
from skipjack.vector import Vector, wrap

RULES = "rules"


def table(name: str, num_envs: int, **changes: Any) -> Vector:
    """Envs of a game for two policies, rows laid out by player."""
    engine_class = registry.load(registry.resolve(name).target)
    given = {"opponent": "self", "desynchronise": False} | changes
    env = settings.replace(engine_class.Config(), given)
    one = engine_class(1, env)
    row_of = face_to_face(num_envs, one.teams)
    return wrap(lambda count: engine_class(count, env), num_envs, threads=1, row_of=row_of)


class Always:
    """Acts by a function of the batch."""

    def __init__(self, act: Callable[[Batch], npt.NDArray[Any]]) -> None:
        self.act = act

    def begin(self) -> None:
        pass

    def follow(self, batch: Batch, alive: npt.NDArray[np.bool_]) -> None:
        pass


def always(name: str, choice: int) -> Player:
    """A player that always takes the same choice."""
    return Player(
        name,
        lambda rows, seed: Always(lambda b: np.full((len(b.alive), 1), choice, np.int32)),
        fixed=True,
    )
