"""A run's rows lead back to what they were written from."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from skipjack.report.progress import Evaluation, Progress, RunInfo
from skipjack.report.replay import evaluation_of, progress_of, replay
from skipjack.report.store import Store, evaluation_row, read, update_row
from skipjack.testing.sink import example_evaluation, example_info, example_progress


class Kept:
    """Keeps every call."""

    def __init__(self) -> None:
        self.updates: list[Progress] = []
        self.ends: list[tuple[Evaluation | None, str]] = []
        self.info: RunInfo | None = None

    def start(self, info: RunInfo) -> None:
        self.info = info

    def update(self, progress: Progress) -> None:
        self.updates.append(progress)

    def message(self, text: str) -> None:
        pass

    def finish(self, evaluation: Evaluation | None, reason: str) -> None:
        self.ends.append((evaluation, reason))

    def close(self) -> None:
        pass


def test_rows_lead_back_to_themselves() -> None:
    progress = replace(
        example_progress(3), arena={"rating/elo": 12.0, "past/share": 0.1}, restarts=2
    )
    row = update_row(progress)
    back = progress_of(row, progress.steps - progress.interval_steps, progress.target_steps)
    assert update_row(back) == pytest.approx(row)
    assert back.interval_seconds == pytest.approx(progress.interval_seconds)
    known = evaluation_row(example_evaluation())
    assert evaluation_row(evaluation_of(known)) == known
    assert math.isnan(evaluation_of({"kind": "evaluation"}).score)


def test_a_run_is_reported_once_more_with_updates_taken_together(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for update in range(1, 41):
        store.update(replace(example_progress(update), seconds=0.1 * update, episodes=update))
    store.finish(example_evaluation(), "finished")
    store.close()
    kept = Kept()
    replay(tmp_path, example_info(str(tmp_path)), kept, every=1.0)
    assert [each.update for each in kept.updates] == [1, 11, 21, 31, 40]
    assert sum(each.episodes for each in kept.updates) == sum(range(1, 41))
    ((evaluation, reason),) = kept.ends
    assert (evaluation_row(evaluation), reason) == (
        evaluation_row(example_evaluation()),
        "finished",
    )
    assert len(read(tmp_path)) == 41
