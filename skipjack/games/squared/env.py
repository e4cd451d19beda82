"""Squared: settings and spaces; the rules are in `rules.pyx`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from skipjack.config import Choice, Within
from skipjack.games.squared.rules import Rules
from skipjack.spaces import Actions, Layout


@dataclass(frozen=True, slots=True)
class SquaredConfig:
    """Settings of Squared."""

    size: Annotated[int, Choice(3, 5, 7, 9, 11)] = 7
    """Cells a side."""
    time_limit: Annotated[int, Within(1, 1_000_000)] = 32
    """Steps after which an episode is truncated."""
    desynchronise: bool = True
    """Cut each env's first episode at a random share of the time limit."""


class Squared(Rules):
    """A native engine of `num_envs` boards, one seat each."""

    Config = SquaredConfig

    def __init__(self, num_envs: int, config: SquaredConfig = SquaredConfig()) -> None:
        super().__init__(num_envs, config)
        self.config = config
        self.observation = Layout.box((config.size,) * 2, np.uint8, low=0, high=2, kinds=3)
        self.action = Actions.discrete(5, names=("stay", "up", "down", "left", "right"))
