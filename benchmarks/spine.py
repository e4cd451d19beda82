"""Every figure of the spine, taken through the command line, as JSON on standard output.

    python benchmarks/spine.py [--quick] > spine.json

Takes about half an hour with nothing else running. Speeds are medians of three repetitions of three
runs; times to a score are of five seeds, from the start of the process, with the steps they took.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from skipjack.bench.suite import TARGET, TARGETS, reached

QUICK = "--quick" in sys.argv
SEEDS = range(1, 2 if QUICK else 6)
TIMES = 1 if QUICK else 3

SCORED = ("cartpole", "pong", "pong/lstm", "breakout")
"""Presets whose time to the suite's target is taken, beside the sanity games."""
SANITY = (
    "bandit",
    "bandit/masked",
    "continuous",
    "memory",
    "multiagent",
    "password",
    "reset_leak",
    "spaces",
    "squared",
    "stochastic",
    "truncation",
)


def skipjack(*arguments: str, cwd: str | None = None) -> tuple[dict[str, Any], str]:
    """The last JSON line of a command, and its standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "skipjack", *arguments, "--json"],
        capture_output=True,
        text=True,
        cwd=cwd,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


def median(values: list[float]) -> dict[str, float]:
    """Median, lowest and highest."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def speeds() -> dict[str, Any]:
    """Steps a second of the games alone (one thread, and two against one in the same run)."""
    found: dict[str, Any] = {}
    for env in ("breakout", "pong", "cartpole"):
        rows = [
            skipjack("bench", "steps", env, "--vector.num-envs", "4096")[0] for _ in range(TIMES)
        ]
        one = [row["speeds"][0]["steps_per_second"] for row in rows]
        found[f"{env}, one core"] = median(one)
        for at, several in enumerate(rows[0]["speeds"][1:], start=1):
            found[f"{env}, {several['threads']} threads against one"] = median(
                [
                    row["speeds"][at]["steps_per_second"] / alone
                    for row, alone in zip(rows, one, strict=True)
                ]
            )
    for env in ("breakout", "pong/lstm", "pong"):
        rows = [skipjack("bench", "train", env)[0] for _ in range(TIMES)]
        found[f"training {env}"] = median([row["steps_per_second"] for row in rows])
        found[f"training {env}, time"] = rows[0]["time"]
    return found


def solve(env: str, target: float, seed: int) -> dict[str, Any]:
    """One training with its preset: when the mean of an update's episodes reached the target."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        result, _ = skipjack("train", env, "--seed", str(seed), "--run", "it", cwd=folder)
        # What the process took beside its own count: starting Python, importing, leaving.
        outside = time.perf_counter() - began - result["seconds_total"]
        lines = (Path(folder) / "runs/it/metrics.jsonl").read_text().splitlines()
    start = outside + result["seconds_start"]
    there = reached([json.loads(line) for line in lines], target, start)
    if there:
        there["training seconds"] = there["seconds"] - start
    return {
        "reached": there,
        "final score": result["score"],
        "final ci95": result["score_ci95"],
        "seconds": outside + result["seconds_total"],
    }


def scores() -> dict[str, Any]:
    """Times to a score; how many seeds reached it, and where each ended."""
    found: dict[str, Any] = {}
    for env in (*SCORED, *SANITY):
        target = TARGETS.get(env, TARGET)
        runs = [solve(env, target, seed) for seed in SEEDS]
        times = [run["reached"] for run in runs if run["reached"]]
        found[f"{env} to {target}"] = {
            "seeds that reached it": f"{len(times)} of {len(runs)}",
            "seconds": median([r["seconds"] for r in times]) if times else None,
            "training seconds": median([r["training seconds"] for r in times]) if times else None,
            "steps": median([r["steps"] for r in times]) if times else None,
            "final scores": [round(run["final score"], 3) for run in runs],
            "whole command": median([run["seconds"] for run in runs]),
        }
        print(f"{env}: {json.dumps(found[f'{env} to {target}'])}", file=sys.stderr, flush=True)
    return found


def startup() -> dict[str, Any]:
    """Seconds of the light commands, and to the first frame and the first update of a training."""
    found: dict[str, Any] = {}
    command = str(Path(sys.executable).with_name("skipjack"))
    for words in ("--help", "list"):
        times = []
        for _ in range(9):
            began = time.perf_counter()
            subprocess.run([command, words], capture_output=True, check=True)
            times.append(time.perf_counter() - began)
        found[words] = median(times)
    frames, updates = zip(*(_first_frame(command) for _ in range(TIMES + 2)), strict=True)
    found["first frame"], found["first update"] = median(list(frames)), median(list(updates))
    return found


def _first_frame(command: str) -> tuple[float, float]:
    """Seconds to the first frame and to the first update, in a terminal of its own."""
    import pty

    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        child, terminal = pty.fork()
        if child == 0:
            os.environ.update(TERM="xterm-256color", COLUMNS="100", LINES="40")
            os.environ.pop("NO_COLOR", None)
            os.chdir(folder)
            os.execv(command, [command, "train", "breakout", "--run", "it"])
        frame = update = None
        metrics = Path(folder) / "runs/it/metrics.jsonl"
        os.set_blocking(terminal, False)
        while update is None and time.perf_counter() - began < 60:
            try:
                text = os.read(terminal, 65536)
            except BlockingIOError:
                text = b""
            if frame is None and b"skipjack" in text:
                frame = time.perf_counter() - began
            if metrics.exists() and metrics.stat().st_size:
                update = time.perf_counter() - began
            time.sleep(0.002)
        os.kill(child, 9)
        os.waitpid(child, 0)
        os.close(terminal)
    return frame or float("nan"), update or float("nan")


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    import torch

    cpu = Path("/proc/cpuinfo")
    model = platform.processor()
    if cpu.exists():
        names = [line for line in cpu.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "commit": commit.stdout.strip(),
    }


if __name__ == "__main__":
    parts = {"machine": machine, "speed": speeds, "start": startup, "score": scores}
    chosen = [word for word in sys.argv[1:] if word in parts] or list(parts)
    print(json.dumps({name: parts[name]() for name in chosen}, indent=1))
