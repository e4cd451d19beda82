# Creeps, neutrals and towers.

from skipjack.games.moba.state cimport World

cdef void new_wave(World* w) noexcept nogil
cdef void fill_camps(World* w) noexcept nogil
cdef void units_act(World* w) noexcept nogil
cdef void units_move(World* w) noexcept nogil
cdef int spot(const World* w, int cell, int half) noexcept nogil
