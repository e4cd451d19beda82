"""`skipjack config diff A B` and `skipjack runs diff A B`: only what differs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skipjack import config as settings
from skipjack import folders, registry
from skipjack.cli import flags, saved, table
from skipjack.errors import UsageError, unknown
from skipjack.run import origin

VERSIONS = ("skipjack", "python", "torch", "numpy", "host", "system", "cores", "threads")
"""What an origin says of code and machine, beside the commit."""


@dataclass(frozen=True, slots=True)
class DiffFlags:
    """Flags of both commands."""

    root: str = "runs"
    """Folder of the runs."""
    json: bool = False
    """Print JSON."""


@dataclass(slots=True)
class Side:
    """One of the two.

    Attributes:
        name: as the user gave it.
        env: the env's name; empty if a file does not say.
        values: settings by dotted name.
        sources: where they came from, by dotted name, as far as it is known.
        facts: of a run: score, steps, commit, versions.
    """

    name: str
    env: str
    values: dict[str, Any]
    sources: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)


def run(arguments: Sequence[str], command: str) -> int:
    """Print the settings that differ, with where they came from; of runs also commit and versions."""
    usage = f"{command} A B"
    first, rest = flags.subject(arguments, usage)
    second, rest = flags.subject(rest, usage)
    what = "What differs between two of: a run, a TOML file, an environment."
    own, _ = flags.parse(DiffFlags, rest, usage, what)
    runs_first = command == "skipjack runs diff"
    a, b = _both(first, second, Path(own.root), runs_first)
    facts = differing(a.facts, b.facts) if a.facts and b.facts else {}
    if a.env and b.env and a.env != b.env:
        facts = {"env": (a.env, b.env)} | facts
    found = differing(a.values, b.values)
    near = _edges(a, b) if not runs_first else {}
    if own.json:
        print(json.dumps(_as_json(a, b, facts, found, near), default=str))
        return 0
    rows = [[name, one or "-", two or "-"] for name, (one, two) in facts.items()]
    rows += [
        [name, _shown(a, name, one, near), _shown(b, name, two, near)]
        for name, (one, two) in found.items()
    ]
    if rows:
        print(table.aligned([["", a.name, b.name], *rows]))
    if not found:
        print("No setting differs.")
    return 0


def differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Values that are not the same in both, by name, in order; None where there is none."""
    names = dict.fromkeys([*a, *b])
    return {name: (a.get(name), b.get(name)) for name in names if a.get(name) != b.get(name)}


def _both(first: str, second: str, root: Path, runs_first: bool) -> tuple[Side, Side]:
    """Both sides. A file that names no env is what training the other side's env with it would be."""
    a, b = (_side(name, root, runs_first) for name in (first, second))
    for side, other in ((a, b), (b, a)):
        if not side.env and other.env:
            _configure(side, other.env, Path(side.name))
    return a, b


def _side(name: str, root: Path, runs_first: bool) -> Side:
    if Path(name).suffix == ".toml":
        return _file(name)
    folder, is_env = saved.find_run(name, root), name in registry.names()
    if folder and is_env:
        _say_which(name, folder, runs_first)
    if folder and (runs_first or not is_env):
        return _run(name, folder)
    if ":" not in name and not registry.is_folder(name) and not is_env:
        names = [*folders.list_runs(root), *registry.names()]
        raise unknown("run, TOML file or environment", name, names, see="skipjack list")
    side = Side(name, name, {})
    _configure(side, name)
    return side


def _say_which(name: str, folder: Path, runs_first: bool) -> None:
    """Say what a name was taken for that both a run and an environment have."""
    other = f"the environment is compared by: skipjack config diff {name}"
    if not runs_first:
        other = f"the run is {os.path.join('.', folder)}"
    kind = "run" if runs_first else "environment"
    print(f"{name!r} is the {kind} here; {other}", file=sys.stderr)


def _file(name: str) -> Side:
    values = settings.load_toml(Path(name))
    env = str(values.pop("name", ""))
    values = settings.dotted(values)
    side = Side(name, env, values, dict.fromkeys(values, f"file {name}"))
    if env and _is_here(env):
        _configure(side, env, Path(name))
    return side


def _is_here(env: str) -> bool:
    """Whether an env's settings can be known: its package may be on another machine."""
    from skipjack.run.config import declared

    try:
        return bool(declared(env))
    except UsageError:
        return False


def _run(name: str, folder: Path) -> Side:
    env, values = saved.load_saved(folder)
    found = saved.describe(folder)
    sitting = (origin.read(folder) or [{}])[-1]
    facts = {
        "env": env,
        "state": found.state,
        "score": table.score(found),
        "random": table.chance(found),
        "steps": f"{found.steps:,}",
        "seconds": f"{found.seconds:.1f}",
        "commit": table.commit(found.commit, found.dirty),
    }
    facts |= {key: str(sitting[key]) for key in VERSIONS if key in sitting}
    values = settings.dotted(values)
    return Side(name, env, values, saved.provenance(folder, values), facts)


def _configure(side: Side, env: str, file: Path | None = None) -> None:
    from skipjack.run.config import configure

    found = configure(env, file=file)
    side.env, side.sources = env, found.provenance
    side.values = {k: v for k, v in settings.flatten(found.config).items() if v is not None}


def _edges(a: Side, b: Side) -> dict[tuple[str, str], str]:
    """Where values of either side stand that are at the edge, by side and setting."""
    from skipjack.run.config import declared

    found = {}
    for side in (a, b):
        try:
            known = declared(side.env)
        except UsageError:
            continue  # an env that is not here, or a file that names none: no ranges to go by
        for name, value in side.values.items():
            if name in known and (where := settings.at_edge(known[name], value)):
                found[side.name, name] = where
    return found


def _shown(side: Side, name: str, value: Any, near: Mapping[tuple[str, str], str]) -> str:
    if value is None:
        return "-"
    notes = [side.sources.get(name, ""), near.get((side.name, name), "")]
    note = ", ".join(filter(None, notes))
    return json.dumps(value, default=str) + (f" ({note})" if note else "")


def _as_json(
    a: Side,
    b: Side,
    facts: Mapping[str, tuple[Any, Any]],
    found: Mapping[str, tuple[Any, Any]],
    near: Mapping[tuple[str, str], str],
) -> dict[str, Any]:
    def cell(side: Side, name: str, value: Any) -> dict[str, Any]:
        row = {"value": value, "from": side.sources.get(name)}
        where = near.get((side.name, name))
        return row | ({"edge": where} if where else {})

    return {
        "a": a.name,
        "b": b.name,
        "origin": {name: {"a": one, "b": two} for name, (one, two) in facts.items()},
        "settings": {
            name: {"a": cell(a, name, one), "b": cell(b, name, two)}
            for name, (one, two) in found.items()
        },
    }
