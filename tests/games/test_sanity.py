"""Rules of the sanity games where a player would be surprised."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from skipjack.vector import Serial, Vector
from tests.games.test_contract import engine_of


def started(name: str, num_envs: int = 1, **changes: Any) -> tuple[Any, Vector]:
    """An engine and its vector, reset, without a first episode that is cut."""
    engine = engine_of(name, num_envs, desynchronise=False, **changes)
    vector = Serial(engine)
    vector.reset(0)
    return engine, vector


def played(vector: Vector, action: Any) -> Any:
    """A step in which every row takes the same action."""
    return vector.step(
        np.broadcast_to(action, vector.rows.actions.shape).astype(vector.action.dtype)
    )


@pytest.mark.parametrize("legal", [1, 5, 9])
def test_bandit_allows_each_arm_as_often(legal: int) -> None:
    _, vector = started("bandit", 4000, legal=legal)
    mask = vector.rows.action_mask
    assert mask is not None
    assert (mask.sum(axis=1) == legal).all()
    assert mask.mean(axis=0) == pytest.approx(np.full(10, legal / 10), abs=0.03)


def test_bandit_with_all_arms_has_no_mask() -> None:
    _, vector = started("bandit")
    assert vector.rows.action_mask is None


def test_bandit_scores_against_the_best_legal_arm() -> None:
    engine, vector = started("bandit", legal=5)
    for arm, score in ((9, 1.0), (0, 0.4 / 0.7), (8, 0.0)):
        engine.inject(0, {"legal": 0b1011000011})  # 0, 1, 6, 7, 9: the best of these pays 0.7
        batch = played(vector, arm)
        assert batch.terminated.all()
        assert batch.episodes["score"][0] == pytest.approx(score)
        assert arm != 8 or batch.rewards[0] == 0, "an illegal arm pays nothing"


def test_bandit_pays_by_chance() -> None:
    _, vector = started("bandit", 4000)
    assert played(vector, 3).rewards.mean() == pytest.approx(0.5, abs=0.03)
    assert played(vector, 8).rewards.mean() == 1


def test_password_pays_for_the_whole_alone() -> None:
    _, vector = started("password", password=0b10010)
    for bits, paid in (("10010", 1.0), ("10011", 0.0), ("01001", 0.0), ("10010", 1.0)):
        rewards = [float(played(vector, int(bit)).rewards[0]) for bit in bits]
        assert rewards == [0, 0, 0, 0, paid]


def test_password_shows_what_was_typed_and_no_more() -> None:
    _, vector = started("password", 2)
    for bit in (1, 0, 1):
        batch = played(vector, bit)
    assert batch.observations.tolist() == [[1, -1, 1, 0, 0]] * 2


@pytest.mark.parametrize(("ones", "score"), [(0, 0.0), (50, 5 / 9), (70, 1.0), (100, 0.0)])
def test_stochastic_scores_the_share_of_ones(ones: int, score: float) -> None:
    _, vector = started("stochastic")
    for step in range(100):
        batch = played(vector, int(step < ones))
        assert batch.terminated[0] == (step == 99)
    assert batch.episodes["score"][0] == pytest.approx(score, abs=1e-5)
    assert batch.rewards[0] == batch.episodes["score"][0]


def test_a_coin_of_seven_tenths_solves_stochastic() -> None:
    _, vector = started("stochastic", 2000)
    generator = np.random.default_rng(0)
    for _ in range(100):
        batch = vector.step((generator.random((2000, 1)) < 0.7).astype(np.int32))
    assert batch.episodes["score"].mean() > 0.97


def test_spaces_pays_each_component_for_its_own_field() -> None:
    engine, vector = started("spaces")
    layout = engine.observation
    for column, error in ((0, 0.0), (0, 0.25), (1, 0.0), (1, 0.6)):
        seen = layout.unpack(vector.rows.observations)
        where = int(seen["image"][0].argmax()) % 5
        level = float(seen["levels"][0].mean())
        level += error if level < 0 else -error
        batch = played(vector, [(where + column) % 5, level])
        right, near = 0.5 * (column == 0), 0.5 * max(0, 1 - (error / 0.5) ** 2)
        assert batch.rewards[0] == pytest.approx(right + near, abs=1e-5)
        assert batch.episodes["stats"][0] == pytest.approx([right, near], abs=1e-5)


def test_spaces_names_its_components() -> None:
    engine, _ = started("spaces")
    assert engine.action.labels == ("column", "level")


def test_multiagent_seats_must_differ() -> None:
    _, vector = started("multiagent", 3)
    assert played(vector, 0).rewards.tolist() == [1, 0] * 3
    assert played(vector, 1).rewards.tolist() == [0, 1] * 3
    assert vector.step(np.array([[0], [1]] * 3, np.int32)).rewards.tolist() == [1] * 6


def test_continuous_is_won_by_a_controller_and_stops_at_walls() -> None:
    engine, vector = started("continuous", 64)
    batch = played(vector, 0.0)
    for _ in range(39):
        way, speed = batch.observations[:, :2], batch.observations[:, 2:] * 0.4
        batch = vector.step((0.3 * way - 0.7 * speed).clip(-0.1, 0.1).astype(np.float32))
    assert batch.truncated.all()
    assert batch.episodes["score"].mean() > 0.95
    engine.inject(0, {"place": [0.9, 0.0], "speed": [0.3, 0.0]})
    played(vector, [0.1, 0.0])
    state = engine.snapshot(0)
    assert (state["place"][0], state["speed"][0]) == (1.0, 0.0)
