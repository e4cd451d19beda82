"""`skipjack runs show RUN`: all that a run's folder tells."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from skipjack import config as settings
from skipjack.cli import diff, flags, saved, table
from skipjack.errors import SkipjackError, unknown
from skipjack.report import store
from skipjack.report.window import duration, short
from skipjack.run import lock, origin


@dataclass(frozen=True, slots=True)
class ShowFlags:
    """Flags of `skipjack runs show`."""

    root: str = "runs"
    """Folder of the runs."""
    json: bool = False
    """Print JSON."""


def run(arguments: Sequence[str]) -> int:
    """Print a run's origin, scores, own settings, checkpoints and next commands."""
    name, rest = flags.subject(arguments, "skipjack runs show RUN")
    own, _ = flags.parse(ShowFlags, rest, "skipjack runs show RUN", "Show all about a run.")
    folder = saved.find_run(name, Path(own.root))
    if folder is None:
        known = [other.run for other in saved.describe_runs(Path(own.root))]
        raise unknown("run", name, known, see="skipjack runs")
    found = examine(folder)
    print(json.dumps(found, default=str) if own.json else "\n".join(_lines(found)))
    return 0


def examine(folder: Path) -> dict[str, Any]:
    """All about a run as JSON values: those of `saved.Saved` and what takes longer to find."""
    known = saved.describe(folder)
    best = saved.best_of(folder)
    own, target, problem = _own_settings(folder, known.env)
    rows = store.read_end(folder)
    short_root = folder.parent == Path("runs")  # where other commands look by themselves
    handle = folder.name if short_root else str(folder)
    return {
        **asdict(known),
        "problem": known.problem or problem,
        "target_steps": target,
        "best_score": best[0] if best else None,
        "best_steps": best[1] if best else None,
        "evaluation": next(
            (row for row in reversed(rows) if row.get("kind") == "evaluation"), None
        ),
        "holder": lock.holder(folder),
        "started_from_this": saved.started_from(folder),
        "sittings": origin.read(folder),
        "settings": own,
        "checkpoints": saved.checkpoints(folder),
        "bytes": saved.size_of(folder),
        "next": saved.next_commands(handle, known.env, known.state, known.steps)
        if known.env
        else [],
    }


def _own_settings(folder: Path, env: str) -> tuple[dict[str, Any], int | None, str]:
    """Settings that the preset has otherwise, the steps to train for, and what is in the way of knowing."""
    try:
        _, nested = saved.load_saved(folder)
        values = settings.dotted(nested)
        steps = values.get("train.steps")
        target = steps if isinstance(steps, int) else None
    except SkipjackError as error:
        return {}, None, str(error)
    try:
        from skipjack.run.config import configure, declared

        preset = settings.flatten(configure(env).config)
        known = declared(env)
    except SkipjackError as error:  # the env is of a package that is not here
        return {}, target, str(error)
    sources = saved.provenance(folder, values)
    rows = {}
    for name, (value, usual) in diff.differing(values, preset).items():
        row = {"value": value, "preset": usual, "from": sources.get(name)}
        if name in known and (where := settings.at_edge(known[name], value)):
            row["edge"] = where
        rows[name] = row
    return rows, target, ""


def _lines(found: dict[str, Any]) -> list[str]:
    return [
        *_head(found),
        *_section("Sittings", _sittings(found["sittings"])),
        *_section(f"Settings unlike the preset of {found['env']}", _settings(found["settings"])),
        *_section(f"Checkpoints, {short(found['bytes'])}B with all", _checkpoints(found)),
        *_section("Next", found["next"]),
    ]


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return ["", title, *(f"  {line}" for line in lines)] if lines else []


def _head(found: dict[str, Any]) -> list[str]:
    target = f" of {found['target_steps']:,}" if found["target_steps"] else ""
    known = saved.Saved(**{name: found[name] for name in saved.Saved.__slots__})
    state = found["state"]
    if found["holder"] is not None:
        state += f": {lock.who(found['holder'])}"
    facts = {
        "state": f"{state}, last written {table.when(found['written'])}",
        "problem": found["problem"],
        "steps": f"{found['steps']:,}{target}, {duration(found['seconds'])}, "
        f"{short(found['steps_per_second'])} steps/s",
        "seed": "" if found["seed"] is None else str(found["seed"]),
        "score": table.score(known),
        "random": "",
        "best": "",
        "from": "",
        "led to": ", ".join(found["started_from_this"]),
    }
    if final := found["evaluation"]:
        facts["score"] += f", final evaluation of {final.get('episodes')} episodes"
        facts["random"] = table.chance(known) + ", the random player's score by the same rules"
    if found["best_score"] is not None:
        facts["best"] = (
            f"{found['best_score']:.3f} at step {found['best_steps']:,}, mean of training"
        )
    if source := found["source"]:
        facts["from"] = (
            f"{source.get('run')} at step {source.get('steps')}, {source.get('checkpoint')}"
        )
    rows = [[name, fact] for name, fact in facts.items() if fact]
    return [f"{found['run']}  {found['env'] or '?'}", table.aligned(rows)]


def _sittings(sittings: Sequence[dict[str, Any]]) -> list[str]:
    lines = []
    for number, sitting in enumerate(sittings, start=1):
        command, steps = sitting.get("command"), sitting.get("steps", 0)
        words = [str(word) for word in command] if isinstance(command, list) else []
        steps = f"{steps:,}" if isinstance(steps, int) else steps
        versions = ", ".join(f"{key} {sitting.get(key)}" for key in ("skipjack", "python", "torch"))
        lines += [
            f"{number}  {sitting.get('time')} from step {steps}, commit "
            f"{table.commit(sitting.get('commit'), sitting.get('dirty'))}, {versions}",
            f"   on {sitting.get('host')}, {sitting.get('cores')} cores, "
            f"{sitting.get('threads')} threads, {sitting.get('system')}",
            f"   skipjack {shlex.join(words[1:])}",
        ]
    return lines


def _settings(own: dict[str, Any]) -> list[str]:
    lines = []
    for name, row in own.items():
        notes = [f"preset: {json.dumps(row['preset'])}", row["from"], row.get("edge")]
        value = json.dumps(row["value"], default=str)
        lines.append(f"{name} = {value}  ({', '.join(filter(None, notes))})")
    return lines


def _checkpoints(found: dict[str, Any]) -> list[str]:
    rows = []
    for kept in found["checkpoints"]:
        marks = [name for name in ("latest", "best") if kept[name]]
        rows.append([f"{kept['steps']:,}", f"{short(kept['bytes'])}B", ", ".join(marks)])
    return table.aligned(rows, right=(0, 1)).splitlines() if rows else []
