"""Truncation: staying is best, but only for whoever knows that a time limit is not an end.

    every step:   0 stay:  reward 0.1 where it is warm, else 0, and it grows warmer
                  1 leave: reward 1.5 x (1 + 3 warmth) / 4, the episode is terminated

Warmth is 0 at the start and 1 after 4 steps. Nothing ever ends a stay but the limit of 8
steps, a truncation. With the discount of 0.95 that the preset sets, staying where it is warm is worth
0.1 / (1 - 0.95) = 2 and beats leaving. A learner that takes the limit for an end sees 0.4 at most and
leaves; one that goes on from the next episode's first observation, where it is cold again, sees 1.4 and
leaves too. Each step of staying on the way there pays more than leaving one step earlier, so that a
learner without fault finds it.

Actions: 0 stay, 1 leave. Score: steps / time limit, which is 1 for whoever stays. Statistics: none.

Observation, float32[1]: warmth, 0 to 1.
"""

from skipjack.native.kernel cimport *
from skipjack.native.scene import Scene, Text

cdef enum:
    WARM_AFTER = 4              # steps

cdef float STAY = 0.1
cdef float LEAVE = 0.375      # where it is cold; four times as much where it is warm


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
        cdef float warmth = self.warmth(env)
        give(&self.k, env, 0, LEAVE * (1 + 3 * warmth) if left else (STAY if warmth == 1 else 0))
        (<State*>state(&self.k, env)).clock += 1
        return left

    cdef float warmth(self, int env) noexcept nogil:
        cdef int clock = (<State*>state(&self.k, env)).clock
        return min(<float>1, clock / <float>WARM_AFTER)

    cdef float score(self, int env, int seat, bint truncated) noexcept nogil:
        cdef float stayed = (<State*>state(&self.k, env)).clock - (not truncated)
        return stayed / self.k.time_limit

    cdef void observe(self, int env, int seat, void* out) noexcept nogil:
        (<float*>out)[0] = self.warmth(env)

    cdef object draw(self, int env):
        cdef State* s = <State*>state(&self.k, env)
        words = f"stayed {s.clock}, warmth {self.warmth(env):.2f}"
        return Scene(200, 120).add(Text(20, 40, words, 20, (220, 225, 235)))

    cdef dict peek(self, int env):
        return (<State*>state(&self.k, env))[0]

    cdef put(self, int env, dict values):
        (<State*>state(&self.k, env))[0] = values
