"""A picture of an env as a list of primitives; every renderer draws the same one.

Coordinates are in the scene's own units, x to the right and y down, (0, 0) at the top left.
Colours are (red, green, blue) or (red, green, blue, alpha), 0..255.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
    """A picture from the scene's `sprites`, scaled to width x height at (x, y)."""

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
    """Primitives in the order of drawing, on a background of width x height.

    Attributes:
        width, height: size in units; what lies outside is not seen.
        background: colour beneath everything.
        items: what to draw, from the lowest to the highest.
        sprites: (rows, columns, 3 or 4) uint8 by name, what `Sprite` refers to. The same arrays from
            picture to picture: renderers keep what they made of them.
    """

    width: float
    height: float
    background: Colour = (12, 16, 24)
    items: list[Primitive] = field(default_factory=list)
    sprites: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    def add(self, *items: Primitive) -> Scene:
        """Draw these on top of what is there."""
        self.items.extend(items)
        return self

    def drawable(self) -> list[Primitive]:
        """The items that can be drawn: with finite numbers, and a sprite that is there."""
        return [
            item
            for item in self.items
            if all(map(math.isfinite, _numbers(item)))
            and (not isinstance(item, Sprite) or item.name in self.sprites)
        ]

    def fitted(self, x: float, y: float, width: float, height: float) -> tuple[float, float, float]:
        """Left, top and scale of this scene in the middle of a rectangle, as large as fits."""
        scale = min(width / max(self.width, 1e-9), height / max(self.height, 1e-9))
        left = x + (width - scale * self.width) / 2
        return left, y + (height - scale * self.height) / 2, scale

    def place(self, scene: Scene, x: float, y: float, width: float, height: float) -> Scene:
        """Draw another scene into the middle of a rectangle, as large as fits with its proportions.

        What lies outside of the other scene's own background is drawn too: cover it afterwards.
        """
        left, top, scale = scene.fitted(x, y, width, height)
        self.add(
            Rectangle(left, top, scale * scene.width, scale * scene.height, scene.background),
            *(_moved(item, left, top, scale) for item in scene.items),
        )
        self.sprites = {**self.sprites, **scene.sprites}
        return self


_MEASURES = {
    kind: tuple(name for name, hint in kind.__annotations__.items() if hint == "float")
    for kind in (Rectangle, Circle, Line, Text, Sprite, Image)
}
"""Names of each primitive's numbers."""


def _numbers(item: Primitive) -> list[float]:
    return [getattr(item, name) for name in _MEASURES[type(item)]]


def _moved(item: Any, left: float, top: float, scale: float) -> Any:
    """A primitive, scaled and then moved by (left, top)."""
    moved: dict[str, float] = {"x": left + scale * item.x, "y": top + scale * item.y}
    if isinstance(item, Line):
        moved |= {"x2": left + scale * item.x2, "y2": top + scale * item.y2}
    lengths = ("width", "height", "radius", "size")
    moved |= {name: scale * getattr(item, name) for name in lengths if hasattr(item, name)}
    return replace(item, **moved)
