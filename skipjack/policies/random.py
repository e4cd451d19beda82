"""The random player: the score that stands beside every score."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from skipjack.policies.memory import State
from skipjack.spaces import Actions


class UniformHead:
    """Every legal choice equally probable, real numbers evenly within their bounds.

    A component without a legal choice is not asked: its action is 0.
    """

    def __init__(self, actions: Actions) -> None:
        self.actions, self.components = actions, actions.width

    def sample(
        self, parameters: Tensor, noise: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Actions (rows, components) as the engine takes them, and their log-probability (rows,).

        Args:
            parameters: not looked at.
            noise: uniform in [0, 1), (rows, components).
            mask: legal choices (rows, choices), nonzero where legal.
        """
        columns, logp, at = [], noise.new_zeros(len(noise)), 0
        for index, count in enumerate(self.actions.counts):
            legal = torch.ones(len(noise), count, dtype=torch.bool, device=noise.device)
            if mask is not None:
                legal = mask[:, at : at + count] > 0
            number = legal.sum(-1)
            rank = (noise[:, index] * number).long().clamp_(max=number - 1)
            # The first place with more than `rank` legal ones up to it is the rank-th, from 0.
            choice = (legal.cumsum(-1) <= rank[:, None]).sum(-1)
            columns.append(choice.to(noise.dtype))
            logp = logp - number.clamp(min=1).log()
            at += count
        for index, (low, high) in enumerate(zip(self.actions.low, self.actions.high, strict=True)):
            columns.append(low + noise[:, len(self.actions.counts) + index] * (high - low))
            logp = logp - math.log(max(high - low, 1e-30))
        drawn = torch.stack(columns, -1)
        return (drawn.int() if self.actions.is_discrete else drawn), logp

    def to_env(self, actions: Tensor) -> Tensor:
        """Actions as the engine takes them: these."""
        return actions


class RandomPolicy(nn.Module):
    """Acts without looking, as `skipjack.evaluate.evaluate` asks a policy to act."""

    def __init__(self, action: Actions) -> None:
        super().__init__()
        self.head = UniformHead(action)

    def initial_state(self, rows: int) -> State:
        """None: it remembers nothing."""
        return ()

    def step(self, observations: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """No parameters (rows, 0), values of 0 (rows,), and the state as it came."""
        rows = len(observations)
        return observations.new_zeros(rows, 0), observations.new_zeros(rows), state
