"""Gymnasium environments as an engine of one seat an env."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from skipjack.emulate.config import EmulateConfig
from skipjack.emulate.engine import MASK, PythonEngine, alike, bare, probed, without_mask
from skipjack.errors import must


class Emulated(PythonEngine):
    """`num_envs` Gymnasium environments, stepped one after the other.

    Args:
        first: the first env, already made.
        make: makes each further one.
        num_envs: envs in all.
        config: settings.
    """

    def __init__(
        self,
        first: gymnasium.Env[Any, Any],
        make: Callable[[], gymnasium.Env[Any, Any]],
        num_envs: int,
        config: EmulateConfig,
    ) -> None:
        checked_spaces(first)
        sample = wrapped(first, config)
        _, info = probed(sample)  # whether there are masks shows only in an info
        space, self.nested = without_mask(sample.observation_space)
        super().__init__(
            alike(sample, lambda: wrapped(make(), config), num_envs),
            num_envs,
            (0,),
            config,
            space,
            sample.action_space,
            masked=self.nested or MASK in info,
            threshold=sample.spec.reward_threshold if sample.spec is not None else None,
        )

    def _step(self, env: int) -> None:
        rows, ledger, (row,) = self.rows, self.ledger, self.row_of[env]
        observation, reward, terminated, truncated, info = self.envs[env].step(
            self.actions.unpack(rows.actions[row])
        )
        reward = float(reward)
        ledger.returns[env] += reward
        ledger.lengths[env] += self._may_act(row)
        rows.rewards[row] = self._clipped(reward)
        terminated = bool(terminated)
        truncated = bool(truncated) and not terminated
        rows.terminated[row] = terminated
        rows.truncated[row] = truncated
        if terminated or truncated:
            if truncated or self.final_all:
                self.write_final[env][0](bare(observation) if self.nested else observation)
            ledger.end(env, 0, row, truncated, info)
            self._next(env)
        else:
            self._show(env, observation, info)

    def _begin(self, env: int, seed: int | None = None) -> None:
        """The env's next episode."""
        observation, info = self.envs[env].reset(seed=seed)
        self.rows.alive[self.row_of[env][0]] = True
        self._verify(env, [bare(observation) if self.nested else observation])
        self._show(env, observation, info)

    def _show(self, env: int, observation: Any, info: Any) -> None:
        """What the env shows next."""
        if self.action.masked:
            mask = observation[MASK] if self.nested else info.get(MASK)
            self._write_mask(self.row_of[env][0], mask)
        self.write[env][0](bare(observation) if self.nested else observation)


def checked_spaces(env: Any) -> None:
    """Whether an env has its two spaces.

    Raises:
        UsageError: one is missing or no space.
    """
    for name in ("observation_space", "action_space"):
        found = getattr(env, name, None)
        if not isinstance(found, gymnasium.Space):
            raise must(f"an environment must have an {name}", got=type(found).__name__)


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
