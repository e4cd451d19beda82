"""A training as a child process: started, watched, asked to stop, and what it came to."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import skipjack
from skipjack.report import store

HOME = str(Path(skipjack.__file__).parents[1])
"""Where children import Skipjack from, whatever folder they run in."""

START = (sys.executable, "-m", "skipjack.sweep.start", str(os.getpid()))
"""How a command of Skipjack is started so that it ends with us."""


OUT_OF_MEMORY = ("fit into memory", "out of memory", "allocate memory", "memoryerror")


class Child:
    """One training that runs.

    Args:
        words: the command, `train ENV ...`; --json is added.
        folder: where it runs; its run lies in `runs/` there.
        run: name of its run.
        start: what stands before the words.
    """

    def __init__(
        self, words: Sequence[str], folder: Path, run: str, start: Sequence[str] = START
    ) -> None:
        self.run, self.folder = run, folder / "runs" / run
        self._out = tempfile.TemporaryFile()
        self._err = tempfile.TemporaryFile()
        self._read, self._rows = 0, []  # type: int, list[dict[str, Any]]
        paths = [HOME, os.getcwd(), os.environ.get("PYTHONPATH", "")]
        self._process = subprocess.Popen(
            [*start, *words, "--json"],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._err,
            start_new_session=True,  # Ctrl-C in a terminal would reach it beside our own signal: twice
        )

    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def wait(self, seconds: float) -> bool:
        """Wait for its end; whether it came."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return not self.is_running()

    def stop(self) -> None:
        """Ask it to finish its update, save and end."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGINT)

    def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()

    def rows(self) -> list[dict[str, Any]]:
        """The rows of its metrics so far: one an update."""
        with suppress(OSError), open(self.folder / store.FILE, "rb") as file:
            if file.seek(0, os.SEEK_END) < self._read:
                self._read, self._rows = 0, []  # a resumed run has written it anew
            file.seek(self._read)
            whole, newline, _ = file.read().rpartition(b"\n")
            self._read += len(whole) + len(newline)
            for line in whole.split(b"\n"):
                with suppress(ValueError):
                    self._rows.append(json.loads(line))
        return [row for row in self._rows if isinstance(row, dict) and "update" in row]

    def result(self) -> dict[str, Any]:
        """The last line of its output, with `exit_code`, and `error` where it gave none."""
        code = self._process.wait()
        out, err = self._text(self._out), self._text(self._err)
        self._out.close()
        self._err.close()
        found: dict[str, Any] = {}
        with suppress(ValueError, IndexError):
            last = json.loads(out.splitlines()[-1])
            found = last if isinstance(last, dict) else {}
        if code and "error" not in found and not found.get("stopped"):
            lines = [line for line in err.splitlines() if line.strip()]
            found["error"] = lines[-1] if lines and code > 0 else f"It ended with exit code {code}."
        return found | {"exit_code": code}

    @staticmethod
    def _text(file: Any) -> str:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, end - 65_536))
        return file.read().decode(errors="replace")


def figure_of(result: Mapping[str, Any], metric: str) -> dict[str, float | None]:
    """What a training came to: `score`, half of its 95 % interval `score_ci95`, the random player's `random`.

    Ratings come with their standard error, in Elo above the random player.
    """
    if metric == "rating":
        error = result.get("rating_error")
        half = None if error is None else 1.96 * error
        found: dict[str, Any] = {"score": result.get("rating"), "score_ci95": half, "random": 0.0}
    else:
        found = {
            "score": result.get(metric),
            "score_ci95": result.get(f"{metric}_ci95"),
            "random": result.get(f"random_{metric}"),
        }
    # One that is not finite would spoil every model and page of the study.
    return {name: v if v is not None and math.isfinite(v) else None for name, v in found.items()}


def reason_of(result: Mapping[str, Any]) -> str:
    """Why a training failed, in a word: oom, nan, disk, usage, unrated, crash."""
    code, text = result["exit_code"], str(result.get("error", "")).lower()
    if code in (-9, 137) or any(part in text for part in OUT_OF_MEMORY):
        return "oom"  # the kernel takes the memory of a process by killing it
    if "must be finite" in text:
        return "nan"
    if "no space left" in text or "quota" in text:
        return "disk"
    if not code and result.get("score") is not None:
        return "unrated"  # trained and evaluated, but the rater had no games with it
    return "usage" if code == 2 else "crash"
