"""TensorBoard's own reader reads back what was reported."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skipjack.errors import MissingPackage
from skipjack.report.tensorboard import FOLDER, TensorBoard
from skipjack.testing.sink import (
    SinkContract,
    example_evaluation,
    example_info,
    example_progress,
)

pytest.importorskip("tensorboard")


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class TestTensorBoard(SinkContract):
    def make_sink(self) -> Any:
        return TensorBoard()


def scalars(run: Path) -> dict[str, list[tuple[int, float]]]:
    """Steps and values of each tag, as TensorBoard shows them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    reader = EventAccumulator(str(run / FOLDER), size_guidance={"scalars": 0})
    reader.Reload()
    return {
        tag: [(event.step, event.value) for event in reader.Scalars(tag)]
        for tag in reader.Tags()["scalars"]
    }


def sitting(folder: Path, updates: range, resumed_from: int = 0, evaluated: bool = False) -> None:
    sink = TensorBoard()
    sink.start(replace(example_info(str(folder)), resumed_from=resumed_from))
    for update in updates:
        sink.update(example_progress(update))
    if evaluated:
        sink.finish(example_evaluation(), "finished")
    sink.close()


def test_scalars_over_steps(tmp_path: Path) -> None:
    sitting(tmp_path, range(1, 4), evaluated=True)
    found = scalars(tmp_path)
    steps = [example_progress(update).steps for update in (1, 2, 3)]
    assert found["charts/episodic_return"] == [(step, 5.0) for step in steps]
    assert found["charts/SPS"][0] == (steps[0], 131_072 / 0.25)
    assert found["charts/seconds"][-1] == (steps[-1], 0.75)
    assert found["episodes/score"][-1] == (steps[-1], np.float32(0.1 * 3))
    assert {"losses/policy_loss", "losses/value_loss", "losses/entropy", "losses/approx_kl"} <= set(
        found
    )
    assert found["evaluation/score"] == [(steps[-1], 0.5)]
    assert found["evaluation/episodes"] == [(steps[-1], 256)]


def test_steps_beyond_32_bits(tmp_path: Path) -> None:
    sink = TensorBoard()
    sink.start(example_info(str(tmp_path)))
    sink.update(example_progress(1, steps=20_000_000_000))
    sink.close()
    assert scalars(tmp_path)["charts/SPS"][0][0] == 20_000_000_000


def test_ratings_stand_over_the_steps_of_their_checkpoint(tmp_path: Path) -> None:
    """Three updates know the same rating; then an earlier row of steps gets another."""
    sink = TensorBoard()
    sink.start(example_info(str(tmp_path)))
    told = [{"rating/alive": 1.0}]  # nothing is rated yet
    told += [{"rating/checkpoint": 1000.0, "rating/elo": 5.0, "rating/alive": 1.0}] * 3
    told += [{"rating/checkpoint": 131_072.0, "rating/elo": 50.0, "rating/alive": 1.0}]
    for update, arena in enumerate(told, 1):
        sink.update(example_progress(update, arena=arena))
    sink.close()
    found = scalars(tmp_path)
    assert found["rating/elo"] == [(1000, 5.0), (131_072, 50.0)]
    assert [step for step, _ in found["charts/SPS"]] == [131_072 * at for at in range(1, 6)]


@pytest.mark.parametrize("cut", [0, 2])
def test_steps_that_a_kill_took_back_do_not_show_twice(tmp_path: Path, cut: int) -> None:
    sitting(tmp_path, range(1, 6))
    time.sleep(1.1)  # files of one second are read by the text of their numbers: 10 before 9
    sitting(tmp_path, range(cut + 1, 5), resumed_from=cut * 131_072)
    steps = [step for step, _ in scalars(tmp_path)["charts/SPS"]]
    assert steps == [update * 131_072 for update in (1, 2, 3, 4)]


def test_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto", None)
    with pytest.raises(MissingPackage, match=r'pip install "skipjack\[track\]"'):
        TensorBoard()
