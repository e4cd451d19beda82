"""Grid: settings and spaces; the rules are in `mazes.pyx` and `worlds.pyx`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt

from skipjack.config import Within
from skipjack.games.grid.mazes import Mazes
from skipjack.games.grid.worlds import Worlds
from skipjack.games.windows import away, mask, nearest
from skipjack.spaces import Actions, Field, Layout

MOVES = ("stay", "up", "down", "left", "right", "up left", "up right", "down left", "down right")
TURNS = ("pass", "forward", "left", "right", "back")


@dataclass(frozen=True, slots=True)
class GridConfig:
    """Settings of the grid family."""

    task: Literal["maze", "forage", "predator_prey", "group"] = "maze"
    """What is to be done."""
    width: Annotated[int, Within(2, 8192)] = 11
    """Columns; those of a maze count its outer walls."""
    height: Annotated[int, Within(2, 8192)] = 11
    """Rows; those of a maze count its outer walls."""
    agents: Annotated[int, Within(1, 65_536)] = 1
    """Agents in one world, each a seat; a maze has one."""
    predators: Annotated[int, Within(0, 65_535)] = 0
    """How many of the agents hunt (predator_prey)."""
    opponent: Literal["self", "random", "scripted"] = "self"
    """Who plays the other side of predator_prey: seats of its own, or a player inside the step."""
    food: Annotated[int, Within(0, 1_000_000)] = 0
    """Pieces of food that lie in the world at any time (forage)."""
    keys: Annotated[int, Within(0, 6)] = 0
    """Doors on the way to the goal, and their keys (maze)."""
    lava: Annotated[int, Within(0, 2000)] = 0
    """Cells of lava, as far as there is room beside the ways (maze)."""
    continuous: bool = False
    """Move by two numbers in [-1, 1] instead of nine choices (all but maze)."""
    time_limit: Annotated[int, Within(1, 1_000_000)] = 18_000
    """Ticks after which an episode is truncated."""
    desynchronise: bool = True
    """Cut each env's first episode at a random share of the time limit."""


def layout(kinds: int, *more: Field) -> Layout:
    """A window of so many kinds of cells, the position, the last reward, and what else is seen."""
    window = Field("window", (11, 11), 0, kinds - 1, kinds)
    position, reward = Field("position", (2,), 0, 255), Field("reward", (1,), 0, 254)
    return Layout((window, position, reward, *more), np.dtype(np.uint8))


class GridMaze(Mazes):
    """A native engine of `num_envs` mazes, one seat each."""

    Config = GridConfig
    pace = 10.0  # steps a second for people

    def __init__(self, num_envs: int, config: GridConfig = GridConfig()) -> None:
        super().__init__(num_envs, config)
        self.config = config
        heading, held = Field("heading", (1,), 0, 3, 4), Field("held", (6,), 0, 1)
        self.observation = layout(16, heading, held)
        self.action = Actions.discrete(5, names=TURNS)

    def scripted(self, observations: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Actions (rows, 1) of a player that keeps its right hand on the wall until it sees a way.

        Args:
            observations: (rows, 131).
        """
        parts = self.observation.unpack(observations)
        seen, held = parts["window"], parts["held"]
        free = (seen != 1) & (seen != 3) & (seen < 10)
        for colour in range(6):
            free |= (seen == 10 + colour) & (held[:, colour, None, None] > 0)
        way = nearest(seen == 2, free)
        beside = [(-1, 0), (0, -1), (0, 1), (1, 0)]  # forward, left, right, back
        ways = np.stack([way[:, 6 + dy, 6 + dx] for dy, dx in beside], 1)
        open_ = np.stack([free[:, 5 + dy, 5 + dx] for dy, dx in beside], 1)
        by_hand = np.argmax(open_[:, [2, 0, 1, 3]], 1)
        found = np.where(np.isfinite(ways).any(1), ways.argmin(1), np.array([2, 0, 1, 3])[by_hand])
        return (found + 1)[:, None].astype(np.int32)


class GridWorld(Worlds):
    """A native engine of `num_envs` worlds: a seat an agent, or one for each of a side's."""

    Config = GridConfig
    pace = 10.0  # steps a second for people

    def __init__(self, num_envs: int, config: GridConfig) -> None:
        super().__init__(num_envs, config)
        self.config = config
        self.observation = layout(6 if config.task == "group" else 4)
        self.action = (
            Actions.continuous(2) if config.continuous else Actions.discrete(9, names=MOVES)
        )

    def scripted(self, observations: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Actions (rows, 1 or 2) of a player that knows what it wants.

        Foragers go to the nearest food, predators where prey is, else to the middle; prey goes away from
        predators; in groups each colour goes to a corner of its own.

        Args:
            observations: (rows, 124).
        """
        parts = self.observation.unpack(observations)
        seen, (y, x) = parts["window"], parts["position"].T.astype(int)
        own = seen[:, 5, 5]
        if self.config.task == "forage":
            way = nearest(seen == 2, seen != 1, diagonal=True)
            dy, dx = away(np.where(mask((seen == 0) | (seen == 2)), way, np.inf))
        elif self.config.task == "group":
            dy, dx = np.where(own % 2, 255, 0) - y, np.where(own > 3, 255, 0) - x
        else:
            hunts, offset = own == 2, np.arange(-5, 6)
            liked = np.where(hunts[:, None, None], seen == 3, -1.0 * (seen == 2))
            dy, dx = (liked * offset[:, None]).sum((1, 2)), (liked * offset).sum((1, 2))
            alone = hunts & ~liked.any((1, 2))
            dy, dx = np.where(alone, 127 - y, dy), np.where(alone, 127 - x, dx)
        dy, dx = np.sign(dy), np.sign(dx)
        if self.config.continuous:
            return np.stack([dx, dy], 1).astype(np.float32)
        codes = np.array([[5, 1, 6], [3, 0, 4], [7, 2, 8]])
        return codes[dy.astype(int) + 1, dx.astype(int) + 1][:, None].astype(np.int32)


class Grid:
    """The engine of a task: `GridMaze` or `GridWorld`."""

    Config = GridConfig

    def __new__(cls, num_envs: int, config: GridConfig = GridConfig()) -> Any:
        """The engine that the settings ask for."""
        return (GridMaze if config.task == "maze" else GridWorld)(num_envs, config)
