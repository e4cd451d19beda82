"""Stochastic: settings and spaces; the rules are in `rules.pyx`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from skipjack.config import Within
from skipjack.games.stochastic.rules import Rules
from skipjack.spaces import Actions, Layout


@dataclass(frozen=True, slots=True)
class StochasticConfig:
    """Settings of Stochastic."""

    length: Annotated[int, Within(2, 10_000)] = 100
    """Steps of an episode."""
    time_limit: Annotated[int, Within(1, 1_000_000)] = 18_000
    """Steps after which an episode is truncated."""
    desynchronise: bool = True
    """Cut each env's first episode at a random share of the time limit."""


class Stochastic(Rules):
    """A native engine of `num_envs` episodes of Stochastic, one seat each."""

    Config = StochasticConfig

    def __init__(self, num_envs: int, config: StochasticConfig = StochasticConfig()) -> None:
        super().__init__(num_envs, config)
        self.config = config
        self.observation = Layout.box((1,), low=1.0, high=1.0)
        self.action = Actions.discrete(2)
