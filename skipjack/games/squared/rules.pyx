"""Squared: walk from the middle of a small board to a target on its border.

    . . . T . . .
    . . . . . . .      T  target, on a random cell of the border
    . . . A . . .      A  agent, in the middle of a board of odd size
    . . . . . . .
    . . . . . . .

Actions: 0 stay, 1 up, 2 down, 3 left, 4 right; a step off the board is blocked. Reward: 1 at the target,
which ends the episode, else 0. Score: steps of the shortest way / steps taken, 0 if the time limit came
first.
Statistics: none.

Observation, uint8[size, size]: 0 empty, 1 agent, 2 target.
"""

from libc.string cimport memset

from skipjack.native.kernel cimport *
from skipjack.native.scene import Rectangle, Scene


cdef struct Config:
    int size


cdef struct State:
    int y
    int x
    int target_y
    int target_x


cdef void set_up(const Config* c, State* s, Stream* stream) noexcept nogil:
    cdef int last = c.size - 1
    cdef int side = below(stream, 4), place = below(stream, last)
    s.y = s.x = last // 2
    # Each side owns the corner at its beginning: every border cell is equally likely.
    if side == 0:
        s.target_y, s.target_x = 0, place
    elif side == 1:
        s.target_y, s.target_x = place, last
    elif side == 2:
        s.target_y, s.target_x = last, last - place
    else:
        s.target_y, s.target_x = last - place, 0


cdef void move(const Config* c, State* s, int choice) noexcept nogil:
    if choice == 1 and s.y > 0:
        s.y -= 1
    elif choice == 2 and s.y < c.size - 1:
        s.y += 1
    elif choice == 3 and s.x > 0:
        s.x -= 1
    elif choice == 4 and s.x < c.size - 1:
        s.x += 1


cdef int shortest(const Config* c, const State* s) noexcept nogil:
    """Steps from the middle to the target."""
    cdef int middle = (c.size - 1) // 2
    cdef int dy = s.target_y - middle, dx = s.target_x - middle
    return (dy if dy > 0 else -dy) + (dx if dx > 0 else -dx)


cdef class Rules(SimpleGame):
    """The native engine; `skipjack.games.squared.env.Squared` adds spaces and settings."""

    cdef Config config

    def __init__(self, int num_envs, config):
        self.config = Config(config.size)
        super().__init__(
            num_envs, sizeof(State), config.time_limit, desynchronise=config.desynchronise, abi=ABI
        )

    cdef void new_episode(self, int env) noexcept nogil:
        set_up(&self.config, <State*>state(&self.k, env), &header(&self.k, env).stream)

    cdef bint advance(self, int env) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef bint there
        move(&self.config, s, choices(&self.k, row(&self.k, env, 0))[0])
        there = s.y == s.target_y and s.x == s.target_x
        give(&self.k, env, 0, there)
        return there

    cdef float score(self, int env, int seat, bint truncated) noexcept nogil:
        cdef float taken = header(&self.k, env).tick
        return 0 if truncated else shortest(&self.config, <State*>state(&self.k, env)) / taken

    cdef void observe(self, int env, int seat, void* out) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef uint8_t* board = <uint8_t*>out
        cdef int size = self.config.size
        memset(board, 0, size * size)
        board[s.target_y * size + s.target_x] = 2
        board[s.y * size + s.x] = 1

    cdef object draw(self, int env):
        cdef State* s = <State*>state(&self.k, env)
        cdef int size = self.config.size
        return Scene(size * 30, size * 30).add(
            Rectangle(s.target_x * 30, s.target_y * 30, 30, 30, (222, 160, 70)),
            Rectangle(s.x * 30, s.y * 30, 30, 30, (96, 176, 240)),
        )

    def native_config(self):
        """The settings that the C code reads, as a dictionary."""
        return self.config

    cdef dict peek(self, int env):
        return (<State*>state(&self.k, env))[0]

    cdef put(self, int env, dict values):
        (<State*>state(&self.k, env))[0] = values
