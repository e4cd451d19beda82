"""Snake: settings and spaces; the rules are in `rules.pyx`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from skipjack.config import Within
from skipjack.games.snake.rules import Rules
from skipjack.games.windows import STRAIGHT, mask, nearest
from skipjack.spaces import Actions, Layout

SIDE = 11
"""Cells a side of what a snake sees."""

UP, DOWN, LEFT, RIGHT = range(4)


@dataclass(frozen=True, slots=True)
class SnakeConfig:
    """Settings of Snake."""

    width: Annotated[int, Within(2, 8192)] = 26
    """Columns of the world."""
    height: Annotated[int, Within(2, 8192)] = 26
    """Rows of the world."""
    snakes: Annotated[int, Within(1, 65_536)] = 1
    """Snakes in one world, each a seat."""
    food: Annotated[int, Within(1, 1_000_000)] = 1
    """Pieces of food that lie in the world at any time."""
    corpses: bool = False
    """Whether every second segment of a snake that dies stays as a corpse, which can be eaten."""
    max_length: Annotated[int, Within(2, 65_536)] = 1024
    """Segments at which a snake stops growing."""
    goal: Annotated[int, Within(2, 65_536)] = 100
    """Segments at a life's end that make its score 1."""
    time_limit: Annotated[int, Within(1, 1_000_000)] = 18_000
    """Steps after which a snake's life is truncated."""
    desynchronise: bool = True
    """Cut each snake's first life at a random share of the time limit."""


class Snake(Rules):
    """A native engine of `num_envs` worlds, a seat a snake."""

    Config = SnakeConfig
    pace = 15.0  # steps a second for people

    def __init__(self, num_envs: int, config: SnakeConfig = SnakeConfig()) -> None:
        super().__init__(num_envs, config)
        self.config = config
        self.observation = Layout.box((SIDE, SIDE), np.uint8, low=0, high=7, kinds=8)
        self.action = Actions.discrete(4, names=("up", "down", "left", "right"))

    def scripted(self, observations: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Actions (rows, 1) of a player that takes the shortest free way to food that it sees.

        Where there is none, it sweeps the world for food; where its sweep is barred, it goes where the most
        room is around.

        Args:
            observations: (rows, 11, 11).
        """
        free = mask(observations < 3)
        food = (observations == 1) | (observations == 2)
        way, far = nearest(food, observations < 3, steps=3 * SIDE), float(SIDE * SIDE)
        around = [np.roll(free, (dy, dx), (1, 2)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        room = np.sum(around, axis=0)
        # Less is better: a way to food, else the sweep, else room, and never what is not free.
        cost = np.where(way < far, way, far - room) + np.where(free, 0.0, 4 * far)
        middle = SIDE // 2 + 1
        costs = np.stack([cost[:, middle + dy, middle + dx] for dy, dx in STRAIGHT], axis=1)
        swept = np.arange(4) == sweep(observations)[:, None]
        costs -= np.where(costs < far / 2, 0, len(around) * swept)
        return costs.argmin(axis=1)[:, None].astype(np.int32)


def sweep(observations: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Directions (rows,) that lead a snake over the whole world, told from its body and the walls in view.

    Up and down in lanes, each as far to the right of the last as the window shows, and from the right wall
    back to the left one. A snake of one segment, whose heading nobody sees, goes round along the walls; one
    that lies beside its own coils goes on away from the first cell of them.

    Args:
        observations: (rows, 11, 11).
    """
    head = SIDE // 2
    behind: dict[int, Any] = {UP: np.s_[:, head + 1 :, head], DOWN: np.s_[:, :head, head]}
    behind |= {LEFT: np.s_[:, head, head + 1 :], RIGHT: np.s_[:, head, :head]}
    wall, body = observations == 3, observations == observations[:, head, head][:, None, None]
    up, down, left, right = (wall[behind[way ^ 1]].any(1) for way in (UP, DOWN, LEFT, RIGHT))
    trail = body[behind[RIGHT]].sum(1)
    shifted = (trail == head) | (trail == body.sum((1, 2)) - 1) | right
    across, along = np.where(right, LEFT, RIGHT), np.where(up, DOWN, UP)
    goes = [body[:, head - dy, head - dx] for dy, dx in STRAIGHT]
    circuit = [up & ~right, right & ~down, down & ~left]
    return np.select(
        [goes[UP], goes[DOWN], goes[LEFT], goes[RIGHT], *circuit],
        [
            np.where(up, across, UP), np.where(down, across, DOWN), np.where(left, along, LEFT),
            np.where(shifted, along, RIGHT), RIGHT, DOWN, LEFT,
        ],
        UP,
    )  # fmt: skip
