"""Multiagent: settings and spaces; the rules are in `rules.pyx`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from skipjack.config import Within
from skipjack.games.multiagent.rules import Rules
from skipjack.spaces import Actions, Layout


@dataclass(frozen=True, slots=True)
class MultiagentConfig:
    """Settings of Multiagent."""

    time_limit: Annotated[int, Within(1, 1_000_000)] = 18_000
    """Steps after which an episode is truncated."""
    desynchronise: bool = True
    """Cut each env's first episode at a random share of the time limit."""


class Multiagent(Rules):
    """A native engine of `num_envs` pairs of seats."""

    Config = MultiagentConfig

    def __init__(self, num_envs: int, config: MultiagentConfig = MultiagentConfig()) -> None:
        super().__init__(num_envs, config)
        self.config = config
        self.observation = Layout.box((2,), low=0.0, high=1.0)
        self.action = Actions.discrete(2)
