"""An environment of your own, and a policy trained on it in two lines.

    skipjack train examples.custom_env:Thermostat

Any `gymnasium.Env` will do; `skipjack check examples.custom_env:Thermostat` tells what is wrong with one.
"""

import gymnasium
import numpy as np


class Thermostat(gymnasium.Env):
    """Keep a room at 20 degrees while it is cold outside."""

    observation_space = gymnasium.spaces.Box(-50, 50, (1,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)  # heating off, on

    def reset(self, *, seed=None, options=None):
        """Begin at a random temperature."""
        super().reset(seed=seed)
        self.degrees, self.clock = self.np_random.uniform(10, 30), 0
        return np.array([self.degrees], np.float32), {}

    def step(self, action):
        """A minute; an hour is an episode."""
        self.degrees, self.clock = self.degrees + (1.5 if action else -1), self.clock + 1
        seen = np.array([self.degrees], np.float32)
        return seen, float(abs(self.degrees - 20) < 2), False, self.clock == 60, {}
