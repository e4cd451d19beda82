"""Other people's environments, trained by `skipjack train`, as JSON on standard output.

    python benchmarks/environments.py [NAME ...] [--folder DIR] [--quick] > environments.json

Each runs 200,000 steps or ten minutes, whichever is first, unless it has a target of its own, on all
cores, with the settings that Python environments have by default but for the flags shown here. Each
needs its own package: `pip install -c constraints.txt -e ".[environments]"`, and Crafter's from its
sources (`pip install crafter`). `curve` is the mean return over training: [steps, seconds, return].
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

MINUTES = 10
STEPS = 200_000

ENVIRONMENTS: dict[str, list[str]] = {
    "gymnasium:CartPole-v1": [],
    "gymnasium:Acrobot-v1": [],
    "gymnasium:Pendulum-v1": ["--train.discount=0.9"],
    "gymnasium:MountainCarContinuous-v0": [],
    "gymnasium:LunarLander-v3": [
        "--train.steps=1500e3",
        "--train.horizon=512",
        "--train.minibatches=16",
        "--train.discount=0.999",
        "--train.trace=0.98",
        "--train.entropy-weight=0.01",
    ],
    "gymnasium:HalfCheetah-v5": ["--train.steps=1000e3"],
    "gymnasium:minigrid:MiniGrid-DoorKey-5x5-v0": [
        "--env.drop=mission",
        "--policy.memory=lstm",
        "--train.steps=400e3",
    ],
    "gymnasium:nle:NetHackScore-v0": [
        """--env.kwargs={"observation_keys": ["glyphs", "blstats", "message"]}""",
        "--train.steps=200e3",
    ],
    "crafter:Env": [],
    "gymnasium:vizdoom.gymnasium_wrapper:VizdoomBasic-v1": ["--train.minibatches=16"],
    "gymnasium:highway_env:highway-fast-v0": ["--train.steps=40e3"],
    "pettingzoo:butterfly.knights_archers_zombies_v11": [],
    "pettingzoo:sisl.pursuit_v5": [],
    "pettingzoo:sisl.multiwalker_v9": [],
}
"""Name -> flags beside the defaults."""


def train(name: str, folder: Path, quick: bool) -> dict[str, Any]:
    """One training: its last JSON line, whether time ended it, and its curve."""
    run = name.replace(":", "-").replace(".", "-")
    flags = list(ENVIRONMENTS[name])
    if quick or not any(flag.startswith("--train.steps") for flag in flags):
        flags = [flag for flag in flags if not flag.startswith("--train.steps")]
        flags.append(f"--train.steps={4000 if quick else STEPS}")
    command = [sys.executable, "-m", "skipjack", "train", name, *flags, "--run", run, "--json"]
    began = time.monotonic()
    child = subprocess.Popen(
        command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        out, errors = child.communicate(timeout=60 * MINUTES)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGTERM)  # the update is finished and saved
        out, errors = child.communicate()
    lines = out.splitlines()
    found = json.loads(lines[-1]) if lines else {}
    metrics = folder / "runs" / run / "metrics.jsonl"
    rows = (
        [json.loads(line) for line in metrics.read_text().splitlines()] if metrics.exists() else []
    )
    points = [row for row in rows if row.get("episodes/return") is not None and "steps" in row]
    thin = max(1, len(points) // 40)
    return found | {
        "flags": flags,
        "exit": child.returncode,
        "error": errors[-2000:] if child.returncode not in (0, 143) else "",
        "minutes": (time.monotonic() - began) / 60,
        "curve": [
            [row["steps"], round(row["seconds"], 1), round(row["episodes/return"], 3)]
            for row in points[::thin]
        ],
    }


def main() -> None:
    """Train what was asked for, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", default=list(ENVIRONMENTS))
    parser.add_argument(
        "--folder", default=None, help="where the runs go; a temporary one if not given"
    )
    parser.add_argument("--quick", action="store_true", help="4,000 steps of each")
    given = parser.parse_args()
    folder = Path(given.folder or tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    results = {}
    for name in given.names:
        results[name] = train(name, folder, given.quick)
        print(name, {k: v for k, v in results[name].items() if k != "curve"}, file=sys.stderr)
    machine = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    print(json.dumps(machine | {"results": results}, indent=1))


if __name__ == "__main__":
    main()
