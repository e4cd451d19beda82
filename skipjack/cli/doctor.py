"""`skipjack doctor`: what this machine has, and the line that installs what it lacks."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import skipjack
from skipjack import config as settings
from skipjack.errors import SkipjackError, unknown
from skipjack.native import build
from skipjack.vector.config import VectorConfig
from skipjack.view.window import display

FLAGS = ("--json", "-h", "--help")
CORE = ("numpy", "torch", "gymnasium", "tyro", "rich", "safetensors")
OPTIONAL = {
    "wandb": "track",
    "tensorboard": "track",
    "optuna": "sweep",
    "scipy": "sweep",
    "matplotlib": "sweep",
    "psycopg": "postgres",
    "raylib": "view",
    "pillow": "view",
    "av": "view",
    "aiohttp": "web",
}
"""Packages that some flags need, and the extra that brings each."""

VIEWS = {
    "window": ("raylib", "pillow"),
    "browser": ("aiohttp",),
    "mp4 video": ("pillow", "av"),
    "gif video": ("pillow",),
}
"""Ways to watch and play, and the packages that each needs."""


@dataclass(frozen=True)
class _Shared:
    """The part of a run's settings that the machine file may be about."""

    vector: VectorConfig = field(default_factory=VectorConfig)


def run(arguments: Sequence[str]) -> int:
    """Print the findings; exit code 1 if something that training needs is missing."""
    for argument in arguments:
        if argument not in FLAGS:
            raise unknown("flag", argument, FLAGS, see="skipjack doctor --help")
    if "-h" in arguments or "--help" in arguments:
        print("usage: skipjack doctor [--json]\n\nSays what this machine has and what is missing.")
        return 0
    found = examine()
    if "--json" in arguments:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            if name != "problems":
                print(f"{name:18} {value}")
        for problem in found["problems"]:
            print(f"problem: {problem}")
        if not found["problems"]:
            print("Everything that training needs is here.")
    return 1 if found["problems"] else 0


def examine() -> dict[str, Any]:
    """Findings by name; `problems` is a list of sentences."""
    problems: list[str] = []
    found: dict[str, Any] = {
        "skipjack": f"{skipjack.__version__} in {Path(skipjack.__file__).parent}",
        "python": f"{platform.python_version()} in {sys.prefix}",
        "system": platform.platform(),
        "cores": _cores(),
    }
    for package in CORE:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "missing"
            problems.append(f"{package} is not installed. Install it with: pip install {package}.")
    for package, extra in OPTIONAL.items():
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = f'none (optional: pip install "skipjack[{extra}]")'
    found["compiler"] = next(filter(None, map(shutil.which, ("cc", "gcc", "clang", "cl"))), "none")
    missing, stale = build.state()
    found["native parts"] = f"{len(missing)} missing, {len(stale)} stale"
    if missing:
        problems.append(
            f"The native parts {', '.join(missing)} are not built. Build them with: pip install -e ."
        )
    if stale:
        problems.append(
            f"The native parts {', '.join(stale)} are older than their source. Build them again with: "
            f"pip install -e ."
        )
    machine = settings.machine_file()
    found["machine file"] = f"{machine} ({'there' if machine.exists() else 'none'})"
    try:
        settings.resolve(_Shared(), settings.machine_layer())
    except SkipjackError as error:
        problems.append(str(error))
    found["terminal"] = "yes" if sys.stdout.isatty() else "no: plain lines instead of the dashboard"
    found["display"] = display() or "none"
    found |= {view: _view(view, found) for view in VIEWS}
    place = Path("runs") if Path("runs").exists() else Path()
    found["runs folder"] = "writable" if os.access(place, os.W_OK) else "not writable"
    if not os.access(place, os.W_OK):
        problems.append(
            f"Runs go to {str(place.resolve())!r}, which is not writable. Go elsewhere."
        )
    found["problems"] = problems
    return found


def _view(view: str, found: dict[str, Any]) -> str:
    """Whether one can watch and play this way, and what helps if not."""
    lacking = [package for package in VIEWS[view] if found[package].startswith("none")]
    if lacking:
        extras = ",".join(sorted({OPTIONAL[package] for package in lacking}))
        return f'no {" and no ".join(lacking)}: pip install "skipjack[{extras}]"'
    if view == "window" and found["display"] == "none":
        return "no display: add --browser or --video, or put xvfb-run -a before the command"
    return "ready"


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
