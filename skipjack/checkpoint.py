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
from typing import TYPE_CHECKING, Any

from skipjack import baseline
from skipjack.errors import RunError

if TYPE_CHECKING:  # commands that only look at runs do without numpy
    import numpy.typing as npt

    Arrays = Mapping[str, npt.NDArray[Any]]

FORMAT = 1
"""Number of the layout above; a newer one is refused."""

_DAMAGE = (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
"""What reading files can raise that hold anything."""


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
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        if not self.has(name):
            raise RunError(f"The checkpoint {str(self.path)!r} holds no {name!r}.")
        file = self.path if self.is_baseline else self.path / f"{name}.safetensors"
        try:
            return load_file(file)
        except (OSError, SafetensorError) as error:
            raise _damaged(self.path, error) from None


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
        _make(draft)
        _write_files(draft, steps, arrays, state, latest_only)
        # The same steps again, as after a resume: equal arrays stay, anything else makes room.
        if not _same_arrays(draft, target):
            if target.exists():
                _rename(target, folder / f".draft-replaced-{name}")
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
        written = int(manifest["format"])
    except FileNotFoundError:
        raise RunError(f"{str(path)!r} must be a checkpoint, but has no manifest.json.") from None
    except _DAMAGE as error:
        raise _damaged(path, error) from None
    if written > FORMAT:
        raise RunError(
            f"The checkpoint {str(path)!r} has format {written}, but this version of Skipjack reads "
            f"up to {FORMAT}. Install a newer version."
        )
    present = set()
    try:
        retired = set(manifest["latest_only"])
        files = {
            str(name): (int(size), str(sha)) for name, (size, sha) in manifest["files"].items()
        }
        for name, (size, digest) in files.items():
            if (path / name).exists() or name not in retired:
                _verify(path / name, size, digest)
                present.add(name)
        state = json.loads((path / "state.json").read_text(encoding="utf-8"))
        return Checkpoint(path, int(manifest["steps"]), dict(state), frozenset(present))
    except _DAMAGE as error:
        raise _damaged(path, error) from None


def latest(run: Path) -> Checkpoint:
    """The newest checkpoint of a run.

    It is the one that `latest` names; older ones are never taken in its place without a word.

    Raises:
        RunError: there is none, or it cannot be read; the message names the newest that can.
    """
    folder = run / "checkpoints"
    names = sorted((path.name for path in folder.glob("[0-9]*")), reverse=True)
    pointer = run / "latest"
    pointed = ""
    if pointer.exists():
        pointed = pointer.read_text(encoding="utf-8", errors="replace").strip()
    if not names:
        raise RunError(f"The run {str(run)!r} must have a whole checkpoint, but has none.")
    # Without a pointer the run was killed just after its first checkpoint.
    newest = pointed or names[0]
    try:
        return load(folder / newest)
    except RunError as error:
        others = [name for name in names if name != newest and _is_whole(folder / name)]
        advice = "No other checkpoint of the run is whole."
        if others:
            advice = (
                f"The newest that is whole is {str(folder / others[0])!r}: eval and --from take it."
            )
        raise RunError(f"{error} {advice}") from None


def remove(run: Path, names: Collection[str]) -> None:
    """Remove checkpoints of a run; what a kill leaves halfway is swept with the next.

    Raises:
        RunError: the disk refuses.
    """
    folder = run / "checkpoints"
    try:
        _discard(folder, names)
    except OSError as error:
        raise RunError(f"Checkpoints in {str(folder)!r} must be removable, but {error}.") from error


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
    import numpy as np
    from safetensors.numpy import save as to_bytes

    files: dict[str, tuple[int, str]] = {}

    def put(name: str, data: bytes) -> None:
        _write(draft / name, data)
        files[name] = (len(data), hashlib.sha256(data).hexdigest())

    for name, group in arrays.items():
        put(
            f"{name}.safetensors", to_bytes({k: np.asarray(v, order="C") for k, v in group.items()})
        )
    put("state.json", json.dumps(state, indent=1).encode())
    manifest = {
        "format": FORMAT,
        "steps": steps,
        "files": files,
        "latest_only": [f"{name}.safetensors" for name in latest_only],
    }
    _write(draft / "manifest.json", json.dumps(manifest, indent=1).encode())
    _sync_folder(draft)


def _same_arrays(one: Path, two: Path) -> bool:
    """Whether two checkpoints are whole and hold the same arrays."""
    found = []
    for path in (one, two):
        if not _is_whole(path):
            return False
        files = json.loads((path / "manifest.json").read_text(encoding="utf-8"))["files"]
        found.append({name: entry for name, entry in files.items() if name != "state.json"})
    return found[0] == found[1] and all((two / name).exists() for name in found[1])


def _is_whole(path: Path) -> bool:
    try:
        load(path)
    except RunError:
        return False
    return True


def _damaged(path: Path, error: Exception) -> RunError:
    return RunError(
        f"The checkpoint {str(path)!r} must be as it was written, but it is damaged "
        f"({type(error).__name__}: {error}). Take another checkpoint of the run."
    )


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
        if name in staying and name != newest:
            for file in _latest_only(folder / name):
                _remove(folder / name / file)
    _discard(folder, [name for name in names if name not in staying])


def _latest_only(path: Path) -> list[str]:
    """Files of a checkpoint that only the newest keeps; none if it is damaged, which stays as it is."""
    try:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        return [name for name in manifest["latest_only"] if name in manifest["files"]]
    except _DAMAGE:
        return []


def _discard(folder: Path, names: Collection[str]) -> None:
    for name in names:
        # Renamed first: a half-removed checkpoint must not look like one.
        _rename(folder / name, folder / f".draft-gone-{name}")
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
