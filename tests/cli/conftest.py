"""A fixture that runs commands as users do, and short trainings to run them on."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skipjack.cli.main import main

TINY = [
    "--vector.num-envs=8", "--train.horizon=8", "--train.minibatches=2", "--policy.hidden=8",
    "--eval.envs=4", "--eval.quota=1", "--train.steps=512",
]  # fmt: skip

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Run a command in an empty folder; gives exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])  # commands put the present folder on it
    monkeypatch.setenv("SKIPJACK_MACHINE", str(tmp_path / "machine.toml"))

    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            code = main(arguments)
        except SystemExit as error:
            code = int(error.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def sentence(err: str) -> str:
    """What a command said of its failure: one line of whole sentences, without the command's name."""
    (line,) = err.splitlines()
    assert re.fullmatch(r"skipjack: .*[^.]\.\)?", line), line
    assert ".." not in line.replace("...", ""), line
    return line.removeprefix("skipjack: ")


def train(call: Call, env: str = "cartpole", *more: str) -> dict[str, Any]:
    """Train for a moment; gives the last line of JSON."""
    code, out, err = call("train", env, *TINY, "--json", *more)
    assert code == 0, err
    return json.loads(out.splitlines()[-1])
