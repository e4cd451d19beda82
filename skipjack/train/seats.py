"""Which rows the trainer learns from, and who plays the others."""

from __future__ import annotations

from typing import Any, Protocol

import numpy.typing as npt

from skipjack.rows import Batch


class Seats(Protocol):
    """Asked by the trainer twice a step; whoever brings opponents fulfils it.

    Attributes:
        rows: number of rows that are learned from, over all groups.
    """

    rows: int

    def narrow(self, batch: Batch) -> Batch:
        """The learner's part of a batch; its `rows` count the learner's rows alone."""
        ...

    def complete(self, batch: Batch, actions: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Actions for all rows of the whole `batch`, given the learner's."""
        ...


class EverySeat:
    """The trainer plays and learns from every row."""

    def __init__(self, rows: int) -> None:
        self.rows = rows

    def narrow(self, batch: Batch) -> Batch:
        """The batch itself."""
        return batch

    def complete(self, batch: Batch, actions: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The actions themselves."""
        return actions
