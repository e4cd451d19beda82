"""Atari games as an engine: one console an env, one seat each."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack import seeding
from skipjack.atari.config import AtariConfig
from skipjack.atari.human import SCORES
from skipjack.atari.machine import SOUND_RATE, Machine
from skipjack.atari.screen import Reader
from skipjack.native.scene import Image, Scene
from skipjack.rows import Rows, episode_dtype, join_states, part_states
from skipjack.spaces import Actions, Layout

DESYNCHRONISED = 18_000
"""Frames, five minutes, up to which an env's first game may be cut."""

STATISTICS = ("human", "frames", "lives")
"""Score on the human scale, not clipped (NaN without one), frames, and lives left at the end."""


class Atari:
    """`num_envs` consoles with one game, stepped one after the other.

    Python threads would wait for one another, as the emulator keeps the interpreter's lock: envs are
    spread over worker processes instead.

    Args:
        game: ale-py's name of it.
        num_envs: consoles.
        config: settings.
    """

    in_python = True
    sound_rate = SOUND_RATE

    def __init__(self, game: str, num_envs: int, config: AtariConfig = AtariConfig()) -> None:
        self.game, self.num_envs, self.config = game, num_envs, config
        self.seats, self.teams, self.statistics = 1, (0,), STATISTICS
        self.machines = [Machine(game, config) for _ in range(num_envs)]
        first = self.machines[0]
        self.reader = Reader(first.size, config)
        for machine in self.machines:
            self.reader.begin(machine)
        self.observation = Layout.box(self.reader.shape, np.uint8, 0, 255)
        names = tuple(action.name for action in first.actions)
        self.action = Actions.discrete(len(names), names=names)
        self.record_dtype = episode_dtype(STATISTICS)
        self.found: dict[int, npt.NDArray[Any]] = {}
        self._ticks: dict[int, list[Scene]] = {}
        self._sounds: dict[int, list[npt.NDArray[np.uint8]]] = {}
        self._lasts: dict[int, Scene] | None = None

    def bind(self, rows: Rows, row_of: npt.NDArray[np.int32], final_all: bool = False) -> None:
        """Take the arrays to write to."""
        self.rows, self.final_all = rows, final_all
        self.row_of: list[int] = row_of[:, 0].tolist()

    def reset(self, lo: int, hi: int, seeds: npt.NDArray[np.uint64]) -> None:
        """Start envs [lo, hi) anew: games put in anew, everything from the seeds."""
        rows = self.rows
        for env, seed in zip(range(lo, hi), seeds.tolist(), strict=True):
            machine, row = self.machines[env], self.row_of[env]
            machine.seed(seed)
            machine.stream, machine.games = seed, 0
            machine.first = self.config.desynchronise
            rows.rewards[row] = 0.0
            rows.terminated[row] = rows.truncated[row] = False
            rows.alive[row] = True
            limit = self.config.frame_limit
            cut = 1 + self._below(machine, min(limit, DESYNCHRONISED))
            self._begin(env, cut if machine.first else limit)
            self.found.pop(env, None)

    def step(self, lo: int, hi: int) -> None:
        """Advance envs [lo, hi) one step."""
        for env in range(lo, hi):
            self._step(env)

    def records(self, lo: int, hi: int) -> npt.NDArray[Any]:
        """The episodes that ended in the last step of envs [lo, hi)."""
        ended = [self.found[env] for env in range(lo, hi) if env in self.found]
        records = np.zeros(len(ended), self.record_dtype)
        for index, record in enumerate(ended):
            records[index] = record[0]
        return records

    def save(self, lo: int, hi: int) -> bytes:
        """The consoles of envs [lo, hi)."""
        return join_states([self.machines[env].save() for env in range(lo, hi)])

    def load(self, lo: int, hi: int, state: bytes) -> None:
        """Take back what `save` gave."""
        for env, saved in zip(range(lo, hi), part_states(state, hi - lo), strict=True):
            self.machines[env].load(saved)

    def scene(self, env: int) -> Scene:
        """The screen as people see it: pixels are wider than they are high.

        After `load` it shows what it showed before, until the next step.
        """
        return picture(self.machines[env])

    def keep_last(self) -> None:
        """From now on remember how each env looked when its last game ended."""
        self._lasts = {}

    def last_scene(self, env: int) -> Scene:
        """The screen at the end of the env's last game; `keep_last` must have come before."""
        assert self._lasts is not None
        return self._lasts[env] if env in self._lasts else self.scene(env)

    def keep_ticks(self, env: int) -> None:
        """From now on remember the screens between two steps of one env, and of no other."""
        self._ticks = {env: []}

    def ticks(self, env: int) -> list[Scene]:
        """The screens of the env's last step but the last one; `keep_ticks` must have come before."""
        return self._ticks.get(env, [])

    def listen(self) -> None:
        """From the next `reset` on keep the sound of each step."""
        for env, machine in enumerate(self.machines):
            machine.listen()
            self._sounds[env] = []

    def sound(self, env: int) -> npt.NDArray[np.uint8]:
        """Samples of the env's last step, 128 for silence; `listen` must have come before."""
        return np.concatenate([np.zeros(0, np.uint8), *self._sounds[env]])

    def close(self) -> None:
        """Free the consoles."""
        self.machines.clear()

    def _step(self, env: int) -> None:
        machine, row, rows, config = self.machines[env], self.row_of[env], self.rows, self.config
        self.found.pop(env, None)
        reward = self._act(env, int(rows.actions[row, 0]))
        machine.steps += 1
        machine.total += reward
        rows.rewards[row] = (reward > 0) - (reward < 0) if config.clip_rewards else reward
        over = machine.ale.game_over(with_truncation=False)
        lives = machine.ale.lives()
        lost = config.episodic_life and 0 < lives < machine.lives
        machine.lives = lives
        cut = machine.frames >= machine.limit
        terminated = over or lost
        rows.terminated[row], rows.truncated[row] = terminated, cut and not terminated
        if terminated or cut:
            self._end(env, whole=over or cut, truncated=cut and not terminated)
        else:
            self.reader.read(machine, rows.observations[row])

    def _act(self, env: int, choice: int) -> float:
        """Hold an action for a step's frames; gives their rewards."""
        machine, skip = self.machines[env], self.config.frame_skip
        act, over, sticky = machine.ale.act, machine.ale.game_over, self.config.sticky
        action = machine.actions[choice]
        reward = 0
        by_life, pools = self.config.episodic_life, self.config.max_pool
        if pools and skip == 1:
            machine.age()
        watched, heard = self._ticks.get(env), self._sounds.get(env)
        if watched is not None:
            watched.clear()
        if heard is not None:
            heard.clear()
        for frame in range(skip):
            if sticky:
                if self._below(machine, 1 << 53) >= sticky * (1 << 53):
                    machine.held = choice
                action = machine.actions[machine.held]
            reward += act(action)
            machine.frames += 1
            if heard is not None:
                heard.append(machine.ale.getAudio())
            if watched is not None and frame < skip - 1:
                watched.append(picture(machine))
            if over() or (by_life and machine.ale.lives() < machine.lives):
                return float(reward)
            if frame == skip - 2 and pools:
                self.reader.take(machine, 1)
        self.reader.take(machine, 0)
        return float(reward)

    def _end(self, env: int, whole: bool, truncated: bool) -> None:
        """The game is over, or a life: its record, its last observation, the next one's first."""
        machine, row, rows = self.machines[env], self.row_of[env], self.rows
        if truncated or self.final_all:
            self.reader.read(machine, rows.final[row])
        self.found[env] = self._record(env, whole, truncated)
        if self._lasts is not None:
            self._lasts[env] = self.scene(env)
        if not whole:
            machine.forget()
            self.reader.take(machine, 0)
            if self.config.fire_at_reset:
                machine.total += self._act(env, machine.fire)
            self.reader.read(machine, rows.observations[row], first=True)
            return
        machine.games += 1
        machine.first = False
        self._begin(env, self.config.frame_limit)

    def _begin(self, env: int, limit: int) -> None:
        """The next game of a console, up to where the agent acts."""
        machine, config = self.machines[env], self.config
        machine.ale.reset_game()
        machine.forget()
        waits = 1 + self._below(machine, config.noops) if config.noops else 0
        machine.held = 0
        for choice in [0] * waits + [machine.fire] * (config.fire_at_reset * config.frame_skip):
            machine.ale.act(machine.actions[choice])
            if machine.ale.game_over():
                machine.ale.reset_game()
        self.reader.take(machine, 0)
        machine.frames, machine.limit = 0, limit
        machine.steps, machine.total = 0, 0.0
        machine.lives = machine.ale.lives()
        self.reader.read(machine, self.rows.observations[self.row_of[env]], first=True)

    def _record(self, env: int, whole: bool, truncated: bool) -> npt.NDArray[Any]:
        """The record of the game; one that goes on after a lost life is marked partial."""
        machine, record = self.machines[env], np.zeros(1, self.record_dtype)
        by_chance, human = SCORES.get(self.game, (math.nan, math.nan))
        raw = (machine.total - by_chance) / (human - by_chance)
        values = {
            "episode": machine.games,
            "length": machine.steps,
            "return": machine.total,
            "row": self.row_of[env],
            "env": env,
            "score": min(max(raw, 0.0), 1.0) if raw == raw else math.nan,
            "outcome": math.nan,
            "truncated": truncated,
            "partial": machine.first or not whole,
        }
        for name, value in values.items():
            record[name] = value
        record["stats"] = (raw, machine.frames, machine.lives)
        return record

    def _below(self, machine: Machine, count: int) -> int:
        """A whole number in [0, count) of the env's own stream."""
        machine.stream = seeding.state(machine.stream, "envs")
        return machine.stream % count


def picture(machine: Machine) -> Scene:
    """A console's screen as a scene of a television's proportions."""
    pixels = machine.picture()
    return Scene(320, 240).add(Image(0, 0, 320, 240, pixels))
