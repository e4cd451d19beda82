"""Rules of Breakout that a player would notice."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skipjack.rows import Rows, identity_rows
from skipjack.seeding import env_seeds
from tests.games.test_contract import engine_of

FULL = (1 << 18) - 1


def table(num_envs: int = 1, **changes: Any) -> tuple[Any, Rows]:
    """An engine of one tick a step, and its rows."""
    engine = engine_of("breakout", num_envs, **{"frame_skip": 1, "desynchronise": False} | changes)
    rows = Rows.allocate(num_envs, engine.observation, engine.action)
    engine.bind(rows, identity_rows(num_envs, 1), False)
    engine.reset(0, num_envs, env_seeds(0, 0, num_envs))
    return engine, rows


def overlaps(state: dict[str, Any], size: float, slack: float) -> list[tuple[int, int]]:
    """Standing bricks that the ball covers by more than `slack` pixels both ways."""
    found = []
    for r, bits in enumerate(state["rows"]):
        for c in range(18):
            if bits >> c & 1:
                wide = min(state["x"] + size, 32 * c + 32) - max(state["x"], 32 * c)
                high = min(state["y"] + size, 62 + 12 * r) - max(state["y"], 50 + 12 * r)
                if wide > slack and high > slack:
                    found.append((r, c))
    return found


@settings(max_examples=120, deadline=None)
@given(
    x=st.floats(0, 544),
    y=st.floats(125, 270),
    angle=st.floats(-math.pi, math.pi),
    speed=st.sampled_from([256.0, 448.0, 3000.0, 20_000.0]),
    size=st.sampled_from([4.0, 8.0, 32.0]),
    holes=st.lists(st.integers(0, 107), max_size=60),
)
def test_no_speed_lets_the_ball_into_a_brick(
    x: float, y: float, angle: float, speed: float, size: float, holes: list[int]
) -> None:
    """The swept ball touches bricks and breaks them, and never stands in or beyond one it has not."""
    engine, rows = table(ball_size=size)
    walls = [FULL] * 6
    for hole in holes:
        walls[hole // 18] &= ~(1 << hole % 18)
    start = {"x": x, "y": y, "speed": speed, "rows": walls, "bricks_left": 108 - len(set(holes))}
    engine.inject(0, start | {"vx": speed * math.sin(angle), "vy": -speed * math.cos(angle)})
    for _ in range(40):
        before = engine.snapshot(0)
        rows.actions[:] = 0
        engine.step(0, 1)
        state = engine.snapshot(0)
        if rows.terminated[0] or state["balls"] < before["balls"]:
            return
        assert not overlaps(state, size, 0.02)
        assert 0 <= state["x"] <= 576 - size
        assert state["y"] >= 0
        standing = sum(bin(bits).count("1") for bits in state["rows"])
        assert standing == state["bricks_left"]
        passed_whole_wall = before["y"] > 122 and state["y"] + size < 50
        if passed_whole_wall:
            broken = sum(b & ~a != 0 for a, b in zip(state["rows"], before["rows"], strict=True))
            gaps = all(bits != FULL for bits in before["rows"])
            assert broken or gaps, "the ball passed through a whole wall"


@settings(max_examples=100, deadline=None)
@given(x=st.floats(0, 544), vx=st.floats(-400, 400), paddle=st.floats(0, 514))
def test_paddle_angle_is_linear_in_where_it_is_hit(x: float, vx: float, paddle: float) -> None:
    engine, _ = table()
    engine.inject(0, {"x": x, "y": 279.0, "vx": vx, "vy": 256.0, "speed": 256.0, "paddle": paddle})
    engine.step(0, 1)
    state = engine.snapshot(0)
    share = (280 - 279) / (256 / 60)
    travelled = x + vx / 60 * share
    under = travelled + 32 >= paddle and travelled <= paddle + 62
    if 0 < travelled < 544:
        assert state["hits"] == under
    if not state["hits"]:
        return
    angle = math.atan2(state["vx"], -state["vy"])
    assert abs(angle) <= math.pi / 4 + 1e-9
    assert math.hypot(state["vx"], state["vy"]) == pytest.approx(256.0)
    if 6 < travelled < 538:  # nearer to a side it may bounce off that in the same tick
        reach = (62 + 32) / 2
        assert angle == pytest.approx((travelled + 16 - paddle - 31) / reach * math.pi / 4)


def test_speed_steps_up_every_fourth_hit_to_its_top() -> None:
    engine, _ = table()
    speeds = []
    for _ in range(20):
        engine.inject(0, {"x": 272.0, "y": 279.9, "vx": 0.0, "vy": 256.0, "paddle": 257.0})
        engine.step(0, 1)
        speeds.append(engine.snapshot(0)["speed"])
    assert speeds[:12] == [256] * 3 + [320] * 4 + [384] * 4 + [448]
    assert max(speeds) == 448


@pytest.mark.parametrize(
    ("row", "points", "speed"), [(5, 1, 256), (3, 4, 256), (2, 4, 448), (0, 7, 448)]
)
def test_points_and_speed_of_rows(row: int, points: int, speed: float) -> None:
    """A brick of the three upper rows makes the ball fast at once."""
    engine, rows = table(ball_size=8.0)
    walls = [0] * 6
    walls[row] = FULL
    below = 50 + 12 * row + 12
    engine.inject(0, {"rows": walls, "bricks_left": 18, "x": 260.0, "y": below + 1.0, "vx": 0.0})
    engine.inject(0, {"vy": -256.0, "speed": 256.0})
    engine.step(0, 1)
    state = engine.snapshot(0)
    assert rows.rewards[0] == points == state["points"]
    assert state["speed"] == speed
    assert state["vy"] == speed, "it comes back down"
    assert state["bricks_left"] == 17


def test_top_wall_halves_the_paddle_until_the_next_serve() -> None:
    engine, rows = table(balls=2)
    engine.inject(0, {"y": 1.0, "vy": -400.0, "vx": 0.0, "rows": [0] * 6, "paddle": 100.0})
    engine.step(0, 1)
    state = engine.snapshot(0)
    assert (state["paddle"], state["paddle_width"]) == (115.5, 31.0)
    engine.inject(0, {"y": 329.9, "vy": 400.0, "x": 400.0})
    engine.step(0, 1)
    state = engine.snapshot(0)
    assert state["balls"] == 1
    assert (state["paddle"], state["paddle_width"]) == (100.0, 62.0)
    assert not rows.terminated[0]


def test_wall_is_refilled_once_and_the_second_ends_the_game() -> None:
    engine, rows = table()
    engine.inject(0, {"rows": [0] * 6, "bricks_left": 0, "points": 432})
    assert engine.snapshot(0)["walls"] == 1
    engine.inject(0, {"x": 272.0, "y": 279.9, "vx": 0.0, "vy": 256.0, "paddle": 257.0})
    engine.step(0, 1)
    state = engine.snapshot(0)
    assert (state["walls"], state["bricks_left"]) == (2, 108)
    walls = [0, 0, 0, 0, 0, 1]
    engine.inject(0, {"rows": walls, "bricks_left": 1, "points": 863, "x": 0.0, "y": 123.0})
    engine.inject(0, {"vx": 0.0, "vy": -256.0})
    engine.step(0, 1)
    assert rows.terminated[0]
    record = engine.records(0, 1)[0]
    assert (record["score"], record["stats"][0]) == (1.0, 864)


def test_lost_balls_end_the_game() -> None:
    engine, rows = table(balls=3)
    for left in (2, 1, 0):
        engine.inject(0, {"y": 329.9, "vy": 400.0})
        engine.step(0, 1)
        assert rows.terminated[0] == (left == 0)
    assert engine.records(0, 1)[0]["stats"][1] == 0


def test_serve_cannot_score_before_a_hit() -> None:
    """Serves fly down from below the wall, so that a random player earns every point."""
    engine, rows = table(256)
    for _ in range(40):
        engine.step(0, 256)
    assert (rows.rewards == 0).all()
    angles = [math.atan2(engine.snapshot(i)["vx"], engine.snapshot(i)["vy"]) for i in range(256)]
    served = np.array([a for a in angles if abs(a) <= math.pi / 4 + 1e-6])
    assert served.std() > 0.3, "serves do not spread over 45 degrees to both sides"


def test_continuous_agrees_with_discrete_at_full_speed() -> None:
    discrete, rows = table()
    continuous, other = table(continuous=True)
    for t in range(400):
        choice = t // 7 % 3
        rows.actions[:] = choice
        other.actions[:] = (0.0, -1.0, 1.0)[choice]
        discrete.step(0, 1)
        continuous.step(0, 1)
        assert np.array_equal(rows.observations, other.observations)
