"""The engine contract over every game, and the parity of settings."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import numpy as np
import pytest

from skipjack import registry
from skipjack.testing.corridor import Corridor
from skipjack.testing.engine import EngineContract
from skipjack.vector import Serial


def engine_of(name: str, num_envs: int, **changes: Any) -> Any:
    engine_class = registry.load(registry.resolve(name).target)
    values = dict(registry.preset(name).get("env", {})) | changes
    return engine_class(num_envs, engine_class.Config(**values))


class GameContract(EngineContract):
    """The contract of a game by name, cut after `limit` ticks; 0 for one whose episodes end at once."""

    name, limit = "", 0
    settings: ClassVar[dict[str, Any]] = {}

    def make_engine(self, num_envs: int, factor: int = 1) -> Any:
        changes = {"time_limit": factor * self.limit} if self.limit else {}
        return engine_of(self.name, num_envs, **self.settings, **changes)

    def make_longer(self, num_envs: int) -> Any:
        return self.make_engine(num_envs, factor=10) if self.limit else None


class TestBreakout(GameContract):
    name, limit = "breakout", 800


class TestBreakoutContinuous(GameContract):
    name, limit = "breakout", 800
    settings: ClassVar[dict[str, Any]] = {"continuous": True}


class TestPong(GameContract):
    name, limit = "pong", 2000


class TestPongTwo(GameContract):
    name, limit = "pong/two", 2000


class TestCartPole(GameContract):
    name, limit = "cartpole", 30


class TestConnectFour(GameContract):
    name, limit = "connect_four", 12


class TestConnectFourOnePly(GameContract):
    name, limit = "connect_four/one_ply", 9


class TestConnectFourMinimax(GameContract):
    name, limit = "connect_four", 9
    settings: ClassVar[dict[str, Any]] = {"opponent": "minimax_2"}


class TestGame2048(GameContract):
    name, limit = "game_2048", 60


class TestTicTacToe(GameContract):
    name, limit = "tic_tac_toe", 4


class TestTicTacToeMedium(GameContract):
    name, limit = "tic_tac_toe/medium", 4


class TestRockPaperScissors(GameContract):
    name, limit = "rock_paper_scissors", 7


class TestRockPaperScissorsTwo(GameContract):
    name, limit, random = "rock_paper_scissors", 7, False
    settings: ClassVar[dict[str, Any]] = {"opponent": "self", "desynchronise": False}


class TestMoba(GameContract):
    name, limit, steps = "moba", 40, 90


class TestMobaSmall(GameContract):
    name, limit, steps = "moba/small", 70, 160
    settings: ClassVar[dict[str, Any]] = {"opponent": "random"}


class TestMobaPusher(GameContract):
    name, limit, steps = "moba/small", 60, 130
    settings: ClassVar[dict[str, Any]] = {"opponent": "retreat_when_low", "shared": 0.3}


class TestBandit(GameContract):
    name = "bandit"


class TestBanditMasked(GameContract):
    name = "bandit/masked"


class TestContinuous(GameContract):
    name, limit = "continuous", 20


class TestMultiagent(GameContract):
    name, random = "multiagent", False


class TestPassword(GameContract):
    name, limit = "password", 4


class TestSpaces(GameContract):
    name = "spaces"


class TestStochastic(GameContract):
    name, limit = "stochastic", 18
    settings: ClassVar[dict[str, Any]] = {"length": 20}


class TestMemory(GameContract):
    name, limit = "memory", 4


class TestTruncation(GameContract):
    name, limit = "truncation", 8


class TestResetLeak(GameContract):
    name, limit = "reset_leak", 6


class TestSquared(GameContract):
    name, limit = "squared", 20


class TestGrid(GameContract):
    name, limit = "grid", 40


class TestGridKeys(GameContract):
    name, limit = "grid/keys", 60
    settings: ClassVar[dict[str, Any]] = {"keys": 4, "lava": 12}


class TestGridForage(GameContract):
    name, limit = "grid/forage", 40
    settings: ClassVar[dict[str, Any]] = {"agents": 2}


class TestGridContinuous(GameContract):
    name, limit = "grid/forage", 40
    settings: ClassVar[dict[str, Any]] = {"continuous": True, "agents": 2}


class TestGridPredatorPrey(GameContract):
    name, limit = "grid/predator_prey", 40
    settings: ClassVar[dict[str, Any]] = {"agents": 3, "predators": 1, "opponent": "self"}


class TestGridPredatorPreyScripted(GameContract):
    name, limit = "grid/predator_prey", 40
    settings: ClassVar[dict[str, Any]] = {"agents": 6, "predators": 3, "opponent": "scripted"}


class TestGridGroup(GameContract):
    name, limit = "grid/group", 40
    settings: ClassVar[dict[str, Any]] = {"agents": 3}


class TestSnake(GameContract):
    name, limit = "snake", 60


class TestSnakeSmall(GameContract):
    name, limit = "snake/small", 60
    settings: ClassVar[dict[str, Any]] = {"snakes": 2, "width": 14, "height": 11, "food": 30}


class TestCorridor(EngineContract):
    def make_engine(self, num_envs: int) -> Any:
        return Corridor(num_envs, Corridor.Config(time_limit=12))

    def make_longer(self, num_envs: int) -> Any:
        return Corridor(num_envs, Corridor.Config(time_limit=120))


@pytest.mark.parametrize("name", sorted(registry.GAMES))
def test_every_game_stands_in_this_file(name: str) -> None:
    game = registry.load(registry.resolve(name).target).__name__
    assert f"Test{game}" in globals()


@pytest.mark.parametrize("name", sorted(registry.GAMES))
def test_native_config_fields_are_settings(name: str) -> None:
    """A field of the C struct that is no setting would be declared twice.

    A game of several engines has settings for each of them, and one, `task`, that says which.
    """
    engine, native = engine_of(name, 1), set()
    for variant in registry.presets(name):
        native |= set(engine_of(f"{name}/{variant}", 1).native_config())
    settings = {field.name for field in dataclasses.fields(engine.Config)}
    assert native <= settings | {"follower"}, native - settings
    everywhere = {"time_limit", "desynchronise", "opponent", "task"}
    assert settings - everywhere <= native, settings - everywhere - native


LIMITS = {
    "breakout": 400,
    "cartpole": 8,
    "connect_four": 6,
    "pong": 800,
    "memory": 5,
    "password": 4,
    "reset_leak": 2,
    "rock_paper_scissors": 9,
}
ONE_STEP = {"bandit", "multiagent", "spaces"}
"""Games whose episodes end with their first step, so that no time limit cuts them."""


@pytest.mark.parametrize("name", sorted(registry.GAMES))
def test_first_episodes_are_desynchronised_and_partial(name: str) -> None:
    """The first time limit is a random share of the whole; every first episode stays out of means."""
    engine = engine_of(name, 64, time_limit=LIMITS.get(name, 20))
    vector = Serial(engine)
    vector.reset(0)
    records = []
    for _ in range(120):
        records.extend(vector.step(np.zeros_like(vector.rows.actions)).episodes)
    assert records
    assert all(record["partial"] == (record["episode"] == 0) for record in records)
    if name in ONE_STEP:
        assert {int(record["length"]) for record in records} == {1}
        return
    cut = {int(r["length"]) for r in records if r["partial"] and r["truncated"]}
    assert len(cut) > 1, "limits were not spread"
    assert max(cut) <= engine.config.time_limit


@pytest.mark.parametrize("name", sorted(registry.GAMES))
def test_synchronised_start_is_whole(name: str) -> None:
    contract = EngineContract()
    contract.make_engine = lambda n: engine_of(name, n, desynchronise=False)  # type: ignore[method-assign]
    _, _, seen = contract.played(num_envs=4, steps=600)
    assert not any(record["partial"] for step in seen for record in step["records"])
