"""2048: settings and spaces; the rules are in `rules.pyx`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from skipjack.config import Within
from skipjack.games.game_2048.rules import Rules
from skipjack.spaces import Actions, Layout

UP, DOWN, LEFT, RIGHT = range(4)


@dataclass(frozen=True, slots=True)
class Game2048Config:
    """Settings of 2048."""

    time_limit: Annotated[int, Within(1, 1_000_000)] = 18_000
    """Steps after which a game is truncated."""
    desynchronise: bool = True
    """Cut each env's first game at a random share of the time limit."""


class Game2048(Rules):
    """A native engine of `num_envs` games of 2048, one seat each."""

    Config = Game2048Config

    def __init__(self, num_envs: int, config: Game2048Config = Game2048Config()) -> None:
        super().__init__(num_envs, config)
        self.config = config
        self.observation = Layout.box((4, 4), np.uint8, low=0, high=15, kinds=16)
        self.action = Actions.discrete(4, masked=True, names=("up", "down", "left", "right"))

    def scripted(self, observations: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Actions (rows, 1) of a player that keeps to a corner: down or left, else right, else up.

        Args:
            observations: (rows, 4, 4).
        """
        moves = np.full((len(observations), 1), UP, np.int32)
        for move in (RIGHT, LEFT, DOWN):
            moves[_changes(observations, move)] = move
        return moves


def _changes(boards: npt.NDArray[Any], move: int) -> npt.NDArray[np.bool_]:
    """(rows,) whether a move changes each of the boards (rows, 4, 4)."""
    if move in (UP, DOWN):
        boards = boards.swapaxes(1, 2)
    if move in (DOWN, RIGHT):
        boards = boards[:, :, ::-1]
    near, far = boards[:, :, :-1], boards[:, :, 1:]
    merges = (near == far) & (far < 15)
    return ((far > 0) & ((near == 0) | merges)).any((1, 2))
