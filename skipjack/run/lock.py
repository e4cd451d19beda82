"""Who trains into a run's folder: a lock that dies with its process, by kill -9 too."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from skipjack.errors import RunError

FILE = "lock"


@contextmanager
def hold(run: Path) -> Iterator[None]:
    """Keep every other process from training into a run, or removing it, for the time inside.

    Raises:
        RunError: another process has it, or the folder is not writable.
    """
    try:
        file = open(run / FILE, "a+", encoding="utf-8")
    except OSError as error:
        raise RunError(f"The run folder {str(run)!r} must be writable, but {error}.") from error
    with file:
        if not _patiently(file):
            raise RunError(
                f"Only one process at a time may have the run {run.name!r}, but "
                f"{who(holder(run))} has it. Wait for it, or stop it."
            )
        file.truncate(0)
        text = json.dumps({"process": os.getpid(), "host": platform.node()})
        with contextlib.suppress(OSError):  # a full disk: the lock holds all the same
            os.write(file.fileno(), text.encode())
        try:
            yield
        finally:
            # Never unlinked: a process that waits for this file would then lock one that is gone.
            file.truncate(0)


def holder(run: Path) -> dict[str, Any] | None:
    """The process and host that train into a run right now; None if nobody does."""
    try:
        with open(run / FILE, encoding="utf-8") as file:
            text = file.read()
            try:
                held = not _take(file, shared=True)
            except OSError:
                held = bool(text)  # a file system without locks: the last word stands
    except (OSError, UnicodeDecodeError):
        return None
    if not held:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


def who(found: dict[str, Any] | None) -> str:
    """What `holder` gave, in words."""
    if not found:
        return "another process"
    return f"process {found.get('process')} on {found.get('host')}"


def _patiently(file: IO[str]) -> bool:
    """Take the lock; `holder` has it for an instant in other processes, so ask a few times."""
    for _ in range(10):
        try:
            if _take(file, shared=False):
                return True
        except OSError:
            return True  # a file system without locks must not stop a training
        time.sleep(0.02)
    return False


if sys.platform == "win32":
    import msvcrt

    def _take(file: IO[str], shared: bool) -> bool:
        """Lock a byte far behind the text, for locked bytes cannot be read there."""
        file.seek(2**30)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

else:
    import fcntl

    def _take(file: IO[str], shared: bool) -> bool:
        """Lock the open file, if it is free; closing it frees it again."""
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
