"""What heroes see: four windows of 11 x 11, and what a hero knows of itself.

Red's are turned by half, so that both sides see themselves in the south-west.
"""

from skipjack.games.moba.state cimport *

cdef enum:
    VISION = 5
    SIDE = 11
    WINDOW = 121


cdef inline void windows(World* w, int team, int cell, uint8_t* out) noexcept nogil:
    """Kind, health, mana and level of what stands around a cell, a window each."""
    cdef uint32_t[WINDOW] seen
    cdef const uint32_t* looks = w.looks + 256 * team
    cdef const uint8_t* row = w.cells + cell - VISION * (w.g.size + 1)
    cdef uint32_t* to = seen
    cdef Py_ssize_t i
    cdef int y
    if team == 0:
        for y in range(SIDE):
            for i in range(SIDE):
                to[i] = looks[row[i]]
            row += w.g.size
            to += SIDE
    else:
        to += WINDOW - SIDE
        for y in range(SIDE):
            for i in range(SIDE):
                to[SIDE - 1 - i] = looks[row[i]]
            row += w.g.size
            to -= SIDE
    for i in range(WINDOW):
        out[i] = <uint8_t>seen[i]
    for i in range(WINDOW):
        out[WINDOW + i] = <uint8_t>(seen[i] >> 8)
    for i in range(WINDOW):
        out[2 * WINDOW + i] = <uint8_t>(seen[i] >> 16)
    for i in range(WINDOW):
        out[3 * WINDOW + i] = <uint8_t>(seen[i] >> 24)


cdef void observe(World* w, int team, int seat, uint8_t* out) noexcept nogil:
    """All that a hero sees; the scales stand in rules.pyx."""
    cdef Entity* e = w.e + id_of(team, seat)
    cdef Hero* h = w.h + 5 * team + seat
    cdef int cell = turned(w, e.cell, team), now = w.s.time, k, speed = 64
    windows(w, team, e.cell, out)
    speed = <int>(64 * w.c.hero_speed)
    if h.hasted > now:
        speed = <int>(speed * w.c.assassin.sprint_factor)
    out += SEEN
    out[0] = <uint8_t>byte(cell // w.g.size)
    out[1] = <uint8_t>byte(cell % w.g.size)
    out[2] = <uint8_t>byte(8 * h.level)
    out[3] = <uint8_t>byte(filled(e.health, e.most))
    out[4] = <uint8_t>byte(filled(h.mana, h.most_mana))
    out[5] = <uint8_t>byte(h.damage // 4)
    out[6] = <uint8_t>byte(speed_of(w, e, speed))
    out[7] = <uint8_t>byte(4 * (e.stunned - now))
    out[8] = <uint8_t>byte(4 * (e.slowed - now))
    for k in range(3):
        out[9 + k] = <uint8_t>byte(h.cooled[k] - now)
    out[12] = <uint8_t>byte(16 * (e.ready - now))
    out[13] = <uint8_t>byte(filled(h.hurt, e.most))
    for k in range(5):
        out[14 + k] = 255 if h.kind == k else 0
    out[19] = 255 if h.fell else 0
    out[20] = <uint8_t>byte(128 + (h.gained - h.given) // 8)
    out[21] = <uint8_t>byte(128 + 64 * h.went // 10)
    out[22] = 255 if h.toppled else 0
