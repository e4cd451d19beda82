"""Rules of Snake that a player would notice, and what must hold however it is played."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from skipjack.rows import Rows, identity_rows
from skipjack.seeding import env_seeds
from skipjack.vector import Serial
from tests.games.test_contract import engine_of

EMPTY, FOOD, CORPSE, WALL, SNAKE = range(5)
UP, DOWN, LEFT, RIGHT = range(4)
CROWD = {"width": 17, "height": 13, "snakes": 12, "food": 60, "max_length": 9, "time_limit": 70}


def world(name: str = "snake", num_envs: int = 1, **changes: Any) -> tuple[Any, Rows]:
    engine = engine_of(name, num_envs, **{"desynchronise": False} | changes)
    rows = Rows.allocate(num_envs * engine.seats, engine.observation, engine.action)
    engine.bind(rows, identity_rows(num_envs, engine.seats), False)
    engine.reset(0, num_envs, env_seeds(0, 0, num_envs))
    return engine, rows


def put(engine: Any, picture: str, *bodies: list[tuple[int, int]]) -> None:
    """A world as drawn within the walls, with snakes whose places are given head first.

    A body's heading is from its second segment to its first.
    """
    state = engine.snapshot(0)
    drawn = [[".o%".index(sign) for sign in line] for line in picture.split()]
    state["cells"][5:-5, 5:-5] = drawn
    stride = state["cells"].shape[1]
    for seat, (snake, body) in enumerate(zip(state["snakes"], bodies, strict=True)):
        cells = [(y + 5) * stride + x + 5 for y, x in body]
        heading = 0
        if len(body) > 1:
            heading = [-stride, stride, -1, 1].index(cells[0] - cells[1])
        snake |= {"body": cells, "head": cells[0], "size": len(body), "heading": heading}
        snake |= {"food": len(body) - 1, "corpses": 0, "kills": 0}
        for y, x in body:
            state["cells"][y + 5, x + 5] = SNAKE + seat % 4
    engine.inject(0, state)


def assert_whole(engine: Any, env: int = 0) -> None:
    """Cells and bodies say the same, and no food was lost or made."""
    state, config = engine.snapshot(env), engine.config
    cells = state["cells"]
    inside = cells[5:-5, 5:-5]
    walls = np.ones_like(cells, bool)
    walls[5:-5, 5:-5] = False
    assert (cells[walls] == WALL).all()
    assert not (inside == WALL).any()
    stride, seen = cells.shape[1], set()
    for seat, snake in enumerate(state["snakes"]):
        body = snake["body"]
        assert len(body) == snake["size"] <= config.max_length
        assert snake["head"] == body[0]
        assert snake["size"] == min(1 + snake["food"] + snake["corpses"], config.max_length)
        assert seen.isdisjoint(body)
        seen |= set(body)
        assert (cells.reshape(-1)[body] == SNAKE + seat % 4).all()
        apart = np.abs(np.diff(body))
        assert np.isin(apart, (1, stride)).all(), "a body hangs together"
    assert (inside >= SNAKE).sum() == len(seen)
    assert (inside == FOOD).sum() + state["owed"] == config.food


@pytest.mark.parametrize(
    ("name", "changes"),
    [("snake", {"time_limit": 200}), ("snake", {"width": 4, "height": 3}), ("snake/small", CROWD)],
)
def test_cells_and_bodies_agree_at_all_times(name: str, changes: dict[str, Any]) -> None:
    engine, rows = world(name, **changes)
    generator = np.random.default_rng(0)
    lives = 0
    for _ in range(800):
        rows.actions[:] = np.where(
            generator.random(rows.actions.shape) < 0.3,
            engine.scripted(rows.observations),
            generator.integers(-1, 5, rows.actions.shape),
        )
        engine.step(0, 1)
        assert_whole(engine)
        lives += int((rows.terminated | rows.truncated).sum())
    assert lives > 10


def test_a_crowded_world_ends_no_search() -> None:
    """With corpses everywhere and food owed, new snakes and food still find what room there is."""
    crowded = {"width": 6, "height": 6, "snakes": 8, "food": 10, "max_length": 12}
    engine, rows = world("snake/small", **crowded)
    generator = np.random.default_rng(1)
    fullest = 0
    for _ in range(1500):
        rows.actions[:] = engine.scripted(rows.observations)
        wild = generator.random(rows.actions.shape) < 0.1
        rows.actions[wild] = generator.integers(0, 4, int(wild.sum()))
        engine.step(0, 1)
        state = engine.snapshot(0)
        fullest = max(fullest, int((state["cells"][5:-5, 5:-5] != EMPTY).sum()))
        assert_whole(engine)
    assert fullest >= 34


def test_eating_grows_and_food_comes_again() -> None:
    engine, rows = world(width=5, height=3)
    put(engine, "..... ..o.. .....", [(1, 1), (1, 0)])
    rows.actions[:] = RIGHT
    engine.step(0, 1)
    state = engine.snapshot(0)
    assert rows.rewards[0] == np.float32(0.1)
    assert state["snakes"][0]["size"] == 3
    assert (state["cells"] == FOOD).sum() == 1
    assert_whole(engine)


def test_a_reversal_goes_straight_on_but_one_segment_may_turn() -> None:
    engine, rows = world(width=5, height=3)
    for body, after in [([(1, 2), (1, 1)], (1, 3)), ([(1, 2)], (1, 1))]:
        put(engine, "....o ..... .....", body)
        rows.actions[:] = LEFT
        engine.step(0, 1)
        assert not rows.terminated[0]
        head = engine.snapshot(0)["snakes"][0]["head"]
        assert head == (after[0] + 5) * 15 + after[1] + 5


def test_a_snake_may_follow_its_own_tail() -> None:
    engine, rows = world(width=5, height=3)
    put(engine, "....o ..... .....", [(1, 1), (1, 2), (0, 2), (0, 1)])
    rows.actions[:] = UP
    engine.step(0, 1)
    assert not rows.terminated[0]
    assert_whole(engine)


@pytest.mark.parametrize("corpses", [False, True])
def test_dying_leaves_every_second_segment_if_wanted(corpses: bool) -> None:
    engine, rows = world(width=9, height=5, corpses=corpses)
    put(
        engine,
        "o........ ......... ......... ......... .........",
        [(2, x) for x in range(8, 3, -1)],
    )
    rows.actions[:] = RIGHT
    engine.step(0, 1)
    cells = engine.snapshot(0)["cells"][5:-5, 5:-5]
    assert rows.terminated[0]
    assert not rows.truncated[0]
    assert rows.rewards[0] == -1
    left = {tuple(place) for place in np.argwhere(cells == CORPSE).tolist()}
    assert left == ({(2, 7), (2, 5)} if corpses else set())
    record = engine.records(0, 1)[0]
    assert record["stats"].tolist() == [5, 4, 0, 0]
    assert record["score"] == np.float32(0.05)


def test_who_is_run_into_has_a_kill() -> None:
    engine, rows = world("snake/small", width=40, height=5, snakes=2, food=1)
    empty = " ".join(["o" + 39 * ".", *[40 * "."] * 4])
    put(engine, empty, [(2, 3)], [(3, 4), (2, 4), (1, 4)])
    rows.actions[:, 0] = RIGHT, DOWN
    engine.step(0, 1)
    assert rows.terminated.tolist() == [True, False]
    assert [snake["kills"] for snake in engine.snapshot(0)["snakes"]] == [0, 1]
    own = [(1, 4), (1, 5), (2, 5), (2, 4), (2, 3)]
    put(engine, empty, [(4, 8)], own)
    rows.actions[:, 0] = LEFT, DOWN
    engine.step(0, 1)
    assert rows.terminated.tolist() == [False, True]
    assert engine.records(0, 1)[0]["stats"][3] == 0, "nobody kills itself"


def test_each_life_has_its_own_clock() -> None:
    """A death changes nothing in how long the others may live."""
    engine, rows = world("snake/small", width=30, height=30, snakes=3, time_limit=50)
    empty = " ".join(["." * 30] * 29 + ["." * 6 + "o" * 24])
    put(engine, empty, [(1, 1)], [(10, 10)], [(20, 20)])
    cut: list[list[int]] = [[], [], []]
    for t in range(1, 101):
        turn = [UP, LEFT, DOWN, RIGHT][t % 4]
        rows.actions[:, 0] = UP if t <= 2 else turn, turn, turn
        engine.step(0, 1)
        for seat in np.flatnonzero(rows.truncated):
            cut[seat].append(t)
    assert cut == [[52], [50, 100], [50, 100]]


def test_first_lives_are_cut_at_shares_of_the_limit() -> None:
    engine = engine_of("snake/small", 4, desynchronise=True, time_limit=400)
    vector = Serial(engine)
    vector.reset(0)
    records: list[Any] = []
    for t in range(400):
        turn = [UP, LEFT, DOWN, RIGHT][t % 4]
        records.extend(vector.step(np.full((16, 1), turn, np.int32)).episodes)
    assert all(record["partial"] == (record["episode"] == 0) for record in records)
    assert len({int(record["length"]) for record in records if record["partial"]}) > 10


def test_scripted_player_lives_and_eats() -> None:
    """In the preset's own world, where the one piece of food is seldom in view; random ones stay at 1."""
    engine, rows = world("snake", 16)
    assert engine.config.food == 1
    sizes: list[float] = []
    while len(sizes) < 16:
        rows.actions[:] = engine.scripted(rows.observations)
        engine.step(0, 16)
        sizes.extend(engine.records(0, 16)["stats"][:, 0].tolist())
    assert np.mean(sizes) > 25


@pytest.mark.parametrize("size", [2, 3, 6, 15])
def test_scripted_player_without_food_sees_the_whole_world(size: int) -> None:
    engine, rows = world("snake")
    put(engine, " ".join(["." * 26] * 26), [(20 - i, 11) for i in range(size)])
    unseen = np.ones((36, 36), np.bool_)
    for _ in range(600):
        y, x = divmod(engine.snapshot(0)["snakes"][0]["head"], 36)
        unseen[y - 5 : y + 6, x - 5 : x + 6] = False
        rows.actions[:] = engine.scripted(rows.observations)
        engine.step(0, 1)
        assert not rows.terminated[0]
    assert not unseen[5:-5, 5:-5].any()


def test_settings_must_leave_room() -> None:
    with pytest.raises(Exception, match="half of the world's cells"):
        engine_of("snake", 1, width=4, height=4, food=8)


def test_pictures_follow_a_seat() -> None:
    engine, _ = world("snake/720p")
    first = engine.scene(0).items[0].pixels
    engine.camera.seat = 5
    other = engine.scene(0).items[0].pixels
    assert first.shape == other.shape == (64, 64, 3)
    assert not np.array_equal(first, other)


def test_cells_and_bodies_agree_whatever_is_sent() -> None:
    engine, rows = world("snake/small", 8, **CROWD)
    generator = np.random.default_rng(2)
    low = -(2**31)
    for t in range(1000):
        rows.actions[:] = generator.integers(0, 4, rows.actions.shape)
        wild = generator.random(rows.actions.shape) < 0.1
        rows.actions[wild] = generator.integers(low, -low, int(wild.sum()), np.int64)
        engine.step(0, 8)
        if t % 25 == 0:
            assert_whole(engine, t // 25 % 8)
