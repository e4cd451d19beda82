"""A session: keys in, steps at their pace, pictures out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skipjack import registry
from skipjack.cli.watch import WatchFlags, watched
from skipjack.native.scene import Circle, Image, Scene
from skipjack.policies.random import RandomActor
from skipjack.run.config import configure
from skipjack.view import keep
from skipjack.view.keys import CONTROLS, Keyboard
from skipjack.view.options import Options
from skipjack.view.players import Replayed
from skipjack.view.screen import Input
from skipjack.view.session import _CONTROLS, RATE, Session
from skipjack.view.tally import Tally
from skipjack.view.world import World
from tests.view.screens import Script, words


class Steps(list[Any]):
    """Actions of every step, as a session tells them."""

    def take(self, actions: Any, batch: Any) -> None:
        self.append(actions[:, 0].tolist())


def session(
    name: str, inputs: Iterable[Iterable[str] | Input], human: bool = True, **changes: Any
) -> tuple[Session, Script, Steps]:
    world = World(configure(name), **changes)
    screen, steps = Script(inputs), Steps()
    keyboard = Keyboard(world.vector.action, world.names, flows=world.flows)
    people = {0: keyboard} if human else {}
    actor = None if human else RandomActor(world.vector.action, 0)
    options = Options(seed=1, title=name)
    options.on_step = steps.take
    return Session(world, screen, actor, people, options), screen, steps


def play(session: Session, looks: int, start: float = 1000.0) -> None:
    """So many pictures, at their proper times."""
    for look in range(looks):
        session.frame(start + look / RATE)


def test_a_step_takes_as_many_pictures_as_ticks() -> None:
    playing, screen, steps = session("breakout", [()] * 40)
    play(playing, 40)
    assert len(steps) == 10
    balls = [
        next(item.y for item in scene.items if isinstance(item, Circle)) for scene in screen.scenes
    ]
    assert len(set(balls)) >= 38, "each picture is another tick"
    assert balls[:30] == sorted(balls[:30]), "the ball falls"


def test_ticks_between_steps_are_those_of_the_step() -> None:
    """The pictures between are what an engine shows that takes each tick alone."""
    whole, _, _ = session("breakout", [], human=False)
    ticks, _, _ = session("breakout", [], human=False, frame_skip=1)
    generator = np.random.default_rng(0)
    ended = False
    while not ended:
        action = generator.integers(0, 3, (1, 1)).astype(np.int32)
        batch = whole.world.step(action, 0)
        ended = bool(batch.terminated[0])
        shown = whole.world.pictures(0, last=ended)
        assert ended or len(shown) == 4
        for picture in shown:
            over = ticks.world.step(action, 0).terminated[0]
            assert ticks.world.scene(0, last=over).items == picture.items
        assert over == ended


def test_keys_within_a_step_are_latched_together() -> None:
    """A tap between two steps counts in the next one, though the key is up again."""
    tap = Input(pressed=("left",), held=frozenset())
    playing, _, steps = session("breakout", [(), tap, (), (), (), (), (), (), ()])
    play(playing, 9)
    assert steps == [[0], [1], [0]]


def test_held_keys_act_in_every_step() -> None:
    playing, _, steps = session("breakout", [("right",)] * 12)
    play(playing, 12)
    assert steps == [[2]] * 3


def test_what_has_no_time_of_its_own_waits_for_a_key() -> None:
    playing, screen, steps = session("squared", [()] * 30 + [("left",)] + [("left",)] * 30)
    play(playing, 61)
    assert len(steps) == 1
    assert "waits for your key" in words(screen.scenes[0])


def test_where_time_passes_the_last_action_goes_on() -> None:
    """CartPole has no action for no key."""
    playing, _, steps = session("cartpole", [(), ("right",), (), ()])
    play(playing, 4)
    assert [step[0] for step in steps] == [0, 1, 1]


@pytest.mark.parametrize("name", registry.names())
def test_every_game_can_be_played(name: str) -> None:
    """Somebody who presses keys of the legend acts, and sees the game and the keys."""
    playing, screen, steps = session(name, [])
    keyboard = playing.people[0]
    if playing.world.seats > 1:
        playing.people[1] = Keyboard(
            playing.world.vector.action, side="right", flows=playing.world.flows
        )
    keys = sorted(keyboard.bound | (playing.people[1].bound if 1 in playing.people else set()))
    for look in range(240):
        screen.inputs = [tuple(keys[look % len(keys) :][:1]), ()]
        playing.frame(1000 + look / RATE)
    assert len(steps) >= 5
    told = " ".join(words(screen.scenes[-1]))
    assert all(what in told for _, what in keyboard.legend)
    assert screen.scenes[-1].items


def test_pause_single_step_and_speed() -> None:
    inputs: list[Any] = [(), ("p",), *[()] * 20, ("period",), (), (), ("period",), ()]
    playing, screen, steps = session("pong", inputs)
    play(playing, len(inputs))
    assert playing.paused
    assert len(steps) == 3
    assert "paused" in words(screen.scenes[-1])
    screen.inputs = [("p",), (), ("plus",), (), ("plus",), *[()] * 60]
    before = len(steps)
    play(playing, 65, start=2000)
    assert playing.speed == 4
    assert len(steps) - before == pytest.approx(4 * 60 / 8, abs=3)


def test_restart_begins_anew_from_the_next_seed() -> None:
    playing, _, _ = session("breakout", [()] * 20 + [("r",)] + [()] * 10)
    seeds: list[int] = []
    playing.options.on_reset = seeds.append
    play(playing, 20)
    assert playing.tally.steps[0] > 1
    play(playing, 1)
    assert playing.tally.steps[0] <= 1
    assert seeds == [2]


def test_the_view_switches_to_what_the_agent_sees() -> None:
    playing, screen, _ = session("squared", [(), ("v",), ("v", "x"), ("v",), ()])
    play(playing, 2)
    assert playing.as_seen
    assert "what the agent sees" in words(screen.scenes[0]), "in small"
    assert words(screen.scenes[1]).count("what the agent sees") == 1, "told, and not in small too"


def test_several_envs_and_agents_are_followed_in_turn() -> None:
    playing, screen, _ = session(
        "pong/two", [("n",), (), ("bracketright",), ()], human=False, num_envs=3
    )
    play(playing, 4)
    assert (playing.env, playing.seat, playing.row) == (1, 1, 3)
    assert "env 1 agent 1" in words(screen.scenes[-1])


def test_episodes_are_told_with_their_scores() -> None:
    inputs = [(str(look // 2 % 2),) if look % 2 else () for look in range(200)]
    playing, screen, _ = session("password", inputs)
    play(playing, 200)
    told = [line for line in words(screen.scenes[-1]) if line.startswith("mean of")]
    assert len(playing.tally.episodes) >= 3
    assert told
    assert "score" in told[0]


def test_keys_keep_a_picture_and_the_last_seconds(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    pytest.importorskip("av")
    playing, screen, _ = session("breakout", [()] * 30 + [("c",), ("g",), ()])
    playing.options.folder = tmp_path / "kept"
    play(playing, 33)
    for thread in playing.writing:
        thread.join()
    (picture,) = (tmp_path / "kept").glob("*.png")
    (video,) = (tmp_path / "kept").glob("*.mp4")
    import av
    from PIL import Image

    assert Image.open(picture).size[0] == 960
    with av.open(str(video)) as container:
        assert len(list(container.decode(video=0))) == 31
    assert any("writing" in line for line in words(screen.scenes[-1]))


def test_a_closed_screen_ends_the_session() -> None:
    playing, screen, _ = session("pong", [(), ()])
    playing.run()
    assert playing.over
    assert not screen.inputs


def test_escape_ends_the_session() -> None:
    playing, screen, _ = session("pong", [(), ("escape",), (), ()])
    playing.run()
    assert len(screen.inputs) == 2


def test_a_new_policy_takes_over() -> None:
    playing, screen, _ = session("pong", [()] * 5, human=False)
    other = RandomActor(playing.world.vector.action, 5)
    playing.options.renew = lambda: (other, "step 5,000")
    play(playing, 1)
    assert playing.actor is other
    assert "step 5,000" in words(screen.scenes[0])


def test_an_env_that_does_not_draw_is_looked_at_as_its_agent_does() -> None:
    playing, screen, _ = session("tests.view.envs:Blind", [()] * 3, human=False)
    play(playing, 3)
    assert not playing.world.draws
    assert screen.scenes[-1].items


@pytest.mark.parametrize(
    ("name", "said"), [("Breaks", "ValueError: no paint"), ("Empty", "has the shape (0, 0, 3)")]
)
def test_an_env_that_cannot_draw_is_told_of(name: str, said: str) -> None:
    playing, screen, _ = session(f"tests.view.envs:{name}", [()] * 3)
    play(playing, 3)
    assert said in " ".join(words(screen.scenes[-1]))
    playing.world.close()


def test_frames_of_every_kind_are_gray() -> None:
    playing, _, _ = session("tests.view.envs:Odd", [])
    for _ in range(6):
        (image,) = playing.world.scene(0).items
        assert np.abs(image.pixels.astype(int) - 127).max() <= 1  # type: ignore[union-attr]
        assert image.pixels.shape[2] == 3  # type: ignore[union-attr]
        playing.step()


def test_a_replay_ends_and_begins_again_with_the_same_seed() -> None:
    """Whatever is pressed at its end."""
    playing, screen, _ = session("pong", [], human=False)
    playing.actor = Replayed(np.ones((5, 1, 1), np.int32))
    playing.options.replay = True
    seeds: list[int] = []
    playing.options.on_reset = seeds.append
    playing.begin()
    screen.inputs = [
        (),
        *[()] * 60,
        ("period",),
        (),
        ("p",),
        *[()] * 20,
        ("plus",),
        (),
        ("r",),
        *[()] * 9,
    ]
    play(playing, len(screen.inputs))
    assert seeds == [1, 1]
    assert any("the play ends here" in words(scene) for scene in screen.scenes)
    assert playing.actor.at <= 2, "it has begun again"


def test_long_messages_are_whole() -> None:
    playing, screen, _ = session("pong", [()])
    long = "The folder 'plays' must be writable, but it is full. " * 3
    playing.say(long, 1000.0)
    play(playing, 1)
    assert long.strip() in " ".join(words(screen.scenes[-1]))


def test_huge_frames_are_made_smaller_for_the_screen() -> None:
    playing, _, _ = session("tests.view.envs:Pixels", [()])
    pixels = np.zeros((4000, 5000, 3), np.uint8)
    scene = playing.compose(Scene(5000, 4000).add(Image(0, 0, 5000, 4000, pixels)))
    largest = max(item.pixels.nbytes for item in scene.items if isinstance(item, Image))
    assert largest < 4_000_000


def test_two_videos_and_another_view_in_the_same_second(tmp_path: Path) -> None:
    """Pictures of two sizes, and the key pressed twice."""
    pytest.importorskip("av")
    playing, _, _ = session("pong", [()] * 10 + [("v",), *[()] * 5, ("g",), (), ("g",), ()])
    playing.options.folder = tmp_path
    play(playing, 20)
    for thread in playing.writing:
        thread.join()
    assert len(list(tmp_path.glob("*.mp4"))) == 2


def brightness(scenes: list[Scene]) -> list[int]:
    """Of the 9 x 9 pixels that an agent sees, in each scene."""
    return [
        int(item.pixels[0, 0, 0])
        for scene in scenes
        for item in scene.items
        if isinstance(item, Image) and item.pixels.shape == (9, 9, 3)
    ]


def test_remembered_pictures_do_not_change() -> None:
    """What the agent saw then, though the env writes over its rows."""
    playing, screen, _ = session("tests.view.envs:Seen", [()] * 12, human=False)
    play(playing, 12)
    shown = brightness(screen.scenes)
    assert len(shown) == 12
    assert shown == sorted(shown)
    assert len(set(shown)) > 3


def test_at_an_end_what_was_seen_last_stays() -> None:
    playing, screen, _ = session("tests.view.envs:Seen", [()] * 60, human=False)
    play(playing, 60)
    shown = brightness(screen.scenes)
    assert max(shown) == 200, "the tenth step's"
    assert shown.count(200) > 20


def test_the_end_of_another_agent_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where many share a world they die at different times; one's own end is an end."""
    for ending, rests in (([False, True], False), ([True, False], True)):
        playing, _, steps = session("pong/two", [()] * 60, human=False)
        step = playing.world.step

        def ends(
            *arguments: Any, step: Any = step, ending: Any = ending, own: Any = playing
        ) -> Any:
            batch = step(*arguments)
            own.world.vector.rows.terminated[:] = ending
            return batch

        monkeypatch.setattr(playing.world, "step", ends)
        play(playing, 60)
        assert (len(steps) < 4) == rests


def test_keys_of_the_episode_before_do_not_count() -> None:
    """Neither those pressed while its last picture stays nor those before a restart."""
    taps = [("1",), (), ("0",), (), ("1",), (), ("0",), (), ("1",), ()]
    inputs = [*taps, *[("0",), ()] * 6, *[()] * 60]
    playing, _, steps = session("password", inputs)
    play(playing, len(inputs))
    assert len(steps) == 5, "the taps while it rests are gone"
    playing, screen, steps = session("breakout", [])
    screen.inputs = [(), Input(pressed=("left", "r")), (), (), (), ()]
    play(playing, 6)
    assert [0] in steps
    assert [1] not in steps


def test_a_policys_memory_is_cleared_at_an_episodes_end() -> None:
    playing, _, _ = session("password", [], human=False)
    followed: list[bool] = []
    actor: Any = playing.actor
    actor.follow = lambda batch, alive: followed.append(bool(batch.terminated[0]))
    for _ in range(5):
        playing.step()
    assert followed == [False] * 4 + [True]


def test_the_next_env_is_shown_with_its_own_ticks() -> None:
    playing, _, _ = session("breakout", [], human=False, num_envs=2)
    twin, _, _ = session("breakout", [], human=False, num_envs=2, frame_skip=1)
    playing._next_env()
    actor: Any = playing.actor
    actions = actor.act(playing.batch)
    actor.begin()
    playing.step()
    assert len(playing.pictures) == 4
    for picture in playing.pictures:
        twin.world.step(actions, 1)
        assert twin.world.scene(1).items == picture.items


def test_a_fast_session_takes_its_steps() -> None:
    playing, _, steps = session("pong", [()] * 60, human=False)
    playing.speed = 8.0
    play(playing, 60)
    assert len(steps) == pytest.approx(60, abs=2)


def test_nobody_looks_nothing_happens() -> None:
    playing, screen, steps = session("pong", [Input(away=True)] * 60, human=False)
    play(playing, 60)
    assert not steps
    assert not screen.scenes


def test_each_key_of_the_session_is_told_and_does_something() -> None:
    assert _CONTROLS.keys() == CONTROLS.keys()


def test_remembered_pictures_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images that stay cost nothing again; those that do not push the oldest out."""
    monkeypatch.setattr(keep, "BYTES", 1000)
    kept = keep.Remembered(5)
    still = np.zeros((10, 10, 3), np.uint8)
    for _ in range(8):
        kept.add(Scene(9, 9).add(Image(0, 0, 9, 9, still[::2, ::2])))
    assert len(kept.scenes()) == 5
    newest = [Scene(9, 9).add(Image(0, 0, 9, 9, still.copy())) for _ in range(4)]
    for scene in newest:
        kept.add(scene)
    assert kept.scenes() == newest[-3:]


def test_steps_are_those_of_who_may_act() -> None:
    """A seat that waits for another's move takes none."""
    tally = Tally(2)
    batch = World(configure("pong/two")).reset(0)
    tally.take(batch, np.array([True, False]))
    assert tally.steps.tolist() == [1, 0]


def test_what_is_thought_is_of_the_row_that_is_followed() -> None:
    pytest.importorskip("torch")
    with contextlib.ExitStack() as held:
        playing = watched("baseline:pong", WatchFlags(envs=3, seed=3), held)
        for env in range(3):
            playing.step()
            values = playing.actor.values.tolist()  # type: ignore[union-attr]
            assert playing.thought is not None
            assert playing.thought.value == pytest.approx(values[env])
            assert sum(playing.thought.chances[0]) == pytest.approx(1)
            playing._next_env()
