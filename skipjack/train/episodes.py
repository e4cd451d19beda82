"""Means over all whole episodes of an update: never a sample, never the last point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

BASE = ("score", "return", "length", "outcome")


class Episodes:
    """Sums up episode records.

    Args:
        statistics: names of the records' `stats`.
    """

    def __init__(self, statistics: Sequence[str]) -> None:
        self.names = (*BASE, *statistics)
        self._clear()

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
        self.known += known.sum(axis=0)
        self.sums += np.where(known, table, 0.0).sum(axis=0)

    def take(self) -> tuple[int, dict[str, float]]:
        """The number of whole episodes and their means by name, and start anew."""
        means = {
            name: total / known
            for name, total, known in zip(
                self.names, self.sums.tolist(), self.known.tolist(), strict=True
            )
            if known
        }
        count = self.count
        self._clear()
        return count, means

    def _clear(self) -> None:
        self.count = 0
        self.known = np.zeros(len(self.names), np.int64)
        self.sums = np.zeros(len(self.names))
