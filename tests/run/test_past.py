"""Past selves in a run: a pool that steps decide, and nothing at all where it is off."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from skipjack import folders
from skipjack.report.plain import Plain
from skipjack.run.config import configure
from skipjack.run.past import plan_of
from skipjack.run.run import Run, result_row
from skipjack.train.seats import EverySeat
from tests.run.test_resume import SMALL, everything, start


def test_off_nothing_of_it_is_there(tmp_path: Path) -> None:
    run = start(tmp_path / "one", "tic_tac_toe")
    assert run.past is None
    assert run.rater is None
    assert type(run.trainer.seats) is EverySeat
    assert run.vector._in_order
    run.vector.close()


def test_a_game_without_two_teams_trains_as_ever(tmp_path: Path) -> None:
    """Told of, and bit for bit the same."""
    said = io.StringIO()
    flags = SMALL | {"train.steps": 1000, "arena.past": 0.2, "arena.rating": "beside"}
    configured = configure("cartpole", flags=flags)
    assert plan_of(configured) is None
    Run(configured, folders.create_run(tmp_path, "with"), Plain(said)).train()
    assert "no two teams" in said.getvalue()
    start(tmp_path / "without", "cartpole", train__steps=1000).train()
    a, b = everything(tmp_path / "with"), everything(tmp_path / "without")
    assert a.keys() == b.keys()
    assert all(a[key] == b[key] for key in a)


class Still:
    """A rater that never says anything."""

    newest: dict[str, Any] = {}  # noqa: RUF012

    def __init__(self, *arguments: Any) -> None:
        pass

    def look(self) -> dict[str, float]:
        return {}

    def finish(self, *arguments: Any) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        pass


def test_a_rated_run_keeps_its_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the newest is compared with stays, though only one checkpoint is kept."""
    monkeypatch.setattr("skipjack.run.run.Rater", Still)
    flags = {"train__steps": 3000, "train__keep": 1, "train__checkpoint_every": 0.0}
    for rating, starts in (("beside", True), ("off", False)):
        run = start(tmp_path / rating, "tic_tac_toe", arena__rating=rating, **flags)
        row = result_row(run.train(), run.configured)
        there = {path.name for path in (tmp_path / rating / "checkpoints").iterdir()}
        assert ("000000000000" in there) == starts
        assert (row["rating"], row["rating_error"]) == (None, None)


def test_the_pool_grows_with_steps_and_stays_on_the_disk(tmp_path: Path) -> None:
    arena = {"arena__past": 0.5, "arena__banks": 2, "arena__games": 1, "arena__pool": 4}
    run = start(tmp_path / "one", "tic_tac_toe", train__steps=3000, train__keep=1, **arena)
    run.train()
    assert run.past is not None
    names = run.past.seats.sampler.names
    assert len(names) == 4
    assert names[0] == "000000000000"
    there = {path.name for path in (tmp_path / "one" / "checkpoints").iterdir()}
    assert set(names) | set(run.past.seats.met) <= there
    assert len(there) <= 4 + 2 + 2  # the pool, who sits in the banks, the best and the newest
    assert run.past.seats.sampler.scores[:, 1].sum() > 0
    assert run.info.rows == run.trainer.seats.rows < run.vector.num_rows
