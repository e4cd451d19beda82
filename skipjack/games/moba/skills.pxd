# Heroes' skills and basic attacks: what each does in a tick.

from skipjack.games.moba.state cimport World

cdef void heroes_act(World* w) noexcept nogil
cdef void heroes_move(World* w) noexcept nogil
cdef void drag(World* w) noexcept nogil
