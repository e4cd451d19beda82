"""What the tests of games for two at a board share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from skipjack.rows import Rows, identity_rows
from skipjack.seeding import env_seeds
from tests.games.test_contract import engine_of


def table(name: str, num_envs: int = 1, seed: int = 0, **changes: Any) -> tuple[Any, Rows]:
    """An engine just reset, without first episodes that are cut, and its rows."""
    engine = engine_of(name, num_envs, **{"desynchronise": False} | changes)
    rows = Rows.allocate(num_envs * engine.seats, engine.observation, engine.action)
    engine.bind(rows, identity_rows(num_envs, engine.seats), False)
    engine.reset(0, num_envs, env_seeds(seed, 0, num_envs))
    return engine, rows


def moved(engine: Any, rows: Rows, action: int, env: int = 0) -> Any:
    """The records of a step in which whoever has the move takes an action."""
    rows.actions[env * engine.seats : (env + 1) * engine.seats] = action
    engine.step(env, env + 1)
    return engine.records(env, env + 1)


def legal(engine: Any, rows: Rows, env: int = 0) -> list[int]:
    """What may be done in an env, by whoever has the move."""
    assert rows.action_mask is not None
    mask = rows.action_mask[env * engine.seats : (env + 1) * engine.seats]
    return np.flatnonzero(mask.any(axis=0)).tolist()


def assert_both_sides_see_alike(name: str, board: str) -> None:
    """A position and the one with the sides swapped are the same to swapped seats, over 200 moves.

    Args:
        name: of the game.
        board: the part of its snapshot that holds what lies on the board, a side each.
    """
    engine, rows = table(name, 2)
    generator = np.random.default_rng(0)
    for _ in range(200):
        now = engine.snapshot(0)
        swapped = {board: now[board][::-1], "mover": 1 - now["mover"], "first": 1 - now["first"]}
        engine.inject(1, now | swapped)
        assert rows.action_mask is not None
        assert np.array_equal(rows.observations[:2], rows.observations[3:1:-1])
        assert np.array_equal(rows.action_mask[:2], rows.action_mask[3:1:-1])
        rows.actions[:] = generator.choice(legal(engine, rows))
        engine.step(0, 2)
        assert np.array_equal(rows.rewards[:2], rows.rewards[3:1:-1])
        first, second = engine.records(0, 1), engine.records(1, 2)
        assert np.array_equal(first["stats"], second["stats"][::-1])
        assert np.array_equal(first["outcome"], second["outcome"][::-1])


def walk(name: str, most: int) -> Iterator[tuple[int, int, bool]]:
    """Every sequence of legal moves from the start, up to so many: (length, legal moves after it, over)."""
    engine, rows = table(name, most + 1)

    def after(length: int) -> Iterator[tuple[int, int, bool]]:
        """Env i holds the sequence's first i moves."""
        moves = legal(engine, rows, length)
        yield length, len(moves), False
        if length == most:
            return
        for move in moves:
            engine.clone(length, length + 1)
            if len(moved(engine, rows, move, length + 1)):
                yield length + 1, 0, True
            else:
                yield from after(length + 1)

    return after(0)


def mean_score(name: str, opponent: str, player: str, games: int, **changes: Any) -> float:
    """What a player ("random", or an opponent's name) scores against an opponent, as many games an env."""
    envs = 32
    engine, rows = table(name, envs, opponent=opponent, **changes)
    other = None if player == "random" else engine_of(name, 1, opponent=player, **changes)
    generator, scores = np.random.default_rng(0), np.zeros((envs, 0)).tolist()
    while min(map(len, scores)) < games:
        if other is None:
            rows.actions[:] = engine.action.draw(generator, envs, rows.action_mask)
        else:
            rows.actions[:] = other.scripted(rows.observations)
        engine.step(0, envs)
        for record in engine.records(0, envs):
            scores[record["env"]].append(float(record["score"]))
    return float(np.mean([each[:games] for each in scores]))
