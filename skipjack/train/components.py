"""The entropy of each component of an action, over the steps at which it had a choice."""

from __future__ import annotations

import torch
from torch import Tensor

from skipjack.spaces import Actions
from skipjack.train import loss
from skipjack.train.rollout import Minibatch


class Components:
    """Reports `entropy/<label>` where an action has several components, or masks.

    Args:
        action: the actions.
    """

    def __init__(self, action: Actions) -> None:
        self.action = action
        self.labels = action.labels if action.width > 1 or action.masked else ()

    def entropies(self, entropies: Tensor, piece: Minibatch) -> dict[str, Tensor]:
        """Sums over a piece by name: of entropies, and of the shares of steps that they are over.

        Args:
            entropies: (time, rows, components).
            piece: where they were found.
        """
        found = {}
        open_ = self._open(piece)
        for at, label in enumerate(self.labels):
            weights = (
                piece.policy_weights if open_ is None else piece.policy_weights * open_[..., at]
            )
            found[f"entropy/{label}"] = loss.mean(entropies[..., at], weights)
            found[f"asked/{label}"] = weights.sum()
        return found

    def finish(self, losses: dict[str, float]) -> dict[str, float]:
        """Sums turned into means; a component that never had a choice has none."""
        for label in self.labels:
            total, share = losses.pop(f"entropy/{label}"), losses.pop(f"asked/{label}")
            if share > 0:
                losses[f"entropy/{label}"] = total / share
        return losses

    def _open(self, piece: Minibatch) -> Tensor | None:
        """(time, rows, components) 1 where a component has two legal choices or more; None: always."""
        if piece.mask is None:
            return None
        parts = piece.mask.bool().split(list(self.action.counts), -1)
        choices = torch.stack([part.sum(-1) > 1 for part in parts], -1)
        reals = choices.new_ones(*choices.shape[:-1], len(self.action.low))
        return torch.cat([choices, reals], -1)
