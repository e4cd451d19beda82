"""PettingZoo's parallel environments as an engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from skipjack.emulate.config import EmulateConfig
from skipjack.emulate.maker import from_callable, from_pettingzoo
from skipjack.errors import UsageError
from skipjack.rows import Rows, identity_rows
from skipjack.testing import EngineContract
from tests.emulate.envs import Crowd


def make(num_envs: int = 1, nested: bool = False, **settings: Any) -> Any:
    return from_callable(lambda: Crowd(nested))(num_envs, EmulateConfig(**settings))


def started(engine: Any) -> Rows:
    """The rows of an engine's one env, at its first observation."""
    rows = Rows.allocate(engine.seats, engine.observation, engine.action)
    engine.bind(rows, identity_rows(1, engine.seats))
    engine.reset(0, 1, np.array([1], np.uint64))
    return rows


class TestCrowd(EngineContract):
    steps = 60

    def make_engine(self, num_envs: int) -> Any:
        return make(num_envs)

    def test_scene(self) -> None:
        pytest.skip("this env draws nothing")


class TestNested(TestCrowd):
    def make_engine(self, num_envs: int) -> Any:
        return make(num_envs, nested=True)


def test_agents_leave_and_come_back() -> None:
    """Flags, who is alive, and records, tick by tick."""
    engine = make(time_limit=0)
    rows = started(engine)
    rows.actions[:] = 1
    told = []
    for _ in range(10):
        engine.step(0, 1)
        told.append((rows.alive.tolist(), rows.terminated.tolist(), rows.truncated.tolist()))
        records = engine.records(0, 1)
        assert sorted(records["row"]) == list(np.flatnonzero(rows.terminated | rows.truncated))
    yes, no = [True] * 3, [False] * 3
    assert told[0] == told[1] == (yes, no, no)
    assert told[2] == ([True, True, False], [False, False, True], no)
    assert told[3] == ([True, True, False], no, no)
    assert told[4] == ([True, False, False], [False, True, False], no)
    assert told[5] == ([True, False, False], no, no)
    assert told[6] == ([True, True, False], no, no)  # red_1 is back
    assert told[9] == (yes, no, [True, True, False])  # all begin anew; blue_0 had ended before
    assert {r["row"]: (r["length"], r["return"], r["episode"]) for r in records} == {
        0: (10, 10.0, 0),
        1: (3, 3.0, 1),
    }
    assert list(rows.observations[:, 1]) == [0, 0, 0]
    assert rows.final[0, 1] == 10


class Respawns(Crowd):
    """`red_1` ends at tick 5 and is there again at once."""

    def step(self, actions: Any) -> Any:
        found = super().step(actions)
        if self.clock == 5:
            self.agents.append("red_1")
        if self.clock == 7:
            self.agents.remove("red_1")
        return found


def test_an_agent_that_ends_and_stays_begins_anew_at_once() -> None:
    engine = from_callable(Respawns)(1)
    rows = started(engine)
    for _ in range(5):
        engine.step(0, 1)
    assert (rows.alive[1], rows.terminated[1], rows.observations[1, 1]) == (True, True, 5)
    engine.step(0, 1)
    assert (rows.alive[1], rows.terminated[1]) == (True, False)


def test_games_by_turns_are_converted() -> None:
    """Who is not to move waits: the mask is all zero."""
    engine = from_pettingzoo("pettingzoo:classic.tictactoe_v3")(1)
    rows = started(engine)
    assert rows.action_mask is not None
    ended = 0
    for step in range(60):
        waiting = ~rows.action_mask.any(axis=1)
        assert list(waiting).count(True) == 1
        for row in (0, 1):
            legal = np.flatnonzero(rows.action_mask[row])
            rows.actions[row] = legal[step % len(legal)] if len(legal) else 0
        engine.step(0, 1)
        records = engine.records(0, 1)
        ended += len(records)
        for record in records:
            assert 2 <= record["length"] <= 5
    assert ended > 4


def test_masks_in_the_observation() -> None:
    engine = make(nested=True)
    assert (engine.observation.shape, engine.action.masked) == ((2,), True)
    rows = started(engine)
    assert rows.action_mask is not None
    assert rows.action_mask.tolist() == [[1, 0]] * 3
    engine.step(0, 1)
    assert rows.action_mask.tolist() == [[1, 1]] * 3


def test_a_time_limit_of_ours() -> None:
    engine = make(time_limit=2)
    rows = started(engine)
    engine.step(0, 1)
    engine.step(0, 1)
    assert rows.truncated.all()
    assert list(rows.final[:, 1]) == [2, 2, 2]
    assert list(rows.observations[:, 1]) == [0, 0, 0]


@pytest.mark.parametrize(
    ("how", "teams"), [("names", (0, 0, 1)), ("each", (0, 1, 2)), ("one", (0, 0, 0))]
)
def test_teams(how: str, teams: tuple[int, ...]) -> None:
    assert make(teams=how).teams == teams


def test_different_spaces_are_refused_with_advice() -> None:
    with pytest.raises(UsageError, match="pad_observations"):
        from_callable(lambda: Crowd(spaces_differ=True))(1)
    with pytest.raises(UsageError, match="SuperSuit"):
        make(stack=2)


class Pair(Crowd):
    """Two agents; `rewards` are those of each tick, `leaves` ends blue at tick 2."""

    possible_agents = ["red_0", "blue_0"]  # noqa: RUF012

    def __init__(self, rewards: tuple[float, float], leaves: bool = False) -> None:
        super().__init__()
        self.given, self.leaves = rewards, leaves

    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        self.agents, self.clock = list(self.possible_agents), 0
        return {a: np.zeros(2, np.float32) for a in self.agents}, {a: {} for a in self.agents}

    def step(self, actions: Any) -> Any:
        self.clock += 1
        acted = list(self.agents)
        given = dict(zip(self.possible_agents, self.given, strict=True))
        over = {a: self.clock == (2 if self.leaves and a == "blue_0" else 4) for a in acted}
        self.agents = [a for a in acted if not over[a]]
        seen = {a: np.full(2, self.clock, np.float32) for a in acted}
        return seen, {a: given[a] for a in acted}, over, dict.fromkeys(acted, False), {}


@pytest.mark.parametrize(
    ("rewards", "leaves", "outcomes"),
    [
        ((1.0, -1.0), False, {0: 1.0, 1: 0.0}),
        ((0.1, 0.3), False, {0: 0.0, 1: 1.0}),
        ((0.1, 0.1), False, {0: 0.5, 1: 0.5}),
        ((1.0, 3.0), True, {0: 0.0}),  # 4 against 6: what blue earned before it left counts
        ((np.inf, 1.0), False, {}),
    ],
)
def test_between_two_sides_more_reward_wins(
    rewards: tuple[float, float], leaves: bool, outcomes: dict[int, float]
) -> None:
    engine = from_callable(lambda: Pair(rewards, leaves))(1)
    started(engine)
    for _ in range(2):  # games: nothing is carried over
        told = {}
        for _ in range(4):
            engine.step(0, 1)
            told |= {int(each["seat"]): float(each["outcome"]) for each in engine.records(0, 1)}
        assert {seat: found for seat, found in told.items() if not np.isnan(found)} == outcomes
        assert len(told) == 2


def test_unequal_teams_have_no_outcome() -> None:
    engine = make(time_limit=2)
    started(engine)
    engine.step(0, 1)
    engine.step(0, 1)
    records = engine.records(0, 1)
    assert len(records) == 3
    assert np.isnan(records["outcome"]).all()
