"""Continuous: settings and spaces; the rules are in `rules.pyx`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from skipjack.config import Within
from skipjack.games.continuous.rules import Rules
from skipjack.spaces import Actions, Layout


@dataclass(frozen=True, slots=True)
class ContinuousConfig:
    """Settings of Continuous."""

    time_limit: Annotated[int, Within(1, 1_000_000)] = 40
    """Steps after which an episode is truncated."""
    desynchronise: bool = True
    """Cut each env's first episode at a random share of the time limit."""


class Continuous(Rules):
    """A native engine of `num_envs` boards, one seat each."""

    Config = ContinuousConfig

    def __init__(self, num_envs: int, config: ContinuousConfig = ContinuousConfig()) -> None:
        super().__init__(num_envs, config)
        self.config = config
        self.observation = Layout.box((4,), low=-2.0, high=2.0)
        self.action = Actions.continuous(2, low=-0.1, high=0.1)
