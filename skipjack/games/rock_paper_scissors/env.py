"""Rock-paper-scissors: settings and spaces; the rules are in `rules.pyx`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt

from skipjack.config import Within
from skipjack.games.rock_paper_scissors.rules import Rules
from skipjack.spaces import Actions, Layout

Opponent = Literal["self", "rock", "paper", "scissors", "random", "copycat", "counter"]


@dataclass(frozen=True, slots=True)
class RockPaperScissorsConfig:
    """Settings of rock-paper-scissors."""

    opponent: Opponent = "self"
    """Who is played against: a second seat, or a scripted player."""
    rounds: Annotated[int, Within(1, 10_000)] = 10
    """Rounds a game."""
    memory: Annotated[int, Within(1, 16)] = 4
    """Rounds whose hands are seen."""
    time_limit: Annotated[int, Within(1, 1_000_000)] = 18_000
    """Rounds after which a game is truncated."""
    desynchronise: bool = True
    """Cut each env's first game at a random share of the time limit."""


class RockPaperScissors(Rules):
    """A native engine of `num_envs` games of rock-paper-scissors, two seats each or one."""

    Config = RockPaperScissorsConfig
    grades = ("rock", "paper", "scissors", "copycat", "counter")  # of `scripted`

    def __init__(
        self, num_envs: int, config: RockPaperScissorsConfig = RockPaperScissorsConfig()
    ) -> None:
        super().__init__(num_envs, config)
        self.config = config
        shape = (2, config.memory)
        self.observation = Layout.box(shape, np.uint8, low=0, high=3, kinds=4)
        self.action = Actions.discrete(3, names=("rock", "paper", "scissors"))

    def scripted(self, observations: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Actions (rows, 1) of the config's scripted opponent; with "self" or "random", of "counter".

        Args:
            observations: (rows, 2, memory).
        """
        last = observations[:, 1, :1].astype(np.int32)  # 0 before the first round, which shows rock
        hands = {"rock": 0 * last, "paper": 0 * last + 1, "scissors": 0 * last + 2}
        hands["copycat"] = np.maximum(last - 1, 0)
        return hands.get(self.config.opponent, last % 3)
