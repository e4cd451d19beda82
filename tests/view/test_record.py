"""A person's play is kept and replayed exactly."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skipjack import config as settings
from skipjack.errors import RunError
from skipjack.run.config import configure
from skipjack.view import record
from skipjack.view.record import Recorder
from skipjack.view.world import World


def played(folder: Path, name: str, steps: int, seed: int = 3, **changes: object) -> Path:
    """A play of random actions."""
    world = World(configure(name), 1, **changes)
    recorder = Recorder(folder, name, settings.flatten(world.config), [0])
    generator = np.random.default_rng(0)
    recorder.reset(seed)
    world.reset(seed)
    for _ in range(steps):
        actions = world.vector.action.draw(generator, world.vector.num_rows)
        recorder.take(actions, world.step(actions, 0))
    recorder.save()
    (path,) = recorder.paths
    return path


@pytest.mark.parametrize("name", ["breakout", "pong/two", "spaces", "gymnasium:CartPole-v1"])
def test_a_replay_goes_as_the_play_went(tmp_path: Path, name: str) -> None:
    """Every reward, observation and episode, though envs are made anew."""
    kept = record.read(played(tmp_path, name, 300))
    ends = []
    for _ in range(2):
        world = World(configure(kept.env), 1, **kept.settings)
        world.reset(kept.seed)
        episodes = []
        for step, actions in enumerate(kept.actions):
            batch = world.step(actions, 0)
            record.check(kept, step, batch)
            episodes += [
                {key: float(each[key]) for key in record.RESULTS} for each in batch.episodes
            ]
        assert repr(episodes) == repr(kept.episodes)
        ends.append(batch.observations.copy())
    np.testing.assert_array_equal(*ends)


def test_settings_that_differ_from_the_preset_are_kept(tmp_path: Path) -> None:
    kept = record.read(played(tmp_path, "breakout", 5, frame_skip=1, balls=2))
    world = World(configure(kept.env), 1, **kept.settings)
    assert (world.config.frame_skip, world.config.balls) == (1, 2)


def test_a_play_is_whole_after_every_episode(tmp_path: Path) -> None:
    """What a kill in the next one leaves."""
    world = World(configure("password"))
    recorder = Recorder(tmp_path, "password", settings.flatten(world.config), [0])
    recorder.reset(1)
    world.reset(1)
    for _ in range(5):
        assert not recorder.paths
        actions = np.zeros((1, 1), np.int32)
        recorder.take(actions, world.step(actions, 0))
    (path,) = recorder.paths
    assert len(record.read(path).actions) == 5
    assert len(record.read(path).episodes) == 1


def test_a_restart_begins_another_play(tmp_path: Path) -> None:
    world = World(configure("pong"))
    recorder = Recorder(tmp_path, "pong", settings.flatten(world.config), [0])
    for seed in (1, 2):
        recorder.reset(seed)
        batch = world.reset(seed)
        recorder.take(np.zeros((1, 1), np.int32), batch)
    recorder.reset(3)
    assert [record.read(path).seed for path in recorder.paths] == [1, 2]
    assert [path.name for path in recorder.paths] == ["pong-1.play", "pong-2.play"]


def test_other_rules_are_an_error(tmp_path: Path) -> None:
    kept = record.read(played(tmp_path, "breakout", 200))
    world = World(configure("breakout"), 1, **{**kept.settings, "ball_size": 8.0})
    world.reset(kept.seed)

    def replay() -> None:
        for step, actions in enumerate(kept.actions):
            record.check(kept, step, world.step(actions, 0))

    with pytest.raises(RunError, match="must go as the play went, but differs at step"):
        replay()


def test_another_seed_or_action_is_an_error(tmp_path: Path) -> None:
    """Even where every reward is the same: all that a step leads to is compared."""
    kept = record.read(played(tmp_path, "cartpole", 8))
    other = np.where(np.arange(8)[:, None, None] == 3, 1 - kept.actions, kept.actions)
    for seed, actions in ((kept.seed + 1, kept.actions), (kept.seed, other)):
        world = World(configure("cartpole"), 1, **kept.settings)
        world.reset(seed)
        with pytest.raises(RunError, match="differs at step"):
            _ = [record.check(kept, i, world.step(each, 0)) for i, each in enumerate(actions)]


def test_rewards_of_nan_are_the_same_again(tmp_path: Path) -> None:
    kept = record.read(played(tmp_path, "tests.view.envs:Unknown", 5))
    world = World(configure(kept.env), 1, **kept.settings)
    world.reset(kept.seed)
    for step, actions in enumerate(kept.actions):
        record.check(kept, step, world.step(actions, 0))


@pytest.mark.parametrize(
    "changes",
    [
        {"env": 5}, {"settings": [1]}, {"seed": "a"}, {"rows": 3}, {"episodes": None}, {"more": 1},
        {"actions": np.zeros((3, 1), np.int32)}, {"checks": np.zeros(2, np.uint32)},
        {"actions": np.zeros((0, 1, 1), np.int32), "checks": np.zeros(0, np.uint32)},
    ],
)  # fmt: skip
def test_a_file_that_holds_something_else_is_an_error(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    from safetensors import safe_open
    from safetensors.numpy import save_file

    path = played(tmp_path, "cartpole", 3)
    with safe_open(path, "numpy") as file:
        about = json.loads(file.metadata()["skipjack"])
        arrays = {name: file.get_tensor(name) for name in ("actions", "checks")}
    about |= {name: value for name, value in changes.items() if name not in arrays}
    arrays |= {name: value for name, value in changes.items() if name in arrays}
    save_file(arrays, path, metadata={"skipjack": json.dumps(about)})
    with pytest.raises(RunError, match=r"'.*cartpole-1.play' must be a play that Skipjack kept"):
        record.read(path)


def test_actions_of_another_env_are_an_error(tmp_path: Path) -> None:
    kept = record.read(played(tmp_path, "pong", 3))
    wild = dataclasses.replace(kept, actions=kept.actions + 2)
    for name in ("cartpole", "pong/two", "continuous"):
        with pytest.raises(RunError, match="The actions of the play must be those of"):
            record.check_fits(wild, World(configure(name)).vector)


def test_a_long_episode_is_kept_every_few_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(record.time, "monotonic", lambda: clock[0])
    world = World(configure("breakout"))
    recorder = Recorder(tmp_path, "breakout", settings.flatten(world.config), [0])
    recorder.reset(1)
    world.reset(1)
    for second in range(8):
        clock[0] = float(second)
        actions = np.zeros((1, 1), np.int32)
        recorder.take(actions, world.step(actions, 0))
    (path,) = recorder.paths
    assert len(record.read(path).actions) == 7


@pytest.mark.parametrize("data", [b"", b"no play", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "])
def test_what_is_no_play_is_an_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.play"
    with pytest.raises(RunError, match="must be a play that Skipjack kept"):
        record.read(path)
    path.write_bytes(data)
    with pytest.raises(RunError, match="must be a play that Skipjack kept"):
        record.read(path)


def test_a_newer_format_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "FORMAT", 2)
    path = played(tmp_path, "pong", 3)
    monkeypatch.setattr(record, "FORMAT", 1)
    with pytest.raises(RunError, match="has format 2, but this version of Skipjack reads up to 1"):
        record.read(path)


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="The play must be kept in"):
        played(tmp_path / "file", "pong", 3)
