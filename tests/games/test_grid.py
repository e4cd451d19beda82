"""Rules of the grid family that a player would notice, and what must hold however it is played."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skipjack.rows import Rows, identity_rows
from skipjack.seeding import env_seeds
from tests.games.test_contract import engine_of

EMPTY, WALL, GOAL, LAVA, KEY, DOOR = 0, 1, 2, 3, 4, 10
PASS, FORWARD, LEFT, RIGHT, BACK = range(5)
WAYS = [(-1, 0), (0, 1), (1, 0), (0, -1)]
PREY = "grid/predator_prey"


def started(name: str, num_envs: int = 1, seed: int = 0, **changes: Any) -> tuple[Any, Rows]:
    engine = engine_of(name, num_envs, **{"desynchronise": False} | changes)
    rows = Rows.allocate(num_envs * engine.seats, engine.observation, engine.action)
    engine.bind(rows, identity_rows(num_envs, engine.seats), False)
    engine.reset(0, num_envs, env_seeds(seed, 0, num_envs))
    return engine, rows


def steps_to_goal(state: dict[str, Any]) -> int | None:
    """Least number of moves, with keys taken and doors opened on the way; None if there is none."""
    cells = state["cells"]
    ends = deque([((state["y"], state["x"]), frozenset[int](), 0)])
    seen = {(ends[0][0], ends[0][1])}
    while ends:
        (y, x), held, steps = ends.popleft()
        for dy, dx in WAYS:
            there, found = (y + dy, x + dx), int(cells[y + dy, x + dx])
            if found == GOAL:
                return steps + 1
            if found in (WALL, LAVA) or (found >= DOOR and found - DOOR not in held):
                continue
            now = held | {found - KEY} if KEY <= found < DOOR else held
            if (there, now) not in seen:
                seen.add((there, now))
                ends.append((there, now, steps + 1))
    return None


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**63),
    width=st.integers(2, 8),
    height=st.integers(2, 8),
    keys=st.integers(0, 6),
    lava=st.integers(0, 60),
)
def test_every_maze_can_be_solved(seed: int, width: int, height: int, keys: int, lava: int) -> None:
    sides = {"width": 2 * width + 1, "height": 2 * height + 1}
    engine, _ = started("grid/keys", 2, seed, keys=keys, lava=lava, **sides)
    for env in range(2):
        state = engine.snapshot(env)
        assert steps_to_goal(state) is not None
        inner = state["cells"][5:-5, 5:-5]
        outer = np.ones(state["cells"].shape, bool)
        outer[6:-6, 6:-6] = False
        assert (state["cells"][outer] == WALL).all()
        assert (inner[1::2, 1::2] != WALL).all(), "every room is open"
        # A maze without loops has one opening fewer than rooms.
        assert (inner != WALL).sum() == 2 * inner[1::2, 1::2].size - 1
        colours = [set((inner[(inner >= a) & (inner < a + 6)] - a).tolist()) for a in (KEY, DOOR)]
        assert colours[0] == colours[1]
        assert (inner >= KEY).sum() == 2 * len(colours[0]) <= 2 * keys
        assert (inner == LAVA).sum() <= lava


@pytest.mark.slow
def test_every_large_maze_can_be_solved() -> None:
    for seed in range(21):
        engine, _ = started("grid/maze47", 4, seed, keys=seed % 7, lava=20 * seed)
        assert all(steps_to_goal(engine.snapshot(env)) for env in range(4))


def test_mazes_have_their_keys_and_doors() -> None:
    """Small ones may lack room; those of seven by seven rooms have what is asked for."""
    engine, _ = started("grid/keys", 200, width=15, height=15, keys=3, lava=6)
    found = [engine.snapshot(env)["cells"] for env in range(200)]
    assert np.mean([(cells >= DOOR).sum() == 3 for cells in found]) > 0.75
    assert np.mean([(cells == LAVA).sum() == 6 for cells in found]) > 0.9


def test_every_episode_is_another_maze() -> None:
    engine, rows = started("grid/maze", time_limit=1)
    seen = set()
    for _ in range(100):
        seen.add(engine.snapshot(0)["cells"].tobytes())
        rows.actions[:] = PASS
        engine.step(0, 1)
    assert len(seen) == 100


def lay(engine: Any, picture: str, y: int, x: int, heading: int, held: int = 0) -> None:
    """A maze as drawn, the agent within it."""
    state = engine.snapshot(0)
    kinds = {".": EMPTY, "#": WALL, "G": GOAL, "L": LAVA, "a": KEY, "b": KEY + 1}
    kinds |= {"A": DOOR, "B": DOOR + 1}
    state["cells"][5:-5, 5:-5] = [[kinds[sign] for sign in line] for line in picture.split()]
    engine.inject(0, state | {"y": y + 5, "x": x + 5, "heading": heading, "held": held})


ROOM = "##### #...# #.a.# #.A.# #####"


@pytest.mark.parametrize(
    ("heading", "action", "place", "after"),
    [
        (0, FORWARD, (1, 2), 0), (0, LEFT, (1, 1), 3), (0, RIGHT, (1, 3), 1), (0, BACK, (1, 2), 2),
        (1, LEFT, (1, 2), 0), (1, FORWARD, (1, 3), 1), (3, LEFT, (2, 2), 2), (2, PASS, (1, 2), 2),
    ],
)  # fmt: skip
def test_moves_are_relative_to_the_heading(
    heading: int, action: int, place: tuple[int, int], after: int
) -> None:
    engine, rows = started("grid/maze", width=5, height=5)
    lay(engine, "##### #...# #.#.# #...# #####" if action == BACK else ROOM, 1, 2, heading)
    rows.actions[:] = action
    engine.step(0, 1)
    state = engine.snapshot(0)
    assert ((state["y"] - 5, state["x"] - 5), state["heading"]) == (place, after)


def test_doors_open_to_those_who_have_the_key() -> None:
    engine, rows = started("grid/maze", width=5, height=5)
    picture = "##### #.a.# #BA.# #G..# #####"
    lay(engine, picture, 1, 3, 3)
    part = engine.observation.unpack
    for action, place in [(LEFT, (2, 3)), (RIGHT, (2, 3)), (RIGHT, (1, 3)), (LEFT, (1, 2))]:
        rows.actions[:] = action
        engine.step(0, 1)
        state = engine.snapshot(0)
        assert (state["y"] - 5, state["x"] - 5) == place
    assert part(rows.observations)["held"][0].tolist() == [1, 0, 0, 0, 0, 0]
    rows.actions[:] = LEFT  # from facing left to facing down, through the door
    engine.step(0, 1)
    state = engine.snapshot(0)
    assert (state["y"] - 5, state["x"] - 5, state["doors"]) == (2, 2, 1)
    assert (state["cells"] == DOOR).sum() == (state["cells"] == KEY).sum() == 0
    rows.actions[:] = RIGHT  # a door of another colour
    engine.step(0, 1)
    assert engine.snapshot(0)["x"] - 5 == 2


@pytest.mark.parametrize(("sign", "reward"), [("G", 1.0), ("L", -1.0)])
def test_goal_and_lava_end_the_episode(sign: str, reward: float) -> None:
    engine, rows = started("grid/maze", width=5, height=5)
    lay(engine, f"##### #..{sign}# #...# #...# #####", 1, 2, 1)
    rows.actions[:] = FORWARD
    engine.step(0, 1)
    assert (rows.rewards[0], rows.terminated[0], rows.truncated[0]) == (reward, True, False)
    record = engine.records(0, 1)[0]
    assert (record["score"], record["length"]) == (float(reward > 0), 1)


def test_window_is_turned_with_the_agent() -> None:
    """The same place seen in four headings is the same picture, turned."""
    engine, rows = started("grid/maze", seed=4)
    state = engine.snapshot(0)
    seen = []
    for heading in range(4):
        engine.inject(0, {"heading": heading})
        seen.append(engine.observation.unpack(rows.observations)["window"][0].copy())
    y, x = state["y"], state["x"]
    assert np.array_equal(seen[0], state["cells"][y - 5 : y + 6, x - 5 : x + 6])
    for heading in range(4):
        assert np.array_equal(seen[heading], np.rot90(seen[0], heading))


@pytest.mark.parametrize(
    "name",
    ["grid/maze", "grid/keys", pytest.param("grid/maze47", marks=pytest.mark.slow)],
)
def test_the_scripted_player_solves_mazes(name: str) -> None:
    engine, rows = started(name, 8, time_limit=10_000)
    scores: list[float] = []
    while len(scores) < (16 if name == "grid/maze" else 6):
        rows.actions[:] = engine.scripted(rows.observations)
        engine.step(0, 8)
        scores.extend(engine.records(0, 8)["score"].tolist())
    assert min(scores) == 1


def assert_whole(engine: Any, env: int = 0) -> None:
    """Agents are where the cells say, and no food was lost or made."""
    state, config = engine.snapshot(env), engine.config
    cells = state["cells"]
    inside = cells[5:-5, 5:-5].copy()
    walls = cells.copy()
    walls[5:-5, 5:-5] = WALL
    assert (walls == WALL).all()
    assert not (inside == WALL).any()
    places = [agent["cell"] for agent in state["agents"]]
    assert len(set(places)) == config.agents
    kinds = cells.reshape(-1)[places]
    if config.task == "forage":
        assert (kinds == 3).all()
        assert (inside == 2).sum() + state["owed"] == config.food
        assert (inside != EMPTY).sum() + state["owed"] == config.agents + config.food
    else:
        assert (inside != EMPTY).sum() == config.agents
        seats = np.arange(config.agents)
        hunts = config.task == "predator_prey"
        assert np.array_equal(kinds, 2 + (seats >= config.predators if hunts else seats % 4))


@pytest.mark.parametrize(
    ("name", "opponent"),
    [("grid/forage", "self"), (PREY, "self"), (PREY, "scripted"), ("grid/group", "self")],
)
@pytest.mark.parametrize("continuous", [False, True])
def test_agents_and_food_are_neither_lost_nor_made(
    name: str, opponent: str, continuous: bool
) -> None:
    """Whatever is sent: one action in ten is none of the game's."""
    changes = {"width": 12, "height": 10, "continuous": continuous, "opponent": opponent}
    engine, rows = started(name, 2, time_limit=100, **changes)
    generator = np.random.default_rng(0)
    nonsense = [np.nan, np.inf, -np.inf, 1e30] if continuous else [-1, 9, 2**31 - 1, -(2**31)]
    for _ in range(400):
        rows.actions[:] = engine.action.draw(generator, len(rows.actions))
        wild = generator.random(rows.actions.shape) < 0.1
        rows.actions[wild] = generator.choice(nonsense, int(wild.sum()))
        engine.step(0, 2)
        assert_whole(engine, 0)
        assert_whole(engine, 1)
    assert not rows.terminated.any()


def stand(engine: Any, *places: tuple[int, int]) -> None:
    """An empty world with agents at these places."""
    state = engine.snapshot(0)
    state["cells"][5:-5, 5:-5] = EMPTY
    for seat, (y, x) in enumerate(places):
        kind = {"forage": 3, "group": 2 + seat % 4}.get(engine.config.task)
        state["cells"][y + 5, x + 5] = kind or 2 + (seat >= engine.config.predators)
        state["agents"][seat]["cell"] = (y + 5) * state["cells"].shape[1] + x + 5
    engine.inject(0, state)


def test_rewards_of_who_is_in_view() -> None:
    engine, rows = started(PREY, width=20, height=20, agents=4, predators=2, opponent="self")
    stand(engine, (0, 0), (10, 10), (5, 5), (12, 8))
    rows.actions[:] = 0
    engine.step(0, 1)
    assert rows.rewards.tolist() == pytest.approx([0.1, 0.2, -0.2, -0.1])
    engine, rows = started("grid/group", width=20, height=20, agents=6)
    stand(engine, (0, 0), (0, 1), (19, 19), (19, 0), (0, 2), (9, 9))
    rows.actions[:] = 0
    engine.step(0, 1)
    assert rows.rewards.tolist() == pytest.approx([0.0, -0.2, 0, 0, 0.0, 0])


def test_who_comes_first_has_the_cell() -> None:
    engine, rows = started("grid/group", width=20, height=20, agents=3)
    stand(engine, (5, 5), (5, 7), (0, 0))
    rows.actions[:, 0] = 4, 3, 5
    engine.step(0, 1)
    cells = [agent["cell"] for agent in engine.snapshot(0)["agents"]]
    assert [(cell // 30 - 5, cell % 30 - 5) for cell in cells] == [(5, 6), (5, 7), (0, 0)]


@pytest.mark.parametrize(
    ("name", "team", "better"),
    [
        ("forage", 0, 0.3),
        ("group", 0, 0.05),
        ("predator_prey", 0, 0.05),
        ("predator_prey", 1, 0.01),
    ],
)
def test_scripted_agents_do_better_than_chance(name: str, team: int, better: float) -> None:
    """Those of one side, while the others play at random."""
    found = []
    for scripted in (True, False):
        engine, rows = started(f"grid/{name}", 4, time_limit=120, opponent="self")
        generator = np.random.default_rng(0)
        own = np.tile(np.array(engine.teams) == team, 4)
        for _ in range(120):
            rows.actions[:] = engine.action.draw(generator, len(rows.actions))
            if scripted:
                rows.actions[own] = engine.scripted(rows.observations)[own]
            engine.step(0, 4)
        records = engine.records(0, 4)
        found.append(float(records["score"][records["team"] == team].mean()))
    assert found[0] > found[1] + better, found


@pytest.mark.parametrize("continuous", [False, True])
def test_the_opponent_plays_as_the_scripted_player_for_seats(continuous: bool) -> None:
    """The same world with all agents as seats, those of the other side played from what they see."""
    changes = {"width": 24, "height": 17, "continuous": continuous}
    alone, own = started(PREY, 2, opponent="scripted", time_limit=25, **changes)
    whole, rows = started(PREY, 2, opponent="self", **changes)
    generator, hunted = np.random.default_rng(0), []
    for tick in range(100):
        if tick % 25 == 0:
            for env in range(2):
                whole.inject(env, alone.snapshot(env) | {"first": 0})
        own.actions[:] = alone.action.draw(generator, 16)
        rows.actions[:] = whole.scripted(rows.observations)
        for env in range(2):
            first = 16 * env + alone.snapshot(env)["first"]
            rows.actions[first : first + 8] = own.actions[8 * env : 8 * env + 8]
            hunted.append(first == 16 * env)
        whole.step(0, 2)
        alone.step(0, 2)
        if tick % 25 < 24:
            for env in range(2):
                seen, wanted = alone.snapshot(env), whole.snapshot(env)
                assert np.array_equal(seen["cells"], wanted["cells"])
                assert [a["cell"] for a in seen["agents"]] == [a["cell"] for a in wanted["agents"]]
    assert sum(hunted) == 100, "each side equally"


def test_the_side_is_drawn_for_the_first_episode_and_changes_with_each() -> None:
    engine, rows = started(PREY, 64, width=12, height=10, agents=4, predators=2, time_limit=3)
    sides = []
    for _ in range(6):
        firsts = np.array([engine.snapshot(env)["first"] for env in range(64)])
        own = engine.observation.unpack(rows.observations)["window"][:, 5, 5].reshape(64, 2)
        assert np.array_equal(own, np.where(firsts == 0, 2, 3)[:, None].repeat(2, 1))
        sides.append(firsts // 2)
        for _ in range(3):
            rows.actions[:] = 0
            engine.step(0, 64)
        assert rows.truncated.all()
    assert 16 < sides[0].sum() < 48, "drawn: each about as often"
    for before, after in pairwise(sides):
        assert np.array_equal(after, 1 - before)


def means(player: str, opponent: str, episodes: int = 2) -> dict[str, float]:
    """Mean score, and that as predators and as prey, of a player against an opponent."""
    engine, rows = started(PREY, 16, opponent=opponent, time_limit=150)
    generator, found = np.random.default_rng(0), []
    for _ in range(150 * episodes):
        rows.actions[:] = (
            engine.scripted(rows.observations)
            if player == "scripted"
            else engine.action.draw(generator, len(rows.actions))
        )
        engine.step(0, 16)
        found.append(engine.records(0, 16))
    records = np.concatenate(found)
    predator, prey = records["stats"][:, 1], records["stats"][:, 2]
    assert np.isnan(predator).sum() == np.isnan(prey).sum() == len(records) // 2
    assert np.array_equal(np.isnan(predator), ~np.isnan(prey))
    assert np.array_equal(np.where(np.isnan(prey), predator, prey), records["score"])
    return {
        "score": float(records["score"].mean()),
        "predator": float(np.nanmean(predator)),
        "prey": float(np.nanmean(prey)),
    }


def test_the_score_against_the_opponent_tells_players_apart() -> None:
    even, worse = means("scripted", "scripted"), means("random", "scripted")
    assert even["score"] == pytest.approx(0.5, abs=0.03)
    assert worse["score"] < even["score"] - 0.03
    assert worse["predator"] < even["predator"]
    assert worse["prey"] < even["prey"]
    assert means("scripted", "random")["score"] > 0.53


def test_all_agents_as_seats_have_half_of_the_points() -> None:
    """What one side gains the other loses: why the preset is one against an opponent."""
    engine, rows = started(PREY, 4, time_limit=50, opponent="self")
    generator = np.random.default_rng(0)
    for _ in range(50):
        rows.actions[:] = engine.action.draw(generator, len(rows.actions))
        engine.step(0, 4)
    assert engine.records(0, 4)["score"].mean() == pytest.approx(0.5)


def test_wrong_settings_are_refused() -> None:
    for name, changes in [
        ("grid/maze", {"width": 12}),
        ("grid/maze", {"height": 49}),
        ("grid/maze", {"agents": 2}),
        ("grid/forage", {"food": 1000}),
        ("grid/forage", {"food": 0}),
        ("grid", {"task": "forage"}),
        ("grid/predator_prey", {"predators": 0}),
        ("grid/predator_prey", {"predators": 7, "opponent": "scripted"}),
        ("grid/forage", {"opponent": "random"}),
        ("grid/maze", {"opponent": "scripted"}),
    ]:
        with pytest.raises(Exception, match="must"):
            engine_of(name, 1, **changes)
