"""How trainings end: signals at any moment, failures, full disks, and what is said last."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from skipjack import checkpoint
from skipjack.report import dashboard
from skipjack.report.store import read
from skipjack.run import lock
from tests.cli.conftest import TINY, Call, sentence, train

LONG_EVALUATION = [
    *TINY, "--eval.envs=200000", "--eval.max-steps=1e12", "--run=mine", "--json",
]  # fmt: skip
"""A short training of Pong whose evaluation plays so many games that it takes minutes, unless it is cut."""


@contextmanager
def child(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`skipjack train` in a process of its own, which dies at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "skipjack", "train", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Who runs the tests in the background has its children ignore Ctrl-C: these must not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(condition: Callable[[], Any], process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)


def wait_for_evaluation(process: subprocess.Popen[str]) -> None:
    assert process.stderr
    assert any("Evaluating the trained policy" in line for line in process.stderr)
    time.sleep(0.3)


# ---- before training ----


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("delay", [0.0, 0.4])
def test_stopped_while_torch_loads(
    call: Call, tmp_path: Path, number: signal.Signals, delay: float
) -> None:
    """The name is free again."""
    run = tmp_path / "runs" / "mine"
    with child(tmp_path, "cartpole", *TINY, "--run=mine", "--json") as process:
        wait_for(run.exists, process)
        time.sleep(delay)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    # A Ctrl-C that falls into an exec() of an import makes Python end itself by the signal after all
    # is done (its runtime notes it as unhandled): to a shell that is 130 as well.
    allowed = {128 + number, -number} if number == signal.SIGINT else {128 + number}
    assert process.returncode in allowed, err
    assert json.loads(out)["exit_code"] == 128 + number
    assert "Traceback" not in err
    assert list((tmp_path / "runs").iterdir()) == []
    train(call, "cartpole", "--run=mine")


@pytest.mark.parametrize("at", ["origin.write", "checkpoint.save", "resume.load_weights"])
def test_a_run_that_fails_while_it_starts_leaves_no_folder(
    call: Call, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    train(call, "cartpole", "--run=source")

    def full(*arguments: Any, **named: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(f"skipjack.{'run.' if 'check' not in at else ''}{at}", full)
        code, _, err = call("train", "cartpole", *TINY, "--run=mine", "--from=source")
    assert code == 1
    assert "No space left on device" in err
    assert os.listdir("runs") == ["source"]
    train(call, "cartpole", "--run=mine")


@pytest.mark.slow
def test_the_second_of_two_that_go_on_with_a_run(call: Call, tmp_path: Path) -> None:
    train(call, "cartpole", "--run=mine")
    more = ["--run=mine", "--resume", "--train.steps=1e9"]
    run = tmp_path / "runs" / "mine"
    with child(tmp_path, "cartpole", *more) as process:
        wait_for(lambda: (lock.holder(run) or {}).get("process") == process.pid, process)
        for command in (["train", "cartpole", *more], ["train", "cartpole", "--resume"]):
            code, _, err = call(*command)
            assert code == 1
            assert f"but process {process.pid} on " in sentence(err)
        assert process.poll() is None, "the first one does not notice"


# ---- in the final evaluation ----


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_final_evaluation_that_was_cut_is_made_up_for(
    call: Call, tmp_path: Path, number: signal.Signals
) -> None:
    run = tmp_path / "runs" / "mine"
    with child(tmp_path, "pong", *LONG_EVALUATION) as process:
        wait_for_evaluation(process)
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
    if number == signal.SIGKILL:
        assert process.returncode == -number
    else:
        assert process.returncode == 128 + number, err
        row = json.loads(out)
        assert (row["steps"], row["score"], row["stopped"]) == (512, None, True)
    assert not any(row.get("kind") == "evaluation" for row in read(run))
    found = json.loads(call("runs", "show", "mine", "--json")[1])
    assert found["state"] == ("killed" if number == signal.SIGKILL else "stopped")
    assert not found["evaluated"]
    quick = ["--eval.envs=4", "--eval.max-steps=40000"]
    command = ["train", "pong", "--run=mine", "--resume", *quick, "--json"]
    code, out, err = call(*command)
    assert code == 0, err
    row = json.loads(out)
    assert (row["steps"], row["episodes"]) == (512, 4)
    assert 0 <= row["score"] <= 1
    assert read(run)[-1]["score"] == row["score"]
    assert checkpoint.latest(run).steps == 512
    code, out, err = call(*command)
    assert code == 2, "a finished run refuses as before"
    assert "train.steps must be more than the 512 steps" in sentence(err)


# ---- what is said last ----


@pytest.mark.parametrize("name", ["mine", "my run", "it's"])
def test_the_commands_at_the_end_work_as_printed(call: Call, name: str) -> None:
    code, out, err = call("train", "cartpole", *TINY, "--run", name)
    assert code == 0, err
    lines = [line.strip() for line in out.splitlines() if line.startswith("  skipjack ")]
    assert len(lines) == 4
    shown = json.loads(call("runs", "show", name, "--json")[1])["next"]
    assert shown == lines[:3]
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "skipjack"
        if "--from" in words:
            words.append("--train.steps=512")  # else the preset's: minutes
        code, out, err = call(*words)
        assert code == 0, (line, err)
    assert json.loads(call("runs", "show", name, "--json")[1])["steps"] == 1024
    assert "cartpole-1" in call("runs")[1]


def test_hints_name_runs_as_a_shell_takes_them(call: Call) -> None:
    train(call, "cartpole", "--run", "my run")
    for words, told in [
        (["squared", "--train.steps=1024"], "skipjack train cartpole --run 'my run' --resume."),
        (["cartpole", "--train.clip=0.5"], "--from 'my run'."),
    ]:
        code, _, err = call("train", *words, "--run", "my run", "--resume")
        assert code == 2
        assert told in sentence(err)


@pytest.fixture
def nan(monkeypatch: pytest.MonkeyPatch) -> None:
    """The third update's losses are not finite."""
    from skipjack.train import loss

    calls: list[None] = []
    whole = loss.explained_variance

    def third(*arguments: Any) -> Any:
        calls.append(None)
        return whole(*arguments) * (float("nan") if len(calls) == 3 else 1.0)

    monkeypatch.setattr(loss, "explained_variance", third)


def test_losses_that_are_not_finite(call: Call, nan: None) -> None:
    """Told once, with what to do; what is named can be done."""
    code, _, err = call("train", "cartpole", *TINY, "--train.checkpoint-every=0", "--run=mine")
    assert code == 1
    *progress, last = err.splitlines()
    told = sentence(last)
    assert "--from and a lower train.learning_rate" in told
    newest = checkpoint.latest(Path("runs/mine")).path
    assert f"The last good checkpoint is {str(newest)!r}." in told
    assert "explained_variance" in told
    assert progress[-1] == "Run failed."
    assert "explained_variance" not in "".join(progress)
    end = read(Path("runs/mine"))[-1]
    assert end["reason"].startswith("failed: ")
    train(call, "cartpole", f"--from={newest}", "--train.learning-rate=0.0001")


def test_the_dashboard_does_not_tell_a_failure_too() -> None:
    screen = dashboard.Dashboard("pong", "pong-1", live=False)
    screen.finish(None, "failed: the sentence.")
    with screen.console.capture() as capture:
        screen.console.print(screen.render())
    assert "failed" in capture.get()
    assert "sentence" not in capture.get()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full disk at hand")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "arguments", ["list", "list --json", "--help", "trian --json", "train pong -h"]
)
def test_an_output_that_takes_nothing(tmp_path: Path, arguments: str, unbuffered: str) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "skipjack", *arguments.split()],
            stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        )  # fmt: skip
    if arguments.startswith("trian"):
        assert done.returncode == 2
        assert "Did you mean 'train'" in sentence(done.stderr)
    else:
        assert done.returncode == 1
        assert "No space left on device" in sentence(done.stderr)
