"""Skills and basic attacks of the heroes, and how heroes and whoever is pulled move.

A hero's turn has two parts. What it will do, and to whom, is settled first (`plan`), for both heroes of a
seat on the same ground; then both do it (`perform`). Damage, healing and pulls are gathered and come about
when everybody has acted, so that whoever dies in a tick has still acted in it.
"""

from skipjack.games.moba.state cimport *

cdef enum Act:
    ATTACK = 3          # after the three skills
    NOTHING = -1

# Choices of an action's third part.
cdef enum Mode:
    ALL
    HEROES_AND_TOWERS
    NONE


cdef struct Plan:
    int act             # 0 .. 2 a skill, ATTACK, NOTHING
    int target          # id of whom it is for, 0 where it is for nobody
    int y, x, cell      # where the hero goes by it; cell -1: nowhere


# ---- what a hero will do ----

cdef inline int around(World* w, const Entity* e, int kinds, int cell, int reach) noexcept nogil:
    """Somebody hostile around a cell, or 0."""
    return nearest(w, hostile_to(e.team), kinds, cell, reach, e.half)


cdef bint someone_hurt(World* w, const Entity* e, int reach) noexcept nogil:
    """Whether a hero of the own side around lacks health."""
    cdef int seat
    cdef Entity* friend
    for seat in range(w.g.heroes):
        friend = w.e + id_of(e.half, seat)
        if friend.health < friend.most and apart(w, friend.cell, e.cell) <= reach:
            return True
    return False


cdef bint beside(World* w, const Entity* e, int target, Plan* p) noexcept nogil:
    """Plan to appear on the free cell next to a target that is nearest; whether there is one."""
    cdef int to = w.e[target].cell, d, cell, dy, dx, key, best = 1 << 30
    p.cell = -1
    for d in range(8):
        cell = to + w.g.by[d ^ 4 if e.half else d]
        if w.cells[cell] != 0 and cell != e.cell:
            continue
        dy, dx = cell // w.g.size - e.cell // w.g.size, cell % w.g.size - e.cell % w.g.size
        key = dy * dy + dx * dx
        if key < best:
            best, p.cell = key, cell
    if p.cell >= 0:
        p.y, p.x = middle(p.cell // w.g.size, e.half), middle(p.cell % w.g.size, e.half)
    return p.cell >= 0


cdef void step_back(World* w, const Entity* e, int target, double cells, Plan* p) noexcept nogil:
    """Plan to go away from a target."""
    cdef int[2] by
    cdef Place to
    towards(w.e + target, e, <int>(cells * UNIT), by)
    walk(w, e, by[0], by[1], False, &to)
    p.y, p.x, p.cell = to.y, to.x, to.cell


cdef void towards(const Entity* a, const Entity* b, int length, int* by) noexcept nogil:
    """(down, right) of so many UNITs in the direction from one place to another; none if they are one."""
    cdef double dy = b.y - a.y, dx = b.x - a.x, far = (dy * dy + dx * dx) ** 0.5
    by[0] = <int>(dy * length / far) if far > 0 else 0
    by[1] = <int>(dx * length / far) if far > 0 else 0


cdef bint would(World* w, const Entity* e, int skill, int target, int kinds, Plan* p) noexcept nogil:
    """Whether a skill finds a target; what it is for stands in the plan."""
    cdef const Config* c = w.c
    cdef Hero* h = hero_of(w, e)
    cdef int which = 3 * h.kind + skill
    p.act, p.target, p.cell = skill, target, -1
    if which == 3 * SUPPORT:
        if target and w.e[target].kind == TOWER:
            p.target = around(w, e, kinds & MOVABLE, e.cell, 5)
    elif which == 3 * SUPPORT + 1:
        p.target = 0
        return someone_hurt(w, e, c.support.heal_reach)
    elif which == 3 * ASSASSIN:
        p.target = around(w, e, CREEP | NEUTRAL_KIND, e.cell, c.assassin.sweep_reach)
    elif which == 3 * ASSASSIN + 1:
        return target != 0 and beside(w, e, target, p)
    elif which == 3 * ASSASSIN + 2:
        p.target = 0
        return True
    elif which == 3 * BURST + 2:
        return target != 0 and around(w, e, MOVABLE, w.e[target].cell, c.burst.daze_reach) != 0
    elif which == 3 * TANK:
        p.target = around(w, e, ANY, e.cell, c.tank.grind_reach)
    elif which == 3 * TANK + 1:
        p.target = 0
        return e.health < e.most
    elif which == 3 * TANK + 2:
        return target != 0 and beside(w, e, target, p)
    elif which == 3 * CARRY and target:
        step_back(w, e, target, c.carry.kite_step + c.carry.kite_step_level * h.level, p)
    return p.target != 0


cdef void plan(World* w, const Entity* e, const int32_t* choice, Plan* p) noexcept nogil:
    """The first of Q, W, E that is asked for, can be paid and finds a target, else the basic attack."""
    cdef Hero* h = hero_of(w, e)
    cdef int skill, target, kinds = 0
    if choice[2] != NONE:
        kinds = ANY if choice[2] == ALL else HERO | TOWER
    target = around(w, e, kinds, e.cell, 5) if kinds else 0
    for skill in range(3):
        if (
            choice[3 + skill] and h.mana >= w.g.cost[h.kind][skill] and w.s.time >= h.cooled[skill]
            and would(w, e, skill, target, kinds, p)
        ):
            return
    p.act, p.target, p.cell = NOTHING, target, -1
    if target and w.s.time >= e.ready:
        p.act = ATTACK


# ---- what it does ----

cdef void pay(World* w, Hero* h, int skill) noexcept nogil:
    h.mana -= w.g.cost[h.kind][skill]
    h.used[skill] += 1
    if h.kind == CARRY and skill == 0:
        h.kites += 1
        if h.kites < w.c.carry.kite_uses:
            return
        h.kites = 0
    h.cooled[skill] = w.s.time + w.g.cooldown[h.kind][skill]


cdef inline void stun(World* w, int id, int ticks) noexcept nogil:
    if w.e[id].kind & MOVABLE:
        w.e[id].stunned = larger(w.e[id].stunned, w.s.time + ticks)


cdef inline void slow(World* w, int id, double factor, int ticks) noexcept nogil:
    """The strongest and the longest of several."""
    cdef Entity* e = w.e + id
    if e.kind & MOVABLE:
        e.slow = smaller(<int>(factor * UNIT), e.slow if e.slowed > w.s.time else 1 << 20)
        e.slowed = larger(e.slowed, w.s.time + ticks)


cdef inline void pull(World* w, int id, int y, int x, double cells) noexcept nogil:
    """Pull somebody towards a place, not beyond its neighbourhood."""
    cdef Entity* e = w.e + id
    cdef Entity goal
    cdef Pending* p
    cdef int[2] by
    cdef int far
    if not e.kind & MOVABLE:
        return
    goal.y, goal.x = y, x
    far = larger(size_of(goal.y - e.y), size_of(goal.x - e.x)) - UNIT
    towards(e, &goal, smaller(<int>(cells * UNIT), larger(far, 0)), by)
    p = touch(w, id)
    p.y += by[0]
    p.x += by[1]


cdef void give_health(World* w, Hero* by, int id, int power) noexcept nogil:
    """Heal; counted is what was missing when the tick began."""
    cdef Entity* e = w.e + id
    cdef Hero* h = hero_of(w, e)
    cdef int missing = smaller(power, e.most - e.health)
    touch(w, id).heal += power
    by.healed += missing
    h.mended += missing


cdef enum Effect:
    HURT
    STUN
    PULL


cdef void all_around(
    World* w, const Entity* e, int cell, int reach, int kinds, Effect effect, int power, double cells,
    int y, int x,
) noexcept nogil:
    """An effect on all hostiles around a cell."""
    cdef int dy, dx, id, place, row = cell // w.g.size, column = cell % w.g.size
    cdef int hostile = hostile_to(e.team)
    cdef uint32_t bits, inside = (<uint32_t>1 << (2 * reach + 1)) - 1
    for dy in range(-reach, reach + 1):
        bits = row_bits(w, first_of(hostile), last_of(hostile), row + dy, column - reach)
        bits &= inside
        while bits:
            dx = lowest(bits) - reach
            bits &= bits - 1
            place = cell + dy * w.g.size + dx
            id = w.cells[place]
            if not w.e[id].kind & kinds:
                continue
            if effect == HURT:
                hurt_by(w, e, id, power)
            elif effect == STUN:
                stun(w, id, power)
            else:
                pull(w, id, y, x, cells)


cdef void perform(World* w, const Entity* e, const Plan* p) noexcept nogil:
    """Whatever the plan says, but for the way that the hero goes by it."""
    cdef const Config* c = w.c
    cdef Hero* h = hero_of(w, e)
    cdef int level = h.level, seat, power, which = 3 * h.kind + p.act, at = w.e[p.target].cell
    h.did, h.aimed = p.act, at if p.target else e.cell
    if p.act == NOTHING:
        return
    if p.act == ATTACK:
        hurt_by(w, e, p.target, h.damage)
        w.e[id_of(e.half, e.index)].ready = w.s.time + c.attack_every
        return
    pay(w, h, p.act)
    if which == 3 * SUPPORT:
        pull(w, p.target, e.y, e.x, c.support.hook_pull + c.support.hook_pull_level * level)
    elif which == 3 * SUPPORT + 1:
        power = grown(c.support.heal_power, c.support.heal_power_level, level)
        for seat in range(w.g.heroes):
            if apart(w, w.e[id_of(e.half, seat)].cell, e.cell) <= c.support.heal_reach:
                give_health(w, h, id_of(e.half, seat), power)
    elif which == 3 * SUPPORT + 2:
        hurt_by(w, e, p.target, grown(c.support.strike_damage, c.support.strike_damage_level, level))
        stun(w, p.target, grown(c.support.strike_stun, c.support.strike_stun_level, level))
    elif which == 3 * ASSASSIN:
        all_around(
            w, e, e.cell, c.assassin.sweep_reach, CREEP | NEUTRAL_KIND, HURT,
            grown(c.assassin.sweep_damage, c.assassin.sweep_damage_level, level), 0, 0, 0,
        )
    elif which == 3 * ASSASSIN + 1:
        hurt_by(w, e, p.target, grown(c.assassin.ambush_damage, c.assassin.ambush_damage_level, level))
    elif which == 3 * ASSASSIN + 2:
        h.hasted = w.s.time + c.assassin.sprint_ticks
    elif which == 3 * BURST:
        hurt_by(w, e, p.target, grown(c.burst.bolt_damage, c.burst.bolt_damage_level, level))
    elif which == 3 * BURST + 1:
        all_around(
            w, e, at, c.burst.blast_reach, ANY, HURT,
            grown(c.burst.blast_damage, c.burst.blast_damage_level, level), 0, 0, 0,
        )
    elif which == 3 * BURST + 2:
        all_around(
            w, e, at, c.burst.daze_reach, MOVABLE, STUN,
            grown(c.burst.daze_stun, c.burst.daze_stun_level, level), 0, 0, 0,
        )
    elif which == 3 * TANK:
        all_around(
            w, e, e.cell, c.tank.grind_reach, ANY, HURT,
            grown(c.tank.grind_damage, c.tank.grind_damage_level, level), 0, 0, 0,
        )
    elif which == 3 * TANK + 1:
        give_health(w, h, id_of(e.half, e.index), grown(c.tank.mend_power, c.tank.mend_power_level, level))
    elif which == 3 * TANK + 2:
        all_around(
            w, e, p.cell, c.tank.charge_reach, MOVABLE, PULL, 0,
            c.tank.charge_pull + c.tank.charge_pull_level * level, p.y, p.x,
        )
    elif which == 3 * CARRY:
        slow(w, p.target, c.carry.kite_factor, c.carry.kite_ticks)
    elif which == 3 * CARRY + 1:
        hurt_by(w, e, p.target, grown(c.carry.snare_damage, c.carry.snare_damage_level, level))
        slow(w, p.target, c.carry.snare_factor, grown(c.carry.snare_ticks, c.carry.snare_ticks_level, level))
    elif which == 3 * CARRY + 2:
        all_around(
            w, e, at, c.carry.volley_reach, ANY, HURT,
            grown(c.carry.volley_damage, c.carry.volley_damage_level, level), 0, 0, 0,
        )


cdef void heroes_act(World* w) noexcept nogil:
    """Every hero that is not stunned, seat by seat; both of a seat at once."""
    cdef Plan[2] plans
    cdef int seat, half, hero
    for seat in range(w.g.heroes):
        for half in range(2):
            hero = id_of(half, seat)
            plans[half].act, plans[half].target, plans[half].cell = NOTHING, 0, -1
            if w.turn.can_act[5 * half + seat]:
                plan(w, w.e + hero, w.turn.choice[5 * half + seat], &plans[half])
        if plans[0].cell >= 0 and plans[0].cell == plans[1].cell:
            # Both would go to one cell: neither does, and so does nothing.
            for half in range(2):
                plans[half].act, plans[half].target, plans[half].cell = NOTHING, 0, -1
        for half in range(2):
            perform(w, w.e + id_of(half, seat), &plans[half])
        for half in range(2):
            if plans[half].cell >= 0:
                relocate(w, id_of(half, seat), plans[half].y, plans[half].x)


# ---- moving ----

cdef void drag(World* w) noexcept nogil:
    """Whoever is pulled goes as far as the way is free."""
    cdef int[2] ids
    cdef Place[2] to
    cdef int index, half, word
    cdef uint64_t bits
    cdef Pending* p
    for word in range(2):
        bits = w.turn.touched[0][word] | w.turn.touched[1][word]
        while bits:
            index = 64 * word + lowest_of(bits)
            bits &= bits - 1
            for half in range(2):
                ids[half], to[half].cell = id_of(half, index), -1 - half
                p = w.turn.pending + ids[half]
                if (p.y or p.x) and w.e[ids[half]].alive:
                    walk(w, w.e + ids[half], p.y, p.x, False, &to[half])
                else:
                    ids[half] = 0
            go_both(w, ids, to)


cdef void heroes_move(World* w) noexcept nogil:
    """Each hero along its choices vy and vx."""
    cdef int[2] ids
    cdef Place[2] to
    cdef int seat, half, speed
    cdef Entity* e
    cdef const int32_t* choice
    cdef const int* step
    for seat in range(w.g.heroes):
        for half in range(2):
            ids[half], to[half].cell = id_of(half, seat), -1 - half
            e = w.e + ids[half]
            choice = w.turn.choice[5 * half + seat]
            step = w.g.step[choice[0]][choice[1]]
            if e.stunned > w.s.time or not w.turn.can_act[5 * half + seat] or not (step[0] or step[1]):
                ids[half] = 0
                continue
            speed = <int>(w.c.hero_speed * UNIT)
            if w.h[5 * half + seat].hasted > w.s.time:
                speed = <int>(speed * w.c.assassin.sprint_factor)
            speed = speed_of(w, e, speed)
            walk(
                w, e, (step[0] * speed // UNIT) * (1 - 2 * half), (step[1] * speed // UNIT) * (1 - 2 * half),
                True, &to[half],
            )
        go_both(w, ids, to)
