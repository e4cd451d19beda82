"""The rollout: what a horizon of every row was, time first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from skipjack.policies.memory import State
from skipjack.rows import Batch
from skipjack.spaces import Actions, Layout
from skipjack.train import loss, returns


@dataclass(slots=True)
class Minibatch:
    """Some rows' segments. All (time, rows, ...) but `rows`, and `state` before the first step.

    Attributes:
        rows: (rows,) their places in the rollout.
        share: the part of a minibatch that this is: 1 for a whole one.
        acting: steps at which the policy decided something (alive and not waiting).
        policy_weights: shares of those in means, 1 in sum over a whole minibatch.
        value_weights: the same of all steps that are alive.
    """

    rows: Tensor

    observations: Tensor
    actions: Tensor
    mask: Tensor | None
    log_probabilities: Tensor
    values: Tensor
    advantages: Tensor
    targets: Tensor
    resets: Tensor
    acting: Tensor
    policy_weights: Tensor
    value_weights: Tensor
    state: State
    share: float = 1.0

    def pieces(self, count: int) -> Iterator[Minibatch]:
        """The same in at most `count` parts, for gradients that are added up."""
        if count == 1:
            yield self
            return
        for some in torch.arange(len(self.rows), device=self.rows.device).tensor_split(count):
            if len(some):
                yield self._part(some)

    def _part(self, some: Tensor) -> Minibatch:
        parts: dict[str, Any] = {
            name: part.index_select(1, some)
            for name in self.__slots__
            if name not in ("rows", "state", "share") and (part := getattr(self, name)) is not None
        }
        return Minibatch(
            **({"mask": None} | parts),
            rows=self.rows[some],
            state=tuple(part.index_select(0, some) for part in self.state),
            share=len(some) / len(self.rows),
        )


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
        self.ratios = torch.ones(shape, device=device)
        self.terminated, self.truncated, self.resets = flags(), flags(), flags()
        self.alive, self.waiting = flags(), flags()
        self.last_values = torch.zeros(rows, device=device)
        self.state: State = ()

    def begin(self, place: slice, state: State) -> None:
        """The memory of some rows before their first step; a new rollout for them."""
        if not self.state:
            self.state = tuple(part.new_zeros(self.rows, part.shape[1]) for part in state)
        for kept, part in zip(self.state, state, strict=True):
            kept[place] = part
        self.ratios[:, place] = 1

    def add_outcome(self, batch: Batch, t: int) -> None:
        """What the step taken at time `t` brought: reward and flags."""
        place = batch.rows
        self.rewards[t, place] = torch.from_numpy(batch.rewards)
        self.terminated[t, place] = torch.from_numpy(batch.terminated)
        self.truncated[t, place] = torch.from_numpy(batch.truncated)

    def finish(self, discount: float, trace: float, importance_clip: float = 0.0) -> None:
        """Advantages and value targets, once every row has its horizon and its last value.

        Args:
            discount, trace: gamma and lambda.
            importance_clip: bound of the weights that `ratios` give; 0 leaves them out.
        """

        def rows(values: Tensor) -> Any:
            return values.cpu().numpy()

        found = returns.advantages(
            rewards=rows(self.rewards),
            values=rows(self.values),
            last_values=rows(self.last_values),
            final_values=rows(self.final_values),
            terminated=rows(self.terminated),
            truncated=rows(self.truncated),
            alive=rows(self.alive),
            waiting=rows(self.waiting),
            discount=discount,
            trace=trace,
            ratios=rows(self.ratios) if importance_clip else None,
            importance_clip=importance_clip,
        )
        self.advantages.copy_(torch.from_numpy(found))
        if importance_clip:
            # Where a row waits nothing was decided: no weight.
            weights = self.ratios.clamp(max=importance_clip).masked_fill(self.waiting, 1)
            torch.add(weights * self.advantages, self.values, out=self.targets)
        else:
            torch.add(self.advantages, self.values, out=self.targets)

    def is_finite(self) -> bool:
        """Whether what the envs gave is; rows of bytes are not looked into."""
        seen = (self.observations, self.rewards)
        return all(bool(part.isfinite().all()) for part in seen if part.is_floating_point())

    def minibatches(self, count: int, generator: torch.Generator) -> Iterator[Minibatch]:
        """All rows in random order, in `count` parts of equal size (within one row)."""
        order = torch.randperm(self.rows, generator=generator).to(self.values.device)
        for chosen in order.tensor_split(count):
            yield self.select(chosen)

    def preferred(
        self, count: int, generator: torch.Generator, priority: float, correction: float
    ) -> Iterator[Minibatch]:
        """`count` minibatches drawn anew each, segments with large advantages more often.

        Prioritised replay (Schaul et al. 2016, section 3.3 and 3.4) with a segment's mean absolute
        advantage in the place of the temporal-difference error.

        Args:
            count: minibatches; each is a `count`-th of the rows.
            generator: on the CPU.
            priority: alpha; 0 draws all segments alike.
            correction: beta, how much of the bias the weights take back; 1 takes back all.
        """
        acting = self.alive & ~self.waiting
        size = (self.advantages.abs() * acting).sum(0) / acting.sum(0).clamp(min=1)
        chance = (size.cpu().double() + 1e-6) ** priority * acting.any(0).cpu()
        if not chance.any():
            chance = torch.ones_like(chance)  # nobody acted: nothing to learn, whichever is drawn
        chance /= chance.sum()
        weights = (self.rows * chance).clamp(min=1e-12) ** -correction
        weights = weights.float().to(self.values.device)
        for part in torch.arange(self.rows).tensor_split(count):
            chosen = torch.multinomial(chance, len(part), replacement=True, generator=generator)
            chosen = chosen.to(self.values.device)
            yield self.select(chosen, weights[chosen])

    def select(self, chosen: Tensor, weights: Tensor | None = None) -> Minibatch:
        """The segments of some rows.

        Args:
            chosen: (rows,) their places.
            weights: (rows,) how much each counts in means; all alike by default.
        """

        def pick(values: Tensor) -> Tensor:
            return values.index_select(1, chosen)

        alive = pick(self.alive)
        acting = alive & ~pick(self.waiting)
        return Minibatch(
            rows=chosen,
            observations=pick(self.observations),
            actions=pick(self.actions),
            mask=None if self.mask is None else pick(self.mask),
            log_probabilities=pick(self.log_probabilities),
            values=pick(self.values),
            advantages=pick(self.advantages),
            targets=pick(self.targets),
            resets=pick(self.resets),
            acting=acting,
            policy_weights=loss.shares(acting, weights),
            value_weights=loss.shares(alive, weights),
            state=tuple(part.index_select(0, chosen) for part in self.state),
        )
