"""Rewards brought to a scale that does not depend on the game's."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from skipjack.policies.normalise import Normaliser


class RewardScale(nn.Module):
    """Divides rewards by the deviation of the rows' discounted returns, as seen so far.

    The sum of an episode's rewards up to a step, discounted backwards, is a stand-in for the size
    of the values (Engstrom et al. 2020, "Implementation Matters"). Buffers are part of checkpoints.
    """

    returns: Tensor

    def __init__(self, rows: int, discount: float) -> None:
        super().__init__()
        self.discount = discount
        self.normaliser = Normaliser(1)
        self.register_buffer("returns", torch.zeros(rows))

    @torch.no_grad()
    def factor(self, rewards: Tensor, ended: Tensor) -> Tensor:
        """Take in a rollout; what to multiply its rewards with.

        Args:
            rewards: (time, rows).
            ended: (time, rows) bool, whether the row's episode ended in that step.
        """
        seen = torch.empty_like(rewards)
        for t, (reward, end) in enumerate(zip(rewards, ended, strict=True)):
            self.returns.mul_(self.discount).add_(reward)
            seen[t] = self.returns
            self.returns.mul_(~end)
        self.normaliser.adapt(seen.reshape(-1, 1))
        return (self.normaliser.variance + 1e-8).rsqrt()
