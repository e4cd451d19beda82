"""Means over episodes whose statistics turn up while the envs run."""

from __future__ import annotations

from typing import Any

import numpy as np

from skipjack.rows import episode_dtype
from skipjack.train.episodes import Episodes


def records(*stats: list[float], partial: bool = False) -> np.ndarray[Any, Any]:
    found = np.zeros(len(stats), episode_dtype([""] * 8))
    found["stats"] = found["outcome"] = np.nan
    found["partial"] = partial
    for record, values in zip(found, stats, strict=True):
        record["stats"][: len(values)] = values
    return found


def test_names_may_turn_up_later_and_be_absent() -> None:
    names: list[str] = []
    episodes = Episodes(lambda: names)
    assert episodes.take() == (0, {})
    episodes.add(records([], []))
    assert episodes.take() == (2, {"score": 0.0, "return": 0.0, "length": 0.0})
    names.append("speed")
    episodes.add(records([2.0], []))
    names.append("fuel")
    episodes.add(records([4.0, 5.0], [np.nan, 7.0]))
    episodes.add(records([100.0, 100.0], partial=True))
    count, means = episodes.take()
    assert count == 4
    assert (means["speed"], means["fuel"]) == (3.0, 6.0)
    assert "outcome" not in means
    assert episodes.take() == (0, {})
