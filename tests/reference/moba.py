"""The MOBA, written again from its rules: slow, with objects and plain searches over everybody."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skipjack.games.moba.heroes import CLASSES, SKILLS
from skipjack.games.moba.terrain import terrain
from tests.reference.twin import Twin, f32

UNIT = 256
WIDTHS = (0.0, -1.0, -2 / 3, -1 / 3, 1 / 3, 2 / 3, 1.0)
AROUND = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
HERO, CREEP, NEUTRAL, TOWER = "hero", "creep", "neutral", "tower"
MOVABLE = (HERO, CREEP, NEUTRAL)
ANY = (*MOVABLE, TOWER)
STAY = 8


def part(a: int, b: int) -> int:
    """The quotient, towards zero."""
    return abs(a) // b * (1 if a >= 0 else -1)


@dataclass(eq=False)
class Unit:
    kind: str
    team: int
    half: int
    index: int
    y: int = 0
    x: int = 0
    health: int = 0
    most: int = 0
    stunned: int = 0
    slowed: int = 0
    slow: int = 0
    ready: int = 0
    alive: bool = True
    target: Any = None
    lane: int = 0
    tier: int = 0
    post: int = 0
    # of heroes
    name: str = ""
    mana: int = 0
    most_mana: int = 0
    xp: int = 0
    level: int = 0
    damage: int = 0
    cooled: list[int] = field(default_factory=lambda: [0, 0, 0])
    kites: int = 0
    hasted: int = 0
    far: int = 0
    tick: dict[str, int] = field(default_factory=dict)
    sums: dict[str, Any] = field(default_factory=dict)
    parts: list[Any] = field(default_factory=lambda: [f32(0)] * 4)
    # what the tick brings
    harm: int = 0
    relief: int = 0
    pulled: list[int] = field(default_factory=lambda: [0, 0])
    hitters: dict[Any, int] = field(default_factory=dict)


class Moba(Twin):
    def __init__(self, seed: int, config: Any) -> None:
        self.ground = terrain(config.map)
        self.size = self.ground.size
        self.heroes = len(self.ground.classes)
        self.seats = self.heroes * (2 if config.opponent == "self" else 1)
        self.side = -1
        super().__init__(seed, config)

    # ---- places ----

    def cell(self, unit: Unit) -> int:
        return unit.y // UNIT * self.size + unit.x // UNIT

    def turned(self, cell: int, half: int) -> int:
        return self.size**2 - 1 - cell if half else cell

    def free(self, cell: int) -> bool:
        return not self.ground.walls.flat[cell] and cell not in self.at

    def put(self, unit: Unit, cell: int) -> None:
        middle = UNIT // 2 - unit.half
        self.go(unit, cell // self.size * UNIT + middle, cell % self.size * UNIT + middle)

    def go(self, unit: Unit, y: int, x: int) -> None:
        if self.at.get(self.cell(unit)) is unit:
            del self.at[self.cell(unit)]
        unit.y, unit.x = y, x
        assert self.cell(unit) not in self.at
        self.at[self.cell(unit)] = unit

    def apart(self, a: int, b: int) -> int:
        n = self.size
        return max(abs(a // n - b // n), abs(a % n - b % n))

    def spot(self, cell: int, half: int) -> int | None:
        for ring in range(6):
            for dy in range(-ring, ring + 1):
                for dx in range(-ring, ring + 1):
                    at = self.turned(cell + dy * self.size + dx, half)
                    if max(abs(dy), abs(dx)) == ring and self.free(at):
                        return at
        return None

    def nearest(self, teams: Any, kinds: Any, cell: int, reach: int, half: int) -> Unit | None:
        found = []
        for unit in self.units:
            if unit.alive and unit.team in teams and unit.kind in kinds:
                at = self.cell(unit)
                if self.apart(at, cell) <= reach:
                    dy = at // self.size - cell // self.size
                    dx = at % self.size - cell % self.size
                    sign = -1 if half else 1
                    found.append((dy * dy + dx * dx, sign * dy, sign * dx, unit))
        return min(found, key=lambda each: each[:3])[3] if found else None

    def around(self, unit: Unit, kinds: Any, cell: int, reach: int) -> list[Unit]:
        return [
            each
            for each in self.units
            if each.alive
            and each.team != unit.team
            and each.kind in kinds
            and self.apart(self.cell(each), cell) <= reach
        ]

    def walk(self, unit: Unit, down: int, right: int, slide: bool) -> tuple[int, int]:
        steps = -(-max(abs(down), abs(right)) // UNIT)
        y, x = unit.y, unit.x
        for i in range(steps):
            dy = part(down * (i + 1), steps) - part(down * i, steps)
            dx = part(right * (i + 1), steps) - part(right * i, steps)
            ways = [(dy, dx)]
            if slide and dy and dx:
                ways += [(dy, 0), (0, dx)]
            for sy, sx in ways:
                other = (y + sy) // UNIT * self.size + (x + sx) // UNIT
                if other == self.cell(unit) or self.free(other):
                    y, x = y + sy, x + sx
                    break
            else:
                break
        return y, x

    def pairs(self, kind: str) -> list[list[Unit]]:
        """Units of a kind by index, both halves' together."""
        mine = [unit for unit in self.units if unit.kind == kind and unit.alive]
        indices = sorted({unit.index for unit in mine})
        return [[unit for unit in mine if unit.index == index] for index in indices]

    def both(self, wishes: list[tuple[Unit, int, int]]) -> None:
        """Two of a pair go where they want, unless that is one cell."""
        cells = [y // UNIT * self.size + x // UNIT for _, y, x in wishes]
        if len(cells) == 2 and cells[0] == cells[1]:
            return
        for unit, y, x in wishes:
            self.go(unit, y, x)

    # ---- beginning ----

    def new_episode(self) -> None:
        c, ground = self.config, self.ground
        self.side = 1 - self.side if self.side >= 0 else self.stream.below(2)
        self.time, self.units, self.at = 0, [], {}
        self.fallen: set[int] = set()
        self.away: set[tuple[int, int]] = set()
        for i, (y, x, tier, _) in enumerate(ground.towers.tolist()):
            for half in range(2):
                name = "core" if tier == 5 else "tower"
                end = "" if tier == 5 else f"_{tier}"
                tower = Unit(TOWER, half, half, 91 + i, tier=tier)
                tower.health = tower.most = getattr(c, f"{name}_health{end}")
                tower.damage = getattr(c, f"{name}_damage{end}")
                if self.partial:
                    lack = c.scatter * float(f32(self.stream.uniform())) * (tower.most - 1)
                    tower.health -= int(lack)
                self.units.append(tower)
                self.put(tower, self.turned(y * self.size + x, half))
        self.ladder = [0, 0] + [
            c.ladder * (n - 1) * (n + 4) // 6 for n in range(2, self.config.levels + 1)
        ]
        self.team: list[list[Unit]] = [[], []]
        for i, kind in enumerate(ground.classes):
            for half in range(2):
                hero = Unit(HERO, half, half, i, name=CLASSES[kind], lane=ground.lane_of[i])
                figures = ("towers", "kills", "deaths", "dealt", "taken", "healed", "mended")
                hero.sums = dict.fromkeys(figures, 0) | {"parts": [0.0] * 4, "used": [0] * 3}
                self.units.append(hero)
                self.team[half].append(hero)
                self.begin_tick(hero)
                self.to_level(hero, 1)
                self.home(hero)
                hero.far = self.far_of(hero)
        self.camps = [y * self.size + x for y, x in ground.camps.tolist()]
        self.fill_camps()

    def far_of(self, hero: Unit) -> int:
        return int(self.ground.distance[self.turned(self.cell(hero), hero.half)])

    def begin_tick(self, hero: Unit) -> None:
        hero.tick = dict.fromkeys(("hurt", "gained", "given", "fell", "toppled", "went"), 0)

    def to_level(self, hero: Unit, level: int) -> None:
        numbers = getattr(self.config, hero.name)
        most = numbers.health + (level - 1) * numbers.health_level
        most_mana = numbers.mana + (level - 1) * numbers.mana_level
        hero.health += most - hero.most
        hero.mana += most_mana - hero.most_mana
        hero.most, hero.most_mana, hero.level = most, most_mana, level
        hero.damage = numbers.damage + (level - 1) * numbers.damage_level

    def home(self, hero: Unit) -> None:
        hero.health, hero.mana, hero.alive = hero.most, hero.most_mana, True
        hero.stunned = hero.slowed = hero.hasted = 0
        y, x = self.ground.home
        cell = self.spot(y * self.size + x, hero.half)
        assert cell is not None
        self.put(hero, cell)

    def fill_camps(self) -> None:
        for camp, middle in enumerate(self.camps):
            for k, (dy, dx) in enumerate((dy, dx) for dy in (-1, 1) for dx in (-1, 1)):
                post, index = middle + dy * self.size + dx, 55 + 4 * camp + k
                for half in range(2):
                    self.appear(NEUTRAL, 2, half, index, self.config.neutral_health, post)

    def appear(self, kind: str, team: int, half: int, index: int, health: int, cell: int) -> Any:
        old = [each for each in self.units if (each.half, each.index) == (half, index)]
        if old and old[0].alive:
            return None
        at = self.spot(cell, half)
        if at is None:
            return None
        if old:
            self.units.remove(old[0])
        unit = Unit(kind, team, half, index, health=health, most=health, post=cell)
        self.units.append(unit)
        self.put(unit, at)
        if kind == NEUTRAL:
            self.away.add((half, (index - 55) // 4))
        return unit

    def new_wave(self) -> None:
        for half in range(2):
            for lane, (y, x) in enumerate(self.ground.starts.tolist()):
                for _ in range(self.config.creep_count):
                    alive = {
                        u.index
                        for u in self.units
                        if u.kind == CREEP and u.half == half and u.alive
                    }
                    free = [index for index in range(5, 55) if index not in alive]
                    if not free:
                        break
                    cell = y * self.size + x
                    creep = self.appear(CREEP, half, half, free[0], self.config.creep_health, cell)
                    if creep is not None:
                        creep.lane = lane

    # ---- what heroes do ----

    def cost(self, hero: Unit, skill: int) -> int:
        name = SKILLS[hero.name][skill]
        return int(getattr(getattr(self.config, hero.name), f"{name}_mana"))

    def beside(self, hero: Unit, target: Unit) -> int | None:
        at, found = self.cell(hero), []
        for d, (dy, dx) in enumerate(AROUND):
            if hero.half:
                dy, dx = -dy, -dx
            cell = self.cell(target) + dy * self.size + dx
            if self.free(cell) or cell == at:
                y, x = cell // self.size - at // self.size, cell % self.size - at % self.size
                found.append((y * y + x * x, d, cell))
        return min(found)[2] if found else None

    def towards(self, y: int, x: int, by_y: int, by_x: int, length: int) -> tuple[int, int]:
        dy, dx = float(y - by_y), float(x - by_x)
        far = math.sqrt(dy * dy + dx * dx)
        return (int(dy * length / far), int(dx * length / far)) if far else (0, 0)

    def plan(self, hero: Unit, choice: list[int]) -> dict[str, Any]:
        kinds = {0: ANY, 1: (HERO, TOWER), 2: ()}[choice[2]]
        hostile = {0, 1, 2} - {hero.team}
        target = self.nearest(hostile, kinds, self.cell(hero), 5, hero.half)
        for skill in range(3):
            ready = hero.mana >= self.cost(hero, skill) and self.time >= hero.cooled[skill]
            if choice[3 + skill] and ready:
                plan = self.would(hero, SKILLS[hero.name][skill], target, kinds)
                if plan is not None:
                    return {"skill": skill, "do": SKILLS[hero.name][skill], "target": target} | plan
        if target is not None and self.time >= hero.ready:
            return {"skill": 3, "do": "attack", "target": target}
        return {"do": None}

    def would(
        self, hero: Unit, skill: str, target: Unit | None, kinds: Any
    ) -> dict[str, Any] | None:
        """What a skill would be done to, beside the target; None if it finds none."""
        c, at = self.config, self.cell(hero)
        friends = [
            each
            for each in self.team[hero.team]
            if self.apart(self.cell(each), at) <= c.support.heal_reach
        ]
        if skill == "heal":
            return {} if any(each.health < each.most for each in friends) else None
        if skill == "sprint":
            return {}
        if skill == "mend":
            return {} if hero.health < hero.most else None
        if skill == "sweep":
            return {} if self.around(hero, (CREEP, NEUTRAL), at, c.assassin.sweep_reach) else None
        if skill == "grind":
            return {} if self.around(hero, ANY, at, c.tank.grind_reach) else None
        if skill == "hook":
            movable = [kind for kind in kinds if kind != TOWER]
            found = self.nearest({0, 1, 2} - {hero.team}, movable, at, 5, hero.half)
            return None if found is None else {"target": found}
        if target is None:
            return None
        if skill == "daze":
            near = self.around(hero, MOVABLE, self.cell(target), c.burst.daze_reach)
            return {} if near else None
        if skill in ("ambush", "charge"):
            cell = self.beside(hero, target)
            middle = UNIT // 2 - hero.half
            n = self.size
            place = None if cell is None else (cell // n * UNIT + middle, cell % n * UNIT + middle)
            return None if place is None else {"to": place}
        if skill == "kite":
            length = int((c.carry.kite_step + c.carry.kite_step_level * hero.level) * UNIT)
            by = self.towards(hero.y, hero.x, target.y, target.x, length)
            return {"to": self.walk(hero, *by, slide=False)}
        return {}

    def perform(self, hero: Unit, plan: dict[str, Any]) -> None:
        do, target = plan["do"], plan.get("target")
        if do is None:
            return
        c, level = getattr(self.config, hero.name), hero.level
        if do == "attack":
            self.hit(hero, target, hero.damage)
            hero.ready = self.time + self.config.attack_every
            return
        self.pay(hero, plan["skill"], do)
        at = self.cell(hero)

        def grown(what: str) -> int:
            return int(getattr(c, f"{do}_{what}") + getattr(c, f"{do}_{what}_level", 0.0) * level)

        if do in ("strike", "ambush", "bolt", "snare"):
            self.hit(hero, target, grown("damage"))
        if do == "strike":
            self.stun(target, grown("stun"))
        if do in ("kite", "snare"):
            self.slow(target, getattr(c, f"{do}_factor"), grown("ticks"))
        if do in ("blast", "volley", "grind", "sweep"):
            middle = at if do in ("grind", "sweep") else self.cell(target)
            kinds = (CREEP, NEUTRAL) if do == "sweep" else ANY
            for each in self.around(hero, kinds, middle, getattr(c, f"{do}_reach")):
                self.hit(hero, each, grown("damage"))
        if do == "daze":
            for each in self.around(hero, MOVABLE, self.cell(target), c.daze_reach):
                self.stun(each, grown("stun"))
        if do == "sprint":
            hero.hasted = self.time + c.sprint_ticks
        if do == "heal":
            for each in self.team[hero.team]:
                if self.apart(self.cell(each), at) <= c.heal_reach:
                    self.relieve(hero, each, grown("power"))
        if do == "mend":
            self.relieve(hero, hero, grown("power"))
        if do == "hook":
            self.pull(target, hero.y, hero.x, c.hook_pull + c.hook_pull_level * level)
        if do == "charge":
            y, x = plan["to"]
            to = y // UNIT * self.size + x // UNIT
            for each in self.around(hero, MOVABLE, to, c.charge_reach):
                self.pull(each, y, x, c.charge_pull + c.charge_pull_level * level)

    def pay(self, hero: Unit, skill: int, do: str) -> None:
        hero.mana -= self.cost(hero, skill)
        hero.sums["used"][skill] += 1
        if do == "kite":
            hero.kites = (hero.kites + 1) % self.config.carry.kite_uses
            if hero.kites:
                return
        hero.cooled[skill] = self.time + getattr(getattr(self.config, hero.name), f"{do}_cooldown")

    def hit(self, hero: Unit, target: Unit, damage: int) -> None:
        target.harm += damage
        hero.sums["dealt"] += damage
        if damage > 0:
            target.hitters[hero] = damage

    def stun(self, target: Unit, ticks: int) -> None:
        if target.kind != TOWER:
            target.stunned = max(target.stunned, self.time + ticks)

    def slow(self, target: Unit, factor: float, ticks: int) -> None:
        if target.kind != TOWER:
            slow = int(factor * UNIT)
            target.slow = min(slow, target.slow) if target.slowed > self.time else slow
            target.slowed = max(target.slowed, self.time + ticks)

    def relieve(self, hero: Unit, target: Unit, power: int) -> None:
        target.relief += power
        missing = min(power, target.most - target.health)
        hero.sums["healed"] += missing
        target.sums["mended"] += missing

    def pull(self, target: Unit, y: int, x: int, cells: float) -> None:
        if target.kind == TOWER:
            return
        far = max(max(abs(y - target.y), abs(x - target.x)) - UNIT, 0)
        by = self.towards(y, x, target.y, target.x, min(int(cells * UNIT), far))
        target.pulled = [target.pulled[0] + by[0], target.pulled[1] + by[1]]

    # ---- what all others do ----

    def speed(self, unit: Unit, usual: int) -> int:
        return usual * unit.slow // UNIT if unit.slowed > self.time else usual

    def in_reach(self, unit: Unit, reach: int) -> bool:
        return unit.target.alive and self.apart(self.cell(unit.target), self.cell(unit)) <= reach

    def units_act(self) -> None:
        c = self.config
        near = set(self.away)
        for hero in (*self.team[0], *self.team[1]):
            for half in range(2):
                for camp, middle in enumerate(self.camps):
                    reach = c.neutral_leash + c.neutral_vision + 1
                    if self.apart(self.turned(middle, half), self.cell(hero)) <= reach:
                        near.add((half, camp))
        self.away = near
        for unit in [unit for unit in self.units if unit.alive and unit.kind != HERO]:
            every = getattr(c, f"{unit.kind}_attack_every")
            if unit.stunned > self.time or (self.time + unit.index) % every:
                continue
            if unit.kind == CREEP:
                unit.target = self.nearest(
                    {1 - unit.team}, ANY, self.cell(unit), c.creep_vision, unit.half
                )
                if unit.target is not None and self.in_reach(unit, c.creep_reach):
                    unit.target.harm += c.creep_damage
            elif unit.kind == NEUTRAL and (unit.half, (unit.index - 55) // 4) in near:
                unit.target = self.nearest(
                    {0, 1}, (HERO,), self.cell(unit), c.neutral_vision, unit.half
                )
                if unit.target is not None and self.in_reach(unit, c.neutral_reach):
                    unit.target.harm += c.neutral_damage
            elif unit.kind == TOWER and unit.damage:
                kinds = (HERO, CREEP)
                found = self.nearest(
                    {1 - unit.team}, kinds, self.cell(unit), c.tower_vision, unit.half
                )
                if found is not None:
                    found.harm += unit.damage

    def direction(self, cell: int, goal: int) -> int:
        n = self.size
        way = tuple(int(np.sign(d)) for d in (goal // n - cell // n, goal % n - cell % n))
        return AROUND.index(way) if way != (0, 0) else STAY

    def along(self, which: int, unit: Unit) -> int:
        way = int(self.ground.ways[which][self.turned(self.cell(unit), unit.half)])
        return way if way == STAY or not unit.half else (way + 4) % 8

    def step_to(self, unit: Unit, direction: int) -> int | None:
        if direction == STAY:
            return None
        for by in (0, 1, 7):
            dy, dx = AROUND[(direction + by) % 8]
            cell = self.cell(unit) + dy * self.size + dx
            if self.free(cell):
                return cell
        return None

    def steps_now(self, unit: Unit, usual: int) -> bool:
        unit.ready += self.speed(unit, usual)
        if unit.ready < UNIT:
            return False
        unit.ready -= UNIT
        return True

    def wanted(self, unit: Unit) -> int | None:
        c = self.config
        if unit.stunned > self.time:
            return None
        if unit.kind == CREEP:
            if unit.target is not None:
                if self.in_reach(unit, c.creep_reach):
                    return None
                if not self.in_reach(unit, c.creep_vision):
                    unit.target = None
            if not self.steps_now(unit, int(c.creep_speed * UNIT)):
                return None
            if unit.target is not None:
                return self.step_to(unit, self.direction(self.cell(unit), self.cell(unit.target)))
            return self.step_to(unit, self.along(unit.lane, unit))
        number = (unit.index - 55) // 4
        camp, post = (self.turned(each, unit.half) for each in (self.camps[number], unit.post))
        if unit.target is not None and not self.in_reach(unit, c.neutral_vision):
            unit.target = None
        at_camp = self.apart(self.cell(unit), camp) <= c.neutral_leash
        if unit.target is not None and at_camp:
            if self.in_reach(unit, c.neutral_reach) or not self.steps_now(unit, UNIT):
                return None
            cell = self.step_to(unit, self.direction(self.cell(unit), self.cell(unit.target)))
            near = cell is not None and self.apart(cell, camp) <= c.neutral_leash
            return cell if near else None
        if self.cell(unit) == post or not self.steps_now(unit, UNIT):
            return None
        if at_camp:
            return self.step_to(unit, self.direction(self.cell(unit), post))
        return self.step_to(unit, self.along(self.ground.lanes + 2 + number, unit))

    def units_move(self) -> None:
        away = set()
        for kind in (CREEP, NEUTRAL):
            for pair in self.pairs(kind):
                wishes = []
                for unit in pair:
                    camp = (unit.half, (unit.index - 55) // 4)
                    if kind == NEUTRAL and camp not in self.away:
                        continue
                    cell = self.wanted(unit)
                    if kind == NEUTRAL and (
                        unit.target is not None
                        or self.cell(unit) != self.turned(unit.post, unit.half)
                    ):
                        away.add(camp)
                    if cell is not None:
                        middle = UNIT // 2 - unit.half
                        y, x = cell // self.size * UNIT + middle, cell % self.size * UNIT + middle
                        wishes.append((unit, y, x))
                self.both(wishes)
        self.away = away

    # ---- what comes of it ----

    def settle(self) -> None:
        dead = []
        for unit in self.units:
            if not unit.alive:
                continue
            unit.health = min(unit.health - unit.harm + unit.relief, unit.most)
            if unit.kind == HERO:
                unit.sums["taken"] += unit.harm
                unit.tick["hurt"] += unit.harm
            if unit.health <= 0:
                dead.append(unit)
        gains: dict[Unit, int] = {}
        for unit in sorted(dead, key=lambda unit: (unit.index, unit.half)):
            killer = self.killer(unit)
            if killer is not None:
                self.share(unit, killer, gains)
            self.note(unit, killer)
        for hero, gain in gains.items():
            hero.tick["gained"] += gain
            hero.xp += gain
            level = max(n for n in range(1, self.config.levels + 1) if hero.xp >= self.ladder[n])
            if level > hero.level:
                self.to_level(hero, level)
        for unit in dead:
            unit.alive = False
            unit.pulled = [0, 0]
            del self.at[self.cell(unit)]
            self.can_act.discard(unit)
        for unit in sorted(dead, key=lambda unit: (unit.half, unit.index)):
            if unit.kind == HERO:
                self.home(unit)

    def killer(self, unit: Unit) -> Unit | None:
        def rank(hero: Unit) -> tuple[int, int, bool]:
            return -unit.hitters[hero], hero.index, hero.team != unit.half

        return min(unit.hitters, key=rank) if unit.hitters else None

    def share(self, unit: Unit, killer: Unit, gains: dict[Unit, int]) -> None:
        c = self.config
        xp = {
            HERO: c.xp_hero + int(unit.xp / c.xp_hero_share),
            TOWER: c.xp_tower * unit.tier,
            CREEP: c.xp_creep,
            NEUTRAL: c.xp_neutral,
        }[unit.kind]
        at = self.cell(unit)
        near = [
            hero
            for hero in self.team[killer.team]
            if hero is killer or self.apart(self.cell(hero), at) <= c.xp_reach
        ]
        for hero in near:
            got = xp // len(near) + (xp % len(near) if hero is killer else 0)
            got = min(got, self.ladder[c.levels] - hero.xp - gains.get(hero, 0))
            gains[hero] = gains.get(hero, 0) + got
            if unit.kind == HERO:
                unit.tick["given"] += got

    def note(self, unit: Unit, killer: Unit | None) -> None:
        if unit.kind == HERO:
            unit.sums["deaths"] += 1
            unit.tick["fell"] = 1
            if killer is not None:
                killer.sums["kills"] += 1
        if unit.kind == TOWER:
            if unit.tier == 5:
                self.fallen.add(unit.team)
            if killer is not None:
                killer.tick["toppled"] += 1
                killer.sums["towers"] += 1

    # ---- a tick ----

    def hero_of(self, seat: int) -> Unit:
        if self.config.opponent == "self":
            return self.team[seat // self.heroes][seat % self.heroes]
        return self.team[self.side][seat]

    def play(self, actions: list[Any]) -> tuple[list[float], bool, int]:
        c = self.config
        if self.time % c.creep_every == 0:
            self.new_wave()
        if self.time > 0 and self.time % c.neutral_refill == 0:
            self.fill_camps()
        self.can_act = set()
        for hero in (*self.team[0], *self.team[1]):
            hero.health = min(hero.health + c.health_regeneration, hero.most)
            hero.mana = min(hero.mana + c.mana_regeneration, hero.most_mana)
            self.begin_tick(hero)
            if hero.stunned <= self.time:
                self.can_act.add(hero)
        choices = {
            self.hero_of(seat): list(map(int, action)) for seat, action in enumerate(actions)
        }
        if c.opponent == "random":
            for hero in self.team[1 - self.side]:
                word = self.stream.word()
                moves = [word % 7, (word >> 8) % 7, (word >> 16) % 3]
                choices[hero] = moves + [word >> shift & 1 for shift in (24, 32, 40)]
        for seat in range(self.heroes):
            self.both_act([self.team[0][seat], self.team[1][seat]], choices)
        self.units_act()
        self.settle()
        self.drag()
        self.heroes_move(choices)
        self.units_move()
        for unit in self.units:
            unit.harm, unit.relief, unit.pulled, unit.hitters = 0, 0, [0, 0], {}
        self.time += 1
        return self.rewards(), bool(self.fallen), 1

    def both_act(self, pair: list[Unit], choices: dict[Unit, list[int]]) -> None:
        plans = [
            self.plan(hero, choices[hero]) if hero in self.can_act else {"do": None}
            for hero in pair
        ]
        cells = [
            y // UNIT * self.size + x // UNIT
            for y, x in (plan["to"] for plan in plans if "to" in plan)
        ]
        if len(cells) == 2 and cells[0] == cells[1]:
            return
        for hero, plan in zip(pair, plans, strict=True):
            self.perform(hero, plan)
        for hero, plan in zip(pair, plans, strict=True):
            if "to" in plan:
                self.go(hero, *plan["to"])

    def drag(self) -> None:
        for kind in (HERO, CREEP, NEUTRAL):
            for pair in self.pairs(kind):
                pulled = [unit for unit in pair if unit.pulled != [0, 0]]
                self.both([(unit, *self.walk(unit, *unit.pulled, slide=False)) for unit in pulled])

    def heroes_move(self, choices: dict[Unit, list[int]]) -> None:
        for seat in range(self.heroes):
            wishes = []
            for hero in (self.team[0][seat], self.team[1][seat]):
                down, right = (WIDTHS[choice] for choice in choices[hero][:2])
                if hero.stunned > self.time or hero not in self.can_act or (down, right) == (0, 0):
                    continue
                scale = UNIT / max(math.hypot(down, right), 1.0)
                speed = int(self.config.hero_speed * UNIT)
                if hero.hasted > self.time:
                    speed = int(speed * self.config.assassin.sprint_factor)
                speed = self.speed(hero, speed)
                way = [part(int(each * scale) * speed, UNIT) for each in (down, right)]
                if hero.half:
                    way = [-way[0], -way[1]]
                wishes.append((hero, *self.walk(hero, *way, slide=True)))
            self.both(wishes)

    def rewards(self) -> list[float]:
        c, means = self.config, []
        for team in self.team:
            mean = f32(0)
            for hero in team:
                far, tick = self.far_of(hero), hero.tick
                tick["went"], hero.far = hero.far - far, far
                hero.parts = [
                    f32(c.reward_death * tick["fell"]),
                    f32(c.reward_xp * (tick["gained"] - tick["given"])),
                    f32(c.reward_distance * tick["went"] / 10),
                    f32(c.reward_tower * tick["toppled"]),
                ]
                sums = hero.sums["parts"]
                hero.sums["parts"] = [a + float(b) for a, b in zip(sums, hero.parts, strict=True)]
                mean = f32(mean + f32(self.whole(hero) / f32(self.heroes)))
            means.append(mean)
        found = []
        for seat in range(self.seats):
            hero = self.hero_of(seat)
            own = self.whole(hero)
            found.append(float(f32(own + f32(f32(c.shared) * f32(means[hero.team] - own)))))
        return found

    def whole(self, hero: Unit) -> Any:
        a, b, c, d = hero.parts
        return f32(f32(f32(a + b) + c) + d)

    # ---- what is told ----

    def observe(self, seat: int) -> Any:
        hero = self.hero_of(seat)
        n, now = self.size, self.time
        windows = np.zeros((4, 11, 11), np.uint8)
        at = self.cell(hero)
        for r in range(11):
            for k in range(11):
                dy, dx = (r - 5, k - 5) if hero.team == 0 else (5 - r, 5 - k)
                cell = at + dy * n + dx
                if self.ground.walls.flat[cell]:
                    windows[:, r, k] = (1, 0, 0, 0)
                elif cell in self.at:
                    windows[:, r, k] = self.look(self.at[cell], hero)
        cell = self.turned(at, hero.team)
        speed = int(64 * self.config.hero_speed)
        if hero.hasted > now:
            speed = int(speed * self.config.assassin.sprint_factor)
        tick = hero.tick
        flat = [
            *divmod(cell, n), 8 * hero.level, filled(hero.health, hero.most),
            filled(hero.mana, hero.most_mana), hero.damage // 4, self.speed(hero, speed),
            4 * (hero.stunned - now), 4 * (hero.slowed - now), *(each - now for each in hero.cooled),
            16 * (hero.ready - now), filled(tick["hurt"], hero.most),
            *(255 * (name == hero.name) for name in CLASSES), 255 * tick["fell"],
            128 + part(tick["gained"] - tick["given"], 8), 128 + part(64 * tick["went"], 10),
            255 * (tick["toppled"] > 0),
        ]  # fmt: skip
        return np.concatenate([windows.reshape(-1), np.clip(flat, 0, 255).astype(np.uint8)])

    def look(self, unit: Unit, viewer: Unit) -> tuple[int, ...]:
        own, health = unit.team == viewer.team, min(filled(unit.health, unit.most), 255)
        if unit.kind == HERO:
            kind = (6 if own else 11) + CLASSES.index(unit.name)
            return (
                kind,
                health,
                min(filled(unit.mana, unit.most_mana), 255),
                min(8 * unit.level, 255),
            )
        if unit.kind == TOWER:
            return 4 if own else 5, health, 0, 50 * unit.tier
        if unit.kind == CREEP:
            return 2 if own else 3, health, 0, 0
        return 3, health, 0, 25

    def standing(self, team: int) -> int:
        return sum(u.kind == TOWER and u.alive and u.team == team for u in self.units)

    def outcome(self, seat: int) -> float:
        team = self.hero_of(seat).team
        own, other = int(team in self.fallen), int(1 - team in self.fallen)
        if not self.fallen:
            own, other = self.standing(1 - team), self.standing(team)
        return 0.5 + 0.5 * ((other > own) - (own > other))

    def score(self, seat: int, truncated: bool) -> float:
        return self.outcome(seat)

    def stats(self, seat: int) -> list[float]:
        hero = self.hero_of(seat)
        sums, standing = hero.sums, self.standing(hero.team)
        wins = [self.outcome(seat) if hero.team == team else math.nan for team in range(2)]
        found = [sums["towers"], standing, len(self.ground.towers) - standing, hero.xp]
        found += [*sums["parts"], *wins]
        for kind in self.ground.classes:
            own = ("kills", "deaths", "dealt", "taken", "healed", "mended")
            figures = [hero.level, *(sums[name] for name in own), *sums["used"]]
            found += figures if CLASSES[kind] == hero.name else [math.nan] * 10
        return found


def filled(value: int, most: int) -> int:
    return (255 * value + most - 1) // most
