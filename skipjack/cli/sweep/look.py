"""`skipjack sweep show`, `best` and `report`: what a sweep has found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skipjack import config as settings
from skipjack.checkpoint import write_text
from skipjack.cli import flags
from skipjack.cli.sweep import leading, opened, seconds_of, words_of
from skipjack.cli.table import aligned
from skipjack.errors import RunError, UsageError

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from skipjack.sweep.study import Sweep


@dataclass(frozen=True, slots=True)
class ShowFlags:
    """Flags of `skipjack sweep show`."""

    storage: str = ""
    """Where the study is kept; by default the file in sweeps/NAME."""
    json: bool = False
    """Print JSON instead."""


@dataclass(frozen=True, slots=True)
class BestFlags:
    """Flags of `skipjack sweep best`."""

    cost: str = ""
    """Seconds of training that the settings may take, as in 5m; by default as many as any had."""
    write_preset: str = ""
    """TOML file to write the settings to: skipjack train ENV --config FILE."""
    storage: str = ""
    """Where the study is kept; by default the file in sweeps/NAME."""
    json: bool = False
    """End with a line of JSON on standard output."""


@dataclass(frozen=True, slots=True)
class ReportFlags:
    """Flags of `skipjack sweep report`."""

    out: str = ""
    """Folder to write to; by default the sweep's own."""
    storage: str = ""
    """Where the study is kept; by default the file in sweeps/NAME."""


def show(arguments: Sequence[str]) -> int:
    """Print how a sweep stands."""
    name, rest = flags.subject(arguments, "skipjack sweep show NAME")
    own, _ = flags.parse(ShowFlags, rest, "skipjack sweep show NAME", "Show how a sweep stands.")
    from skipjack.sweep import board

    sweep, _ = opened(name, own.storage)
    print(json.dumps(board.summary(sweep)) if own.json else "\n".join(board.lines(sweep)))
    return 0


def best(arguments: Sequence[str]) -> int:
    """Print the settings to take at a cost, against the preset, and write them to a file."""
    name, rest = flags.subject(arguments, "skipjack sweep best NAME")
    others = leading(rest)
    own, _ = flags.parse(
        BestFlags,
        rest[len(others) :],
        "skipjack sweep best NAME [NAME ...]",
        "Show the best settings for a cost: of one sweep, or for the environments of several.",
    )
    if others:
        from skipjack.cli.sweep import common

        return common.best([name, *others], own)
    sweep, _ = opened(name, own.storage)
    cap = seconds_of(own.cost, "--cost") or float("inf")
    from skipjack.sweep.front import mean_of, same_as

    trials = sweep.trials()
    there = [trial for trial in sweep.front(trials) if mean_of(trials, trial, 1) <= cap]
    if not there:
        raise UsageError(
            f"The sweep {name!r} has no finished trial"
            + (f" of at most {words_of(cap)}. Give a higher --cost." if own.cost else " yet.")
        )
    rows = compared(sweep, there[-1])
    if own.write_preset:
        _write(Path(own.write_preset), sweep, there[-1], rows)
    if own.json:
        trial = there[-1]
        score, cost = (mean_of(trials, trial, at) for at in (0, 1))
        found = {"trial": trial.number, "score": score, "cost_s": cost}
        found["runs"] = len(same_as(trials, trial))
        print(json.dumps(found | {"settings": rows, "written": own.write_preset or None}))
        return 0
    print(_headline(sweep, there[-1]))
    cells = [["setting", "preset", "best", ""]]
    cells += [[row["name"], short(row["preset"]), short(row["best"]), row["edge"]] for row in rows]
    print(aligned(cells, right=(1, 2)))
    print(f"As a command: {command(sweep, there[-1])}")
    if len(same_as(trials, there[-1])) == 1:
        print(
            f"Trained with one seed, and chosen for its score: it may have been lucky. With another seed: "
            f"skipjack sweep promote {name} {there[-1].number} --cost 1x"
        )
    return 0


def report(arguments: Sequence[str]) -> int:
    """Write the page and its pictures."""
    name, rest = flags.subject(arguments, "skipjack sweep report NAME")
    own, _ = flags.parse(
        ReportFlags, rest, "skipjack sweep report NAME", "Write a page that needs no network."
    )
    from skipjack.sweep import pictures
    from skipjack.sweep import report as page

    sweep, folder = opened(name, own.storage)
    pictures.require()
    out = Path(own.out) if own.out else folder
    try:
        out.mkdir(parents=True, exist_ok=True)
        data = page.data_of(sweep)
        write_text(out / "report.html", page.page_of(data))
        drawn = pictures.draw(out, data)
    except OSError as error:
        raise RunError(f"The folder {str(out)!r} must be writable, but {error}.") from error
    print(f"Written: {out / 'report.html'}, {', '.join(path.name for path in drawn)}.")
    return 0


def compared(sweep: Sweep, trial: FrozenTrial) -> list[dict[str, Any]]:
    """What a trial has otherwise than the preset, and which of it stands at the edge of its range."""
    rows = []
    for part in sweep.space.parameters:
        value = trial.params[part.name]
        edge = part.is_edge(value)
        if value != part.centre or edge:
            told = f"at the {edge} end of what was searched" if edge else ""
            rows.append({"name": part.name, "preset": part.centre, "best": value, "edge": told})
    return rows


def command(sweep: Sweep, trial: FrozenTrial) -> str:
    """The command that trains a trial's settings."""
    from skipjack.sweep.report import command_of

    return command_of(sweep, trial)


def _write(path: Path, sweep: Sweep, trial: FrozenTrial, rows: Sequence[dict[str, Any]]) -> None:
    """Settings that differ from the preset, as a file for --config."""
    edges = {row["name"]: row["edge"] for row in rows if row["edge"]}
    values = {row["name"]: row["best"] for row in rows} | dict(sweep.space.fixed)
    write_preset(path, _headline(sweep, trial), values, edges)


def write_preset(
    path: Path, headline: str, values: Mapping[str, Any], notes: Mapping[str, str]
) -> None:
    """Write settings as a file for --config.

    Args:
        path: of the file.
        headline: a comment at its top.
        values: by dotted name.
        notes: comments beside them, by name.

    Raises:
        RunError: it cannot be written.
    """
    sections: dict[str, list[str]] = {}
    for key, value in values.items():
        section, _, leaf = key.rpartition(".")
        note = f"  # {notes[key]}" if key in notes else ""
        sections.setdefault(section, []).append(f"{leaf} = {settings.toml_value(value)}{note}")
    text = f"# {headline}\n"
    text += "".join(f"\n[{name}]\n" + "\n".join(each) + "\n" for name, each in sections.items())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    except OSError as error:
        raise RunError(f"The file {str(path)!r} must be writable, but {error}.") from error


def _headline(sweep: Sweep, trial: FrozenTrial) -> str:
    from skipjack.sweep.front import mean_of, score_in_words

    trials = sweep.trials()
    return (
        f"{sweep.plan.env}: {sweep.plan.metric} {score_in_words(trials, trial)} for "
        f"{words_of(mean_of(trials, trial, 1))} of training, trial {trial.number} of the sweep {sweep.name}."
    )


def short(value: Any) -> str:
    """A setting's value for a table."""
    return (
        f"{value:.4g}"
        if isinstance(value, float)
        else f"{value:,}"
        if type(value) is int
        else str(value)
    )
