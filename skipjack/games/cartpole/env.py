"""CartPole: settings and spaces; the rules are in `rules.pyx`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from skipjack.config import Within
from skipjack.games.cartpole.rules import Rules
from skipjack.spaces import Actions, Layout


@dataclass(frozen=True, slots=True)
class CartPoleConfig:
    """Settings of CartPole."""

    time_limit: Annotated[int, Within(1, 1_000_000)] = 500
    """Steps after which an episode is truncated."""
    desynchronise: bool = True
    """Cut each env's first episode at a random share of the time limit."""


class CartPole(Rules):
    """A native engine of `num_envs` carts, one seat each."""

    Config = CartPoleConfig

    def __init__(self, num_envs: int, config: CartPoleConfig = CartPoleConfig()) -> None:
        super().__init__(num_envs, config)
        self.config = config
        self.observation = Layout.box((4,))
        self.action = Actions.discrete(2, names=("left", "right"))
