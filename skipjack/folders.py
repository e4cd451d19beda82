"""Folders of runs: names, finding, making and removing them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from skipjack import baseline
from skipjack.checkpoint import Checkpoint, latest, load
from skipjack.errors import RunError, UsageError, must, unknown

LONGEST = 200
"""Bytes in a run's name: file systems take 255, and `remove_run` puts some in front."""


def find(target: str, root: Path = Path("runs")) -> Checkpoint:
    """The checkpoint that a name means: a run below `root`, a run's folder or a checkpoint's.

    `baseline:ENV` means the weights that ship with an env, and so does the path of such a file.

    Raises:
        UsageError: there is no such run or baseline.
        RunError: it is damaged.
    """
    if target.startswith(baseline.PREFIX):
        return load(baseline.find(target))
    path = locate(target, root)
    return latest(path) if (path / "checkpoints").is_dir() else load(path)


def locate(target: str, root: Path = Path("runs")) -> Path:
    """What `find` would read: a run's folder, a checkpoint's, or a file of weights.

    Raises:
        UsageError: there is no such run.
    """
    for path in (Path(target), root / target):
        # os.path tells False of a name that is too long, where pathlib raises.
        is_weights = path.suffix == baseline.SUFFIX and os.path.isfile(path)
        if is_weights or _names_checkpoint(path) or os.path.isdir(path / "checkpoints"):
            return path
    if os.path.isfile(target):
        raise must(
            f"a policy must be named by a run, a checkpoint or a file of weights (*{baseline.SUFFIX})",
            hint="See the runs with: skipjack runs.",
            file=target,
        )
    raise unknown("run", target, list_runs(root), see="skipjack runs")


def run_of(path: Path) -> Path:
    """The folder of the run that a checkpoint belongs to; a run's own folder stays as it is."""
    return path.parent.parent if _names_checkpoint(path) else path


def create_run(root: Path, name: str) -> Path:
    """A new run folder.

    Raises:
        UsageError: the name is taken or is no folder name.
        RunError: it cannot be made.
    """
    # Commands would take -name for a flag and pass over .name as hidden.
    odd = name.startswith((".", "-")) or any(sign in name for sign in "/\\\0")
    if not name or odd or len(os.fsencode(name)) > LONGEST:
        raise must(
            'a run\'s name must be a folder name without "." or "-" in front, of at most '
            f"{LONGEST} bytes",
            name=name,
        )
    run = root / name
    if run.exists():
        raise UsageError(
            f"The run {name!r} exists already in {str(root)!r}. Go on with it (--resume), or choose "
            f"another name (--run)."
        )
    try:
        (run / "checkpoints").mkdir(parents=True)
    except OSError as error:
        raise RunError(
            f"The run folder {str(run)!r} must be writable, but {error}. Run in another folder."
        ) from error
    return run


def discard_empty(run: Path) -> None:
    """Remove the folder of a run without a checkpoint: the first is there before training begins."""
    if not any((run / "checkpoints").glob("[0-9]*")):
        shutil.rmtree(run, ignore_errors=True)


def free_name(root: Path, stem: str) -> str:
    """The first of stem-1, stem-2, ... that is free below `root`."""
    number = 1
    while (root / f"{stem}-{number}").exists():
        number += 1
    return f"{stem}-{number}"


def list_runs(root: Path = Path("runs")) -> list[str]:
    """Names of the runs below `root`, oldest first."""
    if not root.is_dir():
        return []
    found = [path for path in root.iterdir() if (path / "checkpoints").is_dir()]
    return [path.name for path in sorted(found, key=lambda path: path.stat().st_ctime)]


def remove_run(run: Path) -> None:
    """Remove a run's folder; a kill halfway leaves nothing that looks like a run.

    Raises:
        RunError: the disk refuses.
    """
    gone = run.with_name(f".gone-{run.name}")
    try:
        for left in run.parent.glob(".gone-*"):
            shutil.rmtree(left, ignore_errors=True)
        if run.is_symlink():
            raise OSError("it is a link")
        os.replace(run, gone)
        shutil.rmtree(gone)
    except OSError as error:
        raise RunError(f"The run folder {str(run)!r} must be removable, but {error}.") from error


def _names_checkpoint(path: Path) -> bool:
    return os.path.exists(path / "manifest.json") or path.parent.name == "checkpoints"
