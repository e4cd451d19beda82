"""What happened so far to the row that is looked at: rewards, return, episodes."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np

from skipjack.rows import Batch

STRIP = 150
"""Rewards in the strip."""


class Tally:
    """Running sums of every row, and the whole episodes.

    Args:
        rows: rows of the batches.

    Attributes:
        returns, steps: (rows,) of the episodes under way.
        episodes: records of whole episodes, in their order.
        strips: by row, its newest rewards.
    """

    def __init__(self, rows: int) -> None:
        self.returns = np.zeros(rows)
        self.steps = np.zeros(rows, np.int64)
        self.episodes: list[Any] = []
        self.strips = [deque([0.0] * STRIP, maxlen=STRIP) for _ in range(rows)]

    def begin(self) -> None:
        """All episodes begin anew; those that were whole stay."""
        self.returns[:] = 0
        self.steps[:] = 0

    def take(self, batch: Batch) -> None:
        """Count a step's batch."""
        self.returns += batch.rewards
        self.steps += 1
        for strip, reward in zip(self.strips, batch.rewards.tolist(), strict=True):
            strip.append(reward)
        for record in batch.episodes:
            if not record["partial"]:
                self.episodes.append(record.copy())
        over = batch.terminated | batch.truncated
        self.returns[over] = 0
        self.steps[over] = 0

    def of(self, rows: set[int]) -> list[Any]:
        """Whole episodes of these rows."""
        return [record for record in self.episodes if int(record["row"]) in rows]


def mean(records: list[Any], name: str) -> float:
    """Mean of a number over episodes; NaN if none has one."""
    values = [float(record[name]) for record in records]
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
