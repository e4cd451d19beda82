"""What happened so far to every row: rewards, return, episodes."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.rows import Batch

STRIP = 150
"""Rewards in the strip."""


class Tally:
    """Running sums of every row; what is asked sixty times a second does not grow.

    Args:
        rows: rows of the batches.

    Attributes:
        returns, steps: (rows,) of the episodes under way.
        counts: (rows,) whole episodes.
        episodes: records of whole episodes, in their order.
        strips: by row, its newest rewards.
    """

    def __init__(self, rows: int) -> None:
        self.returns = np.zeros(rows)
        self.steps = np.zeros(rows, np.int64)
        self.counts = np.zeros(rows, np.int64)
        self.episodes: list[Any] = []
        self.strips = [deque([0.0] * STRIP, maxlen=STRIP) for _ in range(rows)]
        self._lasts: dict[int, Any] = {}
        self._sums = {name: np.zeros((rows, 2)) for name in ("score", "return")}  # sum, how many

    def begin(self) -> None:
        """All episodes begin anew; those that were whole stay."""
        self.returns[:] = 0
        self.steps[:] = 0

    def take(self, batch: Batch, acted: npt.NDArray[np.bool_]) -> None:
        """Count a step's batch; `acted` (rows,) is who could act before it."""
        self.returns += batch.rewards
        self.steps += acted
        for strip, reward in zip(self.strips, batch.rewards.tolist(), strict=True):
            strip.append(reward)
        for record in batch.episodes:
            if not record["partial"]:
                self._keep(record.copy())
        over = batch.terminated | batch.truncated
        self.returns[over] = 0
        self.steps[over] = 0

    def of(self, rows: set[int]) -> list[Any]:
        """Whole episodes of these rows."""
        return [record for record in self.episodes if int(record["row"]) in rows]

    def last(self, row: int) -> Any:
        """The row's newest whole episode; None if there is none."""
        return self._lasts.get(row)

    def mean(self, row: int, name: str) -> float:
        """Mean score or return of the row's whole episodes; NaN if none has one."""
        total, count = self._sums[name][row]
        return float(total / count) if count else math.nan

    def _keep(self, record: Any) -> None:
        row = int(record["row"])
        self.episodes.append(record)
        self._lasts[row] = record
        self.counts[row] += 1
        for name, sums in self._sums.items():
            value = float(record[name])
            if not math.isnan(value):
                sums[row] += value, 1
