"""Run folders and checkpoints that survive a kill at any moment.

    runs/<name>/
        config.toml  origin.json  metrics.jsonl
        latest                        the newest checkpoint's name
        checkpoints/000000123456/     12 digits of steps
            manifest.json             size and SHA-256 of every other file, written last
            state.json                format, counters, names: what is no array
            policy.safetensors ...    arrays
            engine.bin ...            raw bytes

A checkpoint is written to a folder of another name, flushed to the disk and renamed: it is there
whole or not at all. Nothing is ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack import baseline
from skipjack.errors import RunError, UsageError, must, unknown

FORMAT = 1
"""Number of the layout above; a newer one is refused."""

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(slots=True)
class Checkpoint:
    """One checkpoint, verified.

    Attributes:
        path: its folder, or the file of a baseline.
        steps: steps when it was taken.
        state: what was saved as `state`.
    """

    path: Path
    steps: int
    state: dict[str, Any]
    files: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_baseline(self) -> bool:
        """Whether it is one file with weights and their settings, and of no run."""
        return self.path.suffix == baseline.SUFFIX

    def has(self, name: str) -> bool:
        """Whether arrays of this name were saved and are still there."""
        return f"{name}.safetensors" in self.files

    def arrays(self, name: str) -> dict[str, npt.NDArray[Any]]:
        """The arrays saved under a name."""
        from safetensors.numpy import load_file

        if not self.has(name):
            raise RunError(f"The checkpoint {str(self.path)!r} holds no {name!r}.")
        return load_file(self.path if self.is_baseline else self.path / f"{name}.safetensors")


def save(
    run: Path,
    steps: int,
    arrays: Mapping[str, Arrays],
    state: Mapping[str, Any],
    latest_only: Collection[str] = (),
    keep: int = 3,
    pinned: Collection[int] = (),
) -> Path:
    """Write a checkpoint, point `latest` to it and remove what need not stay.

    Args:
        run: the run's folder.
        steps: steps so far.
        arrays: a safetensors file for each name.
        state: JSON values.
        latest_only: names of `arrays` that only the newest checkpoint keeps.
        keep: how many of the newest stay.
        pinned: steps of checkpoints that stay anyway (the best, pool members).

    Raises:
        RunError: the disk is full or the folder read-only; earlier checkpoints are intact.
    """
    name = f"{steps:012d}"
    folder = run / "checkpoints"
    draft = folder / f".draft-{name}"
    try:
        _sweep_drafts(folder)
        target = folder / name
        # The same steps again, as after a resume: what is whole stays, what is damaged makes room.
        if not _is_whole(target):
            if target.exists():
                _rename(target, folder / f".draft-damaged-{name}")
            _make(draft)
            _write_files(draft, steps, arrays, state, latest_only)
            _rename(draft, target)
            _sync_folder(folder)
        _point(run, name)
        _retire(folder, name, keep, pinned)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise RunError(
            f"The checkpoint at step {steps} must be written to {str(folder)!r}, but {error}. Free "
            f"space or give write access and go on with --resume; earlier checkpoints are intact."
        ) from error
    return target


def load(path: Path) -> Checkpoint:
    """Read and verify a checkpoint folder, or a baseline's file.

    Raises:
        RunError: it is missing, incomplete, changed since, or of a newer format.
    """
    if path.suffix == baseline.SUFFIX:
        state = baseline.read(path)
        return Checkpoint(path, state["steps"], state, frozenset({"policy.safetensors"}))
    try:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        written, files = manifest["format"], manifest["files"]
        retired = set(manifest["latest_only"])
    except FileNotFoundError:
        raise RunError(f"{str(path)!r} must be a checkpoint, but has no manifest.json.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"The manifest of checkpoint {str(path)!r} is damaged: {error}.") from None
    if written > FORMAT:
        raise RunError(
            f"The checkpoint {str(path)!r} has format {written}, but this version of Skipjack reads "
            f"up to {FORMAT}. Install a newer version."
        )
    present = set()
    for name, (size, digest) in files.items():
        file = path / name
        if not file.exists() and name in retired:
            continue
        _verify(file, size, digest)
        present.add(name)
    state = json.loads((path / "state.json").read_text(encoding="utf-8"))
    return Checkpoint(path, manifest["steps"], state, frozenset(present))


def latest(run: Path) -> Checkpoint:
    """The newest checkpoint of a run that is whole.

    Raises:
        RunError: there is none.
    """
    names = sorted((p.name for p in (run / "checkpoints").glob("[0-9]*")), reverse=True)
    try:
        pointed = (run / "latest").read_text(encoding="utf-8").strip()
    except OSError:
        pointed = ""
    # `latest` comes first: a checkpoint of more steps may be left from before a rewind.
    names.sort(key=lambda name: name != pointed)
    problems = []
    for name in names:
        try:
            return load(run / "checkpoints" / name)
        except RunError as error:
            problems.append(str(error))
    detail = f" {problems[0]}" if problems else ""
    raise RunError(f"The run {str(run)!r} must have a whole checkpoint, but has none.{detail}")


def find(target: str, root: Path = Path("runs")) -> Checkpoint:
    """The checkpoint that a name means: a run below `root`, a run's folder or a checkpoint's.

    `baseline:ENV` means the weights that ship with an env, and so does the path of such a file.

    Raises:
        UsageError: there is no such run or baseline.
        RunError: it is damaged.
    """
    if target.startswith(baseline.PREFIX):
        return load(baseline.find(target))
    for path in (Path(target), root / target):
        if path.suffix == baseline.SUFFIX and path.is_file():
            return load(path)
        if (path / "manifest.json").exists() or path.parent.name == "checkpoints":
            return load(path)
        if (path / "checkpoints").is_dir():
            return latest(path)
    raise unknown("run", target, list_runs(root), see="skipjack list")


def run_of(path: Path) -> Path:
    """The folder of the run that a checkpoint belongs to."""
    return path.parent.parent


def create_run(root: Path, name: str) -> Path:
    """A new run folder.

    Raises:
        UsageError: the name is taken or is no folder name.
        RunError: it cannot be made.
    """
    if not name or name in (".", "..") or any(sign in name for sign in "/\\\0"):
        raise must("a run's name must be a folder name", name=name)
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
    """Remove the folder of a run that has neither settings nor a checkpoint: it never began."""
    begun = (run / "config.toml").exists() or any((run / "checkpoints").glob("[0-9]*"))
    if not begun:
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


def write_text(path: Path, text: str) -> None:
    """Replace a small file whole: readers see the old text or the new."""
    draft = path.with_name(f".{path.name}.draft")
    _write(draft, text.encode())
    _rename(draft, path)


def _write_files(
    draft: Path,
    steps: int,
    arrays: Mapping[str, Arrays],
    state: Mapping[str, Any],
    latest_only: Collection[str],
) -> None:
    from safetensors.numpy import save as to_bytes

    files: dict[str, tuple[int, str]] = {}

    def put(name: str, data: bytes) -> None:
        _write(draft / name, data)
        files[name] = (len(data), hashlib.sha256(data).hexdigest())

    for name, group in arrays.items():
        put(f"{name}.safetensors", to_bytes({k: np.ascontiguousarray(v) for k, v in group.items()}))
    put("state.json", json.dumps(state, indent=1).encode())
    manifest = {
        "format": FORMAT,
        "steps": steps,
        "files": files,
        "latest_only": [f"{name}.safetensors" for name in latest_only],
    }
    _write(draft / "manifest.json", json.dumps(manifest, indent=1).encode())
    _sync_folder(draft)


def _verify(file: Path, size: int, digest: str) -> None:
    advice = "Take another checkpoint of the run."
    if not file.exists():
        raise RunError(f"The checkpoint file {str(file)!r} is missing. {advice}")
    data = file.read_bytes()
    if len(data) != size:
        raise RunError(
            f"The checkpoint file {str(file)!r} must have {size} bytes, but has {len(data)}: it was "
            f"cut off. {advice}"
        )
    if hashlib.sha256(data).hexdigest() != digest:
        raise RunError(
            f"The checkpoint file {str(file)!r} is not what was written: its SHA-256 differs. {advice}"
        )


def _is_whole(path: Path) -> bool:
    try:
        load(path)
    except RunError:
        return False
    return True


def _point(run: Path, name: str) -> None:
    write_text(run / "latest", f"{name}\n")
    _sync_folder(run)


def _retire(folder: Path, newest: str, keep: int, pinned: Collection[int]) -> None:
    """Remove old checkpoints, and from those that stay what only the newest keeps."""
    names = sorted(path.name for path in folder.glob("[0-9]*"))
    older = [name for name in names if name < newest]
    recent = older[max(0, len(older) - (keep - 1)) :]
    staying = {f"{steps:012d}" for steps in pinned} | {newest, *recent}
    for name in names:
        if name not in staying:
            # Renamed first: a half-removed checkpoint must not look like one.
            _rename(folder / name, folder / f".draft-gone-{name}")
        elif name != newest:
            manifest = json.loads((folder / name / "manifest.json").read_text(encoding="utf-8"))
            for file in manifest["latest_only"]:
                _remove(folder / name / file)
    _sweep_drafts(folder)


def _sweep_drafts(folder: Path) -> None:
    """Remove what killed writers left."""
    for path in folder.glob(".draft-*"):
        shutil.rmtree(path, ignore_errors=True)


# Every change to the disk goes through these, so that a test can make each of them fail.


def _make(folder: Path) -> None:
    folder.mkdir(parents=True)


def _write(path: Path, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _rename(source: Path, target: Path) -> None:
    os.replace(source, target)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows cannot flush a folder
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
