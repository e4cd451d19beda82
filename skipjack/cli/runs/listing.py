"""`skipjack runs`: a line a run, sorted and filtered."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from skipjack import registry
from skipjack.cli import flags, table
from skipjack.cli.saved import Saved, describe_runs
from skipjack.config import Within
from skipjack.errors import must
from skipjack.report.window import duration, short
from skipjack.run import origin

ORDERS: dict[str, Callable[[Saved], Any]] = {
    "when": lambda saved: saved.written,
    "score": lambda saved: -1.0 if saved.score is None else saved.score,
    "steps": lambda saved: saved.steps,
    "seconds": lambda saved: saved.seconds,
    "env": lambda saved: (saved.env, _by_number(saved.run)),
    "name": lambda saved: _by_number(saved.run),
}
"""What runs can be sorted by."""


@dataclass(frozen=True, slots=True)
class ListFlags:
    """Flags of `skipjack runs`."""

    env: str = ""
    """Only runs of this environment; a game's name includes its variants."""
    min_score: float | None = None
    """Only runs whose score, final or so far, is at least this."""
    commit: str = ""
    """Only runs with a sitting at this git commit, or at one that begins so."""
    state: Literal["", "running", "finished", "stopped", "failed", "killed", "damaged"] = ""
    """Only runs in this state."""
    sort: Literal["when", "score", "steps", "seconds", "env", "name"] = "when"
    """What to sort by; the newest, best or longest stands last."""
    reverse: bool = False
    """The other way round."""
    limit: Annotated[int, Within(0, None)] = 0
    """Only so many of them: the newest, best or longest; 0 is all."""
    root: str = "runs"
    """Folder of the runs."""
    json: bool = False
    """Print JSON."""


def run(arguments: Sequence[str]) -> int:
    """Print the runs that the flags choose."""
    own, _ = flags.parse(ListFlags, arguments, "skipjack runs", "List runs, newest last.")
    check_score("--min-score", own.min_score)
    known = describe_runs(Path(own.root))
    check_env(known, own.env)
    found = sorted((saved for saved in known if _wanted(saved, own)), key=ORDERS[own.sort])
    found = found[-own.limit :]
    if own.reverse:
        found.reverse()
    if own.json:
        print(json.dumps({"runs": [asdict(saved) for saved in found]}))
    elif found:
        print(_table(found))
    elif known:
        print(f"None of the {len(known)} runs in {own.root!r} is as asked.")
    else:
        print(f"No runs in {own.root!r} yet. Start one with: skipjack train breakout")
    return 0


def is_of(saved: Saved, env: str) -> bool:
    """Whether a run is of an environment, or of a variant of it; the empty name means any."""
    return not env or saved.env == env or saved.env.startswith((f"{env}/", f"{env}:"))


def check_env(known: Sequence[Saved], env: str) -> None:
    """A name that neither a run nor the registry knows is a typo.

    Raises:
        UsageError: it is one; the message has the nearest names.
    """
    if env and not any(is_of(saved, env) for saved in known):
        registry.resolve(env)


def check_score(flag: str, value: float | None) -> None:
    """Nothing is above or below nan.

    Raises:
        UsageError: the flag's value is nan.
    """
    if value is not None and math.isnan(value):
        raise must(f"the value of {flag} must be a number", value=value)


def _wanted(saved: Saved, own: ListFlags) -> bool:
    if own.min_score is not None and (saved.score is None or saved.score < own.min_score):
        return False
    if own.commit and not any(
        str(sitting.get("commit") or "").startswith(own.commit)
        for sitting in origin.read(Path(saved.path))
    ):
        return False
    return is_of(saved, own.env) and own.state in ("", saved.state)


def _table(found: Sequence[Saved]) -> str:
    head = ["run", "env", "seed", "state", "steps", "time", "steps/s", "score"]
    head += ["random", "commit", "when"]
    rows = [
        [
            saved.run,
            saved.env or "?",
            "?" if saved.seed is None else str(saved.seed),
            saved.state,
            short(saved.steps),
            duration(saved.seconds),
            short(saved.steps_per_second),
            table.score(saved),
            table.chance(saved),
            table.commit(saved.commit, saved.dirty),
            table.when(saved.written),
        ]
        for saved in found
    ]
    return table.aligned([head, *rows], right=(2, 4, 5, 6))


def _by_number(name: str) -> list[tuple[int, str]]:
    """A key that puts breakout-2 before breakout-10."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]
