"""The seam: rows of experience, batches, episode records and the engines that produce them.

Everything meets here. An *engine* (a native game, an emulated environment) owns no arrays: it is
given a `Rows` and writes each seat's observation, reward and flags in place. A vector splits an
engine's envs into groups and delivers each group's rows as a `Batch`. numpy only.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from skipjack.errors import RunError, must
from skipjack.spaces import Actions, Layout

Allocator = Callable[[tuple[int, ...], np.dtype[Any]], npt.NDArray[Any]]
"""Gives a zeroed array of a shape and dtype: numpy, shared memory or pinned memory."""

EPISODE_FIELDS = (
    ("episode", "<i8"),
    ("length", "<i8"),
    ("return", "<f8"),
    ("row", "<i4"),
    ("env", "<i4"),
    ("seat", "<i4"),
    ("team", "<i4"),
    ("score", "<f4"),
    ("outcome", "<f4"),
    ("truncated", "?"),
    ("partial", "?"),
)
"""The fixed base of an episode record. `length` counts the row's steps, `score` is in [0, 1],
`outcome` is 1 win, 0.5 draw, 0 loss, NaN none; `partial` marks episodes that stay out of means."""


def episode_dtype(statistics: Sequence[str]) -> np.dtype[Any]:
    """The structured dtype of an episode record with `stats` float32[len(statistics)].

    Packed by hand to the native kernel's `Record` struct: 8-byte alignment, no hidden gaps.
    """
    names = [name for name, _ in EPISODE_FIELDS]
    formats: list[Any] = [kind for _, kind in EPISODE_FIELDS]
    offsets = list(np.cumsum([0] + [np.dtype(kind).itemsize for kind in formats]))
    stats_at = (int(offsets.pop()) + 3) // 4 * 4
    size = (stats_at + 4 * len(statistics) + 7) // 8 * 8
    return np.dtype(
        {
            "names": [*names, "stats"],
            "formats": [*formats, ("<f4", (len(statistics),))],
            "offsets": [*map(int, offsets), stats_at],
            "itemsize": size,
        }
    )


@dataclass(frozen=True, slots=True)
class Rows:
    """The arrays that an engine writes into and reads actions from; the vector owns them.

    Attributes:
        observations: (rows, *layout.shape) of the layout's one dtype.
        actions: (rows, actions.width), int32 for discrete kinds and float32 for continuous ones.
        rewards: (rows,) float32, of the step that led to `observations`.
        terminated: (rows,) bool, the row's episode ended in that step by the rules.
        truncated: (rows,) bool, it was cut in that step (a time limit); never with `terminated`.
        alive: (rows,) bool, false where the seat has no agent or its next action is ignored.
        action_mask: (rows, actions.choices) uint8, 1 where a choice is legal; None without masks.
            All zero means that the row waits for another seat to move.
        final: like `observations`; the last observation of a row whose episode ended in this step.
            Always written for truncated rows, for terminated ones if the engine was asked to.
    """

    observations: npt.NDArray[Any]
    actions: npt.NDArray[Any]
    rewards: npt.NDArray[np.float32]
    terminated: npt.NDArray[np.bool_]
    truncated: npt.NDArray[np.bool_]
    alive: npt.NDArray[np.bool_]
    action_mask: npt.NDArray[np.uint8] | None
    final: npt.NDArray[Any]

    @classmethod
    def allocate(
        cls, count: int, observation: Layout, action: Actions, allocate: Allocator = np.zeros
    ) -> Rows:
        """Rows for `count` seats, each array from `allocate(shape, dtype)`; alive is set."""
        flag = np.dtype(np.bool_)
        shape = (count, *observation.shape)
        mask = (count, action.choices)
        rows = cls(
            observations=allocate(shape, observation.dtype),
            actions=allocate((count, action.width), action.dtype),
            rewards=allocate((count,), np.dtype(np.float32)),
            terminated=allocate((count,), flag),
            truncated=allocate((count,), flag),
            alive=allocate((count,), flag),
            action_mask=allocate(mask, np.dtype(np.uint8)) if action.masked else None,
            final=allocate(shape, observation.dtype),
        )
        rows.alive[:] = True
        return rows

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Every array by name, for checkpoints and comparisons (`action_mask` only if there)."""
        named = {name: getattr(self, name) for name in self.__slots__}
        return {name: array for name, array in named.items() if array is not None}


@dataclass(frozen=True, slots=True)
class Final:
    """Last observations of rows whose episode ended: `observations[i]` belongs to `rows[i]`.

    `rows` are indices within the batch, ascending.
    """

    rows: npt.NDArray[np.intp]
    observations: npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """What one `recv` delivers: the rows of one group. Views, valid until the group's next `send`.

    Attributes:
        group: index of the group.
        rows: the group's rows in the vector's arrays.
        observations, rewards, terminated, truncated, alive, action_mask: as in `Rows`.
        final: last observations of the truncated rows (of all finished ones with `final="all"`).
        episodes: one record for each row that finished in this step, ordered by row.
    """

    group: int
    rows: slice
    observations: npt.NDArray[Any]
    rewards: npt.NDArray[np.float32]
    terminated: npt.NDArray[np.bool_]
    truncated: npt.NDArray[np.bool_]
    alive: npt.NDArray[np.bool_]
    action_mask: npt.NDArray[np.uint8] | None
    final: Final
    episodes: npt.NDArray[Any]

    @property
    def may_act(self) -> npt.NDArray[np.bool_]:
        """(rows,) bool: alive and not waiting. Each of these rows counts one step."""
        if self.action_mask is None:
            return self.alive
        return self.alive & self.action_mask.any(axis=1)


def views(source: Rows | Batch, place: slice) -> dict[str, Any]:
    """Those arrays of a batch that are part of the rows, over some rows of `source`; views."""
    names = ("observations", "rewards", "terminated", "truncated", "alive", "action_mask")
    arrays = {name: getattr(source, name) for name in names}
    return {name: None if array is None else array[place] for name, array in arrays.items()}


@runtime_checkable
class Engine(Protocol):
    """What produces experience: `num_envs` envs of `seats` seats, addressed by ranges [lo, hi).

    Calls for disjoint ranges may run at the same time. Everything random in an env comes from the
    seed that `reset` gave it. Auto-reset happens inside `step`: a row that ends has its record
    and its flags in that step, and `observations` already holds its next episode's first.
    """

    num_envs: int
    seats: int
    observation: Layout
    action: Actions
    teams: tuple[int, ...]

    @property
    def statistics(self) -> tuple[str, ...]:
        """Names of the records' `stats`; those of Python envs may become more, up to 64."""

    def bind(self, rows: Rows, row_of: npt.NDArray[np.int32], final_all: bool = False) -> None:
        """Take the arrays to write to; `row_of[env, seat]` says which row is whose."""

    def reset(self, lo: int, hi: int, seeds: npt.NDArray[np.uint64]) -> None:
        """Start envs [lo, hi) anew; `seeds[i]` is the stream of env `lo + i`."""

    def step(self, lo: int, hi: int) -> None:
        """Advance envs [lo, hi) one step with `rows.actions`."""

    def records(self, lo: int, hi: int) -> npt.NDArray[Any]:
        """The episodes that ended in the last step of envs [lo, hi), ordered by env and seat."""

    def save(self, lo: int, hi: int) -> bytes | None:
        """The whole state of envs [lo, hi), without rows; None if the engine cannot."""

    def load(self, lo: int, hi: int, state: bytes) -> None:
        """Take back what `save` gave. Raises `SkipjackError` for another build's bytes."""

    def scene(self, env: int) -> Any:
        """A picture of one env as scene primitives (`skipjack.native.scene.Scene`).

        An engine may also have `keep_last()`, and from then on `last_scene(env)`: the picture at the
        end of the env's last episode, which the next one has taken the place of. One that acts
        over several ticks a step may have `keep_ticks(env)` and `ticks(env)`: the pictures of the env's
        last step before its last tick. One whose pictures show a part of a large world may have
        `camera`, a `skipjack.native.camera.Camera` that says which. One that a mouse can play may have
        `pointed(env, x, y)`: what is at a point of the picture, an object with the `seat` that is there
        or None, or None if nothing is; and `towards(env, seat, pointed)`: the action (width,) of
        a seat that goes there, None once it has come there or what was there is gone.
        """

    def close(self) -> None:
        """Free what is held. Closing twice is allowed."""


class Actor(Protocol):
    """Who plays all rows of a vector: a policy with its memory, the random player, a person."""

    def begin(self) -> None:
        """All episodes begin anew."""

    def act(self, batch: Batch) -> npt.NDArray[Any]:
        """Actions (rows, width) for the batch."""

    def follow(self, batch: Batch, alive: npt.NDArray[np.bool_]) -> None:
        """Take in what they led to; `alive` (rows,) is from before the step."""


def take_messages(engine: Any) -> list[str]:
    """Sentences for the user that nobody has taken yet, from an engine's list `messages`, if any."""
    messages = getattr(engine, "messages", None)
    if not messages:
        return []
    taken, messages[:] = list(messages), []
    return taken


TICKS = 60.0
"""Ticks a second of games that act over several of them, which have `frame_skip`."""


def pace_of(engine: Any) -> float | None:
    """Steps a second at which an engine's envs are meant to be seen; None if it does not say.

    That is its `pace`, or what the `frame_skip` of its settings makes of `TICKS`.
    """
    pace, skip = getattr(engine, "pace", None), getattr(engine, "config", None)
    skip = getattr(skip, "frame_skip", None)
    return float(pace) if pace else TICKS / skip if skip else None


def identity_rows(num_envs: int, seats: int) -> npt.NDArray[np.int32]:
    """(envs, seats) int32: the default `row_of`, env after env."""
    return np.arange(num_envs * seats, dtype=np.int32).reshape(num_envs, seats)


def check_row_of(row_of: npt.NDArray[Any], engine: Engine) -> npt.NDArray[np.int32]:
    """`row_of` as the engine takes it: (envs, seats) int32, each row used once."""
    wanted = (engine.num_envs, engine.seats)
    array = np.ascontiguousarray(row_of, dtype=np.int32)
    if array.shape != wanted or not np.array_equal(
        np.sort(array, axis=None), np.arange(array.size)
    ):
        raise must(
            f"row_of must be a permutation of all rows with shape {wanted}", shape=array.shape
        )
    return array


def join_states(states: Sequence[bytes]) -> bytes:
    """The states of single envs as one: how long each is, then all of them."""
    return b"".join([struct.pack(f"<{len(states)}Q", *map(len, states)), *states])


def part_states(saved: bytes, count: int) -> list[bytes]:
    """What `join_states` joined.

    Raises:
        RunError: it is not of so many envs.
    """
    at = 8 * count
    lengths = struct.unpack_from(f"<{count}Q", saved) if len(saved) >= at else ()
    if at + sum(lengths) != len(saved):
        raise RunError(
            "The saved envs must be as many as there are. Resume with the same settings."
        )
    found = []
    for length in lengths:
        found.append(saved[at : at + length])
        at += length
    return found
