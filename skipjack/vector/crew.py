"""An engine whose envs live in worker processes: the parent's half of it."""

from __future__ import annotations

import json
import pickle
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import fields
from multiprocessing.util import Finalize
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack import errors
from skipjack.errors import EnvError, RunError, SkipjackError, must
from skipjack.rows import Rows, join_states, part_states
from skipjack.seeding import env_seeds, state
from skipjack.vector import worker
from skipjack.vector.contract import check_groups
from skipjack.vector.link import Crash, Link, answers
from skipjack.vector.names import Names
from skipjack.vector.restarts import Unfinished
from skipjack.vector.shared import Shared

TRIES = 3
"""Restarts of a worker without a step in between, after which the run stops."""
START_SECONDS = 120.0
"""The least time that a worker has for making its envs: imports and files may be slow at first."""
GRACE_SECONDS = 5.0
"""How long a worker may take to close its envs."""


class Crew:
    """Workers that together have `num_envs` envs, each a share of every group.

    Args:
        make_engine, num_envs, workers, groups, start, timeout: as in `Processes`.
        restart: whether workers that crash are replaced.

    Attributes:
        seats, teams, observation, action: as every worker's engine says.
        statistics: names of the records' statistics that were found so far.
        shared: allocator of memory that the workers see; rows must come from it.
        restarts: workers replaced so far.
        messages: sentences for the user that nobody has taken yet.
    """

    def __init__(
        self,
        make_engine: Callable[[int], Any],
        num_envs: int,
        workers: int,
        groups: int = 1,
        start: str = "auto",
        timeout: float = 60.0,
        restart: bool = False,
    ) -> None:
        check_groups(num_envs, groups)
        self.size = num_envs // groups
        if not 1 <= workers <= self.size:
            raise must("a group must have an env for each worker", workers=workers, envs=self.size)
        self.num_envs, self.groups, self.timeout, self.restart = num_envs, groups, timeout, restart
        self.statistics: tuple[str, ...] = ()
        self.restarts = 0
        self.messages: list[str] = []
        self.noted: set[str] = set()
        self.posted: deque[int] = deque()  # groups under way, in order
        self.seeds = env_seeds(0, 0, num_envs)
        self.shared = Shared()
        self.links: list[Link] = []
        # Also at the interpreter's exit, before multiprocessing ends what it has started.
        self._finalizer = Finalize(self, _end, (self.links, self.shared), exitpriority=10)
        method = start_method(start)
        for number in range(workers):
            lo, hi = self.size * number // workers, self.size * (number + 1) // workers
            envs = np.concatenate([np.arange(lo, hi) + g * self.size for g in range(groups)])
            self.links.append(Link(number, make_engine, envs, groups, method))
        self._guarded(self._start)

    def bind(self, rows: Rows, row_of: npt.NDArray[np.int32], final_all: bool = False) -> None:
        """Take the arrays, which must come from `shared`, and hand them to the workers."""
        self.row_of = row_of
        named = [f.name for f in fields(Rows) if getattr(rows, f.name) is not None]
        places = dict(zip(named, self.shared.places, strict=True))
        self.raw = self.shared((self.num_envs * self.seats, self.record.itemsize), np.dtype("u1"))
        self._binding = (places, self.shared.places[-1], final_all)
        self.unfinished: Unfinished | None = None
        if self.restart:
            self.unfinished = Unfinished(rows, row_of, self.teams, self.record)
        self.found = [np.zeros(0, self.record) for _ in range(self.groups)]
        self._guarded(self._bind_all)

    def reset(self, lo: int, hi: int, seeds: npt.NDArray[np.uint64]) -> None:
        """Start all envs anew; `lo` and `hi` must be all of them."""
        assert (lo, hi) == (0, self.num_envs)
        self.seeds = seeds
        self.found = [np.zeros(0, self.record) for _ in range(self.groups)]
        if self.unfinished:
            self.unfinished.clear()

        def ask(link: Link) -> None:
            link.anew.clear()
            link.call("reset", {g: seeds[self._share(link, g)] for g in range(self.groups)})

        self._ask_all(ask)

    def step(self, lo: int, hi: int) -> None:
        """Step the group that has the envs [lo, hi), which must be all of it."""
        assert (hi - lo, lo % self.size) == (self.size, 0)
        self.post(lo // self.size)
        self.finish(lo // self.size)

    def post(self, group: int) -> None:
        """Begin a step of a group."""
        self._check_open()
        if self.unfinished:
            self.unfinished.before(self._rows_of(group))
        self.posted.append(group)
        for link in self.links:
            self._post(link, group)

    def finish(self, group: int) -> None:
        """Wait for the step that was posted first, which must be of this group."""
        parts = self._ask_all(None)
        assert self.posted[0] == group
        self.posted.popleft()
        for link in self.links:
            records, own = parts[link.number], self._share(link, group)
            if records is None:  # the envs began anew instead
                assert self.unfinished
                link.anew.discard(group)
                parts[link.number] = self.unfinished.cut(own)
                continue
            link.tries = 0
            self.names.arrange(link.number, link.statistics, records)
        self.statistics = tuple(self.names.all)
        # As raw bytes: numpy leaves the gaps between a record's fields undefined otherwise.
        self.found[group] = np.concatenate([p.view(np.uint8) for p in parts]).view(self.record)
        if self.unfinished:
            self.unfinished.after(self._rows_of(group), self.found[group])

    def records(self, lo: int, hi: int) -> npt.NDArray[Any]:
        """The episodes that ended in the last step of a group, or of none."""
        return self.found[lo // self.size] if hi > lo else np.zeros(0, self.record)

    def save(self, lo: int, hi: int) -> bytes | None:
        """The state of every env; None if the engine cannot, or has just crashed."""
        assert (lo, hi) == (0, self.num_envs)
        before = self.restarts
        parts = self._ask_all(lambda link: link.call("save"))
        if None in parts or self.restarts != before:
            return None
        found = [b""] * self.num_envs
        for link, part in zip(self.links, parts, strict=True):
            for env, own in zip(link.envs, part, strict=True):
                found[env] = own
        return join_states(found)

    def load(self, lo: int, hi: int, saved: bytes) -> None:
        """Take back what `save` gave, with any number of workers."""
        assert (lo, hi) == (0, self.num_envs)
        single = part_states(saved, self.num_envs)
        if self.unfinished:
            self.unfinished.clear()

        def ask(link: Link) -> None:
            link.anew.clear()
            link.call("load", [single[env] for env in link.envs])

        self._ask_all(ask)

    def scene(self, env: int) -> Any:
        """A picture of one env, while no step is under way."""
        self._check_open()
        if self.posted:
            raise must("every group must be received before a picture", under_way=list(self.posted))
        link = next(link for link in self.links if env in link.envs)
        own = int(np.flatnonzero(link.envs == env)[0])
        return self._guarded(lambda: self._gather([link], lambda _: link.call("scene", own)))[0]

    def close(self) -> None:
        """End the workers. Closing twice is allowed."""
        self.posted.clear()
        if self._finalizer.still_active():
            self._finalizer()

    def _share(self, link: Link, group: int) -> npt.NDArray[np.intp]:
        """The envs that a worker has of a group."""
        share = len(link.envs) // self.groups
        return link.envs[group * share : (group + 1) * share]

    def _rows_of(self, group: int) -> npt.NDArray[np.int32]:
        return self.row_of[group * self.size : (group + 1) * self.size].ravel()

    def _post(self, link: Link, group: int) -> None:
        """Ask a worker for a step of its share, or for a new beginning after a crash."""
        if group not in link.anew:
            link.step(group)
            return
        seeds = [state(int(s), "envs", link.lives) for s in self.seeds[self._share(link, group)]]
        link.call("reset", {group: np.array(seeds, np.uint64)})

    def _ask_all(self, ask: Callable[[Link], None] | None) -> list[Any]:
        """What every worker answers; `ask` None: to the steps that were posted."""
        self._check_open()
        return self._guarded(lambda: self._gather(self.links, ask))

    def _gather(self, links: Sequence[Link], ask: Callable[[Link], None] | None) -> list[Any]:
        """Answers in the order of the workers; who is gone is replaced and asked again."""
        if ask:
            for link in links:
                ask(link)
        found: dict[int, Any] = {}
        waiting = list(links)
        while waiting:
            crashed = []
            for link, answer in answers(waiting, self.timeout):
                if isinstance(answer, Crash):
                    self._lose(link, answer)
                    crashed.append(link)
                else:
                    found[link.number] = self._read(link, answer)
            for link in crashed:
                self._replace(link)
                if ask:
                    ask(link)
                else:
                    for group in self.posted:
                        self._post(link, group)
            waiting = crashed
        return [found[link.number] for link in links]

    def _read(self, link: Link, answer: bytes) -> Any:
        """What an answer holds: the records of a step, what a call gave, or an error to raise."""
        kind, body = answer[:1], answer[1:]
        if kind == worker.RESULT:
            return pickle.loads(body)
        if kind == worker.ERROR:
            raise _error(pickle.loads(body))
        count = worker.NUMBERED.unpack_from(answer)[1]
        if len(answer) > worker.NUMBERED.size:
            names, notes = json.loads(answer[worker.NUMBERED.size :])
            link.statistics += names
            # What one worker's envs have to say, the others' often have too.
            self.messages += [note for note in notes if note not in self.noted]
            self.noted.update(notes)
        at = self._share(link, self.posted[0])[0] * self.seats
        return self.raw[at : at + count].reshape(-1).copy().view(self.record)

    def _start(self) -> None:
        """Start the workers, all at once, and see what their engines are."""
        for link in self.links:
            link.start()
        found = self._describe(self.links)
        first = found[0]
        self.seats, self.teams, self.record = first.seats, first.teams, first.record
        self.observation, self.action = first.observation, first.action
        self.statistics = first.statistics
        self.names = Names(first.statistics, self.record["stats"].shape[0])
        for link, other in zip(self.links, found, strict=True):
            if other.num_envs != len(link.envs):
                raise must(
                    "an engine must have as many envs as it was asked for",
                    asked=len(link.envs),
                    envs=other.num_envs,
                )

    def _describe(self, links: Sequence[Link]) -> list[worker.Description]:
        """The first answers of workers that were just started."""
        limit = max(self.timeout, START_SECONDS) if self.timeout else 0.0
        found = {}
        for link, answer in answers(links, limit):
            if isinstance(answer, Crash):
                raise answer
            found[link.number] = self._read(link, answer)
            link.statistics = list(found[link.number].statistics)
        return [found[link.number] for link in links]

    def _bind_all(self) -> None:
        for link in self.links:
            self._bind(link)
        for _, answer in answers(self.links, self.timeout):
            if isinstance(answer, Crash):
                raise answer
            self._read(self.links[0], answer)

    def _bind(self, link: Link) -> None:
        places, records, final_all = self._binding
        own = self.row_of[link.envs]
        link.call("bind", places, records, own, final_all, descriptor=self.shared.descriptor)

    def _lose(self, link: Link, crash: Crash) -> None:
        """A worker is gone: go on without it for now, or stop."""
        if not self.restart:
            hint = "With vector.on_crash restart its envs would begin anew."
            raise RunError(f"{crash} {hint}")
        link.tries += 1
        if link.tries > TRIES:
            raise RunError(f"{crash} It was restarted {TRIES} times and did not get to a step.")
        self.restarts += 1
        self.messages.append(f"{crash} Its envs begin anew (restart {self.restarts}).")

    def _replace(self, link: Link) -> None:
        """Start a worker in the place of one that is gone; its envs begin anew at their next steps."""
        while True:
            link.end(time.monotonic())
            link.lives += 1
            link.anew = set(range(self.groups))
            self.names.forget(link.number)
            try:
                link.start()
                self._describe([link])
                self._bind(link)
                for _, answer in answers([link], self.timeout):
                    if isinstance(answer, Crash):
                        raise answer
                    self._read(link, answer)
                return
            except Crash as crash:
                self._lose(link, crash)

    def _guarded(self, work: Callable[[], Any]) -> Any:
        """Do some work; whatever goes wrong in it ends all workers.

        Raises:
            RunError: a worker died, did not answer, or an env raised.
        """
        try:
            return work()
        except BaseException as error:
            for link in self.links:
                link.part()
            until = time.monotonic() + GRACE_SECONDS / 5
            for link in self.links:
                link.end(until)
            self.close()
            if isinstance(error, Crash):
                raise RunError(str(error)) from None
            raise

    def _check_open(self) -> None:
        if not self._finalizer.still_active():
            raise RunError("The vector's workers have ended. Make a new vector.")


def start_method(start: str) -> str:
    """How workers start: "auto" is fork on Linux, where it takes milliseconds and copies nothing.

    Elsewhere it is spawn: macOS's own libraries may crash after a fork, and Windows has none.
    """
    if start == "auto":
        return "fork" if sys.platform == "linux" else "spawn"
    if start not in ("fork", "spawn"):
        raise must('vector.start must be "auto", "fork" or "spawn"', got=start)
    return start


def _error(failure: worker.Failure) -> SkipjackError:
    """A worker's failure as the error that it was."""
    if failure.kind == "EnvError":
        return EnvError(failure.message, failure.env, failure.seed)
    kind = getattr(errors, failure.kind, RunError)
    found: SkipjackError = kind(failure.message)
    return found


def _end(links: list[Link], shared: Shared) -> None:
    """End all workers, in order as long as they let us, and free the memory."""
    for link in links:
        link.part()
    until = time.monotonic() + GRACE_SECONDS
    for link in links:
        link.end(until)
    shared.close()
