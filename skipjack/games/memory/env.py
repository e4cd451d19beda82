"""Memory: settings and spaces; the rules are in `rules.pyx`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from skipjack.config import Within
from skipjack.games.memory.rules import Rules
from skipjack.spaces import Actions, Layout


@dataclass(frozen=True, slots=True)
class MemoryConfig:
    """Settings of Memory."""

    symbols: Annotated[int, Within(2, 64)] = 4
    """Different symbols, and answers."""
    delay: Annotated[int, Within(0, 10_000)] = 4
    """Empty steps between symbol and question."""
    time_limit: Annotated[int, Within(1, 1_000_000)] = 18_000
    """Steps after which an episode is truncated."""
    desynchronise: bool = True
    """Cut each env's first episode at a random share of the time limit."""


class Memory(Rules):
    """A native engine of `num_envs` episodes of Memory, one seat each."""

    Config = MemoryConfig

    def __init__(self, num_envs: int, config: MemoryConfig = MemoryConfig()) -> None:
        super().__init__(num_envs, config)
        self.config = config
        self.observation = Layout.box((config.symbols + 1,), low=0.0, high=1.0)
        self.action = Actions.discrete(config.symbols)
