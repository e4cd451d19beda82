"""A million random legal and illegal actions for every game and variant, more for the MOBA."""

from __future__ import annotations

import pytest

from tests.games.fuzz import fuzz, names

WORLDS = {"snake/720p", "snake/1440p", "grid/forage4096"}
"""Worlds so large that a few hundred steps of theirs see no end of an episode by the clock."""

STEPS = {"moba": 2_000_000, "moba/small": 1_200_000}
"""Games of ten and six seats a tick: 200,000 ticks."""


@pytest.mark.parametrize("name", names())
def test_a_million_actions(name: str) -> None:
    episodes = fuzz(name, STEPS.get(name, 1_000_000))
    assert episodes > 100 or name in WORLDS
