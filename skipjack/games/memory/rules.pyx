"""Memory: repeat, after a delay, the symbol that was shown at the start.

    step      0        1 .. delay      delay + 1
    seen    symbol      nothing        question
    action  ignored     ignored        answer = symbol?  then the episode ends

An observation says nothing of the symbol when it counts, so that a policy without recurrent state
cannot do better than guessing: 1 / symbols. One that clears its state between steps, or learns from
sequences cut off from their beginning, fails alike.

Actions: 0 .. symbols - 1. Reward: 1 for the right answer, else 0. Score: the same. Statistics: none.

Observation, float32[symbols + 1]: the symbol, one-hot, at the first step; 1 in the last place at the
question; zeros between.
"""

from libc.string cimport memset

from skipjack.native.kernel cimport *
from skipjack.native.scene import Scene, Text


cdef struct Config:
    int symbols
    int delay


cdef struct State:
    int symbol
    int clock
    int right


cdef class Rules(SimpleGame):
    """The native engine; `skipjack.games.memory.env.Memory` adds spaces and settings."""

    cdef Config config

    def __init__(self, int num_envs, config):
        self.config = Config(config.symbols, config.delay)
        super().__init__(
            num_envs, sizeof(State), config.time_limit, desynchronise=config.desynchronise, abi=ABI
        )

    cdef inline bint is_question(self, const State* s) noexcept nogil:
        return s.clock == self.config.delay + 1

    cdef void new_episode(self, int env) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        s.symbol = below(&header(&self.k, env).stream, self.config.symbols)
        s.clock = s.right = 0

    cdef bint advance(self, int env) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef bint over = self.is_question(s)
        s.right = over and choices(&self.k, row(&self.k, env, 0))[0] == s.symbol
        s.clock += 1
        give(&self.k, env, 0, s.right)
        return over

    cdef float score(self, int env, int seat, bint truncated) noexcept nogil:
        return (<State*>state(&self.k, env)).right

    cdef void observe(self, int env, int seat, void* out) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef float* seen = <float*>out
        memset(seen, 0, (self.config.symbols + 1) * sizeof(float))
        if s.clock == 0:
            seen[s.symbol] = 1
        elif self.is_question(s):
            seen[self.config.symbols] = 1

    cdef object draw(self, int env):
        cdef State* s = <State*>state(&self.k, env)
        words = str(s.symbol) if s.clock == 0 else "?" if self.is_question(s) else "..."
        return Scene(200, 120).add(Text(80, 40, words, 40, (220, 225, 235)))

    def native_config(self):
        """The settings that the C code reads, as a dictionary."""
        return self.config

    cdef dict peek(self, int env):
        return (<State*>state(&self.k, env))[0]

    cdef put(self, int env, dict values):
        (<State*>state(&self.k, env))[0] = values
