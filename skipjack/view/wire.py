"""Scenes as bytes for the page: JSON for what is drawn, then the pixels it refers to.

A message is the length of its JSON (four bytes, the lowest first), the JSON, and pixels. A picture's
JSON is {"size", "background", "items"}, an item its kind and numbers in the order of the scene's
primitives; a sprite's is {"sprite", "shape"}; a sound's is {"rate"}, and samples follow it. Pixels are
named by their shape and where they begin.
"""

from __future__ import annotations

import json
import math
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.native.scene import Circle, Colour, Image, Line, Rectangle, Scene, Sprite, Text

Pixels = npt.NDArray[np.uint8]


def picture(scene: Scene) -> bytes:
    """A scene without its sprites, which are sent once and named here."""
    pixels: list[Pixels] = []
    head = {
        "size": [scene.width, scene.height],
        "background": _css(scene.background),
        "items": [_item(item, pixels) for item in scene.items],
    }
    return _message(head, pixels)


def sprite(name: str, pixels: npt.NDArray[Any]) -> bytes:
    """A sprite's pixels under its name."""
    array = np.ascontiguousarray(pixels, np.uint8)
    return _message({"sprite": name, "shape": array.shape}, [array])


def sound(samples: npt.NDArray[np.uint8], rate: int) -> bytes:
    """Samples of 8 bits, 128 for silence, and how many of them make a second."""
    return _message({"rate": rate}, [np.ascontiguousarray(samples)])


def _item(item: Any, pixels: list[Pixels]) -> list[Any]:
    match item:
        case Rectangle(x, y, width, height, colour):
            return ["rectangle", x, y, width, height, _css(colour)]
        case Circle(x, y, radius, colour):
            return ["circle", x, y, radius, _css(colour)]
        case Line(x, y, x2, y2, width, colour):
            return ["line", x, y, x2, y2, width, _css(colour)]
        case Text(x, y, words, size, colour):
            return ["text", x, y, words, size, _css(colour)]
        case Sprite(x, y, width, height, name):
            return ["sprite", x, y, width, height, name]
        case Image(x, y, width, height, array):
            begins = sum(before.nbytes for before in pixels)
            pixels.append(np.ascontiguousarray(array, np.uint8))
            return ["image", x, y, width, height, array.shape, begins]
    raise TypeError(f"A scene has no {type(item).__name__}.")


@lru_cache(4096)
def _css(colour: Colour) -> str:
    return "#" + bytes(min(max(int(part), 0), 255) for part in colour).hex()


def _message(head: dict[str, Any], pixels: list[Pixels]) -> bytes:
    try:
        text = _json(head)
    except ValueError:  # JSON has no NaN; looking for them at once would cost each picture
        text = _json(_finite(head))
    return b"".join([len(text).to_bytes(4, "little"), text, *(array.data for array in pixels)])


def _json(head: Any) -> bytes:
    """Escaped to ASCII, so that half a surrogate pair passes too; `float` takes numpy's numbers."""
    return json.dumps(head, allow_nan=False, separators=(",", ":"), default=float).encode()


def _finite(value: Any) -> Any:
    """The same with null for every number that is none; the page leaves out what has one."""
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return value if isinstance(value, str) or math.isfinite(value) else None
