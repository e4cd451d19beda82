"""The MOBA: settings and spaces; the rules are in `rules.pyx`, the heroes in `heroes.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt

from skipjack.config import Log, Range, Within
from skipjack.games.moba.balance import report
from skipjack.games.moba.heroes import (
    Assassin,
    Burst,
    Carry,
    Number,
    Reach,
    Support,
    Tank,
)
from skipjack.games.moba.mouse import Goal, pointed, towards
from skipjack.games.moba.picture import id_of, view_of
from skipjack.games.moba.player import Player
from skipjack.games.moba.rules import Rules
from skipjack.spaces import Actions, Field, Layout

Opponent = Literal[
    "self", "random", "creep_follower", "last_hitter", "lane_pusher", "retreat_when_low"
]
Period = Annotated[int, Within(1, 10_000)]
Health = Annotated[int, Within(1, 1_000_000)]

SIDE = 11
"""Cells a side of what a hero sees."""

FLAT = (
    "position", "level", "health_left", "mana_left", "damage", "speed", "stunned", "slowed", "cooldown_q",
    "cooldown_w", "cooldown_e", "cooldown_attack", "is_hit", "class", "reward",
)  # fmt: skip
"""What a hero knows of itself, in this order; `rules.pyx` says at what scales."""

SIZES = {"position": 2, "class": 5, "reward": 4}
"""Bytes of those parts that are several."""

STEPS = ("stay", "up", "-", "-", "-", "-", "down", "stay", "left", "-", "-", "-", "-", "right")


@dataclass(frozen=True, slots=True)
class MobaConfig:
    """Settings of the MOBA."""

    map: Literal["full", "small"] = "full"
    """The ground: three lanes and five heroes a side, or one lane and three heroes."""
    opponent: Opponent = "self"
    """Who plays the other side: seats of its own, or a scripted team of a grade."""
    hero_speed: Annotated[float, Within(0.0, 2.0)] = 1.0
    """Cells a tick that a hero goes."""
    attack_every: Period = 8
    """Ticks between two basic attacks of a hero."""
    health_regeneration: Number = 2
    """Health that a hero regains a tick."""
    mana_regeneration: Number = 2
    """Mana that a hero regains a tick."""
    levels: Annotated[int, Within(1, 30)] = 30
    """Highest level."""
    ladder: Annotated[int, Within(6, 100_000)] = 240
    """Xp of level 2; level n takes ladder x (n - 1) x (n + 4) / 6."""
    creep_every: Period = 150
    """Ticks between two waves."""
    creep_count: Annotated[int, Within(0, 16)] = 5
    """Creeps of a wave a lane and side."""
    creep_health: Health = 450
    """Health of a creep."""
    creep_damage: Number = 22
    """Damage of a creep's attack."""
    creep_attack_every: Period = 5
    """Ticks between two attacks of a creep, which looks for a target as often."""
    creep_vision: Reach = 7
    """Cells each way in which a creep finds targets."""
    creep_reach: Reach = 2
    """Cells each way that a creep's attack reaches."""
    creep_speed: Annotated[float, Within(0.0, 1.0)] = 1.0
    """Cells a tick that a creep goes, in eight directions."""
    neutral_health: Health = 500
    """Health of a neutral."""
    neutral_damage: Number = 22
    """Damage of a neutral's attack."""
    neutral_attack_every: Period = 5
    """Ticks between two attacks of a neutral, which looks for a target as often."""
    neutral_vision: Reach = 4
    """Cells each way in which a neutral finds heroes."""
    neutral_reach: Reach = 2
    """Cells each way that a neutral's attack reaches."""
    neutral_leash: Reach = 2
    """Cells each way from the middle of its camp beyond which a neutral goes home."""
    neutral_refill: Period = 600
    """Ticks between two fillings of the camps."""
    tower_vision: Reach = 5
    """Cells each way that a tower attacks."""
    tower_attack_every: Period = 5
    """Ticks between two attacks of a tower."""
    tower_health_1: Health = 1800
    """Health of a tower of tier 1."""
    tower_health_2: Health = 2000
    """Health of a tower of tier 2."""
    tower_health_3: Health = 2000
    """Health of a tower of tier 3."""
    tower_health_4: Health = 2100
    """Health of a tower of tier 4."""
    core_health: Health = 4500
    """Health of a core."""
    tower_damage_1: Number = 110
    """Damage of an attack of a tower of tier 1."""
    tower_damage_2: Number = 175
    """Damage of an attack of a tower of tier 2."""
    tower_damage_3: Number = 175
    """Damage of an attack of a tower of tier 3."""
    tower_damage_4: Number = 175
    """Damage of an attack of a tower of tier 4."""
    core_damage: Number = 0
    """Damage of an attack of a core."""
    xp_creep: Number = 60
    """Xp of a creep."""
    xp_neutral: Number = 35
    """Xp of a neutral."""
    xp_tower: Number = 800
    """Xp of a tower, times its tier; a core is of tier 5."""
    xp_hero: Number = 100
    """Xp of a hero, to which comes a share of its own."""
    xp_hero_share: Annotated[float, Within(1.0, 1e6)] = 7.69
    """What a hero's own xp is divided by for that share."""
    xp_reach: Annotated[int, Within(0, 128)] = 7
    """Cells each way from the fallen in which the killer's allies share its xp."""
    reward_death: Annotated[float, Range(-4.0, 0.0)] = -1.0
    """Reward of a death."""
    reward_xp: Annotated[float, Log(0.0006, 0.06)] = 0.006
    """Reward of an xp gained, less what the own death gave away."""
    reward_distance: Annotated[float, Log(0.001, 0.5)] = 0.05
    """Reward of a cell gained on the way to the enemy's core."""
    reward_tower: Annotated[float, Range(0.0, 10.0)] = 3.0
    """Reward of the last hit on a tower or core."""
    shared: Annotated[float, Range(0.0, 1.0), Within(0.0, 1.0)] = 0.0
    """Share of a hero's reward that is its team's mean."""
    scatter: Annotated[float, Within(0.0, 1.0)] = 0.9
    """Share of its health that a tower may lack in an env's first, desynchronised game."""
    time_limit: Annotated[int, Within(1, 1_000_000)] = 15_000
    """Ticks after which a game is truncated."""
    desynchronise: bool = True
    """Cut each env's first game at a random share of the time limit, and scatter its towers' health."""
    support: Support = Support()
    assassin: Assassin = Assassin()
    burst: Burst = Burst()
    tank: Tank = Tank()
    carry: Carry = Carry()


class Moba(Rules):
    """A native engine of `num_envs` games, a seat a hero: both sides', or one's against a scripted team."""

    Config = MobaConfig
    pace = 20.0  # steps a second for people
    report = staticmethod(report)

    def __init__(self, num_envs: int, config: MobaConfig = MobaConfig()) -> None:
        super().__init__(num_envs, config)
        self.config = config
        self.observation = layout()
        self.action = Actions(
            counts=(7, 7, 3, 2, 2, 2),
            names=(*STEPS, "all", "heroes", "hold", "-", "1", "-", "2", "-", "3"),
            labels=("vy", "vx", "attack", "Q", "W", "E"),
        )

    def scripted(self, observations: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Actions (rows, 6) of a player that pushes its lane and goes home when it is low.

        Args:
            observations: (rows, 507).
        """
        return Player(self.ground)(self.observation.unpack(observations))

    def pointed(self, env: int, x: float, y: float) -> Goal | None:
        """What is at a point of an env's picture; None outside of the ground."""
        game = self.snapshot(env)
        heroes = [self.hero_of_seat(env, seat) for seat in range(self.seats)]
        view = view_of(self.ground, game, heroes[self.camera.seat % self.seats], self.camera)
        seats = {id_of(hero): seat for seat, hero in enumerate(heroes)}
        return pointed(game, view, x, y, seats)

    def towards(self, env: int, seat: int, goal: Goal) -> npt.NDArray[Any] | None:
        """What a seat chooses (6,) to go there and attack who is there; None: it is there, or gone."""
        hero = self.hero_of_seat(env, seat)
        return towards(self.snapshot(env), self.ground, hero, goal)


def layout() -> Layout:
    """What a hero sees: four windows, then what it knows of itself."""
    window = [Field("kind", (SIDE, SIDE), 0, 15, kinds=16, path=("kind",))]
    window += [
        Field(name, (SIDE, SIDE), 0, 255, path=(name,)) for name in ("health", "mana", "level_seen")
    ]
    flat = [Field(name, (SIZES.get(name, 1),), 0, 255, path=(name,)) for name in FLAT]
    return Layout((*window, *flat), np.dtype(np.uint8))
