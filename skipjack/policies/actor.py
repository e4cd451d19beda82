"""A frozen policy that acts on batches, its memory with it: in evaluation, and while one watches."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from skipjack import seeding
from skipjack.policies.memory import clear
from skipjack.rows import Batch


class PolicyActor:
    """Acts as a policy does, row for row.

    Args:
        policy: frozen; only read.
        rows: rows of the batches.
        seed: of the acting noise.
        deterministic: the most probable action instead of a sampled one.

    Attributes:
        parameters, values: what the policy said of the last batch: its head's parameters (rows, size)
            and values (rows,).
    """

    def __init__(self, policy: Any, rows: int, seed: int, deterministic: bool = False) -> None:
        policy.eval()
        self.policy, self.rows, self.seed, self.deterministic = policy, rows, seed, deterministic
        self.device = next((part.device for part in policy.parameters()), torch.device("cpu"))
        self.parameters: Tensor | None = None
        self.values: Tensor | None = None
        self.begin()

    def begin(self) -> None:
        """All episodes begin anew: the memory is empty, and the noise begins anew."""
        self.state = self.policy.initial_state(self.rows)
        self.tick = 0

    @torch.no_grad()
    def act(self, batch: Batch) -> npt.NDArray[Any]:
        """Actions (rows, width) for the batch; its memory takes the step."""
        head = self.policy.head
        observations = torch.from_numpy(batch.observations).to(self.device)
        mask = batch.action_mask
        legal = None if mask is None else torch.from_numpy(mask).to(self.device)
        self.parameters, self.values, self.state = self.policy.step(observations, self.state)
        if self.deterministic:
            actions = head.best(self.parameters, legal)
        else:
            seed = seeding.state(self.seed, "acting", self.tick)
            generator = torch.Generator(self.device).manual_seed(seed)
            size = (len(batch.alive), head.components)
            noise = torch.rand(size, generator=generator, device=self.device)
            actions, _ = head.sample(self.parameters, noise, legal)
        self.tick += 1
        return head.to_env(actions).cpu().numpy()

    def follow(self, batch: Batch, alive: npt.NDArray[np.bool_]) -> None:
        """Clear the memory of rows whose episode ended.

        Args:
            batch: what the step led to.
            alive: (rows,) which rows were alive before it: a dead step leaves no memory.
        """
        if self.state:
            ended = batch.terminated | batch.truncated | ~alive
            self.state = clear(self.state, torch.from_numpy(ended).to(self.device))
