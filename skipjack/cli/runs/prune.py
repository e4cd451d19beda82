"""`skipjack runs prune`: which runs or checkpoints would go; removes them only with --yes."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from skipjack import checkpoint, folders
from skipjack.cli import flags, table
from skipjack.cli.runs.listing import check_env, check_score, is_of
from skipjack.cli.saved import (
    Saved,
    checkpoints,
    describe_runs,
    is_ours,
    size_of,
    source_folder,
)
from skipjack.config import Within
from skipjack.errors import RunError, UsageError, must
from skipjack.report.window import short
from skipjack.run import lock

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
"""Units of --older-than, in seconds."""


@dataclass(frozen=True, slots=True)
class PruneFlags:
    """Flags of `skipjack runs prune`. A run goes if all criteria that are given hold for it."""

    env: str = ""
    """Runs of this environment; a game's name includes its variants."""
    max_score: float | None = None
    """Runs whose score, final or so far, is at most this; runs without one stay."""
    older_than: str = ""
    """Runs last written longer ago than this: 30m, 12h, 7d, 2w."""
    unfinished: bool = False
    """Runs without a final evaluation; damaged ones go by no other criterion."""
    keep_best: Annotated[int, Within(0, None)] = 0
    """All but so many of the best-scored runs of each environment."""
    checkpoints: bool = False
    """Remove checkpoints instead of runs: all but the latest and the best."""
    sources: bool = False
    """Also what other runs were started from (--from)."""
    yes: bool = False
    """Remove; without it nothing is touched."""
    root: str = "runs"
    """Folder of the runs."""
    json: bool = False
    """Print JSON."""


@dataclass(slots=True)
class Removal:
    """A run, or some of its checkpoints, that the criteria choose.

    Attributes:
        saved: the run.
        names: its checkpoints that go; None if the whole run does.
        bytes: what it frees.
        kept: why it stays after all, as a clause; empty if it goes.
    """

    saved: Saved
    names: list[str] | None
    bytes: int
    kept: str = ""


def run(arguments: Sequence[str]) -> int:
    """Say what goes, and with --yes remove it; exit code 1 if something could not be removed."""
    own, _ = flags.parse(
        PruneFlags, arguments, "skipjack runs prune", "Remove runs or checkpoints, by criteria."
    )
    found = plan(own)
    failures = [_remove(removal) for removal in found if own.yes and not removal.kept]
    if own.json:
        print(json.dumps({"removed": own.yes, "runs": [_row(removal) for removal in found]}))
    else:
        print(_text(found, own.yes))
    return 1 if any(failures) else 0


def plan(own: PruneFlags) -> list[Removal]:
    """What the flags choose; what must stay is marked with the reason.

    A link is no run of its own: it is not chosen, and what it leads to stays.

    Raises:
        UsageError: no criterion is given, or one is not allowed.
    """
    _check(own)
    known = describe_runs(Path(own.root))
    check_env(known, own.env)
    linked = {os.path.realpath(path): path.name for path in _links(Path(own.root))}
    chosen = _chosen([saved for saved in known if not os.path.islink(saved.path)], own)
    if own.checkpoints:
        return [
            removal for saved in chosen if (removal := _thinned(saved, known, linked, own)).names
        ]
    found = [Removal(saved, None, size_of(Path(saved.path))) for saved in chosen]
    for removal in found:
        removal.kept = _why_it_stays(removal.saved, linked)
    if not own.sources:
        _keep_sources(found, known)
    return found


def _check(own: PruneFlags) -> None:
    criteria = (own.env, own.older_than, own.unfinished, own.keep_best, own.checkpoints)
    if own.max_score is None and not any(criteria):
        raise UsageError(
            "skipjack runs prune must be given a criterion, as in: skipjack runs prune --unfinished "
            "--older-than 7d. See them with: skipjack runs prune --help."
        )
    check_score("--max-score", own.max_score)
    if own.older_than:
        _seconds(own.older_than)


def _links(root: Path) -> list[Path]:
    return [path for path in root.iterdir() if path.is_symlink()] if root.is_dir() else []


def _why_it_stays(saved: Saved, linked: Mapping[str, str]) -> str:
    """Why a run must not be removed, as a clause; empty if nothing speaks against it.

    Args:
        saved: the run.
        linked: names of links by what they lead to: the run, or something in it.
    """
    folder = os.path.realpath(saved.path)
    if saved.state == "running":
        return "it is being trained"
    if not is_ours(Path(saved.path)):
        return "nothing in it says that Skipjack wrote it"
    for target, name in linked.items():
        if target == folder or target.startswith(folder + os.sep):
            return f"{name} is a link to it"
    return ""


def _chosen(known: Sequence[Saved], own: PruneFlags) -> list[Saved]:
    """Runs for which every criterion given holds."""
    best = _best(known, own.keep_best)
    before = time.time() - _seconds(own.older_than) if own.older_than else None
    return [
        saved
        for saved in known
        if is_of(saved, own.env)
        and (own.max_score is None or (saved.score is not None and saved.score <= own.max_score))
        and (before is None or saved.written < before)
        and saved.state != ("finished" if own.unfinished else "damaged")
        and saved.run not in best
    ]


def _best(known: Iterable[Saved], count: int) -> set[str]:
    """The names of the `count` best runs of each environment."""
    ranked: dict[str, list[Saved]] = {}
    for saved in known:
        if saved.score is not None and saved.env:
            ranked.setdefault(saved.env, []).append(saved)
    best: set[str] = set()
    for of_env in ranked.values():
        of_env.sort(key=lambda saved: saved.score or 0.0, reverse=True)
        best |= {saved.run for saved in of_env[:count]}
    return best


def _keep_sources(found: Sequence[Removal], known: Sequence[Saved]) -> None:
    """Mark runs that a run which stays was started from, and theirs in turn."""
    sources = {saved.run: source_folder(Path(saved.path)) for saved in known}
    while True:
        going = {removal.saved.run for removal in found if not removal.kept}
        users = {source: run for run, source in sources.items() if source and run not in going}
        needed = [
            (removal, user)
            for removal in found
            if not removal.kept and (user := users.get(os.path.realpath(removal.saved.path)))
        ]
        if not needed:
            return
        for removal, user in needed:
            removal.kept = f"{user} was started from it (--sources)"


def _thinned(
    saved: Saved, known: Sequence[Saved], linked: Mapping[str, str], own: PruneFlags
) -> Removal:
    """Checkpoints of a run that are neither its latest nor its best, nor a source, nor linked to."""
    folder = Path(saved.path)
    real = os.path.realpath(folder)
    sources = {
        str(other.source.get("steps"))
        for other in known
        if other.source and not own.sources and source_folder(Path(other.path)) == real
    }
    found = checkpoints(folder)
    going = [
        row
        for row in found
        if not row["latest"]
        and not row["best"]
        and str(row["steps"]) not in sources
        and os.path.join(real, "checkpoints", row["name"]) not in linked
    ]
    removal = Removal(saved, [row["name"] for row in going], sum(row["bytes"] for row in going))
    if saved.state == "running":
        removal.kept = "it is being trained"
    elif not any(row["latest"] for row in found):
        removal.kept = "its latest checkpoint is missing"
    elif going:
        try:
            _check_latest(folder)
        except RunError as error:
            removal.kept = str(error)
    return removal


def _check_latest(folder: Path) -> None:
    """A run whose newest checkpoint is not whole needs the older ones: raises `RunError`."""
    newest = (folder / "latest").read_text(encoding="utf-8").strip()
    checkpoint.load(folder / "checkpoints" / newest)


def _remove(removal: Removal) -> bool:
    """Remove it, unless somebody trains it by now or the disk refuses; gives whether that failed."""
    folder = Path(removal.saved.path)
    try:
        with lock.hold(folder):
            if removal.names is None:
                folders.remove_run(folder)
            else:
                _check_latest(folder)
                checkpoint.remove(folder, removal.names)
    except RunError as error:
        removal.kept = str(error)
    return bool(removal.kept)


def _text(found: Sequence[Removal], removed: bool) -> str:
    if not found:
        return "Nothing is as asked."
    going = [removal for removal in found if not removal.kept]
    rows = [
        [
            removal.saved.run,
            removal.saved.env or "?",
            removal.saved.state,
            table.score(removal.saved),
            table.when(removal.saved.written),
            "the run" if removal.names is None else f"checkpoints: {len(removal.names)}",
            f"{short(removal.bytes)}B",
        ]
        for removal in going
    ]
    lines = [table.aligned(rows, right=(6,))] if rows else []
    lines += [
        table.one_line(f"{r.saved.run} stays: {r.kept.rstrip('.')}.") for r in found if r.kept
    ]
    total = f"{len(going)} of {len(found)}, {short(sum(r.bytes for r in going))}B"
    if removed:
        lines.append(f"Removed: {total}.")
    else:
        lines.append(f"Would be removed: {total}. Nothing was touched; --yes removes.")
    return "\n".join(lines)


def _row(removal: Removal) -> dict[str, Any]:
    return {
        "run": removal.saved.run,
        "path": removal.saved.path,
        "checkpoints": removal.names,
        "bytes": removal.bytes,
        "kept": removal.kept,
    }


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", text)
    if not found:
        raise must(
            "--older-than must be a number and a unit, as in 7d",
            hint="Units: s, m, h, d, w.",
            got=text,
        )
    return float(found[1]) * UNITS[found[2]]
