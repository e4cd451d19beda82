"""A policy of your own: two towers for Breakout, one for the ball and one for the bricks.

    skipjack train breakout --policy examples.custom_policy:TwoTowers --train.steps 10e6

Only `encode` is new; acting, memory, heads and the value come from `skipjack.Policy`. Any
`nn.Module` with its methods works too; `skipjack.testing.PolicyContract` tells whether it does.
"""

import torch
from torch import Tensor, nn

import skipjack

SCALARS = 10  # the first numbers of Breakout's observation; flags of bricks follow


class TwoTowers(skipjack.Policy):
    """Reads the ball and the bricks apart, then adds what both found."""

    def __init__(
        self,
        observation: skipjack.Layout,
        action: skipjack.Actions,
        config: skipjack.PolicyConfig | None = None,
    ) -> None:
        super().__init__(observation, action, config)
        self.encoder = nn.ModuleDict(
            {
                "ball": nn.Linear(SCALARS, self.hidden_size),
                "bricks": nn.Linear(observation.size - SCALARS, self.hidden_size),
            }
        )

    def encode(self, observations: Tensor) -> Tensor:
        """(..., 118) -> (..., hidden_size)."""
        ball, bricks = observations[..., :SCALARS], observations[..., SCALARS:]
        return torch.relu(self.encoder["ball"](ball) + self.encoder["bricks"](bricks))
