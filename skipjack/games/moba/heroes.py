"""The five classes of heroes: every number of them and of their skills.

Damage, healing, ticks and cells of a skill grow with the hero's level L, from 1 on: what a field `x` and
its `x_level` make is x + x_level * L. Cool-downs are ticks; a skill that finds no target costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from skipjack.config import Within

Number = Annotated[int, Within(0, 100_000)]
Ticks = Annotated[int, Within(0, 10_000)]
Cells = Annotated[float, Within(0.0, 16.0)]
Reach = Annotated[int, Within(0, 7)]
Factor = Annotated[float, Within(0.0, 4.0)]
Growth = Annotated[float, Within(0.0, 1000.0)]

CLASSES = ("support", "assassin", "burst", "tank", "carry")
"""The classes, in the order of a full team's seats."""

SKILLS = {
    "support": ("hook", "heal", "strike"),
    "assassin": ("sweep", "ambush", "sprint"),
    "burst": ("bolt", "blast", "daze"),
    "tank": ("grind", "mend", "charge"),
    "carry": ("kite", "snare", "volley"),
}
"""Names of each class's skills Q, W and E."""


@dataclass(frozen=True, slots=True)
class Hero:
    """What every class has."""

    health: Annotated[int, Within(1, 100_000)] = 400
    """Health at level 1."""
    health_level: Number = 100
    """Health that each further level adds."""
    mana: Number = 250
    """Mana at level 1."""
    mana_level: Number = 50
    """Mana that each further level adds."""
    damage: Number = 50
    """Damage of a basic attack at level 1."""
    damage_level: Number = 10
    """Damage that each further level adds."""


@dataclass(frozen=True, slots=True)
class Support(Hero):
    """Hooks, heals, stuns."""

    health: Annotated[int, Within(1, 100_000)] = 500
    """Health at level 1."""
    hook_mana: Number = 100
    """Mana of Q: pull the nearest target."""
    hook_cooldown: Ticks = 15
    """Cool-down of Q."""
    hook_pull: Cells = 1.5
    """Cells that Q pulls."""
    hook_pull_level: Factor = 0.1
    """Cells more a level."""
    heal_mana: Number = 100
    """Mana of W: heal the heroes of the own side around."""
    heal_cooldown: Ticks = 50
    """Cool-down of W."""
    heal_power: Number = 350
    """Health that W gives."""
    heal_power_level: Number = 50
    """Health more a level."""
    heal_reach: Reach = 5
    """Cells each way that W reaches."""
    strike_mana: Number = 75
    """Mana of E: hurt and stun the nearest target."""
    strike_cooldown: Ticks = 60
    """Cool-down of E."""
    strike_damage: Number = 50
    """Damage of E."""
    strike_damage_level: Number = 20
    """Damage more a level."""
    strike_stun: Ticks = 15
    """Ticks that E stuns."""
    strike_stun_level: Factor = 0.5
    """Ticks more a level."""


@dataclass(frozen=True, slots=True)
class Assassin(Hero):
    """Clears creeps, falls upon heroes, runs."""

    mana: Number = 300
    """Mana at level 1."""
    mana_level: Number = 65
    """Mana that each further level adds."""
    sweep_mana: Number = 100
    """Mana of Q: hurt creeps and neutrals around."""
    sweep_cooldown: Ticks = 40
    """Cool-down of Q."""
    sweep_damage: Number = 100
    """Damage of Q."""
    sweep_damage_level: Number = 20
    """Damage more a level."""
    sweep_reach: Reach = 3
    """Cells each way that Q reaches."""
    ambush_mana: Number = 150
    """Mana of W: appear next to the nearest target and hurt it."""
    ambush_cooldown: Ticks = 60
    """Cool-down of W."""
    ambush_damage: Number = 250
    """Damage of W."""
    ambush_damage_level: Number = 50
    """Damage more a level."""
    sprint_mana: Number = 100
    """Mana of E: run faster."""
    sprint_cooldown: Ticks = 100
    """Cool-down of E."""
    sprint_factor: Factor = 2.0
    """What E multiplies the own speed with."""
    sprint_ticks: Ticks = 25
    """Ticks that E lasts."""


@dataclass(frozen=True, slots=True)
class Burst(Hero):
    """Much damage at once."""

    health_level: Number = 75
    """Health that each further level adds."""
    mana: Number = 300
    """Mana at level 1."""
    mana_level: Number = 90
    """Mana that each further level adds."""
    bolt_mana: Number = 200
    """Mana of Q: hurt the nearest target."""
    bolt_cooldown: Ticks = 70
    """Cool-down of Q."""
    bolt_damage: Number = 250
    """Damage of Q."""
    bolt_damage_level: Number = 40
    """Damage more a level."""
    blast_mana: Number = 100
    """Mana of W: hurt all around the nearest target."""
    blast_cooldown: Ticks = 40
    """Cool-down of W."""
    blast_damage: Number = 100
    """Damage of W."""
    blast_damage_level: Number = 40
    """Damage more a level."""
    blast_reach: Reach = 2
    """Cells each way that W reaches."""
    daze_mana: Number = 75
    """Mana of E: stun all around the nearest target."""
    daze_cooldown: Ticks = 50
    """Cool-down of E."""
    daze_stun: Ticks = 10
    """Ticks that E stuns."""
    daze_stun_level: Factor = 0.5
    """Ticks more a level."""
    daze_reach: Reach = 2
    """Cells each way that E reaches."""


@dataclass(frozen=True, slots=True)
class Tank(Hero):
    """Takes much, and starts fights."""

    health: Annotated[int, Within(1, 100_000)] = 700
    """Health at level 1."""
    health_level: Number = 150
    """Health that each further level adds."""
    mana: Number = 200
    """Mana at level 1."""
    damage_level: Number = 15
    """Damage that each further level adds."""
    grind_mana: Number = 5
    """Mana of Q: hurt all around."""
    grind_cooldown: Ticks = 0
    """Cool-down of Q."""
    grind_damage: Number = 25
    """Damage of Q."""
    grind_damage_level: Number = 2
    """Damage more a level."""
    grind_reach: Reach = 2
    """Cells each way that Q reaches."""
    mend_mana: Number = 100
    """Mana of W: heal oneself."""
    mend_cooldown: Ticks = 70
    """Cool-down of W."""
    mend_power: Number = 400
    """Health that W gives."""
    mend_power_level: Number = 125
    """Health more a level."""
    charge_mana: Number = 50
    """Mana of E: appear next to the nearest target and pull hostiles from around."""
    charge_cooldown: Ticks = 40
    """Cool-down of E."""
    charge_reach: Reach = 4
    """Cells each way that E pulls from."""
    charge_pull: Cells = 2.0
    """Cells that E pulls."""
    charge_pull_level: Factor = 0.1
    """Cells more a level."""


@dataclass(frozen=True, slots=True)
class Carry(Hero):
    """Weak at first, strong at the end."""

    health: Annotated[int, Within(1, 100_000)] = 300
    """Health at level 1."""
    health_level: Number = 50
    """Health that each further level adds."""
    damage_level: Number = 25
    """Damage that each further level adds."""
    kite_mana: Number = 25
    """Mana of each use of Q: step back from the nearest target and slow it."""
    kite_cooldown: Ticks = 40
    """Cool-down of Q after its last use."""
    kite_uses: Annotated[int, Within(1, 100)] = 3
    """Uses of Q between two cool-downs."""
    kite_step: Cells = 1.0
    """Cells that Q steps back."""
    kite_step_level: Factor = 0.05
    """Cells more a level."""
    kite_factor: Factor = 0.5
    """What Q multiplies the target's speed with."""
    kite_ticks: Ticks = 15
    """Ticks that Q slows."""
    snare_mana: Number = 150
    """Mana of W: hurt and slow the nearest target."""
    snare_cooldown: Ticks = 40
    """Cool-down of W."""
    snare_damage: Number = 50
    """Damage of W."""
    snare_damage_level: Number = 20
    """Damage more a level."""
    snare_factor: Factor = 0.5
    """What W multiplies the target's speed with."""
    snare_ticks: Ticks = 20
    """Ticks that W slows."""
    snare_ticks_level: Growth = 1.0
    """Ticks more a level."""
    volley_mana: Number = 100
    """Mana of E: hurt all around the nearest target."""
    volley_cooldown: Ticks = 40
    """Cool-down of E."""
    volley_damage: Number = 100
    """Damage of E."""
    volley_damage_level: Number = 20
    """Damage more a level."""
    volley_reach: Reach = 2
    """Cells each way that E reaches."""
