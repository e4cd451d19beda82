"""Scenes drawn by raylib into the window that is open."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.native import letters
from skipjack.native.scene import Circle, Colour, Image, Line, Rectangle, Scene, Sprite, Text

Pixels = npt.NDArray[Any]

WHITE = (255, 255, 255, 255)
DISC = 128
"""Half the side of the texture that circles are drawn with."""


class Painter:
    """Draws scenes and keeps the textures that it made for them.

    Args:
        raylib: the module. Its window is open, and stays so until this is closed.
    """

    def __init__(self, raylib: Any) -> None:
        self._raylib = raylib
        self._disc = self._smooth_disc()
        self._images: list[Any] = []  # one texture for each Image of a scene, in their order
        self._sprites: dict[str, tuple[Pixels, Any]] = {}
        # By words and font size: those of the last picture, and of the one in the making.
        self._texts: dict[tuple[str, float], Any] = {}
        self._texts_now: dict[tuple[str, float], Any] = {}
        self._left = self._top = self._scale = 0.0

    def paint(self, scene: Scene, left: float, top: float, scale: float) -> None:
        """Draw a scene with its corner at (left, top), `scale` pixels a unit."""
        self._left, self._top, self._scale = left, top, scale
        self._rectangle(Rectangle(0, 0, scene.width, scene.height, scene.background))
        images = 0
        for item in scene.drawable():
            if isinstance(item, Rectangle):
                self._rectangle(item)
            elif isinstance(item, Circle):
                self._circle(item)
            elif isinstance(item, Line):
                ends = self._place(item.x, item.y), self._place(item.x2, item.y2)
                self._raylib.DrawLineEx(*ends, max(scale * item.width, 1.0), _rgba(item.colour))
            elif isinstance(item, Text):
                self._text(item)
            elif isinstance(item, Sprite):
                sprite = self._sprite(item.name, scene.sprites[item.name])
                self._stretch(sprite, self._box(item))
            else:
                self._stretch(self._image(images, item.pixels), self._box(item))
                images += 1
        # Before they are freed, what is drawn with them must be.
        self._raylib.rlDrawRenderBatchActive()
        for key in self._texts.keys() - self._texts_now.keys():
            self._raylib.UnloadTexture(self._texts[key])
        self._texts, self._texts_now = self._texts_now, {}

    def close(self) -> None:
        """Free the textures."""
        sprites = [texture for _, texture in self._sprites.values()]
        for texture in (self._disc, *self._images, *sprites, *self._texts.values()):
            self._raylib.UnloadTexture(texture)

    def _place(self, x: float, y: float) -> tuple[float, float]:
        return self._left + self._scale * x, self._top + self._scale * y

    def _box(self, item: Rectangle | Sprite | Image) -> tuple[int, int, int, int]:
        """Whole pixels, so that neighbours touch, and at least one: what is thin does not vanish."""
        left, top = map(round, self._place(item.x, item.y))
        right, bottom = map(round, self._place(item.x + item.width, item.y + item.height))
        return left, top, max(right - left, 1), max(bottom - top, 1)

    def _rectangle(self, item: Rectangle) -> None:
        self._raylib.DrawRectangleRec(self._box(item), _rgba(item.colour))

    def _circle(self, item: Circle) -> None:
        x, y = self._place(item.x, item.y)
        half = self._scale * item.radius * DISC / (DISC - 1)
        self._stretch(self._disc, (x - half, y - half, 2 * half, 2 * half), _rgba(item.colour))

    def _text(self, item: Text) -> None:
        """Letters start at whole pixels and are not scaled: both would blur them."""
        key = item.words, round(self._scale * item.size, 1)
        texture = self._texts.get(key) or self._texts_now.get(key)
        if texture is None:
            alpha = letters.mask(*key)
            if alpha is None:
                return
            texture = self._texture(np.stack([np.full_like(alpha, 255), alpha], -1))
        self._texts_now[key] = texture
        left, top = map(round, self._place(item.x, item.y))
        box = left, top, texture.width, texture.height
        self._stretch(texture, box, _rgba(item.colour))

    def _stretch(
        self, texture: Any, box: tuple[float, ...], colour: tuple[int, ...] = WHITE
    ) -> None:
        whole = (0, 0, texture.width, texture.height)
        self._raylib.DrawTexturePro(texture, whole, box, (0, 0), 0, colour)

    def _image(self, index: int, pixels: Pixels) -> Any:
        """The texture of a scene's image; the same as in the last picture while its size is."""
        pixels = np.ascontiguousarray(pixels, np.uint8)
        if index == len(self._images):
            self._images.append(self._texture(pixels))
        texture = self._images[index]
        if (texture.height, texture.width) == pixels.shape[:2]:
            self._raylib.UpdateTexture(texture, self._raylib.ffi.from_buffer(pixels))
        else:
            self._raylib.UnloadTexture(texture)
            self._images[index] = self._texture(pixels)
        return self._images[index]

    def _sprite(self, name: str, pixels: Pixels) -> Any:
        """The texture of a sprite; the same as long as its array is."""
        known, texture = self._sprites.get(name, (None, None))
        if known is not pixels:
            if texture is not None:
                self._raylib.UnloadTexture(texture)
            texture = self._texture(np.ascontiguousarray(pixels, np.uint8))
            self._sprites[name] = (pixels, texture)
        return texture

    def _texture(self, pixels: Pixels) -> Any:
        """Pixels on the graphics card: sharp squares where they are enlarged, smooth where not."""
        raylib = self._raylib
        rows, columns, channels = pixels.shape
        layout = {
            2: raylib.PIXELFORMAT_UNCOMPRESSED_GRAY_ALPHA,
            3: raylib.PIXELFORMAT_UNCOMPRESSED_R8G8B8,
            4: raylib.PIXELFORMAT_UNCOMPRESSED_R8G8B8A8,
        }[channels]
        image = (raylib.ffi.from_buffer(pixels), columns, rows, 1, layout)
        texture = raylib.LoadTextureFromImage(image)
        raylib.SetTextureFilter(texture, raylib.TEXTURE_FILTER_BILINEAR)
        raylib.rlTextureParameters(
            texture.id, raylib.RL_TEXTURE_MAG_FILTER, raylib.RL_TEXTURE_FILTER_NEAREST
        )
        return texture

    def _smooth_disc(self) -> Any:
        """A white disc with a soft edge, and smaller ones of it: circles without stairs."""
        raylib = self._raylib
        aside = np.arange(2 * DISC) + 0.5 - DISC
        pixels = np.full((2 * DISC, 2 * DISC, 4), 255, np.uint8)
        inside = np.clip(DISC - 0.5 - np.hypot(aside, aside[:, None]), 0, 1)
        pixels[..., 3] = np.round(255 * inside)
        texture = raylib.ffi.new("Texture2D *", self._texture(pixels))
        raylib.GenTextureMipmaps(texture)
        raylib.SetTextureFilter(texture[0], raylib.TEXTURE_FILTER_TRILINEAR)
        return texture[0]


def _rgba(colour: Colour) -> Colour:
    return colour if len(colour) == 4 else (*colour, 255)
