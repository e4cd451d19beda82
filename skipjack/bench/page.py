"""docs/benchmarks.md and its pictures, from a suite's results."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from skipjack import __version__
from skipjack.bench import curves, table
from skipjack.bench.suite import Suite, commits
from skipjack.checkpoint import write_text
from skipjack.errors import RunError
from skipjack.report import store

PAGE = """# Benchmarks

Presets trained by `{command}`, which wrote this page.
Skipjack {version} ({commits}), {machines}.

{table}

Medians over the seeds, in brackets the lowest and highest. *score* is that of the final evaluation, over
whole episodes with frozen weights, ± the half width of its 95 % interval; *random* is the random player's by
the same rules. *steps to it* and *seconds to it* run until the mean score over the episodes of an update
(at least 20) reached the target, *seconds to it* from the start of the process; *seconds* is the training
alone. In self-play training's scores say nothing of the final one: no target and no curve.{compared}

## Learning curves

The mean score of the episodes that ended in each sixtieth of a run: the median over the seeds and their
range. Dashed: the target. Dotted: the random player. The first episodes to end are the short ones, so that
a curve may begin too high where success ends an episode, too low where failure does.

Over steps:

![Scores over steps](benchmarks_steps.svg)

Over seconds of training:

![Scores over seconds](benchmarks_seconds.svg)
"""

COMPARED = """
An arrow marks what differs from the release before ({version}) beyond the noise: with at least three seeds
on both sides, the ranges do not meet (those of scores widened by their intervals)."""


def write(
    folder: Path,
    suite: Suite,
    results: Sequence[Mapping[str, Any]],
    command: str,
    before: Mapping[str, Any] | None = None,
) -> Path:
    """Write the page and its pictures into a folder; gives the page's path.

    Args:
        folder: where; it is made.
        suite: the suite, whose runs' metrics are drawn.
        results: what it gave.
        command: the command that wrote it.
        before: an earlier suite's file, as loaded, to compare with.

    Raises:
        MissingPackage: matplotlib is not installed.
        RunError: the folder cannot be written to.
    """
    summaries = table.summarise(results)
    runs: dict[str, list[list[dict[str, Any]]]] = {}
    for result in results:
        runs.setdefault(result["env"], []).append(store.read(suite.run_folder(result["run"])))
    text = PAGE.format(
        command=command,
        version=__version__,
        commits=commits(results) or "no commit",
        table=table.render(summaries, before),
        compared=COMPARED.format(version=_versions(before["results"].values())) if before else "",
        machines=_machines(results),
    )
    make(folder)
    try:
        drawn = [summary for summary in summaries if summary.target is not None] or summaries
        for axis in ("steps", "seconds"):
            curves.draw(folder / f"benchmarks_{axis}.svg", drawn, runs, axis)
        write_text(folder / "benchmarks.md", text)
    except OSError as error:
        raise RunError(f"The folder {str(folder)!r} must be writable, but {error}.") from error
    return folder / "benchmarks.md"


def make(folder: Path) -> None:
    """Make the folder of the page, and see that it can be written to: a suite takes hours.

    Raises:
        RunError: it cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise RunError(f"The folder {str(folder)!r} must be writable, but {error}.") from error


def _machines(results: Sequence[Mapping[str, Any]]) -> str:
    """What the runs were on, each once; only Python may differ in a suite."""
    form = "{cores} cores of {cpu}, Python {python}, torch {torch}"
    return "; ".join(dict.fromkeys(form.format_map(result["machine"]) for result in results))


def _versions(results: Any) -> str:
    return ", ".join(dict.fromkeys(result["skipjack"] for result in results))
