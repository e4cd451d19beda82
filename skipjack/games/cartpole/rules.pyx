"""CartPole: push a cart so that the pole on it stays up. Gymnasium's CartPole-v1.

                 |   pole, half length 0.5 m, 0.1 kg
                 |  /
            +----|-/--+
            |    o    |  cart, 1 kg, pushed with 10 N
    ========+=========+========
         -2.4    0        2.4 m

Constants, equations and order of operations (explicit Euler, 0.02 s a step) are those of Gymnasium's
`CartPoleEnv`, after Barto, Sutton and Anderson (1983). An episode starts with all four numbers
uniform in +-0.05; it is terminated when |x| > 2.4 or the angle leaves +-12 degrees, and truncated
after `time_limit` steps.

Actions: 0 push left, 1 push right. Reward: 1 a step. Score: steps / time limit. Statistics: none beside
length.

Observation, float32[4]: x (m), speed (m/s), angle (radians), angular speed (radians/s), unscaled.
"""

from libc.math cimport NAN

from skipjack.native.kernel cimport *
from skipjack.native.scene import Circle, Line, Rectangle, Scene

cdef double GRAVITY = 9.8
cdef double MASS_POLE = 0.1
cdef double MASS = 1.0 + MASS_POLE
cdef double PER_MASS = 1.0 / MASS
cdef double HALF_LENGTH = 0.5
cdef double MASS_LENGTH = MASS_POLE * HALF_LENGTH
cdef double FORCE = 10.0
cdef double TAU = 0.02
cdef double WIDEST = 12 * 2 * 3.141592653589793 / 360
cdef double FARTHEST = 2.4


cdef struct State:
    double x
    double v
    double angle
    double spin


# ---- reset ----

cdef void new_episode(State* s, Stream* stream) noexcept nogil:
    s.x = between(stream, -0.05, 0.05)
    s.v = between(stream, -0.05, 0.05)
    s.angle = between(stream, -0.05, 0.05)
    s.spin = between(stream, -0.05, 0.05)


# ---- step ----

# PERF: Taylor polynomials instead of libm's sin and cos. An episode ends at 0.21 radians; up to 0.5
# their error is under 1e-14, far below the float32 of the observation. Products with reciprocals, since
# a division takes as long as four of them.

cdef inline double sine(double a) noexcept nogil:
    cdef double q = a * a
    return a * (
        1 - q * (1.0 / 6) * (
            1 - q * (1.0 / 20) * (1 - q * (1.0 / 42) * (1 - q * (1.0 / 72) * (1 - q * (1.0 / 110))))
        )
    )


cdef inline double cosine(double a) noexcept nogil:
    cdef double q = a * a
    return 1 - q * (1.0 / 2) * (
        1 - q * (1.0 / 12) * (1 - q * (1.0 / 30) * (1 - q * (1.0 / 56) * (1 - q * (1.0 / 90))))
    )


cdef inline void advance(State* s, int choice) noexcept nogil:
    cdef double force = FORCE if choice == 1 else -FORCE
    cdef double cos_angle = cosine(s.angle), sin_angle = sine(s.angle)
    cdef double push = (force + MASS_LENGTH * s.spin * s.spin * sin_angle) * PER_MASS
    cdef double twist = (GRAVITY * sin_angle - cos_angle * push) / (
        HALF_LENGTH * (4.0 / 3.0 - MASS_POLE * cos_angle * cos_angle * PER_MASS)
    )
    cdef double pull = push - MASS_LENGTH * twist * cos_angle * PER_MASS
    s.x += TAU * s.v
    s.v += TAU * pull
    s.angle += TAU * s.spin
    s.spin += TAU * twist


cdef inline bint has_fallen(const State* s) noexcept nogil:
    return (
        s.x < -FARTHEST or s.x > FARTHEST or s.angle < -WIDEST or s.angle > WIDEST
    )


# ---- observe ----

cdef inline void observe(const State* s, float* out) noexcept nogil:
    out[0] = <float>s.x
    out[1] = <float>s.v
    out[2] = <float>s.angle
    out[3] = <float>s.spin


cdef class Rules(Game):
    """The native engine; `skipjack.games.cartpole.env.CartPole` adds spaces and settings."""

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
        cdef bint fallen, late
        for env in range(lo, hi):
            s = <State*>state(k, env)
            r = row(k, env, 0)
            advance(s, choices(k, r)[0])
            give(k, env, 0, 1)
            late = elapse(k, env, 1)
            fallen = has_fallen(s)
            if fallen or late:
                self.end(env, r, not fallen)
            observe(s, <float*>observation(k, r))

    cdef void end(self, int env, int r, bint truncated) noexcept nogil:
        cdef Kernel* k = &self.k
        cdef State* s = <State*>state(k, env)
        cdef float* out = <float*>final_observation(k, r, truncated)
        if out != NULL:
            observe(s, out)
        finish(k, env, 0, truncated, header(k, env).tick / <float>k.time_limit, NAN)
        new_episode(s, &header(k, env).stream)
        begin(k, env)

    cdef object draw(self, int env):
        cdef State* s = <State*>state(&self.k, env)
        x, y, length = 300 + s.x * 110, 280.0, 110.0
        return Scene(600, 400).add(
            Line(0, y, 600, y, 2, (90, 100, 120)),
            Rectangle(x - 30, y - 30, 60, 30, (220, 225, 235)),
            Line(
                x, y - 30, x + length * sine(s.angle), y - 30 - length * cosine(s.angle), 10,
                (222, 160, 70),
            ),
            Circle(x, y - 30, 6, (96, 176, 240)),
        )

    def native_config(self):
        """The settings that the C code reads, as a dictionary."""
        return {}

    cdef dict peek(self, int env):
        return (<State*>state(&self.k, env))[0]

    cdef put(self, int env, dict values):
        (<State*>state(&self.k, env))[0] = values

    cdef void show(self, int env) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        observe(s, <float*>observation(&self.k, row(&self.k, env, 0)))
