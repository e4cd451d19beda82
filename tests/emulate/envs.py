"""Small Python environments of every interface, whose right behaviour is known."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from skipjack.errors import UsageError


class Walk(gymnasium.Env[Any, Any]):
    """From a random start to the left or right end; a Dict observation, an info, a time limit."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012
    fresh = False

    def __init__(self, limit: int = 20, mask: bool = False, render_mode: str | None = None) -> None:
        self.limit, self.mask, self.render_mode = limit, mask, render_mode
        self.observation_space = spaces.Dict(
            {"place": spaces.Discrete(9, start=-4), "clock": spaces.Box(0, 1, (2,), np.float64)}
        )
        self.action_space = spaces.Discrete(2)
        self.spec = None

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.place, self.clock = int(self.np_random.integers(-2, 3)), 0
        return self._see(), self._info()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert type(action) is np.int64
        self.place += 1 if action == 1 else -1
        self.clock += 1
        done = abs(self.place) == 4
        info = self._info()
        if done or self.clock >= self.limit:
            info |= {"is_success": self.place == 4, "deep": {"clock": self.clock}, "word": "over"}
        return self._see(), float(self.place == 4), done, self.clock >= self.limit, info

    def render(self) -> Any:
        return np.full((4, 9, 3), 7, np.uint8)

    def _see(self) -> dict[str, Any]:
        # The same array each time, unless asked otherwise: an engine must copy what it is given.
        if not hasattr(self, "array") or self.fresh:
            self.array = np.zeros(2)
        self.array[:] = self.clock / 100, self.place / 10 + 0.5
        return {"place": np.int64(self.place), "clock": self.array}

    def _info(self) -> dict[str, Any]:
        if not self.mask:
            return {}
        return {"action_mask": np.array([self.place > -3, 1], np.int8)}


class Fails(Walk):
    """Raises in its fifth step."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if self.clock == 4:
            raise ZeroDivisionError("a fault of the env's own")
        return super().step(action)


class Old:
    """The old gym interface: four values a step, `seed()`, spaces that are not Gymnasium's."""

    class Space:
        def __init__(self, **attributes: Any) -> None:
            self.__dict__ |= attributes

    def __init__(self) -> None:
        self.observation_space = self.Space(low=-4.0, high=4.0, shape=(1,), dtype=np.dtype("f4"))
        self.action_space = self.Space(n=2)
        self.walk = Walk(limit=20)
        self.seeded: int | None = None

    def seed(self, seed: int) -> None:
        self.seeded = seed

    def reset(self) -> Any:
        self.walk.reset(seed=self.seeded)
        self.seeded = None
        return np.array([self.walk.place], np.float32)

    def step(self, action: Any) -> tuple[Any, float, bool, dict[str, Any]]:
        _, reward, done, cut, _ = self.walk.step(action)
        info = {"TimeLimit.truncated": True} if cut and not done else {}
        return np.array([self.walk.place], np.float32), reward, done or cut, info


class Crowd:
    """PettingZoo's parallel interface: agents leave at their own time, and one comes back.

    `blue_0` leaves after 3 ticks (terminated), `red_1` after 5 and comes back after 7; at tick 10
    the env ends for all (truncated). Each sees [its number, the clock].
    """

    metadata = {"name": "crowd"}  # noqa: RUF012
    possible_agents = ["red_0", "red_1", "blue_0"]  # noqa: RUF012

    def __init__(self, nested: bool = False, spaces_differ: bool = False) -> None:
        self.nested, self.differ = nested, spaces_differ
        self.agents: list[str] = []

    def observation_space(self, agent: str) -> Any:
        box = spaces.Box(0, 20, (3 if self.differ and agent == "blue_0" else 2,), np.float32)
        if not self.nested:
            return box
        return spaces.Dict({"observation": box, "action_mask": spaces.MultiBinary(2)})

    def action_space(self, agent: str) -> Any:
        return spaces.Discrete(2)

    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        if seed is not None:
            self.random = np.random.default_rng(seed)
        self.agents, self.clock = list(self.possible_agents), 0
        self.offset = int(self.random.integers(0, 5))
        return self._see(self.agents), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, Any]) -> Any:
        if set(actions) != set(self.agents):
            raise UsageError(f"actions of {sorted(actions)} for {self.agents}.")
        self.clock += 1
        acted = list(self.agents)
        rewards = {agent: float(actions[agent]) for agent in acted}
        terminations = dict.fromkeys(acted, False)
        truncations = dict.fromkeys(acted, self.clock == 10)
        for agent, when in (("blue_0", 3), ("red_1", 5)):
            if self.clock == when:
                terminations[agent] = True
                self.agents.remove(agent)
        if self.clock == 7:
            self.agents.append("red_1")
        if self.clock == 10:
            self.agents = []
        seen = self._see([*acted, *(a for a in self.agents if a not in acted)])
        infos = {agent: {"clock": self.clock} for agent in seen}
        return seen, rewards, terminations, truncations, infos

    def close(self) -> None:
        pass

    def _see(self, agents: list[str]) -> dict[str, Any]:
        seen = {}
        for agent in agents:
            number = self.possible_agents.index(agent)
            box = np.array([number + self.offset, self.clock], np.float32)
            mask = np.array([1, self.clock % 2], np.int8)
            seen[agent] = {"observation": box, "action_mask": mask} if self.nested else box
        return seen
