"""Gymnasium vector environments as an engine: all envs are stepped by one call of theirs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.vector.utils import concatenate, create_empty_array, iterate

from skipjack.emulate.config import EmulateConfig
from skipjack.emulate.engine import MASK, PythonEngine, guarded, probed
from skipjack.errors import must
from skipjack.native.scene import Scene


class Vectorised(PythonEngine):
    """The envs of one Gymnasium `VectorEnv`; it cannot be split into groups or workers.

    With SAME_STEP an ended env's last observation comes from `infos["final_obs"]`. With NEXT_STEP
    the observation of the step that ended is the last one: its row is not alive until the step
    after, in which the env begins anew and no action counts.

    Args:
        env: the vector env.
        config: settings.

    Raises:
        UsageError: the vector env does not reset by itself, or a setting is for single envs.
    """

    whole = True
    """Ranges other than all envs are not possible."""
    in_python = False
    """It brings its own workers, if any."""

    def __init__(self, env: VectorEnv[Any, Any, Any], config: EmulateConfig) -> None:
        self.env = env
        mode = env.metadata.get("autoreset_mode")
        if mode is None or AutoresetMode(mode) == AutoresetMode.DISABLED:
            raise must(
                "a vector environment must reset its envs by itself",
                hint="Make it with autoreset_mode=AutoresetMode.SAME_STEP or NEXT_STEP, and say so in "
                'its metadata["autoreset_mode"].',
                autoreset_mode=str(mode),
            )
        self.next_step = AutoresetMode(mode) == AutoresetMode.NEXT_STEP
        for name in ("stack", "time_limit", "clip_observations"):
            if getattr(config, name) != getattr(EmulateConfig(), name):
                raise must(
                    f"env.{name} must be left alone for a vector environment",
                    hint="Wrap the environment in its maker.",
                    got=getattr(config, name),
                )
        _, infos = probed(env)
        super().__init__(
            [env],
            env.num_envs,
            (0,),
            config,
            env.single_observation_space,
            env.single_action_space,
            masked=MASK in infos,
            threshold=env.spec.reward_threshold if env.spec is not None else None,
        )
        self.resting = np.zeros(self.num_envs, np.bool_)  # with NEXT_STEP: begins in the next step

    def reset(self, lo: int, hi: int, seeds: npt.NDArray[np.uint64]) -> None:
        """Start all envs anew."""
        self._all(lo, hi)
        own = [self._anew(env, seed) for env, seed in enumerate(seeds)]
        self.rows.alive[:] = True
        self.resting[:] = False
        guarded(self._begin_all, own, env=0, seed=own[0], where="reset")

    def step(self, lo: int, hi: int) -> None:
        """Advance all envs one step."""
        self._all(lo, hi)
        self.ledger.found.clear()
        guarded(self._step_all, env=0, seed=self.seeds[0], where="step")

    def scene(self, env: int) -> Scene:
        """Vector envs draw nothing that could be relied on."""
        raise must("a vector environment must be looked at through a single one", env=env)

    def _begin_all(self, seeds: list[int]) -> None:
        # Others' vector envs promise to take one number alone.
        each_its_own = isinstance(self.env.unwrapped, (SyncVectorEnv, AsyncVectorEnv))
        seed: Any = seeds if each_its_own else seeds[0]
        observations, infos = self.env.reset(seed=seed)
        each = self._each(observations)
        for env, observation in enumerate(each):
            self._verify(env, [observation])
            self.write[env][0](observation)
        self._write_masks(infos)

    def _step_all(self) -> None:
        rows, ledger = self.rows, self.ledger
        row_of = np.asarray(self.row_of)[:, 0]
        acted = [self._may_act(row) for row in row_of]
        actions = self._actions()
        observations, rewards, terminations, truncations, infos = self.env.step(actions)
        began, self.resting = self.resting, np.zeros(self.num_envs, np.bool_)
        rewards = np.where(began, 0.0, np.asarray(rewards, np.float64))
        terminations = np.asarray(terminations, np.bool_) & ~began
        truncations = np.asarray(truncations, np.bool_) & ~began & ~terminations
        limit = self.config.clip_rewards
        rows.rewards[row_of] = np.clip(rewards, -limit, limit) if limit else rewards
        rows.terminated[row_of], rows.truncated[row_of] = terminations, truncations
        rows.alive[row_of] = True
        self._write_masks(infos)
        ended = terminations | truncations
        each = self._each(observations)
        for env in range(self.num_envs):
            if not began[env]:
                ledger.returns[env] += float(rewards[env])
                ledger.lengths[env] += acted[env]
            self.write[env][0](each[env])
        for env in np.flatnonzero(ended).tolist():
            row = int(row_of[env])
            last, info = self._last(env, each[env], infos)
            if truncations[env] or self.final_all:
                self.write_final[env][0](last)
            ledger.end(env, 0, row, bool(truncations[env]), info)
            if self.next_step:
                self.resting[env] = True
                rows.alive[row] = False

    def _last(self, env: int, seen: Any, infos: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """The last observation of an env whose episode ended, and its info."""
        if self.next_step:
            return seen, _of(infos, env)
        if "final_obs" not in infos:
            raise must(
                'a vector environment that resets in the same step must give infos["final_obs"]',
                infos=sorted(infos),
            )
        final = infos["final_obs"]
        last = final[env] if isinstance(final, np.ndarray) and final.dtype == object else None
        if last is None:
            last = self._each(final)[env]
        return last, _of(infos.get("final_info", {}), env)

    def _write_masks(self, infos: dict[str, Any]) -> None:
        if self.rows.action_mask is None:
            return
        masks: Any = infos.get(MASK)
        there = infos.get(f"_{MASK}")
        for env, (row,) in enumerate(self.row_of):
            silent = masks is None or (there is not None and not there[env])
            self._write_mask(row, None if silent else masks[env])

    def _actions(self) -> Any:
        """What the vector env takes: its batched action space."""
        each = [self.actions.unpack(self.rows.actions[row]) for (row,) in self.row_of]
        space = self.env.single_action_space
        empty: Any = create_empty_array(space, n=len(each))
        return concatenate(space, each, empty)

    def _each(self, observations: Any) -> list[Any]:
        return list(iterate(self.env.observation_space, observations))

    def _all(self, lo: int, hi: int) -> None:
        if (lo, hi) != (0, self.num_envs):
            raise must(
                "a vector environment must be stepped as a whole",
                hint="Use vector.groups = 1 and vector.threads = 1.",
                envs=(lo, hi),
            )


def _of(infos: dict[str, Any], env: int) -> dict[str, Any]:
    """One env's part of a vector env's infos: values that its `_name` mask marks as there."""
    found: dict[str, Any] = {}
    for name, values in infos.items():
        if name.startswith("_") or name in ("final_obs", "final_info"):
            continue
        there = infos.get(f"_{name}")
        if there is not None and not there[env]:
            continue
        if isinstance(values, dict):
            found[name] = _of(values, env)
        elif isinstance(values, (np.ndarray, list, tuple)) and len(values) > env:
            found[name] = values[env]
    return found
