"""A game: how it begins, what a tick does, what it is worth to heroes and how it ends."""

from skipjack.games.moba.ledger cimport SKIPJACK_CHECKED, open_ledger
from skipjack.games.moba.outcome cimport come_home, settle, to_level
from skipjack.games.moba.scripts cimport script
from skipjack.games.moba.skills cimport drag, heroes_act, heroes_move
from skipjack.games.moba.state cimport *
from skipjack.games.moba.units cimport fill_camps, new_wave, units_act, units_move
from skipjack.native.kernel cimport uniform


# ---- reset ----

cdef inline void stand(World* w, int id, int kind, int half, int index) noexcept nogil:
    cdef Entity* e = w.e + id
    e.kind, e.team, e.half, e.index, e.alive = kind, half, half, index, 1


cdef void new_game(World* w, bint scattered) noexcept nogil:
    """All at its place; what is kept is the side that the seats play."""
    cdef const Shape* g = w.g
    cdef int i, half, id, side = w.s.side
    memset(w.s, 0, g.cells_at)
    w.s.side = side
    memcpy(w.cells, g.walls, g.cells)
    w.looks[WALL] = w.looks[256 + WALL] = 1
    for i in range(g.towers):
        for half in range(2):
            id = id_of(half, TOWERS + i)
            stand(w, id, TOWER, half, TOWERS + i)
            w.e[id].lane = g.tier[i]
            w.e[id].health = w.e[id].most = g.tower_health[i]
            if scattered:
                w.e[id].health -= <int>(w.c.scatter * uniform(w.stream) * (w.e[id].most - 1))
            put_in_cell(w, id, turned(w, g.tower[i], half))
            w.s.standing[half] += 1
            look(w, id)
    for i in range(g.heroes):
        for half in range(2):
            stand(w, id_of(half, i), HERO, half, i)
            w.h[5 * half + i].kind, w.h[5 * half + i].lane = g.kind[i], g.lane_of[i]
            to_level(w, 5 * half + i, 1)
            come_home(w, 5 * half + i)
            w.h[5 * half + i].far = far_of(w, id_of(half, i))
            look(w, id_of(half, i))
    fill_camps(w)


cdef inline int far_of(World* w, int id) noexcept nogil:
    """Tenths of cells to the enemy's core."""
    return w.g.distance[turned(w, w.e[id].cell, w.e[id].half)]


# ---- step ----

cdef void choose(int32_t* choice, const int32_t* given) noexcept nogil:
    """A seat's action; what the game does not know is the first choice."""
    choice[0] = given[0] if 0 <= given[0] < 7 else 0
    choice[1] = given[1] if 0 <= given[1] < 7 else 0
    choice[2] = given[2] if 0 <= given[2] < 3 else 0
    choice[3], choice[4], choice[5] = given[3] == 1, given[4] == 1, given[5] == 1


cdef void recover(World* w) noexcept nogil:
    """What a tick begins with: heroes regain, and nothing of the last tick is left."""
    cdef int half, seat
    cdef Entity* e
    cdef Hero* h
    for half in range(2):
        for seat in range(w.g.heroes):
            e, h = w.e + id_of(half, seat), w.h + 5 * half + seat
            e.health = smaller(e.health + w.c.health_regeneration, e.most)
            h.mana = smaller(h.mana + w.c.mana_regeneration, h.most_mana)
            h.hurt = h.gained = h.given = h.fell = h.toppled = 0
            w.turn.can_act[5 * half + seat] = e.stunned <= w.s.time


cdef void clear(World* w) noexcept nogil:
    """Nothing is pending for anybody."""
    cdef int half, word
    cdef uint64_t bits
    for half in range(2):
        for word in range(2):
            bits = w.turn.touched[half][word]
            w.turn.touched[half][word] = 0
            while bits:
                memset(w.turn.pending + id_of(half, 64 * word + lowest_of(bits)), 0, sizeof(Pending))
                bits &= bits - 1


cdef void advance(World* w) noexcept nogil:
    """A tick of the game, with the choices that stand in the turn."""
    cdef int time = w.s.time
    if time % w.c.creep_every == 0:
        new_wave(w)
    if time > 0 and time % w.c.neutral_refill == 0:
        fill_camps(w)
    recover(w)
    if SKIPJACK_CHECKED:
        open_ledger(w)
    if w.c.opponent != SELF:
        script(w, 1 - w.s.side)
    heroes_act(w)
    units_act(w)
    settle(w)
    drag(w)
    heroes_move(w)
    units_move(w)
    clear(w)
    w.s.time += 1


cdef void reward(World* w, int hero) noexcept nogil:
    """The parts of a hero's reward in the last tick."""
    cdef Hero* h = w.h + hero
    cdef int k, far = far_of(w, id_of(hero // 5, hero % 5))
    h.went, h.far = h.far - far, far
    h.parts[0] = <float>(w.c.reward_death * h.fell)
    h.parts[1] = <float>(w.c.reward_xp * (h.gained - h.given))
    h.parts[2] = <float>(w.c.reward_distance * h.went / 10)
    h.parts[3] = <float>(w.c.reward_tower * h.toppled)
    for k in range(PARTS):
        h.sums[k] += h.parts[k]
    look(w, id_of(hero // 5, hero % 5))


cdef float whole(const Hero* h) noexcept nogil:
    return h.parts[0] + h.parts[1] + h.parts[2] + h.parts[3]


cdef float outcome(const World* w, int team) noexcept nogil:
    """1 for a win, 0 for a loss, 0.5 for neither: by the core that has fallen, else by the towers."""
    cdef int own = w.s.fallen >> team & 1, other = w.s.fallen >> (1 - team) & 1
    if not (own or other):
        own, other = w.s.standing[1 - team], w.s.standing[team]
    return 0.5 + 0.5 * ((other > own) - (own > other))
