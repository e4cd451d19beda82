"""Where a study is kept: one file, or a database; both survive kills, full disks and restarts.

The file is Optuna's journal with three differences: its lock dies with whoever holds it, half a line
that a kill or a full disk left behind is taken back before the next one is written, and a reader stops
at one. `optuna-dashboard` opens it as any other.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

import optuna
from optuna.storages.journal import BaseJournalBackend

from skipjack.errors import RunError, missing, must

T = TypeVar("T")

PATIENCE = 600.0
"""Seconds that a database may be away, restarting, before a worker gives up."""


class Journal(BaseJournalBackend):
    """A line of JSON for each change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._starts = [0]  # byte at which each line read so far begins
        try:
            path.touch()
        except OSError as error:
            raise self._unwritable(error) from error

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Lines from a number on, up to the last whole one."""
        number = min(log_number_from, len(self._starts) - 1)
        with open(self.path, "rb") as file:
            file.seek(self._starts[number])
            for line in file:
                if not line.endswith(b"\n"):
                    return  # being written, or torn
                if len(self._starts) == number + 1:
                    self._starts.append(self._starts[number] + len(line))
                if number >= log_number_from:
                    yield json.loads(line)
                number += 1

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Add lines, all of them or none.

        Raises:
            RunError: the disk is full or the file read-only.
        """
        text = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs).encode()
        try:
            with open(self.path, "r+b") as file, _locked(file):
                end = _whole(file)
                try:
                    file.truncate(end)
                    file.seek(end)
                    self._write(file, text)
                except OSError:
                    file.truncate(end)
                    raise
        except OSError as error:
            raise self._unwritable(error) from error

    def _write(self, file: IO[bytes], text: bytes) -> None:
        if os.write(file.fileno(), text) < len(text):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(file.fileno())

    def _unwritable(self, error: OSError) -> RunError:
        return RunError(
            f"The study must be written to {str(self.path)!r}, but {error}. Free space or give write "
            f"access and go on with the same command; nothing that was written is lost."
        )


def connect(url: str) -> Any:
    """Optuna's storage behind a path or an address (`postgresql://user@host/name`).

    Raises:
        UsageError: it is no address of a database.
        MissingPackage: the database's package is not installed.
        RunError: nobody answers there.
    """
    if "://" not in url:
        return optuna.storages.JournalStorage(Journal(Path(url)))
    kind, _, rest = url.partition("://")
    if kind in ("postgresql", "postgres"):
        kind = "postgresql+psycopg"
    if not kind.startswith(("postgresql", "mysql", "sqlite")):
        raise must("--storage must be a file or postgresql://...", storage=url)
    try:
        return optuna.storages.RDBStorage(f"{kind}://{rest}", engine_kwargs={"pool_pre_ping": True})
    except ImportError:
        raise missing("psycopg", extra="postgres", what="A study in PostgreSQL") from None
    except Exception as error:
        if not _is_away(error):
            raise
        raise RunError(
            f"The database behind --storage must answer, but {str(error).splitlines()[0].rstrip('.')}. Is "
            f"it running, and does this machine reach it?"
        ) from error


def patiently(call: Callable[[], T], away: Callable[[], None] = lambda: None) -> T:
    """What `call` gives, tried again while the database is away.

    Args:
        call: may be done twice: its first answer may be lost with the connection.
        away: told of each try that failed.

    Raises:
        RunError: it was away for longer than `PATIENCE`.
    """
    began, pause = time.monotonic(), 0.2
    while True:
        try:
            return call()
        except Exception as error:
            if not _is_away(error):
                raise
            away()
            if time.monotonic() - began > PATIENCE:
                raise RunError(
                    f"The study's database must come back within {PATIENCE:.0f} s, but did not. Go on "
                    f"with the same command once it does."
                ) from error
        time.sleep(pause)
        pause = min(2 * pause, 5.0)


def _is_away(error: BaseException | None) -> bool:
    """Whether an error says that the database cannot be reached, or has just ended."""
    if "sqlalchemy" not in sys.modules:
        return False
    from sqlalchemy import exc

    # The last one: a connection that ended within a transaction, which has been rolled back since.
    lost = exc.OperationalError, exc.InterfaceError, exc.PendingRollbackError
    while error is not None:
        if isinstance(error, lost):
            return True
        if isinstance(error, exc.DBAPIError) and error.connection_invalidated:
            return True
        error = error.__cause__
    return False


@contextmanager
def alone(path: Path, what: str) -> Iterator[None]:
    """Be the only process with this file for the time inside; a kill frees it.

    Raises:
        RunError: another process has it.
    """
    with open(path, "a+b") as file:
        if not _take(file, wait=False):
            raise RunError(what)
        yield


@contextmanager
def _locked(file: IO[bytes]) -> Iterator[None]:
    _take(file, wait=True)
    try:
        yield
    finally:
        _free(file)


def _whole(file: IO[bytes]) -> int:
    """Where the last whole line ends."""
    end = file.seek(0, os.SEEK_END)
    while end:
        begin = max(0, end - 65_536)
        file.seek(begin)
        at = file.read(end - begin).rfind(b"\n")
        if at >= 0:
            return begin + at + 1
        end = begin
    return 0


if sys.platform == "win32":
    import msvcrt

    def _take(file: IO[bytes], wait: bool) -> bool:
        """Lock a byte far behind the text."""
        while True:
            file.seek(2**30)
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
                return True
            except OSError:
                if not wait:
                    return False
                time.sleep(0.01)

    def _free(file: IO[bytes]) -> None:
        file.seek(2**30)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _take(file: IO[bytes], wait: bool) -> bool:
        """Lock the open file; closing it frees it."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    def _free(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
