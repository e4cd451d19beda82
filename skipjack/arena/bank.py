"""Several frozen policies that act side by side, each on its own block of rows.

Their weights lie stacked, (banks, ...) a tensor, and one call acts for all of them (`torch.func.vmap`). A
policy with layers that cannot be stacked so (torch's LSTM and GRU, or a user's own) acts bank by bank.
"""

from __future__ import annotations

import copy
import itertools
import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, vmap

from skipjack.policies.memory import State
from skipjack.spaces import Actions, Layout

Weights = Mapping[str, Tensor]


class Bank:
    """`count` policies of one shape.

    Args:
        policy: any of that shape, on the device to act on; copied, not changed.
        count: how many act.
        observation, action: what it sees and does.

    Attributes:
        stacked: whether one call acts for all.
    """

    def __init__(self, policy: Any, count: int, observation: Layout, action: Actions) -> None:
        self.count = count
        self.policy = copy.deepcopy(policy).eval().requires_grad_(False)
        self._acting = _Acting(self.policy)
        # A buffer outside the state_dict follows from the layout and is the same for all.
        own = self._acting.state_dict()
        self.weights = {name: value.repeat(count, *[1] * value.ndim) for name, value in own.items()}
        self.stacked = self._can_stack(observation, action)

    def load(self, bank: int, weights: Weights) -> None:
        """Give a bank other weights, in place."""
        for name, value in weights.items():
            self.weights[f"policy.{name}"][bank].copy_(value)

    def initial_state(self, rows: int) -> State:
        """The memory of `rows` rows a bank, each part (banks x rows, size)."""
        return self.policy.initial_state(self.count * rows)

    @torch.no_grad()
    def act(
        self, observations: Tensor, state: State, noise: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, State]:
        """Actions for the env, and the memory after it.

        Args:
            observations: (banks x rows, ...), bank after bank; so are all others.
            state: the memory before.
            noise: uniform in [0, 1), one number a component.
            mask: legal choices, or None.
        """
        if self.stacked:
            return self._all(observations, state, noise, mask)
        return self._each(observations, state, noise, mask)

    def _all(
        self, observations: Tensor, state: State, noise: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, State]:
        parts = [self._split(part) for part in (observations, *state, noise)]
        legal = None if mask is None else self._split(mask)
        seen, *memory, chance = parts
        call = vmap(self._one, in_dims=(0, 0, 0, 0, None if legal is None else 0))
        actions, after = call(self.weights, seen, tuple(memory), chance, legal)
        return actions.flatten(0, 1), tuple(part.flatten(0, 1) for part in after)

    def _each(
        self, observations: Tensor, state: State, noise: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, State]:
        found = []
        for bank in range(self.count):
            weights = {name: value[bank] for name, value in self.weights.items()}
            seen, chance, *memory = (
                self._split(part)[bank] for part in (observations, noise, *state)
            )
            legal = None if mask is None else self._split(mask)[bank]
            found.append(self._one(weights, seen, tuple(memory), chance, legal))
        after = tuple(map(torch.cat, zip(*(part for _, part in found), strict=True)))
        return torch.cat([actions for actions, _ in found]), after

    def _one(
        self, weights: Weights, observations: Tensor, state: State, noise: Tensor, mask: Any
    ) -> tuple[Tensor, State]:
        """One policy's step; everything that its head learned is among the weights."""
        return functional_call(self._acting, dict(weights), (observations, state, noise, mask))

    def _can_stack(self, observation: Layout, action: Actions) -> bool:
        """Whether one call for all acts as they do one by one: tried on zeros, with weights that differ."""
        rows, device = 2 * self.count, next(iter(self.weights.values())).device
        kind = getattr(torch, observation.dtype.name)
        mask = torch.ones(rows, action.choices, dtype=torch.uint8, device=device)
        arguments = (
            torch.zeros(rows, *observation.shape, dtype=kind, device=device),
            self.initial_state(2),
            torch.full((rows, self.policy.head.components), 0.37, device=device),
            mask if action.masked else None,
        )
        kept, self.weights = self.weights, {k: v.clone() for k, v in self.weights.items()}
        for bank, value in itertools.product(range(self.count), self.weights.values()):
            if value.is_floating_point():
                value[bank] += bank / self.count
        try:
            with torch.no_grad(), warnings.catch_warnings():
                warnings.simplefilter("error")  # of a slow loop in the place of a missing rule
                one, other = self._all(*arguments), self._each(*arguments)
            pairs = zip((one[0], *one[1]), (other[0], *other[1]), strict=True)
            return all(torch.allclose(a.float(), b.float(), atol=1e-5) for a, b in pairs)
        except Exception:  # whatever torch, or a user's own policy, has against it
            return False
        finally:
            self.weights = kept

    def _split(self, values: Tensor) -> Tensor:
        return values.unflatten(0, (self.count, -1))


class _Acting(torch.nn.Module):
    """A policy and its head as one function."""

    def __init__(self, policy: Any) -> None:
        super().__init__()
        self.policy = policy

    def forward(
        self, observations: Tensor, state: State, noise: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, State]:
        """Actions for the env, and the memory after it."""
        parameters, _, after = self.policy.step(observations, state)
        actions, _ = self.policy.head.sample(parameters, noise, mask)
        return self.policy.head.to_env(actions), after
