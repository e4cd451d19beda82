"""Gymnasium's environments as an engine: contract, bare-loop equality, records, errors."""

from __future__ import annotations

import math
from typing import Any

import gymnasium
import numpy as np
import pytest

from skipjack.emulate.config import EmulateConfig
from skipjack.emulate.maker import Maker, from_callable, from_gymnasium
from skipjack.errors import EnvError, UsageError
from skipjack.native.scene import Image
from skipjack.rows import Rows, identity_rows
from skipjack.testing import EngineContract
from tests.emulate.envs import Fails, Old, Walk


def make(env: Any = Walk, num_envs: int = 3, **settings: Any) -> Any:
    return from_callable(env)(num_envs, EmulateConfig(**settings))


def started(engine: Any, seeds: Any = (5, 6, 7), final_all: bool = False) -> Rows:
    rows = Rows.allocate(engine.num_envs * engine.seats, engine.observation, engine.action)
    engine.bind(rows, identity_rows(engine.num_envs, engine.seats), final_all)
    engine.reset(0, engine.num_envs, np.array(seeds, np.uint64))
    return rows


class TestWalk(EngineContract):
    def make_engine(self, num_envs: int) -> Any:
        return make(num_envs=num_envs, kwargs='{"render_mode": "rgb_array"}')

    def make_longer(self, num_envs: int) -> Any:
        return make(num_envs=num_envs, kwargs='{"limit": 50}')


class TestMasked(TestWalk):
    def make_engine(self, num_envs: int) -> Any:
        return make(num_envs=num_envs, kwargs='{"mask": true, "render_mode": "rgb_array"}')

    def make_longer(self, num_envs: int) -> Any:
        return make(num_envs=num_envs, kwargs='{"mask": true, "limit": 50}')


class TestOld(EngineContract):
    def make_engine(self, num_envs: int) -> Any:
        return make(Old, num_envs)

    def test_scene(self) -> None:
        pytest.skip("this env draws nothing")


@pytest.mark.parametrize("name", ["CartPole-v1", "Acrobot-v1", "MountainCarContinuous-v0"])
def test_equals_a_bare_loop(name: str) -> None:
    """Observations, rewards and ends are those of the env alone, from the same seed and actions."""
    engine = from_gymnasium(f"gymnasium:{name}")(2)
    rows = started(engine, seeds=(1, 2), final_all=True)
    bare = [gymnasium.make(name) for _ in range(2)]
    for env, (single, seed) in enumerate(zip(bare, (1, 2), strict=True)):
        assert np.array_equal(rows.observations[env], single.reset(seed=seed)[0])
    generator = np.random.default_rng(0)
    for _ in range(600):
        rows.actions[:] = engine.action.draw(generator, 2)
        engine.step(0, 2)
        for env, single in enumerate(bare):
            action = rows.actions[env] if engine.action.low else int(rows.actions[env, 0])
            seen, reward, terminated, truncated, _ = single.step(action)
            assert rows.rewards[env] == np.float32(reward)
            assert (rows.terminated[env], rows.truncated[env]) == (terminated, truncated)
            if terminated or truncated:
                assert np.array_equal(rows.final[env], seen)
                seen, _ = single.reset()
            assert np.array_equal(rows.observations[env], seen)


def test_records_tell_returns_success_and_numbers() -> None:
    engine = make(num_envs=1)
    rows = started(engine, seeds=(5,))
    assert engine.statistics == ()
    rows.actions[:] = 1
    lengths = 0
    for _ in range(10):
        engine.step(0, 1)
        lengths += 1
        if rows.terminated[0]:
            break
    (record,) = engine.records(0, 1)
    assert engine.statistics == ("is_success", "deep.clock")
    assert (record["return"], record["score"], record["length"]) == (1.0, 1.0, lengths)
    assert list(record["stats"][:2]) == [1.0, lengths]
    assert np.isnan(record["stats"][2:]).all()
    assert engine.ledger.dropped == {"word"}
    rows.actions[:] = 0
    engine.step(0, 1)
    assert len(engine.records(0, 1)) == 0


def test_scores() -> None:
    """Success, own bounds, the registration's threshold, or none: in this order."""
    assert math.isnan(make(Old).ledger._score(3.0, {}))
    assert make(Old).ledger._score(3.0, {"success": 1.0}) == 1
    assert make(Old, score_low=-10, score_high=10).ledger._score(5.0, {"success": 1.0}) == 0.75
    cartpole = from_gymnasium("gymnasium:CartPole-v1")(1)
    assert cartpole.ledger._score(237.5, {}) == 0.5
    assert cartpole.ledger._score(500.0, {}) == 1
    acrobot = from_gymnasium("gymnasium:Acrobot-v1")(1)  # its threshold is below zero
    assert math.isnan(acrobot.ledger._score(-100.0, {}))


def test_success_told_by_silence() -> None:
    """An env that tells success alone scores 0 where it says nothing, once it has told one."""
    ledger = make(Old).ledger
    assert math.isnan(ledger._score(3.0, {}))
    assert ledger._score(3.0, {"success": 1.0}) == 1
    assert ledger._score(3.0, {}) == 0


def test_envs_are_closed_when_the_engine_cannot_be() -> None:
    closed = []

    class Spoken(Walk):
        def __init__(self) -> None:
            super().__init__()
            self.observation_space = gymnasium.spaces.Text(5)

        def close(self) -> None:
            closed.append(self)

    with pytest.raises(UsageError, match="fixed size"):
        make(Spoken, 3)
    assert closed


def test_an_env_is_the_same_wherever_it_stands() -> None:
    """What outlives a reset, such as a curriculum, does not tell a worker's first env from others."""

    class Grows(Walk):
        level = 0

        def reset(self, **how: Any) -> Any:
            self.level += 1
            return super().reset(**how)

    engine = make(Grows, 4)
    started(engine, seeds=(1, 2, 3, 4))
    assert len({env.unwrapped.level for env in engine.envs}) == 1


def test_an_old_reset_of_a_gymnasium_env() -> None:
    class Early(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(-1, 1, (1,))
        action_space = gymnasium.spaces.Discrete(2)

        def reset(self) -> Any:
            return np.zeros(1, np.float32)

        def step(self, action: Any) -> Any:
            return np.zeros(1, np.float32), 1.0, True, {}

    class Anything(Old):
        def reset(self, **how: Any) -> Any:
            self.given = how
            return super().reset()

    rows = started(make(Early))
    assert rows.alive.all()
    engine = make(Anything, 1)
    started(engine, seeds=(5,))
    assert engine.envs[0].env.given == {"seed": 5}


def test_a_mask_in_the_observation() -> None:
    """As PettingZoo has it: it masks, and the policy does not see it."""

    class Inside(Walk):
        def __init__(self) -> None:
            super().__init__()
            inner = self.observation_space
            mask = gymnasium.spaces.MultiBinary(2)
            self.observation_space = gymnasium.spaces.Dict(observation=inner, action_mask=mask)

        def _see(self) -> dict[str, Any]:
            mask = np.array([self.place > -3, 1], np.int8)
            return {"observation": super()._see(), "action_mask": mask}

    inside, outside = make(Inside), make(lambda: Walk(mask=True))
    a, b = started(inside), started(outside)
    for step in range(60):
        a.actions[:] = b.actions[:] = step % 3 > 0
        inside.step(0, 3)
        outside.step(0, 3)
        for name, array in a.arrays().items():
            assert array.tobytes() == b.arrays()[name].tobytes(), name


class Leaves(Walk):
    def step(self, action: Any) -> Any:
        raise SystemExit(4)


class Stretches(Walk):
    def step(self, action: Any) -> Any:
        seen, *rest = super().step(action)
        return (seen | {"clock": np.zeros(1)}, *rest)


@pytest.mark.parametrize(
    ("make_env", "error", "words"),
    [
        (Leaves, EnvError, "SystemExit: 4"),
        (Stretches, UsageError, r"part 'clock' must have the shape"),
    ],
)
def test_faults_in_a_step_are_told(make_env: Any, error: type, words: str) -> None:
    engine = make(make_env)
    started(engine)
    with pytest.raises(error, match=words):
        engine.step(0, 3)


def test_a_reward_that_is_no_number_stays_so() -> None:
    engine = make(clip_rewards=1.0)
    assert math.isnan(engine._clipped(math.nan))
    assert engine._clipped(-3.0) == -1


def test_at_most_64_statistics() -> None:
    class Many(Walk):
        def _info(self) -> dict[str, Any]:
            return {f"n{i}": i for i in range(100)}

    engine = make(Many, 1)
    rows = started(engine, seeds=(5,))
    rows.actions[:] = 1
    while not rows.terminated[0]:
        engine.step(0, 1)
    (record,) = engine.records(0, 1)
    assert list(record["stats"]) == list(range(64))
    assert len(engine.statistics) == 64


def test_an_env_that_raises_says_which_and_where() -> None:
    engine = make(Fails)
    rows = started(engine)

    def play() -> None:
        for step in range(9):
            rows.actions[:] = step % 2
            engine.step(0, 3)

    message = r"(?s)Env \d \(seed [567]\).*step.*a fault of the env's own"
    with pytest.raises(EnvError, match=message) as error:
        play()
    assert error.value.seed == (5, 6, 7)[error.value.env]


def test_wrappers() -> None:
    engine = make(stack=3, time_limit=4, num_envs=1)
    assert {f.name: f.shape for f in engine.observation.fields} == {"place": (3,), "clock": (3, 2)}
    rows = started(engine, seeds=(5,))
    for step in range(4):
        rows.actions[:] = step % 2
        engine.step(0, 1)
    assert rows.truncated[0]
    newest = engine.observation.unpack(rows.final)["clock"][0, :, 0]
    assert newest == pytest.approx([0.02, 0.03, 0.04])

    clipped = from_gymnasium("gymnasium:CartPole-v1")(
        1, EmulateConfig(clip_observations=0.01, clip_rewards=0.5)
    )
    rows = started(clipped, seeds=(5,))
    assert abs(rows.observations).max() == np.float32(0.01)
    assert clipped.observation.fields[0].high == np.float32(0.01)
    clipped.step(0, 1)
    assert rows.rewards[0] == 0.5
    assert clipped.ledger.returns[0] == 1.0


def test_picture() -> None:
    engine = make(num_envs=1, kwargs='{"render_mode": "rgb_array"}')
    started(engine, seeds=(1,))
    scene = engine.scene(0)
    assert (scene.width, scene.height) == (9, 4)
    assert isinstance(scene.items[0], Image)


class Wrong(Walk):
    def _see(self) -> dict[str, Any]:
        return super()._see() | {"clock": np.zeros(3)}


class Beyond(Walk):
    def _see(self) -> dict[str, Any]:
        return super()._see() | {"place": np.int64(9)}


class Bare(Walk):
    def reset(self, **how: Any) -> Any:
        return super().reset(**how)[0]


class Spaceless(Walk):
    def __init__(self) -> None:
        super().__init__()
        self.observation_space = None


@pytest.mark.parametrize(
    ("make_env", "settings", "message"),
    [
        (Beyond, {}, "part 'place' must be what its space says, -4.* to 4"),
        (Bare, {}, "Reset must give an observation and an info"),
        (Spaceless, {}, "must have an observation_space"),
        (Wrong, {}, r"part 'clock' must have the shape that its space says"),
        (Walk, {"drop": "colour"}, "no part of the observation 'colour'"),
        (Walk, {"kwargs": '{"limits": 3}'}, "unexpected keyword argument 'limits'"),
        (Walk, {"kwargs": "limit=3"}, "must be a JSON object"),
        (object, {}, "must be a Gymnasium, PettingZoo or old gym environment"),
    ],
)
def test_what_is_wrong_is_told(make_env: Any, settings: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        started(make(make_env, **settings))


def test_unknown_names() -> None:
    with pytest.raises(UsageError, match="CartPol"):
        from_gymnasium("gymnasium:CartPol-v1")(1)
    with pytest.raises(UsageError, match="function or class"):
        from_callable(Walk())
    assert isinstance(from_callable(lambda: Walk()), Maker)


def test_a_mask_without_choices_is_no_mask() -> None:
    class Continuous(Walk):
        def __init__(self) -> None:
            super().__init__(mask=True)
            self.action_space = gymnasium.spaces.Box(-1, 1, (1,))

    rows = started(make(Continuous))
    assert rows.action_mask is None


def test_what_is_no_number_is_told_once() -> None:
    engine = make(num_envs=1)
    rows = started(engine, seeds=(5,))
    rows.actions[:] = 1
    for _ in range(20):
        engine.step(0, 1)
    (sentence,) = engine.messages
    assert "word" in sentence
