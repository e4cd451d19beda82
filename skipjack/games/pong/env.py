"""Pong: settings and spaces; the rules are in `rules.pyx`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt

from skipjack.config import Choice, Within
from skipjack.games.pong.rules import Rules
from skipjack.spaces import Actions, Layout


@dataclass(frozen=True, slots=True)
class PongConfig:
    """Settings of Pong."""

    frame_skip: Annotated[int, Choice(1, 2, 4, 8)] = 8
    """Frames a step."""
    opponent: Literal["follower", "easy", "medium", "hard", "self"] = "follower"
    """Who plays on the right: a scripted ball follower, one of a grade, or a second seat."""
    opponent_speed: Annotated[float, Within(0.0, 8.0)] = 8.0
    """Most pixels a frame that "follower" moves; the grades have theirs: 2, 4 and 6."""
    time_limit: Annotated[int, Within(1, 1_000_000)] = 18_000
    """Frames after which a game is truncated."""
    desynchronise: bool = True
    """Cut each env's first game at a random share of the time limit."""


class Pong(Rules):
    """A native engine of `num_envs` games of Pong, one seat each or two."""

    Config = PongConfig
    grades = ("follower",)  # of `scripted`

    def __init__(self, num_envs: int, config: PongConfig = PongConfig()) -> None:
        super().__init__(num_envs, config)
        self.config = config
        self.observation = Layout.box((8,), low=-1.0, high=1.0)
        self.action = Actions.discrete(3, names=("stay", "up", "down"))

    def scripted(self, observations: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Actions (rows, 1) of a player that keeps its paddle beside the ball.

        Args:
            observations: (rows, 8).
        """
        apart = observations[:, 2:3] - observations[:, 0:1]
        return np.where(np.abs(apart) < 0.1, 0, np.where(apart < 0, 1, 2)).astype(np.int32)
