"""Agent steps a second of Atari games, beside a bare loop of the emulator and other libraries, as JSON.

    python benchmarks/atari.py [--games pong breakout] [--seconds 3] [--turns 3] > atari.json

Random actions, frame skip 4, no sticky actions, everything in turns in one run, with nothing else on the
machine. One core: a bare `ALEInterface.act` loop, Skipjack's lean pipeline (105 x 80 by stride, gray, one
frame) and its standard one (84 x 84 x 4, pooled). All cores: Skipjack with a worker each, ale-py's vector
env and, where it is installed, envpool, with 84 x 84 x 4, and Skipjack's lean one.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import skipjack

ENVS = 16
STANDARD = {"resize": "area", "max_pool": True, "stack": 4}


def bare(game: str) -> Iterator[int]:
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


def ours(game: str, workers: int, **settings: Any) -> Iterator[int]:
    """Skipjack's vector; one worker is this process."""
    config = {"desynchronise": False, **settings}
    vector = skipjack.make(f"atari:{game}", ENVS, workers=workers, config=config)
    vector.reset(0)
    generator = np.random.default_rng(0)
    try:
        while True:
            vector.step(vector.action.draw(generator, ENVS))
            yield ENVS
    finally:
        vector.close()


def ale_vector(game: str, threads: int) -> Iterator[int]:
    """ale-py's own vector env, 84 x 84 x 4."""
    from ale_py.vector_env import AtariVectorEnv

    envs = AtariVectorEnv(
        game=game, num_envs=ENVS, num_threads=threads, repeat_action_probability=0.0, noop_max=30
    )
    return stepped(envs, int(envs.single_action_space.n))


def envpool_vector(game: str, threads: int) -> Iterator[int]:
    """envpool, 84 x 84 x 4, synchronous."""
    import envpool

    title = "".join(word.title() for word in game.split("_"))
    envs = envpool.make_gymnasium(f"{title}-v5", num_envs=ENVS, num_threads=threads)
    return stepped(envs, int(envs.action_space.n))


def stepped(envs: Any, count: int) -> Iterator[int]:
    """Another library's envs under random actions."""
    envs.reset()
    generator = np.random.default_rng(0)
    while True:
        envs.step(generator.integers(0, count, ENVS))
        yield ENVS


def timed(pieces: Iterator[int], seconds: float) -> float:
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
    kinds: dict[str, Callable[[str], Iterator[int]]] = {
        "bare loop, one core": bare,
        "skipjack fast, one core": lambda game: ours(game, 1),
        "skipjack standard, one core": lambda game: ours(game, 1, **STANDARD),
        "ale-py vector, one core": lambda game: ale_vector(game, 1),
        f"skipjack fast, {cores} workers": lambda game: ours(game, cores),
        f"skipjack standard, {cores} workers": lambda game: ours(game, cores, **STANDARD),
        f"ale-py vector, {cores} threads": lambda game: ale_vector(game, cores),
        f"envpool, {cores} threads": lambda game: envpool_vector(game, cores),
    }
    found: dict[str, Any] = {"machine": platform.platform(), "cores": cores, "games": {}}
    for game in given.games:
        rates: dict[str, list[float]] = {}
        for _ in range(given.turns):
            for name, make in kinds.items():
                try:
                    rates.setdefault(name, []).append(timed(make(game), given.seconds))
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
