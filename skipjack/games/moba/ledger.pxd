# What must add up in a tick. Checked builds ask; in others SKIPJACK_CHECKED is 0, and nothing is computed.

from skipjack.games.moba.state cimport World

cdef extern from *:
    """
    #ifdef SKIPJACK_DEBUG
    #define SKIPJACK_CHECKED 1
    #else
    #define SKIPJACK_CHECKED 0
    #endif
    """
    int SKIPJACK_CHECKED

cdef void open_ledger(World* w) noexcept nogil
cdef void check_damage(World* w) noexcept nogil
cdef void check_xp(World* w) noexcept nogil
