"""Bandit: settings and spaces; the rules are in `rules.pyx`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from skipjack.config import Within
from skipjack.games.bandit.rules import Rules
from skipjack.spaces import Actions, Layout


@dataclass(frozen=True, slots=True)
class BanditConfig:
    """Settings of Bandit."""

    legal: Annotated[int, Within(1, 10)] = 10
    """Arms that an episode allows; all of them need no mask."""
    time_limit: Annotated[int, Within(1, 1_000_000)] = 18_000
    """Steps after which an episode is truncated."""
    desynchronise: bool = True
    """Cut each env's first episode at a random share of the time limit."""


class Bandit(Rules):
    """A native engine of `num_envs` pulls, one seat each."""

    Config = BanditConfig

    def __init__(self, num_envs: int, config: BanditConfig = BanditConfig()) -> None:
        super().__init__(num_envs, config)
        self.config = config
        self.observation = Layout.box((1,), low=1.0, high=1.0)
        self.action = Actions.discrete(10, masked=config.legal < 10)
