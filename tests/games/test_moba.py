"""The MOBA: symmetry, ways, skills, xp and damage, rewards, scripted teams, pictures."""

from __future__ import annotations

import dataclasses
import itertools
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skipjack.games.moba.fields import DIRECTIONS, FAR, STAY, flow

from skipjack import config as settings
from skipjack.cli import flags
from skipjack.cli.play import PlayFlags
from skipjack.errors import UsageError
from skipjack.games.moba.balance import balance, report
from skipjack.games.moba.env import FLAT, Moba, MobaConfig, layout
from skipjack.games.moba.heroes import CLASSES, SKILLS, Carry
from skipjack.games.moba.terrain import BORDER, terrain, turned
from skipjack.native.scene import Scene
from skipjack.rows import Rows, identity_rows
from skipjack.run.config import configure
from skipjack.seeding import env_seeds
from tests.games.tables import table
from tests.games.test_contract import engine_of

UNIT = 256
HERO, CREEP, NEUTRAL, TOWER = 1, 2, 4, 8
REST = [0, 0, 2, 0, 0, 0]
GROUNDS = ("full", "small")
GRADES = ("creep_follower", "lane_pusher", "last_hitter", "retreat_when_low")
"""The scripted teams but the random one, each better than the one before."""


def id_of(half: int, index: int) -> int:
    return 1 + half * 103 + index


def name_of(ground: str) -> str:
    return "moba" if ground == "full" else "moba/small"


# ---- the ground ----


@pytest.mark.parametrize("name", GROUNDS)
def test_ground_is_the_same_after_half_a_turn(name: str) -> None:
    ground = terrain(name)
    assert np.array_equal(ground.walls, ground.walls[::-1, ::-1])
    inner = slice(BORDER, -BORDER)
    assert ground.walls.sum() - ground.walls[inner, inner].sum() == ground.size**2 - (
        (ground.size - 2 * BORDER) ** 2
    )
    assert BORDER >= 6


def test_full_ground_is_what_the_rules_say() -> None:
    ground = terrain("full")
    assert ground.size == 128
    assert 0.2 < ground.walls.mean() < 0.36
    assert [tier for *_, tier, _ in ground.towers.tolist()] == [1, 2, 3] * 3 + [4, 4, 5]
    assert len(ground.camps) == 9
    small = terrain("small")
    assert (small.size, len(small.towers), len(small.classes), small.lanes) == (48, 3, 3, 1)


@pytest.mark.parametrize("name", GROUNDS)
def test_tables_are_small_and_shared(name: str) -> None:
    ground = terrain(name)
    assert ground is terrain(name)
    assert ground.ways.nbytes + ground.distance.nbytes + 5 * ground.walls.size < 4e6
    assert engine_of(name_of(name), 1).env_nbytes < 200_000


@pytest.mark.parametrize("name", GROUNDS)
def test_ways_lead_every_free_cell_to_their_goal(name: str) -> None:
    """Followed from all cells at once, also where towers may have fallen; never through a wall or a tower."""
    ground = terrain(name)
    n = ground.size
    towers = [(y, x) for y, x, *_ in ground.towers.tolist()]
    towers += [turned(cell, n) for cell in towers]
    solid = ground.walls.copy()
    solid[tuple(np.transpose(towers))] = True
    core = turned(towers[len(towers) // 2 - 1], n)
    goals = [core] * (ground.lanes + 1) + [ground.home, *map(tuple, ground.camps.tolist())]
    assert len(goals) == len(ground.ways)
    by = np.array([dy * n + dx for dy, dx in DIRECTIONS] + [0])
    free = np.flatnonzero(~ground.walls)
    assert ground.distance[free].max() < 3000
    for way, goal in zip(ground.ways, goals, strict=True):
        at = free.copy()
        for _ in range(4 * n):
            at = at + by[way[at]]
            assert not solid.flat[at[at != goal[0] * n + goal[1]]].any()
        assert (at == goal[0] * n + goal[1]).all()


def test_flow_takes_the_shortest_way_around_corners() -> None:
    solid = np.zeros((5, 5), np.bool_)
    solid[2, 1:4] = True
    ways, far = flow(solid, np.ones((5, 5), np.int32), (4, 2))
    # Around the wall's end: twice to the side, twice down, over a free corner, once back; no corner is cut.
    assert far[1, 2] == 10 + 10 + 10 + 10 + 14 + 10
    assert ways[4, 2] == STAY
    assert far[2, 2] == FAR


def test_lanes_keep_to_their_route() -> None:
    """Creeps of the three lanes go three ways: by the south-east corner, the middle, the north-west."""
    ground = terrain("full")
    n = ground.size
    by = np.array([dy * n + dx for dy, dx in DIRECTIONS] + [0])
    corners = [(n - 15, n - 15), (n // 2, n // 2), (14, 14)]
    for lane, (corner, start) in enumerate(zip(corners, ground.starts.tolist(), strict=True)):
        cell, nearest = start[0] * n + start[1], n
        for _ in range(3 * n):
            cell += by[ground.ways[lane][cell]]
            nearest = min(nearest, max(abs(cell // n - corner[0]), abs(cell % n - corner[1])))
        assert nearest <= 6, lane


# ---- settings ----


def test_every_number_of_the_rules_is_a_setting() -> None:
    """The C structs and the dataclasses hold the same, section by section."""
    engine = engine_of("moba", 1)
    native = engine.native_config()
    apart = {"time_limit", "desynchronise"}
    declared = {field.name for field in dataclasses.fields(MobaConfig)} - apart
    assert set(native) == declared
    for name in CLASSES:
        assert set(native[name]) == {
            f.name for f in dataclasses.fields(getattr(MobaConfig(), name))
        }
    for name, value in settings.flatten(MobaConfig()).items():
        head, _, tail = name.partition(".")
        if head not in {*apart, "map", "opponent"}:
            assert (native[head][tail] if tail else native[head]) == value, name


def test_a_skill_changes_by_its_setting() -> None:
    config = settings.replace(MobaConfig(), {"tank.grind_damage": 99, "map": "small"})
    assert config.tank.grind_damage == 99
    assert config.support == MobaConfig().support


def test_every_number_of_the_rules_is_a_flag() -> None:
    """As `skipjack train moba/small --env.support.hook-mana 50` takes them, and the engine gets them."""
    wanted: dict[str, float] = {}
    for name, value in settings.flatten(MobaConfig()).items():
        if isinstance(value, float):
            wanted[name] = value / 2 or 0.5
        elif isinstance(value, int) and not isinstance(value, bool):
            wanted[name] = value - 1 if value > 1 else value + 1
    assert len(wanted) > 100
    words = [f"--env.{name.replace('_', '-')}={value}" for name, value in wanted.items()]
    name, _, chosen = flags.with_settings(PlayFlags, ["moba/small", *words], "skipjack", "")
    env = configure(name, flags=chosen).config.env
    assert {each: settings.flatten(env)[each] for each in wanted} == wanted
    native = Moba(1, env).native_config()
    for each in set(wanted) - {"time_limit"}:
        head, _, tail = each.partition(".")
        assert (native[head][tail] if tail else native[head]) == wanted[each], each


def test_layout_is_507_bytes() -> None:
    made = layout()
    assert made.size == 507
    assert made.fields[0].kinds == 16
    assert [field.name for field in made.fields][4:] == list(FLAT)


# ---- both sides alike ----


@pytest.mark.parametrize("name", GROUNDS)
def test_both_sides_see_the_same_under_mirrored_play(name: str) -> None:
    """A thousand ticks in which red does what blue does, to the bit; long enough for towers to fall."""
    engine, rows = table(name_of(name), 2, seed=4, time_limit=2000)
    half = engine.seats // 2
    generator = np.random.default_rng(3)
    hit = 0
    for t in range(1000):
        drawn = engine.action.draw(generator, 2 * half).reshape(2, half, 6)
        if t % 40 < 30:  # go ahead most of the time, so that the sides meet
            drawn[..., 0], drawn[..., 1] = 1, 6
        drawn[..., 2] = 0
        rows.actions[:] = np.concatenate([drawn, drawn], axis=1).reshape(-1, 6)
        engine.step(0, 2)
        seen = rows.observations.reshape(2, 2, half, -1)
        rewards = rows.rewards.reshape(2, 2, half)
        assert np.array_equal(seen[:, 0], seen[:, 1]), t
        assert np.array_equal(rewards[:, 0], rewards[:, 1]), t
        hit += int((seen[:, 0, :, 497] > 0).sum())
    assert hit > 50, "nobody was hit: the sides did not meet"


# ---- a world by hand ----


class Arena:
    """A small game without creeps, in which units are put where a case wants them.

    Everybody's place and figures are set by `put`; heroes that are not named stand at home.
    """

    def __init__(self, ground: str = "full", **changes: Any) -> None:
        still = {"creep_count": 0, "health_regeneration": 0, "mana_regeneration": 0}
        self.engine, self.rows = table(name_of(ground), 1, **(still | changes))
        self.half = self.engine.seats // 2
        self.size = terrain(ground).size

    def snapshot(self) -> Any:
        return self.engine.snapshot(0)

    def unit(self, half: int, index: int) -> Any:
        return self.snapshot()["entities"][id_of(half, index)]

    def hero(self, team: int, seat: int) -> Any:
        return self.snapshot()["heroes"][5 * team + seat] | self.unit(team, seat)

    def cell(self, half: int, index: int) -> tuple[int, int]:
        unit = self.unit(half, index)
        return unit["y"] // UNIT, unit["x"] // UNIT

    def put(
        self, half: int, index: int, cell: tuple[int, int] | None = None, **values: Any
    ) -> None:
        found = self.snapshot()
        unit = found["entities"][id_of(half, index)]
        hero = found["heroes"][5 * half + index] if index < 5 else {}
        if cell is not None:
            middle = UNIT // 2 - unit["half"]
            unit["y"], unit["x"] = (place * UNIT + middle for place in cell)
        for name, value in values.items():
            (hero if name in hero else unit)[name] = value
        self.engine.inject(0, found)

    def creep(self, half: int, cell: tuple[int, int], health: int = 450, slot: int = 0) -> int:
        """A creep that stands still; its index."""
        found = self.snapshot()
        unit = found["entities"][id_of(half, 5 + slot)]
        unit |= {
            "kind": CREEP,
            "team": half,
            "half": half,
            "index": 5 + slot,
            "alive": 1,
            "lane": 0,
        }
        unit |= {"health": health, "most": 450, "stunned": 10_000, "target": 0}
        unit["y"], unit["x"] = (place * UNIT + UNIT // 2 - half for place in cell)
        found["entities"][id_of(half, 5 + slot)] = unit
        found["state"]["creeps"][half] |= 1 << slot
        self.engine.inject(0, found)
        return 5 + slot

    def act(self, **choices: list[int]) -> None:
        """A tick; `blue0=[...]` is what blue's hero of seat 0 does, all others rest."""
        self.rows.actions[:] = REST
        for who, choice in choices.items():
            row = self.half * who.startswith("red") + int(who[-1])
            self.rows.actions[row] = choice
        self.engine.step(0, 1)


ROOM = (63, 60)
"""A cell of the river: nobody's, with room on all sides."""


def use(skill: int, mode: int = 0) -> list[int]:
    return [0, 0, mode, *(int(skill == each) for each in range(3))]


SEAT = {name: seat for seat, name in enumerate(CLASSES)}


def duel(name: str, apart: int = 3, **values: Any) -> Arena:
    """A blue hero of a class in the river, and red's carry so many cells to the right of it."""
    arena = Arena()
    arena.put(0, SEAT[name], ROOM, **values)
    arena.put(1, 4, (ROOM[0], ROOM[1] + apart), health=300)
    return arena


def used(name: str, skill: int, arena: Arena) -> tuple[Any, Any]:
    """The hero and red's carry after a use of a skill, of which mana and cool-down are checked."""
    seat, config = SEAT[name], getattr(MobaConfig(), name)
    before = arena.hero(0, seat)
    time = arena.snapshot()["state"]["time"]
    arena.act(**{f"blue{seat}": use(skill)})
    after = arena.hero(0, seat)
    word = SKILLS[name][skill]
    assert before["mana"] - after["mana"] == getattr(config, f"{word}_mana")
    assert after["used"][skill] == before["used"][skill] + 1
    if word != "kite":
        assert after["cooled"][skill] == time + getattr(config, f"{word}_cooldown")
    return after, arena.hero(1, 4)


def test_support_hooks() -> None:
    """A level 1 hook pulls 1.6 cells, and no further than beside the support."""
    arena = duel("support", apart=4)
    x = arena.hero(1, 4)["x"]
    _, target = used("support", 0, arena)
    assert x - target["x"] == pytest.approx(1.6 * UNIT, abs=2)
    arena = duel("support", apart=1)
    _, target = used("support", 0, arena)
    assert arena.cell(1, 4) == (ROOM[0], ROOM[1] + 1)


def test_a_hook_goes_past_towers_and_stops_at_walls() -> None:
    ground = terrain("full")
    y, x = turned(tuple(ground.towers[3, :2]), 128)
    arena = Arena()
    arena.put(0, 0, (y, x - 2))
    arena.act(blue0=use(0))
    assert arena.hero(0, 0)["used"] == [0, 0, 0], "a tower was hooked"
    arena.put(1, 4, (y, x + 2))
    arena.act(blue0=use(0))
    assert arena.hero(0, 0)["used"] == [1, 0, 0]
    assert arena.cell(1, 4) == (y, x + 1), "it went through the tower"


def test_support_heals_its_side() -> None:
    arena = duel("support")
    arena.put(0, 1, (ROOM[0] + 5, ROOM[1]), health=10)
    arena.put(0, 2, (ROOM[0], ROOM[1] - 6), health=10)
    after, target = used("support", 1, arena)
    assert arena.hero(0, 1)["health"] == 400, "not beyond what is full"
    assert arena.hero(0, 2)["health"] == 10, "six cells away"
    assert target["health"] == 300
    assert after["healed"] == 390 == arena.hero(0, 1)["mended"]


def test_support_strikes() -> None:
    arena = duel("support")
    _, target = used("support", 2, arena)
    assert target["health"] == 300 - 70
    assert target["stunned"] == 15
    x = arena.hero(1, 4)["x"]
    arena.act(red4=[0, 6, 0, 0, 0, 0])
    assert arena.hero(1, 4)["x"] == x, "a stunned hero went"
    assert arena.hero(1, 4)["dealt"] == 0, "a stunned hero attacked"


def test_assassin_sweeps_creeps_alone() -> None:
    arena = duel("assassin", apart=2)
    creep = arena.creep(1, (ROOM[0] + 3, ROOM[1] - 3))
    far = arena.creep(1, (ROOM[0] + 4, ROOM[1]), slot=1)
    own = arena.creep(0, (ROOM[0] - 1, ROOM[1]), slot=2)
    _, target = used("assassin", 0, arena)
    assert arena.unit(1, creep)["health"] == 450 - 120
    assert arena.unit(1, far)["health"] == arena.unit(0, own)["health"] == 450
    assert target["health"] == 300


def test_assassin_ambushes_only_where_there_is_room() -> None:
    arena = duel("assassin", apart=4)
    _, target = used("assassin", 1, arena)
    assert target["health"] == 0 or target["deaths"] == 1, "300 damage kill it"
    assert arena.cell(0, 1) == (ROOM[0], ROOM[1] + 3)
    arena = duel("assassin", apart=4)
    slots = itertools.count()
    for dy, dx in DIRECTIONS:
        arena.creep(0, (ROOM[0] + dy, ROOM[1] + 4 + dx), slot=next(slots))
    arena.act(blue1=use(1))
    assert arena.hero(0, 1)["used"] == [0, 0, 0]
    assert arena.hero(0, 1)["mana"] == 300, "a skill that fails costs nothing"


def test_assassin_sprints() -> None:
    arena = duel("assassin")
    after, _ = used("assassin", 2, arena)
    assert after["hasted"] == 25
    x = arena.hero(0, 1)["x"]
    arena.act(blue1=[0, 1, 2, 0, 0, 0])
    assert x - arena.hero(0, 1)["x"] == 2 * UNIT


def test_burst_bolts() -> None:
    arena = duel("burst")
    _, target = used("burst", 0, arena)
    assert target["health"] == 300 - 290


def test_burst_blasts_around_its_target() -> None:
    arena = duel("burst", apart=4)
    beside = arena.creep(1, (ROOM[0] + 2, ROOM[1] + 6))
    away = arena.creep(1, (ROOM[0] + 3, ROOM[1] + 5), slot=1)
    _, target = used("burst", 1, arena)
    assert target["health"] == 300 - 140
    assert arena.unit(1, beside)["health"] == 450 - 140
    assert arena.unit(1, away)["health"] == 450


def test_burst_dazes() -> None:
    arena = duel("burst")
    _, target = used("burst", 2, arena)
    assert target["stunned"] == 10
    assert target["health"] == 300


def test_a_daze_before_a_tower_alone_costs_nothing() -> None:
    y, x = turned(tuple(terrain("full").towers[3, :2]), 128)
    arena = Arena()
    arena.put(0, 2, (y, x - 3))
    arena.act(blue2=use(2))
    assert arena.hero(0, 2)["used"] == [0, 0, 0]
    assert arena.hero(0, 2)["dealt"] == 50, "it attacks instead"


def test_tank_grinds() -> None:
    arena = duel("tank", apart=2)
    _, target = used("tank", 0, arena)
    assert target["health"] == 300 - 27
    arena.put(1, 4, (ROOM[0], ROOM[1] + 3))
    arena.act(blue3=use(0, mode=2))
    assert arena.hero(0, 3)["used"][0] == 1, "nobody was near"


def test_tank_mends() -> None:
    arena = duel("tank", health=100)
    after, _ = used("tank", 1, arena)
    assert after["health"] == 100 + 525
    arena = duel("tank")
    arena.act(blue3=use(1, mode=2))
    assert arena.hero(0, 3)["used"] == [0, 0, 0], "nothing was missing"


def test_tank_charges_and_pulls() -> None:
    arena = duel("tank", apart=5)
    creep = arena.creep(1, (ROOM[0] + 4, ROOM[1] + 4))
    used("tank", 2, arena)
    assert arena.cell(0, 3) == (ROOM[0], ROOM[1] + 4)
    y = arena.unit(1, creep)["y"]
    assert (ROOM[0] + 4) * UNIT + UNIT // 2 - y == pytest.approx(2.1 * UNIT, abs=2)


def test_two_who_would_appear_on_one_cell_do_nothing() -> None:
    arena = Arena()
    arena.put(0, 3, ROOM)
    arena.put(1, 3, (ROOM[0], ROOM[1] + 2))
    arena.act(blue3=use(2), red3=use(2))
    for team in range(2):
        hero = arena.hero(team, 3)
        assert (hero["used"], hero["mana"], hero["dealt"]) == ([0, 0, 0], 200, 0)
        assert arena.cell(team, 3) == (ROOM[0], ROOM[1] + 2 * team)


def test_carry_kites_three_times() -> None:
    arena = duel("carry")
    x = arena.hero(0, 4)["x"]
    after, target = used("carry", 0, arena)
    assert x - after["x"] == pytest.approx(1.05 * UNIT, abs=2)
    assert (target["slow"], target["slowed"]) == (UNIT // 2, 15)
    x = arena.hero(1, 4)["x"]
    arena.act(red4=[0, 6, 2, 0, 0, 0])
    assert arena.hero(1, 4)["x"] - x == -(UNIT // 2), "red's right is blue's left, at half speed"
    assert arena.hero(0, 4)["cooled"][0] == 0
    used("carry", 0, arena)
    used("carry", 0, arena)
    assert arena.hero(0, 4)["cooled"][0] == arena.snapshot()["state"]["time"] - 1 + 40
    arena.act(blue4=use(0, mode=0))
    assert arena.hero(0, 4)["used"][0] == 3


def test_carry_snares() -> None:
    arena = duel("carry")
    _, target = used("carry", 1, arena)
    assert target["health"] == 300 - 70
    assert (target["slow"], target["slowed"]) == (UNIT // 2, 21)


def test_the_strongest_of_several_slows_holds_for_the_longest() -> None:
    """A weak and long one after a strong and short one; once both are over a weak one is weak."""
    arena = Arena(carry=Carry(kite_factor=0.25, kite_ticks=3))
    arena.put(0, 4, ROOM, mana=1000, most_mana=1000)
    arena.put(1, 4, (ROOM[0], ROOM[1] + 3), health=300)
    _, target = used("carry", 0, arena)
    assert (target["slow"], target["slowed"]) == (UNIT // 4, 3)
    _, target = used("carry", 1, arena)
    assert (target["slow"], target["slowed"]) == (UNIT // 4, 1 + 21)
    arena.put(1, 4, slowed=0)
    arena.put(0, 4, cooled=[0, 0, 0])
    _, target = used("carry", 1, arena)
    assert target["slow"] == UNIT // 2


def test_carry_volleys() -> None:
    arena = duel("carry")
    creep = arena.creep(1, (ROOM[0] + 2, ROOM[1] + 3))
    _, target = used("carry", 2, arena)
    assert target["health"] == 300 - 120
    assert arena.unit(1, creep)["health"] == 450 - 120


TARGETED = [
    (name, skill)
    for name in CLASSES
    for skill in range(3)
    if SKILLS[name][skill] not in ("sprint", "heal", "mend")
]


@pytest.mark.parametrize(("name", "skill"), TARGETED)
def test_a_skill_without_a_target_costs_nothing(name: str, skill: int) -> None:
    arena = Arena()
    arena.put(0, SEAT[name], ROOM)
    before = arena.hero(0, SEAT[name])
    arena.act(**{f"blue{SEAT[name]}": use(skill)})
    after = arena.hero(0, SEAT[name])
    for figure in ("mana", "cooled", "used", "kites", "y", "x"):
        assert before[figure] == after[figure]


@pytest.mark.parametrize("name", CLASSES)
def test_no_skill_without_mana_or_in_its_cool_down(name: str) -> None:
    for values in ({"mana": 4}, {"cooled": [9, 9, 9]}):
        arena = duel(name, apart=2, health=100, **values)
        arena.act(**{f"blue{SEAT[name]}": [0, 0, 0, 1, 1, 1]})
        after = arena.hero(0, SEAT[name])
        assert after["used"] == [0, 0, 0]
        assert after["dealt"] == 50, "it attacks instead"


def test_the_first_skill_that_succeeds_is_used() -> None:
    arena = duel("support")
    arena.act(blue0=[0, 0, 0, 0, 1, 1])
    assert arena.hero(0, 0)["used"] == [0, 0, 1], "nobody lacked health: E is the first"


def test_modes_choose_whom_to_attack() -> None:
    arena = duel("support", apart=4)
    creep = arena.creep(1, (ROOM[0], ROOM[1] + 2))
    arena.act(blue0=[0, 0, 0, 0, 0, 0])
    assert arena.unit(1, creep)["health"] == 400
    arena.put(0, 0, ready=0)
    arena.act(blue0=[0, 0, 1, 0, 0, 0])
    assert arena.unit(1, creep)["health"] == 400
    assert arena.hero(1, 4)["health"] == 250
    arena.put(0, 0, ready=0)
    arena.act(blue0=[0, 0, 2, 0, 0, 0])
    assert arena.hero(0, 0)["dealt"] == 100


def test_attacks_come_every_eight_ticks() -> None:
    arena = duel("support", apart=4)
    arena.put(1, 4, most=10_000, health=10_000)
    for _ in range(17):
        arena.act(blue0=[0, 0, 0, 0, 0, 0])
    assert arena.hero(0, 0)["dealt"] == 3 * 50


# ---- xp ----


def test_ladder_rises_from_240() -> None:
    arena = duel("support")
    ladder = [240 * (n - 1) * (n + 4) // 6 for n in range(1, 31)]
    assert ladder[1] == 240
    assert all(a < b for a, b in itertools.pairwise(ladder))
    arena.put(0, 0, xp=239)
    arena.put(1, 4, health=1, xp=0)
    arena.act(blue0=[0, 0, 0, 0, 0, 0])
    hero = arena.hero(0, 0)
    assert (hero["xp"], hero["level"], hero["damage"]) == (339, 2, 60)
    assert (hero["most"], hero["most_mana"]) == (600, 300)
    arena.put(0, 0, xp=ladder[-1] - 10)
    arena.put(1, 4, (ROOM[0], ROOM[1] + 3), health=1)
    arena.put(0, 0, ready=0)
    arena.act(blue0=[0, 0, 0, 0, 0, 0])
    assert arena.hero(0, 0)["xp"] == ladder[-1], "no xp beyond the last level"
    assert arena.hero(0, 0)["level"] == 30


def test_xp_of_a_hero_is_shared_around_the_fallen() -> None:
    arena = duel("support")
    arena.put(1, 4, health=1, xp=769)
    arena.put(0, 1, (ROOM[0], ROOM[1] + 3 + 7))
    arena.put(0, 2, (ROOM[0], ROOM[1] + 3 - 8))
    arena.act(blue0=[0, 0, 0, 0, 0, 0])
    assert arena.hero(0, 0)["xp"] == arena.hero(0, 1)["xp"] == 100
    assert arena.hero(0, 2)["xp"] == 0
    fallen = arena.hero(1, 4)
    assert (fallen["deaths"], fallen["xp"], fallen["health"]) == (1, 769, fallen["most"])
    assert arena.hero(0, 0)["kills"] == 1
    assert arena.hero(0, 0)["parts"][:2] == pytest.approx([0, 0.6])
    assert fallen["parts"][:2] == pytest.approx([-1, -1.2]), "what it gave away is taken from it"


def test_no_xp_beyond_the_last_level_for_two_at_once() -> None:
    arena = duel("carry", apart=5)
    last = 240 * 29 * 34 // 6
    arena.put(0, 4, xp=last - 10)
    for slot, dy in enumerate((-1, 1)):
        arena.creep(1, (ROOM[0] + dy, ROOM[1] + 3), health=1, slot=slot)
    arena.act(blue4=use(2))
    assert (arena.hero(0, 4)["xp"], arena.hero(0, 4)["gained"]) == (last, 10)


def test_the_killer_has_its_xp_from_any_distance() -> None:
    arena = Arena(xp_reach=0)
    arena.put(0, 0, ROOM)
    arena.put(0, 1, (ROOM[0] + 1, ROOM[1]))
    arena.put(1, 4, (ROOM[0], ROOM[1] + 5), health=1)
    arena.act(blue0=[0, 0, 0, 0, 0, 0])
    assert [arena.hero(0, seat)["xp"] for seat in range(2)] == [100, 0]


def test_who_dies_is_at_home_without_stun_slow_and_sprint() -> None:
    arena = Arena()
    arena.put(0, 0, ROOM)
    arena.put(1, 1, (ROOM[0], ROOM[1] + 3), health=1, stunned=90, slowed=90, hasted=90)
    arena.act(blue0=[0, 0, 0, 0, 0, 0])
    fallen = arena.hero(1, 1)
    assert fallen["deaths"] == 1
    assert fallen["stunned"] == fallen["slowed"] == fallen["hasted"] == 0


def test_coming_home_counts_as_a_way_back() -> None:
    """The reward for distance adds up to nothing for who goes ahead, dies and begins anew."""
    arena = duel("support")
    arena.act()
    there = arena.hero(1, 4)["far"]
    arena.put(1, 4, health=1)
    arena.act(blue0=[0, 0, 0, 0, 0, 0])
    fallen = arena.hero(1, 4)
    assert fallen["far"] - there == -fallen["went"] > 300
    assert fallen["parts"][2] == pytest.approx(0.05 * fallen["went"] / 10)
    total = sum(arena.hero(1, 4)["parts"])
    assert arena.rows.rewards[9] == pytest.approx(total, abs=1e-5)


def test_what_no_hero_hurt_belongs_to_nobody() -> None:
    ground = terrain("full")
    y, x = ground.towers[3, :2].tolist()
    arena = Arena()
    arena.put(0, 0, (y, x - 1))
    arena.put(1, 4, (y, x + 4), health=1)
    for _ in range(5):
        arena.act()
    assert arena.hero(1, 4)["deaths"] == 1
    assert arena.hero(0, 0)["xp"] == arena.hero(0, 0)["kills"] == 0


def test_both_sides_hurt_a_neutral_alike_and_its_half_decides() -> None:
    camp = terrain("full").camps[0].tolist()
    for half in range(2):
        y, x = (camp[0], camp[1]) if half == 0 else turned((camp[0], camp[1]), 128)
        arena = Arena(neutral_damage=0)
        arena.put(half, 55, (y, x), health=10)
        for slot in range(1, 4):
            arena.put(half, 55 + slot, alive=0)
        arena.put(0, 0, (y, x + 2))
        arena.put(1, 0, (y, x - 2))
        arena.act(blue0=[0, 0, 0, 0, 0, 0], red0=[0, 0, 0, 0, 0, 0])
        assert [arena.hero(team, 0)["xp"] for team in range(2)] == [
            35 * (half == 0),
            35 * (half == 1),
        ]


def test_of_two_who_hurt_a_neutral_alike_the_lower_seat_has_it() -> None:
    y, x = terrain("full").camps[0].tolist()
    arena = Arena(neutral_damage=0)
    arena.put(0, 55, (y, x), health=10)
    for slot in range(1, 4):
        arena.put(0, 55 + slot, alive=0)
    arena.put(0, 1, (y, x + 2))
    arena.put(1, 0, (y, x - 2))
    arena.act(blue1=[0, 0, 0, 0, 0, 0], red0=[0, 0, 0, 0, 0, 0])
    assert (arena.hero(0, 1)["xp"], arena.hero(1, 0)["xp"]) == (0, 35)


@pytest.mark.parametrize("name", GROUNDS)
def test_xp_and_damage_add_up_in_every_tick(name: str) -> None:
    """What a tick takes of health was dealt; what heroes gain was worth, and no more than lay there."""
    still = {"health_regeneration": 0, "creep_every": 60, "neutral_refill": 200}
    engine, rows = table(name_of(name), 1, seed=1, **still)
    generator, half = np.random.default_rng(0), engine.seats // 2
    worth = {CREEP: 60, NEUTRAL: 35}
    before, dead, gained = engine.snapshot(0), 0, 0
    for t in range(1200):
        rows.actions[:] = engine.action.draw(generator, engine.seats)
        if t % 60 < 50:
            rows.actions[:, :3] = 1, 6, 0
        engine.step(0, 1)
        after = engine.snapshot(0)
        if rows.terminated.any():
            before = after
            continue
        most = least = 0
        for old, new in zip(before["entities"][1:], after["entities"][1:], strict=True):
            if old["alive"] and not new["alive"]:
                if new["kind"] == TOWER:
                    most += 800 * new["lane"]
                else:
                    most += worth[new["kind"]]
                    dead += 1
        heroes = list(zip(before["heroes"], after["heroes"], strict=True))
        for team in range(2):
            for seat in range(half):
                old, new = heroes[5 * team + seat]
                if new["deaths"] > old["deaths"]:
                    most += 100 + int(old["xp"] / 7.69)
                    least += new["given"]
                assert new["gained"] == new["xp"] - old["xp"]
        got = sum(new["gained"] for _, new in heroes)
        given = sum(new["given"] for _, new in heroes)
        assert least == given <= got <= most, t
        gained += got
        health(before, after, half)
        before = after
    assert dead > 20, "too few died"
    assert gained > 500


def health(before: Any, after: Any, heroes: int) -> None:
    """Of heroes who neither died nor may have been healed: health lost is damage taken."""
    for team in range(2):
        own = slice(5 * team, 5 * team + heroes)
        heals = [[hero["used"][1] for hero in each["heroes"][own]] for each in (before, after)]
        for seat in range(heroes if heals[0] == heals[1] else 0):
            old, new = (each["heroes"][5 * team + seat] for each in (before, after))
            unit = id_of(team, seat)
            if new["deaths"] == old["deaths"]:
                grown = after["entities"][unit]["most"] - before["entities"][unit]["most"]
                lost = (
                    before["entities"][unit]["health"] - after["entities"][unit]["health"] + grown
                )
                assert lost == new["taken"] - old["taken"] == new["hurt"]


def test_trading_kills_earns_less_than_pushing() -> None:
    """Two teams whose heroes kill one another, the strongest first, against two that push towers."""
    traded = trade_kills(200)
    pushed = pushing("lane_pusher", 3000)
    assert traded < 0 < pushed


def trade_kills(rounds: int) -> float:
    """Mean return of all heroes where one of each side falls to the other in turn, ever richer."""
    arena = duel("support", apart=2)
    arena.put(0, 0, (ROOM[0], ROOM[1] + 1))
    total = 0.0
    for turn in range(rounds):
        victim, killer = (1, 0) if turn % 2 else (0, 1)
        seats = (0, 4)
        arena.put(0, 0, ROOM, ready=0)
        arena.put(1, 4, (ROOM[0], ROOM[1] + 2), ready=0)
        arena.put(victim, seats[victim], health=1)
        who = f"{'blue' if killer == 0 else 'red'}{seats[killer]}"
        arena.act(**{who: [0, 0, 0, 0, 0, 0]})
        found = arena.snapshot()["heroes"]
        fallen = found[5 * victim + seats[victim]]
        assert fallen["fell"] == 1
        total += sum(hero["parts"][0] + hero["parts"][1] for hero in found)
    return total / rounds


def pushing(grade: str, ticks: int) -> float:
    """Mean return a hero of a scripted side against the creeps and towers of another of its kind."""
    engine, rows = table("moba", 4, seed=2, opponent=grade, time_limit=ticks)
    totals = np.zeros(4 * engine.seats)
    for _ in range(ticks):
        rows.actions[:] = engine.scripted(rows.observations)
        engine.step(0, 4)
        totals += rows.rewards
    return float(totals.mean())


# ---- games ----


def test_a_fallen_core_ends_the_game() -> None:
    ground = terrain("small")
    y, x = turned(tuple(ground.towers[-1, :2]), 48)
    arena = Arena("small")
    arena.put(0, 0, (y, x - 2))
    arena.put(1, 93, health=1)
    arena.act(blue0=[0, 0, 0, 0, 0, 0])
    assert arena.rows.terminated.all()
    records = arena.engine.records(0, 1)
    assert records["outcome"].tolist() == [1, 1, 1, 0, 0, 0]
    names = dict(zip(arena.engine.statistics, records["stats"][0], strict=True))
    assert (names["towers"], names["win_blue"]) == (1, 1)
    assert np.isnan(names["win_red"])
    assert np.isnan(names["tank_kills"])
    assert names["support_level"] > 1
    assert arena.snapshot()["state"]["time"] == 0, "a new game has begun"


def test_at_the_limit_towers_decide() -> None:
    arena = Arena("small", time_limit=3)
    arena.put(1, 91, alive=0)
    found = arena.snapshot()
    found["state"]["standing"][1] -= 1
    arena.engine.inject(0, found)
    for _ in range(3):
        arena.act()
    assert arena.rows.truncated.all()
    assert arena.engine.records(0, 1)["outcome"].tolist() == [1, 1, 1, 0, 0, 0]
    for _ in range(3):
        arena.act()
    assert arena.engine.records(0, 1)["outcome"].tolist() == [0.5] * 6


def test_waves_camps_and_refills() -> None:
    engine, rows = table("moba", 1)
    rows.actions[:] = REST
    engine.step(0, 1)
    units = engine.snapshot(0)["entities"]
    count = [(u["kind"], u["team"]) for u in units if u["alive"]]
    assert count.count((CREEP, 0)) == count.count((CREEP, 1)) == 15
    assert count.count((NEUTRAL, 2)) == 72
    assert count.count((TOWER, 0)) == 12
    assert sum(u["lane"] == 1 for u in units if u["alive"] and u["kind"] == CREEP) == 10


def test_creeps_reach_the_enemy() -> None:
    """Left alone, waves meet, fight, and neither side breaks the other's."""
    engine, rows = table("moba", 1)
    rows.actions[:] = REST
    for _ in range(700):
        engine.step(0, 1)
    found = engine.snapshot(0)
    units = found["entities"]
    assert found["state"]["standing"] == [12, 12]
    creeps = [u for u in units if u["alive"] and u["kind"] == CREEP]
    assert any(u["health"] < u["most"] for u in creeps)


def test_neutrals_keep_to_their_camp() -> None:
    """They see who stands five cells from its middle, and reach who stands four from it."""
    ground = terrain("full")
    camp, y, x = next(
        (i, y, x)
        for i, (y, x) in enumerate(ground.camps.tolist())
        if not ground.walls[y, x + 3 : x + 6].any()
    )
    for far, hit in ((5, False), (4, True)):
        arena = Arena()
        arena.put(0, 3, (y, x + far))
        for _ in range(30):
            arena.act()
            for slot in range(4):
                row, column = arena.cell(0, 55 + 4 * camp + slot)
                assert max(abs(row - y), abs(column - x)) <= 2
        assert (arena.hero(0, 3)["health"] < 700) == hit
        assert arena.unit(0, 56 + 4 * camp)["target"], "nobody was seen"


def test_two_creeps_of_a_slot_that_want_one_cell_stay() -> None:
    ground = terrain("full")
    n, way = ground.size, ground.ways[1]
    by = [dy * n + dx for dy, dx in DIRECTIONS]
    free = [cell for cell in range(60 * n, 68 * n) if not ground.walls.flat[cell]]
    red_to = {cell: cell - by[way[n * n - 1 - cell]] for cell in free}
    blue, red = next(
        (cell, other)
        for cell in free
        for other in free
        if cell != other and red_to[other] == cell + by[way[cell]] not in (cell, other)
    )
    arena = Arena()
    arena.act()
    for half, cell in enumerate((blue, red)):
        index = arena.creep(half, divmod(cell, n))
        arena.put(half, index, stunned=0, lane=1)
    arena.act()
    assert [arena.cell(half, 5) for half in range(2)] == [divmod(blue, n), divmod(red, n)]


def test_first_game_scatters_towers() -> None:
    engine, _ = table("moba", 1, desynchronise=True)
    towers = [u for u in engine.snapshot(0)["entities"] if u["kind"] == TOWER]
    shares = np.array([u["health"] / u["most"] for u in towers])
    assert shares.min() < 0.5
    assert shares.min() >= 0.1
    assert shares.max() < 1


@pytest.mark.parametrize("opponent", ["random", "creep_follower"])
def test_scripted_sides_alternate(opponent: str) -> None:
    engine, rows = table("moba/small", 4, opponent=opponent, time_limit=5)
    sides = []
    for _ in range(20):
        rows.actions[:] = REST
        engine.step(0, 4)
        for record in engine.records(0, 4):
            if record["seat"] == 0 and record["env"] == 0:
                sides.append(np.isnan(record["stats"][8]))
    assert len(sides) == 4
    assert all(a != b for a, b in itertools.pairwise(sides))


def test_seats_see_their_side_as_blue() -> None:
    engine, rows = table("moba", 8, opponent="random")
    places = rows.observations[:, 484:486].reshape(8, 5, 2)
    assert (places[:, :, 0] > 100).all()
    assert (places[:, :, 1] < 30).all()
    assert {engine.snapshot(env)["state"]["side"] for env in range(8)} == {0, 1}


def test_scripted_teams_are_graded() -> None:
    """On the small ground each is beaten by the next, as the game's own player meets them."""
    scores = [score_against(grade) for grade in ("random", "creep_follower", "lane_pusher")]
    assert scores[0] > 0.9
    assert scores[0] >= scores[1] >= scores[2]


def score_against(grade: str) -> float:
    """The mean score of the game's own player, four games an env."""
    engine, rows = table("moba/small", 8, opponent=grade)
    found: list[list[float]] = [[] for _ in range(8)]
    while min(map(len, found)) < 2:
        rows.actions[:] = engine.scripted(rows.observations)
        engine.step(0, 8)
        for record in engine.records(0, 8):
            if record["seat"] == 0:
                found[record["env"]].append(float(record["score"]))
    return float(np.mean([each[:2] for each in found]))


def test_wild_play_keeps_the_grid_and_the_units_together() -> None:
    """Whatever is done, each cell holds who stands there, each unit its cell, on free ground."""
    for name in ("moba", "moba/small"):
        engine, rows = table(name, 1, seed=9, time_limit=100_000)
        generator = np.random.default_rng(1)
        walls = terrain(engine.config.map).walls
        for t in range(1500):
            rows.actions[:] = engine.action.draw(generator, engine.seats)
            if t % 100 < 80:
                rows.actions[:, :3] = 1, 6, 0
            engine.step(0, 1)
            if t % 50 == 0:
                check_places(engine, walls)


@pytest.mark.slow
@pytest.mark.parametrize("name", GROUNDS)
def test_a_hundred_thousand_wild_ticks(name: str) -> None:
    """Many games at once, wherever they lead: every env's units and cells agree at the end."""
    envs = 50
    engine, rows = table(name_of(name), envs, seed=11, opponent="self", time_limit=1500)
    generator, walls = np.random.default_rng(4), terrain(name).walls
    ended = 0
    for t in range(2000):
        rows.actions[:] = engine.action.draw(generator, len(rows.alive))
        if t % 100 < 60:
            rows.actions[::2, :3] = 1, 6, 0
        engine.step(0, envs)
        records = engine.records(0, envs)
        ended += len(records)
        assert np.isfinite(rows.rewards).all()
        assert np.isin(records["outcome"], (0, 0.5, 1)).all()
    assert ended >= len(rows.alive)
    for env in range(envs):
        check_places(engine, walls, env)


def check_places(engine: Any, walls: Any, env: int = 0) -> None:
    units = [u for u in engine.snapshot(env)["entities"] if u["alive"]]
    cells = [(u["y"] // UNIT, u["x"] // UNIT) for u in units]
    assert len(set(cells)) == len(cells)
    for unit, (y, x) in zip(units, cells, strict=True):
        assert not walls[y, x]
        assert unit["cell"] == y * len(walls) + x
        assert 0 < unit["health"] <= unit["most"]
    seen = engine.snapshot(env)
    engine.inject(env, {})
    assert engine.snapshot(env) == seen


# ---- scripted teams and balance ----


def played(ground: str, blue: str, red: str, envs: int, games: int) -> Any:
    """Records of whole games between two scripted teams, whoever sits on their side."""
    engine, rows = table(name_of(ground), envs, seed=5)
    half, found = engine.seats // 2, []
    for _ in range(games * engine.config.time_limit):
        for side, grade in enumerate((blue, red)):
            wanted = engine.advised(grade, 0, envs)[:, side * half : (side + 1) * half]
            actions = rows.actions.reshape(envs, 2, half, 6)
            actions[:, side] = wanted
        engine.step(0, envs)
        found.append(engine.records(0, envs))
        if sum(map(len, found)) >= games * len(rows.alive):
            break
    return engine, np.concatenate(found)


def test_advised_is_what_the_scripted_side_does() -> None:
    """A team that is advised sees the same game as one that plays inside the engine."""
    inside, rows = table("moba/small", 1, seed=6, opponent="lane_pusher")
    both, all_rows = table("moba/small", 1, seed=6)
    for engine in (inside, both):
        found = engine.snapshot(0)
        found["state"]["side"] = 0
        engine.inject(0, found)
    for _ in range(400):
        all_rows.actions[3:] = both.advised("lane_pusher", 0, 1)[0, 3:]
        rows.actions[:] = all_rows.actions[:3] = inside.advised("creep_follower", 0, 1)[0]
        inside.step(0, 1)
        both.step(0, 1)
        assert np.array_equal(rows.observations, all_rows.observations[:3])


def along(field: int, cell: tuple[int, int]) -> list[int]:
    """The choices of vy and vx that go along one of the full ground's fields."""
    ground = terrain("full")
    direction = int(ground.ways[field][cell[0] * ground.size + cell[1]])
    return [(1, 0, 6)[1 + by] for by in DIRECTIONS[direction]]


HOMEWARDS = terrain("full").lanes + 1
"""The full ground's field that leads home."""


def test_last_hitters_leave_to_an_attack_what_it_kills() -> None:
    for health, wanted in ((50, [0, 0, 0, 0]), (51, [1, 1, 1, 1])):
        arena = duel("support", apart=4)
        arena.creep(1, (ROOM[0], ROOM[1] + 2), health=health)
        assert arena.engine.advised("last_hitter", 0, 1)[0, 0, 2:].tolist() == wanted


def test_who_is_low_goes_back_from_heroes_and_no_other_team_does() -> None:
    for grade, health, wanted in (
        ("retreat_when_low", 59, along(HOMEWARDS, ROOM)),
        ("retreat_when_low", 60, [0, 0]),
        ("last_hitter", 59, [0, 0]),
    ):
        arena = duel("carry", health=health)
        assert arena.engine.advised(grade, 0, 1)[0, 4, :2].tolist() == wanted


def test_followers_stay_behind_their_creep() -> None:
    for cell, field in (((114, 72), HOMEWARDS), ((114, 62), 0)):
        arena = Arena()
        arena.creep(0, (114, 70))
        arena.put(0, 0, cell)
        found = arena.engine.advised("creep_follower", 0, 1)[0, 0, :2].tolist()
        assert found == along(field, cell)


def followed(blue: str, red: str, seed: int, ticks: int = 300) -> list[int]:
    """A checksum of all that is seen and gained in each tick of a match."""
    engine, rows = table("moba/small", 2, seed=seed)
    found = []
    for _ in range(ticks):
        for side, grade in enumerate((blue, red)):
            own = slice(3 * side, 3 * side + 3)
            rows.actions.reshape(2, 2, 3, 6)[:, side] = engine.advised(grade, 0, 2)[:, own]
        engine.step(0, 2)
        found.append(zlib.crc32(rows.rewards.tobytes(), zlib.crc32(rows.observations.tobytes())))
    return found


@pytest.mark.parametrize("grade", ["random", *GRADES])
def test_the_seed_alone_says_how_scripted_teams_play(grade: str) -> None:
    """Against chance, whose moves the seed gives too, outside the engine and in it."""
    assert followed(grade, "random", 1) == followed(grade, "random", 1)
    assert followed(grade, "random", 1) != followed(grade, "random", 2)
    one, other = (table("moba/small", 2, seed=3, opponent=grade) for _ in range(2))
    generator = np.random.default_rng(0)
    for _ in range(300):
        drawn = one[0].action.draw(generator, 6)
        for engine, rows in (one, other):
            rows.actions[:] = drawn
            engine.step(0, 2)
        assert np.array_equal(one[1].observations, other[1].observations)


@pytest.mark.slow
@pytest.mark.parametrize(("worse", "better"), list(itertools.pairwise(GRADES)))
def test_each_scripted_team_beats_the_one_before(worse: str, better: str) -> None:
    """On both sides, after openings of chance that make each game another one."""
    envs, opening, outcomes = 16, 100, []
    for side in range(2):
        engine, rows = table("moba/small", envs, seed=7)
        kept: dict[int, float] = {}
        while len(kept) < envs:
            for own in range(2):
                grade = better if own == side else worse
                wanted = engine.advised("random" if opening > 0 else grade, 0, envs)
                rows.actions.reshape(envs, 2, 3, 6)[:, own] = wanted[:, 3 * own : 3 * own + 3]
            opening -= 1
            engine.step(0, envs)
            for record in engine.records(0, envs):
                if record["seat"] == 3 * side:
                    kept.setdefault(int(record["env"]), float(record["outcome"]))
        outcomes += kept.values()
        opening = 100
    assert np.mean(outcomes) > 0.5


def test_an_unknown_team_has_a_suggestion() -> None:
    engine, _ = table("moba/small", 1)
    with pytest.raises(UsageError, match="Did you mean 'lane_pusher'"):
        engine.advised("lane_pushr", 0, 1)


def test_sides_are_equal_between_equals() -> None:
    """Two teams of a kind that chance does not touch mirror each other: every game is a draw."""
    _, records = played("small", "lane_pusher", "lane_pusher", 2, 1)
    assert len(records) == 12
    assert set(records["outcome"].tolist()) == {0.5}


def test_balance_tells_who_did_what(tmp_path: Path) -> None:
    engine, records = played("small", "lane_pusher", "random", 4, 2)
    found = {each.name: each for each in balance(records, engine.statistics)}
    assert list(found) == ["support", "tank", "carry"]
    for figure in ("dealt", "taken", "healed", "kills"):
        assert sum(each.shares[figure] for each in found.values()) == pytest.approx(1)
    assert found["carry"].shares["healed"] == 0
    assert found["tank"].games == len(records) / 3
    names = list(engine.statistics)
    uses = np.nansum(records["stats"][:, names.index("tank_q")])
    ticks = records["length"][records["seat"] % 3 == 1].sum()
    assert found["tank"].uses[0] == pytest.approx(1000 * uses / ticks, rel=1e-4)
    assert found["tank"].win == pytest.approx(0.5)
    assert found["tank"].contribution > 0, "who wins does more"
    words = report(records, engine.statistics, tmp_path)
    assert "grind" in words
    assert (tmp_path / "balance.txt").read_text(encoding="utf-8").strip() == words.strip()
    assert (tmp_path / "balance.svg").stat().st_size > 1000
    with pytest.raises(UsageError, match="episodes of moba"):
        balance(records[:0], engine.statistics)


# ---- pictures ----


@pytest.mark.parametrize("name", GROUNDS)
def test_picture_follows_the_watched_hero(name: str) -> None:
    engine, rows = table(name_of(name), 1)
    rows.actions[:] = [0, 0, 0, 1, 1, 1]
    for _ in range(60):
        engine.step(0, 1)
    scenes = []
    for seat in (0, engine.seats - 1):
        engine.camera.seat = seat
        scenes.append(engine.scene(0))
    words = [{item.words for item in scene.items if hasattr(item, "words")} for scene in scenes]
    assert any(word.startswith("support, level") for word in words[0])
    assert any(word.startswith("carry, level") for word in words[1])
    assert all(isinstance(scene, Scene) and scene.drawable() == scene.items for scene in scenes)


def test_rows_of_a_game_are_those_of_a_twin_engine() -> None:
    """A snapshot replays to the bit, put into another env."""
    engine, rows = table("moba/small", 2, seed=3)
    generator = np.random.default_rng(2)
    for t in range(400):
        if t == 200:
            engine.inject(1, engine.snapshot(0))
        drawn = engine.action.draw(generator, 6)
        rows.actions[:] = np.concatenate([drawn, drawn])
        engine.step(0, 2)
    assert np.array_equal(rows.observations[:6], rows.observations[6:])
    assert engine.snapshot(0)["entities"] == engine.snapshot(1)["entities"]


def test_rows_are_bound() -> None:
    engine = engine_of("moba", 1, opponent="random")
    rows = Rows.allocate(5, engine.observation, engine.action)
    engine.bind(rows, identity_rows(1, 5), False)
    engine.reset(0, 1, env_seeds(0, 0, 1))
    assert engine.teams == (0,) * 5
