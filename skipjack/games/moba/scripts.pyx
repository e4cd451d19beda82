"""The scripted teams: what their heroes choose, by what is around them.

    random              anything
    creep_follower      stays behind the foremost own creep of its lane, attacks what is near
    lane_pusher         goes along its lane, fights whatever it meets with all it has, and enters the reach
                        of a tower only after a creep
    last_hitter         goes along its lane; takes the creeps that its attack kills, else its attacks and
                        skills are for heroes and towers first; waits before a tower only in poor health
    retreat_when_low    likewise, but uses each skill for what it is good for (heals who lacks as much, does
                        not spend its mana on hooks), and goes back from heroes and towers below a fifth of
                        its health

Each beats those before it, and all beat "random". To go all the way home for health would not pay: who dies
is there at once, and in full health.

They know where their own creeps are, and see foes in the window around them; before a tower, and when they
go back, a cell farther than a hero sees.
"""

from skipjack.games.moba.state cimport *
from skipjack.native.kernel cimport next_word

cdef enum:
    LOW = 20            # percent of health below which heroes go back
    POOR = 50           # and below which they wait for a creep before a tower
    WORTH = 90          # percent of what a skill heals that must be lacking
    HOME = 12           # cells from home that count as there
    BEHIND = 2          # cells that followers stay behind a creep


cdef inline void rest(int32_t* choice) noexcept nogil:
    memset(choice, 0, 6 * sizeof(int32_t))


cdef inline int pushed(int by) noexcept nogil:
    """The choice of vy or vx that goes a whole step so."""
    return 1 if by < 0 else 6 if by > 0 else 0


cdef inline void follow(World* w, const Entity* e, int field, int32_t* choice) noexcept nogil:
    """Go along a field; directions are the half's own, as choices are."""
    cdef int direction = w.g.ways[field * w.g.cells + turned(w, e.cell, e.half)], by
    if direction == STAY:
        return
    by = w.g.by[direction]
    choice[0] = pushed(-1 if by < -1 else 1 if by > 1 else 0)
    choice[1] = pushed(by - w.g.size * (sign(by) if size_of(by) > 1 else 0))


cdef inline void go_to(World* w, const Entity* e, int cell, int32_t* choice) noexcept nogil:
    """Go straight to a cell."""
    cdef int own = turned(w, e.cell, e.half), to = turned(w, cell, e.half)
    choice[0] = pushed(to // w.g.size - own // w.g.size)
    choice[1] = pushed(to % w.g.size - own % w.g.size)


cdef int front(World* w, const Entity* e, int lane) noexcept nogil:
    """Cell of the own creep of a lane that is the farthest ahead; -1: there is none."""
    cdef uint64_t bits = w.s.creeps[e.half]
    cdef int found = -1, far, best = 1 << 30
    cdef const Entity* creep
    while bits:
        creep = w.e + id_of(e.half, CREEPS + lowest_of(bits))
        bits &= bits - 1
        far = w.g.distance[turned(w, creep.cell, e.half)]
        if creep.lane == lane and far < best:
            best, found = far, creep.cell
    return found


cdef void stay_behind(World* w, const Entity* e, int lane, int32_t* choice) noexcept nogil:
    """Keep a little behind the foremost creep; without one wait at home."""
    cdef int creep = front(w, e, lane), lead
    if creep < 0:
        if apart(w, e.cell, turned(w, w.g.home, e.half)) > HOME:
            follow(w, e, w.g.lanes + 1, choice)
        return
    lead = w.g.distance[turned(w, e.cell, e.half)] - w.g.distance[turned(w, creep, e.half)]
    if lead < 10 * BEHIND:
        follow(w, e, w.g.lanes + 1, choice)
    elif apart(w, e.cell, creep) <= 5:
        if lead > 10 * (BEHIND + 2):
            go_to(w, e, creep, choice)
    else:
        follow(w, e, lane, choice)


cdef void push(World* w, const Entity* e, int lane, bint bold, int32_t* choice) noexcept nogil:
    """Along the lane; stand where somebody is to be fought, and off towers that no creep keeps busy.

    Who is bold stays off them in poor health alone.
    """
    cdef int foes = 1 << (1 - e.team)
    cdef int tower = nearest(w, foes, TOWER, e.cell, 6, e.half), foe
    if (
        tower and w.e[tower].lane != CORE and not (bold and 100 * e.health >= POOR * e.most)
        and not nearest(w, 1 << e.team, CREEP, w.e[tower].cell, w.c.tower_vision, e.half)
    ):
        follow(w, e, w.g.lanes + 1, choice)
        return
    foe = nearest(w, foes, ANY, e.cell, 5, e.half)
    if not foe or apart(w, w.e[foe].cell, e.cell) > 4:
        follow(w, e, lane, choice)


cdef void use_all(int32_t* choice, bint wanted) noexcept nogil:
    choice[3] = choice[4] = choice[5] = wanted


cdef void aim(World* w, const Entity* e, const Hero* h, int32_t* choice) noexcept nogil:
    """The creep that an attack kills; else all for heroes and towers; else all for what there is."""
    cdef int foes = 1 << (1 - e.team)
    cdef int near = nearest(w, foes, ANY, e.cell, 5, e.half)
    if near and w.e[near].kind == CREEP and w.e[near].health <= h.damage and w.s.time >= e.ready:
        return
    choice[2] = nearest(w, foes, HERO | TOWER, e.cell, 5, e.half) != 0
    use_all(choice, near != 0)


cdef int lacking(World* w, const Entity* e, int reach) noexcept nogil:
    """The most health that an own hero around lacks."""
    cdef int seat, most = 0
    cdef const Entity* other
    for seat in range(w.g.heroes):
        other = w.e + id_of(e.half, seat)
        if apart(w, other.cell, e.cell) <= reach:
            most = larger(most, other.most - other.health)
    return most


cdef void choose_skills(World* w, const Entity* e, const Hero* h, int32_t* choice) noexcept nogil:
    """Each skill where it is worth its mana; those that hurt one are for heroes."""
    cdef const Config* c = w.c
    cdef int foes = 1 << (1 - e.team), power
    cdef bint near = nearest(w, foes, ANY, e.cell, 5, e.half) != 0
    cdef int hero = nearest(w, foes, HERO, e.cell, 5, e.half)
    use_all(choice, False)
    if h.kind == SUPPORT:
        power = grown(c.support.heal_power, c.support.heal_power_level, h.level)
        choice[4] = 100 * lacking(w, e, c.support.heal_reach) >= WORTH * power
        choice[5] = hero != 0
    elif h.kind == ASSASSIN:
        power = grown(c.assassin.ambush_damage, c.assassin.ambush_damage_level, h.level)
        choice[3] = near
        choice[4] = hero != 0 and w.e[hero].health <= power
    elif h.kind == BURST:
        choice[3] = hero != 0
        choice[4] = near
    elif h.kind == TANK:
        power = grown(c.tank.mend_power, c.tank.mend_power_level, h.level)
        choice[3] = near
        choice[4] = 100 * (e.most - e.health) >= WORTH * power
    else:
        choice[4] = hero != 0
        choice[5] = near
    if hero and (h.kind == BURST or h.kind == CARRY):
        choice[2] = 1


cdef void go_back(World* w, const Entity* e, int32_t* choice) noexcept nogil:
    """Away from heroes and towers; before creeps alone stand."""
    cdef int foes = 1 << (1 - e.team)
    cdef bint hunted = nearest(w, foes, HERO | TOWER, e.cell, 6, e.half) != 0
    if hunted or nearest(w, foes, CREEP, e.cell, 3, e.half):
        choice[0] = choice[1] = 0
    if hunted:
        follow(w, e, w.g.lanes + 1, choice)


cdef void script(World* w, int team) noexcept nogil:
    """The choices of all heroes of a team."""
    cdef int seat, grade = w.c.opponent
    cdef int32_t* choice
    cdef const Entity* e
    cdef Hero* h
    cdef uint64_t word
    for seat in range(w.g.heroes):
        choice = w.turn.choice[5 * team + seat]
        e, h = w.e + id_of(team, seat), w.h + 5 * team + seat
        rest(choice)
        if grade == RANDOM:
            word = next_word(w.stream)
            choice[0], choice[1], choice[2] = word % 7, (word >> 8) % 7, (word >> 16) % 3
            choice[3], choice[4], choice[5] = word >> 24 & 1, word >> 32 & 1, word >> 40 & 1
            continue
        if grade == CREEP_FOLLOWER:
            stay_behind(w, e, h.lane, choice)
            continue
        push(w, e, h.lane, grade != LANE_PUSHER, choice)
        if grade == LANE_PUSHER:
            use_all(choice, nearest(w, 1 << (1 - team), ANY, e.cell, 5, e.half) != 0)
            continue
        aim(w, e, h, choice)
        if grade == RETREAT_WHEN_LOW:
            choose_skills(w, e, h, choice)
            if 100 * e.health < LOW * e.most:
                go_back(w, e, choice)
