"""`skipjack tune` as users meet it; the speeds are made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from skipjack.bench import tune
from skipjack.bench.tune import Speed
from tests.cli.conftest import Call, sentence


@pytest.fixture(autouse=True)
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread is faster than two; more envs are faster still."""

    def measure(configured: Any, seconds: float) -> Speed:
        vector = configured.config.vector
        training = 1000.0 * (2 if vector.threads == 1 else 1) + vector.num_envs
        return Speed(10 * training, training)

    monkeypatch.setattr(tune, "measure_slice", measure)
    monkeypatch.setattr(tune, "cores", lambda: 2)


def test_it_writes_what_is_of_the_machine_and_names_the_rest(call: Call, tmp_path: Path) -> None:
    code, out, err = call("tune", "cartpole", "--vector.num-envs", "64")
    assert code == 0, err
    assert "Measuring threads: 2 settings." in err
    path = tmp_path / "machine.toml"
    assert "threads = 1" in path.read_text()
    assert f"Written to {path}: vector.threads = 1." in out
    assert out.splitlines()[-1].endswith(": skipjack train cartpole --vector.num-envs 256")
    header, present, best = out.splitlines()[:3]
    assert header.split() == ["threads", "envs", "alone", "training", "gain"]
    assert present.split()[-1] == "present"
    assert best.split()[-1] == "best"
    # What was found is what is so now.
    again = json.loads(call("tune", "cartpole", "--vector.num-envs", "64", "--json")[1])
    assert again["machine"] == {}
    assert again["machine_file"] is None
    shown = json.loads(call("config", "show", "cartpole", "--json")[1])["settings"]
    assert shown["vector.threads"]["value"] == 1
    assert shown["vector.threads"]["from"].startswith("machine")


def test_json_and_dry_run(call: Call, tmp_path: Path) -> None:
    code, out, _ = call("tune", "cartpole", "--vector.num-envs", "64", "--dry-run", "--json")
    row = json.loads(out.splitlines()[-1])
    assert code == 0
    assert row["machine"] == {"vector.threads": 1}
    assert row["flags"] == {"vector.num_envs": 256}
    assert {"steps_per_second", "training_steps_per_second", "gain", "best"} <= set(row["rows"][1])
    assert not (tmp_path / "machine.toml").exists()
    _, out, _ = call("tune", "cartpole", "--dry-run")
    assert "Without --dry-run this would be written" in out


def test_mistakes(call: Call) -> None:
    for arguments, words in (
        (["cartpol"], "Did you mean 'cartpole'"),
        (["cartpole", "--second", "3"], "Did you mean '--seconds'"),
        ([], "A name must come first"),
    ):
        code, _, err = call("tune", *arguments)
        assert code == 2
        assert words in sentence(err)
