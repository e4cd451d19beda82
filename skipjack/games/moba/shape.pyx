"""What follows from settings and ground, the same for all envs: tables that every tick reads."""

import numpy as np

from skipjack.games.moba.fields import DIRECTIONS
from skipjack.games.moba.heroes import CLASSES, SKILLS
from skipjack.games.moba.state cimport *

WIDTHS = (0.0, -1.0, -2.0 / 3.0, -1.0 / 3.0, 1.0 / 3.0, 2.0 / 3.0, 1.0)    # of whole steps
POSTS = ((-1, -1), (-1, 1), (1, -1), (1, 1))    # where neutrals stand, from their camp's middle


cdef tuple shape_of(Shape* g, config, ground):
    """Fill a shape in; gives the arrays that it points to, which must outlive it.

    Args:
        g: the shape.
        config: a `MobaConfig`.
        ground: the `Terrain`.
    """
    memset(g, 0, sizeof(Shape))
    places(g, ground)
    towers(g, config, ground)
    heroes(g, config)
    steps(g)
    g.bits_at = sizeof(State) + 10 * sizeof(Hero) + IDS * sizeof(Entity) + 2 * 256 * sizeof(uint32_t)
    g.cells_at = g.bits_at + 3 * g.size * g.stride
    g.size_of_state = g.cells_at + g.cells + 16
    return tables(g, config, ground)


cdef void places(Shape* g, ground):
    """Sizes, and the cells where everybody appears."""
    g.size, g.cells, g.stride = ground.size, ground.size**2, ground.size // 8 + 4
    g.heroes, g.lanes, g.towers = len(ground.classes), ground.lanes, len(ground.towers)
    g.camps, g.home = len(ground.camps), ground.home[0] * ground.size + ground.home[1]
    for seat, kind in enumerate(ground.classes):
        g.kind[seat], g.lane_of[seat] = kind, ground.lane_of[seat]
    for i, (y, x) in enumerate(ground.starts.tolist()):
        g.start[i] = y * g.size + x
    for i, (y, x) in enumerate(ground.camps.tolist()):
        g.camp[i] = y * g.size + x
        for k, (dy, dx) in enumerate(POSTS):
            g.post[CAMP * i + k] = (y + dy) * g.size + x + dx


cdef void towers(Shape* g, config, ground):
    for i, (y, x, tier, _) in enumerate(ground.towers.tolist()):
        name = ["core", "tower"][tier < CORE]
        end = ["", f"_{tier}"][tier < CORE]
        g.tower[i], g.tier[i] = y * g.size + x, tier
        g.tower_health[i] = getattr(config, f"{name}_health{end}")
        g.tower_damage[i] = getattr(config, f"{name}_damage{end}")


cdef void heroes(Shape* g, config):
    """The numbers of each class and its skills, and the ladder of levels."""
    for i, name in enumerate(CLASSES):
        hero = getattr(config, name)
        g.health[i], g.health_level[i] = hero.health, hero.health_level
        g.mana[i], g.mana_level[i] = hero.mana, hero.mana_level
        g.damage[i], g.damage_level[i] = hero.damage, hero.damage_level
        for j, skill in enumerate(SKILLS[name]):
            g.cost[i][j] = getattr(hero, f"{skill}_mana")
            g.cooldown[i][j] = getattr(hero, f"{skill}_cooldown")
    for level in range(1, config.levels + 1):
        g.ladder[level] = config.ladder * (level - 1) * (level + 4) // 6


cdef void steps(Shape* g):
    """Where choices and directions lead."""
    for i, down in enumerate(WIDTHS):
        for j, right in enumerate(WIDTHS):
            scale = UNIT / max((down**2 + right**2) ** 0.5, 1.0)
            g.step[i][j][0], g.step[i][j][1] = int(down * scale), int(right * scale)
    for d, (down, right) in enumerate(DIRECTIONS):
        g.by[d] = down * g.size + right


cdef tuple tables(Shape* g, config, ground):
    """The arrays: walls as `cells` has them, camps whose neutrals may see a cell, and the ground's."""
    cdef const uint8_t[::1] walls
    cdef const uint32_t[::1] wake
    cdef const uint8_t[:, ::1] ways = ground.ways
    cdef const unsigned short[::1] distance = ground.distance
    reach = config.neutral_leash + config.neutral_vision + 1
    awake = np.zeros((ground.size, ground.size), np.uint32)
    for i, (y, x) in enumerate(ground.camps.tolist()):
        square = slice(max(y - reach, 0), y + reach + 1), slice(max(x - reach, 0), x + reach + 1)
        awake[square] |= np.uint32(1 << i)
        awake[::-1, ::-1][square] |= np.uint32(1 << 16 + i)
    found = np.where(ground.walls, WALL, 0).astype(np.uint8).reshape(-1), awake.reshape(-1)
    walls, wake = found
    g.walls, g.wake, g.ways, g.distance = &walls[0], &wake[0], &ways[0, 0], &distance[0]
    return found
