"""Heads: distributions over actions, sampled by inverse transform from given uniform noise.

Noise comes from outside, one uniform number a component, so that it depends on (seed, group,
step) and not on who drew before. Everything in float32, whatever the network's precision.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from skipjack.spaces import Actions

MASKED = -1e9  # logit of a choice that is not legal: probability zero, gradient zero


class DiscreteHead(nn.Module):
    """One or several categorical components, with masks of legal choices."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.counts = list(actions.counts)
        self.parameters_size = sum(self.counts)
        self.components = len(self.counts)

    def sample(
        self, parameters: Tensor, noise: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Actions (rows, components) int32 and their log-probability (rows,).

        Args:
            parameters: logits (rows, choices).
            noise: uniform in [0, 1), (rows, components).
            mask: legal choices (rows, choices), nonzero where legal.
        """
        actions = []
        total = parameters.new_zeros(len(parameters), dtype=torch.float32)
        for index, logp in enumerate(self._log_probabilities(parameters, mask)):
            edges = logp.exp().cumsum(-1)
            # The last edge may round below 1: scaling the noise by it keeps the choice legal.
            point = noise[:, index : index + 1] * edges[:, -1:]
            choice = (edges <= point).sum(-1, keepdim=True).clamp_(max=logp.shape[-1] - 1)
            actions.append(choice)
            total = total + logp.gather(-1, choice)[:, 0]
        return torch.cat(actions, -1).int(), total

    def best(self, parameters: Tensor, mask: Tensor | None = None) -> Tensor:
        """The most probable action (rows, components) int32."""
        parts = self._log_probabilities(parameters, mask)
        return torch.stack([part.argmax(-1) for part in parts], -1).int()

    def evaluate(
        self, parameters: Tensor, actions: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Log-probability (...) of `actions`, and the entropy (..., components)."""
        entropies = []
        total = parameters.new_zeros(parameters.shape[:-1], dtype=torch.float32)
        for index, logp in enumerate(self._log_probabilities(parameters, mask)):
            choice = actions[..., index : index + 1].long()
            total = total + logp.gather(-1, choice)[..., 0]
            entropies.append(-(logp.exp() * logp).sum(-1))
        return total, torch.stack(entropies, -1)

    def to_env(self, actions: Tensor) -> Tensor:
        """Actions as the engine takes them: these."""
        return actions

    def _log_probabilities(self, parameters: Tensor, mask: Tensor | None) -> list[Tensor]:
        logits = parameters.float()
        if mask is not None:
            logits = logits.masked_fill(mask == 0, MASKED)
        if self.components == 1:
            return [logits.log_softmax(-1)]
        return [part.log_softmax(-1) for part in logits.split(self.counts, -1)]


class ContinuousHead(nn.Module):
    """A normal distribution a component, its deviation learned but the same in every state.

    Policies work in [-1, 1]; `to_env` clips and scales to the env's bounds. The log-probability is
    that of the unclipped action.
    """

    low: Tensor
    high: Tensor

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.parameters_size = self.components = len(actions.low)
        self.log_deviation = nn.Parameter(torch.zeros(self.components))
        self.register_buffer("low", torch.tensor(actions.low), persistent=False)
        self.register_buffer("high", torch.tensor(actions.high), persistent=False)

    def sample(
        self, parameters: Tensor, noise: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Actions (rows, components) float32 and their log-probability (rows,).

        Args:
            parameters: means (rows, components).
            noise: uniform in [0, 1), (rows, components).
            mask: not for this head.
        """
        # float32 noise has 24 bits: half a step away from 0 and 1 keeps the quantile finite.
        normal = math.sqrt(2) * torch.erfinv(2 * noise.clamp(2**-25, 1 - 2**-24) - 1)
        actions = parameters.float() + self.log_deviation.exp() * normal
        return actions, self.evaluate(parameters, actions)[0]

    def best(self, parameters: Tensor, mask: Tensor | None = None) -> Tensor:
        """The mean (rows, components)."""
        return parameters.float()

    def evaluate(
        self, parameters: Tensor, actions: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Log-probability (...) of `actions`, and the entropy (..., components)."""
        scaled = (actions - parameters.float()) / self.log_deviation.exp()
        constant = 0.5 * math.log(2 * math.pi)
        logp = (-0.5 * scaled**2 - self.log_deviation - constant).sum(-1)
        entropy = (self.log_deviation + 0.5 + constant).expand_as(actions)
        return logp, entropy

    def to_env(self, actions: Tensor) -> Tensor:
        """Actions clipped to [-1, 1] and scaled to the env's bounds."""
        return self.low + (actions.clamp(-1, 1) + 1) * 0.5 * (self.high - self.low)


Head = DiscreteHead | ContinuousHead


def make_head(actions: Actions) -> Head:
    """The head for an action space."""
    return DiscreteHead(actions) if actions.is_discrete else ContinuousHead(actions)
