"""Scenes as bytes: what the page gets is what the scene says."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from skipjack.native.scene import Circle, Image, Line, Rectangle, Scene, Sprite, Text
from skipjack.view import wire

RED = (255, 0, 0)


def read(message: bytes) -> tuple[dict[str, Any], bytes]:
    """A message's JSON, as strict as a browser takes it, and its pixels."""
    length = int.from_bytes(message[:4], "little")

    def refuse(name: str) -> None:
        raise ValueError(f"JSON has no {name}")

    return json.loads(message[4 : 4 + length], parse_constant=refuse), message[4 + length :]


def items(scene: Scene) -> list[list[Any]]:
    return read(wire.picture(scene))[0]["items"]


def test_every_primitive_is_sent_with_its_numbers() -> None:
    scene = Scene(40, 30, background=(1, 2, 3)).add(
        Rectangle(1, 2, 3.5, 4, RED),
        Circle(5, 6, 7, (0, 255, 0, 128)),
        Line(1, 2, 3, 4, 0.5, RED),
        Text(8, 9, "two words", 10, RED),
        Sprite(1, 1, 2, 2, "tree"),
    )
    assert read(wire.picture(scene))[0] == {
        "size": [40, 30],
        "background": "#010203",
        "items": [
            ["rectangle", 1, 2, 3.5, 4, "#ff0000"],
            ["circle", 5, 6, 7, "#00ff0080"],
            ["line", 1, 2, 3, 4, 0.5, "#ff0000"],
            ["text", 8, 9, "two words", 10, "#ff0000"],
            ["sprite", 1, 1, 2, 2, "tree"],
        ],
    }


def test_images_keep_every_byte_and_know_where_they_begin() -> None:
    first = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    second = np.arange(6 * 2 * 3, dtype=np.uint8).reshape(2, 6, 3).transpose(1, 0, 2)
    empty = np.zeros((0, 3, 3), np.uint8)
    scene = Scene(10, 10).add(
        Image(0, 0, 5, 4, first), Image(0, 0, 1, 1, empty), Image(1, 2, 3, 4, second)
    )
    head, pixels = read(wire.picture(scene))
    assert head["items"] == [
        ["image", 0, 0, 5, 4, [4, 5, 3], 0],
        ["image", 0, 0, 1, 1, [0, 3, 3], 60],
        ["image", 1, 2, 3, 4, [6, 2, 3], 60],
    ]
    assert pixels == first.tobytes() + second.tobytes()


def test_an_image_may_change_once_it_is_sent() -> None:
    array = np.zeros((2, 2, 3), np.uint8)
    message = wire.picture(Scene(2, 2).add(Image(0, 0, 2, 2, array)))
    array[:] = 255
    assert read(message)[1] == bytes(12)


def test_sprites_are_sent_by_name() -> None:
    array = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    head, pixels = read(wire.sprite("tree", array[:, ::-1]))
    assert head == {"sprite": "tree", "shape": [2, 3, 4]}
    assert pixels == array[:, ::-1].tobytes()


@pytest.mark.parametrize("words", ['"\\\n\0', "</script>", "größer 🐟", "half \ud83d a pair"])
def test_any_text_passes(words: str) -> None:
    assert items(Scene(9, 9).add(Text(0, 0, words, 1, RED))) == [
        ["text", 0, 0, words, 1, "#ff0000"]
    ]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), np.float32("nan"), np.float64("-inf")])
def test_a_number_that_is_none_is_null_and_harms_no_other(bad: float) -> None:
    good, array = Rectangle(1, 2, 3, 4, RED), np.full((1, 1, 3), 7, np.uint8)
    scene = Scene(9, 9).add(Circle(bad, 1, 1, RED), good, Image(0, bad, 1, 1, array))
    head, pixels = read(wire.picture(scene))
    assert head["items"] == [
        ["circle", None, 1, 1, "#ff0000"],
        ["rectangle", 1, 2, 3, 4, "#ff0000"],
        ["image", 0, None, 1, 1, [1, 1, 3], 0],
    ]
    assert pixels == bytes([7, 7, 7])


def test_numbers_of_numpy_are_numbers() -> None:
    scene = Scene(np.int64(9), np.float32(8)).add(Circle(np.float32(0.5), np.uint8(3), 1, RED))
    head, _ = read(wire.picture(scene))
    assert head["size"] == [9, 8]
    assert head["items"] == [["circle", 0.5, 3, 1, "#ff0000"]]


def test_colours_end_at_their_bounds() -> None:
    assert items(Scene(9, 9).add(Circle(0, 0, 1, (-5, 300, 7))))[0][-1] == "#00ff07"


def test_what_is_no_primitive_is_told() -> None:
    with pytest.raises(TypeError, match="no str"):
        wire.picture(Scene(9, 9).add("words"))  # type: ignore[arg-type]


def test_a_wall_of_bricks_is_small() -> None:
    scene = Scene(576, 330).add(*(Rectangle(32.5 * i, 50, 30, 10, RED) for i in range(110)))
    assert len(wire.picture(scene)) < 6000
