"""Which part of a large world is shown."""

from __future__ import annotations

import numpy as np
import pytest

from skipjack.native.camera import LEAST, ZOOMS, Camera
from skipjack.native.part import SIZE, part
from skipjack.native.scene import Circle, Image


@pytest.mark.parametrize("place", [0, 3, 40, 96, 99])
@pytest.mark.parametrize("zoom", ZOOMS)
@pytest.mark.parametrize("whole", [False, True])
def test_what_is_shown_lies_in_the_world_with_what_is_followed(
    place: int, zoom: float, whole: bool
) -> None:
    first, shown = Camera(0, zoom, whole).span(place, 32, 0, 100)
    assert 0 <= first <= place < first + shown <= 100
    assert shown == (100 if whole else min(max(round(32 / zoom), LEAST), 100))


def test_in_the_middle_of_the_world_it_is_in_the_middle() -> None:
    assert Camera().span(50, 20, 0, 100) == (40, 20)
    assert Camera(zoom=2.0).span(50, 20, 0, 100) == (45, 10)


def test_a_small_world_comes_nearer_at_the_first_step() -> None:
    camera = Camera()
    assert camera.span(10, 64, 0, 20) == (0, 20)
    camera.come(1)
    assert camera.span(10, 64, 0, 20)[1] == 14


def test_steps_end_at_the_nearest_and_the_farthest() -> None:
    camera = Camera(whole=True)
    camera.come(1)
    assert (camera.zoom, camera.whole) == (1.4, False)
    camera.come(99)
    assert camera.zoom == ZOOMS[-1]
    camera.come(-99)
    assert camera.zoom == ZOOMS[0]


def test_a_world_of_cells_is_shown_in_part_or_whole() -> None:
    """The agent stays marked, also where its cell is less than a pixel."""
    cells = np.zeros((210, 410), np.uint8)
    cells[100, 300] = 1
    palette = np.array([(0, 0, 0), (250, 0, 0)], np.uint8)
    for camera, sides in (
        (Camera(), (64, 64)), (Camera(zoom=2.0), (32, 32)), (Camera(whole=True), (202, 402)),
    ):  # fmt: skip
        image, mark = part(cells, palette, 100 * 410 + 300, camera).items
        assert isinstance(image, Image)
        assert isinstance(mark, Circle)
        assert image.pixels.shape[:2] == sides
        unit = SIZE / max(sides)
        ((row, column),) = np.argwhere(image.pixels[..., 0] == 250)
        assert (mark.x, mark.y) == pytest.approx(((column + 0.5) * unit, (row + 0.5) * unit))
        assert mark.radius >= 2
