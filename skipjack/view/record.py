"""A person's play, kept so that it can be seen again exactly: seed, settings and every action.

A safetensors file with `actions` (steps, rows, width) and `checks` (steps,), a checksum of all that each step
led to; its metadata holds the rest as JSON. Nothing is ever unpickled.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack import registry
from skipjack.errors import RunError
from skipjack.rows import Batch
from skipjack.vector import Vector

FORMAT = 1
"""Number of the file's layout; a newer one is refused."""

SUFFIX = ".play"
"""What the name of such a file ends with."""

EVERY = 5.0
"""Seconds after which what there is of a long episode is kept."""

RESULTS = ("row", "score", "return", "length")
"""What is kept of an episode's record."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One play, from a reset on.

    Attributes:
        env: its name.
        settings: of the env, by name.
        seed: of the reset.
        rows: the rows that people played.
        actions: (steps, rows, width).
        checks: (steps,) uint32, of each step's observations, rewards and flags.
        episodes: row, score, return and length of each episode that ended.
    """

    env: str
    settings: dict[str, Any]
    seed: int
    rows: list[int]
    actions: npt.NDArray[Any]
    checks: npt.NDArray[Any]
    episodes: list[dict[str, float]]


class Recorder:
    """Keeps a play while it goes on; its file is whole every few seconds, sooner at episodes' ends.

    Args:
        folder: where files go.
        env: the env's name.
        settings: of the env, by name.
        rows: the rows that people play.

    Attributes:
        paths: files that were written.

    Raises:
        RunError: the folder cannot be written to.
    """

    def __init__(
        self, folder: Path, env: str, settings: Mapping[str, Any], rows: list[int]
    ) -> None:
        with _kept_in(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if not os.access(folder, os.W_OK):
                raise PermissionError(f"{folder} is read-only")
        self.folder, self.env, self.settings, self.rows = folder, env, dict(settings), rows
        self.paths: list[Path] = []
        self._path: Path | None = None
        self._begin(0)

    def reset(self, seed: int) -> None:
        """A play begins anew."""
        self.save()
        self._begin(seed)

    def take(self, actions: npt.NDArray[Any], batch: Batch) -> None:
        """Keep a step: its actions and what they led to."""
        self._actions.append(actions.copy())
        self._checks.append(checksum(batch))
        for record in batch.episodes:
            self._episodes.append({name: float(record[name]) for name in RESULTS})
        since = time.monotonic() - self._saved
        if since > EVERY or (len(batch.episodes) and (not self.paths or since > EVERY / 5)):
            self.save()

    def seat(self, row: int) -> None:
        """A person takes over a row."""
        self.rows = sorted({*self.rows, row})

    def save(self) -> None:
        """Write what there is.

        Raises:
            RunError: the disk refuses.
        """
        from safetensors.numpy import save

        if not self._actions:
            return
        about = {
            "format": FORMAT,
            "env": self.env,
            "settings": self.settings,
            "seed": self._seed,
            "rows": self.rows,
            "episodes": self._episodes,
        }
        arrays = {"actions": np.stack(self._actions), "checks": np.array(self._checks, np.uint32)}
        data = save(arrays, metadata={"skipjack": json.dumps(about)})
        with _kept_in(self.folder):
            if self._path is None:
                self._path = _fresh(self.folder, self.env)
                self.paths.append(self._path)
            written = self._path.with_suffix(".part")
            written.write_bytes(data)
            os.replace(written, self._path)
        self._saved = time.monotonic()

    def _begin(self, seed: int) -> None:
        self._seed = seed
        self._actions: list[npt.NDArray[Any]] = []
        self._checks: list[int] = []
        self._saved = time.monotonic()
        self._episodes: list[dict[str, float]] = []
        self._path = None


def read(path: Path) -> Recording:
    """What a file holds.

    Raises:
        RunError: it is no such file, damaged, or of a newer format.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            about = json.loads(file.metadata()["skipjack"])
            arrays = {name: file.get_tensor(name) for name in ("actions", "checks")}
        if about["format"] > FORMAT:
            raise RunError(
                f"The play {str(path)!r} has format {about['format']}, but this version of Skipjack "
                f"reads up to {FORMAT}. Install a newer version."
            )
        del about["format"]
        found = Recording(**about, **arrays)
        _check_types(found)
        return found
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"{str(path)!r} must be a play that Skipjack kept, but reading it failed: {error}."
        ) from None


def check(recording: Recording, step: int, batch: Batch) -> None:
    """Whether a step of a replay led to what it led to then.

    Args:
        recording: what is replayed.
        step: the number of the step, from 0.
        batch: what it led to now.

    Raises:
        RunError: it did not.
    """
    if int(recording.checks[step]) != checksum(batch):
        raise RunError(
            f"A replay must go as the play went, but differs at step {step + 1} of "
            f"{len(recording.actions)}: the rules of {recording.env!r} have changed since, or the "
            f"env draws from something else than its seed."
        )


def checksum(batch: Batch) -> int:
    """Of all that a step led to."""
    parts = (batch.observations, batch.rewards, batch.terminated, batch.truncated, batch.alive)
    found = 0
    for part in parts:
        found = zlib.crc32(part.tobytes(), found)
    return found


def check_fits(recording: Recording, vector: Vector) -> None:
    """Whether the actions of a play are some of the env's.

    Raises:
        RunError: they are not.
    """
    actions, counts = recording.actions, vector.action.counts
    fits = actions.shape[1:] == (vector.num_rows, vector.action.width)
    fits = fits and actions.dtype == vector.action.dtype
    if not fits or any(
        ((actions[..., i] < 0) | (actions[..., i] >= count)).any() for i, count in enumerate(counts)
    ):
        raise RunError(f"The actions of the play must be those of {recording.env!r}, but are not.")


def _check_types(found: Recording) -> None:
    """Whether a file that could be read holds what it should.

    Raises:
        TypeError, ValueError: it does not.
    """
    kinds = {"env": str, "settings": dict, "seed": int, "rows": list, "episodes": list}
    for name, kind in kinds.items():
        if not isinstance(getattr(found, name), kind):
            raise TypeError(f"its {name} is of another kind")
    if found.actions.ndim != 3 or found.checks.shape != found.actions.shape[:1]:
        raise ValueError("its actions and checks do not fit each other")
    if not len(found.actions):
        raise ValueError("it has no step")


@contextlib.contextmanager
def _kept_in(folder: Path) -> Iterator[None]:
    """Turns what the disk refuses into a sentence."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"The play must be kept in {str(folder)!r}, but {error}. Play in a folder that can be "
            f"written to."
        ) from error


def _fresh(folder: Path, env: str) -> Path:
    """The first of env-1, env-2, ... that is free."""
    stem = "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in registry.stem(env))
    number = 1
    while (folder / f"{stem}-{number}{SUFFIX}").exists():
        number += 1
    return folder / f"{stem}-{number}{SUFFIX}"
