"""Breakout: settings and spaces; the rules are in `rules.pyx`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from skipjack.config import Choice, Within
from skipjack.games.breakout.rules import Rules
from skipjack.spaces import Actions, Layout


@dataclass(frozen=True, slots=True)
class BreakoutConfig:
    """Settings of Breakout."""

    frame_skip: Annotated[int, Choice(1, 2, 4, 8)] = 4
    """Physics ticks (1/60 s) a step."""
    balls: Annotated[int, Within(1, 5)] = 5
    """Balls of a game."""
    ball_size: Annotated[float, Within(4.0, 32.0)] = 32.0
    """Side of the ball's hit box in pixels."""
    continuous: bool = False
    """Steer by a velocity in [-1, 1] instead of stay, left, right."""
    time_limit: Annotated[int, Within(1, 1_000_000)] = 18_000
    """Ticks after which a game is truncated."""
    desynchronise: bool = True
    """Cut each env's first game at a random share of the time limit."""


class Breakout(Rules):
    """A native engine of `num_envs` games of Breakout, one seat each."""

    Config = BreakoutConfig

    def __init__(self, num_envs: int, config: BreakoutConfig = BreakoutConfig()) -> None:
        super().__init__(num_envs, config)
        self.config = config
        self.observation = Layout.box((118,), low=-1.0, high=1.0)
        self.action = (
            Actions.continuous(1)
            if config.continuous
            else Actions.discrete(3, names=("stay", "left", "right"))
        )

    def scripted(self, observations: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Actions (rows, 1) of a player that keeps its paddle below the ball.

        Args:
            observations: (rows, 118).
        """
        apart = observations[:, 5:6]
        if self.config.continuous:
            return np.clip(3 * apart, -1, 1)
        return np.where(np.abs(apart) < 0.15, 0, np.where(apart < 0, 1, 2)).astype(np.int32)
