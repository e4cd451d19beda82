"""CartPole by Gymnasium's equations: the twin of skipjack/games/cartpole/rules.pyx."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.reference.twin import Twin


class CartPole(Twin):
    def new_episode(self) -> None:
        self.state = [self.stream.between(-0.05, 0.05) for _ in range(4)]

    def play(self, actions: list[Any]) -> tuple[list[float], bool, int]:
        x, v, angle, spin = self.state
        force = 10.0 if actions[0][0] == 1 else -10.0
        cos, sin = math.cos(angle), math.sin(angle)
        temp = (force + 0.05 * spin**2 * sin) / 1.1
        angular = (9.8 * sin - cos * temp) / (0.5 * (4 / 3 - 0.1 * cos**2 / 1.1))
        acceleration = temp - 0.05 * angular * cos / 1.1
        self.state = [
            x + 0.02 * v,
            v + 0.02 * acceleration,
            angle + 0.02 * spin,
            spin + 0.02 * angular,
        ]
        fallen = abs(self.state[0]) > 2.4 or abs(self.state[2]) > math.radians(12)
        return [1.0], fallen, 1

    def observe(self, seat: int) -> Any:
        return np.array(self.state, np.float32)

    def score(self, seat: int, truncated: bool) -> float:
        return self.tick / self.config.time_limit
