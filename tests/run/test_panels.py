"""Panels: players whose ratings are known, that a run's rating is relative to."""

from __future__ import annotations

import contextlib
import itertools
from typing import Any

import pytest

from skipjack import registry
from skipjack.arena.players import RANDOM
from skipjack.run.config import configure
from skipjack.run.ratings import Contest

PANELS = {name: known for game in registry.GAMES for name, known in registry.panels(game).items()}


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_s_players_sit_down_and_are_anchored_at_the_random_one(name: str) -> None:
    known = PANELS[name]
    ratings = list(known.values())
    assert known[RANDOM] == 0 == min(ratings)
    assert len(known) > 2
    assert all(before < after for before, after in itertools.pairwise(ratings))
    with contextlib.closing(Contest(configure(name), envs=1)) as contest:
        assert contest.panel().keys() == known.keys()
        for player in map(contest.named, known):
            assert not player.fixed  # two of those would play the same game again and again
            player.make(1, 0)


@pytest.mark.parametrize(
    ("name", "flags", "same"),
    [
        ("pong/two", {}, "pong"),
        ("pong/lstm", {"env.desynchronise": False}, "pong"),
        ("pong", {"env.frame_skip": 4}, ""),
        ("tic_tac_toe/medium", {}, "tic_tac_toe"),
        ("connect_four/one_ply", {}, "connect_four"),
        ("moba", {}, ""),
        ("rock_paper_scissors/two", {}, ""),
    ],
)
def test_a_panel_is_for_whoever_plays_by_its_rules(
    name: str, flags: dict[str, Any], same: str
) -> None:
    with contextlib.closing(Contest(configure(name, flags=flags), envs=1)) as contest:
        wanted = PANELS[same] if same else {RANDOM: 0.0}
        assert contest.panel().keys() == wanted.keys()
