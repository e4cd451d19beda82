"""Rewards brought to a scale that does not depend on the game's."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from skipjack.policies.normalise import LIMIT, Normaliser
from skipjack.train.rollout import Rollout


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
    def scale(self, rollout: Rollout) -> None:
        """Take in a rollout and scale its rewards, in place."""
        acting, seen = rollout.alive & ~rollout.waiting, torch.empty_like(rollout.rewards)
        ended = rollout.terminated | rollout.truncated
        for t, reward in enumerate(rollout.rewards):
            # As in the advantages, no time passes while a row waits.
            self.returns.mul_(self.discount ** (~rollout.waiting[t]).float()).add_(reward)
            seen[t] = self.returns
            self.returns.masked_fill_(ended[t], 0)
        self.normaliser.adapt(seen[acting][:, None])
        rollout.rewards.mul_((self.normaliser.variance + 1e-8).rsqrt()).clamp_(-LIMIT, LIMIT)
