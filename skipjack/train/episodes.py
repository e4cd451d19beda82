"""Means over all whole episodes of an update: never a sample, never the last point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

BASE = ("score", "return", "length", "outcome")


class Episodes:
    """Sums up episode records.

    Args:
        statistics: gives the names of the records' `stats`, which may become more; records may be
            wider than there are names. NaN where an episode lacks one: its mean is of the others.
    """

    def __init__(self, statistics: Callable[[], Sequence[str]]) -> None:
        self.statistics = statistics
        self.count = 0
        self.known: npt.NDArray[Any] = np.zeros(1, np.int64)  # as wide as the records are
        self.sums: npt.NDArray[Any] = np.zeros(1)

    def add(self, records: npt.NDArray[Any]) -> None:
        """Take in records; partial ones do not count."""
        if len(records) == 0:
            return
        whole = records[~records["partial"]]
        if len(whole) == 0:
            return
        columns = [whole[name].astype(np.float64)[:, None] for name in BASE]
        table = np.concatenate([*columns, whole["stats"].astype(np.float64)], axis=1)
        known = ~np.isnan(table)  # outcome is NaN where a game has no winner
        self.count += len(whole)
        self.known = self.known + known.sum(axis=0)
        self.sums = self.sums + np.where(known, table, 0.0).sum(axis=0)

    def take(self) -> tuple[int, dict[str, float]]:
        """The number of whole episodes and their means by name, and start anew."""
        names = (*BASE, *self.statistics())
        means = {
            # An env that tells success alone has none where it says nothing.
            name: float(total / (self.count if name == "score" else known))
            for name, total, known in zip(names, self.sums, self.known, strict=False)
            if known
        }
        count, self.count = self.count, 0
        self.known, self.sums = np.zeros_like(self.known), np.zeros_like(self.sums)
        return count, means
