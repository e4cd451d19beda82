"""Corridor: an engine in a hundred lines of Python, and the reference for writing one.

Two seats share a corridor and move alternately; whoever waits has an all-zero mask. Each walks left or
right from the middle of its own lane; the right end is worth 1 and ends the seat's episode, the left end
ends it without reward. A seat that has ended sits out (`alive` is false) and the other one moves alone until
it has ended too; then both begin anew. After `time_limit` ticks what still runs is truncated.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.errors import RunError
from skipjack.native.scene import Circle, Rectangle, Scene
from skipjack.rows import Rows, episode_dtype
from skipjack.spaces import Actions, Layout


@dataclass(frozen=True, slots=True)
class CorridorConfig:
    """Settings of the corridor."""

    length: int = 7
    """Cells of a lane, odd."""
    time_limit: int = 40
    """Ticks after which an episode is truncated."""


class Corridor:
    """`num_envs` corridors of two seats."""

    Config = CorridorConfig
    in_python = True  # worker processes step it, if there are several

    def __init__(self, num_envs: int, config: CorridorConfig = CorridorConfig()) -> None:
        self.num_envs, self.seats, self.teams = num_envs, 2, (0, 1)
        self.config = config
        self.observation = Layout.box((3,), low=0.0, high=1.0)
        self.action = Actions.discrete(2, masked=True, names=("left", "right"))
        self.statistics = ("goals",)
        shape = (num_envs, 2)
        # One array an attribute; `save` and `load` go over them by name.
        self.state: dict[str, npt.NDArray[Any]] = {
            "place": np.zeros(shape, np.int64),
            "running": np.zeros(shape, np.bool_),
            "total": np.zeros(shape),
            "length": np.zeros(shape, np.int64),
            "episode": np.zeros(shape, np.int64),
            "clock": np.zeros(num_envs, np.int64),
            "stream": np.zeros(num_envs, np.uint64),
        }
        self.found: list[list[tuple[Any, ...]]] = [[] for _ in range(num_envs)]

    def bind(self, rows: Rows, row_of: npt.NDArray[np.int32], final_all: bool = False) -> None:
        """Take the arrays to write to."""
        self.rows, self.row_of, self.final_all = rows, row_of, final_all

    def reset(self, lo: int, hi: int, seeds: npt.NDArray[np.uint64]) -> None:
        """Start envs [lo, hi) anew."""
        for array in self.state.values():
            array[lo:hi] = 0
        self.state["stream"][lo:hi] = seeds
        for env in range(lo, hi):
            self.found[env] = []
            for row in self.row_of[env]:
                self.rows.rewards[row] = 0
                self.rows.terminated[row] = self.rows.truncated[row] = False
            self._begin(env)

    def step(self, lo: int, hi: int) -> None:
        """Advance envs [lo, hi) one tick."""
        for env in range(lo, hi):
            self._step(env)

    def records(self, lo: int, hi: int) -> npt.NDArray[Any]:
        """The episodes that ended in the last step."""
        rows = [record for env in range(lo, hi) for record in self.found[env]]
        found = np.zeros(len(rows), episode_dtype(self.statistics))  # gaps between fields are 0
        found[:] = rows
        return found

    def save(self, lo: int, hi: int) -> bytes:
        """The state of envs [lo, hi)."""
        return b"".join(array[lo:hi].tobytes() for array in self.state.values())

    def load(self, lo: int, hi: int, state: bytes) -> None:
        """Take back what `save` gave."""
        if len(state) != sum(array[lo:hi].nbytes for array in self.state.values()):
            raise RunError("The saved corridors must be as many as there are. Start a new run.")
        at = 0
        for array in self.state.values():
            part = array[lo:hi]
            size = part.nbytes
            part[:] = np.frombuffer(state[at : at + size], array.dtype).reshape(part.shape)
            at += size

    def scene(self, env: int) -> Scene:
        """The two lanes."""
        scene = Scene(self.config.length * 20, 40)
        for seat, place in enumerate(self.state["place"][env]):
            scene.add(Rectangle(0, 20 * seat + 18, scene.width, 2, (90, 100, 120)))
            scene.add(Circle(20 * int(place) + 10, 20 * seat + 9, 8, (250, 215, 120)))
        return scene

    def close(self) -> None:
        """Nothing is held."""

    def _step(self, env: int) -> None:
        state, rows = self.state, self.rows
        self.found[env] = []
        mover = self._mover(env)
        state["clock"][env] += 1
        late = state["clock"][env] >= self.config.time_limit
        cut = []
        for seat, row in enumerate(self.row_of[env]):
            rows.rewards[row] = 0
            rows.terminated[row] = rows.truncated[row] = False
            if not state["running"][env, seat]:
                continue
            goal = False
            if seat == mover:
                state["length"][env, seat] += 1
                state["place"][env, seat] += 1 if rows.actions[row, 0] == 1 else -1
                goal = state["place"][env, seat] == self.config.length - 1
                rows.rewards[row] = goal
                state["total"][env, seat] += goal
            if goal or state["place"][env, seat] == 0:
                self._end(env, seat, False, goal)
                state["running"][env, seat] = False
            elif late:
                cut.append(seat)
        for seat in cut:  # each sees the others as they are before anybody is cut
            self._end(env, seat, True, False)
        state["running"][env, cut] = False
        self.found[env].sort(key=itemgetter(5))  # by seat
        if not state["running"][env].any():
            self._begin(env)
        else:
            self._observe(env)

    def _mover(self, env: int) -> int:
        """The seat whose turn it is; one that is alone moves each time."""
        running = self.state["running"][env]
        return int(self.state["clock"][env]) % 2 if running.all() else int(running.argmax())

    def _end(self, env: int, seat: int, truncated: bool, goal: bool) -> None:
        state, rows, row = self.state, self.rows, int(self.row_of[env, seat])
        (rows.truncated if truncated else rows.terminated)[row] = True
        if truncated or self.final_all:
            self._write(env, seat, rows.final[row])
        number = int(state["episode"][env, seat])
        length, total = int(state["length"][env, seat]), float(state["total"][env, seat])
        base = (number, length, total, row, env, seat, seat, float(goal), np.nan, truncated, False)
        self.found[env].append((*base, (float(goal),)))
        state["episode"][env, seat] += 1

    def _begin(self, env: int) -> None:
        state = self.state
        middle = self.config.length // 2
        # SplitMix64's increment is enough of a generator to begin left or right of the middle.
        stream = (int(state["stream"][env]) + 0x9E3779B97F4A7C15) % 2**64
        state["stream"][env] = stream
        state["place"][env] = middle + (stream >> 63), middle + (stream >> 62 & 1)
        state["running"][env], state["clock"][env] = True, 0
        state["total"][env] = state["length"][env] = 0
        self._observe(env)

    def _observe(self, env: int) -> None:
        mover = self._mover(env)
        for seat, row in enumerate(self.row_of[env]):
            running = bool(self.state["running"][env, seat])
            self._write(env, seat, self.rows.observations[row])
            self.rows.alive[row] = running
            assert self.rows.action_mask is not None
            self.rows.action_mask[row] = running and seat == mover

    def _write(self, env: int, seat: int, out: npt.NDArray[Any]) -> None:
        mover = self._mover(env)
        out[0] = self.state["place"][env, seat] / (self.config.length - 1)
        out[1] = seat == mover
        out[2] = self.state["running"][env, seat]
