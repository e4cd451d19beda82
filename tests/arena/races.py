"""An env whose wins come early and whose losses come late: what the first to finish are biased by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.rows import Rows, episode_dtype
from skipjack.spaces import Actions, Layout


@dataclass(frozen=True, slots=True)
class RacesConfig:
    """Settings of the races."""

    win: int = 1
    """Steps of a game that the first side wins."""
    loss: int = 3
    """Steps of a game that it loses."""
    told: bool = False
    """Let the outcome tell who sat opposite: 1 an even action, 0 an odd one, 0.25 more than one."""


class Races:
    """Each game is a fair coin that the env throws; only its length depends on who wins.

    Each side sees the last actions of both, so that a test can see who sat opposite.
    """

    Config = RacesConfig

    def __init__(self, num_envs: int, config: RacesConfig = RacesConfig()) -> None:
        self.num_envs, self.seats, self.teams = num_envs, 2, (0, 1)
        self.config = config
        self.observation = Layout.box((2,), low=-1.0, high=100.0)
        self.action = Actions.discrete(100)
        self.statistics = ("opposite",)
        self.left = np.zeros(num_envs, np.int64)
        self.won = np.zeros(num_envs, np.bool_)
        self.met = np.zeros((num_envs, 2), np.int64)  # the action opposite, if it was one alone
        self.length = np.zeros(num_envs, np.int64)
        self.episode = np.zeros(num_envs, np.int64)
        self.mixed = np.zeros((num_envs, 2), np.bool_)
        self.generators: list[np.random.Generator] = [np.random.default_rng(0)] * num_envs
        self.games = 0
        self.found: dict[int, list[tuple[Any, ...]]] = {}

    def bind(self, rows: Rows, row_of: npt.NDArray[np.int32], final_all: bool = False) -> None:
        self.rows, self.row_of = rows, row_of

    def reset(self, lo: int, hi: int, seeds: npt.NDArray[np.uint64]) -> None:
        for env in range(lo, hi):
            self.generators[env] = np.random.default_rng(int(seeds[env - lo]))
            self._begin(env)
            self.rows.observations[self.row_of[env]] = -1
            self.rows.terminated[self.row_of[env]] = False

    def _begin(self, env: int) -> None:
        self.won[env] = self.generators[env].random() < 0.5
        self.left[env] = self.config.win if self.won[env] else self.config.loss
        self.length[env], self.met[env], self.mixed[env] = 0, -1, False

    def step(self, lo: int, hi: int) -> None:
        for env in range(lo, hi):
            self.found[env] = []
            rows = self.row_of[env]
            acted = self.rows.actions[rows, 0]
            self.rows.observations[rows] = np.stack([acted, acted[::-1]], 1)
            for seat in (0, 1):
                opposite = acted[1 - seat]
                self.mixed[env, seat] |= self.met[env, seat] not in (-1, opposite)
                self.met[env, seat] = opposite
            self.length[env] += 1
            self.left[env] -= 1
            over = self.left[env] == 0
            self.rows.rewards[rows] = 0.0
            self.rows.terminated[rows] = over
            if over:
                self.games += 1
                for seat in (0, 1):
                    outcome = float(self.won[env] == (seat == 0))
                    if self.config.told:
                        outcome = (
                            0.25 if self.mixed[env, seat] else float(self.met[env, seat] % 2 == 0)
                        )
                    stat = -2.0 if self.mixed[env, seat] else float(self.met[env, seat])
                    record = (
                        int(self.episode[env]),
                        int(self.length[env]),
                        0.0,
                        int(rows[seat]),
                        env,
                    )
                    record += (seat, seat, outcome, outcome, False, False, [stat])
                    self.found[env].append(record)
                    self.rows.rewards[rows[seat]] = 2 * outcome - 1
                self.episode[env] += 1
                self._begin(env)

    def records(self, lo: int, hi: int) -> npt.NDArray[Any]:
        found = [record for env in range(lo, hi) for record in self.found.get(env, [])]
        return np.array(found, episode_dtype(self.statistics))

    def save(self, lo: int, hi: int) -> bytes | None:
        return None

    def load(self, lo: int, hi: int, state: bytes) -> None:
        raise NotImplementedError

    def scene(self, env: int) -> Any:
        return None

    def close(self) -> None:
        pass
