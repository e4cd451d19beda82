# What heroes see.

from skipjack.games.moba.state cimport World, uint8_t

cdef enum:
    SEEN = 484          # bytes of the four windows
    OBSERVED = 507      # bytes of an observation

cdef void observe(World* w, int team, int seat, uint8_t* out) noexcept nogil
