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


class Unknown(Pixels):
    """Its rewards are no numbers."""

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        seen, _, over, cut, info = super().step(action)
        return seen, float("nan"), over, cut, info


class Breaks(Pixels):
    """Cannot draw, nor say what its actions are, nor be closed."""

    def render(self) -> Any:
        raise ValueError("no paint")

    def get_action_meanings(self) -> list[str]:
        raise ValueError("no words")

    def close(self) -> None:
        raise ValueError("no end")


class Odd(Pixels):
    """Draws frames of every kind, one after the other."""

    def render(self) -> Any:
        whole = np.full((20, 30), 0.5)
        return [
            whole, whole[..., None], np.repeat(whole[..., None], 4, -1).astype(np.float32),
            (whole * 255).astype(np.uint8), np.full((10, 30), 0.5), [np.full((20, 30, 3), 127, np.uint8)],
        ][self.steps % 6]  # fmt: skip


class Empty(Pixels):
    """Draws nothing at all."""

    def render(self) -> Any:
        return np.zeros((0, 0, 3), np.uint8)


class Seen(Pixels):
    """Its agent sees 9 x 9 pixels whose brightness is the step."""

    observation_space = gymnasium.spaces.Box(0, 255, (9, 9, 3), np.uint8)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return np.full((9, 9, 3), 20, np.uint8), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        _, reward, over, cut, info = super().step(action)
        return np.full((9, 9, 3), self.steps * 18 + 20, np.uint8), reward, over, cut, info
