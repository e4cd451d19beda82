"""A worker process: builds an engine of its own, and steps a share of every group when told to.

Parent and worker talk through a connected pair of sockets; who waits sleeps in the system. Rows and
records lie in memory that both see. The parent asks, the worker answers each message in order:

    b"s" + group                        step the worker's envs of that group
    b"c" + pickle of (name, arguments)  call one of `Worker`'s methods; seldom

    b"d" + count [+ JSON of names]      stepped; `count` records lie in the group's place; names of
                                        statistics that are new
    b"r" + pickle                       what a call gave; the first answer describes the engine
    b"e" + pickle of a `Failure`        the engine raised; the worker leaves

A step costs 5 bytes each way and nothing is pickled. The records of envs [lo, hi) lie from row
lo x seats on, at most one a row. A closed connection ends the worker: an orderly end and the parent's
death are the same to it.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import pickle
import signal
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from multiprocessing import reduction
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from skipjack.errors import EnvError, SkipjackError
from skipjack.rows import Rows
from skipjack.vector.shared import Place, array_at

STEP, CALL, DONE, RESULT, ERROR = b"s", b"c", b"d", b"r", b"e"
NUMBERED = struct.Struct("<cI")
"""A kind of message and a number: the group to step, the records of a step."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""What a terminal or a supervisor sends to all processes at once: what to do is the parent's choice."""


class Description(NamedTuple):
    """What a worker's engine is, as its first answer."""

    num_envs: int
    seats: int
    teams: tuple[int, ...]
    observation: Any
    action: Any
    statistics: tuple[str, ...]
    record: np.dtype[Any]


class Failure(NamedTuple):
    """An error as names and numbers: a user's own exception may not exist in the parent."""

    kind: str
    message: str
    env: int = -1
    seed: int = -1


def run(
    connection: Connection,
    parent: int,
    maker: Callable[[int], Any] | bytes,
    envs: npt.NDArray[np.intp],
    groups: int,
    inherited: Sequence[Connection],
) -> None:
    """What a worker process does, from its start to its end.

    Args:
        connection: to the parent.
        parent: the parent's process id.
        maker: makes an engine of so many envs; bytes are cloudpickle's.
        envs: the vector's index of each of the worker's envs, group after group.
        groups: groups that the envs fall into, equally.
        inherited: connections that a fork copied from the parent, to be closed here: as long as
            they are open, those workers do not see that the parent is gone.
    """
    for other in inherited:
        other.close()
    _settle(parent)
    engine = None
    try:
        engine = (pickle.loads(maker) if isinstance(maker, bytes) else maker)(len(envs))
        worker = Worker(connection, engine, envs, groups)
    except BaseException as error:  # sys.exit() in a user's code is a failure too
        _send(connection, ERROR, _unmade(error))
    else:
        worker.serve()
    finally:
        if engine is not None:
            engine.close()


class Worker:
    """The envs of one worker and what the parent may ask of them.

    Args:
        connection: to the parent.
        engine: the worker's own; its envs are counted from 0.
        envs, groups: as in `run`.
    """

    def __init__(
        self, connection: Connection, engine: Any, envs: npt.NDArray[np.intp], groups: int
    ) -> None:
        self.connection, self.engine, self.envs = connection, engine, envs
        self.share = len(envs) // groups
        self.busy = (0, len(envs))  # envs that are being stepped, for errors
        self.dtype = engine.records(0, 0).dtype
        self.told = len(engine.statistics)
        description = Description(
            engine.num_envs,
            engine.seats,
            tuple(engine.teams),
            engine.observation,
            engine.action,
            tuple(engine.statistics),
            self.dtype,
        )
        _send(connection, RESULT, description)

    def serve(self) -> None:
        """Do what the parent says until it closes the connection or the engine raises."""
        with contextlib.suppress(EOFError, OSError):  # the parent is gone, or wants no more
            while True:
                message = self.connection.recv_bytes()
                try:
                    answer = self._answer(message)
                except BaseException as error:
                    _send(self.connection, ERROR, self._failure(error))
                    return
                self.connection.send_bytes(answer)

    def _answer(self, message: bytes) -> bytes:
        if message[:1] == STEP:
            return self.step(NUMBERED.unpack(message)[1])
        name, arguments = pickle.loads(message[1:])
        return RESULT + pickle.dumps(getattr(self, name)(*arguments))

    def step(self, group: int) -> bytes:
        """Step the envs of a group and put their records into place."""
        lo, hi = self.busy = group * self.share, (group + 1) * self.share
        self.engine.step(lo, hi)
        found = self.engine.records(lo, hi)
        if not len(found):
            return NUMBERED.pack(DONE, 0)
        at = self.envs[lo] * self.engine.seats
        # As raw bytes: numpy leaves the gaps between a record's fields undefined otherwise.
        place = self.records[at : at + len(found)]
        place[:] = found.view(np.uint8).reshape(len(found), -1)
        records = place.reshape(-1).view(self.dtype)
        records["env"] = self.envs[records["env"]]
        answer = NUMBERED.pack(DONE, len(found))
        new = list(self.engine.statistics[self.told :])
        self.told += len(new)
        return answer + json.dumps(new).encode() if new else answer

    def bind(
        self,
        places: dict[str, Place],
        records: Place,
        row_of: npt.NDArray[np.int32],
        final_all: bool,
    ) -> None:
        """Take the shared arrays; the file's descriptor follows the message."""
        descriptor = reduction.recv_handle(self.connection)
        arrays: dict[str, Any] = {
            name: array_at(descriptor, place) for name, place in places.items()
        }
        self.records = array_at(descriptor, records)
        os.close(descriptor)
        self.engine.bind(Rows(**{"action_mask": None} | arrays), row_of, final_all)

    def reset(self, seeds: dict[int, npt.NDArray[np.uint64]]) -> None:
        """Start the envs of some groups anew: by group, a seed for each env."""
        for group, own in seeds.items():
            lo, hi = self.busy = group * self.share, (group + 1) * self.share
            self.engine.reset(lo, hi, own)

    def save(self) -> list[bytes] | None:
        """The state of each env; None if the engine cannot."""
        states = [self.engine.save(env, env + 1) for env in range(len(self.envs))]
        return None if None in states else states

    def load(self, states: list[bytes]) -> None:
        """Take back what `save` gave."""
        for env, state in enumerate(states):
            self.engine.load(env, env + 1, state)

    def scene(self, env: int) -> Any:
        """A picture of one env."""
        return self.engine.scene(env)

    def _failure(self, error: BaseException) -> Failure:
        """What went wrong, with the vector's index of the env."""
        if isinstance(error, EnvError):
            env = int(self.envs[error.env])
            own = f"Env {error.env} "
            message = str(error)
            if message.startswith(own):
                message = f"Env {env} {message.removeprefix(own)}"
            return Failure("EnvError", message, env, error.seed)
        if isinstance(error, SkipjackError):
            return Failure(type(error).__name__, str(error))
        lo, hi = self.busy
        text = "".join(traceback.format_exception(error)).rstrip()
        return Failure(
            "RunError",
            f"The engine of {ranges(self.envs[lo:hi])} must not fail, but raised:\n{text}",
        )


def ranges(envs: Sequence[int] | npt.NDArray[Any]) -> str:
    """Some envs in words: "env 3", "envs 0 to 3 and 8 to 11"."""
    starts = [0, *(i for i in range(1, len(envs)) if envs[i] != envs[i - 1] + 1), len(envs)]
    parts = [(envs[a], envs[b - 1]) for a, b in itertools.pairwise(starts)]
    words = [f"{lo} to {hi}" if lo != hi else f"{lo}" for lo, hi in parts]
    return f"env{'s' * (len(envs) > 1)} {' and '.join(words)}"


def _unmade(error: BaseException) -> Failure:
    """What kept the envs from being made, in one sentence."""
    if isinstance(error, SkipjackError):
        return Failure(type(error).__name__, str(error))
    *_, last = traceback.extract_tb(error.__traceback__)
    what = traceback.format_exception_only(error)[-1].strip().rstrip(".")
    return Failure(
        "RunError",
        f"The envs must be constructible, but got {what} ({last.filename}:{last.lineno}).",
    )


def _send(connection: Connection, kind: bytes, what: Any) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more
        connection.send_bytes(kind + pickle.dumps(what))


def _settle(parent: int) -> None:
    """Make this process a worker: signals are the parent's matter, one thread is enough."""
    for number in SIGNALS:
        # A handler, not SIG_IGN: programs that an env starts would inherit that.
        signal.signal(number, lambda *_: None)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    if "torch" in sys.modules:
        # Also what makes torch usable at all after a fork: its threads stayed behind.
        sys.modules["torch"].set_num_threads(1)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    """End this process when its parent is gone, whatever the envs are busy with."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)
