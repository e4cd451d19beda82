# The scripted teams.

from skipjack.games.moba.state cimport World

cdef void script(World* w, int team) noexcept nogil
