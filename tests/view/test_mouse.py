"""The camera and the mouse in a session: what keys, wheel and clicks show and do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from skipjack.games.moba.picture import EDGE, MAP, SIDE, UNIT, id_of
from skipjack.native.scene import Image, Scene
from skipjack.policies.random import RandomActor
from skipjack.run.config import configure
from skipjack.view import panel
from skipjack.view.keys import Keyboard
from skipjack.view.options import Options
from skipjack.view.screen import Input
from skipjack.view.session import Session
from skipjack.view.world import World
from tests.view.screens import Script, words

STILL = {"creep_count": 0, "tower_damage_1": 0, "tower_damage_2": 0}
"""Nobody comes, and nobody is hurt."""


class Rest:
    """Whoever it plays for does nothing."""

    def __init__(self, world: World) -> None:
        self.actions = np.zeros((world.vector.num_rows, world.vector.action.width), np.int32)
        if world.vector.action.width == 6:
            self.actions[:, 2] = 2

    def begin(self) -> None: ...

    def act(self, batch: Any) -> Any:
        return self.actions

    def follow(self, batch: Any, alive: Any) -> None: ...


class Play:
    """A session of which every frame is one step."""

    def __init__(self, name: str, seat: int | None = None, **changes: Any) -> None:
        self.world = World(configure(name), **changes)
        self.screen = Script()
        people = {} if seat is None else {seat: Keyboard(self.world.vector.action)}
        self.options = Options(title=name)
        self.taken: list[int] = []
        self.options.on_seat = self.taken.append
        self.acted: list[Any] = []
        self.options.on_step = lambda actions, batch: self.acted.append(actions.copy())
        self.session = Session(self.world, self.screen, Rest(self.world), people, self.options)
        if seat is not None:
            self.session._follow(seat)
        self.now = 1000.0

    def look(self, *keys: str, click: tuple[float, float] | None = None, wheel: int = 0) -> Scene:
        """A frame in which these keys go down, or a point of the env's picture is clicked."""
        clicks = () if click is None else (self.whole(*click),)
        self.screen.inputs = [Input(keys, frozenset(keys), clicks, wheel)]
        self.now += 1 / self.world.pace + 1e-3
        self.session.frame(self.now)
        return self.session.pictures[-1]

    def whole(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the picture is in all that is shown."""
        picture = self.session.pictures[-1]
        tall = panel.size(picture)[1] - panel.TOP - panel.BOTTOM
        left, top, scale = picture.fitted(panel.MARGIN, panel.TOP, panel.PICTURE, tall)
        return left + scale * x, top + scale * y

    def hero(self, number: int) -> tuple[float, float]:
        unit = self.engine.snapshot(0)["entities"][id_of(number)]
        return unit["y"] / UNIT, unit["x"] / UNIT

    @property
    def engine(self) -> Any:
        return self.world.vector.engine


@pytest.fixture
def watching() -> Iterator[Play]:
    made = Play("moba/small", **STILL)
    yield made
    made.world.close()


@pytest.fixture
def playing() -> Iterator[Play]:
    made = Play("moba/small", 0, **STILL)
    yield made
    made.world.close()


def cells(scene: Scene) -> int:
    """Cells a side of the first image."""
    return len(next(item for item in scene.items if isinstance(item, Image)).pixels)


def on_map(row: float, column: float, size: int = 48) -> tuple[float, float]:
    """Where a cell is on the MOBA's small map."""
    return SIDE + 2 * EDGE + column / size * MAP, EDGE + row / size * MAP


# ---- the camera ----


@pytest.mark.parametrize(
    ("name", "usual", "whole"), [("moba", 37, 128), ("snake/720p", 64, 722), ("grid/forage", 64, 0)]
)
def test_keys_and_wheel_come_nearer_and_show_the_whole_world(
    name: str, usual: int, whole: int
) -> None:
    changes = {"width": 200, "height": 150} if name == "grid/forage" else {}
    play = Play(name, **changes)
    whole = whole or 152
    assert cells(play.look()) == usual
    assert cells(play.look("z")) == round(usual / 1.4)
    play.look()
    assert cells(play.look("x")) == usual
    assert cells(play.look(wheel=2)) == round(usual / 2)
    assert cells(play.look(wheel=-2)) == usual
    assert cells(play.look("tab")) == whole
    play.look()
    assert cells(play.look("tab")) == usual
    assert {"Z closer", "Tab the whole world"} <= told(play)
    play.world.close()


def told(play: Play) -> set[str]:
    """The session's keys, as they stand below the picture."""
    lines = "   ".join(words(play.screen.scenes[-1]))
    return {part.strip() for part in lines.split("   ")}


def test_where_all_is_shown_no_camera_is_told_of() -> None:
    play = Play("pong")
    before = play.look()
    after = play.look("z", "tab", wheel=1)
    assert (after.width, after.height) == (before.width, before.height)
    assert not {"Z closer", "Tab the whole world", "T play this agent"} & told(play)
    play.world.close()


# ---- the mouse ----


def test_a_point_of_the_whole_picture_is_one_of_the_envs() -> None:
    for picture in (Scene(300, 200), Scene(100, 400)):
        tall = panel.size(picture)[1] - panel.TOP - panel.BOTTOM
        left, top, scale = picture.fitted(panel.MARGIN, panel.TOP, panel.PICTURE, tall)
        found = panel.within(picture, left + 70 * scale, top + 90 * scale)
        assert found == pytest.approx((70, 90))
        assert panel.within(picture, left - 1, top) is None
        assert panel.within(picture, left, top + scale * picture.height + 1) is None


def test_a_click_on_a_hero_follows_it_while_nobody_plays(watching: Play) -> None:
    watching.look()
    row, column = watching.hero(5 + 2)
    watching.look(click=on_map(row, column))
    assert watching.session.seat == watching.engine.camera.seat == 5
    assert any(word.startswith("carry, level") for word in words(watching.session.pictures[-1]))
    watching.look(click=on_map(24, 24))
    assert watching.session.seat == 5, "nobody is there"


@pytest.mark.parametrize("seat", [0, 5])
def test_a_click_sends_the_hero_there_around_walls(seat: int) -> None:
    """Over the small map, for either side; its way is free, and it stays once it is there."""
    play = Play("moba/small", seat, **STILL)
    hero = seat // 3 * 5 + seat % 3
    goal = (20, 17) if seat == 0 else (27, 30)
    play.look()
    play.look(click=on_map(goal[0] + 0.5, goal[1] + 0.5))
    for _ in range(60):
        play.look()
    assert tuple(map(int, play.hero(hero))) == goal
    assert play.acted[-1][seat, :2].tolist() == [0, 0]
    assert not play.engine.ground.walls[goal]
    play.world.close()


def test_a_click_on_a_wall_goes_beside_it(playing: Play) -> None:
    playing.look(click=on_map(2, 20))
    for _ in range(60):
        playing.look()
    row, column = map(int, playing.hero(0))
    assert (
        playing.engine.ground.walls[row - 1, column] or playing.engine.ground.walls[row, column - 1]
    )
    assert playing.acted[-1][0, :2].tolist() == [0, 0]


def test_a_click_in_the_picture_means_the_cell_under_it(playing: Play) -> None:
    """Also where the camera is near."""
    playing.look("z")
    row, column = playing.hero(0)
    scene = playing.look()
    camera = playing.engine.camera
    top, shown = camera.span(int(row), 37, 0, 48)
    left, _ = camera.span(int(column), 37, 0, 48)
    goal, unit = (int(row) - 4, int(column) + 2), SIDE / shown
    assert cells(scene) == shown
    playing.look(click=(EDGE + (goal[1] + 0.5 - left) * unit, EDGE + (goal[0] + 0.5 - top) * unit))
    for _ in range(12):
        playing.look()
    assert tuple(map(int, playing.hero(0))) == goal


def test_skills_go_on_with_the_way_and_a_direction_ends_it(playing: Play) -> None:
    playing.look()
    playing.look(click=on_map(24.5, 23.5))
    playing.look("1")
    assert playing.acted[-1][0, 3] == 1
    assert playing.acted[-1][0, :2].any(), "it stood still to use a skill"
    playing.look("left")
    assert playing.acted[-1][0, :2].tolist() == [0, 1]
    playing.look()
    assert playing.acted[-1][0, :2].tolist() == [0, 0], "it went on to where it was sent before"


def test_a_click_on_a_foe_goes_near_and_attacks_it(playing: Play) -> None:
    """A tower: the hero comes into reach and stops; once it has fallen the hero is free."""
    y, x, *_ = playing.engine.ground.towers[0].tolist()
    row, column = 47 - y, 47 - x
    playing.look(click=on_map(row + 0.5, column + 0.5))
    for _ in range(60):
        playing.look()
    assert playing.acted[-1][0].tolist() == [0, 0, 1, 0, 0, 0]
    own, tower = playing.hero(0), 1 + 103 + 91
    assert max(abs(int(own[0]) - row), abs(int(own[1]) - column)) == 4
    found = playing.engine.snapshot(0)
    assert found["entities"][tower]["health"] < found["entities"][tower]["most"]
    found["entities"][tower]["alive"] = 0
    playing.engine.inject(0, found)
    playing.look()
    assert playing.acted[-1][0].tolist() == [0, 0, 0, 0, 0, 0]


def test_a_person_takes_over_the_agent_that_is_followed(playing: Play) -> None:
    playing.look("1")
    assert "T play this agent" in told(playing)
    playing.look("bracketright")
    playing.look("t")
    playing.look("up")
    assert playing.acted[-1][:2, 0].tolist() == [0, 1]
    assert playing.taken == [1]
    playing.look("t")
    assert playing.taken == [1], "it is played already"


def test_a_seat_is_kept_where_nobody_could_play_it() -> None:
    """Two people at a board have a seat each, and one alone has no other."""
    play = Play("pong", 0)
    play.look("t")
    assert play.taken == []
    play.world.close()
    world = World(configure("pong/two"))
    people = {row: Keyboard(world.vector.action) for row in range(2)}
    session = Session(world, Script(), RandomActor(world.vector.action, 0), people, Options())
    session._take_over()
    assert set(session.people) == {0, 1}
    world.close()
