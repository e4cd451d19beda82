"""Bandit: ten arms, one pull an episode.

    arm        0    1    2    3    4    5    6    7    8    9
    chance    0.4  0.1  0.8  0.5  0.2  0.9  0.6  0.3  1.0  0.7

The arm that is pulled pays 1 with its chance, else 0. With fewer than ten `legal` arms each episode
allows so many at random, and only the mask of legal actions tells which: a policy that ignores masks
pulls the best arm of all and is often wrong. An illegal arm, pulled by hand, pays nothing.

Actions: 0 .. 9, masked if `legal` is below 10. Reward: what the arm pays. Score: its chance / that of
the best legal arm, 0 for an illegal one. Statistics: none. The one step ends the episode, so that the
time limit never cuts it.

Observation, float32[1]: always 1.
"""

from skipjack.native.kernel cimport *
from skipjack.native.scene import Rectangle, Scene

cdef enum:
    ARMS = 10


cdef struct Config:
    int legal


cdef struct State:
    int legal       # a bit an arm
    int pulled


cdef inline float chance(int arm) noexcept nogil:
    return ((7 * arm + 3) % ARMS + 1) / <float>ARMS


cdef inline bint is_legal(const State* s, int arm) noexcept nogil:
    return s.legal >> arm & 1


cdef int some_arms(int count, Stream* stream) noexcept nogil:
    """`count` of the arms, every choice of them equally likely, as bits."""
    cdef int arm, chosen = 0
    for arm in range(ARMS):
        if below(stream, ARMS - arm) < count:
            chosen |= 1 << arm
            count -= 1
    return chosen


cdef class Rules(SimpleGame):
    """The native engine; `skipjack.games.bandit.env.Bandit` adds spaces and settings."""

    cdef Config config

    def __init__(self, int num_envs, config):
        self.config = Config(config.legal)
        super().__init__(
            num_envs, sizeof(State), config.time_limit, desynchronise=config.desynchronise, abi=ABI
        )

    cdef void new_episode(self, int env) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        s.legal = some_arms(self.config.legal, &header(&self.k, env).stream)
        s.pulled = 0

    cdef bint advance(self, int env) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef int arm = choices(&self.k, row(&self.k, env, 0))[0]
        cdef bint pays
        s.pulled = arm if 0 <= arm < ARMS else 0
        pays = uniform(&header(&self.k, env).stream) < chance(s.pulled)
        give(&self.k, env, 0, pays and is_legal(s, s.pulled))
        return True

    cdef float score(self, int env, int seat, bint truncated) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef float best = 0
        cdef int arm
        for arm in range(ARMS):
            if is_legal(s, arm) and chance(arm) > best:
                best = chance(arm)
        return chance(s.pulled) / best if is_legal(s, s.pulled) else 0

    cdef void observe(self, int env, int seat, void* out) noexcept nogil:
        cdef uint8_t* legal = mask(&self.k, row(&self.k, env, seat))
        cdef int arm
        (<float*>out)[0] = 1
        if self.k.mask_size:
            for arm in range(ARMS):
                legal[arm] = is_legal(<State*>state(&self.k, env), arm)

    cdef object draw(self, int env):
        cdef State* s = <State*>state(&self.k, env)
        scene = Scene(ARMS * 20, 120)
        for arm in range(ARMS):
            colour = (96, 176, 240) if is_legal(s, arm) else (60, 66, 78)
            scene.add(Rectangle(arm * 20 + 2, 110 - 100 * chance(arm), 16, 100 * chance(arm), colour))
        return scene

    def native_config(self):
        """The settings that the C code reads, as a dictionary."""
        return self.config

    cdef dict peek(self, int env):
        return (<State*>state(&self.k, env))[0]

    cdef put(self, int env, dict values):
        (<State*>state(&self.k, env))[0] = values
