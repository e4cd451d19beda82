"""What a run's folder says of it, read without numpy or torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skipjack import config as settings
from skipjack.errors import UsageError, must

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
    found = [row for row in describe_runs(root) if row["env"] == env]
    if not found:
        raise UsageError(
            f"There is no run of {env!r} in {str(root)!r} to go on with. Start one with: "
            f"skipjack train {env}."
        )
    return max(found, key=lambda row: row["written"])["run"]


def describe_runs(root: Path) -> list[dict[str, Any]]:
    """Every run below `root`, oldest first: run, env, steps, seconds, score, written."""
    if not root.is_dir():
        return []
    found = []
    for folder in root.iterdir():
        if not (folder / "config.toml").exists():
            continue
        try:
            name, _ = load_saved(folder)
        except UsageError:
            continue
        rows = _rows(folder / "metrics.jsonl")
        updates = [row for row in rows if "update" in row]
        finals = [row for row in rows if row.get("kind") == "evaluation"]
        scores = [row["episodes/score"] for row in updates if "episodes/score" in row]
        last = updates[-1] if updates else {}
        found.append(
            {
                "run": folder.name,
                "env": name,
                "steps": last.get("steps", 0),
                "seconds": last.get("seconds", 0.0),
                "score": finals[-1]["score"] if finals else (scores[-1] if scores else None),
                "evaluated": bool(finals),
                "written": (folder / "config.toml").stat().st_mtime,
            }
        )
    return sorted(found, key=lambda row: row["written"])


def _rows(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    rows = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows
