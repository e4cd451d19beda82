"""A picture of an env as a list of primitives; every renderer draws the same one.

Coordinates are in the scene's own units, x to the right and y down, (0, 0) at the top left.
Colours are (red, green, blue) or (red, green, blue, alpha), 0..255.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

Colour = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A filled rectangle with its top left corner at (x, y)."""

    x: float
    y: float
    width: float
    height: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class Circle:
    """A filled circle around (x, y)."""

    x: float
    y: float
    radius: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class Line:
    """A line from (x, y) to (x2, y2)."""

    x: float
    y: float
    x2: float
    y2: float
    width: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class Text:
    """Words whose top left corner is (x, y); `size` is the height of a line."""

    x: float
    y: float
    words: str
    size: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class Sprite:
    """A named picture of the game, scaled to width x height at (x, y)."""

    x: float
    y: float
    width: float
    height: float
    name: str


@dataclass(frozen=True, slots=True)
class Image:
    """Pixels (rows, columns, 3) uint8, scaled to width x height at (x, y)."""

    x: float
    y: float
    width: float
    height: float
    pixels: npt.NDArray[Any]


Primitive = Rectangle | Circle | Line | Text | Sprite | Image


@dataclass(slots=True)
class Scene:
    """Primitives in the order of drawing, on a background of width x height."""

    width: float
    height: float
    background: Colour = (12, 16, 24)
    items: list[Primitive] = field(default_factory=list)

    def add(self, *items: Primitive) -> Scene:
        """Draw these on top of what is there."""
        self.items.extend(items)
        return self
