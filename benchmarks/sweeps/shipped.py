"""The preset that a sweep chose against the shipped one, at the same wall time, as JSON.

    skipjack sweep best breakout --write-preset tuned.toml
    python benchmarks/sweeps/shipped.py breakout tuned.toml [--seeds 5] > shipped.json

Each seed trains the tuned preset to its own end, then the shipped one with as many steps as it makes in the
same seconds: its schedule ends with its time, and is not cut off. The seeds are none that the sweep used; one
after the other, on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

FIRST_SEED = 10_001
"""A sweep's trials have seeds from its own on, one each."""


def train(env: str, *words: str) -> dict[str, Any]:
    """The last line of one training."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "skipjack", "train", env, "--json", *words]
        paths = os.pathsep.join(filter(None, [os.getcwd(), os.environ.get("PYTHONPATH", "")]))
        done = subprocess.run(
            command,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": paths},
            capture_output=True,
            text=True,
        )
    if done.returncode:
        sys.exit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def paired(ours: list[float], theirs: list[float]) -> dict[str, float]:
    """Mean of both and of their difference, with its 95 % interval (t distribution)."""
    gaps = np.subtract(ours, theirs)
    error = gaps.std(ddof=1) / len(gaps) ** 0.5
    return {
        "tuned": float(np.mean(ours)), "shipped": float(np.mean(theirs)),
        "gain": float(gaps.mean()),
        "gain_ci95": float(stats.t.ppf(0.975, len(gaps) - 1) * error),
    }  # fmt: skip


def main() -> None:
    """Train in pairs and print."""
    parser = argparse.ArgumentParser(description="A tuned preset against the shipped one.")
    parser.add_argument("env")
    parser.add_argument("preset")
    parser.add_argument("--seeds", type=int, default=5)
    own = parser.parse_args()
    preset = str(Path(own.preset).resolve())
    rows: list[dict[str, Any]] = []
    speed = 0.0
    for seed in range(FIRST_SEED, FIRST_SEED + own.seeds):
        tuned = train(own.env, f"--seed={seed}", f"--config={preset}")
        if not speed:
            speed = train(own.env, f"--seed={seed}", "--max-seconds=10")["steps_per_second"]
        steps = int(speed * tuned["seconds"])
        shipped = train(own.env, f"--seed={seed}", f"--train.steps={steps}")
        speed = shipped["steps_per_second"]
        for label, run in (("tuned", tuned), ("shipped", shipped)):
            kept = ("seed", "steps", "seconds", "score", "score_ci95", "return")
            rows.append({"preset": label} | {name: run[name] for name in kept})
            print(json.dumps(rows[-1]), file=sys.stderr)
    both = {
        name: paired(*([r[name] for r in rows if r["preset"] == p] for p in ("tuned", "shipped")))
        for name in ("score", "return", "seconds")
    }
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    print(json.dumps({"env": own.env, "machine": machine, **both, "runs": rows}, indent=1))


if __name__ == "__main__":
    main()
