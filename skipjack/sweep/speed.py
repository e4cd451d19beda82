"""How fast a machine is: the preset trained for a moment."""

from __future__ import annotations

import os
import platform
import shutil
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from skipjack.errors import RunError
from skipjack.sweep import child
from skipjack.sweep.child import Child
from skipjack.sweep.space import STEPS


def speed_key(threads: int) -> str:
    """The study's attribute for this machine's speed with so many threads."""
    return f"speed:{platform.node()}:{threads}"


def flags(values: Mapping[str, Any]) -> list[str]:
    """Settings as flags of the command line."""
    return [f"--{name.replace('_', '-')}={value}" for name, value in values.items()]


def reference_speed(
    env: str,
    values: Mapping[str, Any],
    threads: int,
    folder: Path,
    start: Sequence[str] = child.START,
    seconds: float = 2.0,
) -> tuple[float, int]:
    """Steps a second of an env's preset here, trained for a moment, and the steps of one rollout.

    Raises:
        RunError: it does not train; the message says why.
    """
    folder.mkdir(parents=True, exist_ok=True)
    run = f"speed-{os.getpid()}-{threading.get_ident()}"
    shutil.rmtree(folder / "runs" / run, ignore_errors=True)
    held = dict(values) | {"vector.threads": threads, "train.threads": threads}
    held |= {STEPS: 10**15, "eval.envs": 1, "eval.quota": 1, "eval.max_steps": 1}
    held |= {"arena.rating": "off"}
    words = ["train", env, "--run", run, f"--max-seconds={seconds}", *flags(held)]
    process = Child(words, folder, run, start)
    try:
        process.wait(float("1e6"))
        result, rows = process.result(), process.rows()
    finally:
        process.kill()
        shutil.rmtree(folder / "runs" / run, ignore_errors=True)
    if not result.get("steps_per_second"):
        raise RunError(
            f"The preset of {env!r} must train, but: {result.get('error', 'it did not')}"
        )
    return float(result["steps_per_second"]), int(rows[0]["steps"])
