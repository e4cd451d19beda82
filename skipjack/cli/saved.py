"""What a run's folder says of it, read without numpy or torch, and as far as it can be read."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skipjack import config as settings
from skipjack import folders
from skipjack.errors import SkipjackError, UsageError, must
from skipjack.report import store
from skipjack.run import lock, origin

RECENT = 10
"""Updates with episodes whose mean is the score so far."""

STATES = {
    "running": "a process trains it",
    "finished": "it has its final evaluation",
    "stopped": "Ctrl-C or SIGTERM",
    "failed": "an error ended it",
    "killed": "it ended without a word: kill -9, a crash, a power cut",
    "damaged": "its settings cannot be read",
}
"""States of a run and what they mean."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A run as its folder tells it.

    Attributes:
        run, path: its name, and its folder as given.
        env, seed: as in its config.toml; empty and None if that cannot be read.
        state: one of `STATES`.
        problem: why it failed or what is damaged, as a sentence; empty otherwise.
        steps, seconds: of training, over all sittings.
        steps_per_second: of training.
        score: the final evaluation's, or else the mean of the last `RECENT` updates; None if none.
        score_ci95: half width of its 95 % interval; None without a final evaluation.
        random_score: the random player's, beside the final evaluation's; None if there is none.
        evaluated: whether the score is the final evaluation's.
        commit, dirty: of the last sitting; empty outside a repository.
        source: the run that it started from (`--from`): run, checkpoint, steps; None if none.
        written: when its metrics were last written, in seconds since 1970.
    """

    run: str
    path: str
    env: str
    seed: int | None
    state: str
    problem: str
    steps: int
    seconds: float
    steps_per_second: float
    score: float | None
    score_ci95: float | None
    random_score: float | None
    evaluated: bool
    commit: str
    dirty: bool
    source: dict[str, Any] | None
    written: float


if TYPE_CHECKING:
    from skipjack.checkpoint import Checkpoint


def load_saved(run: Path) -> tuple[str, dict[str, Any]]:
    """The env's name and the settings of a run, from its config.toml.

    Raises:
        UsageError: there is none, or it is damaged.
    """
    saved = settings.load_toml(run / "config.toml")
    name = saved.pop("name", None)
    if not isinstance(name, str):
        raise must("a run's config.toml must name its env", run=str(run))
    return name, saved


def saved_of(found: Checkpoint) -> tuple[str, dict[str, Any]]:
    """The env's name and the settings that a checkpoint's policy is rebuilt with.

    Raises:
        UsageError: its run has none, or damaged ones.
    """
    if found.is_baseline:
        return found.state["env"], found.state["settings"]
    return load_saved(found.path.parent.parent)


def newest_run(root: Path, env: str) -> str:
    """The name of the run of `env` below `root` that was written to last.

    Raises:
        UsageError: there is none.
    """
    found = [saved for saved in describe_runs(root) if saved.env == env]
    if not found:
        raise UsageError(
            f"There is no run of {env!r} in {str(root)!r} to go on with. Start one with: "
            f"skipjack train {env}."
        )
    return found[-1].run


def describe_runs(root: Path) -> list[Saved]:
    """Every run below `root`, the one written to last at the end. None of them is an error.

    Raises:
        UsageError: `root` is a file.
    """
    if not root.is_dir():
        if os.path.exists(root):
            raise must("the folder of the runs must be a folder", root=str(root))
        return []
    folders = [folder for folder in root.iterdir() if _is_run(folder)]
    return sorted(map(describe, folders), key=lambda saved: saved.written)


def describe(folder: Path) -> Saved:
    """One run; what is missing or damaged is left at its emptiest."""
    env, problem = "", ""
    saved: dict[str, Any] = {}
    try:
        env, saved = load_saved(folder)
    except SkipjackError as error:
        problem = str(error)
    rows = store.read_end(folder)
    updates = [row for row in rows if "update" in row]
    last = updates[-1] if updates else {}
    end = rows[-1] if rows and rows[-1].get("kind") in ("evaluation", "end") else {}
    evaluated = end.get("kind") == "evaluation"
    state, _, reason = str(end.get("reason", "killed")).partition(": ")
    if lock.holder(folder) is not None:
        state, problem = "running", ""
    elif problem:
        state = "damaged"
    sittings = origin.read(folder)
    sitting = sittings[-1] if sittings else {}
    steps, seconds = int(_number(last, "steps") or 0), _number(last, "seconds") or 0.0
    return Saved(
        run=folder.name,
        path=str(folder),
        env=env,
        seed=saved.get("seed"),
        state=state,
        problem=problem or reason,
        steps=steps,
        seconds=seconds,
        steps_per_second=steps / seconds if seconds else 0.0,
        score=_number(end, "score") if evaluated else _so_far(updates),
        score_ci95=_number(end, "score_ci95") if evaluated else None,
        random_score=_number(end, "random_score") if evaluated else None,
        evaluated=evaluated,
        commit=str(sitting.get("commit") or ""),
        dirty=bool(sitting.get("dirty")),
        source=source_of(folder),
        written=_written(folder),
    )


def find_run(target: str, root: Path) -> Path | None:
    """The folder of a run by its name below `root`, its path or that of a checkpoint; None if none."""
    for path in map(folders.run_of, (Path(target), root / target)):
        if _is_run(path):
            return path
    return None


def source_of(run: Path) -> dict[str, Any] | None:
    """What a run was started from (`--from`): run, checkpoint, steps; None if from nothing."""
    return next(filter(None, (_part(sitting, "from") for sitting in origin.read(run))), None)


def source_folder(run: Path) -> str:
    """The real path of the run that a run was started from; empty if from none.

    It is the one whose path was noted. If that is gone, runs were moved: then the one beside it of
    that name.
    """
    source = source_of(run)
    if not source:
        return ""
    path = Path(str(source.get("checkpoint") or ""))
    if path.parent.name == "checkpoints":
        path = path.parent.parent
    if path.is_absolute() and os.path.exists(path):
        return os.path.realpath(path)
    return os.path.join(os.path.realpath(run.parent), str(source.get("run")))


def started_from(run: Path) -> list[str]:
    """Names of the runs beside it that were started from a run."""
    real = os.path.realpath(run)
    others = [other for other in run.parent.iterdir() if _is_run(other)]
    return sorted(other.name for other in others if source_folder(other) == real)


def is_ours(folder: Path) -> bool:
    """Whether something in a folder is surely of Skipjack's writing: origin, settings or a checkpoint.

    Other tools have a `config.toml`, a `checkpoints` and a `metrics.jsonl` too.
    """
    if any({"skipjack", "command"} <= sitting.keys() for sitting in origin.read(folder)):
        return True
    with contextlib.suppress(SkipjackError):
        if isinstance(load_saved(folder)[1].get("train"), dict):
            return True
    for path in (folder / "checkpoints").glob("*/manifest.json"):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            manifest = json.loads(path.read_text(encoding="utf-8"))
            if {"format", "steps", "files", "latest_only"} <= manifest.keys():
                return True
    return False


def provenance(run: Path, names: Iterable[str]) -> dict[str, str]:
    """Where each of a run's settings came from; nothing if its origin.json does not tell."""
    sittings = origin.read(run)
    told = bool(sittings) and "settings" in sittings[0]
    found = dict.fromkeys(names, "default") if told else {}
    for sitting in sittings:
        for label, names in _part(sitting, "settings").items():
            # A later sitting has them from the run itself, but for the flags it was given.
            if isinstance(names, list) and (sitting is sittings[0] or label == "flag"):
                found |= dict.fromkeys((n for n in names if isinstance(n, str)), label)
    return found


def best_of(run: Path) -> tuple[float, int] | None:
    """The best mean score between two checkpoints and its steps, from the newest checkpoint."""
    try:
        name = (run / "latest").read_text(encoding="utf-8").strip()
        state = json.loads((run / "checkpoints" / name / "state.json").read_text(encoding="utf-8"))
        score, steps = state["best"]
        return float(score), int(steps)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def checkpoints(run: Path) -> list[dict[str, Any]]:
    """A run's checkpoints, oldest first: name, steps, bytes, and whether it is the latest or the best."""
    try:
        latest = (run / "latest").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        latest = ""
    best = best_of(run)
    found = sorted((run / "checkpoints").glob("[0-9]*"))
    return [
        {
            "name": path.name,
            "steps": int(path.name),
            "bytes": size_of(path),
            "latest": path.name == latest,
            "best": best is not None and int(path.name) == best[1],
        }
        for path in found
        if path.name.isdecimal()
    ]


def next_commands(run: str, env: str, state: str, steps: int) -> list[str]:
    """What a user may want to do with a run, as commands."""
    run = shlex.quote(run)
    go_on = f"skipjack train {env} --run {run} --resume"
    return [
        f"skipjack eval {run} --episodes 1000",
        f"{go_on} --train.steps {2 * steps}" if state == "finished" else go_on,
        f"skipjack train {env} --from {run}",
    ]


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder; a training may remove some meanwhile."""
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total


def _is_run(folder: Path) -> bool:
    """Whether it was made for a run, however little is left of it."""
    marks = ("config.toml", "checkpoints", origin.FILE, store.FILE)
    # os.path tells False of what others forbid to look into, where pathlib raises.
    there = any(os.path.exists(folder / mark) for mark in marks)
    return there and not folder.name.startswith(".")


def _so_far(updates: list[dict[str, Any]]) -> float | None:
    """Mean score over the episodes of the newest updates that had some."""
    counted = [
        (_number(row, "episodes/score"), _number(row, "episodes"))
        for row in updates
        if _number(row, "episodes/score") is not None
    ][-RECENT:]
    episodes = sum(count or 0 for _, count in counted)
    return sum((s or 0) * (n or 0) for s, n in counted) / episodes if episodes else None


def _part(row: dict[str, Any], name: str) -> dict[str, Any]:
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def _number(row: dict[str, Any], name: str) -> float | None:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if math.isfinite(value) else None


def _written(folder: Path) -> float:
    """When the metrics were last written to, else the settings, else the folder."""
    for path in (folder / store.FILE, folder / "config.toml", folder):
        try:
            return path.stat().st_mtime
        except OSError:
            continue
    return 0.0
