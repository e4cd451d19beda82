"""`skipjack sweep`: the best score for every amount of training time."""

from __future__ import annotations

import importlib
import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from skipjack import registry
from skipjack.errors import missing, must

if TYPE_CHECKING:
    from skipjack.sweep.study import Sweep

COMMANDS = {
    "worker": "worker NAME: help with a sweep, here or on another machine (--storage)",
    "show": "show NAME: best scores by cost, the front, what runs, what is left",
    "best": "best NAME [NAME ...]: the settings to take, against the preset, or of several sweeps one preset "
    "for all (--cost 5m, --write-preset FILE)",
    "report": "report NAME: one HTML page without a network, and pictures",
    "kill": "kill NAME TRIAL: stop a trial; its checkpoint stays",
    "promote": "promote NAME TRIAL --cost 10x: run a trial's settings for longer",
    "enqueue": "enqueue NAME setting=value ...: try settings of your own next",
}
"""What `skipjack sweep` has beside starting one; each has a `run` in `cli.sweep`."""

MODULES = {"worker": "begin", "show": "look", "best": "look", "report": "look"}
ROOT = Path("sweeps")


def run(arguments: Sequence[str]) -> int:
    """Start or go on with a sweep, or run one of `COMMANDS`."""
    if not arguments or (arguments[0] in ("-h", "--help") and len(arguments) == 1):
        print("usage: skipjack sweep ENV [ENV ...] --budget 2h [flags]\n")
        print("\n".join(f"  {what}" for what in COMMANDS.values()))
        print("\nFlags: skipjack sweep ENV --help, skipjack sweep COMMAND --help.")
        return 0
    command, *rest = arguments
    require()
    if command not in COMMANDS:
        return importlib.import_module("skipjack.cli.sweep.begin").run(list(arguments))
    module = importlib.import_module(f"skipjack.cli.sweep.{MODULES.get(command, 'change')}")
    return getattr(module, command)(rest)


def require() -> None:
    """Say how to install what sweeps need, where it is not.

    Raises:
        MissingPackage: it is not installed.
    """
    from importlib.util import find_spec

    for package in ("optuna", "scipy"):
        if find_spec(package) is None:
            raise missing(package, extra="sweep", what="A sweep")


def opened(name: str, storage: str) -> tuple[Sweep, Path]:
    """A sweep by its name or that of its environment, and its folder here.

    Raises:
        UsageError: there is none.
    """
    from skipjack.sweep.study import open_sweep

    quiet()
    name = name if (ROOT / name).is_dir() else registry.stem(name)
    folder = ROOT / name
    return open_sweep(name, storage or str(folder / "study.journal")), folder


def leading(arguments: Sequence[str]) -> list[str]:
    """The words in front of the flags."""
    return list(itertools.takewhile(lambda word: not word.startswith("-"), arguments))


def quiet() -> None:
    """Keep Optuna's own messages and warnings off the screen."""
    import warnings

    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    warnings.filterwarnings("ignore", module="optuna")


def seconds_of(text: str, flag: str) -> float:
    """A time such as 90, 30s, 5m, 2h or 1d in seconds; 0 for nothing.

    Raises:
        UsageError: it is none.
    """
    if not text:
        return 0.0
    found = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)\s*(s|m|min|h|d)?", text.strip())
    if not found:
        raise must(f"{flag} must be a time such as 90s, 5m or 2h", got=text)
    scale = {None: 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
    return float(found[1]) * scale[found[2]]


def words_of(seconds: float) -> str:
    """Seconds as a short time."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
