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


cdef class Rules(SimpleGame):
    """The native engine; `skipjack.games.reset_leak.env.ResetLeak` adds spaces and settings."""

    def __init__(self, int num_envs, config):
        super().__init__(
            num_envs, sizeof(State), config.time_limit, desynchronise=config.desynchronise, abi=ABI
        )

    cdef void new_episode(self, int env) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        s.length = SHORTEST + below(&header(&self.k, env).stream, LONGEST - SHORTEST + 1)
        s.clock = s.first_right = s.others_right = 0

    cdef bint advance(self, int env) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef bint right = answer(s, choices(&self.k, row(&self.k, env, 0))[0] == 1)
        give(&self.k, env, 0, 1 if right else -1)
        return s.clock == s.length

    cdef float score(self, int env, int seat, bint truncated) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef float share = s.others_right / <float>(s.clock - 1) if s.clock > 1 else 1
        return share if s.first_right else 0

    cdef void observe(self, int env, int seat, void* out) noexcept nogil:
        (<float*>out)[0] = 1

    cdef object draw(self, int env):
        cdef State* s = <State*>state(&self.k, env)
        return Scene(200, 120).add(Text(20, 40, f"step {s.clock} of {s.length}", 30, (220, 225, 235)))

    cdef dict peek(self, int env):
        return (<State*>state(&self.k, env))[0]

    cdef put(self, int env, dict values):
        (<State*>state(&self.k, env))[0] = values
