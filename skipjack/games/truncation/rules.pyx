"""Truncation: staying is best, but only for whoever knows that a time limit is not an end.

    every step:   0 stay:  reward 0.1, nothing changes
                  1 leave: reward 1.2, the episode is terminated

Nothing ever ends a stay but the time limit of 8 steps, a truncation. With the discount of 0.95 that the
preset sets, staying for ever is worth 0.1 / (1 - 0.95) = 2 and beats leaving. A learner that takes the
limit for an end sees at most 0.1 a step for the rest of 8 steps, 0.67 discounted at the first, and
leaves. The observation never changes, so that the time left cannot be known.

Actions: 0 stay, 1 leave. Score: steps / time limit, which is 1 for whoever stays. Statistics: none.

Observation, float32[1]: always 1.
"""

from skipjack.native.kernel cimport *
from skipjack.native.scene import Scene, Text

cdef float STAY = 0.1
cdef float LEAVE = 1.2


cdef struct State:
    int clock


cdef class Rules(SimpleGame):
    """The native engine; `skipjack.games.truncation.env.Truncation` adds spaces and settings."""

    def __init__(self, int num_envs, config):
        super().__init__(
            num_envs, sizeof(State), config.time_limit, desynchronise=config.desynchronise, abi=ABI
        )

    cdef void new_episode(self, int env) noexcept nogil:
        (<State*>state(&self.k, env)).clock = 0

    cdef bint advance(self, int env) noexcept nogil:
        cdef bint left = choices(&self.k, row(&self.k, env, 0))[0] == 1
        (<State*>state(&self.k, env)).clock += 1
        give(&self.k, env, 0, LEAVE if left else STAY)
        return left

    cdef float score(self, int env, int seat, bint truncated) noexcept nogil:
        cdef float stayed = (<State*>state(&self.k, env)).clock - (not truncated)
        return stayed / self.k.time_limit

    cdef void observe(self, int env, int seat, void* out) noexcept nogil:
        (<float*>out)[0] = 1

    cdef object draw(self, int env):
        cdef State* s = <State*>state(&self.k, env)
        return Scene(200, 120).add(Text(20, 40, f"stayed {s.clock}", 30, (220, 225, 235)))

    cdef dict peek(self, int env):
        return (<State*>state(&self.k, env))[0]

    cdef put(self, int env, dict values):
        (<State*>state(&self.k, env))[0] = values
