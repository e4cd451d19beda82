"""What games of two sides that move in turn share: turns, masks, results, and a player inside the step.

Who begins is drawn for each game. The seat that waits has an empty mask; what it does is ignored and no step
of its own. A choice that the mask forbids, made by hand all the same, loses the game. Where the game has one
seat, a scripted player moves for the other side within the same step, so that the seat always has the move.

A tick is a move of either side, one that opens a game included. The time limit is looked at when a step
ends: a game is cut with so many moves, with one more where a scripted player's reply passes the limit, or
with two more where the limit is 1 and that player has opened the game. Reward: 1 for a win, -1 for a loss,
when it happens. Score and outcome: 1 for a win, 0.5 for a draw and for a game that is cut, 0 for a loss.
Statistics: plies (moves of both sides), began (1 if this seat did), first_won (1 if the side that began won),
draw, illegal (1 if this seat made an illegal move).
"""

cimport cython
from libc.string cimport memset


cdef class TurnGame(SimpleGame):
    """A game of two sides that move in turn, each a seat or one of them a scripted player.

    It writes `clear(env)`, an empty board (the env's memory is zero); `play(env, side, choice)`, a side's
    move, which tells what it did; `see(env, seat, out)`, the observation; `allow(env, legal)`, a byte for
    each choice that is legal, for the side to move; and `reply(env, side)`, the scripted player's choice.

    Args:
        num_envs: number of envs.
        board_size: bytes of the game's own state in one env, which `board(k, env)` gives.
        time_limit: moves, of both sides, after which a game is truncated.
        alone: whether there is one seat, against the scripted player.
        desynchronise: cut each env's first game at a random share of the time limit.
        abi: the `ABI` that the game was built with.
    """

    def __init__(
        self, int num_envs, size_t board_size, int time_limit, bint alone,
        bint desynchronise=True, int abi=0,
    ):
        super().__init__(
            num_envs, TURN_SIZE + board_size, time_limit, teams=(0,) if alone else (0, 1),
            statistics=("plies", "began", "first_won", "draw", "illegal"),
            desynchronise=desynchronise, abi=abi,
        )

    cdef void clear(self, int env) noexcept nogil:
        pass

    cdef Move play(self, int env, int side, int choice) noexcept nogil:
        return DRAWS

    cdef int reply(self, int env, int side) noexcept nogil:
        return 0

    cdef void see(self, int env, int seat, void* out) noexcept nogil:
        pass

    cdef void allow(self, int env, uint8_t* legal) noexcept nogil:
        pass

    cdef void new_episode(self, int env) noexcept nogil:
        cdef Turn* t = turn(&self.k, env)
        memset(t, 0, self.k.block_size - self.k.state_at)
        t.winner = t.illegal = NOBODY
        t.first = t.mover = below(&header(&self.k, env).stream, 2)
        self.clear(env)
        if t.mover == self.k.seats:     # no seat's
            self.move(env, self.reply(env, t.mover))

    @cython.final
    cdef bint move(self, int env, int choice) noexcept nogil:
        """The mover's move; true if the game is over."""
        cdef Turn* t = turn(&self.k, env)
        cdef int side = t.mover
        cdef Move what = self.play(env, side, choice)
        t.mover = 1 - side
        if what == ILLEGAL:
            t.illegal, t.winner = side, 1 - side
            return True
        t.plies += 1
        t.drawn = what == DRAWS
        if what == WINS:
            t.winner = side
        return what != GOES_ON

    cdef void step_range(self, int lo, int hi) noexcept nogil:
        cdef Kernel* k = &self.k
        cdef Turn* t
        cdef int env, seat, choice, reward
        cdef bint over, late
        for env in range(lo, hi):
            t = turn(k, env)
            seat = t.mover
            choice = choices(k, row(k, env, seat))[0]
            over = self.move(env, choice if 0 <= choice < <int>k.mask_size else 0)
            if k.seats == 1 and not over:
                over = self.move(env, self.reply(env, t.mover))
            reward = (t.winner == 0) - (t.winner == 1)
            give(k, env, 0, reward, seat == 0)
            if k.seats == 2:
                give(k, env, 1, -reward, seat == 1)
            late = elapse(k, env, t.plies - header(k, env).tick)    # the opening move with the first step
            if over or late:
                self.end(env, not over)
            self.show(env)

    cdef float score(self, int env, int seat, bint truncated) noexcept nogil:
        cdef int winner = turn(&self.k, env).winner
        return 0.5 + 0.5 * ((winner == seat) - (winner == 1 - seat))

    cdef float outcome(self, int env, int seat, bint truncated) noexcept nogil:
        return self.score(env, seat, truncated)

    cdef void fill(self, int env, int seat, float* stats) noexcept nogil:
        cdef Turn* t = turn(&self.k, env)
        stats[0] = t.plies
        stats[1] = t.first == seat
        stats[2] = t.winner == t.first
        stats[3] = t.drawn
        stats[4] = t.illegal == seat

    # PERF: with `move`, `show` and `observe` final 26 M moves/s of tic-tac-toe instead of 22 M.
    @cython.final
    cdef void show(self, int env) noexcept nogil:
        cdef int seat
        for seat in range(self.k.seats):
            self.observe(env, seat, observation(&self.k, row(&self.k, env, seat)))

    @cython.final
    cdef void observe(self, int env, int seat, void* out) noexcept nogil:
        """What a seat sees and may do: nothing, where it waits."""
        cdef uint8_t* legal = mask(&self.k, row(&self.k, env, seat))
        self.see(env, seat, out)
        if turn(&self.k, env).mover == seat:
            self.allow(env, legal)
        else:
            memset(legal, 0, self.k.mask_size)

    def snapshot(self, int env):
        """The env's state as a dictionary, for tests and debuggers."""
        return dict(super().snapshot(env), **turn(&self.k, env)[0])

    def inject(self, int env, dict values):
        """Put an env into a state: any fields of `snapshot`, and no others. For tests and debuggers."""
        self._check_fields(env, values)
        names = turn(&self.k, env)[0].keys()
        cdef Turn t = {name: values.get(name, now) for name, now in turn(&self.k, env)[0].items()}
        turn(&self.k, env)[0] = t
        super().inject(env, {name: values[name] for name in values if name not in names})
