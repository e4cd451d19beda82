"""Gymnasium environments as an engine of one seat an env."""

from __future__ import annotations

import copy
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from skipjack.emulate.config import EmulateConfig
from skipjack.emulate.ledger import Ledger
from skipjack.emulate.picture import picture
from skipjack.errors import EnvError, SkipjackError, must
from skipjack.native.scene import Scene
from skipjack.rows import Rows
from skipjack.spaces.tree import ActionTree, Observations, legal


class Emulated:
    """`num_envs` Gymnasium environments, stepped one after the other.

    Each env is seeded once, at the engine's reset; its later episodes go on from there, so that
    what it does depends on its seed alone.

    Args:
        first: the first env, already made.
        make: makes each further one.
        num_envs: envs in all.
        config: settings.
    """

    seats = 1
    teams: tuple[int, ...] = (0,)
    in_python = True

    def __init__(
        self,
        first: gymnasium.Env[Any, Any],
        make: Callable[[], gymnasium.Env[Any, Any]],
        num_envs: int,
        config: EmulateConfig,
    ) -> None:
        self.num_envs, self.config = num_envs, config
        checked_spaces(first)
        self.envs = [
            wrapped(env, config) for env in [first, *(make() for _ in range(num_envs - 1))]
        ]
        sample = self.envs[0]
        self.tree = Observations(sample.observation_space, config.dropped())
        self.observation = self.tree.layout
        # Whether there are masks shows only in an info; the reset that tells it is not played on.
        try:
            began = sample.reset(seed=0)
        except Exception as error:
            raise failed(0, 0, "reset", error) from error
        if not isinstance(began, tuple) or len(began) != 2 or not isinstance(began[1], Mapping):
            raise must(
                "reset must give an observation and an info",
                hint="Return (observation, {}).",
                got=type(began).__name__,
            )
        self.actions = ActionTree(sample.action_space, masked="action_mask" in began[1])
        self.action = self.actions.actions
        self.masked = self.action.masked
        threshold = sample.spec.reward_threshold if sample.spec is not None else None
        self.ledger = Ledger(num_envs, 1, self.teams, config, threshold)
        self.seeds = [0] * num_envs
        self.begun = [False] * num_envs

    @property
    def messages(self) -> list[str]:
        """Sentences for the user."""
        return self.ledger.messages

    @property
    def statistics(self) -> tuple[str, ...]:
        """Names of numbers in the last infos of the episodes so far, at most 64."""
        return tuple(self.ledger.names)

    def bind(self, rows: Rows, row_of: npt.NDArray[np.int32], final_all: bool = False) -> None:
        """Take the arrays to write to."""
        self.rows, self.final_all = rows, final_all
        self.row_of = [int(row) for row in row_of[:, 0]]
        self.write = [self.tree.writer(rows.observations[row, ...]) for row in self.row_of]
        self.write_final = [self.tree.writer(rows.final[row, ...]) for row in self.row_of]

    def reset(self, lo: int, hi: int, seeds: npt.NDArray[np.uint64]) -> None:
        """Start envs [lo, hi) anew."""
        for env, seed in zip(range(lo, hi), seeds, strict=True):
            self.seeds[env] = int(seed) % 2**31  # what every env takes, old ones too
            self.ledger.begin(env)
            row = self.row_of[env]
            self.rows.rewards[row] = 0.0
            self.rows.terminated[row] = self.rows.truncated[row] = False
            self.rows.alive[row] = True
            self._begin(env, seed=self.seeds[env])

    def step(self, lo: int, hi: int) -> None:
        """Advance envs [lo, hi) one step."""
        rows, ledger = self.rows, self.ledger
        rewards, terminations, truncations = rows.rewards, rows.terminated, rows.truncated
        unpack, returns, lengths = self.actions.unpack, ledger.returns, ledger.lengths
        for env in range(lo, hi):
            row = self.row_of[env]
            ledger.found.pop(env, None)
            try:
                observation, reward, terminated, truncated, info = self.envs[env].step(
                    unpack(rows.actions[row])
                )
            except SkipjackError:
                raise
            except Exception as error:
                raise self._failed(env, "step", error) from error
            reward = float(reward)
            returns[env] += reward
            lengths[env] += 1
            rewards[row] = self._clipped(reward)
            terminated = bool(terminated)
            truncated = bool(truncated) and not terminated
            terminations[row] = terminated
            truncations[row] = truncated
            if terminated or truncated:
                if truncated or self.final_all:
                    self.write_final[env](observation)
                ledger.end(env, 0, row, truncated, info)
                self._begin(env)
            else:
                self.write[env](observation)
                if self.masked:
                    self._write_mask(env, row, info)

    def records(self, lo: int, hi: int) -> npt.NDArray[Any]:
        """The episodes that ended in the last step."""
        return self.ledger.records(lo, hi)

    def save(self, lo: int, hi: int) -> None:
        """Nothing: what is inside a Python env cannot be saved."""

    def load(self, lo: int, hi: int, state: bytes) -> None:
        """Never asked: there is nothing saved."""
        raise NotImplementedError

    def scene(self, env: int) -> Scene:
        """The env's own `rgb_array` picture."""
        return picture(self.envs[env])

    def close(self) -> None:
        """Close every env."""
        while self.envs:
            self.envs.pop().close()

    def _begin(self, env: int, seed: int | None = None) -> None:
        """The env's next episode."""
        try:
            observation, info = self.envs[env].reset(seed=seed)
            if not self.begun[env]:  # once: later ones are taken on trust
                self.tree.verify(observation)
                self.begun[env] = True
            self.write[env](observation)
        except SkipjackError:
            raise
        except Exception as error:
            raise self._failed(env, "reset", error) from error
        if self.masked:
            self._write_mask(env, self.row_of[env], info)

    def _write_mask(self, env: int, row: int, info: Mapping[str, Any]) -> None:
        assert self.rows.action_mask is not None
        if "action_mask" not in info:
            self.rows.action_mask[row] = 1
        else:
            self.rows.action_mask[row] = legal(info["action_mask"], self.action)

    def _clipped(self, reward: float) -> float:
        limit = self.config.clip_rewards
        return max(-limit, min(limit, reward)) if limit else reward

    def _failed(self, env: int, where: str, error: Exception) -> EnvError:
        return failed(env, self.seeds[env], where, error)


def checked_spaces(env: Any) -> None:
    """Whether an env has its two spaces.

    Raises:
        UsageError: one is missing or no space.
    """
    for name in ("observation_space", "action_space"):
        found = getattr(env, name, None)
        if not isinstance(found, gymnasium.Space):
            raise must(f"an environment must have an {name}", got=type(found).__name__)


def failed(env: int, seed: int, where: str, error: Exception) -> EnvError:
    """What an env that raised in `reset` or `step` is reported as, with its traceback."""
    lines = "".join(traceback.format_exception(error)).rstrip()
    return EnvError(
        f"Env {env} (seed {seed}) must not fail, but raised in {where}:\n{lines}", env, seed
    )


def wrapped(env: gymnasium.Env[Any, Any], config: EmulateConfig) -> gymnasium.Env[Any, Any]:
    """`env` with the wrappers that the settings ask for; rewards are clipped by the engine."""
    if config.time_limit:
        env = gymnasium.wrappers.TimeLimit(env, config.time_limit)
    if config.clip_observations:
        env = _clipping(env, config.clip_observations)
    if config.stack > 1:
        # The stack keeps what it is given, which some envs write over in their next step.
        env = gymnasium.wrappers.TransformObservation(env, copy.deepcopy, env.observation_space)
        env = gymnasium.wrappers.FrameStackObservation(env, config.stack)
    return env


def _clipping(env: gymnasium.Env[Any, Any], limit: float) -> gymnasium.Env[Any, Any]:
    """Every Box in the observation clipped to [-limit, limit]."""
    spaces = gymnasium.spaces

    def clip_space(space: Any) -> Any:
        if isinstance(space, spaces.Dict):
            return spaces.Dict({key: clip_space(part) for key, part in space.spaces.items()})
        if isinstance(space, spaces.Tuple):
            return spaces.Tuple([clip_space(part) for part in space.spaces])
        if isinstance(space, spaces.Box):
            low, high = (np.clip(bound, -limit, limit) for bound in (space.low, space.high))
            return spaces.Box(low.astype(space.dtype), high.astype(space.dtype), dtype=space.dtype)
        return space

    def clip(space: Any, value: Any) -> Any:
        if isinstance(space, spaces.Dict):
            return {key: clip(part, value[key]) for key, part in space.spaces.items()}
        if isinstance(space, spaces.Tuple):
            return tuple(clip(part, inner) for part, inner in zip(space.spaces, value, strict=True))
        return np.clip(value, space.low, space.high) if isinstance(space, spaces.Box) else value

    clipped = clip_space(env.observation_space)
    return gymnasium.wrappers.TransformObservation(env, lambda seen: clip(clipped, seen), clipped)
