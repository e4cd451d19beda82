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

from libc.math cimport NAN

from skipjack.native.kernel cimport *
from skipjack.native.scene import Scene, Text

cdef float STAY = 0.1
cdef float LEAVE = 1.2


cdef struct State:
    int clock


# ---- observe ----

cdef inline void observe(const State* s, float* out) noexcept nogil:
    out[0] = 1


cdef class Rules(Game):
    """The native engine; `skipjack.games.truncation.env.Truncation` adds spaces and settings."""

    def __init__(self, int num_envs, config):
        super().__init__(
            num_envs, sizeof(State), config.time_limit, desynchronise=config.desynchronise, abi=ABI
        )

    cdef void reset_range(self, int lo, int hi) noexcept nogil:
        cdef Kernel* k = &self.k
        cdef int env
        for env in range(lo, hi):
            observe(<State*>state(k, env), <float*>observation(k, row(k, env, 0)))

    cdef void step_range(self, int lo, int hi) noexcept nogil:
        cdef Kernel* k = &self.k
        cdef int env, r
        cdef bint left, late
        for env in range(lo, hi):
            r = row(k, env, 0)
            left = choices(k, r)[0] == 1
            give(k, env, 0, LEAVE if left else STAY)
            (<State*>state(k, env)).clock += 1
            late = elapse(k, env, 1)
            if left or late:
                self.end(env, r, not left)
            observe(<State*>state(k, env), <float*>observation(k, r))

    cdef void end(self, int env, int r, bint truncated) noexcept nogil:
        cdef Kernel* k = &self.k
        cdef State* s = <State*>state(k, env)
        cdef float* out = <float*>final_observation(k, r, truncated)
        cdef float stayed = s.clock - (not truncated)
        if out != NULL:
            observe(s, out)
        finish(k, env, 0, truncated, stayed / k.time_limit, NAN)
        s.clock = 0
        begin(k, env)

    cdef object draw(self, int env):
        cdef State* s = <State*>state(&self.k, env)
        return Scene(200, 120).add(Text(20, 40, f"stayed {s.clock}", 30, (220, 225, 235)))

    def native_config(self):
        """The settings that the C code reads, as a dictionary."""
        return {}

    cdef dict peek(self, int env):
        return (<State*>state(&self.k, env))[0]

    cdef poke(self, int env, dict values):
        cdef State* s = <State*>state(&self.k, env)
        cdef dict merged = s[0]
        merged.update(values)
        s[0] = merged
        observe(s, <float*>observation(&self.k, row(&self.k, env, 0)))
