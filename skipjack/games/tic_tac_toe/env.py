"""Tic-tac-toe: settings and spaces; the rules are in `rules.pyx`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt

from skipjack.config import Within
from skipjack.games.tic_tac_toe.rules import Rules
from skipjack.spaces import Actions, Layout

Opponent = Literal["self", "random", "one_ply", "easy", "medium", "hard", "perfect"]


@dataclass(frozen=True, slots=True)
class TicTacToeConfig:
    """Settings of tic-tac-toe."""

    opponent: Opponent = "self"
    """Who plays the other side: a second seat, or a scripted player of a grade."""
    time_limit: Annotated[int, Within(1, 1_000_000)] = 9
    """Marks, of both sides, after which a game is truncated; a board holds 9."""
    desynchronise: bool = True
    """Cut each env's first game at a random share of the time limit."""


class TicTacToe(Rules):
    """A native engine of `num_envs` games of tic-tac-toe, two seats each or one."""

    Config = TicTacToeConfig
    grades = ("one_ply", "easy", "medium", "hard", "perfect")  # of `scripted`

    def __init__(self, num_envs: int, config: TicTacToeConfig = TicTacToeConfig()) -> None:
        super().__init__(num_envs, config)
        self.config = config
        self.observation = Layout.box((2, 3, 3), np.uint8, low=0, high=1)
        names = tuple(str(cell) for cell in range(1, 10))
        self.action = Actions.discrete(9, masked=True, names=names)

    def scripted(self, observations: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Actions (rows, 1) of the config's scripted opponent; with "self", of the perfect player.

        Args:
            observations: (rows, 2, 3, 3).
        """
        marks = observations.reshape(-1, 2, 9).astype(np.int64) @ (1 << np.arange(9))
        replies = [self.reply_to(int(own), int(other)) for own, other in marks]
        return np.array(replies, np.int32).reshape(-1, 1)
