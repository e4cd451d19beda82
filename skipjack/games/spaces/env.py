"""Spaces: settings and spaces; the rules are in `rules.pyx`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from skipjack.config import Within
from skipjack.games.spaces.rules import Rules
from skipjack.spaces import Actions, Layout


@dataclass(frozen=True, slots=True)
class SpacesConfig:
    """Settings of Spaces."""

    time_limit: Annotated[int, Within(1, 1_000_000)] = 18_000
    """Steps after which an episode is truncated."""
    desynchronise: bool = True
    """Cut each env's first episode at a random share of the time limit."""


class Spaces(Rules):
    """A native engine of `num_envs` episodes of Spaces, one seat each."""

    Config = SpacesConfig

    def __init__(self, num_envs: int, config: SpacesConfig = SpacesConfig()) -> None:
        super().__init__(num_envs, config)
        self.config = config
        self.observation = Layout.of({"image": (5, 5), "levels": (3,)})
        self.action = Actions.named({"column": 5, "level": (-1.0, 1.0)})
