"""What engines of Python environments share: spaces, records, masks, seeds and errors."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from skipjack.emulate.config import EmulateConfig
from skipjack.emulate.ledger import Ledger
from skipjack.emulate.picture import picture
from skipjack.errors import EnvError, RunError, SkipjackError, must
from skipjack.native.scene import Scene
from skipjack.rows import Rows
from skipjack.spaces.tree import ActionTree, Observations, legal

MASK = "action_mask"
"""What libraries call the choices that are legal, in an info or an observation."""


class PythonEngine:
    """The part of an engine that does not depend on whose interface its envs have.

    Subclasses say how an env takes a step (`_step`) and begins an episode (`_begin`). Each env is
    seeded once, at the engine's reset; its later episodes go on from there, so that what it does
    depends on its seed alone.

    Args:
        envs: the envs, of one kind; all have been reset as often.
        num_envs, teams: as in `skipjack.rows.Engine`; one team for each seat.
        config: settings.
        observation_space, action_space: of each seat.
        masked: whether the envs tell which choices are legal.
        threshold: reward threshold of the env's registration; None if it has none.
    """

    in_python = True
    _lasts: dict[int, Scene] | None = None  # by env, where somebody looks

    def __init__(
        self,
        envs: list[Any],
        num_envs: int,
        teams: tuple[int, ...],
        config: EmulateConfig,
        observation_space: Any,
        action_space: Any,
        masked: bool,
        threshold: float | None = None,
    ) -> None:
        self.envs = envs
        self.num_envs, self.seats, self.teams, self.config = num_envs, len(teams), teams, config
        self.tree = Observations(observation_space, config.dropped())
        self.observation = self.tree.layout
        self.actions = ActionTree(action_space, masked)
        self.action = self.actions.actions
        self.ledger = Ledger(num_envs, self.seats, teams, config, threshold)
        self.seeds = [0] * num_envs
        self.verified = [False] * num_envs

    @property
    def messages(self) -> list[str]:
        """Sentences for the user."""
        return self.ledger.messages

    @property
    def statistics(self) -> tuple[str, ...]:
        """Names of numbers in the last infos of the episodes so far, at most 64."""
        return tuple(self.ledger.names)

    @property
    def pace(self) -> float | None:
        """Steps a second at which the env says that it is to be seen; None if it does not say."""
        found = getattr(self.envs[0], "metadata", None) or {}
        pace = found.get("render_fps") if isinstance(found, Mapping) else None
        return float(pace) if isinstance(pace, (int, float)) and 0 < pace <= 1000 else None

    def bind(self, rows: Rows, row_of: npt.NDArray[np.int32], final_all: bool = False) -> None:
        """Take the arrays to write to."""
        self.rows, self.final_all = rows, final_all
        self.row_of: list[list[int]] = row_of.tolist()
        self.write = self._writers(rows.observations)
        self.write_final = self._writers(rows.final)

    def reset(self, lo: int, hi: int, seeds: npt.NDArray[np.uint64]) -> None:
        """Start envs [lo, hi) anew."""
        for env, seed in zip(range(lo, hi), seeds, strict=True):
            own = self._anew(env, seed)
            guarded(self._begin, env, own, env=env, seed=own, where="reset")

    def step(self, lo: int, hi: int) -> None:
        """Advance envs [lo, hi) one tick."""
        for env in range(lo, hi):
            self.ledger.found.pop(env, None)
            guarded(self._step, env, env=env, seed=self.seeds[env], where="step")

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

    def keep_last(self) -> None:
        """From now on remember how each env looked when its last episode ended."""
        self._lasts = {}

    def last_scene(self, env: int) -> Scene:
        """The env's picture at the end of its last episode; `keep_last` must have come before."""
        assert self._lasts is not None
        return self._lasts[env] if env in self._lasts else self.scene(env)

    def close(self) -> None:
        """Close every env."""
        while self.envs:
            with contextlib.suppress(Exception):  # it is gone anyway, and its work is done
                self.envs.pop().close()

    def _step(self, env: int) -> None:
        """Advance one env with its rows' actions, and begin its next episode if it ended."""
        raise NotImplementedError

    def _next(self, env: int) -> None:
        """Begin the episode after one that ended."""
        if self._lasts is not None:
            with contextlib.suppress(RunError):  # it does not draw itself
                self._lasts[env] = self.scene(env)
        self._begin(env)

    def _begin(self, env: int, seed: int | None = None) -> None:
        """Begin an env's next episode, from a seed if one is given."""
        raise NotImplementedError

    def _writers(self, place: npt.NDArray[Any]) -> list[list[Callable[[Any], None]]]:
        """By env and seat, a function that packs an observation into its row of `place`."""
        return [[self.tree.writer(place[row, ...]) for row in own] for own in self.row_of]

    def _anew(self, env: int, seed: np.uint64) -> int:
        """Forget all of an env that is about to be reset; gives the seed that it takes."""
        self.seeds[env] = int(seed) % 2**31  # what every env takes, old ones too
        self.ledger.begin(env)
        for row in self.row_of[env]:
            self.rows.rewards[row] = 0.0
            self.rows.terminated[row] = self.rows.truncated[row] = False
        return self.seeds[env]

    def _verify(self, env: int, observations: Sequence[Any]) -> None:
        """Whether an env's first observations are of its space; later ones are taken on trust.

        Raises:
            UsageError: they are not.
        """
        if not self.verified[env]:
            for observation in observations:
                self.tree.verify(observation)
            self.verified[env] = True

    def _write_mask(self, row: int, mask: Any) -> None:
        """A row's legal choices as the env tells them; without a word all are."""
        if self.rows.action_mask is not None:
            self.rows.action_mask[row] = 1 if mask is None else legal(mask, self.action)

    def _may_act(self, row: int) -> bool:
        """Whether the action of a row counts; one that waits (an all-zero mask) does not act."""
        return self.rows.action_mask is None or bool(self.rows.action_mask[row].any())

    def _clipped(self, reward: float) -> float:
        limit = self.config.clip_rewards
        # A reward that is not a number stays so, for the trainer to stop at.
        return max(-limit, min(limit, reward)) if limit and reward == reward else reward


def guarded(do: Callable[..., Any], *arguments: Any, env: int, seed: int, where: str) -> Any:
    """What `do` gives for the arguments.

    Raises:
        EnvError: it raised something of the user's.
    """
    try:
        return do(*arguments)
    except SkipjackError:
        raise
    except (Exception, SystemExit) as error:
        lines = "".join(traceback.format_exception(error)).rstrip()
        raise EnvError(
            f"Env {env} (seed {seed}) must not fail, but raised in {where}:\n{lines}", env, seed
        ) from error


def alike(first: Any, make: Callable[[], Any], count: int) -> list[Any]:
    """`count` envs, the first of which was reset to see what it tells: so are the others.

    An env must not do otherwise for being the one that was looked at, or a worker's first.
    """
    envs = [first, *(make() for _ in range(count - 1))]
    for env, other in enumerate(envs[1:], 1):
        probed(other, env)
    return envs


def probed(world: Any, env: int = 0) -> tuple[Any, Any]:
    """What an env's reset gives, to see what it tells; it is not played on.

    Raises:
        EnvError: it raised.
        UsageError: it gave no observation and info.
    """
    found = guarded(lambda: world.reset(seed=0), env=env, seed=0, where="reset")
    if not isinstance(found, tuple) or len(found) != 2 or not isinstance(found[1], Mapping):
        raise must(
            "reset must give an observation and an info",
            hint="Return (observation, {}).",
            got=type(found).__name__,
        )
    return found


def without_mask(space: Any) -> tuple[Any, bool]:
    """An observation space without its mask, and whether it had one: PettingZoo's way to tell it."""
    if not isinstance(space, gymnasium.spaces.Dict) or MASK not in space.spaces:
        return space, False
    rest = {key: part for key, part in space.spaces.items() if key != MASK}
    return (
        rest["observation"] if list(rest) == ["observation"] else gymnasium.spaces.Dict(rest)
    ), True


def bare(seen: Any) -> Any:
    """An observation without its mask."""
    rest = {key: part for key, part in seen.items() if key != MASK}
    return rest["observation"] if list(rest) == ["observation"] else rest
