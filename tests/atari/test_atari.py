"""Atari games: the engine's contract, every game, the same bytes as Gymnasium, scores and lives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
import pytest
from skipjack.atari.pixels import Areas

import skipjack
from skipjack import registry
from skipjack.atari import human, names
from skipjack.atari.config import AtariConfig
from skipjack.atari.engine import Atari
from skipjack.atari.machine import Machine
from skipjack.errors import RunError, SkipjackError, UsageError
from skipjack.native.scene import Image
from skipjack.rows import Rows, identity_rows
from skipjack.run.config import configure
from skipjack.seeding import env_seeds
from skipjack.testing import EngineContract

ale_py = pytest.importorskip("ale_py")

SHORT = {"frame_limit": 240, "noops": 3}


def started(engine: Any, seed: int = 3, final_all: bool = False) -> Rows:
    rows = Rows.allocate(engine.num_envs, engine.observation, engine.action)
    engine.bind(rows, identity_rows(engine.num_envs, 1), final_all)
    engine.reset(0, engine.num_envs, env_seeds(seed, 0, engine.num_envs))
    return rows


class TestPong(EngineContract):
    steps = 90

    def make_engine(self, num_envs: int) -> Any:
        return Atari("pong", num_envs, AtariConfig(**SHORT))

    def make_longer(self, num_envs: int) -> Any:
        return Atari("pong", num_envs, AtariConfig(noops=3, desynchronise=False))


class TestBreakoutStacked(EngineContract):
    steps = 90

    def make_engine(self, num_envs: int) -> Any:
        settings: dict[str, Any] = {
            "stack": 4,
            "max_pool": True,
            "sticky": 0.25,
            "fire_at_reset": True,
        }
        return Atari("breakout", num_envs, AtariConfig(**SHORT, **settings))


class TestSeaquestInColour(EngineContract):
    steps = 60

    def make_engine(self, num_envs: int) -> Any:
        settings: dict[str, Any] = {"grayscale": False, "resize": "none", "episodic_life": True}
        return Atari("seaquest", num_envs, AtariConfig(**SHORT, **settings))


@pytest.mark.parametrize("game", names.games())
def test_every_game_steps_and_goes_on_from_its_bytes(game: str) -> None:
    engine = Atari(game, 1, AtariConfig(desynchronise=False))
    rows = started(engine)
    generator = np.random.default_rng(0)

    def play(steps: int) -> None:
        for _ in range(steps):
            rows.actions[:] = generator.integers(0, engine.action.counts[0], (1, 1))
            engine.step(0, 1)

    play(40)
    saved, seen = engine.save(0, 1), rows.observations.copy()
    ends = []
    for _ in range(2):
        engine.load(0, 1, saved)
        rows.observations[:] = seen
        generator = np.random.default_rng(1)
        play(20)
        ends.append((rows.observations.copy(), engine.save(0, 1)))
    assert rows.observations.std() > 0
    np.testing.assert_array_equal(ends[0][0], ends[1][0])
    assert ends[0][1] == ends[1][1]
    engine.load(0, 1, saved)
    play(1)
    (image,) = engine.scene(0).items
    assert isinstance(image, Image)


@pytest.mark.parametrize(
    "to", [(84, 84), (105, 77), (42, 42), (64, 64), (1, 1), (13, 159), (210, 160)]
)
def test_means_of_areas_are_those_of_opencv(to: tuple[int, int]) -> None:
    """To the byte, noise and two colours (whose means fall on halves) alike."""
    cv2 = pytest.importorskip("cv2")
    areas, found = Areas((210, 160), to), np.zeros(to, np.uint8)
    generator = np.random.default_rng(0)
    for _ in range(50):
        noise = generator.integers(0, 256, (210, 160)).astype(np.uint8)
        two = generator.choice(generator.integers(0, 256, 2), (210, 160)).astype(np.uint8)
        for screen in (noise, two):
            areas.shrink(screen, screen, found)
            wanted = cv2.resize(screen, to[::-1], interpolation=cv2.INTER_AREA)
            np.testing.assert_array_equal(found, wanted)
        areas.shrink(noise, two, found)
        pooled = np.maximum(noise, two)
        wanted = cv2.resize(pooled, to[::-1], interpolation=cv2.INTER_AREA)
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("game", ["pong", "breakout", "seaquest", "beam_rider"])
@pytest.mark.parametrize("colour", [False, True])
def test_observations_are_those_of_gymnasiums_preprocessing(game: str, colour: bool) -> None:
    """To the byte, over whole games: 84 x 84 by areas, the brighter of two frames, skip 4."""
    pytest.importorskip("cv2")
    gymnasium.register_envs(ale_py)
    title = "".join(word.title() for word in game.split("_"))
    bare = gymnasium.make(
        f"ALE/{title}-v5", frameskip=1, repeat_action_probability=0.0, max_num_frames_per_episode=0
    )
    theirs: Any = gymnasium.wrappers.AtariPreprocessing(
        bare, noop_max=0, frame_skip=4, screen_size=84, grayscale_obs=not colour
    )
    flags: dict[str, Any] = {
        "env.noops": 0, "env.fire_at_reset": False, "env.episodic_life": False,  # as docs/atari.md says
        "env.desynchronise": False, "env.clip_rewards": False,  # what is not observed
    }  # fmt: skip
    if colour:
        flags |= {"env.grayscale": False, "env.stack": 1}
    else:
        theirs = gymnasium.wrappers.FrameStackObservation(theirs, 4)
    config: Any = configure(f"atari:{game}/standard", flags=flags).config.env
    ours = Atari(game, 1, config)
    rows = started(ours, final_all=True)
    seen, _ = theirs.reset(seed=1)
    generator = np.random.default_rng(0)
    games = 0
    for step in range(900):
        wanted = seen.transpose(2, 0, 1) if colour else seen
        np.testing.assert_array_equal(rows.observations[0], wanted, err_msg=f"step {step}")
        action = int(generator.integers(ours.action.counts[0]))
        rows.actions[:] = action
        ours.step(0, 1)
        seen, reward, terminated, truncated, _ = theirs.step(action)
        assert (rows.rewards[0], rows.terminated[0]) == (reward, terminated)
        if terminated or truncated:
            games += 1
            wanted = seen.transpose(2, 0, 1) if colour else seen
            np.testing.assert_array_equal(rows.final[0], wanted, err_msg=f"end at {step}")
            seen, _ = theirs.reset()
    assert games or game != "breakout"


def test_fire_is_held_for_a_step_where_a_game_begins() -> None:
    """Tennis is served, which a single frame of fire does not do: the same frames without it differ."""
    config = AtariConfig(fire_at_reset=True, noops=0, desynchronise=False)
    fired, waited = Atari("tennis", 1, config), Atari("tennis", 1, config)
    waited.machines[0].fire = 0  # as long, but doing nothing
    mine, other = started(fired), started(waited)
    for _ in range(30):
        for engine, rows in ((fired, mine), (waited, other)):
            rows.actions[:] = 0
            engine.step(0, 1)
    assert (mine.observations != other.observations).any()


def test_a_life_ends_with_its_frame() -> None:
    """As Gymnasium's terminal_on_life_loss: what follows the loss belongs to the next episode."""
    config = AtariConfig(noops=0, desynchronise=False, episodic_life=True, fire_at_reset=True)
    engine = Atari("breakout", 1, config)
    rows = started(engine)
    ends = []
    for _ in range(400):
        rows.actions[:] = 0
        engine.step(0, 1)
        if rows.terminated[0]:
            (record,) = engine.records(0, 1)
            if record["stats"][2] > 0:  # lives are left: not the game's own end
                ends.append(int(record["stats"][1]))
    assert len(ends) > 3
    assert any(frames % 4 for frames in ends)


def test_a_life_lost_with_the_last_frame_ends_it_for_the_learner() -> None:
    """The value of what follows must not enter its returns, though the game ends there too."""
    settings: dict[str, Any] = {"noops": 0, "desynchronise": False, "episodic_life": True}

    def until_an_end(limit: int) -> tuple[Rows, Any]:
        engine = Atari(
            "breakout", 1, AtariConfig(fire_at_reset=True, frame_limit=limit, **settings)
        )
        rows = started(engine)
        while not (rows.terminated[0] or rows.truncated[0]):
            rows.actions[:] = 0
            engine.step(0, 1)
        return rows, engine.records(0, 1)[0]

    _, lost = until_an_end(10_000)
    rows, record = until_an_end(int(lost["stats"][1]))
    assert (rows.terminated[0], rows.truncated[0]) == (True, False)
    assert (lost["partial"], lost["truncated"]) == (True, False)
    assert (record["partial"], record["truncated"]) == (False, False)


@pytest.mark.parametrize("max_pool", [False, True])
def test_a_stride_takes_every_second_pixel(max_pool: bool) -> None:
    """Of the emulator's own gray, whatever numbers its palette has."""
    for game in ("pong", "enduro", "qbert", "air_raid"):
        engine = Atari(game, 1, AtariConfig(max_pool=max_pool, frame_skip=1, desynchronise=False))
        rows = started(engine)
        gray = engine.machines[0].ale.getScreenGrayscale
        before = gray()
        for _ in range(60):
            engine.step(0, 1)
            whole = gray()
            wanted = np.maximum(before, whole) if max_pool else whole
            np.testing.assert_array_equal(rows.observations[0], wanted[::2, ::2])
            before = whole


def test_pooling_shows_the_brighter_of_the_last_two_frames() -> None:
    pooled = Atari("space_invaders", 1, AtariConfig(max_pool=True, desynchronise=False))
    single = Atari("space_invaders", 1, AtariConfig(frame_skip=1, desynchronise=False))
    both, one = started(pooled), started(single)
    for _ in range(100):
        pooled.step(0, 1)
        frames = []
        for _ in range(4):
            single.step(0, 1)
            frames.append(one.observations[0].copy())
        np.testing.assert_array_equal(both.observations[0], np.maximum(frames[2], frames[3]))


def test_a_stack_holds_the_newest_frames_and_begins_with_the_first() -> None:
    stacked = Atari("breakout", 1, AtariConfig(stack=4, desynchronise=False))
    single = Atari("breakout", 1, AtariConfig(desynchronise=False))
    four, one = started(stacked), started(single)
    frames = [one.observations[0].copy()] * 4
    for step in range(400):
        np.testing.assert_array_equal(four.observations[0], frames[-4:])
        four.actions[:] = one.actions[:] = step % 4
        stacked.step(0, 1)
        single.step(0, 1)
        over = bool(one.terminated[0])
        frames = [one.observations[0].copy()] * 4 if over else [*frames, one.observations[0].copy()]


def play_out(engine: Atari, rows: Rows, steps: int) -> list[npt.NDArray[Any]]:
    generator = np.random.default_rng(0)
    found = []
    for _ in range(steps):
        rows.actions[:] = generator.integers(0, engine.action.counts[0], rows.actions.shape)
        engine.step(0, engine.num_envs)
        found += list(engine.records(0, engine.num_envs))
    return found


def test_records_hold_the_games_own_score_whatever_the_learner_sees() -> None:
    raw = Atari("space_invaders", 1, AtariConfig(clip_rewards=False, desynchronise=False))
    rows, total = started(raw), 0.0
    found = []
    for step in range(2000):
        rows.actions[:] = step % 6
        raw.step(0, 1)
        total += float(rows.rewards[0])
        if len(raw.records(0, 1)):
            found.append(total)
            total = 0.0
    clipped = Atari("space_invaders", 1, AtariConfig(desynchronise=False))
    rows, records = started(clipped), []
    for step in range(2000):
        rows.actions[:] = step % 6
        clipped.step(0, 1)
        assert rows.rewards[0] in (-1, 0, 1)
        records += list(clipped.records(0, 1))
    assert found
    assert [float(record["return"]) for record in records] == found
    random, person = human.SCORES["space_invaders"]
    for record in records:
        on_scale = (record["return"] - random) / (person - random)
        assert record["stats"][0] == pytest.approx(on_scale)
        assert record["score"] == pytest.approx(min(max(on_scale, 0), 1))


def test_a_lost_life_ends_the_learners_episode_and_not_the_game() -> None:
    settings: dict[str, Any] = {
        "episodic_life": True,
        "desynchronise": False,
        "fire_at_reset": True,
    }
    engine = Atari("breakout", 1, AtariConfig(**settings))
    rows = started(engine)
    lives, ends, games = [], 0, []
    for step in range(1200):
        rows.actions[:] = (1, 2, 3)[step % 3]
        engine.step(0, 1)
        ends += int(rows.terminated[0])
        lives.append(engine.machines[0].lives)
        for record in engine.records(0, 1):
            if not record["partial"]:
                games.append(record)
    assert games
    assert ends >= 5 * len(games)
    assert all(record["stats"][2] == 0 for record in games)
    whole = Atari("breakout", 1, AtariConfig(**{**settings, "episodic_life": False}))
    rows = started(whole)
    first = next(record for record in play_out(whole, rows, 1200) if not record["partial"])
    assert first["length"] > 30


def test_a_frame_limit_truncates() -> None:
    engine = Atari("pong", 1, AtariConfig(frame_limit=100, desynchronise=False))
    rows = started(engine)
    for _ in range(25):
        assert not rows.truncated[0]
        engine.step(0, 1)
    assert rows.truncated[0]
    assert not rows.terminated[0]
    (record,) = engine.records(0, 1)
    assert (record["length"], record["stats"][1], bool(record["truncated"])) == (25, 100, True)


def test_first_games_are_cut_and_marked() -> None:
    engine = Atari("pong", 8, AtariConfig(frame_limit=400))
    records = play_out(engine, started(engine), 150)
    first = [record for record in records if record["episode"] == 0]
    assert len(first) == 8
    assert all(record["partial"] for record in first)
    assert len({int(record["length"]) for record in first}) > 3
    assert not any(record["partial"] for record in records if record["episode"])


def test_modes_difficulties_and_all_actions() -> None:
    engine = Atari("breakout", 1, AtariConfig(full_actions=True, mode=4, difficulty=1))
    assert engine.action.counts == (18,)
    assert len(engine.action.names) == 18
    with pytest.raises(UsageError, match=r"env.mode must be one that 'pong' has: 0, 1"):
        Atari("pong", 1, AtariConfig(mode=77))
    with pytest.raises(UsageError, match=r"env.difficulty must be one that 'qbert' has"):
        Atari("qbert", 1, AtariConfig(difficulty=3))


@pytest.mark.parametrize(
    "name", ["beam_rider", "BeamRider", "beam-rider", "Beam Rider", "beamrider"]
)
def test_any_spelling_names_a_game(name: str) -> None:
    entry = registry.resolve(f"atari:{name}")
    assert (entry.full_name, entry.target) == ("atari:beam_rider", "atari:beam_rider")
    assert registry.resolve(f"atari:{name}/standard").full_name == "atari:beam_rider/standard"
    assert registry.resolve(f"atari:{name}/fast") == entry


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pnog", "There is no Atari game 'pnog'. Did you mean 'pong'"),
        ("pong/fats", "There is no environment 'atari:pong/fats'. Did you mean 'atari:pong/fast'"),
        ("joust", "is for two people"),
    ],
)
def test_wrong_names_get_suggestions(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("?", r"\?")):
        registry.resolve(f"atari:{name}")


def test_without_ale_py_there_is_the_line_that_helps(tmp_path: Path) -> None:
    code = (
        "import sys, importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'ale_py' else find(name, *a)\n"
        "from skipjack.cli.main import main; sys.exit(main(['train', 'atari:pong']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 1
    assert 'pip install "skipjack[atari]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_a_game_that_cannot_be_loaded_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from ale_py import roms

    (tmp_path / "pong.bin").write_bytes(b"no game")
    monkeypatch.setattr(roms, "get_rom_path", lambda game: tmp_path / f"{game}.bin")
    with pytest.raises(RunError, match="must be one that ale-py can load"):
        Machine("pong", AtariConfig())
    monkeypatch.setattr(roms, "get_rom_path", lambda game: None)
    with pytest.raises(RunError, match="must be one that ale-py can load"):
        Machine("pong", AtariConfig())


def test_damaged_bytes_are_an_error() -> None:
    engine = Atari("pong", 1, AtariConfig())
    started(engine)
    saved = engine.save(0, 1)
    for damaged in (saved[:-20], saved[:40], b""):
        with pytest.raises(SkipjackError):
            engine.load(0, 1, damaged)


def test_workers_make_no_difference() -> None:
    """Two processes and one, in the same steps."""
    seen = []
    for workers in (1, 2):
        vector = skipjack.make("atari:pong", 4, workers=workers, config={"frame_limit": 200})
        batch = vector.reset(5)
        generator = np.random.default_rng(0)
        for _ in range(60):
            batch = vector.step(vector.action.draw(generator, 4))
        seen.append(batch.observations.copy())
        vector.close()
    np.testing.assert_array_equal(*seen)


def test_presets_are_merged_with_a_games_own() -> None:
    fast, standard = configure("atari:pong"), configure("atari:pong/standard")
    assert (fast.config.policy.memory, fast.config.env.stack) == ("none", 2)
    lean = configure("atari:pong/lstm")
    assert (lean.config.policy.memory, lean.config.env.stack) == ("lstm", 1)
    assert (standard.config.env.stack, standard.config.env.resize) == (4, "area")
    assert fast.config.env.sticky == standard.config.env.sticky == 0
    assert configure("atari:Breakout").config.env.fire_at_reset  # a game's own file lies on top
    assert configure("atari:Breakout").config.policy == fast.config.policy
