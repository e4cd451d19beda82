"""The random player: the score that stands beside every score. Without torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack import seeding
from skipjack.rows import Batch
from skipjack.spaces import Actions


class RandomActor:
    """Acts without looking: every legal choice equally probable, real numbers within their bounds.

    Args:
        action: what may be done.
        seed: of all it draws.
    """

    def __init__(self, action: Actions, seed: int) -> None:
        self.action, self.seed = action, seed
        self.begin()

    def begin(self) -> None:
        """All episodes begin anew, and so do the numbers that are drawn."""
        self.tick = 0

    def act(self, batch: Batch) -> npt.NDArray[Any]:
        """Actions (rows, width) for the batch."""
        generator = np.random.default_rng(seeding.state(self.seed, "acting", self.tick))
        self.tick += 1
        return self.action.draw(generator, len(batch.alive), batch.action_mask)

    def follow(self, batch: Batch, alive: npt.NDArray[np.bool_]) -> None:
        """Nothing: it remembers nothing."""
