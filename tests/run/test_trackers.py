"""Which trackers a run has, and whole runs with them: well, failing, hanging, killed, resumed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skipjack import checkpoint
from skipjack.cli.main import main
from skipjack.errors import MissingPackage, RunError, UsageError
from skipjack.report import store
from skipjack.report.background import Background
from skipjack.run import trackers
from skipjack.testing.sink import example_evaluation, example_info, example_progress
from tests.report import wandb_file
from tests.report.test_background import CALLS, Recorder
from tests.report.test_tensorboard import scalars

TINY = [
    "--vector.num-envs=8", "--train.horizon=8", "--train.minibatches=2", "--policy.hidden=8",
    "--eval.envs=4", "--eval.quota=1", "--train.steps=512", "--json",
]  # fmt: skip

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder and home, and none of the user's variables."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("SKIPJACK_MACHINE", str(tmp_path / "machine.toml"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Train CartPole; gives exit code, standard output and standard error."""

    def run(*arguments: str, shape: list[str] = TINY) -> tuple[int, str, str]:
        code = main(["train", "cartpole", *shape, *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


# ---- names ----


def test_names(tmp_path: Path) -> None:
    assert trackers.choose("") == trackers.choose("none") == []
    assert trackers.choose("", tmp_path) == []
    assert trackers.choose("tensorboard") == ["tensorboard"]
    assert trackers.choose("wandb, tensorboard,wandb") == ["wandb", "tensorboard"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("wandv", "Did you mean 'wandb'?"), ("tensorboard,nonsense", "no tracker 'nonsense'")],
)
def test_unknown_names(call: Call, text: str, words: str) -> None:
    code, _, err = call("--track", text)
    assert code == 2
    assert words in err
    assert not Path("runs").exists(), "a run that never began leaves nothing"
    with pytest.raises(UsageError):
        trackers.choose(text)


@pytest.mark.parametrize("name", trackers.NAMES)
def test_a_missing_package(call: Call, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    code, _, err = call("--track", name)
    assert code == 1
    assert f"needs {name}, which is not installed" in err
    assert 'pip install "skipjack[track]"' in err
    assert not Path("runs").exists()


def test_a_folder_called_wandb_is_no_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wandb leaves such folders behind, and Python takes any folder for a package."""
    (tmp_path / "emptiness").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(trackers, "NAMES", ("emptiness",))
    with pytest.raises(MissingPackage):
        trackers.choose("emptiness")


def test_a_wrong_mode_is_refused_before_training(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "onlin")
    code, _, err = call("--track", "wandb")
    assert code == 2
    assert "WANDB_MODE must be one of online, offline," in err
    assert not Path("runs").exists()
    assert trackers.choose("tensorboard") == ["tensorboard"]


def test_a_damaged_note(tmp_path: Path) -> None:
    (tmp_path / trackers.FILE).write_text("{")
    with pytest.raises(RunError, match=r"must be JSON.*Remove it"):
        trackers.choose("", tmp_path)


# ---- whole runs ----


def test_the_final_evaluation_is_one_number_in_all_of_them(call: Call) -> None:
    code, out, err = call("--track", "wandb,tensorboard")
    assert code == 0, err
    row = json.loads(out.splitlines()[-1])
    run = Path(row["run"])
    stored = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
    (path,) = wandb_file.offline_files(run)
    there, board = wandb_file.history(path)[-1], scalars(run)
    for name in ("score", "score_ci95", "return", "episodes"):
        assert row[name] == stored[name] == there[f"evaluation/{name}"], name
        # TensorBoard's scalars have 32 bits.
        assert board[f"evaluation/{name}"] == [(row["steps"], np.float32(row[name]))], name
    assert (there["steps"], there["_step"]) == (row["steps"], stored_updates(run)[-1]["update"])
    config = wandb_file.config(path)
    assert (config["name"], config["train.steps"], config["policy.hidden"]) == ("cartpole", 512, 8)


def stored_updates(run: Path) -> list[dict[str, Any]]:
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [row for line in lines if "update" in (row := json.loads(line))]


def test_no_episode_is_left_out(call: Call) -> None:
    """Updates are taken together for trackers; their counts still add up to the store's."""
    _, out, _ = call("--track", "wandb,tensorboard")
    run = Path(json.loads(out.splitlines()[-1])["run"])
    stored = stored_updates(run)
    rows = wandb_file.history(wandb_file.offline_files(run)[0])
    assert len(rows) < len(stored)
    episodes = sum(row["episodes"] for row in stored)
    returns = sum(row["episodes"] * row.get("episodes/return", 0) for row in stored)
    assert sum(row["episodes"] for row in rows) == episodes
    assert sum(row["episodes"] * row.get("episodes/return", 0) for row in rows) == (
        pytest.approx(returns)
    )
    assert sum(count for _, count in scalars(run)["charts/episodes"]) == episodes


def test_a_resumed_run_goes_on_with_its_trackers(call: Call) -> None:
    call("--run", "mine", "--track", "wandb,tensorboard")
    more = ["--run", "mine", "--resume", "--json"]
    code, _, err = call("--train.steps=1024", shape=more)
    assert code == 0, err
    assert "Reporting to wandb and tensorboard as before; --track none does not." in err
    call("--train.steps=1536", "--track", "none", shape=more)
    code, _, err = call("--train.steps=2048", "--track", "tensorboard", shape=more)
    assert code == 0, err
    files = wandb_file.offline_files(Path("runs/mine"))
    first, second = map(wandb_file.run, files)
    assert (first.run_id, first.project) == (second.run_id, second.project)
    assert wandb_file.history(files[0])[-1]["steps"] == 512
    assert wandb_file.history(files[1])[0]["steps"] > 512
    assert wandb_file.config(files[1])["train.steps"] == 1024
    steps = [step for step, _ in scalars(Path("runs/mine"))["evaluation/score"]]
    assert steps == [512, 1024, 2048]


def test_a_run_that_never_begins_leaves_nothing(call: Call) -> None:
    code, _, err = call("--track", "tensorboard,wandb", "--policy", "no.such:Policy")
    assert code == 2, err
    assert list(Path("runs").iterdir()) == []


# ---- trackers that fail or hang ----


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def fail() -> None:
    raise OSError("no network")


@pytest.mark.parametrize("at", CALLS)
@pytest.mark.parametrize("hangs", [False, True])
def test_training_goes_on(
    call: Call, monkeypatch: pytest.MonkeyPatch, gate: threading.Event, at: str, hangs: bool
) -> None:
    monkeypatch.setattr(
        trackers, "TensorBoard", partial(Recorder, at, gate.wait if hangs else fail)
    )
    monkeypatch.setattr(trackers, "Background", partial(Background, every=0, patience=0.1))
    code, out, err = call("--track", "tensorboard")
    assert code == 0, err
    row = json.loads(out.splitlines()[-1])
    assert (row["steps"], row["episodes"]) == (512, 4)
    assert len(stored_updates(Path(row["run"]))) == 8
    words = "tensorboard does not answer" if hangs else "tensorboard failed"
    warnings = [line for line in err.splitlines() if line.startswith("tensorboard ")]
    assert len(warnings) == 1, err
    assert warnings[0].startswith(words)
    assert "Run finished." in err


def test_reports_end_at_checkpoints(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after a checkpoint is taken back by a resume; a report must not hold both."""
    order: list[str] = []
    monkeypatch.setattr(Background, "flush", lambda self: order.append("flush"))
    save = checkpoint.save
    monkeypatch.setattr(
        checkpoint, "save", lambda *args, **more: order.append("save") or save(*args, **more)
    )
    assert call("--track", "tensorboard", "--train.checkpoint-every=0")[0] == 0
    assert order == ["flush", "save"] * 9


def child(*arguments: str, **more: str) -> subprocess.Popen[str]:
    """A training in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "skipjack", "train", "cartpole", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | more,
    )  # fmt: skip


@pytest.mark.slow
def test_a_server_that_never_answers(tmp_path: Path) -> None:
    """W&B gives up on the login after 10 s; nothing waits for it, and an offline copy is whole."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began = child(*TINY, "--track=wandb", WANDB_API_KEY="a" * 40, WANDB_BASE_URL=url)
        out, err = began.communicate(timeout=45)
    assert began.returncode == 0, err
    assert json.loads(out.splitlines()[-1])["steps"] == 512
    (path,) = wandb_file.offline_files(tmp_path / "runs/cartpole-1")
    assert wandb_file.history(path)[-1]["steps"] == 512
    assert f"wandb sync {path.parent.relative_to(tmp_path)}" in err
    assert "Traceback" not in err
    assert "wandb: " not in err, "what wandb itself prints would tear the dashboard"


@pytest.mark.slow
def test_kill_9_and_resume(tmp_path: Path) -> None:
    """The same W&B run goes on, and TensorBoard shows no step twice."""
    often = ["--train.checkpoint-every=0.2", "--json"]
    shape = [flag for flag in TINY if "steps" not in flag and flag != "--json"]
    run = Path("runs/killed")
    base = ["--run=killed", *often]
    at_once = {"WANDB_X_TRANSACTION_LOG_FLUSH_INTERVAL": "0.5"}  # 15 s otherwise
    began = child(*base, *shape, "--train.steps=20e6", "--track=wandb,tensorboard", **at_once)
    until = time.monotonic() + 90
    while time.monotonic() < until and began.poll() is None:
        written = [wandb_file.history(path) for path in run.glob("wandb/offline-*/*.wandb")]
        if written and written[0] and int((run / "latest").read_text()) > 0:
            break
        time.sleep(0.05)
    began.send_signal(signal.SIGKILL)
    _, errors = began.communicate(timeout=30)
    assert began.returncode == -signal.SIGKILL, errors
    kept = json.loads((run / trackers.FILE).read_text())
    assert scalars(run)["charts/SPS"]
    steps = int((run / "latest").read_text()) + 20_000
    went_on = child(*base, "--resume", f"--train.steps={steps}")
    out, err = went_on.communicate(timeout=60)
    assert went_on.returncode == 0, err
    assert json.loads((run / trackers.FILE).read_text()) == kept
    files = wandb_file.offline_files(run)
    assert len(files) == 2
    assert {wandb_file.run(path).run_id for path in files} == {kept["wandb"]["id"]}
    assert all(wandb_file.history(path) for path in files)
    board = [step for step, _ in scalars(run)["charts/SPS"]]
    assert board == sorted(set(board))
    assert board[-1] == json.loads(out.splitlines()[-1])["steps"]


def test_a_run_that_has_ended_is_sent_whole_once_and_again_if_it_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    kept = store.Store(run)
    for update in range(1, 4):
        kept.update(replace(example_progress(update), seconds=3.0 * update))
    kept.finish(example_evaluation(), "finished")
    kept.close()
    said: list[str] = []
    info = example_info(str(run))

    def fail(self: Any, progress: Any) -> None:
        raise OSError("no room")

    with monkeypatch.context() as broken:
        broken.setattr(trackers.TensorBoard, "update", fail)
        trackers.send(["tensorboard"], run, info, said.append)
    assert said == ["tensorboard did not take example-1 (OSError: no room)."]
    assert not (run / trackers.FILE).exists()
    for _ in range(2):
        trackers.send(["tensorboard", "wandb"], run, info, said.append)
    found = scalars(run)
    assert [step for step, _ in found["episodes/score"]] == [131_072 * n for n in range(1, 4)]
    assert [value for _, value in found["evaluation/score"]] == [0.5]
    assert len(wandb_file.offline_files(run)) == 1
    assert set(json.loads((run / trackers.FILE).read_text())) == {"tensorboard", "wandb"}
