"""What an agent may do: discrete choices (one or several), or a vector of real numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from skipjack.errors import must


@dataclass(frozen=True, slots=True)
class Actions:
    """The action part of a row.

    Attributes:
        counts: number of choices of each discrete component; empty if there is none.
        low, high: bounds of each continuous component; empty if there is none.
        masked: whether the engine writes `Rows.action_mask`.
        names: a word for each choice of the first component, for people who play; may be empty.
    """

    counts: tuple[int, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    masked: bool = False
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.counts) == bool(self.low):
            raise must(
                "actions must be either discrete or continuous", counts=self.counts, low=self.low
            )
        if len(self.low) != len(self.high) or any(map(math.isinf, (*self.low, *self.high))):
            raise must("continuous actions must have finite bounds", low=self.low, high=self.high)
        if self.masked and not self.counts:
            raise must("only discrete actions can be masked", low=self.low)

    @classmethod
    def discrete(cls, *counts: int, masked: bool = False, names: tuple[str, ...] = ()) -> Actions:
        """One component of `counts[0]` choices, or several."""
        return cls(counts=counts, masked=masked, names=names)

    @classmethod
    def continuous(cls, size: int, low: float = -1.0, high: float = 1.0) -> Actions:
        """`size` real numbers in [low, high]; engines clip what lies outside."""
        return cls(low=(low,) * size, high=(high,) * size)

    @property
    def is_discrete(self) -> bool:
        """Whether the components are choices."""
        return bool(self.counts)

    @property
    def width(self) -> int:
        """Components of one action, the second dimension of `Rows.actions`."""
        return len(self.counts) or len(self.low)

    @property
    def choices(self) -> int:
        """Width of the mask: all components' choices side by side."""
        return sum(self.counts)

    @property
    def dtype(self) -> np.dtype[Any]:
        """int32 for choices, float32 for real numbers."""
        return np.dtype(np.int32 if self.counts else np.float32)
