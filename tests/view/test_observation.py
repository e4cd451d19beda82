"""What the agent sees, as a picture: every kind of observation that there is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import skipjack
from skipjack import registry
from skipjack.native.scene import Image, Rectangle, Text
from skipjack.spaces import Layout
from skipjack.view.observation import PALETTE, as_pixels, picture


def pixels(layout: Layout, row: Any) -> Any:
    (image,) = (item for item in picture(layout, row).items if isinstance(item, Image))
    return image.pixels


@pytest.mark.parametrize("first", [False, True])
def test_a_colour_picture_is_itself(first: bool) -> None:
    values = np.random.default_rng(0).integers(0, 256, (10, 20, 3), np.uint8)
    row = values.transpose(2, 0, 1).copy() if first else values
    np.testing.assert_array_equal(pixels(Layout.box(row.shape, np.uint8, 0, 255), row), values)


def test_a_gray_picture_is_gray() -> None:
    values = np.random.default_rng(0).integers(0, 256, (10, 20), np.uint8)
    found = pixels(Layout.box((10, 20), np.uint8, 0, 255), values)
    np.testing.assert_array_equal(found, np.repeat(values[..., None], 3, -1))


def test_a_stack_stands_side_by_side() -> None:
    """Four frames of 84 x 84, the oldest at the top left; with the planes last as well."""
    values = np.zeros((4, 84, 84), np.uint8) + np.array([10, 20, 30, 40], np.uint8)[:, None, None]
    for row in (values, values.transpose(1, 2, 0).copy()):
        found = pixels(Layout.box(row.shape, np.uint8, 0, 255), row)
        assert found.shape == (168, 168, 3)
        assert [int(found[y, x, 0]) for y in (0, 84) for x in (0, 84)] == [10, 20, 30, 40]


def test_categories_have_colours() -> None:
    values = np.array([[0, 1], [2, 1]], np.uint8)
    found = pixels(Layout.box((2, 2), np.uint8, 0, 2, kinds=3), values)
    np.testing.assert_array_equal(found, PALETTE[values])


def test_a_picture_of_codes_has_their_colours() -> None:
    """Minigrid's: what, colour and state of each cell, none of it a brightness."""
    values = np.random.default_rng(0).integers(0, 11, (7, 7, 3), np.uint8)
    found = pixels(Layout.box((7, 7, 3), np.uint8, 0, 255), values)
    np.testing.assert_array_equal(found[:7, :7], PALETTE[values[..., 0]])
    np.testing.assert_array_equal(found[:7, 7:], PALETTE[values[..., 1]])


def test_one_category_is_told_as_a_number() -> None:
    scene = picture(Layout.box((1,), np.int32, 0, 499, kinds=500), np.array([17], np.int32))
    assert [item.words for item in scene.items if isinstance(item, Text)] == ["17 of 500"]


def test_signs_have_colours_and_nothing_is_dark() -> None:
    values = np.linspace(-1, 1, 33, dtype=np.float32)
    found = pixels(Layout.box((33,), low=-1, high=1), values).reshape(-1, 3)[:33].astype(int)
    assert found[0, 2] > found[0, 0], "blue below"
    assert found[-1, 0] > found[-1, 2], "gold above"
    assert (found[16] == PALETTE[0]).all(), "zero is neither, and no hole"


def test_few_numbers_are_bars_with_their_values() -> None:
    scene = picture(Layout.box((3,), low=-2, high=2), np.array([1.0, -2.0, np.nan], np.float32))
    assert [item.words for item in scene.items if isinstance(item, Text)] == ["1", "-2", "nan"]
    widths = [item.width for item in scene.items if isinstance(item, Rectangle)]
    assert widths[1] == pytest.approx(50)
    assert widths[4] == pytest.approx(100)


@pytest.mark.parametrize("shape", [(), (1,), (5, 5), (2, 3, 4), (3, 3, 3, 3), (200,)])
@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.uint8, np.bool_])
def test_every_shape_and_type_can_be_seen(shape: tuple[int, ...], dtype: Any) -> None:
    layout = Layout.box(shape, dtype)
    scene = picture(layout, np.ones(layout.shape, dtype))
    assert scene.items
    assert scene.height > 0
    for field in layout.fields:
        found = as_pixels(field, np.ones(shape, dtype))
        assert found is None or (found.dtype == np.uint8 and found.shape[-1] == 3)


@pytest.mark.parametrize("name", registry.names())
def test_every_games_observation_can_be_seen(name: str) -> None:
    vector = skipjack.make(name, num_envs=1, threads=1)
    batch = vector.reset(1)
    scene = picture(vector.observation, batch.observations[0])
    assert scene.items
    if len(vector.observation.fields) > 1:
        told = [item.words for item in scene.items if isinstance(item, Text)]
        assert {field.name for field in vector.observation.fields} <= set(told)
