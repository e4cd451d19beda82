"""Connect Four: settings and spaces; the rules are in `rules.pyx`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt

from skipjack.config import Within
from skipjack.games.connect_four.rules import Rules
from skipjack.spaces import Actions, Layout

Opponent = Literal["self", "random", "one_ply", "minimax", "minimax_2", "minimax_4", "minimax_6"]


@dataclass(frozen=True, slots=True)
class ConnectFourConfig:
    """Settings of Connect Four."""

    opponent: Opponent = "self"
    """Who plays the other side: a second seat, or a scripted player of a grade."""
    depth: Annotated[int, Within(1, 12)] = 4
    """Stones that "minimax" looks ahead; the others of its kind have theirs: 2, 4 and 6."""
    time_limit: Annotated[int, Within(1, 1_000_000)] = 42
    """Stones, of both sides, after which a game is truncated; a board holds 42."""
    desynchronise: bool = True
    """Cut each env's first game at a random share of the time limit."""


class ConnectFour(Rules):
    """A native engine of `num_envs` games of Connect Four, two seats each or one."""

    Config = ConnectFourConfig
    grades = ("one_ply", "minimax", "minimax_2", "minimax_4", "minimax_6")  # of `scripted`

    def __init__(self, num_envs: int, config: ConnectFourConfig = ConnectFourConfig()) -> None:
        super().__init__(num_envs, config)
        self.config = config
        self.observation = Layout.box((2, 6, 7), np.uint8, low=0, high=1)
        names = tuple(str(column) for column in range(1, 8))
        self.action = Actions.discrete(7, masked=True, names=names)

    def scripted(self, observations: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Actions (rows, 1) of the config's scripted opponent; with "self", of the one-ply player.

        Args:
            observations: (rows, 2, 6, 7).
        """
        row, column = np.mgrid[5:-1:-1, 0:7].astype(np.uint64)
        bits = np.uint64(1) << (np.uint64(8) * row + column)
        stones = (observations * bits).sum((2, 3), dtype=np.uint64)
        replies = [self.reply_to(int(own), int(other)) for own, other in stones]
        return np.array(replies, np.int32).reshape(-1, 1)
