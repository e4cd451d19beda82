"""Scenes as pixels, against kept pictures: moved by a pixel they fail, another font hinting passes.

Who changes a game's picture on purpose writes the kept ones anew, and looks at them:

    SKIPJACK_GOLDEN=write pytest tests/view/test_raster.py
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import skipjack
from skipjack.errors import SkipjackError
from skipjack.native.scene import Circle, Image, Line, Primitive, Rectangle, Scene, Sprite, Text
from skipjack.registry import GAMES

pytest.importorskip("PIL")

import PIL.Image
from PIL import ImageFilter

from skipjack.native.raster import render
from skipjack.view.video import save_png

Pixels = npt.NDArray[Any]

GOLDEN = Path(__file__).parent / "golden"
OFF = 40
"""How far a channel of a pixel may be off: two of sixteen samples on an edge of full contrast."""

WHITE = (255, 255, 255)
STEPS = {"breakout": 40, "pong": 40, "cartpole": 12, "squared": 3}


def every_primitive() -> Scene:
    arrow = np.zeros((8, 8, 4), np.uint8)
    for row in range(8):
        arrow[row, : row + 1] = (90, 220, 120, 255)
    checks = np.indices((4, 6)).sum(0) % 2
    pixels = np.stack([checks * 255, 255 - checks * 255, checks * 60], -1).astype(np.uint8)
    scene = Scene(160, 120, (30, 30, 60), sprites={"arrow": arrow, "flat": arrow[..., :3].copy()})
    return scene.add(
        Rectangle(8, 8, 40, 24, (220, 80, 80)),
        Rectangle(32, 20, 40, 24, (80, 80, 250, 128)),
        Circle(100, 24, 16.5, (250, 215, 120)),
        Circle(118, 30, 9, (255, 255, 255, 160)),
        Line(8, 56, 60, 84, 4, (120, 220, 230)),
        Line(8, 92, 60, 92, 2, (240, 240, 240)),
        Line(70, 52, 70, 96, 1, (240, 160, 240)),
        Sprite(80, 52, 24, 24, "arrow"),
        Sprite(80, 84, 8, 8, "flat"),
        Image(112, 52, 36, 24, pixels),
        Text(8, 100, "Score 42", 16, WHITE),
        Text(100, 100, "faint", 14, (255, 255, 255, 140)),
    )


def scene_of(name: str) -> Scene:
    """A game in play, always at the same place."""
    if name == "primitives":
        return every_primitive()
    vector = skipjack.make(name, 1, threads=1)
    vector.reset(3)
    for step in range(STEPS.get(name, 0)):
        vector.step(np.full_like(vector.rows.actions, step // 4 % 2 + 1 if step > 8 else 0))
    return vector.engine.scene(0)


GOLDENS = ("primitives", *STEPS)


def unlike(pixels: Pixels, golden: Pixels, scene: Scene) -> list[str]:
    """What differs from the golden picture; empty where it is the same.

    Words must have about the same ink around the same middle, however the font is smoothed; all
    else must be equal but for a little on the edges.
    """
    if pixels.shape != golden.shape:
        return [f"shapes {pixels.shape} and {golden.shape}"]
    off = np.abs(pixels.astype(int) - golden).max(2)
    found = []
    for item in scene.items:
        if isinstance(item, Text):
            left, top = max(int(item.x), 0), max(int(item.y), 0)
            place = np.s_[
                top : top + int(item.size) + 4, left : left + int(len(item.words) * item.size)
            ]
            off[place] = 0
            (ink, middle), (ink2, middle2) = (written(each[place]) for each in (pixels, golden))
            if abs(ink - ink2) > 0.15 * ink2 or np.abs(middle - middle2).max() > 0.6:
                found.append(f"{item.words!r}: {ink}, {middle} and {ink2}, {middle2}")
    if (off > OFF).any():
        found.append(f"{(off > OFF).sum()} pixels from {np.argwhere(off > OFF)[0]}")
    return found


def written(place: Pixels) -> tuple[float, Pixels]:
    """How much is written on the ground of a place, and around which point."""
    ink = np.abs(place.astype(int) - place[0, 0]).sum(2)
    where = np.indices(ink.shape).reshape(2, -1)
    return float(ink.sum()), (where * ink.ravel()).sum(1) / max(ink.sum(), 1)


def golden_of(name: str) -> Pixels:
    path = GOLDEN / f"{name}.png"
    if os.environ.get("SKIPJACK_GOLDEN") == "write":
        save_png(path, render(scene_of(name)))
    return np.array(PIL.Image.open(path))


@pytest.mark.parametrize("name", GOLDENS)
def test_pictures_are_the_kept_ones(name: str) -> None:
    scene = scene_of(name)
    assert unlike(render(scene), golden_of(name), scene) == []


def moved(item: Primitive, x: float, y: float) -> Primitive:
    place: dict[str, float] = {"x": item.x + x, "y": item.y + y}
    if isinstance(item, Line):
        place |= {"x2": item.x2 + x, "y2": item.y2 + y}
    return replace(item, **place)


@pytest.mark.parametrize("name", GOLDENS)
def test_a_primitive_that_moves_by_a_pixel_is_noticed(name: str) -> None:
    scene, golden = scene_of(name), golden_of(name)
    items = list(scene.items)
    for i, item in enumerate(items):
        scene.items = [*items[:i], moved(item, 1, 1), *items[i + 1 :]]
        drawn = render(scene)
        scene.items = items
        assert unlike(drawn, golden, scene), f"{item} may move"


@pytest.mark.parametrize("name", ["primitives", "breakout", "pong"])
def test_words_may_be_smoothed_otherwise(name: str) -> None:
    scene, golden = scene_of(name), golden_of(name)
    picture = PIL.Image.fromarray(render(scene))
    for item in scene.items:
        if isinstance(item, Text):
            width, height = int(len(item.words) * item.size), int(item.size) + 4
            box = (int(item.x), int(item.y), int(item.x) + width, int(item.y) + height)
            box = (*box[:2], min(box[2], picture.width), min(box[3], picture.height))
            picture.paste(picture.crop(box).filter(ImageFilter.GaussianBlur(0.7)), box)
    drawn = np.array(picture)
    assert not np.array_equal(drawn, golden)
    assert unlike(drawn, golden, scene) == []


@pytest.mark.parametrize("name", GAMES)
def test_every_game_draws_something(name: str) -> None:
    scene = scene_of(name)
    for pixels in (render(scene), render(scene, 320, 240)):
        assert pixels.dtype == np.uint8
        assert pixels.flags.writeable
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 1
    assert render(scene).shape == (round(scene.height), round(scene.width), 3)


def test_sizes_keep_the_proportions_on_the_background() -> None:
    scene = Scene(40, 20, (1, 2, 3)).add(Rectangle(-100, -100, 300, 300, WHITE))
    scene.add(Text(-8, -8, "all around", 30, (255, 0, 0)))
    assert render(scene, width=80).shape == (40, 80, 3)
    assert render(scene, height=10).shape == (10, 20, 3)
    framed = render(scene, 80, 60)
    assert framed.shape == (60, 80, 3)
    assert (framed[:10] == (1, 2, 3)).all(), "what lies outside of the scene is not seen"
    assert (framed[50:] == (1, 2, 3)).all()
    assert (framed[10:50] != (1, 2, 3)).any(2).all()
    assert render(scene, 40, 60).shape == (60, 40, 3)
    assert render(Scene(0.2, 0.2)).shape == (1, 1, 3)
    for wrong in ({"width": 0}, {"height": -4}):
        with pytest.raises(SkipjackError, match=f"{next(iter(wrong))} must be at least 1 pixel"):
            render(scene, **wrong)


def test_an_envs_own_frame_comes_out_byte_for_byte() -> None:
    frame = np.random.default_rng(1).integers(256, size=(21, 33, 3), dtype=np.uint8)
    scene = Scene(33, 21).add(Image(0, 0, 33, 21, frame))
    assert np.array_equal(render(scene), frame)
    assert np.array_equal(render(scene, width=99), frame.repeat(3, 0).repeat(3, 1))
    scene.items = [Image(0, 0, 33, 21, frame[::-1])]  # not in one piece in memory
    assert np.array_equal(render(scene), frame[::-1])


def test_an_image_made_smaller_is_the_mean() -> None:
    frame = np.zeros((4, 4, 3), np.uint8)
    frame[::2] = 200
    assert (render(Scene(2, 2).add(Image(0, 0, 2, 2, frame))) == 100).all()


def test_colours_are_blended_by_their_alpha() -> None:
    half = (200, 100, 0, 128)
    for item in (
        Rectangle(0, 0, 9, 9, half),
        Circle(4, 4, 6, half),
        Line(0, 4, 9, 4, 6, half),
    ):
        middle = render(Scene(9, 9, (0, 0, 100)).add(item))[4, 4]
        assert middle.tolist() == pytest.approx([100, 50, 50], abs=1)
    full, faint = (
        render(Scene(30, 30, (0, 0, 0)).add(Text(2, 2, "I", 24, (255, 255, 255, alpha)))).max()
        for alpha in (255, 100)
    )
    assert (full, faint) == (255, 100)


def test_circles_and_lines_have_smooth_edges_and_their_size() -> None:
    disc = render(Scene(40, 40, (0, 0, 0)).add(Circle(20, 20, 12, WHITE)))[..., 0] / 255
    assert disc.sum() == pytest.approx(np.pi * 12**2, rel=0.01)
    assert ((disc > 0.1) & (disc < 0.9)).sum() > 30
    line = render(Scene(40, 40, (0, 0, 0)).add(Line(5, 5, 35, 30, 3, WHITE)))[..., 0] / 255
    assert line.sum() == pytest.approx(3 * np.hypot(30, 25), rel=0.1)
    assert ((line > 0.1) & (line < 0.9)).sum() > 30


def test_the_thin_the_far_and_the_empty() -> None:
    scene = Scene(10, 10, (0, 0, 0)).add(Rectangle(3.2, 0, 0.1, 10, WHITE))
    assert (render(scene)[:, 3] == 255).all(), "what is thin does not vanish"
    scene = Scene(10, 10, (0, 0, 0)).add(
        Rectangle(1e9, 0, 1e9, 1, WHITE),
        Circle(-1e9, 0, 3, WHITE),
        Line(3, -1e6, 3, -1e5, 1, WHITE),
        Line(4, 4, 4, 4, 1, WHITE),
        Text(500, 500, "far", 9, WHITE),
        Text(0, 0, "", 9, WHITE),
        Text(0, 0, "tiny", 0.2, WHITE),
    )
    assert (render(scene) == 0).all()
    half = render(Scene(10, 10, (0, 0, 0)).add(Circle(-1e5, 5, 1e5 + 5, WHITE)))
    assert (half[:, :5] == 255).all()
    assert (half[:, 5:] == 0).all()


@pytest.mark.parametrize("words", ["Zürich 東京 ☃ 🎲", "two\nlines", "half a pair \ud83c", "\0\t"])
def test_any_words_can_be_written(words: str) -> None:
    assert (render(Scene(90, 40).add(Text(2, 2, words, 12, WHITE))) > 150).any()


def test_words_are_as_high_as_a_line() -> None:
    """From the tip of an l to the foot of a g nearly all of the line's height is used."""
    rows = render(Scene(80, 80, (0, 0, 0)).add(Text(4, 10, "lg", 40, WHITE))).max((1, 2))
    inked = np.flatnonzero(rows > 40)
    assert inked[0] >= 10
    assert inked[-1] < 51
    assert 28 < inked[-1] - inked[0] < 41


def test_sprites_are_kept_by_their_array_and_not_by_their_name() -> None:
    red, blue = np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 4), np.uint8)
    red[..., 0], blue[..., 2:], blue[0, 0, 3] = 255, 255, 0

    def drawn(pixels: Pixels) -> Pixels:
        return render(Scene(4, 4, (9, 9, 9), [Sprite(0, 0, 4, 4, "it")], {"it": pixels}))

    for _ in range(2):
        assert (drawn(red) == (255, 0, 0)).all()
        seen = drawn(blue)
        assert (seen[:2, :2] == 9).all(), "where it is transparent"
        assert (seen[2:] == (0, 0, 255)).all()


def test_without_pillow_the_pip_line_is_told() -> None:
    code = "import sys; sys.modules['PIL'] = None; import skipjack.native.raster"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "Drawing pictures needs Pillow" in done.stderr.splitlines()[-1]
    assert 'pip install "skipjack[view]"' in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_what_has_no_place_is_left_out(number: float) -> None:
    """As in a page: the rest of the picture is as it should be."""
    plain = Scene(20, 20, (0, 0, 0)).add(Rectangle(5, 5, 5, 5, WHITE))
    odd = Scene(20, 20, (0, 0, 0)).add(
        Rectangle(number, 0, 9, 9, WHITE),
        Rectangle(0, 0, number, 9, WHITE),
        Circle(3, 3, number, WHITE),
        Line(0, 0, number, 5, 1, WHITE),
        Text(0, number, "words", 9, WHITE),
        Sprite(0, 0, 9, 9, "nothing of this name"),
        Rectangle(5, 5, 5, 5, WHITE),
    )
    np.testing.assert_array_equal(render(odd), render(plain))
