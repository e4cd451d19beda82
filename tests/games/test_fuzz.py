"""A million random legal and illegal actions for every game and variant."""

from __future__ import annotations

import pytest

from tests.games.fuzz import fuzz, names

WORLDS = {"snake/720p", "snake/1440p", "grid/forage4096"}
"""Worlds so large that a few hundred steps of theirs see no end of an episode by the clock."""


@pytest.mark.parametrize("name", names())
def test_a_million_actions(name: str) -> None:
    episodes = fuzz(name, 1_000_000)
    assert episodes > 100 or name in WORLDS
