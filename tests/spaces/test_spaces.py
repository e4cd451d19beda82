from __future__ import annotations

import math

import numpy as np
import pytest

from skipjack.errors import UsageError
from skipjack.spaces import Actions, Layout


def test_pack_and_unpack_are_inverse() -> None:
    layout = Layout.of({"place": (2, 3), "speed": (), "flags": (4,)})
    assert (layout.shape, layout.size, layout.nbytes) == ((11,), 11, 44)
    parts = {"place": np.arange(6.0).reshape(2, 3), "speed": 7.5, "flags": [1, 0, 0, 1]}
    rows = np.zeros((5, 11), np.float32)
    layout.pack(parts, rows[3])
    found = layout.unpack(rows)
    assert found["place"].shape == (5, 2, 3)
    assert found["speed"].shape == (5,)
    for name, value in parts.items():
        assert np.array_equal(found[name][3], value)
    found["flags"][3, 1] = 9
    assert rows[3].max() == 9, "unpacked parts are views"
    with pytest.raises(UsageError, match="every field"):
        layout.pack({"place": 0}, rows[0])


def test_one_field_keeps_its_shape() -> None:
    layout = Layout.box((11, 11), np.uint8, low=0, high=7, kinds=8)
    assert layout.shape == (11, 11)
    assert layout.unpack(np.zeros((3, 2, 11, 11), np.uint8))[""].shape == (3, 2, 11, 11)


def test_kinds_of_actions() -> None:
    several = Actions.discrete(3, 2, masked=True)
    assert (several.width, several.choices, several.dtype) == (2, 5, np.int32)
    real = Actions.continuous(2, low=-3)
    assert (real.width, real.choices, real.dtype, real.is_discrete) == (2, 0, np.float32, False)


def test_named_actions_of_both_kinds() -> None:
    both = Actions.named({"jump": 2, "turn": (-2.0, 2.0), "gear": 5}, masked=True)
    assert both.labels == ("jump", "gear", "turn")
    assert (both.counts, both.low, both.high) == ((2, 5), (-2.0,), (2.0,))
    assert (both.width, both.choices, both.dtype, both.is_discrete) == (3, 7, np.float32, False)
    drawn = both.draw(np.random.default_rng(0), 500)
    assert drawn.dtype == np.float32
    assert [set(drawn[:, i]) for i in (0, 1)] == [{0, 1}, {0, 1, 2, 3, 4}]
    assert drawn[:, 2].min() < -1.9
    assert 1.9 < drawn[:, 2].max() <= 2


def test_switches() -> None:
    assert Actions.binary(3).counts == (2, 2, 2)
    assert set(Actions.binary(3).draw(np.random.default_rng(0), 99).ravel()) == {0, 1}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"counts": (2, 0)},
        {"counts": (2, 2), "labels": ("one",)},
        {"counts": (2, 2), "labels": ("same", "same")},
        {"low": (0.0,), "high": (math.inf,)},
        {"low": (0.0, 1.0), "high": (1.0,)},
        {"low": (0.0,), "high": (1.0,), "masked": True},
    ],
)
def test_actions_that_make_no_sense(wrong: dict) -> None:
    with pytest.raises(UsageError):
        Actions(**wrong)
