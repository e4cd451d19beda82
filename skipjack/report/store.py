"""The local store: metrics.jsonl, a row an update, always on."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from skipjack.errors import RunError
from skipjack.report.progress import Evaluation, Progress, RunInfo

FILE = "metrics.jsonl"


class Store:
    """Appends a JSON line for each update, and one for the final evaluation or another end.

    Rows are flat: `update`, `steps`, `seconds`, `steps_per_second`, `episodes` (their count),
    `losses/<name>`, `profile/<phase>` in seconds, `episodes/<name>` means. What is not finite
    is null.

    Args:
        folder: the run's folder.
        resume_at: keep the rows up to this update, evaluations among them, and go on after it;
            None keeps none.
    """

    def __init__(self, folder: Path, resume_at: int | None = None) -> None:
        self.path = folder / FILE
        self._file: TextIO | None = None
        kept = []
        if resume_at is not None:
            rows = read(folder)
            later = (at for at, row in enumerate(rows) if row.get("update", 0) > resume_at)
            kept = [row for row in rows[: next(later, len(rows))] if row.get("kind") != "end"]
        try:
            draft = self.path.with_name(f".{FILE}.draft")
            draft.write_text("".join(map(_line, kept)), encoding="utf-8")
            draft.replace(self.path)
            self._file = open(self.path, "a", encoding="utf-8")
        except OSError as error:
            raise self._unwritable(error) from error

    def start(self, info: RunInfo) -> None:
        """Nothing to keep: origin.json and config.toml say it."""

    def update(self, progress: Progress) -> None:
        """Append the update's row."""
        self._append(update_row(progress))

    def message(self, text: str) -> None:
        """Messages are for screens."""

    def finish(self, evaluation: Evaluation | None, reason: str) -> None:
        """Append the final evaluation, or that there was none, and why the run ended."""
        row = {"kind": "evaluation" if evaluation else "end", "reason": reason}
        self._append(row | (evaluation_row(evaluation) if evaluation else {}))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _append(self, row: dict[str, Any]) -> None:
        assert self._file is not None
        try:
            self._file.write(_line(row))
            self._file.flush()
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> RunError:
        return RunError(
            f"The run's metrics must be written to {str(self.path)!r}, but {error}. Free space or "
            f"give write access and go on with --resume."
        )


def read(folder: Path) -> list[dict[str, Any]]:
    """All rows of a run; damaged lines, such as a last one that a kill cut in half, are left out."""
    path = folder / FILE
    return _rows(path.read_bytes().split(b"\n")) if path.exists() else []


def read_end(folder: Path, size: int = 1 << 16) -> list[dict[str, Any]]:
    """The last rows of a run, from at most `size` bytes: as quick for a day's training as a minute's.

    Lines that are damaged are left out; so is everything if the file cannot be read.
    """
    try:
        with open(folder / FILE, "rb") as file:
            begin = max(0, file.seek(0, os.SEEK_END) - size)
            file.seek(begin)
            lines = file.read().split(b"\n")
    except OSError:
        return []
    return _rows(lines[bool(begin) :])  # the first is cut off, unless it is the file's own first


def update_row(progress: Progress) -> dict[str, Any]:
    """An update as a flat row of numbers, the same names in the store and in trackers."""
    return {
        "update": progress.update,
        "steps": progress.steps,
        "seconds": progress.seconds,
        "steps_per_second": progress.interval_steps / max(progress.interval_seconds, 1e-9),
        "episodes": progress.episodes,
        **({"restarts": progress.restarts} if progress.restarts else {}),
        **{f"episodes/{name}": mean for name, mean in progress.means.items()},
        **progress.arena,
        **{f"losses/{name}": loss for name, loss in progress.losses.items()},
        **{f"profile/{name}": seconds for name, seconds in progress.profile.items()},
    }


def evaluation_row(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation as JSON values, the same in the store, in trackers and on the command line."""
    return finite(
        {
            "score": evaluation.score,
            "score_ci95": evaluation.score_ci95,
            "random_score": evaluation.random_score,
            "return": evaluation.return_,
            "return_ci95": evaluation.return_ci95,
            "random_return": evaluation.random_return,
            "length": evaluation.length,
            "episodes": evaluation.episodes,
            "unfinished": evaluation.unfinished,
            "evaluation_steps": evaluation.steps,
            **{f"episodes/{name}": mean for name, mean in evaluation.statistics.items()},
        }
    )


def finite(row: dict[str, Any]) -> dict[str, Any]:
    """`row` with None for numbers that JSON cannot hold."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }


def _rows(lines: Iterable[bytes]) -> list[dict[str, Any]]:
    rows = []
    for line in lines:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict) and isinstance(row.get("update", 0), int):
            rows.append(row)
    return rows


def _line(row: dict[str, Any]) -> str:
    return json.dumps(finite(row)) + "\n"
