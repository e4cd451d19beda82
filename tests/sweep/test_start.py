"""A trial's process saves and ends when its worker is killed with -9."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PARENT = """
import os, subprocess, sys, time
words = ["train", "password", "--run", "orphan", "--train.steps=1e12"]
words += ["--policy.hidden=8", "--vector.num-envs=8"]
child = subprocess.Popen([sys.executable, "-m", "skipjack.sweep.start", str(os.getpid()), *words, "--json"])
print(child.pid, flush=True)
time.sleep(600)
"""


def is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_a_training_whose_worker_is_gone_saves_and_stops(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], cwd=tmp_path, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": root},
    )  # fmt: skip
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    run = tmp_path / "runs" / "orphan"
    while not (run / "metrics.jsonl").exists() or not (run / "metrics.jsonl").read_text():
        assert parent.poll() is None
        time.sleep(0.1)
    first = (run / "latest").read_text()
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    while True:
        rows = (run / "metrics.jsonl").read_text().splitlines()
        if rows and "kind" in rows[-1]:
            break
        time.sleep(0.1)
    assert json.loads(rows[-1])["reason"] == "stopped"
    assert (run / "latest").read_text() != first
    while is_there(child):
        time.sleep(0.1)
