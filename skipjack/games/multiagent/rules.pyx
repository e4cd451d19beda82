"""Multiagent: the first seat must choose 0, the second 1; each knows itself by what it sees.

    seat     sees       must choose
      0      1, 0            0
      1      0, 1            1

Both seats share one policy. Where observations, actions, rewards or advantages of one row end up in
another, neither seat learns what is right for it.

Actions: 0, 1. Reward: 1 for the right choice, else 0, to each seat its own. Score: the same.
Statistics: none. The one step ends the episode, so that the time limit never cuts it.

Observation, float32[2]: the seat, one-hot.
"""

from skipjack.native.kernel cimport *
from skipjack.native.scene import Rectangle, Scene

cdef enum:
    SEATS = 2


cdef struct State:
    int right[SEATS]


cdef class Rules(SimpleGame):
    """The native engine; `skipjack.games.multiagent.env.Multiagent` adds spaces and settings."""

    def __init__(self, int num_envs, config):
        super().__init__(
            num_envs, sizeof(State), config.time_limit, teams=(0,) * SEATS,
            desynchronise=config.desynchronise, abi=ABI,
        )

    cdef void new_episode(self, int env) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        s.right[0] = s.right[1] = 0

    cdef bint advance(self, int env) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef int seat
        for seat in range(SEATS):
            s.right[seat] = (choices(&self.k, row(&self.k, env, seat))[0] == 1) == seat
            give(&self.k, env, seat, s.right[seat])
        return True

    cdef float score(self, int env, int seat, bint truncated) noexcept nogil:
        return (<State*>state(&self.k, env)).right[seat]

    cdef void observe(self, int env, int seat, void* out) noexcept nogil:
        (<float*>out)[0] = seat == 0
        (<float*>out)[1] = seat == 1

    cdef object draw(self, int env):
        return Scene(200, 120).add(
            Rectangle(30, 30, 60, 60, (96, 176, 240)), Rectangle(110, 30, 60, 60, (222, 160, 70))
        )

    cdef dict peek(self, int env):
        return (<State*>state(&self.k, env))[0]

    cdef put(self, int env, dict values):
        (<State*>state(&self.k, env))[0] = values
