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


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"counts": (2,), "low": (0.0,), "high": (1.0,)},
        {"low": (0.0,), "high": (math.inf,)},
        {"low": (0.0, 1.0), "high": (1.0,)},
        {"low": (0.0,), "high": (1.0,), "masked": True},
    ],
)
def test_actions_that_make_no_sense(wrong: dict) -> None:
    with pytest.raises(UsageError):
        Actions(**wrong)
