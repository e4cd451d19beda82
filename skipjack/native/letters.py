"""Words as pixels, in the font that Pillow brings along: for windows, pictures and videos alike."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.errors import missing

GLYPHS = "".join(map(chr, range(32, 127))) + "·±°…«»“”©™"
"""What the font can draw."""

PLAIN = str.maketrans("\N{EN DASH}—\N{MINUS SIGN}→←↑↓μ\N{MULTIPLICATION SIGN}", "---><^vux")
"""Letters that it cannot, and what stands for them."""

LINE_HEIGHT = 1.2
"""Height of its lines, in font sizes."""

WIDEST = 4096
"""Pixels of a text at most: more are outside of every window, and of many a card's textures."""


@lru_cache(512)
def mask(words: str, height: float) -> npt.NDArray[np.uint8] | None:
    """How much of each pixel the words cover, (rows, columns), 0..255; None if nothing is seen.

    Args:
        words: letters that the font lacks are replaced.
        height: of a line, in pixels.

    Raises:
        MissingPackage: Pillow is not installed.
    """
    words, size = plain(words), round(height / LINE_HEIGHT, 1)
    if size < 1 or not words.strip():
        return None
    letters = font(size)
    from PIL import Image, ImageDraw

    sheet = Image.new("L", (1, 1))
    _, _, right, bottom = ImageDraw.Draw(sheet).textbbox((0, 0), words, letters)
    sheet = Image.new("L", (min(int(right) + 1, WIDEST), min(int(bottom) + 1, WIDEST)))
    ImageDraw.Draw(sheet).text((0, 0), words, 255, letters)
    return np.asarray(sheet)


@lru_cache(32)
def font(size: float) -> Any:
    """The font.

    Raises:
        MissingPackage: Pillow is not installed.
    """
    try:
        from PIL import ImageFont
    except ImportError:
        raise missing("Pillow", "view", "Drawing words") from None
    return ImageFont.load_default(size)


def plain(words: str) -> str:
    """Words with the font's letters alone: the nearest ones, else "?"."""
    if words.isascii() and words.isprintable():
        return words
    near = "".join(
        letter if letter in GLYPHS else unicodedata.normalize("NFKD", letter) for letter in words
    )
    return "".join(
        letter if letter in GLYPHS or letter == "\n" else "?"
        for letter in near.translate(PLAIN)
        if not unicodedata.combining(letter)
    )
