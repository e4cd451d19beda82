"""What emulation adds to a Python environment's step, as JSON on standard output.

    python benchmarks/emulation.py [ID ...] > emulation.json

A bare loop over `gymnasium.make(ID)` (actions given, episodes reset) against `skipjack.make` of the
same env in one process, the same actions for both, in turn. `added` is what a step takes longer, in
microseconds: the median of seven pairs, with the lowest and highest.
"""

from __future__ import annotations

import json
import platform
import statistics
import sys
import time

import gymnasium

import skipjack

IDS = ("CartPole-v1", "Acrobot-v1", "MountainCarContinuous-v0")
STEPS = 20_000
PAIRS = 7


def bare(name: str, actions: list[object]) -> float:
    """Microseconds a step of the env alone."""
    env = gymnasium.make(name, disable_env_checker=True)
    env.reset(seed=1)
    began = time.perf_counter()
    for action in actions:
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()
    return (time.perf_counter() - began) / len(actions) * 1e6


def emulated(name: str, rows: list[object]) -> float:
    """Microseconds a step of the env as rows; one env, so that each step is a whole `send` and `recv`."""
    vector = skipjack.make(f"gymnasium:{name}", num_envs=1, workers=1)
    engine = vector.engine
    vector.reset(1)
    actions = vector.rows.actions
    began = time.perf_counter()
    for row in rows:
        actions[0] = row
        engine.step(0, 1)
    spent = time.perf_counter() - began
    vector.close()
    return spent / len(rows) * 1e6


def main() -> None:
    """Measure every env."""
    results = {}
    for name in sys.argv[1:] or IDS:
        space = gymnasium.make(name).action_space
        space.seed(1)
        actions = [space.sample() for _ in range(STEPS)]
        pairs = [(bare(name, actions), emulated(name, actions)) for _ in range(PAIRS)]
        added = [two - one for one, two in pairs]
        results[name] = {
            "bare": statistics.median(one for one, _ in pairs),
            "emulated": statistics.median(two for _, two in pairs),
            "added": statistics.median(added),
            "low": min(added),
            "high": max(added),
        }
    print(json.dumps({"machine": platform.processor(), "microseconds a step": results}, indent=1))


if __name__ == "__main__":
    main()
