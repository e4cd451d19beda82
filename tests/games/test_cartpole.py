"""CartPole against Gymnasium's own."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

from skipjack.rows import Rows, identity_rows
from skipjack.seeding import env_seeds
from tests.games.test_contract import engine_of


@pytest.mark.parametrize("seed", range(20))
def test_equals_gymnasium_from_an_injected_state(seed: int) -> None:
    """One step to 1e-6, a hundred to 1e-4, with the same ends."""
    theirs = gymnasium.make("CartPole-v1").unwrapped
    engine = engine_of("cartpole", 1, desynchronise=False)
    rows = Rows.allocate(1, engine.observation, engine.action)
    engine.bind(rows, identity_rows(1, 1), False)
    engine.reset(0, 1, env_seeds(seed, 0, 1))
    generator = np.random.default_rng(seed)
    start = generator.uniform(-0.2, 0.2, 4) * [8, 3, 0.8, 3]
    theirs.reset(seed=seed)
    theirs.state = tuple(start)  # type: ignore[attr-defined]
    engine.inject(0, dict(zip(("x", "v", "angle", "spin"), start.tolist(), strict=True)))
    for t in range(100):
        # A controller with noise: it holds the pole up for most of the hundred steps.
        action = int(rows.observations[0] @ [0.1, 0.3, 3.0, 1.0] + generator.normal(0, 0.3) > 0)
        rows.actions[:] = action
        engine.step(0, 1)
        observation, _, terminated, _, _ = theirs.step(action)
        assert rows.terminated[0] == terminated
        if terminated:
            break
        assert np.abs(rows.observations[0] - observation).max() < (1e-6 if t == 0 else 1e-4)


def test_time_limit_truncates_at_500() -> None:
    engine = engine_of("cartpole", 1, desynchronise=False)
    rows = Rows.allocate(1, engine.observation, engine.action)
    engine.bind(rows, identity_rows(1, 1), False)
    engine.reset(0, 1, env_seeds(0, 0, 1))
    for t in range(1, 501):
        rows.actions[:] = int(rows.observations[0] @ [0.1, 0.3, 3.0, 1.0] > 0)
        engine.step(0, 1)
        assert rows.truncated[0] == (t == 500)
    record = engine.records(0, 1)[0]
    assert (record["length"], record["score"], record["return"]) == (500, 1.0, 500.0)
