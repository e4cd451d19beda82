"""TensorBoard as a sink: event files in the run's folder."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skipjack.errors import missing
from skipjack.report.progress import Evaluation, Progress, RunInfo
from skipjack.report.store import evaluation_row, finite, update_row

FOLDER = "tensorboard"

TAGS = {
    "update": "charts/update",
    "seconds": "charts/seconds",
    "steps_per_second": "charts/SPS",
    "episodes": "charts/episodes",
    "episodes/return": "charts/episodic_return",
    "episodes/length": "charts/episodic_length",
    "losses/learning_rate": "charts/learning_rate",
    "losses/policy": "losses/policy_loss",
    "losses/value": "losses/value_loss",
    "losses/kl": "losses/approx_kl",
    "losses/clip_fraction": "losses/clipfrac",
}
"""Our names and the tags of CleanRL's dashboards; every other name is its own tag."""


class TensorBoard:
    """Writes scalars over steps; TensorBoard's own axes are steps and wall clock.

    Ratings come late: their steps are those of the checkpoint that they are of.

    Raises:
        MissingPackage: tensorboard is not installed.
    """

    def __init__(self) -> None:
        try:
            from tensorboard.compat.proto import event_pb2, summary_pb2
            from tensorboard.summary.writer import event_file_writer
        except ImportError:
            raise missing("tensorboard", "track", what="Tracking with tensorboard") from None
        self.events, self.summaries, self.files = event_pb2, summary_pb2, event_file_writer
        self.writer: Any = None
        self.steps = 0
        self.rated: dict[str, Any] = {}  # the newest ratings that were written

    def start(self, info: RunInfo) -> None:
        """Open a new event file."""
        self.writer = self.files.EventFileWriter(str(Path(info.folder) / FOLDER))
        # Readers drop what earlier files hold from this step on: a kill took it back.
        begin = self.events.SessionLog(status=self.events.SessionLog.START)
        event = self.events.Event(step=info.resumed_from + 1, session_log=begin)
        self.writer.add_event(event)

    def update(self, progress: Progress) -> None:
        """Write an update's scalars."""
        self.steps = progress.steps
        row = update_row(progress)
        ratings = {name: row.pop(name) for name in list(row) if name.startswith("rating/")}
        self._write({TAGS.get(name, name): value for name, value in row.items()}, self.steps)
        if "rating/checkpoint" in ratings and ratings != self.rated:
            self.rated = ratings
            self._write(ratings, int(ratings["rating/checkpoint"]))

    def message(self, text: str) -> None:
        """Messages are for screens."""

    def finish(self, evaluation: Evaluation | None, reason: str) -> None:
        """Write the final evaluation at the last step."""
        if evaluation is not None:
            row = evaluation_row(evaluation)
            self._write({f"evaluation/{name}": value for name, value in row.items()}, self.steps)

    def close(self) -> None:
        """Close the file."""
        if self.writer is not None:
            self.writer.close()

    def _write(self, row: Mapping[str, Any], steps: int) -> None:
        values = [
            self.summaries.Summary.Value(tag=tag, simple_value=value)
            for tag, value in finite(dict(row)).items()
            if value is not None
        ]
        summary = self.summaries.Summary(value=values)
        event = self.events.Event(wall_time=time.time(), step=steps, summary=summary)
        self.writer.add_event(event)
        self.writer.flush()  # seen at once, and kept if the process is killed
