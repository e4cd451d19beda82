"""Worker processes: against one process, against Gymnasium's AsyncVectorEnv, and in training.

    python benchmarks/processes.py > processes.json
    python benchmarks/processes.py --quick

Three comparisons, the candidates of each taking turns; medians of three turns. `serial` and `workers`
step a Python env of 200 us; `peer` steps CartPole and an env with Dict observations in as many envs as
Gymnasium is at its best with, and in ours; `training` sets seconds of a training on two workers beside
the CPU seconds that envs and learner take, shared by two cores. Nothing else may run.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import torch

import skipjack
from skipjack import PPO, Policy, PolicyConfig, TrainConfig

WORKERS = 2


class Busy(gymnasium.Env[Any, Any]):
    """Computes for 200 us a step, in Python, as an env of somebody's would."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (8,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)
    seconds = 200e-6

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode of 500 steps."""
        super().reset(seed=seed)
        self.clock = 0
        return np.zeros(8, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Compute for the time that a step takes; CPU time, so that a busy machine is no help."""
        until = time.thread_time() + self.seconds
        while time.thread_time() < until:
            pass
        self.clock += 1
        seen = np.full(8, self.clock / 500, np.float32)
        return seen, float(action), False, self.clock >= 500, {}


class Parts(Busy):
    """An env with a Dict observation whose rules cost next to nothing."""

    observation_space = gymnasium.spaces.Dict(
        {
            "image": gymnasium.spaces.Box(0, 255, (16, 16, 3), np.uint8),
            "inner": gymnasium.spaces.Dict(
                {
                    "speed": gymnasium.spaces.Box(-1.0, 1.0, (6,), np.float32),
                    "gear": gymnasium.spaces.Discrete(5),
                }
            ),
        }
    )

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode of 500 steps."""
        super().reset(seed=seed)
        return self._seen(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Count."""
        self.clock += 1
        return self._seen(), 1.0, False, self.clock >= 500, {}

    def _seen(self) -> dict[str, Any]:
        speed = np.full(6, self.clock / 500, np.float32)
        image = np.full((16, 16, 3), self.clock % 256, np.uint8)
        return {"image": image, "inner": {"speed": speed, "gear": self.clock % 5}}


def cartpole() -> gymnasium.Env[Any, Any]:
    """Gymnasium's own."""
    return gymnasium.make("CartPole-v1")


def ours(env: Any, num_envs: int, workers: int, groups: int = 1) -> Callable[[float], float]:
    """Measures steps a second of our vector with random actions, in the given seconds."""

    def measure(seconds: float) -> float:
        vector = skipjack.make(env, num_envs=num_envs, workers=workers, groups=groups)
        generator = np.random.default_rng(0)
        size = num_envs // groups
        drawn = [vector.action.draw(generator, size) for _ in range(64)]
        vector.reset(0)
        for _ in range(groups - 1):
            vector.recv()
        for group in range(groups):
            vector.send(drawn[0], group)
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            for actions in drawn:
                vector.send(actions, vector.recv().group)
                count += size
        rate = count / (time.perf_counter() - began)
        vector.close()
        return rate

    return measure


def peers(env: Callable[[], Any], num_envs: int) -> Callable[[float], float]:
    """The same of Gymnasium's AsyncVectorEnv: a process an env, shared memory."""

    def measure(seconds: float) -> float:
        vector = gymnasium.vector.AsyncVectorEnv([env] * num_envs, shared_memory=True, copy=False)
        vector.reset(seed=0)
        drawn = [vector.action_space.sample() for _ in range(64)]
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            for actions in drawn:
                vector.step(actions)
                count += num_envs
                if time.perf_counter() - began >= seconds:
                    break
        rate = count / (time.perf_counter() - began)
        vector.close()
        return rate

    return measure


def paired(
    candidates: dict[str, Callable[[float], float]], turns: int, seconds: float
) -> dict[str, list[float]]:
    """Each candidate's rates, measured in turns."""
    found: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(turns):
        for name, measure in candidates.items():
            found[name].append(measure(seconds))
    return found


def ratio(found: dict[str, list[float]], one: str, other: str) -> float:
    """The median over the turns of one candidate's rate by another's."""
    return statistics.median(a / b for a, b in zip(found[one], found[other], strict=True))


def training(updates: int) -> dict[str, float]:
    """Seconds of some updates with two workers and groups, beside the CPU seconds they are made of."""
    torch.set_num_threads(1)
    vector = skipjack.make(Busy, num_envs=64, workers=WORKERS, groups=2)
    config = TrainConfig(steps=10**9, horizon=64, minibatches=4, epochs=2)
    policy = Policy(vector.observation, vector.action, PolicyConfig(hidden=128))
    trainer = PPO(config, vector, policy)
    trainer.collect()
    trainer.learn()
    steps, cpu, began = trainer.steps, time.process_time(), time.perf_counter()
    for _ in range(updates):
        trainer.collect()
        trainer.learn()
    seconds = time.perf_counter() - began
    learner = time.process_time() - cpu
    steps = trainer.steps - steps
    vector.close()
    # What the envs take is known by their make, and what emulation adds, from one process alone.
    alone = skipjack.make(Busy, num_envs=64, workers=1)
    batch, generator = alone.reset(0), np.random.default_rng(0)
    cpu = time.process_time()
    for _ in range(20):
        batch = alone.step(alone.action.draw(generator, len(batch.alive)))
    env = (time.process_time() - cpu) / (20 * 64) * steps
    alone.close()
    return {
        "seconds": seconds,
        "env_cpu_seconds": env,
        "learner_cpu_seconds": learner,
        "ratio": seconds / ((env + learner) / 2),
    }


def main() -> None:
    """Measure all and print JSON."""
    parser = argparse.ArgumentParser(description="Measure worker processes.")
    parser.add_argument("--quick", action="store_true", help="a few seconds: does it run at all?")
    quick = parser.parse_args().quick
    turns, seconds = (1, 0.5) if quick else (3, 4.0)
    found = {"workers": WORKERS, "turns": turns}
    rates = paired(
        {"serial": ours(Busy, 32, 1), "processes": ours(Busy, 32, WORKERS)}, turns, seconds
    )
    report: dict[str, Any] = {
        "busy": {"rates": rates, "processes by serial": ratio(rates, "processes", "serial")}
    }
    envs: dict[str, Callable[[], Any]] = {"cartpole": cartpole, "dict": Parts}
    for name, env in envs.items():
        sizes = (2, 16) if quick else (2, 4, 8, 16, 32)
        candidates = {f"gymnasium, {size} envs": peers(env, size) for size in sizes}
        candidates |= {f"skipjack, {size} envs": ours(env, size, WORKERS) for size in (*sizes, 128)}
        rates = paired(candidates, turns, seconds)
        best = max((c for c in rates if "gym" in c), key=lambda c: statistics.median(rates[c]))
        report[name] = {
            "rates": rates,
            "at gymnasium's best": {
                "gymnasium": best,
                "same envs": ratio(rates, best.replace("gymnasium", "skipjack"), best),
                "128 envs": ratio(rates, "skipjack, 128 envs", best),
            },
        }
    trained = [training(2 if quick else 6) for _ in range(turns)]
    report["training"] = {
        "turns": trained,
        "ratio": statistics.median(turn["ratio"] for turn in trained),
    }
    report["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found | report, indent=1))


if __name__ == "__main__":
    main()
