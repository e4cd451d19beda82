"""Truncation: settings and spaces; the rules are in `rules.pyx`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from skipjack.config import Within
from skipjack.games.truncation.rules import Rules
from skipjack.spaces import Actions, Layout


@dataclass(frozen=True, slots=True)
class TruncationConfig:
    """Settings of Truncation."""

    time_limit: Annotated[int, Within(1, 1_000_000)] = 8
    """Steps after which an episode is truncated."""
    desynchronise: bool = True
    """Cut each env's first episode at a random share of the time limit."""


class Truncation(Rules):
    """A native engine of `num_envs` episodes of Truncation, one seat each."""

    Config = TruncationConfig

    def __init__(self, num_envs: int, config: TruncationConfig = TruncationConfig()) -> None:
        super().__init__(num_envs, config)
        self.config = config
        self.observation = Layout.box((1,), low=0.0, high=1.0)
        self.action = Actions.discrete(2, names=("stay", "leave"))
