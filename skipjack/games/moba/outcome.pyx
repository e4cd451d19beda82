"""What comes of a tick: damage and healing, who falls to whom, xp and levels.

Everything that was gathered comes about at once. Whoever has no health left then is dead, and belongs to the
hero who hurt it most in this tick: of several the lowest seat, and of a neutral that both sides hurt alike
the side on whose half of the ground its camp lies. What no hero hurt in its last tick belongs to nobody.
"""

from skipjack.games.moba.ledger cimport SKIPJACK_CHECKED, check_damage, check_xp
from skipjack.games.moba.state cimport *
from skipjack.games.moba.units cimport spot


cdef int killer_of(World* w, const Entity* e, const Pending* p) noexcept nogil:
    """Id of the hero that somebody dead belongs to, or 0."""
    cdef int team = 1 - e.team
    if e.team == NEUTRAL:
        team = e.half
        if p.best[1 - team] > p.best[team] or (
            p.best[1 - team] == p.best[team] and p.by[1 - team] < p.by[team]
        ):
            team = 1 - team
    return id_of(team, p.by[team]) if p.best[team] > 0 else 0


cdef void share(World* w, const Entity* e, int killer) noexcept nogil:
    """Xp for the killer and its allies around; what does not divide is the killer's."""
    cdef int team = w.e[killer].team, seat, id, hero, part, got, sharers = 0, xp = worth(w, e)
    cdef uint32_t near = 0
    for seat in range(w.g.heroes):
        id = id_of(team, seat)
        if id == killer or apart(w, w.e[id].cell, e.cell) <= w.c.xp_reach:
            near |= 1 << seat
            sharers += 1
    for seat in range(w.g.heroes):
        if near >> seat & 1:
            hero = 5 * team + seat
            part = xp // sharers + (xp % sharers if id_of(team, seat) == killer else 0)
            # There is no xp beyond the last level's.
            got = smaller(part, w.g.ladder[w.c.levels] - w.h[hero].xp - w.turn.gain[hero])
            w.turn.gain[hero] += got
            w.turn.ledger.lost += part - got
            if e.kind == HERO:
                hero_of(w, e).given += got


cdef void count(World* w, const Entity* e, int killer) noexcept nogil:
    """The figures of a death."""
    if e.kind == HERO:
        hero_of(w, e).deaths += 1
        hero_of(w, e).fell = 1
        if killer:
            hero_of(w, w.e + killer).kills += 1
    elif e.kind == TOWER:
        w.s.standing[e.team] -= 1
        if e.lane == CORE:
            w.s.fallen |= 1 << e.team
        if killer:
            hero_of(w, w.e + killer).toppled += 1
            hero_of(w, w.e + killer).towers += 1


cdef void to_level(World* w, int hero, int level) noexcept nogil:
    """A hero's numbers of a level; what it gains of health and mana it has at once."""
    cdef Hero* h = w.h + hero
    cdef Entity* e = w.e + id_of(hero // 5, hero % 5)
    cdef const Shape* g = w.g
    cdef int most = g.health[h.kind] + (level - 1) * g.health_level[h.kind]
    cdef int most_mana = g.mana[h.kind] + (level - 1) * g.mana_level[h.kind]
    e.health += most - e.most
    h.mana += most_mana - h.most_mana
    e.most, h.most_mana, h.level = most, most_mana, level
    h.damage = g.damage[h.kind] + (level - 1) * g.damage_level[h.kind]


cdef void come_home(World* w, int hero) noexcept nogil:
    """A hero in full health at the free cell nearest to its home; its cool-downs go on."""
    cdef int cell, i = 0
    cdef Entity* e = w.e + id_of(hero // 5, hero % 5)
    cdef Hero* h = w.h + hero
    e.health, h.mana = e.most, h.most_mana
    e.stunned = e.slowed = h.hasted = 0
    e.alive = 1
    cell = spot(w, w.g.home, e.half)
    while cell < 0:  # all around is taken: the first free cell, as the half sees the ground
        if w.cells[turned(w, i, e.half)] == 0:
            cell = turned(w, i, e.half)
        i += 1
    put_in_cell(w, id_of(hero // 5, hero % 5), cell)


cdef void learn(World* w) noexcept nogil:
    """The xp of the tick, and the levels that it makes."""
    cdef int hero, level
    cdef Hero* h
    for hero in range(10):
        if w.turn.gain[hero] == 0:
            continue
        h = w.h + hero
        h.gained += w.turn.gain[hero]
        h.xp += w.turn.gain[hero]
        w.turn.gain[hero] = 0
        level = h.level
        while level < w.c.levels and h.xp >= w.g.ladder[level + 1]:
            level += 1
        if level > h.level:
            to_level(w, hero, level)


cdef bint strike(World* w, int id) noexcept nogil:
    """Damage and healing of an entity; whether it is dead now."""
    cdef Entity* e = w.e + id
    cdef Pending* p = w.turn.pending + id
    cdef Hero* h
    e.health = smaller(e.health - p.damage + p.heal, e.most)
    if e.kind == HERO:
        h = hero_of(w, e)
        h.taken += p.damage
        h.hurt += p.damage
    return e.health <= 0


cdef void bury(World* w, int half, const uint64_t* dead) noexcept nogil:
    """Who is dead leaves its cell, and goes nowhere in this tick."""
    cdef int word, index
    cdef uint64_t bits
    cdef Entity* e
    for word in range(2):
        bits = dead[word]
        while bits:
            index = 64 * word + lowest_of(bits)
            bits &= bits - 1
            e = w.e + id_of(half, index)
            e.alive = 0
            lift(w, e)
            w.turn.pending[id_of(half, index)].y = w.turn.pending[id_of(half, index)].x = 0
            if e.kind == CREEP:
                w.s.creeps[half] &= ~(<uint64_t>1 << (index - CREEPS))
            elif e.kind == HERO:
                w.turn.can_act[5 * half + index] = 0


cdef void settle(World* w) noexcept nogil:
    """All that was gathered in the tick comes about, but for the pulls."""
    cdef uint64_t[2][2] dead
    cdef uint64_t bits
    cdef int half, word, id, killer, index
    cdef Entity* e
    memset(dead, 0, sizeof(dead))
    for half in range(2):
        for word in range(2):
            bits = w.turn.touched[half][word]
            while bits:
                id = id_of(half, 64 * word + lowest_of(bits))
                if strike(w, id):
                    dead[half][word] |= bits & (~bits + 1)
                look(w, id)
                bits &= bits - 1
    if SKIPJACK_CHECKED:
        check_damage(w)
    for word in range(2):
        bits = dead[0][word] | dead[1][word]
        while bits:
            index = 64 * word + lowest_of(bits)
            for half in range(2):
                if dead[half][word] >> (index & 63) & 1:
                    e = w.e + id_of(half, index)
                    killer = killer_of(w, e, w.turn.pending + id_of(half, index))
                    if killer:
                        share(w, e, killer)
                    count(w, e, killer)
            bits &= bits - 1
    learn(w)
    if SKIPJACK_CHECKED:
        check_xp(w)
    for half in range(2):
        bury(w, half, dead[half])
    for half in range(2):
        for index in range(w.g.heroes):
            if dead[half][0] >> index & 1:
                come_home(w, 5 * half + index)
