# The kernel of the native games: public C surface, structs first. See docs/native.md.
#
# An env is one contiguous block: Header, then one Seat a seat, then the game's own state. Nothing
# in a block points anywhere, so saving, cloning and replaying an env is one memcpy.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset


# Raised whenever a struct or function below changes; games built against another number refuse
# to load (`skipjack.native.ABI`).
cdef enum:
    ABI = 4


cdef struct Stream:
    uint64_t state


cdef struct Header:
    Stream stream       # all randomness of the env
    int32_t tick        # ticks since the episode's reset
    int32_t limit       # ticks at which the episode is cut
    int32_t first       # 1 while the first, desynchronised episode runs
    int32_t reserved


cdef struct Seat:
    double total        # sum of the episode's rewards
    int64_t length      # the row's steps in the episode
    int64_t episode     # index of the episode in this seat


cdef struct Record:     # mirrors rows.EPISODE_FIELDS
    int64_t episode
    int64_t length
    double total
    int32_t row
    int32_t env
    int32_t seat
    int32_t team
    float score
    float outcome
    uint8_t truncated
    uint8_t partial
    float stats[1]      # really `Kernel.statistics` of them


cdef struct Kernel:
    int32_t num_envs
    int32_t seats
    int32_t time_limit
    int32_t final_all
    int32_t desynchronise
    int32_t statistics
    size_t state_at             # bytes from the start of a block to the game's state
    size_t block_size
    size_t record_size
    size_t observation_size     # bytes of a row
    size_t action_size          # bytes of a row
    size_t mask_size            # bytes of a row, 0 without masks
    char* blocks                # (envs, block_size)
    char* last                  # the same as they were at an episode's end; NULL if nobody looks
    char* records               # (rows, record_size), by row
    const int32_t* row_of       # (envs, seats)
    const int32_t* team_of      # (seats)
    char* observations
    char* final
    const char* actions
    float* rewards
    uint8_t* terminated
    uint8_t* truncated
    uint8_t* alive
    uint8_t* mask


# ---- randomness: SplitMix64 (Steele, Lea and Flood 2014), one word of state an env ----

cdef inline uint64_t next_word(Stream* stream) noexcept nogil:
    cdef uint64_t z
    stream.state += <uint64_t>0x9E3779B97F4A7C15
    z = stream.state
    z = (z ^ (z >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * <uint64_t>0x94D049BB133111EB
    return z ^ (z >> 31)


cdef inline float uniform(Stream* stream) noexcept nogil:
    """A number in [0, 1), 24 random bits."""
    return <float>(next_word(stream) >> 40) * <float>(1.0 / 16777216.0)


cdef inline float between(Stream* stream, float low, float high) noexcept nogil:
    return low + (high - low) * uniform(stream)


cdef inline int32_t below(Stream* stream, int32_t count) noexcept nogil:
    """An integer in [0, count). Biased by less than count / 2**32."""
    return <int32_t>(((next_word(stream) >> 32) * <uint64_t>count) >> 32)


# ---- places ----

cdef inline Header* header(Kernel* k, int env) noexcept nogil:
    return <Header*>(k.blocks + env * k.block_size)


cdef inline Seat* seat_of(Kernel* k, int env, int seat) noexcept nogil:
    return <Seat*>(k.blocks + env * k.block_size + sizeof(Header)) + seat


cdef inline void* state(Kernel* k, int env) noexcept nogil:
    return <void*>(k.blocks + env * k.block_size + k.state_at)


cdef inline int row(Kernel* k, int env, int seat) noexcept nogil:
    return k.row_of[env * k.seats + seat]


cdef inline void* observation(Kernel* k, int row) noexcept nogil:
    return <void*>(k.observations + row * k.observation_size)


cdef inline const int32_t* choices(Kernel* k, int row) noexcept nogil:
    """The row's discrete action. A game treats a choice that it does not know as its first."""
    return <const int32_t*>(k.actions + row * k.action_size)


cdef inline const float* reals(Kernel* k, int row) noexcept nogil:
    """The row's continuous action. A game clips it: see `clipped`."""
    return <const float*>(k.actions + row * k.action_size)


cdef inline float clipped(float value, float low, float high) noexcept nogil:
    """`value` within [low, high]; NaN becomes `low`."""
    return low if not value >= low else (high if value > high else value)


cdef inline uint8_t* mask(Kernel* k, int row) noexcept nogil:
    return k.mask + row * k.mask_size


# ---- one step of an env, in this order: give, elapse, (final_observation, finish), begin ----

cdef inline void give(Kernel* k, int env, int seat, float reward, bint acted=True) noexcept nogil:
    """Reward of the step for one seat, and its flags cleared. Once a step and seat.

    `acted` false is for a seat that waited or was not alive: the step does not count.
    """
    cdef int r = row(k, env, seat)
    cdef Seat* s = seat_of(k, env, seat)
    k.rewards[r] = reward
    k.terminated[r] = 0
    k.truncated[r] = 0
    s.total += reward
    s.length += acted


cdef inline bint elapse(Kernel* k, int env, int ticks) noexcept nogil:
    """Let time pass; true when the episode has reached its time limit."""
    cdef Header* h = header(k, env)
    h.tick += ticks
    return h.tick >= h.limit


cdef inline void* final_observation(Kernel* k, int row, bint truncated) noexcept nogil:
    """Where to write the episode's last observation, or NULL if nobody needs it."""
    if truncated or k.final_all:
        return <void*>(k.final + row * k.observation_size)
    return NULL


cdef inline float* finish(
    Kernel* k, int env, int seat, bint truncated, float score, float outcome
) noexcept nogil:
    """End a seat's episode: flags, record, counters. Gives its statistics, zeroed, to fill in.

    The env's state is still the episode's last: it is kept where somebody looks.
    """
    cdef int r = row(k, env, seat)
    cdef Seat* s = seat_of(k, env, seat)
    cdef Record* record = <Record*>(k.records + r * k.record_size)
    if k.last != NULL:
        memcpy(k.last + env * k.block_size, k.blocks + env * k.block_size, k.block_size)
    k.terminated[r] = not truncated
    k.truncated[r] = truncated
    record.episode = s.episode
    record.length = s.length
    record.total = s.total
    record.row = r
    record.env = env
    record.seat = seat
    record.team = k.team_of[seat]
    record.score = clipped(score, 0, 1)
    record.outcome = outcome
    record.truncated = truncated
    record.partial = header(k, env).first
    s.total = 0
    s.length = 0
    s.episode += 1
    memset(record.stats, 0, k.statistics * sizeof(float))
    return record.stats


cdef inline void begin(Kernel* k, int env) noexcept nogil:
    """A new episode of the whole env: the clock at zero, the full time limit."""
    cdef Header* h = header(k, env)
    h.tick = 0
    h.limit = k.time_limit
    h.first = 0


cdef class Game:
    cdef Kernel k
    cdef readonly int num_envs
    cdef readonly int seats
    cdef readonly tuple teams
    cdef readonly tuple statistics
    cdef readonly object record_dtype
    cdef bytes rules            # digest of the game's source, part of what `save` writes
    cdef object held            # the arrays whose memory `k` points to

    # To write in a game. Both work on envs [lo, hi), without the GIL, and may run in several
    # threads at once on disjoint ranges.
    cdef void reset_range(self, int lo, int hi) noexcept nogil
    cdef void step_range(self, int lo, int hi) noexcept nogil
    cdef object draw(self, int env)
    # Every game's, for tests and debuggers:
    cdef dict peek(self, int env)               # the state as a dictionary
    cdef put(self, int env, dict values)        # all fields of it set
    cdef void show(self, int env) noexcept nogil    # what each seat sees now


cdef class SimpleGame(Game):
    # To write in a simple game: each works on one env, without the GIL.
    cdef void new_episode(self, int env) noexcept nogil
    cdef bint advance(self, int env) noexcept nogil
    cdef float score(self, int env, int seat, bint truncated) noexcept nogil
    cdef float outcome(self, int env, int seat, bint truncated) noexcept nogil
    cdef void fill(self, int env, int seat, float* stats) noexcept nogil
    cdef void observe(self, int env, int seat, void* out) noexcept nogil

    cdef void end(self, int env, bint truncated) noexcept nogil
