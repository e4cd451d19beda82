"""`render_mode="rgb_array"` as Gymnasium and PettingZoo know it: the same pixels as the raster."""

from __future__ import annotations

import subprocess
import sys
import types
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import AddRenderObservation, RecordVideo, RenderCollection

import skipjack.gym
from skipjack.errors import SkipjackError
from skipjack.vector.gymnasium import GymEnv, GymVector
from tests.emulate.envs import Walk

pytest.importorskip("PIL")

from skipjack.native.raster import render

Pixels = npt.NDArray[Any]
BREAKOUT = "skipjack.gym:skipjack/Breakout-v0"


def equal(*pictures: Pixels) -> bool:
    return all(np.array_equal(pictures[0], other) for other in pictures[1:])


def drawn(door: Any, env: int = 0) -> Pixels:
    """What the engine would draw now."""
    return render(door.unwrapped.vector.engine.scene(env))


@pytest.mark.parametrize("env_id", sorted(skipjack.gym.ids()))
def test_gymnasium_checks_every_games_pictures(env_id: str) -> None:
    env = gymnasium.make(env_id, render_mode="rgb_array")
    check_env(env.unwrapped)
    env.reset(seed=1)
    assert equal(env.render(), drawn(env))


def test_frames_a_second_are_the_games_own() -> None:
    assert GymEnv("breakout", frame_skip=4).metadata["render_fps"] == 15
    assert GymVector("pong", 2, threads=1, frame_skip=1).metadata["render_fps"] == 60
    assert GymEnv("squared").metadata == GymEnv.metadata


def until_the_end(env: Any, look: bool) -> list[Pixels]:
    """The pictures from a reset to the end; `render` is called at each or never.

    A twin of the same game that acts alike, but has a longer time limit, draws the last one.
    """
    twin = GymEnv("breakout")
    twin.reset(seed=4)
    env.reset(seed=4)
    env.action_space.seed(4)
    pictures = []
    while True:
        pictures.append(drawn(env))
        if look:
            assert equal(env.render(), pictures[-1])
        action = env.action_space.sample()
        twin.step(action)
        *_, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            return [*pictures, drawn(twin)]


def test_an_end_shows_no_other_episode() -> None:
    """The engine has gone on, the env rests: until reset() the last picture stays."""
    env = gymnasium.make(BREAKOUT, render_mode="rgb_array", time_limit=80)
    pictures = until_the_end(env, look=True)
    for _ in range(2):
        assert equal(env.render(), pictures[-1])
    assert not equal(drawn(env), pictures[-1])
    env.reset()
    assert equal(env.render(), drawn(env))
    env = gymnasium.make(BREAKOUT, render_mode="rgb_array", time_limit=80)
    pictures = until_the_end(env, look=False)
    assert equal(env.render(), pictures[-1]), "the first look comes after the end"


def test_a_vector_renders_as_gymnasiums() -> None:
    for mode in (AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP):
        settings: dict[str, Any] = {"render_mode": "rgb_array", "time_limit": 60}
        ours = GymVector("breakout", 3, autoreset_mode=mode, threads=1, **settings)
        theirs = SyncVectorEnv([lambda: GymEnv("breakout", **settings)] * 3, autoreset_mode=mode)  # noqa: B023
        assert (ours.metadata, ours.render_mode) == (theirs.metadata, theirs.render_mode)
        ours.reset(seed=2), theirs.reset(seed=2)
        ours.action_space.seed(1)
        for step in range(40):
            frames, wanted = ours.render(), theirs.render()
            assert isinstance(frames, tuple)
            assert all(map(equal, frames, wanted)), f"{mode}, step {step}"
            actions = ours.action_space.sample()
            ours.step(actions), theirs.step(actions)


def test_a_vector_draws_only_for_who_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stable-Baselines3 asks for pictures whatever it does."""
    for door in (
        GymEnv("cartpole", "rgb_array"),
        GymVector("cartpole", 1, "rgb_array", AutoresetMode.NEXT_STEP, threads=1),
    ):
        door.reset(seed=1)
        monkeypatch.setattr(type(door.vector.engine), "scene", None)
        for _ in range(5):
            door.step(door.action_space.sample())
        monkeypatch.undo()


def test_make_vec_renders() -> None:
    vector: Any = gymnasium.make_vec(BREAKOUT, num_envs=2, render_mode="rgb_array")
    vector.reset(seed=1)
    assert [frame.shape for frame in vector.render()] == [(330, 576, 3)] * 2
    assert equal(vector.render()[1], drawn(vector, 1))


def test_gymnasiums_wrappers_see_the_pictures() -> None:
    env: Any = RenderCollection(gymnasium.make(BREAKOUT, render_mode="rgb_array", time_limit=40))
    pictures = until_the_end(env, look=False)
    frames = env.render()
    assert len(frames) == len(pictures)
    assert all(map(equal, frames, pictures))
    assert GymEnv.metadata["render_modes"] == ["rgb_array"], "what wrappers add is their own"
    squared = GymEnv("squared", "rgb_array")
    seen, _ = AddRenderObservation(squared).reset(seed=1)
    assert equal(seen, drawn(squared))
    listed = gymnasium.make(BREAKOUT, render_mode="rgb_array_list")
    listed.reset()
    assert len(listed.render()) == 1


def test_gymnasiums_own_recorder(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its encoder, moviepy, is replaced by one that keeps the frames."""
    clips: list[tuple[list[Pixels], float]] = []

    class Clip:
        def __init__(self, frames: list[Pixels], fps: float) -> None:
            clips.append((frames, fps))

        def write_videofile(self, path: str, **_: Any) -> None:
            pass

    module: Any = types.ModuleType("moviepy.video.io.ImageSequenceClip")
    module.ImageSequenceClip = Clip
    for name in ("moviepy", "moviepy.video", "moviepy.video.io"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(sys.modules["moviepy.video.io"], "ImageSequenceClip", module, raising=False)
    env = RecordVideo(
        gymnasium.make(BREAKOUT, render_mode="rgb_array", time_limit=40),
        str(tmp_path),
        episode_trigger=lambda episode: True,
    )
    pictures = until_the_end(env, look=False)
    env.close()
    ((frames, fps),) = clips
    assert fps == 15
    assert all(map(equal, frames, pictures))


def test_pettingzoos_door_renders() -> None:
    pytest.importorskip("pettingzoo")
    from skipjack.vector.pettingzoo import Parallel

    env = Parallel("pong/two", "rgb_array", time_limit=80)
    assert env.metadata["render_modes"] == ["rgb_array"]
    assert env.metadata["render_fps"] == 7.5
    twin = Parallel("pong/two", "rgb_array")  # acts alike, but its game goes on
    for seed in (3, 4, None):
        env.reset(seed=seed)
        twin.reset(seed=seed)
        while env.agents:
            before = env.render()
            assert equal(before, drawn(env))
            actions = {agent: env.action_space(agent).sample() for agent in env.agents}
            env.step(actions)
            twin.step(actions)
        last = env.render()
        assert not equal(drawn(env), last)
        assert not equal(before, last)
        assert seed is None or equal(twin.render(), last)
    with pytest.warns(UserWarning, match="render_mode"):
        assert Parallel("pong/two").render() is None


class Painter(Walk):
    """Paints another picture in each of its steps."""

    def render(self) -> Pixels:
        return np.random.default_rng(self.clock).integers(256, size=(5, 7, 3), dtype=np.uint8)


def test_foreign_frames_come_through_as_they_are() -> None:
    env = GymEnv(f"{__name__}:Painter", "rgb_array", kwargs='{"render_mode": "rgb_array"}')
    env.reset(seed=1)
    painter, over = Painter(), False
    painter.clock = 0
    while not over:
        assert equal(env.render(), painter.render())
        *_, terminated, truncated, _ = env.step(0)
        over = terminated or truncated
        painter.clock += 1
    assert painter.clock > 0
    assert equal(env.render(), painter.render())


def test_modes() -> None:
    for door in (GymEnv, lambda name, mode: GymVector(name, 2, mode)):
        with pytest.raises(SkipjackError, match=r'"rgb_array" or None.*human.*skipjack play'):
            door("cartpole", "human")
    env = GymEnv("cartpole")
    env.reset(seed=1)
    with pytest.warns(UserWarning, match='without render_mode="rgb_array"'):
        assert env.render() is None
    with pytest.warns(UserWarning, match='without render_mode="rgb_array"'):
        assert GymVector("cartpole", 2, threads=1).render() is None


def test_without_pillow_only_render_fails() -> None:
    code = f"""
import sys; sys.modules["PIL"] = None
import gymnasium
env = gymnasium.make("{BREAKOUT}", render_mode="rgb_array")
env.reset(seed=1); env.step(0); print("stepped", flush=True)
env.render()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "stepped\n"
    assert 'pip install "skipjack[view]"' in done.stderr.splitlines()[-1]


def test_stable_baselines_renders() -> None:
    pytest.importorskip("stable_baselines3")
    from stable_baselines3.common.env_util import make_vec_env

    vector = make_vec_env(BREAKOUT, n_envs=2)
    vector.reset()
    assert vector.render_mode == "rgb_array"
    assert [frame.shape for frame in vector.get_images()] == [(330, 576, 3)] * 2
