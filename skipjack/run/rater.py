"""A rater beside a training: a process of its own that plays checkpoints against each other.

The training starts it, looks at what it wrote, and starts it again if it dies; nothing waits for it but the
end of the run, and that not for ever. What it knows is in the table of results: a new one goes on where the
last one was killed. It reads its standard input: "finish" has it settle the newest checkpoint without
sparing time, the end of input, by whatever death of the training, has it stop.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from skipjack import checkpoint
from skipjack.arena import standings
from skipjack.arena.ladder import Ladder
from skipjack.arena.results import WITHOUT, Results
from skipjack.run import ratings as wiring

FILE = "ratings.json"
"""In the arena's folder: the newest ratings."""

LOG = "rater.log"
"""Beside it: what the rater said, its last words among it."""

USELESS = 3
"""Exit code of a rater that need not be started again: no game has an outcome."""

VAGUE = 300.0
"""Standard error in Elo from which on a number is not shown: too few games connect it with the others."""

EVERY = 1.0
"""Seconds between two looks at the rater, and at the run's checkpoints."""

BACKOFF = (1.0, 5.0, 30.0, 120.0)
"""Seconds until a rater that died is started again; after these it is left dead."""

NICE = 10
"""How much less the system gives it than the training."""


class Rater:
    """The training's side.

    Args:
        run: the run's folder.
        budget: share of the time in which it plays.
        precision: standard error in Elo to which the last checkpoint should be rated.
        say: says a sentence to the user.
        command: what to start; by default `skipjack rate RUN --follow`.

    Attributes:
        newest: what it last reported; empty before the first.
    """

    def __init__(
        self,
        run: Path,
        budget: float,
        precision: float,
        say: Callable[[str], None],
        command: list[str] | None = None,
    ) -> None:
        self.path, self.log = run / wiring.FOLDER / FILE, run / wiring.FOLDER / LOG
        self.say, self.precision = say, precision
        self.command = command or [
            *(sys.executable, "-m", "skipjack", "rate", str(run), "--follow"),
            *("--budget", str(budget), "--precision", str(precision)),
        ]
        self.newest: dict[str, Any] = {}
        self.deaths, self.looked = 0, 0.0
        self._child: subprocess.Popen[bytes] | None = None
        self._again = 0.0
        self._written = 0
        self._start()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._child is not None and self._child.poll() is None

    def look(self) -> dict[str, float]:
        """What there is to report now; never waits. A dead rater is started again after a while."""
        now = time.monotonic()
        if now - self.looked >= EVERY:
            self.looked = now
            self._read()
            self._revive(now)
        found = {"alive": float(self.alive), **_numbers(self.newest)}
        return {f"rating/{name}": value for name, value in found.items()}

    def finish(self, patience: float, name: str, stop: Callable[[], bool]) -> dict[str, Any]:
        """Wait until a player of this name is rated well enough, at most `patience` seconds.

        Returns:
            its line in the newest report; empty if it has no games. What is missing is said.
        """
        end = time.monotonic() + patience
        if not self.alive and not self._is_useless and self._again < end:
            self._start()
        self._tell(b"finish\n")
        while self.alive and time.monotonic() < end and not stop():
            time.sleep(0.05)
        self._read()
        lines = [line for line in _trained(self.newest) if line["name"] == name]
        if not lines:
            self.say("The rater did not come to the last checkpoint: rate it with skipjack rate.")
            return {}
        error = lines[-1]["error"]
        if error > self.precision:
            self.say(
                f"The last checkpoint's rating has a standard error of {error:.0f} Elo still, more than "
                f"arena.precision={self.precision:g}: go on with skipjack rate, or raise arena.patience."
            )
        return lines[-1]

    def close(self) -> None:
        """End the process; what it has written is whole. Closing twice is allowed."""
        child, self._child = self._child, None
        if child is None:
            return
        if child.stdin is not None:
            with contextlib.suppress(OSError):
                child.stdin.close()
        try:
            child.wait(2)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _start(self) -> None:
        here = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
        try:
            with self._logging() as log:
                self._child = subprocess.Popen(
                    self.command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                    env={**os.environ, **here},
                    start_new_session=True,  # Ctrl-C is the training's; it ends the rater in order
                )
        except OSError as error:
            self._child = None
            self.say(f"The rater cannot be started ({error}). Training goes on without.")

    @contextlib.contextmanager
    def _logging(self) -> Iterator[Any]:
        """Where the rater's standard error goes; nowhere if the disk takes no log."""
        try:
            self.log.parent.mkdir(exist_ok=True)
            log = self.log.open("ab")
        except OSError:
            yield subprocess.DEVNULL
            return
        with log:
            yield log

    @property
    def _is_useless(self) -> bool:
        return self._child is not None and self._child.poll() == USELESS

    def _revive(self, now: float) -> None:
        if self.alive or self.deaths > len(BACKOFF):
            return
        if self._is_useless:
            self.deaths = len(BACKOFF) + 1
            self.say(f"The run is not rated. {WITHOUT}")
            return
        if not self._again:
            self.deaths += 1
            left = self.deaths <= len(BACKOFF)
            self._again = now + (BACKOFF[self.deaths - 1] if left else 0.0)
            self.say(
                f"The rater died; it is started again. Why: {str(self.log)!r}."
                if left
                else f"The rater dies again and again and is left alone (why: {str(self.log)!r}): rate "
                "the run with skipjack rate."
            )
        elif now >= self._again:
            self._again = 0.0
            self._start()

    def _tell(self, line: bytes) -> None:
        if self._child is not None and self._child.stdin is not None:
            with contextlib.suppress(OSError):  # it died
                self._child.stdin.write(line)
                self._child.stdin.flush()

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            written = self.path.stat().st_mtime_ns
            if written != self._written:
                self._written = written
                self.newest = json.loads(self.path.read_text(encoding="utf-8"))


def newest_line(report: dict[str, Any]) -> dict[str, Any]:
    """The line of the newest checkpoint that has games."""
    lines = _trained(report)
    return lines[-1] if lines else {}


def _trained(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Lines of checkpoints that have games, oldest first."""
    lines = [line for line in report.get("players", []) if line["steps"] is not None]
    return [line for line in lines if line["games"] and "~" not in line["name"]]


def _numbers(report: dict[str, Any]) -> dict[str, float]:
    """The newest checkpoint's line as metrics; `checkpoint` is the step that they belong to."""
    line = newest_line(report)
    found = {"checkpoint": float(line["steps"])} if line else {}
    for name, error in (("elo", "error"), ("gain", "gain_error")):
        # Until games connect it with the others, only the prior speaks.
        if line.get(error) is not None and line[error] < VAGUE:
            found |= {name: float(line[name]), f"{name}_error": float(line[error])}
    if report:
        found |= {"games": float(report["games"]), "backlog": float(report["backlog"])}
    return found


class Orders:
    """The rater's side of its standard input, read in a thread.

    Attributes:
        finish, stop: what was ordered so far.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self.finish = self.stop = False
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream: IO[bytes]) -> None:
        for line in iter(stream.readline, b""):
            self.finish = self.finish or line.strip() == b"finish"
        self.stop = True


def follow(
    run: Path,
    contest: wiring.Contest,
    ladder: Ladder,
    results: Results,
    orders: Orders,
    budget: float,
    precision: float,
) -> None:
    """Rate a run while it trains, until told to finish or to stop.

    Args:
        run: its folder.
        contest, ladder, results: of its game; the ladder gets the checkpoints as they come.
        orders: from the training.
        budget: share of the time in which to play.
        precision: standard error in Elo at which a checkpoint is rated well enough: against the one before,
            and for the last one also against the anchor.

    Raises:
        RunError: the table cannot be written: rating ends, training does not.
    """
    seen: set[Path] = set()
    folder = run / wiring.FOLDER
    if hasattr(os, "nice"):
        os.nice(NICE)
    while not orders.stop:
        finishing = orders.finish
        for path in wiring.checkpoints_of(run):
            if path not in seen:
                seen.add(path)
                newcomers = wiring.players_in([path], contest, ladder.say)
                results.enter(player.name for player in newcomers)
                for player in newcomers:
                    ladder.add(player)
        began = time.monotonic()
        trained = [player.name for player in ladder.players if player.steps is not None]
        about = trained[-1] if finishing and trained else None
        block = ladder.play(lambda: orders.stop, about) if len(ladder.players) > 1 else None
        settled = _write(folder, ladder, precision)
        if finishing and (settled or not ladder.can_play):
            return
        spent = time.monotonic() - began
        rest = max(spent * (1 / budget - 1), EVERY if block is None else 0.0)
        while rest > 0 and not (orders.stop or orders.finish):
            time.sleep(min(rest, 0.05))
            rest -= 0.05


def _write(folder: Path, ladder: Ladder, precision: float) -> bool:
    """Write the report; whether the newest checkpoint is rated well enough."""
    ratings = ladder.ratings()
    open_ = ladder.unsettled(ratings, precision)
    seconds = {
        player.name: wiring.elapsed(folder.parent / "checkpoints" / f"{player.steps:012d}")
        for player in ladder.players
        if player.steps is not None
    }
    report = standings.report(ratings, ladder.players, ladder.counted(), seconds)
    report["backlog"] = len(open_)
    with contextlib.suppress(OSError):  # a full disk: the next one may be written
        checkpoint.write_text(folder / FILE, json.dumps(report) + "\n")
    trained = [player.name for player in ladder.players if player.steps is not None]
    if not trained or ladder.is_gone(trained[-1]):
        return True
    return trained[-1] not in open_ and ratings.elo(trained[-1])[1] <= precision
