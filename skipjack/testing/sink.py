"""What every sink must do."""

from __future__ import annotations

import math
from typing import Any

from skipjack.report.progress import Evaluation, Progress, RunInfo


def example_info(folder: str = "runs/example-1") -> RunInfo:
    """A run's description for tests."""
    return RunInfo("example-1", "breakout", folder, 0, "cpu", 4096, 2, 15_749, 1_000_000)


def example_progress(update: int = 1, **changes: Any) -> Progress:
    """An update's progress for tests."""
    values: dict[str, Any] = {
        "update": update,
        "steps": 131_072 * update,
        "target_steps": 1_000_000,
        "seconds": 0.25 * update,
        "interval_steps": 131_072,
        "interval_seconds": 0.25,
        "profile": {"environment": 0.02, "acting": 0.06, "learning": 0.16, "other": 0.01},
        "losses": {"policy": -0.01, "value": 0.2, "entropy": 1.0, "kl": 0.004},
        "episodes": 10 * update,
        "means": {"score": 0.1 * update, "return": 5.0, "length": 120.0},
    }
    return Progress(**(values | changes))


def example_evaluation(score: float = 0.5) -> Evaluation:
    """A final evaluation for tests."""
    return Evaluation(score, 0.02, 432.0, 1800.0, 256, 0, 460_000, 1.5, {"points": 432.0})


class SinkContract:
    """Tests of a sink. Override `make_sink`."""

    def make_sink(self) -> Any:
        """A fresh sink."""
        raise NotImplementedError

    def test_a_whole_run(self) -> None:
        """Start, updates, messages, the end."""
        sink = self.make_sink()
        sink.start(example_info())
        for update in range(1, 4):
            sink.update(example_progress(update))
        sink.message("A checkpoint was saved.")
        sink.finish(example_evaluation(), "finished")
        sink.close()

    def test_numbers_that_are_none(self) -> None:
        """NaN, infinity and updates without episodes are borne."""
        sink = self.make_sink()
        sink.start(example_info())
        sink.update(example_progress(1, episodes=0, means={}))
        sink.update(example_progress(2, losses={"policy": math.nan, "value": math.inf}))
        sink.update(example_progress(3, means={"score": math.nan, "return": 0.0}))
        sink.update(example_progress(4, interval_seconds=0.0, profile={}))
        sink.finish(example_evaluation(math.nan), "finished")
        sink.close()

    def test_a_run_that_never_begins(self) -> None:
        """A failure before the first update."""
        sink = self.make_sink()
        sink.finish(None, "failed: There is no space left.")
        sink.close()
