# A game: how it begins, what a tick does, what it is worth to heroes and how it ends.

from skipjack.games.moba.state cimport Hero, World, int32_t

cdef void new_game(World* w, bint scattered) noexcept nogil
cdef void choose(int32_t* choice, const int32_t* given) noexcept nogil
cdef void advance(World* w) noexcept nogil
cdef void reward(World* w, int hero) noexcept nogil
cdef float whole(const Hero* h) noexcept nogil
cdef float outcome(const World* w, int team) noexcept nogil
