# Games of two sides that move in turn: whose move it is, and what has become of the game.

from libc.stdint cimport int8_t

from skipjack.native.kernel cimport *


cdef enum:
    NOBODY = -1
    TURN_SIZE = 16      # bytes that hold a Turn, the game's state behind it aligned


# What a move did.
cdef enum Move:
    GOES_ON
    WINS            # the side that made it has won
    DRAWS
    ILLEGAL         # that side has lost


cdef struct Turn:       # lies in front of the game's own state
    int32_t plies       # moves that were made
    int8_t first        # the side that began
    int8_t mover        # the side to move
    int8_t winner       # the side that won, or NOBODY
    int8_t illegal      # the side that made an illegal move, or NOBODY
    int8_t drawn        # 1 if the rules ended the game and nobody won


cdef inline Turn* turn(Kernel* k, int env) noexcept nogil:
    return <Turn*>state(k, env)


cdef inline void* board(Kernel* k, int env) noexcept nogil:
    """The game's own state."""
    return <char*>state(k, env) + TURN_SIZE


cdef inline uint64_t spread(uint64_t bits) noexcept nogil:
    """The lowest seven bits as a word's bytes, 0 or 1 each, to copy to where a board is seen."""
    # PERF: multiplied to every 7th place, bits meet no other at multiples of 8: twice as fast as a loop.
    return (bits & 0x7F) * <uint64_t>0x40810204081 & <uint64_t>0x01010101010101


cdef class TurnGame(SimpleGame):
    # To write in a game: each works on one env, without the GIL.
    cdef void clear(self, int env) noexcept nogil
    cdef Move play(self, int env, int side, int choice) noexcept nogil
    cdef int reply(self, int env, int side) noexcept nogil
    cdef void see(self, int env, int seat, void* out) noexcept nogil
    cdef void allow(self, int env, uint8_t* legal) noexcept nogil

    cdef bint move(self, int env, int choice) noexcept nogil
