"""An engine without rules: everything that a row can meet, drawn at random, whatever is done."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.rows import Rows, episode_dtype
from skipjack.spaces import Actions, Layout
from skipjack.vector import Serial


class Tape:
    """Rewards, ends of both kinds, dead and waiting steps and masks, each row for itself."""

    seats, teams, statistics = 1, (0,), ()
    observation = Layout.box((3,))

    def __init__(self, num_envs: int, action: Actions) -> None:
        self.num_envs, self.action = num_envs, action

    def bind(self, rows: Rows, row_of: Any, final_all: bool = False) -> None:
        self.rows = rows

    def reset(self, lo: int, hi: int, seeds: npt.NDArray[np.uint64]) -> None:
        self.random = [np.random.default_rng(int(seed)) for seed in seeds]
        self.ended: dict[int, tuple[Any, ...]] = {}
        for env in range(lo, hi):
            self._look(env)

    def step(self, lo: int, hi: int) -> None:
        rows = self.rows
        for env in range(lo, hi):
            self.ended.pop(env, None)
            fate = self.random[env].random() if rows.alive[env] else 1.0
            rows.rewards[env] = self.random[env].normal(1, 2)
            rows.terminated[env], rows.truncated[env] = fate < 0.15, 0.15 <= fate < 0.3
            if fate < 0.3:
                rows.final[env] = self.random[env].normal(size=3)
                self.ended[env] = 0, 1, 0.0, env, env, 0, 0, 0.0, np.nan, fate >= 0.15, False, ()
            self._look(env)

    def _look(self, env: int) -> None:
        rows, random = self.rows, self.random[env]
        rows.observations[env] = random.normal(size=3)
        rows.alive[env] = random.random() < 0.8
        if rows.action_mask is not None:
            mask = random.random(self.action.choices) < 0.7
            rows.action_mask[env] = mask & rows.alive[env] & (random.random() < 0.75)

    def records(self, lo: int, hi: int) -> Any:
        found = [self.ended[env] for env in range(lo, hi) if env in self.ended]
        return np.array(found, episode_dtype(()))

    def save(self, lo: int, hi: int) -> None:
        return None

    def load(self, lo: int, hi: int, state: bytes) -> None: ...

    def scene(self, env: int) -> None: ...

    def close(self) -> None: ...


class Spy(Serial):
    """Keeps copies of what each group was told and what was sent for it, in order.

    Attributes:
        told: by group, each batch's arrays by name; its last observations by row as `final`.
        sent: by group, the actions.
    """

    def __init__(self, engine: Any, groups: int = 1) -> None:
        super().__init__(engine, groups=groups)
        self.told: list[list[dict[str, Any]]] = [[] for _ in range(groups)]
        self.sent: list[list[npt.NDArray[Any]]] = [[] for _ in range(groups)]

    def recv(self) -> Any:
        batch = super().recv()
        names = ("observations", "rewards", "terminated", "truncated", "alive", "action_mask")
        told = {name: np.copy(getattr(batch, name)) for name in names if name in self.rows.arrays()}
        told["final"] = dict(zip(batch.final.rows, np.copy(batch.final.observations), strict=True))
        self.told[batch.group].append(told)
        return batch

    def send(self, actions: Any, group: int | None = None) -> None:
        self.sent[self._last if group is None else group].append(np.copy(actions))  # type: ignore[index]
        super().send(actions, group)
