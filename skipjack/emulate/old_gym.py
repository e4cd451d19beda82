"""The old gym interface, `reset() -> observation` and a step of four, as a Gymnasium environment."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from skipjack.errors import must


class OldGym(gymnasium.Env[Any, Any]):
    """An env of the old interface, or of no declared one that has `reset`, `step` and two spaces.

    `done` counts as truncated where `info["TimeLimit.truncated"]` says so. The seed goes to `reset`
    if it takes one, else to `seed()` if there is one.

    Args:
        env: the env.

    Raises:
        UsageError: it lacks a method or a space.
    """

    def __init__(self, env: Any) -> None:
        lacking = [
            name
            for name in ("reset", "step", "observation_space", "action_space")
            if not hasattr(env, name)
        ]
        if lacking:
            raise must(
                "an environment must be a Gymnasium, PettingZoo or old gym environment, or an "
                "engine class with a Config dataclass",
                hint="Name a class or function that makes one.",
                got=type(env).__name__,
                lacking=lacking,
            )
        self.env = env
        self.observation_space = space_of(env.observation_space)
        self.action_space = space_of(env.action_space)
        self.render_mode = getattr(env, "render_mode", None)
        self.takes_seed = takes_seed(env.reset)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        super().reset(seed=seed)
        if seed is not None and not self.takes_seed and hasattr(self.env, "seed"):
            self.env.seed(seed)
        found = self.env.reset(**({"seed": seed} if self.takes_seed else {}))
        if isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], Mapping):
            return found[0], dict(found[1])
        return found, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """One step; four values or five."""
        found = self.env.step(action)
        if len(found) == 5:
            return found
        observation, reward, done, info = found
        cut = bool(done) and bool(info.get("TimeLimit.truncated", False))
        return observation, float(reward), bool(done) and not cut, cut, info

    def render(self) -> Any:
        """What the env draws."""
        return self.env.render()

    def close(self) -> None:
        """Close the env, if it can be."""
        if hasattr(self.env, "close"):
            self.env.close()


def space_of(space: Any) -> gymnasium.Space[Any]:
    """A space of gym's, or of anything that has its attributes, as Gymnasium's.

    Raises:
        UsageError: it is like none of them.
    """
    if isinstance(space, gymnasium.Space):
        return space
    if hasattr(space, "nvec"):
        return spaces.MultiDiscrete(np.asarray(space.nvec))
    inner = getattr(space, "spaces", None)
    if isinstance(inner, Mapping):
        return spaces.Dict({key: space_of(part) for key, part in inner.items()})
    if isinstance(inner, (list, tuple)):
        return spaces.Tuple([space_of(part) for part in inner])
    if hasattr(space, "low"):
        kind = getattr(space.dtype, "type", space.dtype)
        return spaces.Box(space.low, space.high, tuple(space.shape), kind)
    if hasattr(space, "n"):
        if type(space).__name__ == "MultiBinary":
            return spaces.MultiBinary(space.n)
        return spaces.Discrete(int(space.n), start=int(getattr(space, "start", 0)))
    raise must("a space must be like one of Gymnasium's", got=str(space))


def takes_seed(reset: Any) -> bool:
    """Whether a reset takes a seed by name, or whatever it is given."""
    return bool({"seed", "**"} & parameters(reset))


def parameters(function: Any) -> set[str]:
    """Names of a function's parameters, "**" for any name; none where they cannot be read."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return set()
    return {"**" if each.kind == each.VAR_KEYWORD else each.name for each in found}
