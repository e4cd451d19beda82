"""The parent's end of a worker: starting it, asking it, noticing its death."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import pickle
import signal
import sys
import time
import types
import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import reduction
from multiprocessing.connection import Connection, wait
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.vector import worker

THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""What libraries read to know how many threads they may start: one, in a worker."""

_open: weakref.WeakSet[Connection] = weakref.WeakSet()  # parents' ends, which a fork copies


class Crash(Exception):
    """A worker died or did not answer in time; the message says how."""


class Link:
    """One worker as its parent sees it.

    Args:
        number: which worker it is, from 0.
        maker: makes the worker's engine, given a number of envs.
        envs: the vector's index of each of its envs, group after group.
        groups: number of groups.
        method: "fork" or "spawn".

    Attributes:
        process, connection: the worker that runs now, and the way to it.
        statistics: names that it has told, in its order.
        anew: groups whose envs have yet to begin anew, after a crash.
        tries: restarts since its last step.
        lives: restarts in all.
    """

    def __init__(
        self,
        number: int,
        maker: Callable[[int], Any],
        envs: npt.NDArray[np.intp],
        groups: int,
        method: str,
    ) -> None:
        self.number, self.maker, self.envs, self.groups = number, maker, envs, groups
        self.method = method
        self.process: Any = None
        self.connection: Any = None
        self.statistics: list[str] = []
        self.anew: set[int] = set()
        self.tries = self.lives = 0

    def start(self) -> None:
        """Start the process; its first answer comes when its engine is made."""
        context: Any = multiprocessing.get_context(self.method)
        forks = self.method == "fork"
        maker: Any = self.maker
        if not forks:
            import cloudpickle  # lambdas, and what the user's main script defines

            maker = cloudpickle.dumps(maker)
        self.connection, theirs = context.Pipe()
        _open.add(self.connection)
        inherited = list(_open) if forks else []
        self.process = context.Process(
            target=worker.run,
            args=(theirs, os.getpid(), maker, self.envs, self.groups, inherited),
            name=f"skipjack-worker-{self.number}",
            daemon=False,
        )
        with _ready_to_start(forks):
            self.process.start()
        theirs.close()  # ours would hide that the worker's is closed

    def step(self, group: int) -> None:
        """Ask for a step of a group."""
        self._send(worker.NUMBERED.pack(worker.STEP, group))

    def call(self, name: str, *arguments: Any, descriptor: int = -1) -> None:
        """Ask for a method of `Worker`; a descriptor goes along if there is one."""
        self._send(worker.CALL + pickle.dumps((name, arguments)))
        if descriptor >= 0:
            with contextlib.suppress(OSError):
                reduction.send_handle(self.connection, descriptor, self.process.pid)

    def receive(self) -> bytes:
        """The answer that is there.

        Raises:
            Crash: there will be none.
        """
        try:
            return bytes(self.connection.recv_bytes())
        except (EOFError, OSError):
            raise self.crash() from None

    def crash(self) -> Crash:
        """How the process ended, as an error to raise; it is ended if it has not."""
        self.process.join(0.5)  # a closed connection is seen a little before the end
        code = self.process.exitcode
        if code is None:
            self.kill()
            return Crash(f"{self} closed its connection.")
        how = f"was ended by {_signal_name(-code)}" if code < 0 else f"exited with code {code}"
        return Crash(f"{self} {how}.")

    def kill(self) -> None:
        """End the process at once."""
        self.process.kill()
        self.process.join()

    def part(self) -> None:
        """Close the connection: the worker ends when it is done with what it does."""
        if self.connection is not None:
            self.connection.close()

    def end(self, until: float) -> None:
        """Wait for the process to end, kill it at the time `until`, and free what it held."""
        if self.process is None:
            return
        self.part()
        if self.process.pid is not None:
            self.process.join(max(0.0, until - time.monotonic()))
            self.kill()
        self.process.close()
        self.process = self.connection = None

    def _send(self, message: bytes) -> None:
        with contextlib.suppress(OSError):  # a dead worker shows where its answer is awaited
            self.connection.send_bytes(message)

    def __str__(self) -> str:
        return f"Worker {self.number}, which had {worker.ranges(self.envs)},"


def answers(links: Sequence[Link], seconds: float) -> Iterator[tuple[Link, bytes | Crash]]:
    """The next answer of each worker as it comes, or how the worker ended.

    Args:
        links: those that were asked.
        seconds: how long to wait for all of them; who has not answered then is killed. 0: for ever.
    """
    waiting = list(links)
    until = time.monotonic() + seconds if seconds else math.inf
    while waiting:
        signs = [sign for link in waiting for sign in (link.connection, link.process.sentinel)]
        ready = wait(signs, max(0.0, until - time.monotonic()) if seconds else None)
        if not ready:
            for link in waiting:
                link.kill()
                yield link, Crash(f"{link} did not answer within {seconds:g} s and was killed.")
            return
        for link in list(waiting):
            try:
                if link.connection in ready:
                    found: bytes | Crash = link.receive()
                elif link.process.sentinel in ready:
                    found = link.crash()
                else:
                    continue
            except Crash as crash:
                found = crash
            waiting.remove(link)
            yield link, found


@contextlib.contextmanager
def _ready_to_start(forks: bool) -> Iterator[None]:
    """The state in which a child is started: what it inherits is what a worker wants."""
    before = {name: os.environ.get(name) for name in THREADS}
    main = sys.modules["__main__"]
    masked = hasattr(signal, "pthread_sigmask")
    if masked:  # until the worker has its handlers: a Ctrl-C goes to it too
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, worker.SIGNALS)
    try:
        os.environ.update(dict.fromkeys(THREADS, "1"))
        if not forks:
            # A spawned child would run the user's main script again. It needs none of it: what is
            # defined there comes by cloudpickle.
            sys.modules["__main__"] = types.ModuleType("__main__")
        with warnings.catch_warnings():
            # Forking beside torch's threads is meant: a worker uses none of what they may hold.
            warnings.filterwarnings("ignore", "(?s).*fork", DeprecationWarning)
            yield
    finally:
        sys.modules["__main__"] = main
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if masked:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
