"""Connect Four: stones dropped into seven columns; the first four in a line win.

    row 5   .  .  .  .  .  .  .
        4   .  .  .  .  .  .  .
        3   .  .  .  o  .  .  .
        2   .  .  o  x  .  .  .
        1   .  o  x  x  .  .  .
        0   o  x  o  x  .  x  .      o has a line of four
    action  0  1  2  3  4  5  6

Two sides move in turn (`skipjack/native/turns.pyx`: who begins, rewards, score, statistics). A stone falls to
the lowest free cell of its column. Four of a side's in a row, a column or a diagonal win; a full board
without any is a draw. The mask allows the columns that are not full; a full one, chosen by hand all the
same, loses the game.

`opponent`: "self" makes both sides seats. All others play the second side inside the step, so that the
one seat always has the move, in half of the games as the side that begins:
    "random"    any legal column
    "one_ply"   wins if it can, else keeps the other from winning, else any legal column
    "minimax"   looks `depth` stones ahead ("minimax_2", "minimax_4" and "minimax_6": so many). It wants to
                win soon, to lose late, and else to have more lines of four open than the other, in steps
                of eight: coarse, so that its games vary
Where an opponent likes several columns alike, the env's stream draws one of them.

Actions: 0 .. 6, the column. Reward: 1 for a win, -1 for a loss, when it happens. Score and outcome: 1 for a
win, 0.5 for a draw (and for a game that is cut), 0 for a loss. Statistics: plies (stones of both sides),
began (1 if this seat did), first_won (1 if the side that began won), draw, illegal (1 if this seat chose
a full column). A tick is a stone.

Observation, uint8[2, 6, 7]: 1 where a stone of the seat's own is, then where one of the other's is; the
highest row comes first. Nothing tells the sides apart, so that both see alike.
"""

from skipjack.native.scene import Circle, Rectangle, Scene, Text
from skipjack.native.turns cimport *

cdef enum:
    COLUMNS = 7
    ROWS = 6
    CELLS = 42
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
cdef struct Board:
    uint64_t stones[2]      # of each side
    uint64_t last           # the newest stone; 0 before the first


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


cdef inline int column_at(uint64_t cell) noexcept nogil:
    """The column of a cell; 0 for none."""
    while cell > 0xFF:
        cell >>= 8
    return count(cell - 1) if cell else 0


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


# ---- what a seat sees ----

cdef inline void write_row(uint64_t cells, uint8_t* out) noexcept nogil:
    """The lowest row of the cells, a byte each."""
    cdef uint64_t bytes_of = spread(cells)
    memcpy(out, &bytes_of, COLUMNS)


cdef class Rules(TurnGame):
    """The native engine; `skipjack.games.connect_four.env.ConnectFour` adds spaces and settings."""

    cdef Config config

    def __init__(self, int num_envs, config):
        ahead = config.opponent.removeprefix("minimax_")
        self.config = Config(
            OPPONENTS.get(config.opponent, MINIMAX), int(ahead) if ahead.isdecimal() else config.depth
        )
        super().__init__(
            num_envs, sizeof(Board), config.time_limit, alone=self.config.opponent != SELF,
            desynchronise=config.desynchronise, abi=ABI,
        )

    cdef Move play(self, int env, int side, int column) noexcept nogil:
        cdef Board* s = <Board*>board(&self.k, env)
        cdef uint64_t cell = landings(s.stones[0] | s.stones[1]) & column_of(column)
        if cell == 0:
            return ILLEGAL
        s.stones[side] |= cell
        s.last = cell
        if has_four(s.stones[side]):
            return WINS
        return DRAWS if landings(s.stones[0] | s.stones[1]) == 0 else GOES_ON

    cdef int reply(self, int env, int side) noexcept nogil:
        cdef Board* s = <Board*>board(&self.k, env)
        cdef Stream* stream = &header(&self.k, env).stream
        return column_at(reply(&self.config, s.stones[side], s.stones[1 - side], stream))

    cdef void see(self, int env, int seat, void* out) noexcept nogil:
        cdef Board* s = <Board*>board(&self.k, env)
        cdef uint64_t own = s.stones[seat], other = s.stones[1 - seat]
        cdef uint8_t* cells = <uint8_t*>out
        cdef Py_ssize_t i
        for i in range(ROWS):
            write_row(own >> 8 * (ROWS - 1 - i), cells + COLUMNS * i)
            write_row(other >> 8 * (ROWS - 1 - i), cells + CELLS + COLUMNS * i)

    cdef void allow(self, int env, uint8_t* legal) noexcept nogil:
        """The columns whose highest cell is free."""
        cdef Board* s = <Board*>board(&self.k, env)
        write_row(~(s.stones[0] | s.stones[1]) >> 8 * (ROWS - 1), legal)

    cdef object draw(self, int env):
        cdef Board* s = <Board*>board(&self.k, env)
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
        if config.opponent == SELF:
            config.opponent = ONE_PLY
        return column_at(reply(&config, own, other, &stream))

    def native_config(self):
        """The settings that the C code reads, as a dictionary."""
        return self.config

    cdef dict peek(self, int env):
        return (<Board*>board(&self.k, env))[0]

    cdef put(self, int env, dict values):
        (<Board*>board(&self.k, env))[0] = values
