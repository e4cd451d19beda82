"""A run that has ended, reported once more: from its own metrics.jsonl to any sink."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skipjack.report import store
from skipjack.report.progress import Evaluation, Progress, RunInfo, Sink
from skipjack.report.window import Window

EVERY = 2.0
"""Seconds of training between reports, as trackers have them of a run that is under way."""

TOLD = {"update", "steps", "seconds", "steps_per_second", "episodes", "restarts"}
"""Names in an update's row that stand for a field of their own."""


def replay(folder: Path, info: RunInfo, sink: Sink, every: float = EVERY) -> None:
    """Report a run's updates and its final evaluation; the sink is started, and left to be closed.

    Args:
        folder: of the run.
        info: what stands above it.
        sink: where to.
        every: updates within so many seconds of training are taken together.
    """
    sink.start(info)
    window, told, before, reason = Window(), -math.inf, 0, "finished"
    evaluation = None
    for row in store.read(folder):
        if "kind" in row:
            evaluation = evaluation_of(row) if row["kind"] == "evaluation" else None
            reason = str(row.get("reason", reason))
            continue
        if not {"update", "steps", "seconds"} <= set(row):
            continue
        window.add(progress_of(row, before, info.target_steps))
        before = row["steps"]
        if row["seconds"] - told >= every:
            window, told = _report(window, sink), row["seconds"]
    _report(window, sink)
    sink.finish(evaluation, reason)


def progress_of(row: Mapping[str, Any], before: int, target_steps: int) -> Progress:
    """An update from its row in the store; what was not finite is left out.

    Args:
        row: as `store.update_row` made it.
        before: steps before the update.
        target_steps: of the run.
    """
    known = {name: value for name, value in row.items() if value is not None}
    parts = {head: _under(known, f"{head}/") for head in ("profile", "losses", "episodes")}
    heads = tuple(f"{head}/" for head in parts)
    others = {n: v for n, v in known.items() if n not in TOLD and not n.startswith(heads)}
    steps = row["steps"] - before
    return Progress(
        update=row["update"],
        steps=row["steps"],
        target_steps=target_steps,
        seconds=row["seconds"],
        interval_steps=steps,
        interval_seconds=steps / max(known.get("steps_per_second", 0.0), 1e-9),
        profile=parts["profile"],
        losses=parts["losses"],
        episodes=known.get("episodes", 0),
        means=parts["episodes"],
        restarts=known.get("restarts", 0),
        arena=others,
    )


def evaluation_of(row: Mapping[str, Any]) -> Evaluation:
    """A final evaluation from its row in the store; NaN for what is not known. The row has no seconds."""

    def number(name: str) -> float:
        value = row.get(name)
        return math.nan if value is None else float(value)

    return Evaluation(
        score=number("score"),
        score_ci95=number("score_ci95"),
        return_=number("return"),
        length=number("length"),
        episodes=row.get("episodes", 0),
        unfinished=row.get("unfinished", 0),
        steps=row.get("evaluation_steps", 0),
        seconds=math.nan,
        statistics=_under(row, "episodes/"),
        return_ci95=number("return_ci95"),
        random_score=number("random_score"),
        random_return=number("random_return"),
    )


def _report(window: Window, sink: Sink) -> Window:
    """Report what was taken in; gives an empty window."""
    if (together := window.together()) is not None:
        sink.update(together)
    return Window()


def _under(row: Mapping[str, Any], head: str) -> dict[str, float]:
    return {name.removeprefix(head): row[name] for name in row if name.startswith(head)}
