"""Runs whose envs are stepped by worker processes."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from skipjack.errors import RunError
from tests.run.test_resume import everything, start

CORRIDOR = "skipjack.testing.corridor:Corridor"


def test_the_number_of_workers_changes_nothing(tmp_path: Path) -> None:
    """Nor does another one after a resume: bytes of all checkpoints, means of all updates."""
    for name, before, after in [("one", 1, 1), ("two", 2, 2), ("mixed", 1, 3)]:
        folder = tmp_path / name
        start(folder, CORRIDOR, vector__workers=before, train__steps=600).train()
        more = {"vector__workers": after, "train__steps": 1200}
        start(folder, CORRIDOR, resume=True, **more).train()
    one = everything(tmp_path / "one")
    assert len(one["rows"]) > 2
    assert everything(tmp_path / "two") == one
    assert everything(tmp_path / "mixed") == one


def test_a_restart_is_shown_and_training_goes_on(tmp_path: Path) -> None:
    wanted = {"vector__workers": 2, "vector__on_crash": "restart", "train__steps": 600}
    run = start(tmp_path / "run", CORRIDOR, **wanted)
    told: list[str] = []
    run.reporter.message = told.append  # type: ignore[method-assign]
    os.kill(run.vector.crew.links[0].process.pid, signal.SIGKILL)
    result = run.train()
    assert result.steps >= 600
    assert result.evaluation is not None
    (shown,) = [text for text in told if "SIGKILL" in text]
    assert "Its envs begin anew (restart 1)" in shown


def test_a_crash_ends_the_run_in_words(tmp_path: Path) -> None:
    run = start(tmp_path / "run", CORRIDOR, vector__workers=2)
    os.kill(run.vector.crew.links[1].process.pid, signal.SIGKILL)
    with pytest.raises(RunError, match=r"ended by SIGKILL.*The last good checkpoint is"):
        run.train()
