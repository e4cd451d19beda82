"""What every vector promises: `reset(seed)`, `send(actions)`, `recv() -> Batch`.

A vector allocates rows, binds an engine to them and splits its envs into groups. Given the seed
and the actions, the bytes it delivers are equal on any number of threads or workers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.errors import RunError, must
from skipjack.rows import (
    Allocator,
    Batch,
    Engine,
    Final,
    Rows,
    check_row_of,
    identity_rows,
    take_messages,
    views,
)
from skipjack.seeding import env_seeds
from skipjack.vector import states


class Vector:
    """Envs of one engine in groups; subclasses say how a group's step is run.

    Args:
        engine: what produces the experience; owned and closed by the vector.
        groups: number of groups; must divide the engine's envs.
        final: "truncated" keeps the last observations that a trainer needs, "all" every one.
        row_of: (envs, seats) row of each seat; a group's rows must lie together.
        allocate: where the rows' memory comes from.

    Attributes:
        num_envs, num_rows: envs and rows (envs x seats) in all.
        observation, action, teams: the engine's.
        rows: the arrays that all groups share.
    """

    def __init__(
        self,
        engine: Engine,
        groups: int = 1,
        final: str = "truncated",
        row_of: npt.NDArray[Any] | None = None,
        allocate: Allocator = np.zeros,
    ) -> None:
        check_groups(engine.num_envs, groups)
        if final not in ("truncated", "all"):
            raise must('final must be "truncated" or "all"', final=final)
        self.engine = engine
        self.groups = groups
        self.num_envs = engine.num_envs
        self.num_rows = engine.num_envs * engine.seats
        self.observation, self.action = engine.observation, engine.action
        self.teams = engine.teams
        self.final_all = final == "all"
        self.rows = Rows.allocate(self.num_rows, self.observation, self.action, allocate)
        if row_of is None:
            row_of = identity_rows(self.num_envs, engine.seats)
        self.row_of = check_row_of(row_of, engine)
        self._in_order = np.array_equal(self.row_of, identity_rows(self.num_envs, engine.seats))
        engine.bind(self.rows, self.row_of, self.final_all)
        self._slices = [self._rows_of(group) for group in range(groups)]
        # PERF: made once; in each step they took 6 us.
        self._views = [views(self.rows, place) for place in self._slices]
        self._ready: deque[int] = deque()  # groups to receive, in the order they were sent
        self._quiet: set[int] = set()  # groups whose batch has no step behind it
        self._received: set[int] = set()  # groups that wait for actions
        self._cut: npt.NDArray[np.bool_] | None = None  # rows whose episode goes on from before
        self._last: int | None = None
        none = np.empty((0, *self.observation.shape), self.observation.dtype)
        self._no_final = Final(np.empty(0, np.intp), none)
        self._no_episodes = engine.records(0, 0)

    @property
    def statistics(self) -> tuple[str, ...]:
        """Names of the records' `stats`; envs written in Python may add some while they run."""
        return tuple(self.engine.statistics)

    @property
    def restarts(self) -> int:
        """Workers that were replaced because they crashed."""
        return 0

    def take_messages(self) -> list[str]:
        """What the user should know and has not been told, as sentences."""
        return take_messages(self.engine)

    def reset(self, seed: int = 0, partial: bool = False) -> Batch:
        """Start all envs anew from `seed`; gives the first group's batch, as `recv` would.

        The other groups' first batches wait to be received, in order.

        Args:
            seed: of all envs' streams.
            partial: mark each row's first episode as partial, as after a resume that could not
                bring the envs back: it stands for one that was cut.
        """
        self._wait_all()
        self._cut = np.ones(self.num_rows, np.bool_) if partial else None
        self.engine.reset(0, self.num_envs, env_seeds(seed, 0, self.num_envs))
        self._offer_all()
        return self.recv()

    def send(self, actions: npt.ArrayLike, group: int | None = None) -> None:
        """Begin the next step of a group, by default of the one received last.

        Args:
            actions: (rows of the group, action width), or (rows,) for one component.
            group: index of the group.
        """
        group = self._last if group is None else group
        if group not in self._received:
            raise must("a group must be received before actions are sent to it", group=group)
        assert group is not None
        place = self.rows.actions[self._slices[group]]
        try:
            given = np.asarray(actions)
        except ValueError as error:  # lists of unequal lengths
            raise must("actions must be an array", actions=str(error)) from None
        if given.ndim == 1 and place.shape[1] == 1:
            given = given[:, None]
        if given.shape != place.shape:
            raise must(
                "actions must have one row for each row of the group",
                expected=place.shape,
                got=given.shape,
            )
        if place.dtype.kind == "i" and given.dtype.kind not in "iub":
            raise must("choices must be whole numbers", dtype=str(given.dtype))
        if given.dtype.kind not in "iubf":
            raise must("actions must be real numbers", dtype=str(given.dtype))
        np.copyto(place, given, casting="unsafe")
        self._quiet.discard(group)
        self._received.discard(group)
        self._ready.append(group)
        self._last = None
        self._post(group)

    def recv(self) -> Batch:
        """Wait for the group whose step began first and give its rows."""
        if not self._ready:
            raise must("reset() or send() must come before recv()", groups_under_way=0)
        group = self._ready.popleft()
        if group not in self._quiet:
            self._finish(group)
        self._last = group
        self._received.add(group)
        return self._batch(group)

    def step(self, actions: npt.ArrayLike) -> Batch:
        """`send` and `recv` in one."""
        self.send(actions)
        return self.recv()

    def save(self) -> dict[str, npt.NDArray[Any]] | None:
        """Engine and rows as arrays, when no step is under way; None if the engine cannot."""
        if any(group not in self._quiet for group in self._ready):
            raise must("every group must be received before save()", under_way=list(self._ready))
        state = states.save(self.engine, self.num_envs)
        if state is None:
            return None
        return {"engine": np.frombuffer(state, np.uint8), **self.rows.arrays()}

    def load(self, saved: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take back what `save` gave; every group's batch is ready to be received again.

        Raises:
            RunError: the bytes are of another game, number of envs or build.
        """
        self._wait_all()
        for name, array in self.rows.arrays().items():
            if name not in saved or saved[name].shape != array.shape:
                raise RunError(
                    f"The saved rows must fit this vector, but {name!r} does not have the shape "
                    f"{array.shape}. Resume with the same number of envs and settings."
                )
        states.load(self.engine, self.num_envs, saved["engine"].tobytes())
        for name, array in self.rows.arrays().items():
            array[:] = saved[name]
        self._offer_all()

    def close(self) -> None:
        """Wait for what is under way and free the engine. Closing twice is allowed."""
        self._wait_all()
        self.engine.close()

    def envs_of(self, group: int) -> tuple[int, int]:
        """The range of envs [lo, hi) of a group."""
        size = self.num_envs // self.groups
        return group * size, (group + 1) * size

    def rows_of(self, group: int) -> slice:
        """The rows of a group."""
        return self._slices[group]

    def _post(self, group: int) -> None:
        """Begin a step of the group's envs; returns at once where that is possible."""
        raise NotImplementedError

    def _finish(self, group: int) -> None:
        """Wait until the step that `_post` began is done."""
        raise NotImplementedError

    def _wait_all(self) -> None:
        for group in self._ready:
            if group not in self._quiet:
                self._finish(group)
        self._ready.clear()

    def _offer_all(self) -> None:
        """Every group's rows stand as they are, with no step behind them."""
        self._quiet = set(range(self.groups))
        self._ready = deque(range(self.groups))
        self._received.clear()
        self._last = None

    def _batch(self, group: int) -> Batch:
        rows, place = self.rows, self._slices[group]
        episodes = (
            self._no_episodes if group in self._quiet else self.engine.records(*self.envs_of(group))
        )
        final = self._no_final
        if len(episodes):
            episodes = self._in_row_order(episodes)
            kept = rows.truncated[place]
            if self.final_all:
                kept = kept | rows.terminated[place]
            if kept.any():
                found = np.flatnonzero(kept)
                final = Final(found, rows.final[place][found])
        return Batch(group=group, rows=place, final=final, episodes=episodes, **self._views[group])

    def _in_row_order(self, episodes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Records by row; those of episodes that were cut before are marked partial."""
        if not self._in_order and len(episodes) > 1:
            # As raw bytes: numpy leaves the gaps between a record's fields undefined otherwise.
            raw = episodes.view(f"V{episodes.dtype.itemsize}")
            order = episodes["row"].argsort(kind="stable")
            episodes = raw[order].view(episodes.dtype)
        if self._cut is not None:
            episodes["partial"] |= self._cut[episodes["row"]]
            self._cut[episodes["row"]] = False
        return episodes

    def _rows_of(self, group: int) -> slice:
        lo, hi = self.envs_of(group)
        mine = self.row_of[lo:hi]
        start, stop = int(mine.min()), int(mine.max()) + 1
        if stop - start != mine.size:
            raise must("the rows of a group must lie together", group=group, first=start, end=stop)
        return slice(start, stop)


def check_groups(num_envs: int, groups: int) -> None:
    """Whether so many envs fall into so many groups.

    Raises:
        UsageError: they do not.
    """
    if groups < 1 or num_envs % groups:
        raise must(
            "the number of envs must be a multiple of the number of groups",
            hint="Change vector.num_envs or vector.groups.",
            num_envs=num_envs,
            groups=groups,
        )
