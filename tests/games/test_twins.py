"""Every native game against its slow Python twin: equal on random play, to the bit."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from skipjack import registry
from skipjack.rows import Rows, identity_rows
from skipjack.seeding import env_seeds
from tests.games.test_contract import engine_of
from tests.reference.breakout import Breakout
from tests.reference.cartpole import CartPole
from tests.reference.connect_four import ConnectFour
from tests.reference.game_2048 import Game2048
from tests.reference.grid import Maze, World
from tests.reference.moba import Moba
from tests.reference.pong import Pong
from tests.reference.rock_paper_scissors import RockPaperScissors
from tests.reference.sanity import (
    Bandit,
    Continuous,
    Memory,
    Multiagent,
    Password,
    ResetLeak,
    Spaces,
    Squared,
    Stochastic,
    Truncation,
)
from tests.reference.snake import Snake
from tests.reference.tic_tac_toe import TicTacToe
from tests.reference.twin import Step

ENVS = 4

CASES: dict[str, tuple[Any, str, dict[str, Any], int]] = {
    "breakout": (Breakout, "breakout", {"time_limit": 4000}, 1500),
    "breakout small ball": (Breakout, "breakout", {"ball_size": 8.0, "frame_skip": 8}, 600),
    "breakout skip 1": (Breakout, "breakout", {"frame_skip": 1, "balls": 2}, 1500),
    "breakout continuous": (Breakout, "breakout", {"continuous": True, "time_limit": 900}, 800),
    "pong": (Pong, "pong", {"time_limit": 6000}, 3000),
    "pong easy": (Pong, "pong", {"opponent_speed": 2.0, "frame_skip": 1}, 4000),
    "pong two": (Pong, "pong/two", {}, 3000),
    "cartpole": (CartPole, "cartpole", {"time_limit": 40}, 1000),
    "connect_four": (ConnectFour, "connect_four", {}, 600),
    "connect_four random": (ConnectFour, "connect_four", {"opponent": "random"}, 400),
    "connect_four one ply": (ConnectFour, "connect_four/one_ply", {"time_limit": 9}, 400),
    "connect_four minimax": (ConnectFour, "connect_four", {"opponent": "minimax", "depth": 3}, 12),
    "connect_four minimax 2": (ConnectFour, "connect_four", {"opponent": "minimax_2"}, 60),
    "game_2048": (Game2048, "game_2048", {}, 1500),
    "game_2048 short": (Game2048, "game_2048", {"time_limit": 50}, 300),
    "tic_tac_toe": (TicTacToe, "tic_tac_toe", {}, 600),
    "tic_tac_toe medium": (TicTacToe, "tic_tac_toe/medium", {"time_limit": 5}, 600),
    "tic_tac_toe perfect": (TicTacToe, "tic_tac_toe", {"opponent": "perfect"}, 600),
    "tic_tac_toe one ply": (TicTacToe, "tic_tac_toe", {"opponent": "one_ply"}, 600),
    "tic_tac_toe random": (TicTacToe, "tic_tac_toe", {"opponent": "random"}, 600),
    "rock_paper_scissors": (RockPaperScissors, "rock_paper_scissors", {}, 600),
    "rock_paper_scissors two": (
        RockPaperScissors,
        "rock_paper_scissors",
        {"opponent": "self", "memory": 16, "rounds": 21, "time_limit": 30},
        600,
    ),
    "rock_paper_scissors copycat": (
        RockPaperScissors,
        "rock_paper_scissors",
        {"opponent": "copycat", "time_limit": 7},
        300,
    ),
    "rock_paper_scissors random": (
        RockPaperScissors,
        "rock_paper_scissors",
        {"opponent": "random", "memory": 1, "rounds": 1},
        300,
    ),
    "rock_paper_scissors paper": (
        RockPaperScissors,
        "rock_paper_scissors",
        {"opponent": "paper"},
        300,
    ),
    "bandit": (Bandit, "bandit", {}, 500),
    "bandit masked": (Bandit, "bandit/masked", {}, 500),
    "continuous": (Continuous, "continuous", {}, 1000),
    "continuous odd": (Continuous, "continuous", {"time_limit": 7}, 500),
    "maze": (Maze, "grid/maze", {"time_limit": 100}, 1500),
    "maze wide": (
        Maze,
        "grid/maze",
        {"width": 19, "height": 7, "lava": 4, "time_limit": 200},
        1500,
    ),
    "maze keys": (Maze, "grid/keys", {"keys": 6, "lava": 20, "time_limit": 300}, 2500),
    "maze small": (Maze, "grid/keys", {"width": 5, "height": 7, "keys": 2, "time_limit": 60}, 1500),
    "forage": (World, "grid/forage", {"time_limit": 150}, 400),
    "forage full": (
        World,
        "grid/forage",
        {"width": 6, "height": 5, "agents": 4, "food": 11, "continuous": True, "time_limit": 200},
        800,
    ),
    "predator_prey": (
        World,
        "grid/predator_prey",
        {"time_limit": 90, "width": 20, "opponent": "self"},
        200,
    ),
    "predator_prey scripted": (
        World,
        "grid/predator_prey",
        {"opponent": "scripted", "time_limit": 60, "width": 20, "height": 15},
        250,
    ),
    "predator_prey random": (
        World,
        "grid/predator_prey",
        {"opponent": "random", "time_limit": 40, "width": 12, "height": 9, "continuous": True},
        150,
    ),
    "group": (World, "grid/group", {"time_limit": 90, "width": 14, "height": 9}, 200),
    "memory": (Memory, "memory", {}, 1000),
    "memory long": (Memory, "memory", {"symbols": 5, "delay": 9, "time_limit": 12}, 1000),
    "moba": (Moba, "moba", {"time_limit": 260}, 300),
    "moba small": (Moba, "moba/small", {"time_limit": 700, "shared": 0.25}, 1200),
    "moba small random": (Moba, "moba/small", {"opponent": "random", "time_limit": 300}, 400),
    "multiagent": (Multiagent, "multiagent", {}, 200),
    "password": (Password, "password", {"password": 0b01000}, 1000),
    "password short": (Password, "password", {"time_limit": 3}, 200),
    "spaces": (Spaces, "spaces", {}, 500),
    "stochastic": (Stochastic, "stochastic", {}, 1000),
    "stochastic short": (Stochastic, "stochastic", {"length": 9, "time_limit": 7}, 500),
    "truncation": (Truncation, "truncation", {}, 1000),
    "reset_leak": (ResetLeak, "reset_leak", {"time_limit": 6}, 1000),
    "squared": (Squared, "squared", {}, 1000),
    "snake": (Snake, "snake", {"time_limit": 300}, 3000),
    "snake full": (Snake, "snake", {"width": 4, "height": 3, "food": 5, "time_limit": 90}, 3000),
    "snake small": (Snake, "snake/small", {"width": 12, "height": 9, "food": 9}, 2000),
    "snake crowd": (
        Snake,
        "snake/small",
        {"width": 15, "height": 14, "snakes": 16, "food": 80, "max_length": 7, "time_limit": 60},
        1500,
    ),
    "squared large": (Squared, "squared", {"size": 7, "time_limit": 60}, 1000),
}


def actions_of(engine: Any, steps: int, seed: int = 0) -> Any:
    """Actions that last some steps, so that play goes somewhere; (steps, rows, width)."""
    generator = np.random.default_rng(seed)
    rows = ENVS * engine.seats
    drawn = engine.action.draw(generator, steps * rows).reshape(steps, rows, engine.action.width)
    if not engine.action.is_discrete:
        drawn[..., len(engine.action.counts) :] *= 1.5  # real numbers out of bounds too
    keep = generator.random((steps, rows)) < 0.6
    for t in range(1, steps):
        drawn[t] = np.where(keep[t][:, None], drawn[t - 1], drawn[t])
    return drawn


def assert_same(step: Step, engine: Any, rows: Rows, env: int, where: str, exact: bool) -> None:
    first = env * engine.seats

    def same(a: Any, b: Any, what: str) -> None:
        a, b = np.asarray(a), np.asarray(b)
        equal = np.array_equal(a, b, equal_nan=True)
        near = equal or (not exact and np.allclose(a, b, rtol=0, atol=1e-6))
        assert near, f"{what} at {where}:\n{a}\n{b}"

    records = engine.records(env, env + 1)
    assert len(records) == len(step.records), where
    for seat in range(engine.seats):
        row = first + seat
        same(rows.observations[row], step.observations[seat], "observations")
        if rows.action_mask is not None:
            same(rows.action_mask[row], step.masks[seat], "mask")
        same(rows.rewards[row], np.float32(step.rewards[seat]), "rewards")
        assert rows.terminated[row] == np.broadcast_to(step.terminated, engine.seats)[seat], where
        assert rows.truncated[row] == np.broadcast_to(step.truncated, engine.seats)[seat], where
        if rows.truncated[row]:
            same(rows.final[row], step.final[seat], "final")
    for record, wanted in zip(records, step.records, strict=True):
        for name in ("seat", "episode", "length", "return", "truncated", "partial"):
            assert record[name] == wanted[name], f"{name} at {where}"
        same(record["score"], np.float32(wanted["score"]), "score")
        same(record["outcome"], np.float32(wanted["outcome"]), "outcome")
        same(record["stats"], np.array(wanted["stats"], np.float32), "stats")


@pytest.mark.parametrize("case", CASES)
def test_twin(case: str) -> None:
    twin_class, name, changes, steps = CASES[case]
    engine = engine_of(name, ENVS, **changes)
    rows = Rows.allocate(ENVS * engine.seats, engine.observation, engine.action)
    engine.bind(rows, identity_rows(ENVS, engine.seats), False)
    seeds = env_seeds(5, 0, ENVS)
    engine.reset(0, ENVS, seeds)
    twins = [twin_class(int(seed), engine.config) for seed in seeds]
    for env, seat in itertools.product(range(ENVS), range(engine.seats)):
        first = twins[env].observations()[seat]
        assert np.array_equal(rows.observations[env * engine.seats + seat], first)
    exact = name != "cartpole"  # its sine is a polynomial: equal to 1e-14, not to the bit
    ended = 0
    for t, actions in enumerate(actions_of(engine, steps)):
        rows.actions[:] = actions
        engine.step(0, ENVS)
        for env, twin in enumerate(twins):
            mine = actions[env * engine.seats : (env + 1) * engine.seats]
            step = twin.step(list(mine))
            assert_same(step, engine, rows, env, f"step {t}, env {env}", exact)
            ended += len(step.records)
    assert ended > 0, "no episode ended: play longer"


def test_every_game_has_a_twin() -> None:
    assert {name.partition("/")[0] for _, name, _, _ in CASES.values()} == set(registry.GAMES)


def test_breakout_twin_plays_on_with_a_good_player() -> None:
    """Random play seldom leaves the lower rows: a player that follows the ball sees both walls."""
    engine = engine_of("breakout", ENVS, time_limit=60_000, desynchronise=False)
    rows = Rows.allocate(ENVS, engine.observation, engine.action)
    engine.bind(rows, identity_rows(ENVS, 1), False)
    seeds = env_seeds(1, 0, ENVS)
    engine.reset(0, ENVS, seeds)
    twins = [Breakout(int(seed), engine.config) for seed in seeds]
    generator = np.random.default_rng(0)
    best = 0.0
    for t in range(2500):
        off = rows.observations[:, 5] * 96 + generator.uniform(-25, 25, ENVS)
        rows.actions[:, 0] = np.where(off < -12, 1, np.where(off > 12, 2, 0))
        chosen = rows.actions.copy()
        engine.step(0, ENVS)
        for env, twin in enumerate(twins):
            assert_same(twin.step([chosen[env]]), engine, rows, env, f"step {t}, env {env}", True)
        best = max(best, float(rows.observations[:, 7].max()) * 864)
    assert best > 432, f"the second wall was never reached: {best} points"
