"""`skipjack train --max-seconds`: the trainer itself ends, and is evaluated like any other."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Call, call, train

__all__ = ["call"]


def test_seconds_end_a_training_before_its_steps(call: Call, tmp_path: Path) -> None:
    row = train(call, "cartpole", "--train.steps=1e9", "--max-seconds=0.05", "--run=short")
    assert row["limited"] is True
    assert 0.05 <= row["seconds"] < 60
    assert row["steps"] < 1e9
    assert row["score"] is not None
    code, out, err = call(
        "train", "cartpole", "--run=short", "--resume", "--max-seconds=0.1", "--json"
    )
    assert code == 0, err
    again = json.loads(out.splitlines()[-1])
    assert again["seconds"] > row["seconds"]
    assert again["steps"] > row["steps"]


def test_a_limit_that_is_not_reached_changes_nothing(call: Call) -> None:
    row = train(call, "cartpole", "--max-seconds=1000")
    assert row["limited"] is False
    assert row["steps"] == 512
