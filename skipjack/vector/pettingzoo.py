"""Outwards to PettingZoo: a game of several seats as a parallel env.

    env = Parallel("pong/two")
    observations, infos = env.reset(seed=1)

A seat is an agent, "seat_0" and so on. Needs the extra `pettingzoo`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.vector.utils import batch_space

from skipjack.errors import missing, must
from skipjack.spaces import gymnasium as spaces
from skipjack.vector.outward import Pictures, metadata, record, synchronised

try:
    from pettingzoo import ParallelEnv
except ImportError:
    raise missing("pettingzoo", "pettingzoo", what="A parallel env") from None

Told = dict[str, Any]
"""Something by agent."""


class Parallel(ParallelEnv[str, Any, Any]):
    """One env, each seat an agent; a game of one seat is a parallel env of one agent.

    An agent is in `agents` from its first observation to the end of its episode, and comes back
    with `reset()` only: what its seat does in between is not shown. An agent that is not alive for
    a while stays: `info["alive"]` is false, and its action is ignored. One that waits for another
    to move has an `info["action_mask"]` of zeros. The step that ends an agent's episode gives its
    last observation, and the record as `info["record"]`.

    Args:
        name: "pong/two", "multiagent", ...; all names: `skipjack list`.
        render_mode: "rgb_array" for `render()`, or None.
        settings: settings of the game that differ from the preset's.

    Attributes:
        teams: each agent's team.
        state_space: space of `state()`.

    Raises:
        UsageError: an unknown name or setting, or another render mode.
    """

    def __init__(self, name: str, render_mode: str | None = None, **settings: Any) -> None:
        self.vector = synchronised(name, 1, settings, threads=1)
        self._pictures, self.render_mode = Pictures(self.vector, render_mode), render_mode
        self.metadata = metadata(self.vector) | {"name": name, "is_parallelizable": True}
        seats = self.vector.num_rows
        self.possible_agents = [f"seat_{seat}" for seat in range(seats)]
        self.teams = dict(zip(self.possible_agents, self.vector.teams, strict=True))
        self.observation_spaces, self.action_spaces = {}, {}
        for agent in self.possible_agents:  # each with a generator of its own for sample()
            self.observation_spaces[agent] = spaces.observation_space(self.vector.observation)
            self.action_spaces[agent] = spaces.action_space(self.vector.action)
        space = spaces.observation_space(self.vector.observation)
        self.state_space = batch_space(space, seats)
        self.agents: list[str] = []
        self._seat = {agent: seat for seat, agent in enumerate(self.possible_agents)}
        self._left: set[str] = set()  # agents whose episode is over
        self._played = np.ones(seats, np.bool_)  # seats within an episode: no fresh start
        self._seen = np.zeros_like(self.vector.rows.observations)
        self._generator = np.random.default_rng()

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Told, Told]:
        """Begin anew: from `seed`, or with what follows in the env's own stream."""
        if seed is not None:
            self._generator = np.random.default_rng(seed)
            self.vector.reset(seed)
        elif self.agents or self._played.any():
            self.vector.reset(int(self._generator.integers(1 << 63)))
        # Otherwise all have just ended, and the next episodes stand in the rows already.
        self._pictures.changed()
        alive = self.vector.rows.alive
        self.agents = [agent for agent, seat in self._seat.items() if alive[seat]]
        self._left, self._played[:] = set(), False
        self._seen = self.vector.rows.observations.copy()
        observations = {agent: self._observation(agent) for agent in self.agents}
        return observations, {agent: self._info(agent) for agent in self.agents}

    def step(self, actions: Mapping[str, Any]) -> tuple[Told, Told, Told, Told, Told]:
        """Act once: observations, rewards, terminated, truncated and infos by agent.

        Raises:
            UsageError: an agent has no action or one that is not of its space, or all have ended.
        """
        if not self.agents:
            raise must("reset() must come before step()", agents=[])
        acted = self.vector.rows.alive.copy()
        given = self._actions(actions)
        batch = self.vector.step(given)
        over = batch.terminated | batch.truncated
        self._played = (self._played | acted) & ~over
        self._seen = batch.observations.copy()
        self._seen[batch.final.rows] = batch.final.observations
        records = {
            int(each["seat"]): record(each, self.vector.statistics) for each in batch.episodes
        }
        told: tuple[Told, Told, Told, Told, Told] = {}, {}, {}, {}, {}
        shown = [agent for agent in self.possible_agents if self._is_shown(agent)]
        for agent in shown:
            seat = self._seat[agent]
            told[0][agent] = self._observation(agent)
            told[1][agent] = float(batch.rewards[seat])
            told[2][agent] = bool(batch.terminated[seat])
            told[3][agent] = bool(batch.truncated[seat])
            told[4][agent] = {"record": records[seat]} if over[seat] else self._info(agent)
        self.agents = [agent for agent in shown if not over[self._seat[agent]]]
        self._left |= set(shown) - set(self.agents)
        self._pictures.changed(resting=[not self.agents])
        return told

    def observation_space(self, agent: str) -> spaces.Space:
        """What the agent sees; always the same object."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space:
        """What the agent may do; always the same object."""
        return self.action_spaces[agent]

    def state(self) -> Any:
        """What all seats see, one below the other: (seats, ...), or a dictionary of such."""
        return spaces.observations(self.vector.observation, self._seen.copy())

    def render(self) -> Any:
        """The game's picture, (height, width, 3) uint8; None without a render mode.

        After the last agent's end it is that of the state in which the last actions were taken:
        the engine has begun the next episode already.

        Raises:
            MissingPackage: Pillow is not installed.
        """
        frames = self._pictures.render()
        return None if frames is None else frames[0]

    def close(self) -> None:
        """Free the engine. Closing twice is allowed."""
        self.vector.close()

    def _actions(self, actions: Mapping[str, Any]) -> npt.NDArray[Any]:
        given = np.zeros_like(self.vector.rows.actions)
        for agent in self.agents:
            if agent not in actions:
                raise must("every agent must be given an action", agent=agent, got=list(actions))
            given[self._seat[agent]] = spaces.action_rows(self.vector.action, actions[agent], 1)[0]
        return given

    def _is_shown(self, agent: str) -> bool:
        """Whether it was there before the step, or its first observation has come now."""
        joined = self.vector.rows.alive[self._seat[agent]] and agent not in self._left
        return agent in self.agents or bool(joined)

    def _observation(self, agent: str) -> Any:
        return spaces.observations(self.vector.observation, self._seen[self._seat[agent]].copy())

    def _info(self, agent: str) -> Told:
        rows, seat = self.vector.rows, self._seat[agent]
        info: Told = {"alive": bool(rows.alive[seat])}
        if rows.action_mask is not None:
            info["action_mask"] = rows.action_mask[seat].astype(np.int8)  # as spaces sample by
        return info
