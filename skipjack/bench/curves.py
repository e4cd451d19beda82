"""Learning curves of a suite: scores over steps and over seconds, median and range over seeds."""

from __future__ import annotations

import importlib.util
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from skipjack.bench.table import Summary
from skipjack.errors import missing

BINS = 60
"""Points of a curve."""

Curve = list[tuple[float, float, float, float]]
"""(x, median, lowest, highest) over the seeds, by x."""


def require() -> None:
    """Say how to install matplotlib, where it is not.

    Raises:
        MissingPackage: it is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise missing("matplotlib", extra="sweep", what="A picture of learning curves")


def binned(
    rows: Sequence[Mapping[str, Any]], axis: str, end: float, bins: int = BINS
) -> list[float | None]:
    """A run's mean score in each of `bins` equal parts of [0, end], over the episodes that ended there.

    A part in which none ended has the score of the one before; the first ones may have None.

    Args:
        rows: the run's metrics.
        axis: "steps" or "seconds".
        end: where the last part ends.
        bins: number of parts.
    """
    sums, counts = [0.0] * bins, [0] * bins
    for row in rows:
        if row.get("episodes") and row.get("episodes/score") is not None:
            # An update's row stands at its end: one at the border belongs to the part before.
            at = min(bins - 1, max(0, math.ceil(row[axis] / end * bins) - 1))
            sums[at] += row["episodes/score"] * row["episodes"]
            counts[at] += row["episodes"]
    found: list[float | None] = []
    for total, count in zip(sums, counts, strict=True):
        found.append(total / count if count else (found[-1] if found else None))
    return found


def curve(runs: Sequence[Sequence[Mapping[str, Any]]], axis: str, bins: int = BINS) -> Curve:
    """Several seeds' runs as one curve; a run that has ended keeps its last score."""
    ends = [row[axis] for rows in runs for row in rows if axis in row]
    if not ends:
        return []
    parts = [binned(rows, axis, max(ends), bins) for rows in runs]
    found: Curve = []
    for index, column in enumerate(zip(*parts, strict=True)):
        known = [value for value in column if value is not None]
        if known:
            x = max(ends) * (index + 1) / bins
            found.append((x, statistics.median(known), min(known), max(known)))
    return found


def draw(
    path: Path,
    summaries: Sequence[Summary],
    runs: Mapping[str, Sequence[Sequence[Mapping[str, Any]]]],
    axis: str,
) -> None:
    """Write one SVG with a small picture for each preset.

    Args:
        path: the file.
        summaries: the presets, with their targets and random scores.
        runs: metrics of each seed, by preset.
        axis: "steps" or "seconds" (of training).
    """
    require()
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter

    columns = min(3, len(summaries))
    height = math.ceil(len(summaries) / columns)
    # The same runs give the same bytes; text stays text, which keeps the file small.
    with matplotlib.rc_context(
        {"svg.fonttype": "none", "svg.hashsalt": "skipjack", "font.size": 8}
    ):
        figure = Figure(figsize=(3.2 * columns, 2.1 * height), layout="constrained")
        grid = figure.subplots(height, columns, squeeze=False)
        for place, summary in zip(grid.flat, summaries, strict=False):
            points = curve(runs.get(summary.env, ()), axis)
            if points:
                x, median, low, high = zip(*points, strict=True)
                place.fill_between(x, low, high, alpha=0.25, linewidth=0)
                place.plot(x, median)
            for level, style in ((summary.target, "--"), (summary.random_score, ":")):
                if level is not None:
                    place.axhline(level, color="grey", linestyle=style, linewidth=0.8)
            place.set(title=summary.env, xlabel=axis, ylim=(0, 1.02))
            place.set_xlim(left=0)
            place.xaxis.set_major_formatter(EngFormatter(sep=""))
        for place in grid.flat[len(summaries) :]:
            place.set_axis_off()
        grid[0][0].set_ylabel("score")
        figure.savefig(path, format="svg", metadata={"Date": None})
