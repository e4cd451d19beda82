"""Several frozen policies that act side by side, each on its own block of rows."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from skipjack.arena.stack import Stack, can_stack
from skipjack.policies.heads import DiscreteHead
from skipjack.policies.memory import State

Weights = Mapping[str, Tensor]


class Bank:
    """`count` policies of one shape.

    Args:
        policy: any of that shape, on the device to act on; copied, not changed.
        count: how many act.
    """

    def __init__(self, policy: Any, count: int) -> None:
        self.count = count
        # Weights stay where they are in memory and are only written over.
        self.policies = [copy.deepcopy(policy).eval().requires_grad_(False) for _ in range(count)]
        self.head = self.policies[0].head
        self._is_head_shared = not any(True for _ in self.head.parameters())
        self._stack = Stack(self.policies) if can_stack(policy) else None

    def load(self, bank: int, weights: Weights) -> None:
        """Give a bank other weights, in place."""
        self.policies[bank].load_state_dict(dict(weights))

    def initial_state(self, rows: int) -> State:
        """The memory of `rows` rows a bank, each part (banks x rows, size); an actor's alone."""
        if self._stack is not None:
            return self._stack.initial_state(rows)
        return self.policies[0].initial_state(self.count * rows)

    def noise(self, ticks: int, rows: int, generator: torch.Generator) -> Tensor:
        """What `act` needs for so many ticks of so many rows a bank, (ticks, banks x rows, ...)."""
        size = ticks, self.count * rows
        if type(self.head) is DiscreteHead:
            return self.head.gumbel(size, generator)
        shape = (*size, self.head.components)
        return torch.rand(shape, generator=generator, device=generator.device)

    def act(
        self, observations: Tensor, state: State, noise: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, State]:
        """Actions for the env, and the memory after it.

        Args:
            observations: (banks x rows, ...), bank after bank; so are all others.
            state: the memory before.
            noise: a tick of `noise`.
            mask: legal choices, or None.
        """
        step = self._loop if self._stack is None else self._stack.step
        parameters, after = step(observations, state)
        if self._is_head_shared:
            return self._draw(self.head, parameters, noise, mask), after
        parts = zip(self.policies, *map(self._parts, (parameters, noise)), strict=True)
        legal = [None] * self.count if mask is None else self._parts(mask)
        actions = [
            self._draw(policy.head, own, numbers, choices)
            for (policy, own, numbers), choices in zip(parts, legal, strict=True)
        ]
        return torch.cat(actions), after

    def _loop(self, observations: Tensor, state: State) -> tuple[Tensor, State]:
        """Bank after bank: a user's own network may be anything."""
        parts = [self._parts(part) for part in state]
        found = [
            policy.step(seen, tuple(part[at] for part in parts))
            for at, (policy, seen) in enumerate(
                zip(self.policies, self._parts(observations), strict=True)
            )
        ]
        after = tuple(map(torch.cat, zip(*(own for _, _, own in found), strict=True)))
        return torch.cat([parameters for parameters, _, _ in found]), after

    def _parts(self, rows: Tensor) -> tuple[Tensor, ...]:
        """Each bank's share of all rows."""
        return rows.chunk(self.count)

    @staticmethod
    def _draw(head: Any, parameters: Tensor, noise: Tensor, mask: Tensor | None) -> Tensor:
        if type(head) is DiscreteHead:
            return head.draw(parameters, noise, mask)
        actions, _ = head.sample(parameters, noise, mask)
        return head.to_env(actions)
