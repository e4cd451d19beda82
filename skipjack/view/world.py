"""Envs to look at: stepped here and now, with their pictures between two steps."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack import config as settings
from skipjack import registry
from skipjack.errors import RunError, UsageError, clause, must
from skipjack.native.camera import Camera
from skipjack.native.scene import Scene
from skipjack.rows import Batch, Rows, identity_rows, pace_of
from skipjack.run.config import Configured
from skipjack.run.envs import whole_episodes
from skipjack.seeding import env_seeds
from skipjack.vector import Vector, wrap
from skipjack.view import observation

PACE = 10.0
"""Steps a second of an env that says nothing of its pace."""

RowsOf = Callable[[int, Sequence[int]], npt.NDArray[np.int32]]
"""From a number of envs and the team of each seat to the rows (envs, seats)."""

FLOWING = 15.0
"""Steps a second from which on an env is taken to go on while a person thinks."""


class World:
    """One env or several, and what each looks like.

    Args:
        configured: settings; the env's first episodes are whole.
        num_envs: envs; one is looked at.
        layout: given envs and the seats' teams, where each seat's row is; by default env after env.
        changes: settings of the env that differ, by name.

    Attributes:
        vector: steps them, every last observation kept.
        config: the env's settings as they are used.
        changes: as given.
        pace: steps a second at which the env is meant to run.
        skip: ticks a step.
        names: a word for each choice of the first component; empty if the env has none.
        notes: what a person who looks should know, as lines.
        sound_rate: samples a second of its sound; 0 if it makes none.
        flows: whether time passes by itself; what does not flow waits for a person.

    Raises:
        UsageError: the env cannot be made.
    """

    def __init__(
        self,
        configured: Configured,
        num_envs: int = 1,
        layout: RowsOf | None = None,
        **changes: Any,
    ) -> None:
        self.name = configured.entry.full_name
        self.maker = registry.load(configured.entry.target)
        if getattr(configured.config.env, "clip_rewards", 0.0) is True:
            changes = {"clip_rewards": False, **changes}  # people look at the game's own score
        self.changes = changes
        config = settings.replace(whole_episodes(configured), changes)
        self.config, self.vector = _made(self.maker, config, num_envs, layout)
        self.skip = int(getattr(config, "frame_skip", 1))
        self.pace = pace_of(self.vector.engine) or PACE
        self.flows = hasattr(config, "frame_skip") or self.pace >= FLOWING
        action, envs = self.vector.action, getattr(self.vector.engine, "envs", [None])
        self.names = action.names or _foreign_names(envs[0], action.counts)
        self.sound_rate = int(getattr(self.vector.engine, "sound_rate", 0))
        self.draws = True
        self.notes: list[str] = []
        if hasattr(self.vector.engine, "keep_last"):
            self.vector.engine.keep_last()
        shows_ticks = hasattr(self.vector.engine, "keep_ticks")
        copies = self.skip > 1 and hasattr(self.vector.engine, "clone") and not shows_ticks
        self._ticks = _Ticks(self.maker, config) if copies else None
        self._own_ticks = shows_ticks
        self._between: list[Scene] = []

    @property
    def seats(self) -> int:
        """Seats an env."""
        return self.vector.num_rows // self.vector.num_envs

    def reset(self, seed: int) -> Batch:
        """Start all envs anew."""
        self._between = []
        return self.vector.reset(seed)

    def step(self, actions: npt.NDArray[Any], env: int, ticks: bool = True) -> Batch:
        """One step of all envs; `env` is the one whose pictures between are wanted, if any are."""
        self._between = []
        if not ticks:
            return self.vector.step(actions)
        if self._ticks is not None:
            rows = self.vector.row_of[env]
            self._between = self._ticks.pictures(self.vector.engine, env, actions[rows])
        engine: Any = self.vector.engine
        if self._own_ticks:
            engine.keep_ticks(env)
        batch = self.vector.step(actions)
        if self._own_ticks:
            self._between = list(engine.ticks(env))
        return batch

    def pictures(self, env: int, last: bool = False) -> list[Scene]:
        """What the last step looked like, tick by tick, up to the episode's end if that is wanted."""
        return [*self._between, self.scene(env, last)]

    def listen(self) -> None:
        """From the next `reset` on keep the sound of each step, if there is one."""
        engine: Any = self.vector.engine
        if self.sound_rate:
            engine.listen()

    def sound(self, env: int) -> npt.NDArray[np.uint8]:
        """The sound of an env's last step, as `Screen.hear` takes it."""
        engine: Any = self.vector.engine
        found: npt.NDArray[np.uint8] = engine.sound(env)
        return found

    def ended(self, rows: Iterable[int]) -> bool:
        """Whether the last step ended the episode of one of these rows."""
        own, arrays = list(rows), self.vector.rows
        return bool((arrays.terminated[own] | arrays.truncated[own]).any())

    def scene(self, env: int, last: bool = False) -> Scene:
        """What an env looks like, or looked like at its episode's end.

        One that does not draw itself is shown as its first agent sees it.
        """
        engine: Any = self.vector.engine
        if self.draws:
            try:
                return (
                    engine.last_scene(env)
                    if last and hasattr(engine, "keep_last")
                    else engine.scene(env)
                )
            except (RunError, NotImplementedError) as error:
                self.draws = False
                self.notes = ["it does not draw itself:", *textwrap.wrap(clause(error), 42)[:4]]
        return self.seen(int(self.vector.row_of[env, 0]))

    def watch(self, seat: int) -> bool:
        """Let pictures follow a seat; whether they do, as those of a part of a large world."""
        if self.camera is None:
            return False
        self.camera.seat = seat
        return True

    @property
    def camera(self) -> Camera | None:
        """What pictures follow that show a part of a large world; None where they show all there is."""
        return getattr(self.vector.engine, "camera", None)

    def pointed(self, env: int, x: float, y: float) -> Any:
        """What is at a point of an env's picture; None if nothing is, or if no mouse plays here."""
        engine: Any = self.vector.engine
        return engine.pointed(env, x, y) if hasattr(engine, "pointed") else None

    def towards(self, row: int, what: Any) -> npt.NDArray[Any] | None:
        """The action (width,) of a row that goes to what was pointed at; None if it is there, or gone."""
        engine: Any = self.vector.engine
        ((env, seat),) = np.argwhere(self.vector.row_of == row)
        found: npt.NDArray[Any] | None = engine.towards(int(env), int(seat), what)
        return found

    def seen(self, row: int, last: bool = False) -> Scene:
        """What the agent of a row sees, or saw at its episode's end in the last step."""
        rows = self.vector.rows
        shown = rows.final if last else rows.observations
        return observation.picture(self.vector.observation, shown[row])

    def close(self) -> None:
        """Free the envs."""
        self.vector.close()


class _Ticks:
    """An env like those of a game with several ticks a step, which takes each tick alone.

    It becomes the env that is looked at before each step and then shows how that went: the same rules
    from the same state, with the same stream.
    """

    def __init__(self, maker: Any, config: Any) -> None:
        self.skip = config.frame_skip
        self.engine = maker(1, dataclasses.replace(config, frame_skip=1))
        engine = self.engine
        self.rows = Rows.allocate(engine.seats, engine.observation, engine.action)
        engine.bind(self.rows, identity_rows(1, engine.seats))
        engine.reset(0, 1, env_seeds(0, 0, 1))

    def pictures(self, engine: Any, env: int, actions: npt.NDArray[Any]) -> list[Scene]:
        """Pictures of the ticks of a step before its last, up to the episode's end."""
        self.engine.clone(env, 0, engine)
        self.rows.actions[:] = actions
        found: list[Scene] = []
        for _ in range(self.skip - 1):
            self.engine.step(0, 1)
            if (self.rows.terminated | self.rows.truncated).any():
                break
            found.append(self.engine.scene(0))
        return found


def with_two_seats(configured: Configured) -> dict[str, Any]:
    """The change of an env's settings that lets two people, or a person and a policy, play.

    Raises:
        UsageError: the game is for one.
    """
    env = configured.config.env
    known = settings.settings(type(env))
    changes: dict[str, Any] = {}
    if "opponent" in known and "self" in known["opponent"].options:
        changes = {"opponent": "self"}
    engine = registry.load(configured.entry.target)(1, settings.replace(env, changes))
    seats = engine.seats
    engine.close()
    if seats < 2:
        raise must(
            "an env for two must have two seats, or an opponent that can be somebody else",
            env=configured.entry.full_name,
            seats=seats,
        )
    return changes


def _made(maker: Any, config: Any, num_envs: int, layout: RowsOf | None) -> tuple[Any, Vector]:
    """The env's settings and vector; one in Python is asked to draw itself, if it can be."""
    row_of = None
    if layout is not None:
        one = maker(1, config)
        row_of = layout(num_envs, one.teams)
        one.close()

    def vector(config: Any) -> Vector:
        return wrap(lambda count: maker(count, config), num_envs, 1, 1, final="all", row_of=row_of)

    arguments = config.arguments() if hasattr(config, "arguments") else None
    if arguments is not None and "render_mode" not in arguments:
        asked = json.dumps({**arguments, "render_mode": "rgb_array"})
        try:
            drawing = settings.replace(config, {"kwargs": asked})
            return drawing, vector(drawing)
        except UsageError:
            pass  # it takes no such argument: it may draw itself all the same, or be looked at as rows
    return config, vector(config)


def _foreign_names(env: Any, counts: tuple[int, ...]) -> tuple[str, ...]:
    """What a Python env calls the choices of its one component; empty if it does not say."""
    if len(counts) != 1:
        return ()
    try:
        bare = getattr(env, "unwrapped", env)
        if hasattr(bare, "get_action_meanings"):
            names = tuple(map(str, bare.get_action_meanings()))
        else:  # an enumeration, as Minigrid's
            names = tuple(str(each.name) for each in getattr(bare, "actions", ()))
    except Exception:  # whatever it does: names are a courtesy
        return ()
    return names if len(names) == counts[0] else ()
