"""Random legal and illegal actions for every game, and what must hold of whatever comes of them.

    python -m tests.games.fuzz --steps 10_000_000 [NAME ...]

`make sanitize` runs that on a build that watches addresses.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

import numpy as np

from skipjack import registry
from skipjack.games.moba.heroes import CLASSES
from skipjack.rows import Rows, identity_rows
from skipjack.seeding import env_seeds
from tests.games.test_contract import engine_of

OF_SOME = ("win_", "score_", *(f"{each}_" for each in CLASSES))
"""Beginnings of statistics of one side or class: NaN for the seats that did not play it."""

ROWS = 2048
"""Rows that are stepped together, as far as worlds of many seats allow."""

LARGEST = 64 * 2**20
"""Bytes that the envs of one game may take together, and one world in any case."""

BESIDE: dict[str, dict[str, Any]] = {
    "grid/predator_prey": {"opponent": "self"},
    "moba": {"opponent": "lane_pusher", "time_limit": 1000},
    "moba/small": {"opponent": "retreat_when_low", "time_limit": 1000},
}
"""Settings with which a game is played once more: those of another number of seats than its preset's.

Heroes that act at random seldom leave their base: a scripted team comes to them.
"""

WILD = [np.nan, np.inf, -np.inf, 1e30, -1e30, 0.0]

UNLIKE = {"pong/lstm"}
"""Presets whose envs are those of another one."""

SHORT = {
    "breakout": {"time_limit": 3000},
    "pong": {"time_limit": 3000},
    "snake": {"time_limit": 200, "width": 12, "height": 9},
    "snake/small": {"time_limit": 100, "width": 17, "height": 13, "food": 60, "max_length": 9},
    "grid": {"width": 5, "height": 5, "time_limit": 100},
    "grid/keys": {"keys": 6, "lava": 30, "time_limit": 100},
    "grid/forage": {"width": 9, "height": 9, "continuous": True, "time_limit": 99},
    "grid/predator_prey": {"width": 12, "height": 9, "time_limit": 99},
    "grid/group": {"width": 12, "height": 9, "time_limit": 99},
}
"""Settings under which a million steps see many episodes, crowds and ends of worlds."""


def names() -> list[str]:
    """Every native game with its variants."""
    games = [name for name in registry.names() if registry.resolve(name).game in registry.GAMES]
    return [name for name in games if name not in UNLIKE]


def started(name: str, most: int = ROWS, seed: int = 0, **beside: Any) -> tuple[Any, Rows, int]:
    """An engine just reset that takes any action, its rows, and its number of envs."""
    changes = SHORT.get(name, {}) | beside
    one = engine_of(name, 1, **changes)
    envs = max(1, min(most // one.seats, LARGEST // one.env_nbytes))
    engine = engine_of(name, envs, **changes)
    engine.check_actions = lambda lo, hi: None  # a checked build refuses wild ones
    rows = Rows.allocate(envs * engine.seats, engine.observation, engine.action)
    engine.bind(rows, identity_rows(envs, engine.seats), False)
    engine.reset(0, envs, env_seeds(seed, 0, envs))
    return engine, rows, envs


def act(engine: Any, rows: Rows, generator: np.random.Generator) -> None:
    """Legal actions for most rows; for a few any that the space has, and for a few nonsense."""
    count = len(rows.actions)
    rows.actions[:] = engine.action.draw(generator, count, rows.action_mask)
    free = generator.random(count) < 0.02
    rows.actions[free] = engine.action.draw(generator, int(free.sum()))
    wild = np.flatnonzero(generator.random(count) < 0.02)
    if engine.action.is_discrete:
        low = -(2**31)
        rows.actions[wild] = generator.integers(low, -low, (len(wild), engine.action.width))
    else:
        rows.actions[wild] = generator.choice(WILD, (len(wild), engine.action.width))


def assert_sound(engine: Any, rows: Rows, records: Any) -> None:
    """What holds of every game after every step."""
    for field in engine.observation.fields:
        part = engine.observation.unpack(rows.observations)[field.name]
        low, high = part.min(), part.max()
        assert np.isfinite(low), field.name
        assert field.low <= low, (field.name, low)
        assert high <= field.high, (field.name, high)
    assert np.isfinite(rows.rewards).all()
    assert not (rows.terminated & rows.truncated).any()
    assert len(records) == int((rows.terminated | rows.truncated).sum())
    assert ((records["score"] >= 0) & (records["score"] <= 1)).all()
    assert (np.isin(records["outcome"], (0, 0.5, 1)) | np.isnan(records["outcome"])).all()
    assert (records["length"] >= 0).all()
    for name, values in zip(engine.statistics, records["stats"].T, strict=True):
        if name.startswith(OF_SOME):
            assert not np.isinf(values).any(), name
        else:
            assert np.isfinite(values).all(), name
    assert np.isfinite(records["return"]).all()
    if rows.action_mask is not None:
        assert rows.action_mask.max() == 1, "somebody may always act"
        may = rows.action_mask.any(axis=1).reshape(-1, engine.seats)
        assert may.any(axis=1).all(), "in every env"


def may_act(rows: Rows) -> int:
    """Rows whose action counts: those that wait may send anything, and it is ignored."""
    mask = rows.action_mask
    return int((rows.alive if mask is None else rows.alive & mask.any(axis=1)).sum())


def fuzz(name: str, steps: int, seed: int = 0, **beside: Any) -> int:
    """Play a game for so many steps of rows that may act, or a few more; gives the episodes that ended."""
    engine, rows, envs = started(name, seed=seed, **beside)
    generator, episodes, taken = np.random.default_rng(seed), 0, 0
    while taken < steps:
        taken += may_act(rows)
        act(engine, rows, generator)
        engine.step(0, envs)
        records = engine.records(0, envs)
        episodes += len(records)
        assert_sound(engine, rows, records)
    return episodes


def main() -> None:
    """Fuzz games by name, or all; a line of JSON each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for name in given.names or names():
        for beside in ({}, BESIDE[name]) if name in BESIDE else ({},):
            began = time.perf_counter()
            episodes = fuzz(name, given.steps, given.seed, **beside)
            seconds = round(time.perf_counter() - began, 1)
            row = {"env": name, **beside, "steps": given.steps, "episodes": episodes}
            print(json.dumps(row | {"seconds": seconds}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
