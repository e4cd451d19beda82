"""Rules of Pong that a player would notice, and its symmetry."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skipjack.rows import Rows, identity_rows
from skipjack.seeding import env_seeds
from tests.games.test_contract import engine_of


def court(name: str = "pong/two", num_envs: int = 1, **changes: Any) -> tuple[Any, Rows]:
    engine = engine_of(name, num_envs, **{"desynchronise": False} | changes)
    rows = Rows.allocate(num_envs * engine.seats, engine.observation, engine.action)
    engine.bind(rows, identity_rows(num_envs, engine.seats), False)
    engine.reset(0, num_envs, env_seeds(0, 0, num_envs))
    return engine, rows


@settings(max_examples=60, deadline=None)
@given(
    left=st.floats(0, 570),
    right=st.floats(0, 570),
    x=st.integers(30, 430),
    y=st.floats(0, 608),
    vy=st.integers(-13, 13),
    actions=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=6),
)
def test_sides_are_symmetric(
    left: float, right: float, x: int, y: float, vy: int, actions: list[tuple[int, int]]
) -> None:
    """A court and its mirror image, played with swapped actions, look the same to swapped seats.

    Serves are random, so the comparison ends at the first point.
    """
    one, rows = court(frame_skip=4)
    two, mirrored = court(frame_skip=4)
    ball = {"y": y, "vy": float(vy)}
    one.inject(0, ball | {"paddle": [left, right], "x": float(x), "vx": 10.0})
    two.inject(0, ball | {"paddle": [right, left], "x": float(468 - x), "vx": -10.0})
    for a, b in actions:
        np.testing.assert_allclose(rows.observations, mirrored.observations[::-1], atol=1e-6)
        rows.actions[:, 0] = a, b
        mirrored.actions[:, 0] = b, a
        one.step(0, 1)
        two.step(0, 1)
        assert np.array_equal(rows.rewards, mirrored.rewards[::-1])
        assert rows.rewards.sum() == 0
        if rows.rewards.any():
            return


def test_first_to_21_ends_with_records_of_both_sides() -> None:
    engine, rows = court()
    engine.inject(
        0, {"points": [20, 7], "x": 460.0, "vx": 10.0, "y": 0.0, "paddle": [285.0, 570.0]}
    )
    while not rows.terminated[0]:
        engine.step(0, 1)
    left, right = engine.records(0, 1)
    assert (left["outcome"], right["outcome"]) == (1, 0)
    assert left["score"] == pytest.approx(21 / 28)
    assert right["score"] == pytest.approx(7 / 28)
    assert (left["team"], right["team"]) == (0, 1)
    assert list(left["stats"][:2]) == [21, 7]
    assert list(right["stats"][:2]) == [7, 21]


def test_serve_goes_to_the_loser_of_the_point() -> None:
    engine, _ = court(frame_skip=1)
    engine.inject(0, {"x": 5.0, "vx": -10.0, "y": 0.0, "paddle": [500.0, 0.0]})
    engine.step(0, 1)
    state = engine.snapshot(0)
    assert state["points"] == [0, 1]
    assert state["vx"] == -10
    assert -3 <= state["vy"] <= 3


def test_moving_paddle_spins_the_ball_to_at_most_13() -> None:
    engine, rows = court(frame_skip=1)
    for vy, action, after in [(0.0, 2, 3.0), (0.0, 1, -3.0), (5.0, 0, 5.0), (12.0, 2, 13.0)]:
        engine.inject(0, {"x": 25.0, "vx": -10.0, "y": 300.0, "vy": vy, "paddle": [290.0, 0.0]})
        rows.actions[:, 0] = action, 0
        engine.step(0, 1)
        state = engine.snapshot(0)
        assert (state["vx"], state["vy"]) == (10, after)


def share_of_points(**changes: Any) -> float:
    """What a player that follows the ball at full speed and spins it gets of all points."""
    engine, rows = court("pong", num_envs=32, **changes)
    scores: list[float] = []
    generator = np.random.default_rng(0)
    while len(scores) < 32:
        seen = rows.observations
        off = (seen[:, 2] - seen[:, 0]) * 320 + generator.uniform(-30, 30, 32)
        rows.actions[:, 0] = np.where(off < -6, 1, np.where(off > 6, 2, 0))
        engine.step(0, 32)
        scores.extend(float(record["score"]) for record in engine.records(0, 32))
    return float(np.mean(scores))


def test_slower_followers_are_easier() -> None:
    shares = [share_of_points(frame_skip=4, opponent_speed=speed) for speed in (2, 4, 8)]
    assert shares[0] > shares[1] > shares[2]
    assert shares[0] > 0.8 > 0.7 > shares[2]
