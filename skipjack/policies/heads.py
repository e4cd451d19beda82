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
    """One or several categorical components, with masks of legal choices.

    All components are worked on at once, side by side in a table of (components, most choices).
    A component without a legal choice is not asked: its action is 0, and it has neither
    probability nor entropy.
    """

    place: Tensor
    absent: Tensor

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        counts = torch.tensor(actions.counts)
        self.components, self.most = len(counts), int(counts.max())
        self.parameters_size = int(counts.sum())
        self.even = bool((counts == counts[0]).all())
        # Where the table's places stand among the parameters, and which of them are padding.
        choice = torch.arange(self.most)
        start = (counts.cumsum(0) - counts)[:, None]
        absent = choice >= counts[:, None]
        self.register_buffer("place", (start + choice) * ~absent, persistent=False)
        self.register_buffer("absent", absent, persistent=False)

    def sample(
        self, parameters: Tensor, noise: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Actions (rows, components) int32 and their log-probability (rows,).

        Args:
            parameters: logits (rows, choices).
            noise: uniform in [0, 1), (rows, components).
            mask: legal choices (rows, choices), nonzero where legal.
        """
        logp, asked = self._log_probabilities(parameters, mask)
        edges = logp.exp().cumsum(-1)
        # The last edge is 1 but for rounding. Noise two steps below 1 stays below it when scaled,
        # so that a choice with no probability behind it is never taken.
        point = noise.clamp(max=1 - 2**-23)[..., None] * edges[..., -1:]
        choice = (edges <= point).sum(-1, keepdim=True) * asked[..., None]
        taken = logp.gather(-1, choice)[..., 0]
        return choice[..., 0].int(), (taken * asked).sum(-1)

    def gumbel(self, size: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Noise for `draw`: (*size, components, most choices) of the standard Gumbel distribution."""
        shape = (*size, self.components, self.most)
        drawn = torch.empty(shape, device=generator.device).exponential_(generator=generator)
        return drawn.log_().neg_()

    def draw(self, parameters: Tensor, gumbel: Tensor, mask: Tensor | None = None) -> Tensor:
        """Actions (rows, components), as probable as those of `sample`, for who does not learn from them.

        PERF: the largest of logits plus Gumbel noise (Gumbel 1954) takes two calls where `sample` takes ten.

        Args:
            parameters, mask: as in `sample`.
            gumbel: (rows, components, most choices) of `gumbel`.
        """
        logits, asked = self._logits(parameters, mask)
        choice = (logits + gumbel).argmax(-1)
        return choice if asked is None else choice * asked

    def best(self, parameters: Tensor, mask: Tensor | None = None) -> Tensor:
        """The most probable action (rows, components) int32."""
        logp, asked = self._log_probabilities(parameters, mask)
        return (logp.argmax(-1) * asked).int()

    def probabilities(self, parameters: Tensor, mask: Tensor | None = None) -> Tensor:
        """Of each choice, (..., components, most choices); 0 where there is none or it is not asked."""
        logp, asked = self._log_probabilities(parameters, mask)
        return logp.exp() * asked[..., None]

    def evaluate(
        self, parameters: Tensor, actions: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Log-probability (...) of `actions`, and the entropy (..., components)."""
        logp, asked = self._log_probabilities(parameters, mask)
        taken = logp.gather(-1, actions.long()[..., None])[..., 0]
        entropy = -(logp.exp() * logp).sum(-1)
        return (taken * asked).sum(-1), entropy * asked

    def to_env(self, actions: Tensor) -> Tensor:
        """Actions as the engine takes them: these."""
        return actions

    def _log_probabilities(self, parameters: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """(..., components, most), and whether each component is asked, (..., components) or 1s."""
        logits, asked = self._logits(parameters, mask)
        if asked is None:
            asked = logits.new_ones(self.components, dtype=torch.int)
        return logits.log_softmax(-1), asked

    def _logits(self, parameters: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """(..., components, most), and whether each component is asked, (..., components); None: all."""
        logits = self._table(parameters.float())
        if mask is not None:
            legal = self._table(mask) > 0
            if not self.even:
                legal = legal & ~self.absent
            return logits.masked_fill(~legal, MASKED), legal.any(-1).int()
        return (logits if self.even else logits.masked_fill(self.absent, MASKED)), None

    def _table(self, flat: Tensor) -> Tensor:
        """(..., choices) -> (..., components, most)."""
        if self.even:
            # PERF: a view takes a third of `unflatten`, which is Python.
            return flat.view(*flat.shape[:-1], self.components, self.most)
        return flat[..., self.place]


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


class HybridHead(nn.Module):
    """Choices and real numbers in one action, independent given the observation."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.discrete, self.continuous = DiscreteHead(actions), ContinuousHead(actions)
        self.components = self.discrete.components + self.continuous.components
        self.parameters_size = self.discrete.parameters_size + self.continuous.parameters_size

    def sample(
        self, parameters: Tensor, noise: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Actions (rows, components) float32, choices first, and their log-probability (rows,).

        Args:
            parameters: logits, then means, (rows, choices + real numbers).
            noise: uniform in [0, 1), (rows, components).
            mask: legal choices (rows, choices), nonzero where legal.
        """
        logits, means = self._split(parameters, self.discrete.parameters_size)
        first, second = self._split(noise, self.discrete.components)
        choices, logp = self.discrete.sample(logits, first, mask)
        reals, density = self.continuous.sample(means, second)
        return torch.cat([choices.float(), reals], -1), logp + density

    def best(self, parameters: Tensor, mask: Tensor | None = None) -> Tensor:
        """The most probable action (rows, components) float32."""
        logits, means = self._split(parameters, self.discrete.parameters_size)
        choices = self.discrete.best(logits, mask)
        return torch.cat([choices.float(), self.continuous.best(means)], -1)

    def evaluate(
        self, parameters: Tensor, actions: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Log-probability (...) of `actions`, and the entropy (..., components)."""
        logits, means = self._split(parameters, self.discrete.parameters_size)
        choices, reals = self._split(actions, self.discrete.components)
        logp, entropy = self.discrete.evaluate(logits, choices, mask)
        density, spread = self.continuous.evaluate(means, reals)
        return logp + density, torch.cat([entropy, spread], -1)

    def to_env(self, actions: Tensor) -> Tensor:
        """Choices as they are, real numbers clipped to [-1, 1] and scaled to the env's bounds."""
        choices, reals = self._split(actions, self.discrete.components)
        return torch.cat([choices, self.continuous.to_env(reals)], -1)

    @staticmethod
    def _split(values: Tensor, at: int) -> tuple[Tensor, Tensor]:
        return values[..., :at], values[..., at:]


Head = DiscreteHead | ContinuousHead | HybridHead


def make_head(actions: Actions) -> Head:
    """The head for an action space."""
    if actions.is_discrete:
        return DiscreteHead(actions)
    return HybridHead(actions) if actions.counts else ContinuousHead(actions)
