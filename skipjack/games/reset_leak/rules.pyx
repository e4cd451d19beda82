"""Reset leak: know the first step of an episode by nothing but an empty memory.

    step      0     1  2  ..  last (a random one of 1 .. 7)
    right     1     0  0      0

Every observation is the same and episodes last 2 to 8 steps at random, so that only a recurrent state
that is cleared at the end of an episode tells the first step from the others. Where state leaks over
from the episode before, the first step cannot be told: always answering 0 scores 0, as does always
answering 1, and a guess by the time since the last right 1 is right for few.

Actions: 0, 1. Reward: 1 right, -1 wrong. Score: 0 if the first answer is wrong, else the share of right
answers among the others. Statistics: none.

Observation, float32[1]: always 1.
"""

from libc.math cimport NAN

from skipjack.native.kernel cimport *
from skipjack.native.scene import Scene, Text

cdef enum:
    SHORTEST = 2
    LONGEST = 8


cdef struct State:
    int length
    int clock
    int first_right
    int others_right


# ---- reset ----

cdef void new_episode(State* s, Stream* stream) noexcept nogil:
    s.length = SHORTEST + below(stream, LONGEST - SHORTEST + 1)
    s.clock = s.first_right = s.others_right = 0


# ---- step ----

cdef bint answer(State* s, int choice) noexcept nogil:
    """Take an answer; whether it was right."""
    cdef bint first = s.clock == 0
    cdef bint right = choice == first
    s.clock += 1
    if first:
        s.first_right = right
    else:
        s.others_right += right
    return right


# ---- observe ----

cdef inline void observe(const State* s, float* out) noexcept nogil:
    out[0] = 1


cdef class Rules(Game):
    """The native engine; `skipjack.games.reset_leak.env.ResetLeak` adds spaces and settings."""

    def __init__(self, int num_envs, config):
        super().__init__(
            num_envs, sizeof(State), config.time_limit, desynchronise=config.desynchronise, abi=ABI
        )

    cdef void reset_range(self, int lo, int hi) noexcept nogil:
        cdef Kernel* k = &self.k
        cdef int env
        for env in range(lo, hi):
            new_episode(<State*>state(k, env), &header(k, env).stream)
            observe(<State*>state(k, env), <float*>observation(k, row(k, env, 0)))

    cdef void step_range(self, int lo, int hi) noexcept nogil:
        cdef Kernel* k = &self.k
        cdef State* s
        cdef int env, r
        cdef bint over, late
        for env in range(lo, hi):
            s = <State*>state(k, env)
            r = row(k, env, 0)
            give(k, env, 0, 1 if answer(s, choices(k, r)[0] == 1) else -1)
            over = s.clock == s.length
            late = elapse(k, env, 1)
            if over or late:
                self.end(env, r, not over)
            observe(s, <float*>observation(k, r))

    cdef void end(self, int env, int r, bint truncated) noexcept nogil:
        cdef Kernel* k = &self.k
        cdef State* s = <State*>state(k, env)
        cdef float* out = <float*>final_observation(k, r, truncated)
        cdef float share = s.others_right / <float>(s.clock - 1) if s.clock > 1 else 1
        if out != NULL:
            observe(s, out)
        finish(k, env, 0, truncated, share if s.first_right else 0, NAN)
        new_episode(s, &header(k, env).stream)
        begin(k, env)

    cdef object draw(self, int env):
        cdef State* s = <State*>state(&self.k, env)
        return Scene(200, 120).add(Text(20, 40, f"step {s.clock} of {s.length}", 30, (220, 225, 235)))

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
