"""Gymnasium's vector environments as an engine, against the same envs one by one."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from skipjack.emulate.config import EmulateConfig
from skipjack.emulate.maker import from_callable
from skipjack.errors import SkipjackError, UsageError
from skipjack.rows import Rows, identity_rows
from tests.emulate.envs import Walk


def vectors(mode: AutoresetMode, env: Any = Walk) -> Any:
    def make(num_envs: int) -> Any:
        return SyncVectorEnv([env] * num_envs, autoreset_mode=mode)

    return from_callable(make)


def started(engine: Any, final_all: bool = True) -> Rows:
    rows = Rows.allocate(engine.num_envs, engine.observation, engine.action)
    engine.bind(rows, identity_rows(engine.num_envs, 1), final_all)
    engine.reset(0, engine.num_envs, np.arange(engine.num_envs, dtype=np.uint64))
    return rows


@pytest.mark.parametrize("mask", [False, True])
def test_same_step_equals_single_envs(mask: bool) -> None:
    """Every array and record, step by step."""

    class Fresh(Walk):  # Gymnasium's own vector env keeps last observations without a copy
        fresh = True

    def env() -> Any:
        return Fresh(mask=mask)

    one, many = from_callable(env)(4), vectors(AutoresetMode.SAME_STEP, env)(4)
    a, b = started(one), started(many)
    generator = np.random.default_rng(0)
    ended = 0
    for _ in range(200):
        a.actions[:] = b.actions[:] = one.action.draw(generator, 4)
        one.step(0, 4)
        many.step(0, 4)
        for name, array in a.arrays().items():
            assert array.tobytes() == b.arrays()[name].tobytes(), name
        records = one.records(0, 4), many.records(0, 4)
        for name in ("row", "return", "length", "score", "truncated"):
            assert np.array_equal(records[0][name], records[1][name]), name
        ended += len(records[0])
    assert ended > 10
    assert set(one.statistics) == set(many.statistics) == {"is_success", "deep.clock"}


def test_next_step_rests_for_one_step() -> None:
    """The empty transition is not alive, counts for nothing, and the next episode is a whole one."""
    engine = vectors(AutoresetMode.NEXT_STEP)(1)
    rows = started(engine)
    rows.actions[:] = 1
    while not rows.terminated[0]:
        engine.step(0, 1)
    (record,) = engine.records(0, 1)
    assert not rows.alive[0]
    assert rows.final.tobytes() == rows.observations.tobytes()
    assert record["score"] == 1
    rows.actions[:] = 0
    engine.step(0, 1)
    assert rows.alive[0]
    assert (rows.rewards[0], rows.terminated[0], rows.truncated[0]) == (0, False, False)
    assert engine.observation.unpack(rows.observations)["clock"][0, 0] == 0
    assert len(engine.records(0, 1)) == 0
    steps = 0
    while not (rows.terminated[0] or rows.truncated[0]):
        engine.step(0, 1)
        steps += 1
    (record,) = engine.records(0, 1)
    assert record["length"] == steps


def test_masks_and_infos_that_not_all_envs_give() -> None:
    """Gymnasium fills what is missing with zeros, and says so; a plain number is no env's."""

    class Sometimes(Walk):
        def _info(self) -> dict[str, Any]:
            return super()._info() if self.place % 2 else {}

    class Plain(SyncVectorEnv):
        def step(self, actions: Any) -> Any:
            *rest, infos = super().step(actions)
            return (*rest, infos | {"frames": 7})

    def make(num_envs: int) -> Any:
        envs = [lambda: Sometimes(mask=True)] * num_envs
        return Plain(envs, autoreset_mode=AutoresetMode.SAME_STEP)

    engine = from_callable(make)(6)
    rows = started(engine)
    assert rows.action_mask is not None
    generator = np.random.default_rng(0)
    for _ in range(100):
        rows.actions[:] = engine.action.draw(generator, 6)
        engine.step(0, 6)
        engine.records(0, 6)
        assert rows.action_mask.any(axis=1).all()
    assert len(engine.statistics) == 2


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match="reset its envs by itself"):
        vectors(AutoresetMode.DISABLED)(2)
    with pytest.raises(UsageError, match="must be left alone for a vector"):
        vectors(AutoresetMode.SAME_STEP)(2, EmulateConfig(stack=2))
    with pytest.raises(UsageError, match="must take num_envs"):
        from_callable(lambda: SyncVectorEnv([Walk] * 3))(2)
    engine = vectors(AutoresetMode.SAME_STEP)(4)
    started(engine)
    with pytest.raises(SkipjackError, match="as a whole"):
        engine.step(0, 2)


def test_gymnasiums_own_vector_env() -> None:
    engine = from_callable(
        lambda num_envs: gymnasium.make_vec(
            "CartPole-v1", num_envs, vectorization_mode="vector_entry_point"
        )
    )(3)
    rows = started(engine)
    for _ in range(300):
        engine.step(0, 3)
    assert np.isfinite(rows.observations).all()
