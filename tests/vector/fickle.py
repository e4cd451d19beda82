"""An engine in Python whose statistics turn up while it runs, and which can be told to fail."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.errors import EnvError
from skipjack.rows import Rows, episode_dtype
from skipjack.spaces import Actions, Layout

TROUBLE = 3
"""The action upon which an env fails."""
NAMES = ("speed", "fuel", "laps", "hits", "luck")
RECORD = episode_dtype([""] * 8)


class Fickle:
    """Envs whose episodes last 1 to 12 steps; what each tells at its end is drawn from its stream.

    Args:
        num_envs: envs.
        trouble: what happens upon the action `TROUBLE`; "late" answers late, "" does nothing.
    """

    seats, teams, in_python = 1, (0,), True

    def __init__(self, num_envs: int, trouble: str = "") -> None:
        self.num_envs, self.trouble = num_envs, trouble
        self.observation, self.action = Layout.box((2,)), Actions.discrete(4)
        self.statistics: tuple[str, ...] = ()
        self.generators: list[Any] = [None] * num_envs
        self.seeds, self.clocks = [0] * num_envs, [0] * num_envs
        self.limits, self.returns = [0] * num_envs, [0.0] * num_envs
        self.episodes = [0] * num_envs
        self.found: dict[int, Any] = {}

    def bind(self, rows: Rows, row_of: npt.NDArray[np.int32], final_all: bool = False) -> None:
        self.rows, self.row_of, self.final_all = rows, row_of[:, 0], final_all

    def reset(self, lo: int, hi: int, seeds: npt.NDArray[np.uint64]) -> None:
        for env, seed in zip(range(lo, hi), seeds, strict=True):
            self.seeds[env], self.generators[env] = int(seed), np.random.default_rng(seed)
            self.episodes[env] = 0
            row = self.row_of[env]
            self.rows.rewards[row] = 0
            self.rows.terminated[row] = self.rows.truncated[row] = False
            self._begin(env)

    def step(self, lo: int, hi: int) -> None:
        self.found = {env: found for env, found in self.found.items() if not lo <= env < hi}
        for env in range(lo, hi):
            self._step(env)

    def records(self, lo: int, hi: int) -> npt.NDArray[Any]:
        ended = [self.found[env] for env in range(lo, hi) if env in self.found]
        records = np.zeros(len(ended), RECORD)
        records["stats"] = np.nan
        for record, (base, told) in zip(records, ended, strict=True):
            for name, value in told.items():
                if name not in self.statistics:
                    self.statistics += (name,)
                record["stats"][self.statistics.index(name)] = value
            for field, value in base.items():
                record[field] = value
        return records

    def save(self, lo: int, hi: int) -> None:
        return None

    def load(self, lo: int, hi: int, state: bytes) -> None:
        raise NotImplementedError

    def scene(self, env: int) -> dict[str, Any]:
        """What a test wants to know of the process that has the env."""
        torch = sys.modules.get("torch")
        return {
            "pid": os.getpid(),
            "threads": torch.get_num_threads() if torch else None,
            "omp": os.environ.get("OMP_NUM_THREADS"),
        }

    def close(self) -> None:
        if self.trouble.startswith("close "):
            open(self.trouble.removeprefix("close "), "a").write("closed\n")

    def _begin(self, env: int) -> None:
        self.clocks[env], self.returns[env] = 0, 0.0
        self.limits[env] = int(self.generators[env].integers(1, 13))
        self.rows.observations[self.row_of[env]] = 0, self.generators[env].random()

    def _step(self, env: int) -> None:
        rows, row, generator = self.rows, self.row_of[env], self.generators[env]
        choice = int(rows.actions[row, 0])
        if choice == TROUBLE:
            rows.observations[row] = 99  # half of a step is done
            self._fail(env)
        self.clocks[env] += 1
        reward = float(choice * generator.random())
        self.returns[env] += float(np.float32(reward))
        over = self.clocks[env] >= self.limits[env]
        late = bool(over and generator.random() < 0.5)
        rows.rewards[row], rows.truncated[row] = reward, late
        rows.terminated[row] = over and not late
        seen = (self.clocks[env], generator.random())
        if not over:
            rows.observations[row] = seen
            return
        if late or self.final_all:
            rows.final[row] = seen
        chosen = generator.permutation(NAMES)[: generator.integers(0, len(NAMES) + 1)]
        base = {"row": row, "env": env, "episode": self.episodes[env], "truncated": late}
        base |= {"length": self.clocks[env], "return": self.returns[env], "outcome": np.nan}
        told = {str(name): float(generator.integers(10)) for name in chosen}
        self.found[env] = base, told
        self.episodes[env] += 1
        self._begin(env)

    def _fail(self, env: int) -> None:
        if self.trouble == "late":
            time.sleep(0.002)
        elif self.trouble == "raise":
            raise ValueError("no such gear")
        elif self.trouble == "env":
            seed = self.seeds[env]
            raise EnvError(f"Env {env} (seed {seed}) must not fail, but raised.", env, seed)
        elif self.trouble == "leave":
            sys.exit(0)
        elif self.trouble == "exit":
            os._exit(3)
        elif self.trouble == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.trouble == "hang":
            time.sleep(600)


class Unmade(Fickle):
    """Fails while it is made."""

    def __init__(self, num_envs: int, trouble: str) -> None:
        super().__init__(num_envs, trouble)
        self._fail(0)
