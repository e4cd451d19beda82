"""The rollout: what a horizon of every row was, time first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from skipjack.policies.memory import State
from skipjack.rows import Batch
from skipjack.spaces import Actions, Layout
from skipjack.train import returns


@dataclass(slots=True)
class Minibatch:
    """Some rows' segments. All (time, rows, ...) but `state`, which stands before the first step.

    Attributes:
        policy_weights: 1 for steps that the policy loss counts (alive and not waiting).
        value_weights: 1 for steps that the value loss counts (alive).
    """

    observations: Tensor
    actions: Tensor
    mask: Tensor | None
    log_probabilities: Tensor
    values: Tensor
    advantages: Tensor
    targets: Tensor
    resets: Tensor
    policy_weights: Tensor
    value_weights: Tensor
    state: State


class Rollout:
    """Buffers of horizon x rows, filled group by group, then dealt out in minibatches.

    Args:
        horizon: steps a row.
        rows: rows that are learned from.
        observation, action: their layouts.
        device: where the buffers lie.
    """

    def __init__(
        self, horizon: int, rows: int, observation: Layout, action: Actions, device: torch.device
    ) -> None:
        self.horizon, self.rows = horizon, rows
        shape = (horizon, rows)

        def floats() -> Tensor:
            return torch.zeros(shape, device=device)

        def flags() -> Tensor:
            return torch.zeros(shape, dtype=torch.bool, device=device)

        kind = getattr(torch, observation.dtype.name)
        self.observations = torch.zeros((*shape, *observation.shape), dtype=kind, device=device)
        kind = getattr(torch, action.dtype.name)
        self.actions = torch.zeros((*shape, action.width), dtype=kind, device=device)
        self.mask = None
        if action.masked:
            self.mask = torch.zeros((*shape, action.choices), dtype=torch.uint8, device=device)
        self.log_probabilities, self.values, self.rewards = floats(), floats(), floats()
        self.final_values, self.advantages, self.targets = floats(), floats(), floats()
        self.terminated, self.truncated, self.resets = flags(), flags(), flags()
        self.alive, self.waiting = flags(), flags()
        self.last_values = torch.zeros(rows, device=device)
        self.state: State = ()

    def begin(self, place: slice, state: State) -> None:
        """The memory of some rows before their first step."""
        if not self.state:
            self.state = tuple(part.new_zeros(self.rows, part.shape[1]) for part in state)
        for kept, part in zip(self.state, state, strict=True):
            kept[place] = part

    def add_outcome(self, batch: Batch, t: int, reward_scale: float) -> None:
        """What the step taken at time `t` brought: reward and flags."""
        place = batch.rows
        self.rewards[t, place] = torch.from_numpy(batch.rewards * np.float32(reward_scale))
        self.terminated[t, place] = torch.from_numpy(batch.terminated)
        self.truncated[t, place] = torch.from_numpy(batch.truncated)

    def finish(self, discount: float, trace: float) -> None:
        """Advantages and value targets, once every row has its horizon and its last value."""
        found = returns.advantages(
            rewards=self.rewards.cpu().numpy(),
            values=self.values.cpu().numpy(),
            last_values=self.last_values.cpu().numpy(),
            final_values=self.final_values.cpu().numpy(),
            terminated=self.terminated.cpu().numpy(),
            truncated=self.truncated.cpu().numpy(),
            alive=self.alive.cpu().numpy(),
            waiting=self.waiting.cpu().numpy(),
            discount=discount,
            trace=trace,
        )
        self.advantages.copy_(torch.from_numpy(found))
        torch.add(self.advantages, self.values, out=self.targets)

    def minibatches(self, count: int, generator: torch.Generator) -> Iterator[Minibatch]:
        """All rows in random order, in `count` parts of equal size (within one row)."""
        order = torch.randperm(self.rows, generator=generator).to(self.values.device)
        for chosen in order.tensor_split(count):
            yield self.select(chosen)

    def select(self, chosen: Tensor) -> Minibatch:
        """The segments of some rows."""

        def pick(values: Tensor) -> Tensor:
            return values.index_select(1, chosen)

        alive = pick(self.alive)
        return Minibatch(
            observations=pick(self.observations),
            actions=pick(self.actions),
            mask=None if self.mask is None else pick(self.mask),
            log_probabilities=pick(self.log_probabilities),
            values=pick(self.values),
            advantages=pick(self.advantages),
            targets=pick(self.targets),
            resets=pick(self.resets),
            policy_weights=(alive & ~pick(self.waiting)).float(),
            value_weights=alive.float(),
            state=tuple(part.index_select(0, chosen) for part in self.state),
        )
