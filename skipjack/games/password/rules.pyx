"""Password: type five bits; only a whole password that is right pays.

    step      0    1    2    3    4
    typed     1    0    1    1    0      here for the default, 22 = 10110 in binary: the highest first

Nothing tells whether a bit was right until the last one is typed: a learner has to find the password by
chance, 1 in 32, and to credit all five steps for the one reward.

Actions: 0, 1. Reward: 1 at the end if all bits are right, else 0. Score: the same. Statistics: none.

Observation, float32[5]: what was typed, 1 for a one, -1 for a zero, 0 for what is still to come.
"""

from skipjack.native.kernel cimport *
from skipjack.native.scene import Scene, Text

cdef enum:
    BITS = 5


cdef struct Config:
    int password


cdef struct State:
    int typed       # bits so far, the newest lowest
    int count       # how many


cdef class Rules(SimpleGame):
    """The native engine; `skipjack.games.password.env.Password` adds spaces and settings."""

    cdef Config config

    def __init__(self, int num_envs, config):
        self.config = Config(config.password)
        super().__init__(
            num_envs, sizeof(State), config.time_limit, desynchronise=config.desynchronise, abi=ABI
        )

    cdef inline bint is_right(self, const State* s) noexcept nogil:
        return s.count == BITS and s.typed == self.config.password

    cdef void new_episode(self, int env) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        s.typed = s.count = 0

    cdef bint advance(self, int env) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        s.typed = s.typed << 1 | (choices(&self.k, row(&self.k, env, 0))[0] == 1)
        s.count += 1
        give(&self.k, env, 0, self.is_right(s))
        return s.count == BITS

    cdef float score(self, int env, int seat, bint truncated) noexcept nogil:
        return self.is_right(<State*>state(&self.k, env))

    cdef void observe(self, int env, int seat, void* out) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef int place, bit
        for place in range(BITS):
            bit = s.typed >> (s.count - 1 - place) & 1 if place < s.count else 0
            (<float*>out)[place] = 2 * bit - 1 if place < s.count else 0

    cdef object draw(self, int env):
        cdef State* s = <State*>state(&self.k, env)
        words = f"{s.typed:0{s.count}b}" if s.count else ""
        return Scene(200, 120).add(Text(30, 40, words.ljust(BITS, "."), 40, (220, 225, 235)))

    def native_config(self):
        """The settings that the C code reads, as a dictionary."""
        return self.config

    cdef dict peek(self, int env):
        return (<State*>state(&self.k, env))[0]

    cdef put(self, int env, dict values):
        (<State*>state(&self.k, env))[0] = values
