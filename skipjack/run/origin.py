"""Where a run comes from: command, code, versions, machine."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from skipjack import __version__, checkpoint
from skipjack.vector.config import cores

FILE = "origin.json"


def write(run: Path, threads: int) -> None:
    """Add this sitting to the run's origin.json, a list with one entry a start."""
    path = run / FILE
    entries = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    checkpoint.write_text(path, json.dumps([*entries, describe(threads)], indent=1) + "\n")


def describe(threads: int) -> dict[str, Any]:
    """Command, git commit of the folder with its dirty flag, versions, host and threads."""
    commit = _git("rev-parse", "HEAD")
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "commit": commit,
        "dirty": bool(_git("status", "--porcelain")) if commit else None,
        "skipjack": __version__,
        "python": platform.python_version(),
        "torch": importlib.metadata.version("torch"),
        "numpy": importlib.metadata.version("numpy"),
        "host": platform.node(),
        "system": platform.platform(),
        "cores": cores(),
        "threads": threads,
    }


def _git(*arguments: str) -> str:
    """What git prints in the present folder; empty without git or a repository."""
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
