"""Policies and environments of the user's own, from the present folder, as `module:Class`."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import TINY, Call, sentence

SCRIPT = Path(sys.executable).with_name("skipjack")
"""The command as it is installed; unlike `python -m`, it does not look into the present folder by itself."""

ENGINE = """
from skipjack.testing.corridor import Corridor


class Lane(Corridor):
    def save(self, lo, hi):
        return None
"""

POLICY = """
from skipjack import Policy


class Own(Policy):
    pass
"""


def write(folder: Path, name: str, text: str) -> None:
    """A module of the user's; Python looks anew for it."""
    (folder / f"{name}.py").write_text(text)
    sys.modules.pop(name, None)
    importlib.invalidate_caches()


@pytest.mark.slow
@pytest.mark.skipif(not SCRIPT.exists(), reason="the package is not installed here")
@pytest.mark.parametrize("what", ["policy", "environment"])
def test_the_installed_command_finds_what_lies_here(tmp_path: Path, what: str) -> None:
    write(tmp_path, "mine", ENGINE + POLICY)
    small = [*TINY, "--run", "own", "--json"]
    train = ["train", "cartpole", "--policy", "mine:Own", *small]
    if what == "environment":
        train = ["train", "mine:Lane", *small]
    for command in (train, ["eval", "own", "--episodes", "8", "--json"]):
        done = subprocess.run([SCRIPT, *command], capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert 0 <= json.loads(done.stdout.splitlines()[-1])["score"] <= 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "module 'mine' has no attribute 'Own'"),
        ("class Own: pass", "takes no arguments"),
        ("def Own(o, a, c): raise ValueError('no such file.')", "ValueError: no such file"),
        ("class Own(:", "its module raised SyntaxError"),
        ("import nowhere_at_all", "No module named 'nowhere_at_all'"),
        ("1 / 0", "its module raised ZeroDivisionError: division by zero"),
        ("def Own(o, a, c): return object()", "must have all methods"),
        (
            POLICY + "    def value(self, o, s): return 0\n"
            "    def step(self, o, s):\n        a, b, c = super().step(o, s)\n"
            "        return a, b[:, None], c\n",
            "of the shapes",
        ),
        (POLICY + "    def sequence(self, o, s, r): return self.absent\n", "raised AttributeError"),
    ],
)  # fmt: skip
def test_own_policies_that_are_wrong(call: Call, tmp_path: Path, text: str, words: str) -> None:
    write(tmp_path, "mine", text)
    code, _, err = call("train", "cartpole", *TINY, "--policy", "mine:Own")
    assert code == 2, err
    assert words in sentence(err)
    assert not Path("runs").exists() or list(Path("runs").iterdir()) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("class Lane(:", "its module raised SyntaxError"),
        ("Lane = 5", "a function or class that makes one"),
        ("raise RuntimeError('Not today.')", "RuntimeError: Not today"),
    ],
)
def test_own_environments_that_are_wrong(call: Call, tmp_path: Path, text: str, words: str) -> None:
    write(tmp_path, "mine", text)
    for command in (["train", "mine:Lane", *TINY], ["config", "show", "mine:Lane"]):
        code, _, err = call(*command)
        assert code == 2, err
        assert words in sentence(err)
    assert not Path("runs").exists()


@pytest.mark.parametrize("text", ["class Lane: pass", "class Lane:\n    Config = dict"])
def test_a_class_that_is_no_environment(call: Call, tmp_path: Path, text: str) -> None:
    """What a class makes shows only when it is asked to: when training begins."""
    write(tmp_path, "mine", text)
    code, _, err = call("train", "mine:Lane", *TINY)
    assert code == 2, err
    assert "must be a Gymnasium, PettingZoo or old gym environment, or an engine" in sentence(err)
    assert not Path("runs").exists() or list(Path("runs").iterdir()) == []


def test_a_package_whose_first_file_fails(call: Call, tmp_path: Path) -> None:
    """Looking for the presets beside the module reads the package around it."""
    (tmp_path / "broken").mkdir()
    write(tmp_path / "broken", "__init__", "class Broken(:")
    write(tmp_path / "broken", "env", ENGINE)
    code, _, err = call("train", "broken.env:Lane", *TINY)
    assert code == 2
    assert "SyntaxError" in sentence(err)


def test_envs_that_cannot_be_saved_begin_anew(call: Call, tmp_path: Path) -> None:
    write(tmp_path, "mine", ENGINE)
    code, _, err = call("train", "mine:Lane", *TINY, "--run=it")
    assert code == 0, err
    assert "begin anew" not in err
    code, _, err = call("train", "mine:Lane", "--run=it", "--resume", "--train.steps=1024")
    assert code == 0, err
    assert err.count("These envs cannot be saved: they begin anew") == 1


def test_weights_bring_the_shape_of_their_policy(call: Call, tmp_path: Path) -> None:
    """--from needs no flags of the run that the weights are of."""
    write(tmp_path, "mine", POLICY)
    shape = ["--policy=mine:Own", "--policy.memory=gru", "--policy.hidden=8"]
    code, _, err = call("train", "cartpole", *TINY, *shape, "--run=it")
    assert code == 0, err
    again = [flag for flag in TINY if "hidden" not in flag]
    code, _, err = call("train", "cartpole", *again, "--from=it")
    assert code == 0, err
    text = Path("runs/cartpole-1/config.toml").read_text()
    for line in ('own = "mine:Own"', 'memory = "gru"', "hidden = 8"):
        assert line in text
    code, out, _ = call("runs", "show", "cartpole-1")
    assert "--from it" in out
    code, _, err = call("train", "cartpole", *again, "--from=it", "--policy.hidden=16")
    assert code == 1
    assert "must fit the policy" in err
    assert sorted(os.listdir("runs")) == ["cartpole-1", "it"]
