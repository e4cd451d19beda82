"""Out to Gymnasium: its checker over every game, and its own SyncVectorEnv as the reference."""

from __future__ import annotations

import copy
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env, data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics

import skipjack.gym
from skipjack.errors import SkipjackError
from skipjack.spaces import Actions, Layout
from skipjack.spaces import gymnasium as spaces
from skipjack.vector.gymnasium import GymEnv, GymVector

IDS = skipjack.gym.ids()
SHORT = {
    "breakout": 60,
    "game_2048": 30,
    "grid": 20,
    "grid/keys": 20,
    "grid/maze47": 20,
    "memory": 5,
    "password": 4,
    "pong": 400,
    "reset_leak": 3,
    "stochastic": 9,
}
"""Time limits under which episodes end often; the other games are short as they are."""

MODES = [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP]
NAMES = sorted(IDS.values())


def short(name: str) -> dict[str, Any]:
    return {"time_limit": SHORT[name]} if name in SHORT else {}


@pytest.mark.parametrize("env_id", sorted(IDS))
def test_gymnasium_checks_every_game(env_id: str) -> None:
    check_env(gymnasium.make(env_id).unwrapped)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", NAMES)
def test_the_vector_equals_gymnasiums_over_single_envs(name: str, mode: AutoresetMode) -> None:
    """Every array and every info of every step, for the same seeds and actions."""
    settings = short(name)
    ours = GymVector(name, 5, autoreset_mode=mode, threads=1, **settings)
    theirs = SyncVectorEnv([lambda: GymEnv(name, **settings)] * 5, autoreset_mode=mode)
    assert ours.metadata == theirs.metadata
    for space in ("observation_space", "action_space"):
        assert getattr(ours, space) == getattr(theirs, space)
        assert getattr(ours, f"single_{space}") == getattr(theirs, f"single_{space}")
    ours.action_space.seed(4)
    ended = 0
    for seed in (3, [9, 8, 7, 6, 5]):
        pair = ours.reset(seed=seed), theirs.reset(seed=seed)
        assert data_equivalence(*pair, exact=True)
        for step in range(150):
            actions = ours.action_space.sample()
            own, other = ours.step(actions), theirs.step(actions)
            assert own[1].dtype == np.float32
            assert np.array_equal(own[1], other[1]), f"rewards differ at step {step}"
            for i, what in ((0, "observations"), (2, "terminated"), (3, "truncated")):
                assert data_equivalence(own[i], other[i], exact=True), f"{what}, step {step}"
            assert same_infos(own[4], other[4]), f"infos differ at step {step}"
            ended += int((own[2] | own[3]).sum())
    assert ended > 10
    ours.close()
    theirs.close()


def same_infos(own: Any, other: Any) -> bool:
    """As `data_equivalence`, whatever the order, and with object arrays' empty places."""
    if isinstance(own, dict):
        return own.keys() == other.keys() and all(same_infos(own[k], other[k]) for k in own)
    if isinstance(own, np.ndarray) and own.dtype == object:
        return all(same_infos(a, b) for a, b in zip(own, other, strict=True))
    return data_equivalence(own, other, exact=True)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
def test_threads_change_nothing(mode: AutoresetMode) -> None:
    one, three = (
        GymVector("pong", 9, autoreset_mode=mode, threads=n, time_limit=80) for n in (1, 3)
    )
    one.reset(seed=2), three.reset(seed=2)
    for step in range(100):
        actions = np.random.default_rng(step).integers(3, size=9)
        own, other = one.step(actions), three.step(actions)
        assert data_equivalence(own[:4], other[:4], exact=True)
        assert same_infos(own[4], other[4])
    three.close()


def test_copies_are_the_callers_and_views_are_not() -> None:
    for copied in (True, False):
        for mode in MODES:
            vector = GymVector("cartpole", 4, copy=copied, autoreset_mode=mode, threads=1)
            first, _ = vector.reset(seed=1)
            kept = copy.deepcopy(first)
            stepped = vector.step(np.zeros(4, int))
            assert np.array_equal(first, kept) == copied
            shared = np.shares_memory(stepped[0], vector.vector.rows.observations)
            assert shared != copied
            assert np.shares_memory(stepped[1], vector.vector.rows.rewards) != copied


def test_seeds() -> None:
    vector = GymVector("cartpole", 3, threads=1)
    by_number, _ = vector.reset(seed=5)
    assert np.array_equal(by_number, vector.reset(seed=[5, 6, 7])[0])
    assert np.array_equal(by_number[1], GymEnv("cartpole").reset(seed=6)[0])
    vector.reset(seed=5)
    drawn, _ = vector.reset()
    vector.reset(seed=5)
    assert np.array_equal(drawn, vector.reset()[0]), "drawn seeds follow the last one given"
    some, _ = vector.reset(seed=[None, 6, None])
    assert np.array_equal(some[1], by_number[1])
    assert not np.array_equal(some[0], by_number[0])
    with pytest.raises(SkipjackError, match="seed for each env"):
        vector.reset(seed=[1, 2])
    with pytest.raises(SkipjackError, match="each resets itself"):
        vector.reset(options={"reset_mask": np.array([True, False, False])})


def played(env: GymEnv, resets: list[int | None], episodes: int) -> list[float]:
    """The first number of each first observation; episodes to their end, or left in the middle."""
    found = []
    for i in range(episodes):
        first, _ = env.reset(seed=resets[i])
        found.append(float(first[0]))
        over = False
        while not over:
            *_, terminated, truncated, _ = env.step(0)
            over = terminated or truncated
    return found


def test_no_episode_is_lost_or_doubled() -> None:
    """Unseeded resets give the stream's episodes one by one, as the engine itself does."""
    env = GymEnv("cartpole")
    found = played(env, [3, None, None, None], 4)
    engine = GymVector("cartpole", 1, threads=1)
    firsts = [float(engine.reset(seed=3)[0][0, 0])]
    while len(firsts) < 4:
        seen, _, terminated, truncated, _ = engine.step(np.zeros(1, int))
        if terminated[0] or truncated[0]:
            firsts.append(float(seen[0, 0]))
    assert found == firsts
    assert len(set(found)) == 4
    assert played(env, [3, None, 3, None], 4) == [*found[:2], *found[:2]]


def test_a_reset_within_an_episode_begins_another() -> None:
    env = GymEnv("cartpole")
    first, _ = env.reset(seed=1)
    second, _ = env.reset()
    env.step(0)
    third, _ = env.reset()
    assert len({seen.tobytes() for seen in (first, second, third)}) == 3
    env.reset(seed=1)
    assert np.array_equal(env.reset()[0], second)


def test_an_episode_that_is_over_waits_for_a_reset() -> None:
    env = GymEnv("truncation", time_limit=2)
    with pytest.raises(SkipjackError, match=r"reset\(\) must come before step"):
        env.step(0)
    env.reset(seed=0)
    env.step(0)
    seen, reward, terminated, truncated, info = env.step(0)
    assert (terminated, truncated) == (False, True)
    assert type(reward) is float
    assert info["record"]["length"] == 2
    assert info["record"]["return"] == pytest.approx(reward, abs=5)
    assert not np.array_equal(seen, env.vector.rows.observations[0]), "the last observation"
    with pytest.raises(SkipjackError, match=r"reset\(\) must come before step"):
        env.step(0)
    with pytest.raises(SkipjackError, match=r"reset\(\) must come before step"):
        GymVector("cartpole", 2, threads=1).step([0, 0])


def test_records_are_whole_and_clash_with_no_wrapper() -> None:
    """Gymnasium's own counts of return and length agree with the records."""
    single = gymnasium.wrappers.RecordEpisodeStatistics(GymEnv("breakout", time_limit=400))
    single.reset(seed=1)
    info: dict[str, Any] = {}
    while "record" not in info:
        *_, info = single.step(single.action_space.sample())
    assert info["record"]["return"] == pytest.approx(info["episode"]["r"])
    assert info["record"]["length"] == info["episode"]["l"]
    assert {"score", "bricks"} <= set(info["record"]) or "score" in info["record"]
    for mode in MODES:
        vector = RecordEpisodeStatistics(GymVector("cartpole", 6, autoreset_mode=mode, threads=1))
        vector.reset(seed=1)
        ended = 0
        for _ in range(120):
            *_, infos = vector.step(vector.action_space.sample())
            place = infos.get("final_info", {}) if mode == AutoresetMode.SAME_STEP else infos
            if "record" in place:
                over = place["_record"]
                counted = infos.get("episode", place.get("episode"))
                assert np.allclose(place["record"]["return"][over], counted["r"][over])
                assert np.array_equal(place["record"]["length"][over], counted["l"][over])
                ended += int(over.sum())
        assert ended > 10


def test_masks_of_legal_actions() -> None:
    env = GymEnv("bandit/masked")
    _, info = env.reset(seed=1)
    assert info["action_mask"].sum() == 5
    assert info["action_mask"].dtype == np.uint8
    assert np.array_equal(env.action_masks(), info["action_mask"] > 0)
    *_, info = env.step(env.action_space.sample(mask=info["action_mask"].astype(np.int8)))
    assert "action_mask" not in info, "nothing is to be done in a last observation"
    assert GymEnv("cartpole").action_masks().tolist() == [True, True]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("cartpole", 2),
        ("cartpole", -1),
        ("cartpole", 0.5),
        ("cartpole", None),
        ("cartpole", [0, 1]),
        ("continuous", [0.1, 0.1, 0.1]),
        ("spaces", {"column": 1}),
        ("spaces", {"column": 5, "level": 0.0}),
    ],
)
def test_actions_must_be_of_the_space(name: str, wrong: Any) -> None:
    env = GymEnv(name)
    env.reset(seed=0)
    with pytest.raises(SkipjackError, match="must be"):
        env.step(wrong)
    env.step(env.action_space.sample())


@pytest.mark.parametrize(
    ("layout", "space"),
    [
        (Layout.box((3,), low=-1, high=2), gymnasium.spaces.Box(-1, 2, (3,), np.float32)),
        (Layout.box((1,)), gymnasium.spaces.Box(-np.inf, np.inf, (1,), np.float32)),
        (Layout.box((2, 2), np.uint8), gymnasium.spaces.Box(0, 255, (2, 2), np.uint8)),
        (
            Layout.box((4, 4), np.uint8, kinds=3),
            gymnasium.spaces.Box(0, 2, (4, 4), np.uint8),
        ),
        (
            Layout.box((2,), np.int64),
            gymnasium.spaces.Box(-(2**63), 2**63 - 1, (2,), np.int64),
        ),
        (Layout.box((2,), np.bool_), gymnasium.spaces.Box(0, 1, (2,), np.bool_)),
        (
            Layout.of({"b": (2,), "a": (1, 3)}),
            gymnasium.spaces.Dict(
                a=gymnasium.spaces.Box(-np.inf, np.inf, (1, 3), np.float32),
                b=gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float32),
            ),
        ),
    ],
)
def test_observation_spaces(layout: Layout, space: Any) -> None:
    found = spaces.observation_space(layout)
    assert found == space
    row = np.zeros(layout.shape, layout.dtype)
    assert spaces.observations(layout, row) in found


@pytest.mark.parametrize(
    "action",
    [
        Actions.discrete(4),
        Actions.discrete(4, 2),
        Actions.binary(3),
        Actions.continuous(2, low=-2, high=0.5),
        Actions(counts=(3,), low=(-1.0, 0.0), high=(1.0, 2.0)),
        Actions(counts=(3, 5), low=(-1.0,), high=(1.0,)),
        Actions.named({"speed": (0.0, 1.0), "gear": 4, "horn": 2}),
    ],
    ids=str,
)
def test_actions_go_through_their_space_and_back(action: Actions) -> None:
    """One at a time and in batches: what the space samples is what the rows hold."""
    space = spaces.action_space(action)
    space.seed(3)
    samples = [space.sample() for _ in range(4)]
    rows = np.concatenate([spaces.action_rows(action, sample, 1) for sample in samples])
    assert rows.shape == (4, action.width)
    batched = gymnasium.vector.utils.batch_space(space, 4)
    empty = gymnasium.vector.utils.create_empty_array(space, 4)
    batch = gymnasium.vector.utils.concatenate(space, samples, empty)
    assert batch in batched
    assert np.array_equal(spaces.action_rows(action, batch, 4), rows)
    if action.low:
        reals = rows[:, len(action.counts) :]
        assert (reals >= np.float32(action.low)).all()
        assert (reals <= np.float32(action.high)).all()
