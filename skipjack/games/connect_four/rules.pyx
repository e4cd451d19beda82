"""Connect Four: stones dropped into seven columns; the first four in a line win.

    row 5   .  .  .  .  .  .  .
        4   .  .  .  .  .  .  .
        3   .  .  .  o  .  .  .
        2   .  .  o  x  .  .  .
        1   .  o  x  x  .  .  .
        0   o  x  o  x  .  x  .      o has a line of four
    action  0  1  2  3  4  5  6

Two sides move in turn; who begins is drawn for each game. A stone falls to the lowest free cell of its
column. Four of a side's in a row, a column or a diagonal win; a full board without any is a draw. The
mask allows the columns that are not full, and nothing at all to the side that waits: what it does is
ignored and no step of its own. A full column, chosen by hand all the same, loses the game.

`opponent`: "self" makes both sides seats. All others play the second side inside the step, so that the
one seat always has the move, in half of the games as the side that begins:
    "random"    any legal column
    "one_ply"   wins if it can, else keeps the other from winning, else any legal column
    "minimax"   looks `depth` stones ahead ("minimax_2", "minimax_4" and "minimax_6": so many). It wants to
                win soon, to lose late, and else to have more lines of four open than the other, in steps
                of eight: coarse, so that its games vary
Where an opponent likes several columns alike, the env's stream draws one of them.

Actions: 0 .. 6, the column. Reward: 1 for a win, -1 for a loss, when it happens. Score and outcome: 1 for a
win, 0.5 for a draw (and for a game that is cut), 0 for a loss. Statistics: plies (stones on the board),
began (1 if this seat did), first_won (1 if the side that began won), draw, illegal (1 if this seat chose
a full column). A tick is a stone.

Observation, uint8[2, 6, 7]: 1 where a stone of the seat's own is, then where one of the other's is; the
highest row comes first. Nothing tells the sides apart, so that both see alike.
"""

from skipjack.native.kernel cimport *
from skipjack.native.scene import Circle, Rectangle, Scene, Text

cdef enum:
    COLUMNS = 7
    ROWS = 6
    CELLS = 42
    NOBODY = -1
    WON = 1000          # more than all lines of the board together
    COARSE = 8          # lines of four that count as one

cdef enum Opponent:
    SELF
    RANDOM
    ONE_PLY
    MINIMAX

OPPONENTS = {"self": SELF, "random": RANDOM, "one_ply": ONE_PLY}


cdef struct Config:
    int opponent
    int depth


# Stones are bits, a cell each: row and column in 8 * row + column. The eighth bit of a row stays
# empty, so that no line runs over an edge.
cdef struct State:
    uint64_t stones[2]      # of each side
    uint64_t last           # the newest stone; 0 before the first
    int32_t first           # the side that began
    int32_t mover           # the side to move
    int32_t plies           # stones on the board
    int32_t winner          # the side that won, or NOBODY
    int32_t illegal         # the side that chose a full column, or NOBODY
    int32_t reserved


# ---- the board ----

cdef inline uint64_t landings(uint64_t taken) noexcept nogil:
    """The cells that a stone can fall to: in each column the lowest free one."""
    return (taken << 8 | 0x7F) & ~taken & <uint64_t>0x7F7F7F7F7F7F


cdef inline uint64_t column_of(int column) noexcept nogil:
    return <uint64_t>0x010101010101 << column


cdef inline uint64_t lines(uint64_t stones, int apart) noexcept nogil:
    """The first cell of each four in a line; neighbours on it are so many bits apart."""
    cdef uint64_t pairs = stones & stones >> apart
    return pairs & pairs >> 2 * apart


cdef inline bint has_four(uint64_t stones) noexcept nogil:
    return (lines(stones, 1) | lines(stones, 7) | lines(stones, 8) | lines(stones, 9)) != 0


cdef inline int count(uint64_t cells) noexcept nogil:
    cells -= cells >> 1 & <uint64_t>0x5555555555555555
    cells = (cells & <uint64_t>0x3333333333333333) + (cells >> 2 & <uint64_t>0x3333333333333333)
    cells = (cells + (cells >> 4)) & <uint64_t>0x0F0F0F0F0F0F0F0F
    return <int>(cells * <uint64_t>0x0101010101010101 >> 56)


cdef inline uint64_t draw_one(uint64_t cells, Stream* stream) noexcept nogil:
    """One of the cells."""
    cdef int _i
    for _i in range(below(stream, count(cells))):
        cells &= cells - 1
    return cells & (~cells + 1)


cdef bint place(State* s, uint64_t cell) noexcept nogil:
    """The mover's stone into a cell, 0 for a column that is full; true if the game is over."""
    cdef int side = s.mover
    s.mover = 1 - side
    if cell == 0:
        s.illegal = side
        s.winner = 1 - side
        return True
    s.stones[side] |= cell
    s.last = cell
    s.plies += 1
    if has_four(s.stones[side]):
        s.winner = side
        return True
    return s.plies == CELLS


# ---- opponents ----

cdef uint64_t winning(uint64_t own, uint64_t cells) noexcept nogil:
    """Those of the cells that would make four with the stones that are there."""
    cdef uint64_t cell, found = 0
    while cells:
        cell = cells & (~cells + 1)
        cells ^= cell
        if has_four(own | cell):
            found |= cell
    return found


cdef inline int open_lines(uint64_t other) noexcept nogil:
    """Lines of four on which the other has no stone."""
    cdef uint64_t cells = ~other & <uint64_t>0x7F7F7F7F7F7F
    return (
        count(lines(cells, 1)) + count(lines(cells, 7))
        + count(lines(cells, 8)) + count(lines(cells, 9))
    )


cdef inline int middle_first(int i) noexcept nogil:
    """The columns in the order 3, 2, 4, 1, 5, 0, 6: good ones early cut off more."""
    return 3 - (i + 1) // 2 if i & 1 else 3 + i // 2


cdef int reached(uint64_t own, uint64_t other, int depth, int low, int high) noexcept nogil:
    """What the side to move reaches within `depth` stones, exact if between low and high."""
    cdef uint64_t cell, cells = landings(own | other)
    cdef int i, found
    if cells == 0:
        return 0
    if depth == 0:
        return (open_lines(other) - open_lines(own)) // COARSE     # towards 0, as in C
    for i in range(COLUMNS):
        cell = cells & column_of(middle_first(i))
        if cell == 0:
            continue
        if has_four(own | cell):
            found = WON + depth
        else:
            found = -reached(other, own | cell, depth - 1, -high, -low)
        if found > low:
            low = found
            if low >= high:
                break
    return low


cdef uint64_t best(uint64_t own, uint64_t other, int depth) noexcept nogil:
    """All the cells from which the side to move reaches the most."""
    cdef uint64_t cell, cells = landings(own | other), found = 0
    cdef int i, value, highest = -2 * WON
    for i in range(COLUMNS):
        cell = cells & column_of(middle_first(i))
        if cell == 0:
            continue
        if has_four(own | cell):
            value = WON + depth
        else:  # from one below the highest on, so that an equal one is known as such
            value = -reached(other, own | cell, depth - 1, -2 * WON, 1 - highest)
        if value > highest:
            highest, found = value, cell
        elif value == highest:
            found |= cell
    return found


cdef uint64_t reply(const Config* c, uint64_t own, uint64_t other, Stream* stream) noexcept nogil:
    """The cell that the opponent takes."""
    cdef uint64_t cells = landings(own | other), found = 0
    if c.opponent == MINIMAX:
        found = best(own, other, c.depth)
    elif c.opponent == ONE_PLY:
        found = winning(own, cells)
        if found == 0:
            found = winning(other, cells)
    return draw_one(found if found else cells, stream)


# ---- reset, step and observe ----

cdef void new_game(const Config* c, State* s, Stream* stream) noexcept nogil:
    memset(s, 0, sizeof(State))
    s.winner = s.illegal = NOBODY
    s.first = s.mover = below(stream, 2)
    if c.opponent != SELF and s.mover == 1:
        place(s, reply(c, 0, 0, stream))


cdef bint advance(const Config* c, State* s, Stream* stream, int column) noexcept nogil:
    """The mover's stone, and the opponent's if it plays here; true if the game is over."""
    if column < 0 or column >= COLUMNS:
        column = 0
    if place(s, landings(s.stones[0] | s.stones[1]) & column_of(column)):
        return True
    return c.opponent != SELF and place(s, reply(c, s.stones[1], s.stones[0], stream))


cdef inline void spread(uint64_t bits, uint8_t* out) noexcept nogil:
    """Seven bits as seven bytes."""
    # PERF: bits meet no other at multiples of 8 when multiplied to every 7th place; twice as fast as a loop.
    cdef uint64_t wide = (bits & 0x7F) * <uint64_t>0x40810204081 & <uint64_t>0x01010101010101
    memcpy(out, &wide, COLUMNS)


cdef inline void observe(const State* s, int seat, uint8_t* out) noexcept nogil:
    cdef uint64_t own = s.stones[seat], other = s.stones[1 - seat]
    cdef Py_ssize_t i
    for i in range(ROWS):
        spread(own >> 8 * (ROWS - 1 - i), out + COLUMNS * i)
        spread(other >> 8 * (ROWS - 1 - i), out + CELLS + COLUMNS * i)


cdef inline void allow(const State* s, int seat, uint8_t* out) noexcept nogil:
    """The columns whose highest cell is free, if the seat has the move."""
    cdef uint64_t free = ~(s.stones[0] | s.stones[1]) >> 8 * (ROWS - 1)
    spread(free if s.mover == seat else 0, out)


cdef class Rules(Game):
    """The native engine; `skipjack.games.connect_four.env.ConnectFour` adds spaces and settings."""

    cdef Config config

    def __init__(self, int num_envs, config):
        ahead = config.opponent.removeprefix("minimax_")
        self.config = Config(
            OPPONENTS.get(config.opponent, MINIMAX), int(ahead) if ahead.isdecimal() else config.depth
        )
        super().__init__(
            num_envs, sizeof(State), config.time_limit,
            teams=(0, 1) if self.config.opponent == SELF else (0,),
            desynchronise=config.desynchronise,
            statistics=("plies", "began", "first_won", "draw", "illegal"), abi=ABI,
        )

    cdef void reset_range(self, int lo, int hi) noexcept nogil:
        cdef int env
        for env in range(lo, hi):
            new_game(&self.config, <State*>state(&self.k, env), &header(&self.k, env).stream)
            self.show(env)

    cdef void step_range(self, int lo, int hi) noexcept nogil:
        cdef Kernel* k = &self.k
        cdef State* s
        cdef int env, seat, plies, reward
        cdef bint over, late
        for env in range(lo, hi):
            s = <State*>state(k, env)
            seat, plies = s.mover, s.plies
            over = advance(
                &self.config, s, &header(k, env).stream, choices(k, row(k, env, seat))[0]
            )
            reward = (s.winner == 0) - (s.winner == 1)
            give(k, env, 0, reward, seat == 0)
            if k.seats == 2:
                give(k, env, 1, -reward, seat == 1)
            late = elapse(k, env, s.plies - plies)
            if over or late:
                self.end(env, not over)
            self.show(env)

    cdef void show(self, int env) noexcept nogil:
        cdef Kernel* k = &self.k
        cdef State* s = <State*>state(k, env)
        cdef int seat
        for seat in range(k.seats):
            observe(s, seat, <uint8_t*>observation(k, row(k, env, seat)))
            allow(s, seat, mask(k, row(k, env, seat)))

    cdef void end(self, int env, bint truncated) noexcept nogil:
        cdef Kernel* k = &self.k
        cdef State* s = <State*>state(k, env)
        cdef int seat
        cdef float outcome
        cdef uint8_t* out
        cdef float* stats
        for seat in range(k.seats):
            out = <uint8_t*>final_observation(k, row(k, env, seat), truncated)
            if out != NULL:
                observe(s, seat, out)
            outcome = 0.5 + 0.5 * ((s.winner == seat) - (s.winner == 1 - seat))
            stats = finish(k, env, seat, truncated, outcome, outcome)
            stats[0] = s.plies
            stats[1] = s.first == seat
            stats[2] = s.winner == s.first
            stats[3] = s.winner == NOBODY and not truncated
            stats[4] = s.illegal == seat
        new_game(&self.config, s, &header(k, env).stream)
        begin(k, env)

    cdef object draw(self, int env):
        cdef State* s = <State*>state(&self.k, env)
        cdef uint64_t cell, won = 0, part
        cdef int row, column, side, apart
        for side in range(2):
            for apart in (1, 7, 8, 9):
                part = lines(s.stones[side], apart)
                won |= part | part << apart | part << 2 * apart | part << 3 * apart
        scene = Scene(COLUMNS * 40 + 20, ROWS * 40 + 44).add(
            Rectangle(10, 10, COLUMNS * 40, ROWS * 40, (40, 70, 150))
        )
        for row in range(ROWS):
            for column in range(COLUMNS):
                cell = <uint64_t>1 << 8 * row + column
                x, y = 30 + 40 * column, 30 + 40 * (ROWS - 1 - row)
                colour = (18, 26, 48)
                if (s.stones[0] | s.stones[1]) & cell:
                    colour = (250, 215, 80) if s.stones[0] & cell else (226, 78, 70)
                if won & cell or s.last == cell:
                    scene.add(Circle(x, y, 18, (245, 245, 245)))
                scene.add(Circle(x, y, 15, colour))
        for column in range(COLUMNS):
            scene.add(Text(25 + 40 * column, ROWS * 40 + 16, str(column + 1), 20, (180, 190, 205)))
        return scene

    def reply_to(self, uint64_t own, uint64_t other):
        """The column that the opponent takes (one_ply for "self"); stones as bits 8 * row + column.

        In the same position always the same one of several that it likes alike; 0 on a full board.
        """
        cdef Config config = self.config
        cdef Stream stream = Stream(own * <uint64_t>0x9E3779B97F4A7C15 + other)
        cdef uint64_t cell
        if config.opponent == SELF:
            config.opponent = ONE_PLY
        cell = reply(&config, own, other, &stream)
        return (int(cell).bit_length() - 1) % 8 if cell else 0

    def native_config(self):
        """The settings that the C code reads, as a dictionary."""
        return self.config

    cdef dict peek(self, int env):
        return (<State*>state(&self.k, env))[0]

    cdef put(self, int env, dict values):
        (<State*>state(&self.k, env))[0] = values
