"""What an agent may do: discrete choices, real numbers, or both in one action."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.errors import must


@dataclass(frozen=True, slots=True)
class Actions:
    """The action part of a row: its choices first, then its real numbers.

    Attributes:
        counts: number of choices of each discrete component; empty if there is none.
        low, high: bounds of each continuous component; empty if there is none.
        masked: whether the engine writes `Rows.action_mask`. A row that may act can have components
            without any legal choice: these are not asked, whatever they hold.
        names: a word for each choice of the first component, or of all components one after the other, for
            people who play; "-" is one that needs no key. May be empty.
        labels: a name for each component, for metrics; by default its index.
    """

    counts: tuple[int, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    masked: bool = False
    names: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.width or any(count < 1 for count in self.counts):
            raise must(
                "actions must have a component, and each discrete one a choice",
                counts=self.counts,
                low=self.low,
            )
        if len(self.low) != len(self.high) or any(map(math.isinf, (*self.low, *self.high))):
            raise must("continuous actions must have finite bounds", low=self.low, high=self.high)
        if self.masked and not self.counts:
            raise must("only discrete actions can be masked", low=self.low)
        if not self.labels:
            object.__setattr__(self, "labels", tuple(map(str, range(self.width))))
        if len(set(self.labels)) != self.width:
            raise must("each component must have a label of its own", labels=self.labels)

    @classmethod
    def discrete(cls, *counts: int, masked: bool = False, names: tuple[str, ...] = ()) -> Actions:
        """One component of `counts[0]` choices, or several."""
        return cls(counts=counts, masked=masked, names=names)

    @classmethod
    def binary(cls, size: int, masked: bool = False) -> Actions:
        """`size` switches, each 0 or 1; a mask holds two places a switch."""
        return cls(counts=(2,) * size, masked=masked)

    @classmethod
    def continuous(cls, size: int, low: float = -1.0, high: float = 1.0) -> Actions:
        """`size` real numbers in [low, high]; engines clip what lies outside."""
        return cls(low=(low,) * size, high=(high,) * size)

    @classmethod
    def named(cls, parts: Mapping[str, int | tuple[float, float]], masked: bool = False) -> Actions:
        """Components by name: a number of choices, or the bounds of a real number.

        Choices come before real numbers in a row, each in the order given.
        """
        reals = {name: part for name, part in parts.items() if isinstance(part, tuple)}
        choices = {name: int(part) for name, part in parts.items() if not isinstance(part, tuple)}
        return cls(
            counts=tuple(choices.values()),
            low=tuple(low for low, _ in reals.values()),
            high=tuple(high for _, high in reals.values()),
            masked=masked,
            labels=(*choices, *reals),
        )

    @property
    def is_discrete(self) -> bool:
        """Whether all components are choices."""
        return not self.low

    @property
    def width(self) -> int:
        """Components of one action, the second dimension of `Rows.actions`."""
        return len(self.counts) + len(self.low)

    @property
    def choices(self) -> int:
        """Width of the mask: all components' choices side by side."""
        return sum(self.counts)

    @property
    def dtype(self) -> np.dtype[Any]:
        """int32 for choices alone; float32 where a component is real (choices as whole numbers)."""
        return np.dtype(np.int32 if self.is_discrete else np.float32)

    def draw(
        self,
        generator: np.random.Generator,
        rows: int,
        mask: npt.NDArray[np.uint8] | None = None,
    ) -> npt.NDArray[Any]:
        """Uniform actions (rows, width).

        Args:
            generator: where they come from.
            rows: how many.
            mask: (rows, choices), nonzero where legal; a component without a legal choice is 0.
        """
        choices = generator.integers(0, self.counts or 1, (rows, len(self.counts)))
        reals = generator.uniform(self.low or 0, self.high or 0, (rows, len(self.low)))
        if mask is not None:
            at = 0
            for component, count in enumerate(self.counts):
                legal = mask[:, at : at + count] > 0
                rank = generator.integers(0, np.maximum(legal.sum(1), 1))
                # The first place with more than `rank` legal ones up to it is the rank-th, from 0.
                found = (legal.cumsum(1) <= rank[:, None]).sum(1)
                choices[:, component] = np.where(legal.any(1), found, 0)
                at += count
        return np.concatenate([choices.astype(self.dtype), reals.astype(self.dtype)], axis=1)
