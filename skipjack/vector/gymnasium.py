"""Outwards to Gymnasium: one env, or many as a VectorEnv, over a Skipjack vector.

Both begin in step (no desynchronised start, unless the setting asks for it), take the game's
settings as keyword arguments, and give the record of a finished episode as `info["record"]`:
Gymnasium's own wrappers and Stable-Baselines3's Monitor write `info["episode"]` themselves.
With `render_mode="rgb_array"` they draw themselves, for which the extra `view` is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from skipjack.errors import must
from skipjack.seeding import env_seeds
from skipjack.spaces import gymnasium as spaces
from skipjack.vector.outward import RENDER_FPS, Pictures, metadata, one_seat, record, record_columns

Step = tuple[Any, Any, Any, Any, dict[str, Any]]
"""Observation, reward, terminated, truncated and info, of one env or of all."""


class GymEnv(gymnasium.Env[Any, Any]):
    """One env of a game with one seat; what it returns is the caller's to keep.

    A reset without a seed goes on with the env's own stream; one with a seed starts it anew.

    Args:
        name: "breakout", "bandit/masked", ...; all names: `skipjack list`.
        render_mode: "rgb_array" for `render()`, or None.
        settings: settings of the game that differ from the preset's.

    Raises:
        UsageError: an unknown name, setting or mode, or a game of several seats.
    """

    # Gymnasium looks at the class before there is an env.
    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": RENDER_FPS}  # noqa: RUF012

    def __init__(self, name: str, render_mode: str | None = None, **settings: Any) -> None:
        self.vector = one_seat(name, 1, settings, threads=1)
        self.metadata, self.render_mode = metadata(self.vector), render_mode
        self._pictures = Pictures(self.vector, render_mode)
        self.observation_space = spaces.observation_space(self.vector.observation)
        self.action_space = spaces.action_space(self.vector.action)
        self._running = False  # an episode is under way
        self._begun = False  # the next one stands in the rows: the engine resets itself

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode: from `seed`, or the next one of the env's stream."""
        super().reset(seed=seed)
        if seed is not None:
            self.vector.reset(seed)
        elif not self._begun:
            self.vector.reset(int(self.np_random.integers(1 << 63)))
        self._running, self._begun = True, False
        self._pictures.changed()
        return self._observation(self.vector.rows.observations), self._info()

    def step(self, action: Any) -> Step:
        """Act once. `info["record"]` holds the record of an episode that ends.

        Raises:
            UsageError: the action is not of the space, or the episode is over.
        """
        if not self._running:
            raise must("reset() must come before step(), at an episode's end too", running=False)
        given = spaces.action_rows(self.vector.action, action, 1)
        batch = self.vector.step(given)
        over = bool(batch.terminated[0] or batch.truncated[0])
        self._pictures.changed(resting=[over])
        self._running, self._begun = not over, over
        return (
            self._observation(batch.final.observations if over else batch.observations),
            float(batch.rewards[0]),
            bool(batch.terminated[0]),
            bool(batch.truncated[0]),
            {"record": record(batch.episodes[0], self.vector.statistics)} if over else self._info(),
        )

    def render(self) -> Any:
        """The game's picture, (height, width, 3) uint8; None without a render mode.

        After an episode's end it is that of its last state, until `reset()`.

        Raises:
            MissingPackage: Pillow is not installed.
        """
        frames = self._pictures.render()
        return None if frames is None else frames[0]

    def action_masks(self) -> npt.NDArray[np.bool_]:
        """(choices,) bool, the legal ones of all components; as MaskablePPO asks for them."""
        mask = self.vector.rows.action_mask
        return np.ones(self.vector.action.choices, np.bool_) if mask is None else mask[0] > 0

    def close(self) -> None:
        """Free the engine. Closing twice is allowed."""
        self.vector.close()

    def _observation(self, rows: npt.NDArray[Any]) -> Any:
        return spaces.observations(self.vector.observation, rows[0].copy())

    def _info(self) -> dict[str, Any]:
        mask = self.vector.rows.action_mask
        return {} if mask is None else {"action_mask": mask[0].copy()}


class GymVector(VectorEnv[Any, Any, Any]):
    """Many envs of a game with one seat, stepped natively; like `SyncVectorEnv` over `GymEnv`.

    SAME_STEP is how the engines work: an env that ends shows its next episode's first observation
    in the same step, the last one being in `infos["final_obs"]`. With NEXT_STEP it shows the last
    one, and the next step, whose action is ignored, the first; a step in which some envs are
    so reset runs on one thread.

    Args:
        name: as in `GymEnv`.
        num_envs: number of envs.
        render_mode: as in `GymEnv`.
        autoreset_mode: "SameStep" or "NextStep", or Gymnasium's `AutoresetMode`.
        copy: false returns the vector's own arrays, which the next step writes over.
        threads: threads that step the envs; 0 is one for each core.
        settings: settings of the game that differ from the preset's.

    Raises:
        UsageError: an unknown name, setting or mode, or a game of several seats.
    """

    def __init__(
        self,
        name: str,
        num_envs: int = 1,
        render_mode: str | None = None,
        autoreset_mode: str | AutoresetMode = AutoresetMode.SAME_STEP,
        copy: bool = True,
        threads: int = 0,
        **settings: Any,
    ) -> None:
        self._next_step = _autoreset(autoreset_mode) == AutoresetMode.NEXT_STEP
        self.vector = one_seat(name, num_envs, settings, threads)
        self._pictures, self.render_mode = Pictures(self.vector, render_mode), render_mode
        self.metadata = metadata(self.vector) | {"autoreset_mode": _autoreset(autoreset_mode)}
        self.num_envs, self.copy = self.vector.num_envs, copy
        self.single_observation_space = spaces.observation_space(self.vector.observation)
        self.single_action_space = spaces.action_space(self.vector.action)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._shown = np.zeros_like(self.vector.rows.observations)  # with NEXT_STEP
        self._waiting = np.zeros(self.num_envs, np.bool_)  # envs that the next step resets
        self._begun = False

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Begin all envs anew.

        Args:
            seed: env i's is `seed + i`, or item i of a list; without one it is drawn.
            options: not used.

        Raises:
            UsageError: not one seed an env, or a reset of some envs only ("reset_mask").
        """
        if options and "reset_mask" in options:
            raise must("reset() must be of all envs: each resets itself", options=list(options))
        seeds = [env_seeds(each, 0, 1) for each in self._seeds(seed)]
        self.vector.reset()  # the vector waits for actions again; then each env has its own seed
        self.vector.engine.reset(0, self.num_envs, np.concatenate(seeds))
        self._waiting[:], self._begun = False, True
        self._pictures.changed()
        return self._observations(self.vector.rows.observations), self._masks(~self._waiting)

    def step(self, actions: Any) -> Step:
        """Act once in every env.

        Raises:
            UsageError: the actions are not of the space, or nothing was reset yet.
        """
        if not self._begun:
            raise must("reset() must come before step()", begun=False)
        given = spaces.action_rows(self.vector.action, actions, self.num_envs)
        episodes = self._advance(given)
        rows = self.vector.rows
        seen, over = rows.observations, rows.terminated | rows.truncated
        self._pictures.changed(resting=over & self._next_step)
        infos = self._masks(~over) if self._next_step else self._masks(np.ones_like(over))
        if over.any():
            columns = record_columns(episodes, self.vector.statistics, self.num_envs)
            records = {"record": columns, "_record": over.copy()}
            if self._next_step:
                seen = self._shown
                np.copyto(seen, rows.observations)
                seen[over] = rows.final[over]
                infos |= records
            else:
                infos |= {"final_obs": self._finals(over), "_final_obs": over.copy()}
                infos |= {"final_info": records, "_final_info": over.copy()}
        if self._next_step:
            self._waiting = over
        told = map(self._own, (rows.rewards, rows.terminated, rows.truncated))
        return self._observations(seen), *told, infos

    def render(self) -> Any:
        """Each env's picture in a tuple, as `SyncVectorEnv` gives them; None without a render mode.

        With NEXT_STEP an env that has ended shows what `GymEnv.render` does.

        Raises:
            MissingPackage: Pillow is not installed.
        """
        return self._pictures.render()

    def close_extras(self, **kwargs: Any) -> None:
        """Free the engine and its threads."""
        self.vector.close()

    def _advance(self, given: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Step all envs but those that wait for their reset; gives the records."""
        if not self._waiting.any():
            return self.vector.step(given).episodes
        rows, engine, waiting = self.vector.rows, self.vector.engine, self._waiting
        rows.actions[:] = given
        for array in (rows.rewards, rows.terminated, rows.truncated):
            array[waiting] = 0
        edges = np.flatnonzero(np.diff(waiting, prepend=True, append=True))
        for lo, hi in edges.reshape(-1, 2).tolist():  # each run of envs between waiting ones
            engine.step(lo, hi)
        episodes = engine.records(0, self.num_envs)
        return episodes[~waiting[episodes["row"]]]

    def _seeds(self, seed: int | Sequence[int | None] | None) -> list[int]:
        if seed is None:
            seed = [None] * self.num_envs
        if isinstance(seed, (int, np.integer)):
            super().reset(seed=int(seed))
            return [int(seed) + env for env in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise must("there must be a seed for each env", envs=self.num_envs, seeds=len(seed))
        drawn = self.np_random.integers(1 << 63, size=self.num_envs).tolist()
        return [new if own is None else int(own) for own, new in zip(seed, drawn, strict=True)]

    def _observations(self, rows: npt.NDArray[Any]) -> Any:
        return spaces.observations(self.vector.observation, self._own(rows))

    def _own(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return array.copy() if self.copy else array

    def _finals(self, over: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
        """An object array, as Gymnasium has it: each env's last observation, or None."""
        found = np.full(self.num_envs, None, object)
        last = spaces.observations(self.vector.observation, self.vector.rows.final[over])
        parts = isinstance(last, dict)
        for i, env in enumerate(np.flatnonzero(over)):
            found[env] = {name: part[i] for name, part in last.items()} if parts else last[i]
        return found

    def _masks(self, asked: npt.NDArray[np.bool_]) -> dict[str, Any]:
        """The action masks of the envs that are asked for an action."""
        masks = self.vector.rows.action_mask
        if masks is None or not asked.any():
            return {}
        return {"action_mask": masks * asked[:, None], "_action_mask": asked}


def _autoreset(mode: str | AutoresetMode) -> AutoresetMode:
    try:
        found = AutoresetMode(mode)
    except ValueError:
        found = AutoresetMode.DISABLED
    if found == AutoresetMode.DISABLED:
        raise must(
            'autoreset_mode must be "SameStep" or "NextStep"',
            "The games reset themselves; with SameStep the last observation is in final_obs.",
            got=mode,
        )
    return found
