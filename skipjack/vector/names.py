"""Names of statistics that several workers find, in the order in which one process would find them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_NONE = -1  # there is no room for this name


class Names:
    """Gives each statistic of each worker its column in the vector's records.

    Args:
        known: names that the engines know from the start.
        width: columns of a record.

    Attributes:
        all: the names so far, by column.
    """

    def __init__(self, known: Iterable[str], width: int) -> None:
        self.all = list(known)
        self.width = width
        self._columns: dict[int, list[int]] = {}  # by worker: the column of each of its own

    def forget(self, worker: int) -> None:
        """A worker starts anew, with the names that it will tell."""
        self._columns.pop(worker, None)

    def arrange(self, worker: int, names: Sequence[str], records: npt.NDArray[Any]) -> None:
        """Bring a worker's records into the vector's columns, in place.

        To be called in the order of envs: unknown names are appended record by record, each
        record's in its own order. That is the worker's order too, since within one record they
        are new to both.

        Args:
            worker: which one.
            names: its statistics so far, in its own order.
            records: its new records.
        """
        columns = self._columns.setdefault(worker, [])
        if len(columns) < len(names):
            self._extend(columns, names, records)
        if columns == list(range(len(columns))) or not len(records):
            return
        before = records["stats"].copy()
        records["stats"] = np.nan
        for own, column in enumerate(columns):
            if column != _NONE:
                records["stats"][:, column] = before[:, own]

    def _extend(self, columns: list[int], names: Sequence[str], records: npt.NDArray[Any]) -> None:
        new = range(len(columns), len(names))
        for there in ~np.isnan(records["stats"]):
            for own in new:
                if there[own]:
                    self._add(names[own])
        for own in new:  # a name whose value is no number is in no record
            self._add(names[own])
            columns.append(self.all.index(names[own]) if names[own] in self.all else _NONE)

    def _add(self, name: str) -> None:
        if name not in self.all and len(self.all) < self.width:
            self.all.append(name)
