"""A scene as pixels: for `rgb_array`, PNG files and videos, on machines without any screen.

It lives beside the scene and not in `view`, because Gymnasium's and PettingZoo's doors draw with it
and are below that room. Needs the extra `view`; import it where pictures are drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.errors import missing, must
from skipjack.native import letters
from skipjack.native.scene import Circle, Colour, Image, Line, Rectangle, Scene, Sprite, Text

try:
    import PIL.Image
    from PIL import ImageDraw
except ImportError:
    raise missing("Pillow", "view", what="Drawing pictures") from None

SMOOTH = 4
"""Samples along each side of a pixel on the edges of circles and lines."""

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels; right and bottom are outside."""

Points = tuple[tuple[int, int], ...]
"""Corners in samples, from a box's left top corner."""


def render(scene: Scene, width: int | None = None, height: int | None = None) -> npt.NDArray[Any]:
    """Draw a scene.

    Args:
        scene: what to draw.
        width, height: of the picture in pixels. Neither: the scene's own size, a pixel a unit. One: the
            other follows from the scene's proportions. Both: the scene in the middle, as large
            as fits, on its own background.

    Returns:
        (height, width, 3) uint8, the caller's to keep.

    Raises:
        UsageError: a size below one pixel.
    """
    size, inner = _sizes(scene, width, height)
    canvas = _Canvas(scene, inner)
    for item in scene.drawable():
        _DRAW[type(item)](canvas, item)
    picture = canvas.picture
    if size != inner:
        picture = PIL.Image.new("RGB", size, _rgb(scene.background))
        picture.paste(canvas.picture, ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2))
    return np.array(picture)


class _Canvas:
    """A picture in the making, and where a scene's units are on it."""

    def __init__(self, scene: Scene, size: tuple[int, int]) -> None:
        self.picture = PIL.Image.new("RGB", size, _rgb(scene.background))
        # In this mode a colour's alpha blends.
        self.draw = ImageDraw.Draw(self.picture, "RGBA")
        self.sprites = scene.sprites
        self.size = size
        self.across, self.down = size[0] / scene.width, size[1] / scene.height

    def rectangle(self, item: Rectangle) -> None:
        left, top, right, bottom = self.seen(self.box(item))
        if left < right and top < bottom:
            # Pillow's right and bottom are inside.
            self.draw.rectangle((left, top, right - 1, bottom - 1), item.colour)

    def circle(self, item: Circle) -> None:
        x, y = item.x * self.across, item.y * self.down
        radius = item.radius * self.across
        box = self.around((x - radius, x + radius), (y - radius, y + radius))
        corners = _samples(box, ((x - radius, y - radius), (x + radius, y + radius)))
        self.stain(box, item.colour, _disc, corners)

    def line(self, item: Line) -> None:
        # Pillow's corners are middles of samples, and inside of a polygon.
        nudge = 0.5 / SMOOTH
        x, x2 = (each * self.across - nudge for each in (item.x, item.x2))
        y, y2 = (each * self.down - nudge for each in (item.y, item.y2))
        length = math.hypot(x2 - x, y2 - y)
        if length == 0:
            return
        half = (max(item.width * self.across, 1) / 2 - nudge) / length
        right, down = half * (y - y2), half * (x2 - x)  # half the width, at a right angle
        corners = (
            (x + right, y + down),
            (x2 + right, y2 + down),
            (x2 - right, y2 - down),
            (x - right, y - down),
        )
        box = self.around(*zip(*corners, strict=True))
        self.stain(box, item.colour, _polygon, _samples(box, corners))

    def text(self, item: Text) -> None:
        found = letters.mask(item.words, item.size * self.down)
        if found is not None:
            mask = PIL.Image.fromarray(found)
            self.blend(item.colour, mask, round(item.x * self.across), round(item.y * self.down))

    def sprite(self, item: Sprite) -> None:
        self.paste(item, self.sprites[item.name], _kept)

    def image(self, item: Image) -> None:
        self.paste(item, item.pixels, _scaled)

    def paste(
        self, item: Sprite | Image, pixels: npt.NDArray[Any], scaled: Callable[..., PIL.Image.Image]
    ) -> None:
        left, top, right, bottom = self.box(item)
        picture = scaled(pixels, (right - left, bottom - top))
        self.picture.paste(picture, (left, top), picture if picture.mode == "RGBA" else None)

    def stain(self, box: Box, colour: Colour, shape: Callable[..., Any], corners: Points) -> None:
        """Colour what a shape covers of a box."""
        if box[0] < box[2] and box[1] < box[3]:
            mask = shape((box[2] - box[0], box[3] - box[1]), corners)
            self.blend(colour, mask, box[0], box[1])

    def blend(self, colour: Colour, mask: PIL.Image.Image, left: int, top: int) -> None:
        """Colour as much of each pixel as the mask and the colour's alpha say."""
        if len(colour) == 4:
            mask = mask.point([value * colour[3] // 255 for value in range(256)])
        self.picture.paste(_rgb(colour), (left, top, left + mask.width, top + mask.height), mask)

    def box(self, item: Rectangle | Sprite | Image) -> Box:
        """Its whole pixels, at least one each way: what is thin does not vanish."""
        left, top = round(item.x * self.across), round(item.y * self.down)
        right = round((item.x + item.width) * self.across)
        bottom = round((item.y + item.height) * self.down)
        return left, top, max(right, left + 1), max(bottom, top + 1)

    def around(self, xs: tuple[float, ...], ys: tuple[float, ...]) -> Box:
        """The pixels of the picture that points and what is between them touch."""
        left, top = math.floor(min(xs)), math.floor(min(ys))
        return self.seen((left, top, math.ceil(max(xs)), math.ceil(max(ys))))

    def seen(self, box: Box) -> Box:
        left, top, right, bottom = box
        return max(left, 0), max(top, 0), min(right, self.size[0]), min(bottom, self.size[1])


_DRAW: dict[type, Callable[[_Canvas, Any], None]] = {
    Rectangle: _Canvas.rectangle,
    Circle: _Canvas.circle,
    Line: _Canvas.line,
    Text: _Canvas.text,
    Sprite: _Canvas.sprite,
    Image: _Canvas.image,
}


def _sizes(
    scene: Scene, width: int | None, height: int | None
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Width and height of the picture, and of the scene on it."""
    for name, given in (("width", width), ("height", height)):
        if given is not None and given < 1:
            raise must(f"a picture's {name} must be at least 1 pixel", got=given)
    across = None if width is None else width / scene.width
    down = None if height is None else height / scene.height
    scale = min((each for each in (across, down) if each is not None), default=1.0)
    inner = max(round(scene.width * scale), 1), max(round(scene.height * scale), 1)
    return (width or inner[0], height or inner[1]), inner


def _rgb(colour: Colour) -> tuple[int, int, int]:
    return colour[0], colour[1], colour[2]


def _samples(box: Box, corners: tuple[tuple[float, float], ...]) -> Points:
    """Corners in whole samples: so few places within a pixel make masks worth keeping."""
    return tuple((round((x - box[0]) * SMOOTH), round((y - box[1]) * SMOOTH)) for x, y in corners)


@lru_cache(64)
def _disc(size: tuple[int, int], corners: Points) -> PIL.Image.Image:
    """How much of each pixel a disc between two corners covers, 0..255."""
    (left, top), (right, bottom) = corners
    mask = PIL.Image.new("L", (size[0] * SMOOTH, size[1] * SMOOTH))
    right, bottom = max(right - 1, left), max(bottom - 1, top)
    ImageDraw.Draw(mask).ellipse((left, top, right, bottom), 255)
    return mask.reduce(SMOOTH)


@lru_cache(64)
def _polygon(size: tuple[int, int], corners: Points) -> PIL.Image.Image:
    """How much of each pixel a polygon covers, 0..255."""
    mask = PIL.Image.new("L", (size[0] * SMOOTH, size[1] * SMOOTH))
    ImageDraw.Draw(mask).polygon(corners, 255)
    return mask.reduce(SMOOTH)


def _scaled(pixels: npt.NDArray[Any], size: tuple[int, int]) -> PIL.Image.Image:
    """Pixels as they are, as larger squares, or as means where many of them make one."""
    picture = PIL.Image.fromarray(pixels)
    larger = size[0] >= picture.width and size[1] >= picture.height
    method = PIL.Image.Resampling.NEAREST if larger else PIL.Image.Resampling.BOX
    return picture if picture.size == size else picture.resize(size, method)


class _Same:
    """An array as a key: by identity, and kept so that no other takes its place in memory."""

    def __init__(self, pixels: npt.NDArray[Any]) -> None:
        self.pixels = pixels

    def __hash__(self) -> int:
        return id(self.pixels)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.pixels is other.pixels


@lru_cache(512)
def _kept_by_key(key: _Same, size: tuple[int, int]) -> PIL.Image.Image:
    return _scaled(key.pixels, size)


def _kept(pixels: npt.NDArray[Any], size: tuple[int, int]) -> PIL.Image.Image:
    """As `_scaled`, for arrays that stay the same from picture to picture."""
    return _kept_by_key(_Same(pixels), size)
