"""Agent steps a second of Atari games, beside a bare loop of the emulator and other libraries, as JSON.

    python benchmarks/atari.py [--games pong breakout] [--seconds 3] [--turns 3] > atari.json

Random actions, frame skip 4, no sticky actions, everything in turns in one run, with nothing else on the
machine. One core: a bare `ALEInterface.act` loop, Skipjack's lean pipeline (105 x 80 by stride, gray, one
frame) and its standard one (84 x 84 x 4, pooled), ale-py's vector env. All cores: Skipjack with a worker
each and two groups, ale-py's vector env and, where it is installed, envpool, both in step and
asynchronously (half of the envs at a time), with 84 x 84 x 4; and Skipjack's lean one.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Generator
from typing import Any

import numpy as np

import skipjack

ENVS = 16
"""Envs that are stepped at once; twice as many where half of them are."""
STANDARD = {"resize": "area", "max_pool": True, "stack": 4}


def bare(game: str) -> Generator[int]:
    """One console, no observations: the limit. Yields the steps of each piece."""
    import ale_py
    from ale_py import roms

    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    ale = ale_py.ALEInterface()
    ale.setFloat("repeat_action_probability", 0.0)
    ale.loadROM(roms.get_rom_path(game))
    actions = ale.getMinimalActionSet()
    generator = np.random.default_rng(0)
    while True:
        for action in generator.integers(0, len(actions), 64).tolist():
            for _ in range(4):
                ale.act(actions[action])
            if ale.game_over():
                ale.reset_game()
        yield 64


def ours(game: str, workers: int, **settings: Any) -> Generator[int]:
    """Skipjack's vector; one worker is this process, more have two groups."""
    groups = min(workers, 2)
    config = {"desynchronise": False, **settings}
    with contextlib.closing(
        skipjack.make(f"atari:{game}", ENVS * groups, workers=workers, groups=groups, config=config)
    ) as vector:
        vector.reset(0)
        generator = np.random.default_rng(0)
        while True:
            vector.send(vector.action.draw(generator, ENVS))
            vector.recv()
            yield ENVS


def ale_vector(game: str, threads: int, ahead: bool = False) -> Generator[int]:
    """ale-py's own vector env, 84 x 84 x 4; `ahead`: asynchronously."""
    from ale_py.vector_env import AtariVectorEnv

    settings: Any = {"num_threads": threads, "repeat_action_probability": 0.0, "noop_max": 30}
    envs: Any = AtariVectorEnv(
        game=game, num_envs=ENVS * (1 + ahead), batch_size=ENVS * ahead, **settings
    )
    with contextlib.closing(envs):
        count = int(envs.single_action_space.n)
        envs.reset()
        generator = np.random.default_rng(0)
        if ahead:
            envs.send(generator.integers(0, count, ENVS))
        while True:
            if ahead:
                envs.recv()
                envs.send(generator.integers(0, count, ENVS))
            else:
                envs.step(generator.integers(0, count, ENVS))
            yield ENVS


def envpool_vector(game: str, threads: int, ahead: bool = False) -> Generator[int]:
    """envpool, 84 x 84 x 4; `ahead`: asynchronously."""
    import envpool

    title = "".join(word.title() for word in game.split("_"))
    envs = envpool.make_gymnasium(
        f"{title}-v5", num_envs=ENVS * (1 + ahead), batch_size=ENVS, num_threads=threads
    )
    with contextlib.closing(envs):
        count = int(envs.action_space.n)
        generator = np.random.default_rng(0)
        if ahead:
            envs.async_reset()
        else:
            envs.reset()
        while True:
            actions = generator.integers(0, count, ENVS)
            if ahead:
                envs.send(actions, envs.recv()[4]["env_id"])
            else:
                envs.step(actions)
            yield ENVS


def timed(pieces: Generator[int], seconds: float) -> float:
    """Steps a second over so many seconds, after a start."""
    for _ in range(20):
        next(pieces)
    began, steps = time.perf_counter(), 0
    while (spent := time.perf_counter() - began) < seconds:
        steps += next(pieces)
    return steps / spent


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--games", nargs="+", default=["pong", "breakout"])
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--turns", type=int, default=3)
    given = parser.parse_args()
    cores = os.cpu_count() or 1
    kinds: dict[str, Callable[[str], Generator[int]]] = {
        "bare loop, one core": bare,
        "skipjack lean, one core": lambda game: ours(game, 1),
        "skipjack standard, one core": lambda game: ours(game, 1, **STANDARD),
        "ale-py vector, one core": lambda game: ale_vector(game, 1),
        f"skipjack lean, {cores} workers": lambda game: ours(game, cores),
        f"skipjack standard, {cores} workers": lambda game: ours(game, cores, **STANDARD),
        f"ale-py vector, {cores} threads": lambda game: ale_vector(game, cores),
        f"ale-py vector, {cores} threads, asynchronous": lambda game: ale_vector(game, cores, True),
        f"envpool, {cores} threads": lambda game: envpool_vector(game, cores),
        f"envpool, {cores} threads, asynchronous": lambda game: envpool_vector(game, cores, True),
    }
    found: dict[str, Any] = {"machine": platform.platform(), "cores": cores, "games": {}}
    for game in given.games:
        rates: dict[str, list[float]] = {}
        for _ in range(given.turns):
            for name, make in kinds.items():
                try:
                    with contextlib.closing(make(game)) as pieces:
                        rates.setdefault(name, []).append(timed(pieces, given.seconds))
                except ImportError:
                    del rates[name]
        rows = {
            name: {"median": statistics.median(each), "all": each} for name, each in rates.items()
        }
        limit = rows["bare loop, one core"]["median"]
        for row in rows.values():
            row["by bare loop"] = row["median"] / limit
        found["games"][game] = rows
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
