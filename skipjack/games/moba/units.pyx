"""Creeps, neutrals and towers: how they appear, whom they attack and where they go.

Each looks for a target when its turn to attack comes, and goes by what it found until the next. Creeps and
neutrals go from cell to cell in eight directions; where the way is taken they try the directions to the
right and to the left of it.
"""

from skipjack.games.moba.state cimport *


# ---- appearing ----

cdef int spot(const World* w, int cell, int half) noexcept nogil:
    """The free cell nearest to one of blue's, or to the same one of red's, within 5 each way; -1: none.

    Rings of cells, each row by row, as the half sees the ground.
    """
    cdef int ring, dy, dx, at
    for ring in range(6):
        for dy in range(-ring, ring + 1):
            for dx in range(-ring, ring + 1):
                if larger(size_of(dy), size_of(dx)) != ring:
                    continue
                at = turned(w, cell + dy * w.g.size + dx, half)
                if w.cells[at] == 0:
                    return at
    return -1


cdef bint appear(World* w, int id, int kind, int team, int half, int health, int cell) noexcept nogil:
    """An entity at the free cell nearest to one of blue's; whether there was one."""
    cdef Entity* e = w.e + id
    cdef int at = spot(w, cell, half), index = (id - 1) % HALF
    if at < 0:
        return False
    memset(e, 0, sizeof(Entity))
    e.kind, e.team, e.half, e.index, e.alive = kind, team, half, index, 1
    e.health = e.most = health
    put_in_cell(w, id, at)
    return True


cdef void new_wave(World* w) noexcept nogil:
    """Creeps on every lane, as far as there are slots and room."""
    cdef int lane, half, _i, slot, id
    cdef uint64_t free
    for half in range(2):
        for lane in range(w.g.lanes):
            for _i in range(w.c.creep_count):
                free = ~w.s.creeps[half] & ((<uint64_t>1 << MOST_CREEPS) - 1)
                if free == 0:
                    break
                slot = lowest_of(free)
                id = id_of(half, CREEPS + slot)
                if appear(w, id, CREEP, half, half, w.c.creep_health, w.g.start[lane]):
                    w.e[id].lane = lane
                    w.s.creeps[half] |= <uint64_t>1 << slot
                    look(w, id)


cdef void fill_camps(World* w) noexcept nogil:
    """Every neutral that is dead is there again, at its post."""
    cdef int i, half, id
    for i in range(CAMP * w.g.camps):
        for half in range(2):
            id = id_of(half, NEUTRALS + i)
            if not w.e[id].alive:
                if appear(w, id, NEUTRAL_KIND, NEUTRAL, half, w.c.neutral_health, w.g.post[i]):
                    w.s.away |= <uint32_t>1 << 16 * half + i // CAMP
                    look(w, id)


# ---- acting ----

cdef inline bint its_turn(const World* w, const Entity* e, int every) noexcept nogil:
    return (w.s.time + e.index) % every == 0


cdef inline bint in_reach(const World* w, const Entity* e, int reach) noexcept nogil:
    """Whether who it is after lives and is so near."""
    return w.e[e.target].alive and apart(w, w.e[e.target].cell, e.cell) <= reach


cdef void creeps_act(World* w) noexcept nogil:
    cdef int half
    cdef uint64_t bits
    cdef Entity* e
    for half in range(2):
        bits = w.s.creeps[half]
        while bits:
            e = w.e + id_of(half, CREEPS + lowest_of(bits))
            bits &= bits - 1
            if e.stunned > w.s.time or not its_turn(w, e, w.c.creep_attack_every):
                continue
            e.target = nearest(w, 1 << (1 - half), ANY, e.cell, w.c.creep_vision, half)
            if e.target and in_reach(w, e, w.c.creep_reach):
                hurt(w, e.target, w.c.creep_damage)


cdef inline uint32_t awake(World* w) noexcept nogil:
    """Camps that somebody has to look after: a hero is near, or one of them is not at home."""
    cdef int seat, half
    cdef uint32_t found = w.s.away
    for half in range(2):
        for seat in range(w.g.heroes):
            found |= w.g.wake[w.e[id_of(half, seat)].cell]
    return found


cdef void neutrals_act(World* w) noexcept nogil:
    cdef int i, half
    cdef uint32_t camps = awake(w)
    cdef Entity* e
    w.s.away |= camps
    while camps:
        half = lowest(camps)
        camps &= camps - 1
        i = CAMP * (half & 15)
        half >>= 4
        for i in range(i, i + CAMP):
            e = w.e + id_of(half, NEUTRALS + i)
            if not e.alive or e.stunned > w.s.time or not its_turn(w, e, w.c.neutral_attack_every):
                continue
            e.target = nearest(w, 3, HERO, e.cell, w.c.neutral_vision, half)
            if e.target and in_reach(w, e, w.c.neutral_reach):
                hurt(w, e.target, w.c.neutral_damage)


cdef void towers_act(World* w) noexcept nogil:
    cdef int i, half, target
    cdef Entity* e
    for i in range(w.g.towers):
        if w.g.tower_damage[i] == 0 or (w.s.time + TOWERS + i) % w.c.tower_attack_every:
            continue
        for half in range(2):
            e = w.e + id_of(half, TOWERS + i)
            if e.alive:
                target = nearest(w, 1 << (1 - half), HERO | CREEP, e.cell, w.c.tower_vision, half)
                if target:
                    hurt(w, target, w.g.tower_damage[i])


cdef void units_act(World* w) noexcept nogil:
    creeps_act(w)
    neutrals_act(w)
    towers_act(w)


# ---- moving ----

cdef inline int direction_to(const World* w, int cell, int goal) noexcept nogil:
    """The direction of the straight way to another cell."""
    cdef int dy = sign(goal // w.g.size - cell // w.g.size)
    cdef int dx = sign(goal % w.g.size - cell % w.g.size)
    if dy == 0 and dx == 0:
        return STAY
    if dx == 0:
        return 0 if dy < 0 else 4
    return (2 - (dy < 0) + (dy > 0)) if dx > 0 else (6 + (dy < 0) - (dy > 0))


cdef inline int step_to(const World* w, const Entity* e, int direction) noexcept nogil:
    """The free cell in a direction, or to the right or left of it; -1: there is none."""
    cdef int cell
    if direction == STAY:
        return -1
    cell = e.cell + w.g.by[direction]
    if w.cells[cell] == 0:
        return cell
    cell = e.cell + w.g.by[direction + 1 & 7]
    if w.cells[cell] == 0:
        return cell
    cell = e.cell + w.g.by[direction + 7 & 7]
    return cell if w.cells[cell] == 0 else -1


cdef inline bint steps_now(const World* w, Entity* e, int usual) noexcept nogil:
    """Whether it has gone another cell."""
    e.ready += speed_of(w, e, usual)
    if e.ready < UNIT:
        return False
    e.ready -= UNIT
    return True


cdef inline int wanted(const World* w, Entity* e) noexcept nogil:
    """The cell that a creep goes to; -1: it stays."""
    if e.stunned > w.s.time:
        return -1
    if e.target:
        if in_reach(w, e, w.c.creep_reach):
            return -1
        if not in_reach(w, e, w.c.creep_vision):
            e.target = 0
    if not steps_now(w, e, <int>(w.c.creep_speed * UNIT)):
        return -1
    if e.target:
        return step_to(w, e, direction_to(w, e.cell, w.e[e.target].cell))
    return step_to(w, e, way(w, e.lane, e.cell, e.half))


cdef inline int wanted_by_neutral(const World* w, Entity* e, int i) noexcept nogil:
    """The cell that a neutral goes to; -1: it stays."""
    cdef int camp = turned(w, w.g.camp[i // CAMP], e.half), post = turned(w, w.g.post[i], e.half), cell
    if e.stunned > w.s.time:
        return -1
    if e.target and not in_reach(w, e, w.c.neutral_vision):
        e.target = 0
    if e.target and apart(w, e.cell, camp) <= w.c.neutral_leash:
        if in_reach(w, e, w.c.neutral_reach) or not steps_now(w, e, UNIT):
            return -1
        cell = step_to(w, e, direction_to(w, e.cell, w.e[e.target].cell))
        return cell if cell >= 0 and apart(w, cell, camp) <= w.c.neutral_leash else -1
    if e.cell == post or not steps_now(w, e, UNIT):
        return -1
    if apart(w, e.cell, camp) <= w.c.neutral_leash:
        return step_to(w, e, direction_to(w, e.cell, post))
    return step_to(w, e, way(w, w.g.lanes + 2 + i // CAMP, e.cell, e.half))


cdef inline void step_both(World* w, int index, const int* cells) noexcept nogil:
    """Both of a pair go to their cells, unless that is one; -1: it stays."""
    cdef int half
    if cells[0] == cells[1]:
        return
    for half in range(2):
        if cells[half] >= 0:
            lift(w, w.e + id_of(half, index))
            put_in_cell(w, id_of(half, index), cells[half])


cdef void creeps_move(World* w) noexcept nogil:
    cdef int slot, half
    cdef int[2] cells
    cdef uint64_t bits = w.s.creeps[0] | w.s.creeps[1]
    while bits:
        slot = lowest_of(bits)
        bits &= bits - 1
        for half in range(2):
            cells[half] = -1
            if w.s.creeps[half] >> slot & 1:
                cells[half] = wanted(w, w.e + id_of(half, CREEPS + slot))
        step_both(w, CREEPS + slot, cells)


cdef void neutrals_move(World* w) noexcept nogil:
    cdef int i, camp, half
    cdef int[2] cells
    cdef Entity* e
    cdef uint32_t away = 0, camps = w.s.away | w.s.away >> 16 & 0xFFFF
    for camp in range(w.g.camps):
        if not camps >> camp & 1:
            continue
        for i in range(CAMP * camp, CAMP * camp + CAMP):
            for half in range(2):
                e = w.e + id_of(half, NEUTRALS + i)
                cells[half] = -1
                if e.alive and w.s.away >> 16 * half + camp & 1:
                    cells[half] = wanted_by_neutral(w, e, i)
                    if e.target or e.cell != turned(w, w.g.post[i], half):
                        away |= <uint32_t>1 << 16 * half + camp
            step_both(w, NEUTRALS + i, cells)
    w.s.away = away


cdef void units_move(World* w) noexcept nogil:
    creeps_move(w)
    neutrals_move(w)
