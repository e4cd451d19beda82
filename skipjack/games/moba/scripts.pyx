"""The scripted teams: what their heroes choose, by what is around them.

    random              anything
    creep_follower      stays behind the foremost own creep of its lane, attacks what is near
    last_hitter         likewise, but spares what its attack would not kill; its skills are for heroes
    lane_pusher         goes along its lane, fights whatever it meets with all it has, and enters the reach
                        of a tower only after a creep
    retreat_when_low    likewise, but goes home below a third of its health, until it has nearly all of it

All beat "random" and "lane_pusher" beats all; the last one loses to it alone: who dies is at home at once
and in full health, so that to go home takes more time than it saves. Of the second and the third the former
is better on the full ground, the latter on the small one.

They see no more than a hero may: the window around them, and where their own creeps are.
"""

from skipjack.games.moba.state cimport *
from skipjack.native.kernel cimport next_word

cdef enum:
    LOW = 35            # percent of health at which heroes go home
    HIGH = 90           # and at which they leave it
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


cdef void push(World* w, const Entity* e, int lane, int32_t* choice) noexcept nogil:
    """Along the lane; stand where somebody is to be fought, and off towers that no creep keeps busy."""
    cdef int foes = 1 << (1 - e.team)
    cdef int tower = nearest(w, foes, TOWER, e.cell, 6, e.half), foe
    if tower and w.e[tower].lane != CORE and not nearest(
        w, 1 << e.team, CREEP, w.e[tower].cell, w.c.tower_vision, e.half
    ):
        follow(w, e, w.g.lanes + 1, choice)
        return
    foe = nearest(w, foes, ANY, e.cell, 5, e.half)
    if not foe or apart(w, w.e[foe].cell, e.cell) > 4:
        follow(w, e, lane, choice)


cdef void script(World* w, int team) noexcept nogil:
    """The choices of all heroes of a team."""
    cdef int seat, grade = w.c.opponent, foe, k
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
        foe = nearest(w, 1 << (1 - team), ANY, e.cell, 5, e.half)
        if grade == CREEP_FOLLOWER or grade == LAST_HITTER:
            stay_behind(w, e, h.lane, choice)
            if grade == LAST_HITTER and foe:
                choice[3] = choice[4] = choice[5] = w.e[foe].kind == HERO
                if w.e[foe].kind == CREEP and w.e[foe].health > h.damage:
                    choice[2] = 2
            continue
        for k in range(3):
            choice[3 + k] = foe != 0
        if grade == RETREAT_WHEN_LOW and 100 * e.health < e.most * (
            HIGH if apart(w, e.cell, turned(w, w.g.home, e.half)) <= HOME else LOW
        ):
            follow(w, e, w.g.lanes + 1, choice)
        else:
            push(w, e, h.lane, choice)
