"""Last observations of truncated rows, kept until they are all valued in one batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from skipjack.policies.memory import State


class Stash:
    """What a rollout's truncated episodes would have gone on from."""

    def __init__(self) -> None:
        self.kept: list[tuple[int, int, Tensor, Tensor, State]] = []

    def add(self, t: int, group: int, rows: Tensor, observations: Tensor, state: State) -> None:
        """Keep some rows of a group that were truncated by the step at time `t`.

        Args:
            t, group: when and of which group.
            rows: (rows,) their places in the rollout.
            observations: (rows, ...) the last ones of their episodes.
            state: the memory before it is cleared, each part (rows, ...).
        """
        self.kept.append((t, group, rows, observations, state))

    def take(self, policy: Any) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Time, rows and values (rows,) float32 of all that was kept, and start anew."""
        # Sorted: the order in which groups arrived must not show in the sums of a matrix product.
        kept, self.kept = sorted(self.kept, key=lambda part: part[:2]), []
        if not kept:
            return
        observations = torch.cat([part[3] for part in kept])
        state = tuple(map(torch.cat, zip(*(part[4] for part in kept), strict=True)))
        values = policy.value(observations, state).float()
        for part, value in zip(kept, values.split([len(part[2]) for part in kept]), strict=True):
            yield part[0], part[2], value
