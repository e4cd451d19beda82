"""A table of trainings: recorded once, gone on with, and played as a task."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.sweeps import table
from benchmarks.sweeps.compare import GRID, optimum, study
from benchmarks.sweeps.tasks import STEPS
from skipjack.sweep.space import Parameter, Space
from tests.sweep.conftest import START

ONLY = ["train.learning_rate", "policy.layers"]


def made(scores: dict[float, list[float]], failed: tuple[float, ...] = ()) -> table.Table:
    """A table of 8 s with one setting: the score after 2, 4 and 8 s, and who failed after 1 s."""
    part = Parameter("train.learning_rate", "log", 0.001, 0.1, (), False, 0.01)
    head = {"env": "x", "seconds": 8.0, "space": Space((part,), {}).to_json()}
    rows: list[dict[str, Any]] = [head]
    for rate, (low, middle, high) in scores.items():
        known = {"score": high, "ci": 0.0, "cost": 8.0, "steps": 800, "random": 0.1}
        known["curve"] = [[2.0, low], [4.0, middle]]
        rows.append({"params": {"train.learning_rate": rate}, **known})
    for rate in failed:
        rows.append({"params": {"train.learning_rate": rate}, "failed": "nan", "cost": 1.0})
    return table.Table("x", rows)


ROWS = {0.01: [0.2, 0.4, 0.6], 0.002: [0.3, 0.3, 0.3]}


def test_a_recording_goes_on_where_it_was(tmp_path: Path) -> None:
    out = tmp_path / "password.jsonl.gz"
    table.record("password", 2, 0.3, out, ONLY, START)
    first = gzip.decompress(out.read_bytes())
    table.record("password", 4, 0.3, out, ONLY, START)
    assert gzip.decompress(out.read_bytes()).startswith(first)
    head, *rows = table.read(out)
    assert (head["env"], head["seconds"], len(rows)) == ("password", 0.3, 4)
    assert rows[0]["params"]["policy.layers"] == 1  # the preset
    assert len({json.dumps(row["params"]) for row in rows}) == 4
    ended = [row for row in rows if "score" in row]
    assert ended
    assert all(row["cost"] == pytest.approx(0.3, abs=0.06) and row["curve"] for row in ended)
    assert {row.get("failed") for row in rows} <= {None, "nan"}
    with pytest.raises(SystemExit, match="another environment, time or space"):
        table.record("password", 4, 0.5, out, ONLY, START)
    assert set(table.tables(tmp_path)) == {"password"}


def test_a_trial_is_the_nearest_training_cut_where_its_steps_are_made() -> None:
    task = made(ROWS, failed=(0.1,))
    rate = "train.learning_rate"
    for steps, cost, score in (
        (800, 8.0, 0.6),
        (300, 3.0, 0.3),
        (100, 1.0, 0.15),
        (9000, 8.0, 0.6),
    ):
        found = task.run({STEPS: steps, rate: 0.012})
        assert (found.cost, found.failed) == (cost, False)
        assert found.score == pytest.approx(score)
    assert task.run({STEPS: 400, rate: 0.001}).score == pytest.approx(0.3)
    broken = task.run({STEPS: 800, rate: 0.08})
    assert broken.failed
    assert broken.cost == pytest.approx(1.0, abs=0.01)


def test_the_best_at_a_cost_is_the_best_of_any_training() -> None:
    best = made(ROWS).best(np.array([1.0, 2.0, 3.0, 8.0]))
    assert best == pytest.approx([0.2, 0.3, 0.3, 0.6])
    grid, _ = optimum(made(ROWS))
    assert len(grid) == GRID


@pytest.mark.parametrize("sampler", ["skipjack", "random", "carbs"])
def test_samplers_play_it(sampler: str) -> None:
    row = study(sampler, made(ROWS, failed=(0.1,)), 0)
    assert row["spent"] >= 160
    assert row["area_quarter"] <= row["area_full"] + 1e-9
    assert 0.3 < row["chosen_full"] <= 1.0
