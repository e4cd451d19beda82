"""What each tracker costs, as JSON on standard output.

    python benchmarks/trackers.py [TRACKER ...] [--pairs 3] [--env breakout] [--steps 60e6] > trackers.json

Takes about half an hour with nothing else running. For each tracker, pairs of trainings with and
without it, in turn (the order changes from pair to pair, so that a machine that grows warm favours
neither). `loss` is the share of the steps a second that the tracker takes: its median, and the lowest
and highest of a pair; noise shows as a loss that changes its sign. Most of W&B's is paid once, at the
start of a run (about half a second of processor time in training): shorter trainings show more.

`in_trainer` is what of it happens in the trainer's own thread, measured there in one more run, and is
the same on a busy machine: seconds of all calls, microseconds a call of `update`, share of training.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from typing import Any

TRACKERS = ("tensorboard", "wandb", "wandb,tensorboard")

TIMED = """
import json, sys, time
from skipjack.cli.main import main
from skipjack.report.background import Background
spent = {"start": [], "update": [], "finish": []}
def timed(name):
    inner = getattr(Background, name)
    def call(self, *arguments):
        began = time.thread_time()
        inner(self, *arguments)
        spent[name].append(time.thread_time() - began)
    return call
for name in spent:
    setattr(Background, name, timed(name))
code = main(sys.argv[1:])
print(json.dumps(spent))
sys.exit(code)
"""
"""A training that notes the trainer thread's own seconds in each call."""


def lines(program: list[str], arguments: list[str]) -> list[str]:
    """What a training prints, in a folder of its own; W&B offline, whatever login there is."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, *program, "train", *arguments, "--json"],
            capture_output=True, text=True, cwd=folder, env=os.environ | {"WANDB_MODE": "offline"},
        )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout.splitlines()


def speed(training: list[str], tracker: str | None) -> float:
    """Steps a second of a training."""
    track = ["--track", tracker] if tracker else []
    row = json.loads(lines(["-m", "skipjack"], [*training, *track])[-1])
    print(f"{tracker or 'none':18} {row['steps_per_second']:12.0f} steps/s", file=sys.stderr)
    return float(row["steps_per_second"])


def pairs(training: list[str], tracker: str, count: int) -> dict[str, Any]:
    """The loss of speed over pairs of trainings."""
    plain, tracked = [], []
    for number in range(count):
        order: list[str | None] = [None, tracker]
        for which in order if number % 2 == 0 else reversed(order):
            (tracked if which else plain).append(speed(training, which))
    losses = [1 - with_it / without for with_it, without in zip(tracked, plain, strict=True)]
    return {
        "loss": statistics.median(losses), "low": min(losses), "high": max(losses),
        "steps_per_second": tracked, "steps_per_second_without": plain,
    }  # fmt: skip


def in_trainer(training: list[str], tracker: str) -> dict[str, float]:
    """Seconds in the trainer's thread."""
    row, spent = map(json.loads, lines(["-c", TIMED], [*training, "--track", tracker])[-2:])
    total = sum(sum(seconds) for seconds in spent.values())
    return {
        "seconds": total,
        "microseconds_per_update": 1e6 * statistics.mean(spent["update"]),
        "share": total / row["seconds"],
        "updates": len(spent["update"]),
        "training_seconds": row["seconds"],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trackers", nargs="*", default=TRACKERS, help="values of --track")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--env", default="breakout")
    parser.add_argument("--steps", default="60e6")
    wanted = parser.parse_args()
    training = [wanted.env, f"--train.steps={wanted.steps}"]
    found = {
        tracker: pairs(training, tracker, wanted.pairs)
        | {"in_trainer": in_trainer(training, tracker)}
        for tracker in wanted.trackers
    }
    print(
        json.dumps(
            {
                "env": wanted.env, "steps": wanted.steps, "pairs": wanted.pairs,
                "machine": platform.platform(), "cores": os.cpu_count(), "trackers": found,
            },
            indent=1,
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
