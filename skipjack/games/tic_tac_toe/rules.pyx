"""Tic-tac-toe: three in a line on a board of nine cells.

    0 | 1 | 2        o |   | x
    3 | 4 | 5          | o |          o takes 8 and has a line
    6 | 7 | 8        x |   |

Two sides move in turn (`skipjack/native/turns.pyx`: who begins, rewards, score, statistics). Three of a
side's in a row, a column or a diagonal win; a full board without any is a draw. The mask allows the free
cells; one that is taken, chosen by hand all the same, loses the game.

`opponent`: "self" makes both sides seats. All others play the second side inside the step, so that the
one seat always has the move, in half of the games as the side that begins:
    "random"    any free cell
    "one_ply"   wins if it can, else keeps the other from winning, else any free cell
    "perfect"   what is best against a perfect player (exact minimax: it wins soon and loses late)
    "easy", "medium", "hard"    perfect in one, two and three moves of four, else any free cell
Where an opponent likes several cells alike, the env's stream draws one of them.

Actions: 0 .. 8, the cell. Reward: 1 for a win, -1 for a loss, when it happens. Score and outcome: 1 for a
win, 0.5 for a draw (and for a game that is cut), 0 for a loss; against the perfect player nobody has more
than 0.5. Statistics: plies (marks of both sides), began (1 if this seat did), first_won (1 if the side
that began won), draw, illegal (1 if this seat chose a cell that was taken). A tick is a mark.

Observation, uint8[2, 3, 3]: 1 where a mark of the seat's own is, then where one of the other's is. Nothing
tells the sides apart, so that both see alike.
"""

from libc.stdint cimport int8_t, uint16_t

from skipjack.native.scene import Circle, Line, Rectangle, Scene, Text
from skipjack.native.turns cimport *

cdef enum:
    CELLS = 9
    ALL = 0x1FF
    WON = 10            # more than the marks of a game

cdef enum:              # opponents; from RANDOM to PERFECT the moves of four that are perfect
    RANDOM = 0
    PERFECT = 4
    ONE_PLY = 5
    SELF = 6

OPPONENTS = {
    "random": RANDOM, "easy": 1, "medium": 2, "hard": 3, "perfect": PERFECT, "one_ply": ONE_PLY,
    "self": SELF,
}


cdef struct Config:
    int opponent


# Marks are bits, cell 0 the lowest.
cdef struct Board:
    int32_t marks[2]        # of each side


# ---- the board ----

cdef inline bint has_line(int marks) noexcept nogil:
    cdef int across = marks & marks >> 1 & marks >> 2 & 0b001001001
    cdef int down = marks & marks >> 3 & marks >> 6
    # Cells on a diagonal are four apart, those on the other two.
    return (
        across | down | (marks & marks >> 4 & marks >> 8)
        | (marks & marks >> 2 & marks >> 4 & 0b000000100)
    ) != 0


cdef inline int index(int cell) noexcept nogil:
    """Of a cell's bit."""
    cdef int found = 0
    while cell > 1:
        cell >>= 1
        found += 1
    return found


cdef inline int draw_one(int cells, Stream* stream) noexcept nogil:
    """One of the cells."""
    cdef int _i, left = cells, count = 0
    while left:
        left &= left - 1
        count += 1
    for _i in range(below(stream, count)):
        cells &= cells - 1
    return cells & -cells


# ---- perfect play: the best cells of every position, worked out once when this module loads ----

cdef uint16_t TERNARY[512]      # bits as digits 0 and 1 of a number in threes
cdef uint16_t BEST[19683]       # by own + 2 * other in threes, as bits; 0 where nobody has been
cdef int8_t VALUE[19683]        # what the side to move reaches there


cdef inline int place_of(int own, int other) noexcept nogil:
    return TERNARY[own] + 2 * TERNARY[other]


cdef int value(int own, int other, int free) noexcept nogil:
    """What the side to move reaches: more for a win the sooner it comes, less for a loss; 0 for a draw."""
    cdef int at = place_of(own, other), found, highest = -WON - 1, cell, left = free
    if free == 0:
        return 0
    if BEST[at]:
        return VALUE[at]
    while left:
        cell = left & -left
        left ^= cell
        if has_line(own | cell):
            found = WON
        else:
            found = -value(other, own | cell, free ^ cell)
            found -= (found > 0) - (found < 0)
        if found > highest:
            highest, BEST[at] = found, 0
        if found == highest:
            BEST[at] |= cell
    VALUE[at] = highest
    return highest


cdef void fill_best():
    cdef int marks, cell, power
    for marks in range(512):
        power, TERNARY[marks] = 1, 0
        for cell in range(CELLS):
            TERNARY[marks] += power * (marks >> cell & 1)
            power *= 3
    value(0, 0, ALL)


fill_best()


# ---- opponents ----

cdef int winning(int own, int cells) noexcept nogil:
    """Those of the cells that would make a line with the marks that are there."""
    cdef int cell, found = 0
    while cells:
        cell = cells & -cells
        cells ^= cell
        if has_line(own | cell):
            found |= cell
    return found


cdef int reply(int opponent, int own, int other, Stream* stream) noexcept nogil:
    """The cell that the opponent takes."""
    cdef int cells = ALL & ~(own | other), found = 0
    if opponent == ONE_PLY:
        found = winning(own, cells)
        if found == 0:
            found = winning(other, cells)
    elif opponent == PERFECT or opponent != RANDOM and below(stream, PERFECT) < opponent:
        found = BEST[place_of(own, other)]
    return draw_one(found if found else cells, stream)


# ---- what a seat sees ----

cdef inline void write_cells(uint64_t cells, uint8_t* out) noexcept nogil:
    """Nine cells, a byte each."""
    cdef uint64_t bytes_of = spread(cells) | (cells >> 7 & 1) << 56
    memcpy(out, &bytes_of, 8)
    out[8] = cells >> 8


cdef class Rules(TurnGame):
    """The native engine; `skipjack.games.tic_tac_toe.env.TicTacToe` adds spaces and settings."""

    cdef Config config

    def __init__(self, int num_envs, config):
        self.config = Config(OPPONENTS[config.opponent])
        super().__init__(
            num_envs, sizeof(Board), config.time_limit, alone=self.config.opponent != SELF,
            desynchronise=config.desynchronise, abi=ABI,
        )

    cdef Move play(self, int env, int side, int cell) noexcept nogil:
        cdef Board* s = <Board*>board(&self.k, env)
        if (s.marks[0] | s.marks[1]) >> cell & 1:
            return ILLEGAL
        s.marks[side] |= 1 << cell
        if has_line(s.marks[side]):
            return WINS
        return DRAWS if s.marks[0] | s.marks[1] == ALL else GOES_ON

    cdef int reply(self, int env, int side) noexcept nogil:
        cdef Board* s = <Board*>board(&self.k, env)
        cdef Stream* stream = &header(&self.k, env).stream
        return index(reply(self.config.opponent, s.marks[side], s.marks[1 - side], stream))

    cdef void see(self, int env, int seat, void* out) noexcept nogil:
        cdef Board* s = <Board*>board(&self.k, env)
        write_cells(s.marks[seat], <uint8_t*>out)
        write_cells(s.marks[1 - seat], <uint8_t*>out + CELLS)

    cdef void allow(self, int env, uint8_t* legal) noexcept nogil:
        """The free cells."""
        cdef Board* s = <Board*>board(&self.k, env)
        write_cells(ALL & ~(s.marks[0] | s.marks[1]), legal)

    cdef object draw(self, int env):
        cdef Board* s = <Board*>board(&self.k, env)
        cdef int cell
        scene, grey = Scene(200, 200), (76, 84, 100)
        for at in (69, 129):
            scene.add(Rectangle(at, 14, 2, 172, grey), Rectangle(14, at, 172, 2, grey))
        for cell in range(CELLS):
            x, y = 40 + 60 * (cell % 3), 40 + 60 * (cell // 3)
            if s.marks[0] >> cell & 1:
                scene.add(Circle(x, y, 20, (250, 215, 80)), Circle(x, y, 14, scene.background))
            elif s.marks[1] >> cell & 1:
                scene.add(
                    Line(x - 16, y - 16, x + 16, y + 16, 6, (226, 78, 70)),
                    Line(x - 16, y + 16, x + 16, y - 16, 6, (226, 78, 70)),
                )
            else:
                scene.add(Text(x - 5, y - 10, str(cell + 1), 18, grey))
        return scene

    def reply_to(self, int own, int other):
        """The cell that the opponent takes ("perfect" for "self"); marks as bits.

        In the same position always the same one of several that it likes alike; 0 on a full board.
        """
        cdef Stream stream = Stream(own * 512 + other)
        cdef int opponent = PERFECT if self.config.opponent == SELF else self.config.opponent
        if (own | other) & ALL == ALL:
            return 0
        return index(reply(opponent, own & ALL, other & ALL, &stream))

    def native_config(self):
        """The settings that the C code reads, as a dictionary."""
        return self.config

    cdef dict peek(self, int env):
        return (<Board*>board(&self.k, env))[0]

    cdef put(self, int env, dict values):
        (<Board*>board(&self.k, env))[0] = values
