"""A million random legal and illegal actions for every game and variant, more for the MOBA."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.games.fuzz import BESIDE, act, fuzz, may_act, names, started

WORLDS = {"snake/720p", "snake/1440p", "grid/forage4096"}
"""Worlds so large that a few hundred steps of theirs see no end of an episode by the clock."""

STEPS = {"moba": 2_000_000, "moba/small": 1_200_000}
"""Games of ten and six seats a tick: 200,000 ticks."""


@pytest.mark.parametrize("name", names())
def test_a_million_actions(name: str) -> None:
    episodes = fuzz(name, STEPS.get(name, 1_000_000))
    assert episodes > 100 or name in WORLDS


@pytest.mark.parametrize(("name", "beside"), BESIDE.items())
def test_a_million_actions_beside_the_preset(name: str, beside: dict[str, Any]) -> None:
    assert fuzz(name, 1_000_000, **beside) > 100


def test_rows_that_wait_or_are_not_alive_are_no_steps() -> None:
    """A million actions are of rows that may act: of two seats that move in turn one a tick."""
    engine, rows, envs = started("tic_tac_toe")
    generator = np.random.default_rng(0)
    for _ in range(20):
        assert may_act(rows) == envs == len(rows.alive) // 2
        act(engine, rows, generator)
        engine.step(0, envs)
    assert rows.action_mask is not None
    mover = int(np.flatnonzero(rows.action_mask.any(axis=1))[0])
    rows.alive[mover] = False
    assert may_act(rows) == envs - 1
    _, rows, _ = started("cartpole")
    rows.alive[:3] = False
    assert may_act(rows) == len(rows.alive) - 3
