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

from libc.math cimport NAN
from libc.string cimport memset

from skipjack.native.kernel cimport *
from skipjack.native.scene import Scene, Text


cdef struct Config:
    int symbols
    int delay


cdef struct State:
    int symbol
    int clock


# ---- reset ----

cdef void new_episode(const Config* c, State* s, Stream* stream) noexcept nogil:
    s.symbol = below(stream, c.symbols)
    s.clock = 0


# ---- step ----

cdef inline bint is_question(const Config* c, const State* s) noexcept nogil:
    return s.clock == c.delay + 1


# ---- observe ----

cdef void observe(const Config* c, const State* s, float* out) noexcept nogil:
    memset(out, 0, (c.symbols + 1) * sizeof(float))
    if s.clock == 0:
        out[s.symbol] = 1
    elif is_question(c, s):
        out[c.symbols] = 1


cdef class Rules(Game):
    """The native engine; `skipjack.games.memory.env.Memory` adds spaces and settings."""

    cdef Config config

    def __init__(self, int num_envs, config):
        self.config = Config(config.symbols, config.delay)
        super().__init__(
            num_envs, sizeof(State), config.time_limit, desynchronise=config.desynchronise, abi=ABI
        )

    cdef void reset_range(self, int lo, int hi) noexcept nogil:
        cdef Kernel* k = &self.k
        cdef int env
        for env in range(lo, hi):
            new_episode(&self.config, <State*>state(k, env), &header(k, env).stream)
            observe(&self.config, <State*>state(k, env), <float*>observation(k, row(k, env, 0)))

    cdef void step_range(self, int lo, int hi) noexcept nogil:
        cdef Kernel* k = &self.k
        cdef State* s
        cdef int env, r
        cdef bint over, right, late
        for env in range(lo, hi):
            s = <State*>state(k, env)
            r = row(k, env, 0)
            over = is_question(&self.config, s)
            right = over and choices(k, r)[0] == s.symbol
            give(k, env, 0, right)
            s.clock += 1
            late = elapse(k, env, 1)
            if over or late:
                self.end(env, r, not over, right)
            observe(&self.config, s, <float*>observation(k, r))

    cdef void end(self, int env, int r, bint truncated, bint right) noexcept nogil:
        cdef Kernel* k = &self.k
        cdef State* s = <State*>state(k, env)
        cdef float* out = <float*>final_observation(k, r, truncated)
        if out != NULL:
            observe(&self.config, s, out)
        finish(k, env, 0, truncated, right, NAN)
        new_episode(&self.config, s, &header(k, env).stream)
        begin(k, env)

    cdef object draw(self, int env):
        cdef State* s = <State*>state(&self.k, env)
        words = str(s.symbol) if s.clock == 0 else "?" if is_question(&self.config, s) else "..."
        return Scene(200, 120).add(Text(80, 40, words, 40, (220, 225, 235)))

    def native_config(self):
        """The settings that the C code reads, as a dictionary."""
        return self.config

    cdef dict peek(self, int env):
        return (<State*>state(&self.k, env))[0]

    cdef poke(self, int env, dict values):
        cdef State* s = <State*>state(&self.k, env)
        cdef dict merged = s[0]
        merged.update(values)
        s[0] = merged
        observe(&self.config, s, <float*>observation(&self.k, row(&self.k, env, 0)))
