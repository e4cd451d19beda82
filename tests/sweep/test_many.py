"""Workers as processes: killed, restarted, on a file and on a real PostgreSQL."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import FrozenTrial, TrialState

from skipjack.sweep.front import counts
from skipjack.sweep.study import Sweep
from tests.sweep.conftest import Make

ROOT = Path(__file__).parents[2]


def start(sweep: Sweep, folder: Path, slot: int) -> subprocess.Popen[bytes]:
    log = open(folder / f"log{slot}", "ab")
    words = ["-m", "tests.sweep.work", sweep.name, sweep.url, str(folder), str(slot)]
    return subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=log, stderr=log)


def finished(sweep: Sweep) -> int:
    return sum(trial.state == TrialState.COMPLETE for trial in sweep.trials())


def wait_for(
    sweep: Sweep, wanted: int, processes: list[subprocess.Popen[bytes]], folder: Path
) -> None:
    while finished(sweep) < wanted:
        if all(process.poll() is not None for process in processes):
            pytest.fail("\n".join(path.read_text() for path in folder.glob("log*")))
        time.sleep(0.2)


def check_once(trials: list[FrozenTrial], wanted: int) -> None:
    """Every trial that was begun came to one end, itself or through the one in its stead."""
    root: dict[int, int] = {}
    for trial in trials:
        before = trial.user_attrs.get("retry_of")
        root[trial.number] = trial.number if before is None else root[before]
    ends = Counter(root[trial.number] for trial in trials if trial.state == TrialState.COMPLETE)
    assert set(ends.values()) == {1}, "doubled"
    # One that a kill or a restart met while it was drawn has no settings: nothing of it was decided.
    begun = {
        root[trial.number]
        for trial in trials
        if trial.user_attrs.get("reason") != "surplus"
        and (trial.params or "fixed_params" in trial.system_attrs)
    }
    assert begun == set(ends), [trials[number] for number in begun - set(ends)]
    assert sum(map(counts, trials)) == len(ends) == wanted


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_of_a_trial_loses_nothing(make: Make, tmp_path: Path) -> None:
    sweep = make(trials=8, only=["train.learning_rate"])
    sweep.enqueue({"train.steps": 1000})
    first = start(sweep, tmp_path, 0)
    while not (tmp_path / "runs" / "00000" / "latest").exists():
        time.sleep(0.05)
    first.kill()
    first.wait()
    second = start(sweep, tmp_path, 1)
    assert second.wait(600) == 0, (tmp_path / "log1").read_text()
    trials = sweep.trials()
    assert trials[0].user_attrs["reason"] == "lost"
    check_once(trials, 8)
    starts = [line.split() for line in (tmp_path / "ran").read_text().splitlines()]
    assert [int(steps) > 0 for run, _, steps in starts if run == "00000"] == [False, True]


class Server:
    """PostgreSQL with its data in a folder, as a user that is not root."""

    def __init__(self, binaries: Path) -> None:
        self.binaries, self.folder = binaries, Path(tempfile.mkdtemp(prefix="skipjack-postgres-"))
        self.user: dict[str, Any] = {}
        self.name = pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self.user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            self.name = "nobody"
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._call("initdb", "-D", str(self.folder / "data"), "-A", "trust", "-U", self.name)
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql://{self.name}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        log = str(self.folder / "log")
        self._call(
            "pg_ctl", "-D", str(self.folder / "data"), "-w", "-l", log, "-o", options, "start"
        )

    def stop(self) -> None:
        self._call("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")

    def _call(self, name: str, *words: str) -> None:
        done = subprocess.run(
            [self.binaries / name, *words], cwd=self.folder, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, **self.user,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


@pytest.fixture
def server() -> Iterator[Server]:
    found = shutil.which("initdb")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    path = Path(found).resolve() if found else folders[-1] if folders else None
    if path is None or sys.platform == "win32":
        reason = "PostgreSQL is not installed (apt-get install postgresql)"
        if os.environ.get("SKIPJACK_MUST_SEE") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    pytest.importorskip("psycopg")
    made = Server(path.parent)
    yield made
    made.stop()
    shutil.rmtree(made.folder)


@pytest.mark.slow
def test_four_workers_finish_100_trials_through_two_kills_and_a_restart(
    make: Make, tmp_path: Path, server: Server
) -> None:
    sweep = make(
        server.url, trials=100, lease=15.0, only=["train.learning_rate"], sampler="random",
        file={"train": {"steps": [100, 300], "learning_rate": [0.001, 0.019]}},
    )  # fmt: skip
    processes = [start(sweep, tmp_path, slot) for slot in range(4)]
    wait_for(sweep, 15, processes, tmp_path)
    processes[0].send_signal(signal.SIGKILL)
    processes[0].wait()
    processes[0] = start(sweep, tmp_path, 4)
    wait_for(sweep, 30, processes, tmp_path)
    server.stop()
    time.sleep(2)
    server.start()
    wait_for(sweep, 50, processes, tmp_path)
    processes[1].send_signal(signal.SIGKILL)
    processes[1].wait()
    for process in (processes[0], *processes[2:]):
        assert process.wait(900) == 0, "\n".join(p.read_text() for p in tmp_path.glob("log*"))
    check_once(sweep.trials(), 100)
