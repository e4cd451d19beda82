"""Commands as child processes: one at a time, stopped with us, never two suites at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import skipjack

HOME = str(Path(skipjack.__file__).parents[1])
"""Where children import Skipjack from, whatever folder they run in."""


def call(words: Sequence[str], folder: Path, lock: int | None) -> tuple[int, str, str]:
    """Exit code, output and errors of a command with --json, run in a folder.

    Whatever ends the waiting (Ctrl-C) asks the child to save and stop first, and waits for that.
    """
    paths = os.pathsep.join(filter(None, [HOME, os.environ.get("PYTHONPATH")]))
    child = subprocess.Popen(
        [sys.executable, "-m", "skipjack", *words, "--json"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": paths},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C in a terminal would reach it beside our own signal: twice
        pass_fds=() if lock is None else (lock,),
    )
    try:
        out, err = child.communicate()
    except BaseException:
        child.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGINT)
        try:
            child.communicate()
        finally:
            child.kill()  # a second Ctrl-C; nothing where the child has ended
        raise
    return child.returncode, out, err


@contextmanager
def alone(path: Path, say: Callable[[str], None]) -> Iterator[int | None]:
    """Hold a lock that the trainings inherit: until the last of a killed suite has ended, we wait.

    Two trainings at once would take each other's time, and one run's folder.
    """
    if os.name == "nt":
        yield None
        return
    import fcntl

    with open(path, "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another suite, or a training that one left behind, to end.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


@contextmanager
def sigterm_stops() -> Iterator[None]:
    """SIGTERM leaves as Ctrl-C does, with its own exit code."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = None
    with suppress(ValueError):  # not in the main thread: the caller's handlers stay
        before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def reason(code: int, out: str, err: str) -> str:
    """Why a child failed, in a sentence."""
    with suppress(ValueError, IndexError, KeyError, TypeError):
        return json.loads(out.splitlines()[-1])["error"]
    lines = [line for line in err.splitlines() if line.strip()]
    return lines[-1] if lines and code > 0 else f"The training ended with exit code {code}."
