"""Resumed equals uninterrupted, bit for bit; kills lose nothing but the last interval."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skipjack import checkpoint, folders
from skipjack.report.plain import Plain
from skipjack.report.store import read
from skipjack.run.config import configure
from skipjack.run.run import Run
from skipjack.testing.corridor import Corridor

SMALL = {
    "vector.num_envs": 16,
    "train.horizon": 8,
    "train.minibatches": 2,
    "policy.hidden": 16,
    "eval.envs": 4,
    "eval.quota": 1,
    "eval.max_steps": 20_000,
    "train.checkpoint_every": 1e9,
}
TIMES = ("seconds", "steps_per_second", "profile/")


def start(folder: Path, name: str, resume: bool = False, **flags: Any) -> Run:
    values = SMALL | {key.replace("__", "."): value for key, value in flags.items()}
    configured = configure(name, flags=values)
    resumed = checkpoint.latest(folder) if resume else None
    if not resume:
        folder = folders.create_run(folder.parent, folder.name)
    return Run(configured, folder, Plain(open(os.devnull, "w")), resumed=resumed)


def everything(folder: Path) -> dict[str, Any]:
    """All bytes of the newest checkpoint's arrays, and the metrics without times."""
    found = checkpoint.latest(folder)
    arrays = {
        f"{group}/{name}": array.tobytes()
        for group in ("policy", "optimizer", "rewards", "vector", "memory", "seats")
        if found.has(group)
        for name, array in found.arrays(group).items()
    }
    rows = [
        {key: value for key, value in row.items() if not key.startswith(TIMES)}
        for row in read(folder)
    ]
    return arrays | {"rows": rows, "steps": found.steps}


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("breakout", {"train__precision": "bfloat16"}),
        ("pong/lstm", {}),
        ("pong/two", {"vector__groups": 2}),
        ("reset_leak", {"vector__groups": 4}),
        ("tic_tac_toe", {"arena__past": 0.5, "arena__banks": 2, "arena__games": 1}),
        ("squared", {"train__epochs": 2}),
        (
            "cartpole",
            {
                "policy__normalise": True,
                "policy__memory": "gru",
                "policy__separate_value": True,
                "train__normalise_rewards": True,
                "train__optimiser": "muon",
            },
        ),
        (
            "atari:pong",
            {"vector__num_envs": 8, "train__minibatches": 2, "env__frame_limit": 2000},
        ),
        (
            "cartpole",
            {
                "policy__memory": "mingru",
                "train__priority": 0.8,
                "train__priority_correction": 1.0,  # constant, as the schedule is
                "train__importance_clip": 1.0,
                "train__epochs": 2,
                "train__accumulate": 2,
            },
        ),
    ],
)
def test_resumed_equals_uninterrupted(tmp_path: Path, name: str, flags: dict[str, Any]) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    start(whole, name, train__steps=4000, train__schedule="constant", **flags).train()
    start(cut, name, train__steps=1500, train__schedule="constant", **flags).train()
    start(cut, name, resume=True, train__steps=4000, train__schedule="constant", **flags).train()
    a, b = everything(whole), everything(cut)
    # The cut run has one more evaluation among its rows, that of its first sitting.
    a["rows"] = [row for row in a["rows"] if "update" in row]
    b["rows"] = [row for row in b["rows"] if "update" in row]
    assert a.keys() == b.keys()
    for key in a:
        assert a[key] == b[key], key


def test_past_selves_resume_bit_for_bit_on_two_threads(tmp_path: Path) -> None:
    """Large enough that torch shares out what it computes; opponents change before the cut and after it."""
    flags: dict[str, Any] = {
        "arena__past": 0.25,
        "arena__banks": 2,
        "arena__games": 1,
        "env__time_limit": 300,
        "policy__hidden": 128,
        "policy__memory": "gru",
        "train__horizon": 16,
        "train__schedule": "constant",
        "train__threads": 2,
        "vector__groups": 2,
        "vector__num_envs": 128,
        "vector__threads": 2,
    }
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    start(whole, "pong/two", train__steps=50_000, **flags).train()
    first = start(cut, "pong/two", train__steps=24_000, **flags)
    first.train()
    met = list(first.past.seats.met)  # type: ignore[union-attr]
    second = start(cut, "pong/two", resume=True, train__steps=50_000, **flags)
    second.train()
    assert met != ["000000000000"] * 2
    assert second.past.seats.met != met  # type: ignore[union-attr]
    a, b = everything(whole), everything(cut)
    a["rows"], b["rows"] = ([row for row in e["rows"] if "update" in row] for e in (a, b))
    assert any(name.startswith("seats/memory") for name in a)
    assert a.keys() == b.keys()
    for key in a:
        assert a[key] == b[key], key


def test_a_checkpoint_resumes_from_the_middle_of_a_schedule(tmp_path: Path) -> None:
    """Stopped halfway through one budget, the learning rate goes on along the same line."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    start(whole, "cartpole", train__steps=4000).train()
    session = start(cut, "cartpole", train__steps=4000)
    report = session._after_update

    def stop_halfway(progress: Any) -> None:
        report(progress)
        session.trainer.stop = progress.steps >= 2000

    session._after_update = stop_halfway  # type: ignore[method-assign]
    session.train()
    assert checkpoint.latest(cut).steps < 4000
    start(cut, "cartpole", resume=True, train__steps=4000).train()
    a, b = everything(whole), everything(cut)
    for _key in ("rows", "steps"):
        a_rows = [r for r in a["rows"] if "update" in r]
        b_rows = [r for r in b["rows"] if "update" in r]
        assert a_rows == b_rows
    assert {k: v for k, v in a.items() if k != "rows"} == {
        k: v for k, v in b.items() if k != "rows"
    }


def command(*more: str, resume: bool = False) -> list[str]:
    """A training of CartPole that saves every 0.05 s. A resumed one takes its shape from the run."""
    base = [sys.executable, "-m", "skipjack", "train", "cartpole", "--run", "killed"]
    often = ["--train.checkpoint-every=0.05", "--train.steps=20e6"]
    shape = [f"--{key}={value}" for key, value in SMALL.items() if "checkpoint" not in key]
    return [*base, *often, *(["--resume"] if resume else shape), *more]


def killed_at_random(folder: Path, times: int, seed: int) -> int:
    """Start, kill -9 and resume `times` times; gives the kills that hit a training under way."""
    generator = random.Random(seed)
    steps, hits = 0, 0
    for number in range(times):
        line = command(resume=number > 0)
        child = subprocess.Popen(
            line, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        run = folder / "runs" / "killed"
        # Wait for the first checkpoint of this sitting, then kill at any moment after it.
        until = time.monotonic() + 60
        while time.monotonic() < until and child.poll() is None:
            if (run / "checkpoints").is_dir() and _newest(run) > steps - (number == 0):
                break
            time.sleep(0.01)
        time.sleep(generator.uniform(0, 0.4))
        alive = child.poll() is None
        child.send_signal(signal.SIGKILL)
        _, errors = child.communicate()
        assert alive, errors
        hits += alive
        found = checkpoint.latest(run)
        assert found.steps >= steps, "a kill took more than one interval"
        steps = found.steps
        assert found.has("vector") == (steps > 0)
        updates = [row["update"] for row in read(run) if "update" in row]
        assert updates == list(range(1, len(updates) + 1))
    return hits


def _newest(run: Path) -> int:
    names = [path.name for path in (run / "checkpoints").glob("[0-9]*")]
    return max((int(name) for name in names), default=-1)


@pytest.mark.slow
def test_kill_9_at_any_moment(tmp_path: Path) -> None:
    times = int(os.environ.get("SKIPJACK_KILLS", "5"))
    assert killed_at_random(tmp_path, times, seed=1) == times


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_the_update_and_saves(tmp_path: Path, number: int) -> None:
    child = subprocess.Popen(
        command("--json"), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    run = tmp_path / "runs" / "killed"
    _wait_for(lambda: len(read(run)) > 20, child)
    child.send_signal(number)
    out, errors = child.communicate(timeout=30)
    assert child.returncode == 128 + number, errors
    row = json.loads(out.splitlines()[-1])
    assert row["stopped"]
    assert row["score"] is None
    last, end = read(run)[-2:]
    assert last["steps"] == checkpoint.latest(run).steps == row["steps"]
    assert end == {"kind": "end", "reason": "stopped"}


@pytest.mark.slow
def test_a_second_ctrl_c_exits_at_once(tmp_path: Path) -> None:
    line = [*command(), "--train.epochs=4", "--vector.num-envs=8192", "--train.horizon=256"]
    child = subprocess.Popen(line, cwd=tmp_path, stderr=subprocess.PIPE)
    run = tmp_path / "runs" / "killed"
    _wait_for(lambda: (run / "latest").exists(), child)
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
    time.sleep(1)  # Python takes signals between two calls into torch: closer ones are one to it
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=30)
    assert child.returncode == 130
    # The update under way, of many seconds, was not finished: it would have left a row.
    assert not read(run)
    assert checkpoint.latest(run).steps >= 0


def _wait_for(condition: Any, child: subprocess.Popen[Any]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)


class Unsaved(Corridor):
    """An engine that cannot be saved."""

    def save(self, lo: int, hi: int) -> bytes | None:  # type: ignore[override]
        return None


def test_envs_that_cannot_be_saved_begin_anew(tmp_path: Path) -> None:
    """With other experience than at the start, and each row's first episode as a partial one."""
    run, name = tmp_path / "it", f"{__name__}:Unsaved"
    start(run, name, train__steps=500).train()
    assert not checkpoint.latest(run).has("vector")
    session = start(run, name, resume=True, train__steps=2000)
    assert session.trainer.steps >= 500
    records: list[Any] = []
    add = session.trainer.episodes.add

    def keep(episodes: Any) -> None:
        records.extend(episodes.copy())
        add(episodes)

    session.trainer.episodes.add = keep  # type: ignore[method-assign]
    session.train()
    rows: dict[int, list[bool]] = {}
    for record in records:
        rows.setdefault(int(record["row"]), []).append(bool(record["partial"]))
    assert len(rows) == 32
    assert all(first and not any(others) for first, *others in rows.values())
    assert any(len(partial) > 1 for partial in rows.values())


def test_from_takes_weights_and_nothing_else(tmp_path: Path) -> None:
    first = start(tmp_path / "first", "cartpole", train__steps=2000)
    first.train()
    found = checkpoint.latest(tmp_path / "first")
    folder = folders.create_run(tmp_path, "second")
    configured = configure("cartpole", flags=SMALL | {"train.steps": 500})
    second = Run(configured, folder, Plain(open(os.devnull, "w")), weights=found)
    assert second.trainer.steps == 0
    weights = found.arrays("policy")
    for name, value in second.policy.state_dict().items():
        assert np.array_equal(value.numpy(), weights[name])
    second.train()
