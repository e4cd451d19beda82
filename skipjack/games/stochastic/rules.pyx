"""Stochastic: choose 1 in seven of ten steps, without knowing when.

    share of ones     0    ..   0.4   0.5   0.6   0.7   0.8   0.9    1
    score             0          0    0.56  0.89   1    0.89  0.56   0      1 - ((share - 0.7) / 0.3)^2

Every observation is the same, so that no policy without memory can count its ones: the best it can do is
to choose 1 with a chance of 0.7. A policy that always does the same scores 0, as does one that takes its
most probable action in place of a sampled one. Chance itself costs a perfect policy 0.023 at the default
of 100 steps.

Actions: 0, 1. Reward: the score, at the end of the episode. Score: as above, for its share of ones.
Statistics: none.

Observation, float32[1]: always 1.
"""

from skipjack.native.kernel cimport *
from skipjack.native.scene import Line, Rectangle, Scene

cdef float BEST = 0.7
cdef float WIDTH = 0.3


cdef struct Config:
    int length


cdef struct State:
    int clock
    int ones


cdef float closeness(const State* s) noexcept nogil:
    """How near the share of ones is to the best: 1 there, 0 from `WIDTH` on."""
    cdef float off = (s.ones / <float>s.clock - BEST) / WIDTH
    return clipped(1 - off * off, 0, 1)


cdef class Rules(SimpleGame):
    """The native engine; `skipjack.games.stochastic.env.Stochastic` adds spaces and settings."""

    cdef Config config

    def __init__(self, int num_envs, config):
        self.config = Config(config.length)
        super().__init__(
            num_envs, sizeof(State), config.time_limit, desynchronise=config.desynchronise, abi=ABI
        )

    cdef void new_episode(self, int env) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        s.clock = s.ones = 0

    cdef bint advance(self, int env) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef bint over
        s.ones += choices(&self.k, row(&self.k, env, 0))[0] == 1
        s.clock += 1
        over = s.clock == self.config.length
        give(&self.k, env, 0, closeness(s) if over else 0)
        return over

    cdef float score(self, int env, int seat, bint truncated) noexcept nogil:
        return closeness(<State*>state(&self.k, env))

    cdef void observe(self, int env, int seat, void* out) noexcept nogil:
        (<float*>out)[0] = 1

    cdef object draw(self, int env):
        cdef State* s = <State*>state(&self.k, env)
        share = s.ones / s.clock if s.clock else 0.0
        return Scene(200, 120).add(
            Rectangle(0, 50, 200 * share, 20, (96, 176, 240)),
            Line(200 * BEST, 40, 200 * BEST, 80, 2, (222, 160, 70)),
        )

    def native_config(self):
        """The settings that the C code reads, as a dictionary."""
        return self.config

    cdef dict peek(self, int env):
        return (<State*>state(&self.k, env))[0]

    cdef put(self, int env, dict values):
        (<State*>state(&self.k, env))[0] = values
