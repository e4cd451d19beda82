"""`skipjack bench steps --all`: its table, its file and its exit code."""

from __future__ import annotations

import json
from pathlib import Path

from skipjack.bench import games
from tests.cli.conftest import Call, sentence

QUICK = ["--seconds", "0.02", "--repetitions", "2"]


def test_all_takes_no_name(call: Call) -> None:
    for words in (["--all", "snake"], ["snake", "--all"]):
        code, _, err = call("bench", "steps", *words)
        assert code == 2
        assert sentence(err) == (
            "--all must stand without a name, but got 'snake'. Measure some games with --envs snake, or one "
            "alone without --all."
        )


def test_a_file_and_what_is_compared_with_it(call: Call, tmp_path: Path) -> None:
    envs = ["--envs", "pong/two,tic_tac_toe"]
    code, out, err = call("bench", "steps", "--all", *QUICK, *envs, "--out", "now.json")
    assert code == 0, err
    assert out.splitlines()[1].startswith("pong/two ")
    data = games.load(tmp_path / "now.json")
    assert list(data["games"]) == ["pong/two", "tic_tac_toe"]
    for found in data["games"].values():
        assert found["observation_bytes"] in (32, 18)
        assert found["env_bytes"] % 64 == 0
        assert 0 < found["reset_seconds"] < 0.1
        for speed in found["speeds"]:
            assert 0 < speed["lowest"] <= speed["steps_per_second"] <= speed["highest"]
    for name in data["games"]:
        for speed in data["games"][name]["speeds"]:
            for key in ("steps_per_second", "lowest", "highest"):
                speed[key] *= 1000
    (tmp_path / "fast.json").write_text(json.dumps(data))
    command = ["bench", "steps", "--all", *QUICK, "--envs", "pong/two"]
    code, out, _ = call(*command, "--against", "fast.json")
    assert code == 1
    assert "↓" in out
    assert "Slower than before: pong/two." in out
    row = json.loads(call(*command, "--against", "fast.json", "--json")[1])
    assert row["slower"][0] == "pong/two"
    assert row["ratios"][0]["ratio"] < 0.01
    data["machine"]["cpu"] = "another"
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "steps.json").write_text(json.dumps(data))
    code, out, _ = call(*command)
    assert code == 0
    assert "another machine" in out


def test_wrong_commands(call: Call) -> None:
    code, _, err = call("bench", "steps", "--all", "--out", "a.txt", *QUICK, "--envs", "pong")
    assert code == 2
    assert "*.json" in sentence(err)
    code, _, err = call("bench", "steps", "--all", "--envs", "atari:pong", *QUICK)
    assert code == 2
    assert "native" in sentence(err)
