"""Environments of other people, for tests of what is seen of them."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium
import numpy as np


class Blind(gymnasium.Env[Any, Any]):
    """Draws nothing, and takes no render_mode."""

    observation_space = gymnasium.spaces.Box(-1, 1, (3,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self) -> None:
        self.steps = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.steps = 0
        return np.zeros(3, np.float32), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.steps += 1
        return np.full(3, self.steps / 10, np.float32), float(action), self.steps == 10, False, {}


class Pixels(Blind):
    """Draws 84 x 84 frames whose brightness is the step; its numbers are not from its seed."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 30}

    def __init__(self, render_mode: str | None = None) -> None:
        super().__init__()
        self.render_mode = render_mode

    def render(self) -> Any:
        return np.full((84, 84, 3), self.steps * 20, np.uint8)


class Fickle(Pixels):
    """Draws its rewards from nothing that could be seeded."""

    drawn = 0

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        Fickle.drawn += 1
        seen, _, over, cut, info = super().step(action)
        return seen, float(Fickle.drawn), over, cut, info
