"""Spaces: an observation of two parts, an action of two components, each paid for its own part.

    image             levels                  column = 3, the spot's
    . . . . .         0.5  -0.2  0.6          level  = 0.3, the mean of the levels
    . . . # .
    . . . . .
    . . . . .
    . . . . .

Where fields are packed or unpacked at the wrong place, or a component of the action is left out of its
probability, one half of the score is lost.

Actions: column, 0 .. 4; level, a real number in [-1, 1]. Reward: 0.5 for the right column, and 0.5 x
(1 - (error / 0.5)^2), at least 0, for the level. Score: the same. Statistics: the two parts, `column`
and `level`. The one step ends the episode, so that the time limit never cuts it.

Observation, float32: image [5, 5], 1 at the spot, else 0; levels [3], each in [-1, 1].
"""

from libc.string cimport memset

from skipjack.native.kernel cimport *
from skipjack.native.scene import Line, Rectangle, Scene

cdef enum:
    SIDE = 5
    LEVELS = 3

cdef float FAR = 0.5


cdef struct State:
    int y
    int x
    float levels[LEVELS]
    float column_paid
    float level_paid


cdef class Rules(SimpleGame):
    """The native engine; `skipjack.games.spaces.env.Spaces` adds spaces and settings."""

    def __init__(self, int num_envs, config):
        super().__init__(
            num_envs, sizeof(State), config.time_limit, statistics=("column", "level"),
            desynchronise=config.desynchronise, abi=ABI,
        )

    cdef void new_episode(self, int env) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef Stream* stream = &header(&self.k, env).stream
        cdef int i
        s.y = below(stream, SIDE)
        s.x = below(stream, SIDE)
        for i in range(LEVELS):
            s.levels[i] = between(stream, -1, 1)
        s.column_paid = s.level_paid = 0

    cdef bint advance(self, int env) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef const float* action = reals(&self.k, row(&self.k, env, 0))
        cdef float mean = (s.levels[0] + s.levels[1] + s.levels[2]) / LEVELS
        cdef float off = (clipped(action[1], -1, 1) - mean) / FAR
        cdef int column = <int>action[0] if 0 <= action[0] < SIDE else 0
        s.column_paid = 0.5 if column == s.x else 0
        s.level_paid = 0.5 * clipped(1 - off * off, 0, 1)
        give(&self.k, env, 0, s.column_paid + s.level_paid)
        return True

    cdef float score(self, int env, int seat, bint truncated) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        return s.column_paid + s.level_paid

    cdef void fill(self, int env, int seat, float* stats) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        stats[0] = s.column_paid
        stats[1] = s.level_paid

    cdef void observe(self, int env, int seat, void* out) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef float* seen = <float*>out
        cdef int i
        memset(seen, 0, SIDE * SIDE * sizeof(float))
        seen[s.y * SIDE + s.x] = 1
        for i in range(LEVELS):
            seen[SIDE * SIDE + i] = s.levels[i]

    cdef object draw(self, int env):
        cdef State* s = <State*>state(&self.k, env)
        scene = Scene(240, 150).add(Rectangle(s.x * 30, s.y * 30, 30, 30, (96, 176, 240)))
        for i in range(LEVELS):
            y = 75 - 75 * s.levels[i]
            scene.add(Line(160 + 27 * i, y, 180 + 27 * i, y, 4, (222, 160, 70)))
        return scene

    cdef dict peek(self, int env):
        return (<State*>state(&self.k, env))[0]

    cdef put(self, int env, dict values):
        (<State*>state(&self.k, env))[0] = values
