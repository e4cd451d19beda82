"""Continuous: push a point mass to a target and hold it there.

    +-----------------+
    |            T    |      T  target, anywhere at rest
    |                 |      o  point, anywhere at first, without speed
    |   o -->         |
    +-----------------+      the board is [-1, 1] x [-1, 1]

A step changes the speed to 0.7 x speed + force, then the place by the speed; at a wall the point stops
in that direction. Full force moves it by a third of the board's half a step.

Actions: force x, y, each in [-0.1, 0.1]. Reward: 1 - distance / 2 after the step, at least 0. Score: the
share of the episode's second half in which the point was within 0.2 of the target; an episode ends at its
time limit alone. Statistics: none.

Observation, float32[4]: target - place, x and y, in [-2, 2]; speed x and y / 0.4, in [-1, 1].
"""

from libc.math cimport sqrtf

from skipjack.native.kernel cimport *
from skipjack.native.scene import Circle, Scene

cdef float FORCE = 0.1
cdef float DRAG = 0.7
cdef float SPEED = 0.4      # more than any force reaches
cdef float REACH = 0.2


cdef struct State:
    float place[2]
    float speed[2]
    float target[2]
    int held        # steps of the second half within reach


cdef void move(State* s, int axis, float force) noexcept nogil:
    s.speed[axis] = DRAG * s.speed[axis] + clipped(force, -FORCE, FORCE)
    s.place[axis] += s.speed[axis]
    if not -1 <= s.place[axis] <= 1:
        s.place[axis] = clipped(s.place[axis], -1, 1)
        s.speed[axis] = 0


cdef inline float distance(const State* s) noexcept nogil:
    cdef float dx = s.target[0] - s.place[0], dy = s.target[1] - s.place[1]
    return sqrtf(dx * dx + dy * dy)


cdef class Rules(SimpleGame):
    """The native engine; `skipjack.games.continuous.env.Continuous` adds spaces and settings."""

    def __init__(self, int num_envs, config):
        super().__init__(
            num_envs, sizeof(State), config.time_limit, desynchronise=config.desynchronise, abi=ABI
        )

    cdef void new_episode(self, int env) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef Stream* stream = &header(&self.k, env).stream
        cdef int axis
        for axis in range(2):
            s.place[axis] = between(stream, -1, 1)
            s.target[axis] = between(stream, -1, 1)
            s.speed[axis] = 0
        s.held = 0

    cdef bint advance(self, int env) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef const float* force = reals(&self.k, row(&self.k, env, 0))
        cdef float far
        move(s, 0, force[0])
        move(s, 1, force[1])
        far = distance(s)
        s.held += far < REACH and header(&self.k, env).tick >= self.k.time_limit // 2
        give(&self.k, env, 0, clipped(1 - far / 2, 0, 1))
        return False

    cdef float score(self, int env, int seat, bint truncated) noexcept nogil:
        cdef int half = self.k.time_limit - self.k.time_limit // 2
        return (<State*>state(&self.k, env)).held / <float>half

    cdef void observe(self, int env, int seat, void* out) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef float* seen = <float*>out
        cdef int axis
        for axis in range(2):
            seen[axis] = s.target[axis] - s.place[axis]
            seen[2 + axis] = s.speed[axis] / SPEED

    cdef object draw(self, int env):
        cdef State* s = <State*>state(&self.k, env)
        return Scene(200, 200).add(
            Circle(100 + 100 * s.target[0], 100 + 100 * s.target[1], 100 * REACH, (80, 62, 40)),
            Circle(100 + 100 * s.place[0], 100 + 100 * s.place[1], 5, (96, 176, 240)),
        )

    cdef dict peek(self, int env):
        return (<State*>state(&self.k, env))[0]

    cdef put(self, int env, dict values):
        (<State*>state(&self.k, env))[0] = values
