"""The kernel of the native games: blocks of state, episode records, save and load.

A game subclasses `Game` in its `rules.pyx` and writes `reset_range`, `step_range` and `draw`; the
kernel gives it streams, rows, flags and records (the inline functions in `kernel.pxd`). A game whose
seats' episodes end together subclasses `SimpleGame` instead, one of two sides that move in turn
`TurnGame` (`turns.pyx`). Each is an `Engine` (`skipjack.rows`) once its Python class adds the layouts.
"""

from libc.math cimport NAN
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from hashlib import blake2b

import numpy as np

from skipjack.errors import RunError, must, unknown
from skipjack.native.build import digest, remedy, warn_if_stale
from skipjack.rows import check_row_of, episode_dtype

abi = <int>ABI
"""Number of the C surface; a game stores the one it was built with."""

cdef extern from *:
    """
    #ifdef SKIPJACK_DEBUG
    #define SKIPJACK_CHECKED 1
    #else
    #define SKIPJACK_CHECKED 0
    #endif
    """
    int SKIPJACK_CHECKED

checked = bool(SKIPJACK_CHECKED)
"""Whether this build checks actions, observations and rewards in every step."""

KERNEL = "skipjack.native."
"""Where the classes are that games subclass."""

cdef enum:
    ALIGN = 64          # a cache line: envs stepped by two threads never share one
    SPARE = 4096        # bytes at least where masks go that were not declared
    UNWRITTEN = 0xA5    # what they hold before


cdef class Game:
    """Native engine of `num_envs` envs; base of every first-party game.

    Args:
        num_envs: number of envs, at least 1.
        state_size: bytes of the game's own state in one env.
        time_limit: ticks after which an episode is truncated.
        teams: team of each seat; its length is the number of seats.
        statistics: names of the game's statistics, at most 64.
        desynchronise: cut each env's first episode at a random share of the time limit.
        abi: the `ABI` that the game was built with.
    """

    def __cinit__(self, *args, **kwargs):
        memset(&self.k, 0, sizeof(Kernel))

    def __init__(
        self, int num_envs, size_t state_size, int time_limit, tuple teams=(0,),
        tuple statistics=(), bint desynchronise=True, int abi=0,
    ):
        cdef size_t block
        module = type(self).__module__
        for base in type(self).__mro__[:-1]:
            if base.__base__.__module__.startswith(KERNEL) and not base.__module__.startswith(KERNEL):
                module = base.__module__
                warn_if_stale(module)
                self.rules = digest(module)
                break
        if abi == 0:
            raise must(
                "a game must say which kernel it was built with, as abi=ABI in super().__init__() of its "
                "rules", hint=f"Write it there. {remedy(module)}", abi=abi,
            )
        if abi != ABI:
            raise must(
                "a game must be built for this version of the kernel", hint=remedy(module),
                kernel=<int>ABI, game=abi,
            )
        if num_envs < 1:
            raise must("num_envs must be at least 1", num_envs=num_envs)
        if time_limit < 1:
            raise must("time_limit must be at least 1 tick", time_limit=time_limit)
        self.num_envs, self.seats = num_envs, len(teams)
        self.teams, self.statistics = teams, statistics
        self.record_dtype = episode_dtype(statistics)
        self.k.num_envs, self.k.seats = num_envs, self.seats
        self.k.time_limit, self.k.desynchronise = time_limit, desynchronise
        self.k.statistics = len(statistics)
        self.k.record_size = self.record_dtype.itemsize
        self.k.state_at = (sizeof(Header) + self.seats * sizeof(Seat) + 15) // 16 * 16
        block = self.k.state_at + state_size
        self.k.block_size = (block + ALIGN - 1) // ALIGN * ALIGN
        free(self.k.blocks)
        self.k.blocks = <char*>calloc(num_envs, self.k.block_size)
        if self.k.blocks == NULL:
            raise MemoryError(f"{num_envs} envs of {self.k.block_size} bytes do not fit.")

    def __dealloc__(self):
        free(self.k.blocks)
        free(self.k.last)

    @property
    def env_nbytes(self):
        """Bytes of one env's block."""
        return self.k.block_size

    @property
    def checked(self):
        """Whether this build refuses wild actions and numbers that are not finite."""
        return checked

    def bind(self, rows, row_of, bint final_all=False):
        """Take the arrays to write to (`skipjack.rows.Rows`); `row_of` (envs, seats) int32."""
        count = self.num_envs * self.seats
        row_of = check_row_of(row_of, self)
        for name, array in rows.arrays().items():
            if len(array) != count or not array.flags.c_contiguous:
                raise must(
                    "rows must be contiguous arrays with a row for each seat",
                    rows=count, name=name, shape=array.shape,
                )
        wanted = (self.observation.nbytes, self.action.width * 4, self.action.choices)
        found = tuple(
            0 if array is None else array.strides[0]
            for array in (rows.observations, rows.actions, rows.action_mask)
        )
        if wanted[:2] != found[:2] or (self.action.masked and wanted[2] != found[2]):
            raise must(
                "rows must have the bytes that the game writes (observation, action, mask)",
                wanted=wanted, found=found,
            )
        records = np.zeros(count, self.record_dtype)
        team_of = np.array(self.teams, np.int32)
        spare = np.full(max(SPARE, self.action.choices), UNWRITTEN, np.uint8)
        self.held = (rows, row_of, records, team_of, spare)
        self.k.final_all = final_all
        self.k.row_of = <const int32_t*>_address(row_of)
        self.k.team_of = <const int32_t*>_address(team_of)
        self.k.records = _address(records)
        self.k.observations = _address(rows.observations)
        self.k.final = _address(rows.final)
        self.k.actions = _address(rows.actions)
        self.k.rewards = <float*>_address(rows.rewards)
        self.k.terminated = <uint8_t*>_address(rows.terminated)
        self.k.truncated = <uint8_t*>_address(rows.truncated)
        self.k.alive = <uint8_t*>_address(rows.alive)
        self.k.observation_size = rows.observations.strides[0]
        self.k.action_size = rows.actions.strides[0]
        # A mask that was not declared goes to spare bytes, where `reset` finds it.
        self.k.mask, self.k.mask_size = <uint8_t*>_address(spare), 0
        if rows.action_mask is not None:
            self.k.mask = <uint8_t*>_address(rows.action_mask)
            self.k.mask_size = rows.action_mask.strides[0]

    def reset(self, int lo, int hi, const uint64_t[::1] seeds):
        """Start envs [lo, hi) anew from their seeds (uint64, one an env)."""
        self._check(lo, hi)
        if seeds.shape[0] != hi - lo:
            raise must("reset needs one seed for each env", envs=hi - lo, seeds=seeds.shape[0])
        cdef int env, seat, r
        cdef Header* h
        with nogil:
            for env in range(lo, hi):
                memset(header(&self.k, env), 0, self.k.block_size)
                h = header(&self.k, env)
                h.stream.state = seeds[env - lo]
                h.limit = self.k.time_limit
                if self.k.desynchronise:
                    h.first = 1
                    h.limit = 1 + below(&h.stream, self.k.time_limit)
                for seat in range(self.k.seats):
                    r = row(&self.k, env, seat)
                    self.k.rewards[r] = 0
                    self.k.terminated[r] = 0
                    self.k.truncated[r] = 0
                    self.k.alive[r] = 1
            self.reset_range(lo, hi)
        self._check_masks(lo, hi)

    def step(self, int lo, int hi):
        """Advance envs [lo, hi) one step."""
        self._check(lo, hi)
        if SKIPJACK_CHECKED:
            self.check_actions(lo, hi)
        with nogil:
            self.step_range(lo, hi)
        if SKIPJACK_CHECKED:
            self.check_rows(lo, hi)

    def records(self, int lo, int hi):
        """A copy of the records of the episodes that ended in the last step of envs [lo, hi)."""
        self._check(lo, hi)
        cdef int i, r, count = 0
        cdef int first = lo * self.k.seats, last = hi * self.k.seats
        with nogil:
            for i in range(first, last):
                r = self.k.row_of[i]
                count += self.k.terminated[r] | self.k.truncated[r]
        found = np.empty(count, self.record_dtype)
        if count == 0:
            return found
        cdef char* out = _address(found)
        with nogil:
            for i in range(first, last):
                r = self.k.row_of[i]
                if self.k.terminated[r] | self.k.truncated[r]:
                    memcpy(out, self.k.records + r * self.k.record_size, self.k.record_size)
                    out += self.k.record_size
        return found

    def save(self, int lo, int hi):
        """The blocks of envs [lo, hi), after a stamp that says which build they belong to."""
        self._check(lo, hi)
        cdef char* start = self.k.blocks + lo * self.k.block_size
        return self._stamp() + start[: (hi - lo) * self.k.block_size]

    def load(self, int lo, int hi, bytes state):
        """Take back what `save` gave for as many envs of the same game, config and build."""
        self._check(lo, hi)
        cdef bytes stamp = self._stamp()
        cdef Py_ssize_t size = (hi - lo) * self.k.block_size
        if state[: len(stamp)] != stamp or len(state) != size + len(stamp):
            raise RunError(
                f"The saved envs must come from this build of {type(self).__name__}, with the same "
                f"rules and settings, but got those of another one. Start a new run from the "
                f"weights with --from."
            )
        cdef const char* source = state
        memcpy(self.k.blocks + lo * self.k.block_size, source + len(stamp), size)

    def scene(self, int env):
        """The env's picture (`skipjack.native.scene.Scene`)."""
        self._check(env, env + 1)
        return self.draw(env)

    def keep_last(self):
        """From now on remember how each env looked when its last episode ended."""
        if self.k.last == NULL:
            self.k.last = <char*>calloc(self.num_envs, self.k.block_size)
            if self.k.last == NULL:
                raise MemoryError(f"{self.num_envs} envs of {self.k.block_size} bytes do not fit.")
            memcpy(self.k.last, self.k.blocks, self.num_envs * self.k.block_size)

    def last_scene(self, int env):
        """The env's picture at the end of its last episode; `keep_last` must have come before."""
        self._check(env, env + 1)
        if self.k.last == NULL:
            raise must("keep_last() must come before last_scene()", env=env)
        cdef char* blocks = self.k.blocks
        self.k.blocks = self.k.last
        try:
            return self.draw(env)
        finally:
            self.k.blocks = blocks

    def close(self):
        """Nothing to free before the object goes."""

    cdef void reset_range(self, int lo, int hi) noexcept nogil:
        pass

    cdef void step_range(self, int lo, int hi) noexcept nogil:
        pass

    cdef object draw(self, int env):
        raise NotImplementedError(f"{type(self).__name__} has no draw().")

    cdef dict peek(self, int env):
        raise NotImplementedError(f"{type(self).__name__} has no peek().")

    cdef put(self, int env, dict values):
        raise NotImplementedError(f"{type(self).__name__} has no put().")

    cdef void show(self, int env) noexcept nogil:
        pass

    def _address(self):
        """Address of the object, for the thread pool that steps it without the GIL."""
        return <size_t><void*>self

    def snapshot(self, int env):
        """The env's state as a dictionary, for tests and debuggers."""
        self._check(env, env + 1)
        return self.peek(env)

    def inject(self, int env, dict values):
        """Put an env into a state: any fields of `snapshot`, and no others. For tests and debuggers."""
        self._check_fields(env, values)
        self.put(env, {**self.peek(env), **values})
        self.show(env)

    def clone(self, int source, int target, Game of=None):
        """Make env `target` what env `source` is, its stream included; rows stay as they are.

        The source may be an env of another engine, `of`, of the same game: settings that change the size
        of an env must be equal, others need not be.
        """
        if of is None:
            of = self
        of._check(source, source + 1)
        self._check(target, target + 1)
        if (
            type(of) is not type(self) or of.k.block_size != self.k.block_size
            or of.k.state_at != self.k.state_at     # of another number of seats, by chance as large
        ):
            raise must(
                "an env must be cloned from one of the same game, seats and size",
                game=type(of).__name__, seats=of.k.seats, size=of.k.block_size,
            )
        memcpy(
            self.k.blocks + target * self.k.block_size,
            of.k.blocks + source * self.k.block_size, self.k.block_size,
        )

    def _stamp(self):
        sizes = [ABI, self.k.block_size, self.k.seats, self.k.statistics]
        settings = repr(sorted(dict(self.native_config(), time_limit=self.k.time_limit).items()))
        stamp = np.array(sizes, np.uint32).tobytes() + self.rules
        return stamp + blake2b(settings.encode(), digest_size=8).digest()

    def native_config(self):
        """The settings that the C code reads, as a dictionary."""
        return {}

    def _check(self, int lo, int hi):
        if not 0 <= lo <= hi <= self.num_envs:
            raise must("a range of envs must lie in [0, num_envs]", lo=lo, hi=hi)
        if self.held is None:
            raise must("bind(rows, row_of) must come before anything else", held=None)

    def _check_fields(self, int env, values):
        """Raise if a state that is to be injected has a field that none of this game has."""
        known = self.snapshot(env)
        for name in values.keys() - known.keys():
            raise unknown("field of a snapshot", name, known)

    def _check_masks(self, int lo, int hi):
        """Raise if a game writes masks that it did not declare, or none though it did."""
        rows, row_of, _, _, spare = self.held
        name = type(self).__name__
        if rows.action_mask is None:
            if (spare != UNWRITTEN).any():
                raise must(
                    "a game that writes action masks must declare them in its Actions",
                    hint="Write masked=True where they are made, as in Actions.discrete(4, masked=True).",
                    game=name, masked=False,
                )
        elif lo < hi and not rows.action_mask[row_of[lo:hi].reshape(-1)].any():
            raise must(
                "a game that declares action masks must write one for each row that may act",
                hint="Write 1 for each legal choice to mask(&self.k, row(&self.k, env, seat)) where it "
                "writes the row's observation, or leave out masked=True.", game=name, masked=True,
            )

    def check_actions(self, int lo, int hi):
        """Raise if an action of envs [lo, hi) is not one of the game's; for checked builds."""
        rows, row_of = self.held[:2]
        taken = rows.actions[row_of[lo:hi].reshape(-1)]
        counts = self.action.counts
        wrong = np.isnan(taken)
        wrong[:, : len(counts)] |= (taken < 0)[:, : len(counts)]
        wrong[:, : len(counts)] |= taken[:, : len(counts)] >= np.array(counts, np.int64)
        if wrong.any():
            raise must("every action must be one of the game's", action=taken[wrong][0])

    def check_rows(self, int lo, int hi):
        """Raise if envs [lo, hi) wrote numbers that are not finite; for checked builds."""
        rows, row_of = self.held[:2]
        mine = row_of[lo:hi].reshape(-1)
        for name in ("observations", "rewards"):
            values = getattr(rows, name)[mine]
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                raise RunError(f"A step of {type(self).__name__} wrote {name} that are not finite.")


cdef class SimpleGame(Game):
    """A game whose envs are played one at a time and whose seats' episodes end together.

    It writes `new_episode(env)`; `advance(env)`, a tick that gives each seat its reward and tells
    whether the rules end the episode; `score(env, seat, truncated)` of an episode that ends;
    `observe(env, seat, out)`, which writes the row's mask as well if the game has masks; and where it
    has them `outcome(env, seat, truncated)` (1 won, 0.5 drawn, 0 lost) and `fill(env, seat, stats)`.
    Short, at the price of three virtual calls an env and step where `Game` has one a range.
    """

    cdef void new_episode(self, int env) noexcept nogil:
        pass

    cdef bint advance(self, int env) noexcept nogil:
        return True

    cdef float score(self, int env, int seat, bint truncated) noexcept nogil:
        return 0

    cdef float outcome(self, int env, int seat, bint truncated) noexcept nogil:
        return NAN

    cdef void fill(self, int env, int seat, float* stats) noexcept nogil:
        pass

    cdef void observe(self, int env, int seat, void* out) noexcept nogil:
        pass

    cdef void reset_range(self, int lo, int hi) noexcept nogil:
        cdef int env
        for env in range(lo, hi):
            self.new_episode(env)
            self.show(env)

    cdef void step_range(self, int lo, int hi) noexcept nogil:
        cdef int env
        cdef bint over, late
        for env in range(lo, hi):
            over = self.advance(env)
            late = elapse(&self.k, env, 1)
            if over or late:
                self.end(env, not over)
            self.show(env)

    cdef void end(self, int env, bint truncated) noexcept nogil:
        """Record what each seat's episode was, and begin the next."""
        cdef int seat
        cdef void* out
        cdef float score, outcome
        for seat in range(self.k.seats):
            out = final_observation(&self.k, row(&self.k, env, seat), truncated)
            if out != NULL:
                self.observe(env, seat, out)
            score = self.score(env, seat, truncated)
            outcome = self.outcome(env, seat, truncated)
            self.fill(env, seat, finish(&self.k, env, seat, truncated, score, outcome))
        self.new_episode(env)
        begin(&self.k, env)

    cdef void show(self, int env) noexcept nogil:
        """What each seat sees now."""
        cdef int seat
        for seat in range(self.k.seats):
            self.observe(env, seat, observation(&self.k, row(&self.k, env, seat)))


cdef char* _address(array) except *:
    if not array.flags.c_contiguous:
        raise must("rows must be contiguous arrays", strides=array.strides)
    return <char*><size_t>array.ctypes.data
