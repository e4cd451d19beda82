"""Which trackers a run reports to, beside its screen and its local store."""

from __future__ import annotations

import importlib.util
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

from skipjack import checkpoint
from skipjack.errors import RunError, clause, missing, must, unknown
from skipjack.report.background import Background, Say
from skipjack.report.progress import RunInfo, Sink
from skipjack.report.replay import replay
from skipjack.report.tensorboard import TensorBoard
from skipjack.report.wandb import MODES, WandB, identity

FILE = "trackers.json"
"""In the run's folder: each tracker that the run ever had, and what it is known by there."""

NAMES = ("wandb", "tensorboard")


def choose(text: str, folder: Path | None = None) -> list[str]:
    """The trackers that `--track` names, each of which is installed.

    Args:
        text: names with commas between; "none" for none; empty for those that the run has had.
        folder: the folder of the run to go on with.

    Raises:
        UsageError: a name is unknown, or WANDB_MODE is.
        MissingPackage: a tracker is not installed.
        RunError: trackers.json is damaged.
    """
    if not text:
        names = list(_read(folder)) if folder else []
    else:
        names = [name for part in text.split(",") if (name := part.strip()) not in ("", "none")]
    for name in names:
        if name not in NAMES:
            raise unknown("tracker", name, (*NAMES, "none"), see="skipjack train --help")
        if not _installed(name):
            raise missing(name, "track", what=f"Tracking with {name} (--track none does without)")
    mode = os.environ.get("WANDB_MODE")
    if "wandb" in names and mode and mode not in MODES:
        raise must(f"WANDB_MODE must be one of {', '.join(MODES)}", got=mode)
    return list(dict.fromkeys(names))


def begin(names: list[str], folder: Path, say: Say) -> list[Background]:
    """The trackers as sinks that must be closed, and a note of them in the run's folder.

    Args:
        names: from `choose`.
        folder: the run's folder.
        say: says a sentence to the user.
    """
    kept = _read(folder)
    sinks = []
    for name in names:
        known = kept.setdefault(name, {})
        if name == "wandb":
            known |= identity(known)
            sinks.append(Background(name, partial(WandB, known), say))
        else:
            sinks.append(Background(name, lambda _: TensorBoard(), say))
    if names:
        checkpoint.write_text(folder / FILE, json.dumps(kept, indent=1) + "\n")
    return sinks


def send(names: list[str], folder: Path, info: RunInfo, say: Say) -> None:
    """Report a run that has ended to trackers that have not had it, each to the end.

    One that fails is told of, and not noted in the run's folder: it gets all of it the next time.

    Args:
        names: from `choose`.
        folder: the run's folder.
        info: what stands above the run; its folder is where trackers keep their files.
        say: says a sentence to the user.
    """
    kept = _read(folder)
    for name in names:
        if name in kept:
            continue
        known = identity({}) if name == "wandb" else {}
        try:
            sink: Sink = WandB(known, say) if name == "wandb" else TensorBoard()
            try:
                replay(folder, info, sink)
            finally:
                sink.close()
        except Exception as error:  # whatever a package and the network have
            say(f"{name} did not take {info.name} ({type(error).__name__}: {clause(error)}).")
            continue
        kept[name] = known
        checkpoint.write_text(folder / FILE, json.dumps(kept, indent=1) + "\n")


def _read(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / FILE
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if not all(isinstance(known, dict) for known in kept.values()):
            raise ValueError("it holds something else")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise RunError(
            f"{str(path)!r} must be JSON of trackers, but {error}. Remove it to begin new curves."
        ) from None
    return kept


def _installed(name: str) -> bool:
    """Whether a package is there; a mere folder of that name, as wandb leaves them, is none."""
    found = importlib.util.find_spec(name)
    return found is not None and found.origin is not None
