# What follows from settings and ground, the same for all envs.

from skipjack.games.moba.state cimport Shape

cdef tuple shape_of(Shape* g, config, ground)
