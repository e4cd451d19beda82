"""What each option of policy and trainer brings: steps and seconds of training to a score.

    python benchmarks/options.py [--seeds 3] [--out options.json]

Each option is one change to a preset's settings, tried beside the preset itself, seed by seed, in
processes of their own. A run ends when the mean over an update's episodes (at least 20) reaches the
target, or at its limit of steps; schedules run over the preset's whole budget all the same. What a preset
has already is left out. Results are kept after each run; started again, it goes on.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

TARGETS = {"breakout": 0.5, "pong/lstm": 0.95}
LIMITS = {"breakout": 24_000_000, "pong/lstm": 7_000_000}
"""Steps after which a run is given up: about three times what the preset takes."""

OPTIONS: dict[str, dict[str, Any]] = {
    "the preset": {},
    "Muon": {"train.optimiser": "muon"},
    "constant learning rate": {"train.schedule": "constant"},
    "cosine instead of linear": {"train.schedule": "cosine"},
    "warm-up over 2 %": {"train.warmup": 0.02},
    "one epoch": {"train.epochs": 1},
    "two epochs": {"train.epochs": 2},
    "three epochs": {"train.epochs": 3},
    "two epochs, importance clip 1": {"train.epochs": 2, "train.importance_clip": 1.0},
    "priority 0.6": {"train.priority": 0.6},
    "target KL 0.03, three epochs": {"train.target_kl": 0.03, "train.epochs": 3},
    "two pieces a minibatch": {"train.accumulate": 2},
    "normalised rewards": {"train.normalise_rewards": True, "train.reward_scale": 1.0},
    "separate critic": {"policy.separate_value": True},
    "GRU": {"policy.memory": "gru"},
    "minGRU": {"policy.memory": "mingru"},
}


def one(env: str, seed: int, changes: dict[str, Any]) -> dict[str, Any]:
    """Train until the target; steps and seconds of training, None where it was not reached."""
    import torch

    from skipjack.run.config import configure
    from skipjack.run.envs import make_vector
    from skipjack.run.wiring import make_policy
    from skipjack.train.ppo import PPO

    configured = configure(env, flags={"seed": seed} | changes)
    config = configured.config
    vector = make_vector(configured, config.vector.num_envs)
    policy = make_policy(configured, vector, torch.device("cpu"))
    trainer = PPO(config.train, vector, policy, seed=seed)
    best = 0.0
    trainer.profile.take()
    while trainer.steps < LIMITS[env]:
        trainer.collect()
        progress = trainer.summarise(trainer.learn())
        if progress.episodes >= 20:
            best = max(best, progress.means["score"])
        if best >= TARGETS[env]:
            return {"steps": trainer.steps, "seconds": trainer.seconds, "best": best}
    return {"steps": None, "seconds": None, "best": best}


def is_left_out(env: str, changes: dict[str, Any]) -> bool:
    """Whether the preset has these settings already, or no memory to replace."""
    from skipjack.config import flatten
    from skipjack.run.config import configure

    values = flatten(configure(env).config)
    if "policy.memory" in changes and values["policy.memory"] == "none":
        return True
    return all(values[name] == value for name, value in changes.items())


def table(found: dict[str, dict[str, Any]], env: str, seeds: int) -> list[dict[str, Any]]:
    """Medians by option, where every seed is there."""
    rows = []
    for option in OPTIONS:
        runs = [found.get(f"{env} | {option} | {seed}") for seed in range(1, seeds + 1)]
        done = [run for run in runs if run is not None]
        reached = [run for run in done if run["steps"] is not None]
        if len(done) < seeds:
            continue
        row: dict[str, Any] = {"option": option, "reached": f"{len(reached)} of {seeds}"}
        if len(reached) * 2 > seeds:
            row["steps"] = statistics.median(run["steps"] for run in reached)
            row["seconds"] = statistics.median(run["seconds"] for run in reached)
        else:
            row["best"] = statistics.median(run["best"] for run in done)
        rows.append(row)
    return rows


def main() -> None:
    """Run what is missing and print the tables as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("options.json"))
    parser.add_argument("--one", nargs=3)
    wanted = parser.parse_args()
    if wanted.one:
        env, seed, changes = wanted.one
        print(json.dumps(one(env, int(seed), json.loads(changes))))
        return
    found = json.loads(wanted.out.read_text()) if wanted.out.exists() else {}
    for seed in range(1, wanted.seeds + 1):
        for env in TARGETS:
            for option, changes in OPTIONS.items():
                key = f"{env} | {option} | {seed}"
                if key in found or (changes and is_left_out(env, changes)):
                    continue
                done = subprocess.run(
                    [sys.executable, __file__, "--one", env, str(seed), json.dumps(changes)],
                    capture_output=True,
                    text=True,
                    check=True,
                )
                found[key] = json.loads(done.stdout.splitlines()[-1])
                print(key, found[key], file=sys.stderr, flush=True)
                wanted.out.write_text(json.dumps(found, indent=1))
    print(json.dumps({env: table(found, env, wanted.seeds) for env in TARGETS}, indent=1))


if __name__ == "__main__":
    main()
