"""Password: settings and spaces; the rules are in `rules.pyx`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from skipjack.config import Within
from skipjack.games.password.rules import Rules
from skipjack.spaces import Actions, Layout


@dataclass(frozen=True, slots=True)
class PasswordConfig:
    """Settings of Password."""

    password: Annotated[int, Within(0, 31)] = 0b10110
    """The five bits as one number, the first the highest."""
    time_limit: Annotated[int, Within(1, 1_000_000)] = 18_000
    """Steps after which an episode is truncated."""
    desynchronise: bool = True
    """Cut each env's first episode at a random share of the time limit."""


class Password(Rules):
    """A native engine of `num_envs` locks, one seat each."""

    Config = PasswordConfig

    def __init__(self, num_envs: int, config: PasswordConfig = PasswordConfig()) -> None:
        super().__init__(num_envs, config)
        self.config = config
        self.observation = Layout.box((5,), low=-1.0, high=1.0)
        self.action = Actions.discrete(2)
