"""An observation as the agent gets it, as a scene: pictures as pictures, numbers as bars and cells."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.native.scene import Image, Rectangle, Scene, Text
from skipjack.spaces.layout import Field, Layout

WIDTH = 300.0
"""Units that a picture of an observation is wide."""

FEW = 12
"""Numbers up to which each has a bar with its value beside it."""

CODES = 16
"""A picture whose values all stay below this is taken to hold numbers of things."""

LIGHT, DIM, NOTHING = (220, 225, 235), (90, 100, 120), (12, 16, 24)
HIGH, LOW = np.array([250, 180, 80]), np.array([90, 160, 250])
PALETTE = np.array(
    [
        (52, 58, 74), (96, 176, 240), (222, 160, 70), (96, 176, 96), (214, 84, 84), (160, 120, 220),
        (80, 200, 200), (240, 220, 110), (230, 130, 190), (150, 160, 175), (120, 90, 60), (245, 245, 245),
    ],
    np.uint8,
)  # fmt: skip
"""Colours of categories, and of the planes of a stack."""


def picture(layout: Layout, row: npt.NDArray[Any]) -> Scene:
    """What the policy sees of one row, field by field.

    Args:
        layout: of the observations.
        row: (*layout.shape), one observation.
    """
    scene = Scene(WIDTH, 0)
    for field in layout.fields:
        values = layout.unpack(row)[field.name]
        if field.name:
            scene.add(Text(0, scene.height, field.name, 14, LIGHT))
            scene.height += 18
        _draw(scene, field, values)
    return scene


def _draw(scene: Scene, field: Field, values: npt.NDArray[Any]) -> None:
    """One field below what is there."""
    pixels = as_pixels(field, values)
    if field.kinds and values.ndim <= 1 and values.size <= FEW:
        for value in (values.reshape(-1) - int(field.low)).tolist():
            words = f"{int(value)} of {field.kinds}"
            scene.add(Text(0, scene.height, words, 16, LIGHT))
            scene.height += 20
        return
    if pixels is None:
        _bars(scene, field, values.reshape(-1))
        return
    height, width = pixels.shape[:2]
    tall = WIDTH * height / width
    scene.add(Image(0, scene.height, WIDTH, tall, pixels))
    scene.height += tall + 4


def as_pixels(field: Field, values: npt.NDArray[Any]) -> npt.NDArray[np.uint8] | None:
    """A field as pixels (rows, columns, 3) uint8, one for each number; None for a few numbers.

    Stacks and planes stand side by side, unless they are the colours of one picture.
    """
    if field.kinds:
        kinds = (values.astype(np.int64) - int(field.low)) % len(PALETTE)
        return _tiles(PALETTE[kinds], values.ndim)
    if values.ndim == 3 and values.dtype == np.uint8:
        if values.max(initial=0) < CODES:  # numbers of things, as Minigrid's, and no brightness
            return _tiles(PALETTE[values % len(PALETTE)], values.ndim)
        if values.shape[-1] == 3:
            return np.array(values)
        if values.shape[0] == 3 and values.shape[-1] > 4:
            return np.array(values.transpose(1, 2, 0))
    if values.dtype == np.uint8 and values.ndim >= 2 and field.high > 1:
        return _tiles(np.repeat(values[..., None], 3, -1), values.ndim)
    if values.size <= FEW:
        return None
    return _tiles(_shades(field, values), values.ndim)


def _tiles(colours: npt.NDArray[np.uint8], ndim: int) -> npt.NDArray[np.uint8]:
    """Colours (*shape, 3) of an array of `ndim` dimensions, as one picture."""
    shape = colours.shape[:-1]
    if ndim == 2:
        return np.ascontiguousarray(colours)
    if ndim <= 1:  # a row of cells, folded to be about three times as wide as it is high
        size = math.prod(shape)
        wide = min(size, math.ceil(math.sqrt(3 * size)))
        cells = np.full((math.ceil(size / wide) * wide, 3), NOTHING, np.uint8)
        cells[:size] = colours.reshape(-1, 3)
        return cells.reshape(-1, wide, 3)
    planes = colours.reshape(-1, *shape[-2:], 3)
    if ndim == 3 and shape[-1] < min(shape[:2]):  # planes last
        planes = colours.transpose(2, 0, 1, 3)
    wide = math.ceil(math.sqrt(len(planes)))
    height, width = planes.shape[1:3]
    shape = math.ceil(len(planes) / wide) * height, wide * width, 3
    sheet = np.full(shape, NOTHING, np.uint8)
    for index, plane in enumerate(planes):
        top, left = index // wide * height, index % wide * width
        sheet[top : top + height, left : left + width] = plane
    return sheet


def _shades(field: Field, values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Numbers as colours (*shape, 3): dark at 0, one colour upwards and another downwards."""
    share = _share(field, values)[..., None]
    colours = np.where(share >= 0, share * HIGH, -share * LOW)
    return np.clip(colours + PALETTE[0], 0, 255).astype(np.uint8)


def _share(field: Field, values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Numbers as shares of the largest that they can be, or are, in [-1, 1]."""
    numbers = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    most = max(abs(field.low), abs(field.high))
    if not math.isfinite(most) or most > 1e6:
        most = float(np.abs(numbers).max(initial=0.0))
    return np.clip(numbers / (most or 1.0), -1, 1)


def _bars(scene: Scene, field: Field, values: npt.NDArray[Any]) -> None:
    """A bar from the middle for each number, and the number."""
    middle, half = 110.0, 100.0
    for value, share in zip(values.tolist(), _share(field, values).tolist(), strict=True):
        y = scene.height
        left, width = (
            (middle, share * half) if share >= 0 else (middle + share * half, -share * half)
        )
        colour = tuple((HIGH if share >= 0 else LOW).tolist())
        scene.add(
            Rectangle(middle - half, y + 2, 2 * half, 12, (24, 28, 38)),
            Rectangle(left, y + 2, width, 12, colour),
            Rectangle(middle, y, 1, 16, DIM),
            Text(middle + half + 10, y, f"{value:.4g}", 14, LIGHT),
        )
        scene.height += 18
