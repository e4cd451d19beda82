"""A correct small environment, and one env for each kind of fault."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces


class Clock:
    """A clock that stands still unless an env takes time."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


CLOCK = Clock()


class Good(gymnasium.Env[Any, Any]):
    """A walk from a random start; a step takes 50 µs and a reset 200 µs of the clock above."""

    step_time, reset_time, limit = 50e-6, 200e-6, 30

    def __init__(self) -> None:
        self.observation_space = spaces.Box(-40, 40, (2,), np.float32)
        self.action_space = spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        CLOCK.now += self.reset_time
        self.place, self.age = int(self.np_random.integers(-3, 4)), 0
        return self.see(), {}

    def step(self, action: Any) -> Any:
        CLOCK.now += self.step_time
        self.place += 1 if action == 1 else -1
        self.age += 1
        return self.see(), float(self.place), abs(self.place) > 8, self.age >= self.limit, {}

    def see(self) -> Any:
        return np.array([self.place, self.age], np.float32)


class Shape(Good):
    def see(self) -> Any:
        return super().see()[:, None]


class Bounds(Good):
    def see(self) -> Any:
        return super().see() + 60


class Whole(Good):
    """Says whole numbers, gives others."""

    def __init__(self) -> None:
        super().__init__()
        self.observation_space = spaces.Box(-40, 40, (2,), np.int32)


class Wide(Good):
    """float64 where the space says float32."""

    def see(self) -> Any:
        return super().see().astype(np.float64)


class NotANumber(Good):
    def see(self) -> Any:
        return super().see() * (np.nan if self.age == 5 else 1)


class Nested(Good):
    """One part has another shape than its space says, one is missing, one is no part of it."""

    def __init__(self) -> None:
        super().__init__()
        inner = spaces.Dict({"depth": spaces.Box(0, 1, (2, 2), np.uint8)})
        self.observation_space = spaces.Dict({"camera": inner, "battery": spaces.Discrete(4)})

    def see(self) -> Any:
        return {"camera": {"depth": np.zeros((2, 3), np.uint8)}, "sonar": 1}


class Spoken(Good):
    def __init__(self) -> None:
        super().__init__()
        walk = self.observation_space
        self.observation_space = spaces.Dict({"walk": walk, "mission": spaces.Text(20)})

    def see(self) -> Any:
        return {"walk": super().see(), "mission": "walk"}


class Spaceless(Good):
    def __init__(self) -> None:
        self.action_space = spaces.Discrete(2)


class Unbounded(Good):
    def __init__(self) -> None:
        super().__init__()
        self.action_space = spaces.Box(-np.inf, np.inf, (1,))


class Reward(Good):
    reward: ClassVar[Any] = None

    def step(self, action: Any) -> Any:
        seen, _, *rest = super().step(action)
        return (seen, self.reward, *rest)


class NoReward(Reward):
    reward = float("nan")


class ArrayReward(Reward):
    reward = np.ones(1)


class WordyFlags(Good):
    def step(self, action: Any) -> Any:
        seen, reward, ended, cut, info = super().step(action)
        return seen, reward, int(ended), cut, info


class BothFlags(Good):
    def step(self, action: Any) -> Any:
        seen, reward, ended, cut, info = super().step(action)
        return seen, reward, ended or cut, ended or cut, info


class FourValues(Good):
    """Gymnasium's class, the old gym's step."""

    def step(self, action: Any) -> Any:
        seen, reward, ended, cut, info = super().step(action)
        return seen, reward, ended or cut, info


class OldReset(Good):
    def reset(self, **given: Any) -> Any:
        return super().reset(**given)[0]


class Old:
    """The old interface as it should be."""

    def __init__(self) -> None:
        self.inner = Good()
        self.observation_space = self.inner.observation_space
        self.action_space = self.inner.action_space

    def reset(self, seed: int | None = None) -> Any:
        return self.inner.reset(seed=seed)[0]

    def step(self, action: Any) -> Any:
        seen, reward, ended, cut, _ = self.inner.step(action)
        return seen, reward, ended or cut, {"TimeLimit.truncated": cut and not ended}


class Chance(Good):
    """Draws from numpy's own generator, whatever the seed."""

    def see(self) -> Any:
        return super().see() + np.float32(np.random.random() if self.age > 2 else 0)


class SharedChance(Good):
    """Seeds numpy's own generator, which all envs share."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        if seed is not None:
            np.random.seed(seed)
        return super().reset(seed=seed)

    def see(self) -> Any:
        return super().see() + np.float32(np.random.random())


class Remembers(Good):
    """Does not forget its last life when it is seeded anew."""

    lives = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        found = super().reset(seed=seed)
        self.lives += 1
        return found

    def see(self) -> Any:
        return super().see() + min(self.lives, 5)


class Deaf(Good):
    """Begins alike, whatever the seed."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=7)
        return self.see(), {}


class Reuses(Good):
    """Gives the same array each time."""

    def see(self) -> Any:
        if not hasattr(self, "array"):
            self.array = np.zeros(2, np.float32)
        self.array[:] = self.place, self.age
        return self.array


class Endless(Good):
    def __init__(self, limit: int = 10**9) -> None:
        super().__init__()
        self.limit = limit

    def step(self, action: Any) -> Any:
        found = super().step(1 if self.place < 0 else 0)
        return (*found[:2], False, *found[3:])

    def see(self) -> Any:
        return super().see().clip(-40, 40)


class Masked(Good):
    def __init__(self, mask: Any = (1, 1)) -> None:
        super().__init__()
        self.mask = mask

    def reset(self, **given: Any) -> Any:
        return super().reset(**given)[0], {"action_mask": np.array([1, 1], np.int8)}

    def step(self, action: Any) -> Any:
        return (*super().step(action)[:4], {"action_mask": np.array(self.mask, np.int8)})


class OnlyRight(Masked):
    """Raises where the mask is not kept."""

    def __init__(self) -> None:
        super().__init__((0, 1))

    def step(self, action: Any) -> Any:
        if self.age and action == 0:
            raise ValueError("an illegal action")
        return super().step(action)


class OnlyRightInside(Good):
    """The mask in the observation, as PettingZoo has it; raises where it is not kept."""

    def __init__(self) -> None:
        super().__init__()
        self.observation_space = spaces.Dict(
            observation=self.observation_space, action_mask=spaces.MultiBinary(2)
        )

    def step(self, action: Any) -> Any:
        if action == 0:
            raise ValueError("an illegal action")
        return super().step(action)

    def see(self) -> Any:
        return {"observation": super().see(), "action_mask": np.array([0, 1], np.int8)}


class Unseeded(Good):
    """Its reset is the old one."""

    def reset(self) -> Any:  # type: ignore[override]
        return super().reset(seed=0)[0]


class Wordy(Good):
    def step(self, action: Any) -> Any:
        return (*super().step(action)[:4], {"speed": 1.0, "map": "forest", "path": [1, 2]})


class Raises(Good):
    def step(self, action: Any) -> Any:
        if self.age == 9:
            raise ZeroDivisionError("a fault of the env's own")
        return super().step(action)


class SlowReset(Good):
    reset_time = 30e-3


class SlowStep(Good):
    step_time, reset_time = 4e-3, 4e-3


class VerySlow(Endless):
    step_time = 1.0


class Herd:
    """PettingZoo's parallel interface as it should be: two agents, five ticks."""

    possible_agents: ClassVar[list[str]] = ["cow_0", "cow_1"]
    metadata: ClassVar[dict[str, Any]] = {"name": "herd"}

    def observation_space(self, agent: str) -> Any:
        return spaces.Box(-10, 10, (1,), np.float32)

    def action_space(self, agent: str) -> Any:
        return spaces.Discrete(3)

    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        if seed is not None:
            self.random = np.random.default_rng(seed)
        self.agents, self.age = list(self.possible_agents), 0
        self.start = self.random.normal()
        return self.see(), {agent: {} for agent in self.agents}

    def step(self, actions: Any) -> Any:
        acted, self.age = self.agents, self.age + 1
        if self.age == 5:
            self.agents = []
        rewards = dict.fromkeys(acted, 1.0)
        over = self.age == 5
        ended, cut = dict.fromkeys(acted, False), dict.fromkeys(acted, over)
        return self.see(acted), rewards, ended, cut, {agent: {} for agent in acted}

    def see(self, agents: Any = None) -> Any:
        value = np.array([np.clip(self.start, -5, 5) + self.age], np.float32)
        return {agent: value.copy() for agent in (self.agents if agents is None else agents)}

    def close(self) -> None:
        pass


class Strangers(Herd):
    def step(self, actions: Any) -> Any:
        found = super().step(actions)
        if self.age == 2:
            self.agents = [*self.agents, "wolf"]
        return found


class Blind(Herd):
    def step(self, actions: Any) -> Any:
        seen, *rest = super().step(actions)
        if self.age == 3:
            seen.pop("cow_1")
        return (seen, *rest)


class Unlike(Herd):
    def observation_space(self, agent: str) -> Any:
        return spaces.Box(-10, 10, (2 if agent == "cow_1" else 1,), np.float32)


class Nameless(Herd):
    possible_agents: ClassVar[list[str]] = []
