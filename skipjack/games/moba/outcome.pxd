# What comes of a tick: damage, healing, deaths, xp, levels.

from skipjack.games.moba.state cimport World

cdef void settle(World* w) noexcept nogil
cdef void to_level(World* w, int hero, int level) noexcept nogil
cdef void come_home(World* w, int hero) noexcept nogil
