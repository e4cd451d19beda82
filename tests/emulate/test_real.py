"""Real environments from their packages, trained through the command line: CI's half of them.

All of them, for longer: `python benchmarks/environments.py`.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

SMALL = ["--train.steps=3e3", "--vector.num-envs=4", "--train.horizon=32", "--train.minibatches=2"]
SMALL += ["--eval.envs=2", "--eval.quota=1", "--eval.max-steps=2e3", "--workers=2"]

ENVIRONMENTS = {
    "gymnasium:Acrobot-v1": [],
    "gymnasium:Pendulum-v1": [],
    "gymnasium:Taxi-v4": [],  # one-hot places, and masks in its infos
    "gymnasium:Blackjack-v1": [],  # a tuple of three numbers
    "gymnasium:LunarLander-v3": ["--env.stack=2"],
    "gymnasium:minigrid:MiniGrid-DoorKey-5x5-v0": ["--env.drop=mission", "--policy.memory=lstm"],
    "pettingzoo:butterfly.knights_archers_zombies_v11": [],  # agents that die at their own time
    "pettingzoo:sisl.pursuit_v5": [],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_trains(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "skipjack", "train", name, *SMALL, *ENVIRONMENTS[name]]
    done = subprocess.run(
        [*command, "--run=it", "--json"], cwd=tmp_path, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout.splitlines()[-1])
    assert (row["env"], row["steps"] >= 3000) == (name, True)
    updates = [json.loads(line) for line in (tmp_path / "runs/it/metrics.jsonl").open()]
    losses = [row for row in updates if "losses/total" in row]
    assert losses
    assert all(math.isfinite(row["losses/total"]) for row in losses)
