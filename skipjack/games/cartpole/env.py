"""CartPole: settings and spaces; the rules are in `rules.pyx`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

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
    pace = 50.0  # steps a second: its physics has one every 0.02 s

    def __init__(self, num_envs: int, config: CartPoleConfig = CartPoleConfig()) -> None:
        super().__init__(num_envs, config)
        self.config = config
        self.observation = Layout.box((4,))
        self.action = Actions.discrete(2, names=("left", "right"))

    def scripted(self, observations: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Actions (rows, 1) of a player that pushes to where the pole is falling.

        Args:
            observations: (rows, 4).
        """
        place, speed, angle, spin = observations.T
        falls = angle + 0.4 * spin + 0.05 * place + 0.1 * speed
        return (falls > 0).astype(np.int32)[:, None]
