"""`skipjack check` as users meet it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Call, sentence
from tests.cli.test_own import write

ENV = """
import gymnasium
import numpy as np


class Mine(gymnasium.Env):
    def __init__(self, size=2):
        self.observation_space = gymnasium.spaces.Box(-1, 1, (size,), np.float32)
        self.action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.age = 0
        return self.np_random.random(self.observation_space.shape).astype(np.float32), {}

    def step(self, action):
        self.age += 1
        seen = self.np_random.random(2).astype(np.float32)
        return seen, 1.0, False, self.age == 10, {}
"""


def test_a_good_env_and_a_faulty_one(call: Call, tmp_path: Path) -> None:
    write(tmp_path, "mine", ENV)
    code, out, err = call("check", "mine:Mine", "--steps", "50")
    assert code == 0, out + err
    assert out.startswith("mine:Mine: a Gymnasium env\nok ")
    assert out.endswith("\nNothing is wrong, 0 notes.\n")
    code, out, _ = call("check", "mine:Mine", "--steps", "50", "--env.kwargs", '{"size": 3}')
    assert code == 1
    assert "wrong  observations  The observation must have the shape (3,)" in out
    assert "1 wrong" in out


def test_json(call: Call, tmp_path: Path) -> None:
    write(tmp_path, "mine", ENV)
    code, out, _ = call("check", "mine:Mine", "--steps", "50", "--seed", "3", "--json")
    row = json.loads(out.splitlines()[-1])
    assert code == 0
    assert (row["env"], row["wrong"], row["notes"]) == ("mine:Mine", 0, 0)
    assert {"level", "about", "sentence"} == set(row["findings"][0])
    assert {"step_us", "reset_us", "reset_share", "added_us", "steps_per_second"} <= set(
        row["speed"]
    )


def test_native_games_and_their_settings(call: Call) -> None:
    code, out, _ = call("check", "cartpole", "--env.time-limit", "20", "--steps", "40")
    assert code == 0, out
    assert out.startswith("cartpole: an engine\n")


def test_what_is_no_env(call: Call) -> None:
    code, out, _ = call("check", "gymnasium:Nowhere-v0")
    assert code == 1
    assert "wrong  maker" in out
    for arguments, words in (
        (["cartpol"], "Did you mean 'cartpole'"),
        (["nowhere:Env"], "must be importable"),
        (["cartpole", "--env.time-limt", "3"], "Did you mean '--env.time-limit'"),
        ([], "A name must come first"),
    ):
        code, _, err = call("check", *arguments)
        assert code == 2
        assert words in sentence(err)


def test_help_lists_the_settings(call: Call) -> None:
    code, out, _ = call("check", "--help")
    assert code == 0
    for flag in ("--steps", "--seed", "--json", "--env.drop", "--env.kwargs"):
        assert flag in out
