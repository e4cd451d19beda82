"""Where a run comes from: command, code, versions, machine."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from skipjack import __version__, checkpoint, folders

FILE = "origin.json"

_KINDS = {"command": list, "steps": int, "settings": dict, "from": dict}


def write(
    run: Path,
    threads: int,
    steps: int = 0,
    provenance: Mapping[str, str] | None = None,
    source: checkpoint.Checkpoint | None = None,
) -> None:
    """Add this sitting to the run's origin.json, a list with one entry a start.

    Args:
        run: its folder.
        threads: threads that step the envs.
        steps: steps at the sitting's start.
        provenance: where each setting came from; kept as labels with their settings, without defaults.
        source: the checkpoint whose weights the run started from.
    """
    entry = describe(threads) | {"steps": steps}
    labels: dict[str, list[str]] = {}
    for name, label in (provenance or {}).items():
        if label != "default":
            labels.setdefault(label, []).append(name)
    entry["settings"] = labels
    if source is not None:
        entry["from"] = {
            "run": folders.run_of(source.path).name,
            "checkpoint": str(source.path.resolve()),
            "steps": source.steps,
        }
    checkpoint.write_text(run / FILE, json.dumps([*read(run), entry], indent=1) + "\n")


def read(run: Path) -> list[dict[str, Any]]:
    """The sittings of a run, in order, as far as they can be read: readers need not doubt a type."""
    try:
        found = json.loads((run / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    entries = (
        [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
    )
    for entry in entries:
        for name, kind in _KINDS.items():
            if not isinstance(entry.get(name, kind()), kind):
                del entry[name]
        labels = entry.get("settings", {})
        if not all(isinstance(names, list) for names in labels.values()):
            del entry["settings"]
    return entries


def describe(threads: int) -> dict[str, Any]:
    """Command, git commit of the folder with its dirty flag, versions, host and threads.

    Untracked files do not make it dirty: runs themselves often are.
    """
    from skipjack.vector.config import cores  # numpy with it, which readers do without

    name, dirty = commit()
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "commit": name,
        "dirty": dirty,
        "skipjack": __version__,
        "python": platform.python_version(),
        "torch": importlib.metadata.version("torch"),
        "numpy": importlib.metadata.version("numpy"),
        "host": platform.node(),
        "system": platform.platform(),
        "cores": cores(),
        "threads": threads,
    }


def commit(folder: Path = Path()) -> tuple[str, bool | None]:
    """The git commit of a folder and whether files have changed since; empty and None without one."""
    name = _git(folder, "rev-parse", "HEAD")
    status = ("status", "--porcelain", "--untracked-files=no")
    return name, bool(_git(folder, *status)) if name else None


def _git(folder: Path, *arguments: str) -> str:
    """What git prints in a folder; empty without git or a repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
