"""Statistics of several workers in one order."""

from __future__ import annotations

from typing import Any

import numpy as np

from skipjack.rows import episode_dtype
from skipjack.vector.names import Names

WIDTH = 4


def records(*stats: list[float]) -> np.ndarray[Any, Any]:
    """Records with these first columns; the others are absent."""
    found = np.zeros(len(stats), episode_dtype([""] * WIDTH))
    found["stats"] = np.nan
    for record, values in zip(found, stats, strict=True):
        record["stats"][: len(values)] = values
    return found


def test_unknown_names_are_appended_record_by_record() -> None:
    names = Names((), WIDTH)
    one = records([1.0, np.nan], [2.0, 3.0])
    names.arrange(0, ["a", "b"], one)
    assert names.all == ["a", "b"]
    two = records([5.0, 6.0, np.nan], [7.0, np.nan, 8.0])
    names.arrange(1, ["c", "b", "d"], two)
    assert names.all == ["a", "b", "c", "d"]
    nan = np.nan
    assert np.array_equal(one["stats"], [[1, nan, nan, nan], [2, 3, nan, nan]], equal_nan=True)
    assert np.array_equal(two["stats"], [[nan, 6, 5, nan], [nan, nan, 7, 8]], equal_nan=True)


def test_a_later_record_does_not_come_before_an_earlier_one() -> None:
    names = Names((), WIDTH)
    names.arrange(0, ["a", "b", "c"], records([np.nan, 1.0], [1.0, np.nan, 1.0]))
    assert names.all == ["b", "a", "c"]


def test_names_without_room_or_value() -> None:
    names = Names(["goals"], WIDTH)
    names.arrange(0, ["goals", "nothing"], records([1.0, np.nan]))
    assert names.all == ["goals", "nothing"], "named, though it was no number"
    found = records([1.0, 2.0, 3.0, 4.0])
    names.arrange(1, ["goals", "x", "y", "z"], found)
    assert names.all == ["goals", "nothing", "x", "y"]
    assert np.array_equal(found["stats"], [[1.0, np.nan, 2.0, 3.0]], equal_nan=True)


def test_a_worker_that_starts_anew_tells_its_names_again() -> None:
    names = Names((), WIDTH)
    names.arrange(0, ["a", "b"], records([1.0, 2.0]))
    names.forget(0)
    found = records([3.0])
    names.arrange(0, ["b"], found)
    assert names.all == ["a", "b"]
    assert found["stats"][0, 1] == 3
    assert np.isnan(found["stats"][0, 0])
