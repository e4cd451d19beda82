"""Damage, healing and xp add up: what checked builds ask of every tick.

- Whoever is hurt or healed loses as much health as its damage less its healing, and everybody else none.
- All that is lost was dealt by a hero or by creeps, neutrals and towers; what heroes lose they have taken.
- What is healed is received.
- The xp that heroes gain is that of the dead who belong to somebody, less what the last level does not hold.
"""

from skipjack.games.moba.state cimport *


cdef void open_ledger(World* w) noexcept nogil:
    """What everybody has before anything happens; nothing may change health until damage comes about."""
    cdef Ledger* book = &w.turn.ledger
    cdef int i
    book.by_units = book.lost = book.due = 0
    book.dealt = book.taken = book.healed = book.mended = book.xp = 0
    for i in range(10):
        book.dealt += w.h[i].dealt
        book.taken += w.h[i].taken
        book.healed += w.h[i].healed
        book.mended += w.h[i].mended
        book.xp += w.h[i].xp
    for i in range(1, IDS):
        book.health[i] = w.e[i].health


cdef void check_damage(World* w) noexcept nogil:
    """Damage and healing have come about; the dead lie where they fell, and nobody has gained by them."""
    cdef Ledger* book = &w.turn.ledger
    cdef const Entity* e
    cdef const Pending* p
    cdef int i, healed
    cdef int64_t damage = 0, taken = 0
    for i in range(1, IDS):
        e, p = w.e + i, w.turn.pending + i
        if not e.alive:
            book.wrong |= p.damage != 0 or p.heal != 0
            continue
        healed = smaller(p.heal, larger(e.most - book.health[i] + p.damage, 0))
        book.wrong |= book.health[i] - e.health != p.damage - healed
        damage += p.damage
        taken += p.damage if e.kind == HERO else 0
        if e.health <= 0 and larger(p.best[0], p.best[1]) > 0:
            book.due += worth(w, e)
    for i in range(10):
        damage -= w.h[i].dealt
        taken -= w.h[i].taken
        book.healed += w.h[i].mended
        book.mended += w.h[i].healed
    book.wrong |= damage + book.dealt != book.by_units or taken + book.taken != 0
    book.wrong |= book.healed != book.mended


cdef void check_xp(World* w) noexcept nogil:
    """Heroes have gained what the dead were worth."""
    cdef Ledger* book = &w.turn.ledger
    cdef int i
    cdef int64_t gained = 0, xp = 0
    for i in range(10):
        gained += w.h[i].gained
        xp += w.h[i].xp
    book.wrong |= xp - book.xp != gained or gained + book.lost != book.due
