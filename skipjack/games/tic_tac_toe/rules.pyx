"""Tic-tac-toe: three in a line on a board of nine cells.

    0 | 1 | 2        o |   | x
    3 | 4 | 5          | o |          o takes 8 and has a line
    6 | 7 | 8        x |   |

Two sides move in turn; who begins is drawn for each game. Three of a side's in a row, a column or a
diagonal win; a full board without any is a draw. The mask allows the free cells, and nothing at all to
the side that waits: what it does is ignored and no step of its own. A cell that is taken, chosen by
hand all the same, loses the game.

`opponent`: "self" makes both sides seats. All others play the second side inside the step, so that the
one seat always has the move, in half of the games as the side that begins:
    "random"    any free cell
    "one_ply"   wins if it can, else keeps the other from winning, else any free cell
    "perfect"   what is best against a perfect player (exact minimax: it wins soon and loses late)
    "easy", "medium", "hard"    perfect in one, two and three moves of four, else any free cell
Where an opponent likes several cells alike, the env's stream draws one of them.

Actions: 0 .. 8, the cell. Reward: 1 for a win, -1 for a loss, when it happens. Score and outcome: 1 for a
win, 0.5 for a draw (and for a game that is cut), 0 for a loss; against the perfect player nobody has more
than 0.5. Statistics: plies (marks on the board), began (1 if this seat did), first_won (1 if the side
that began won), draw, illegal (1 if this seat chose a cell that was taken). A tick is a mark.

Observation, uint8[2, 3, 3]: 1 where a mark of the seat's own is, then where one of the other's is. Nothing
tells the sides apart, so that both see alike.
"""

from libc.stdint cimport int8_t, uint16_t

from skipjack.native.kernel cimport *
from skipjack.native.scene import Circle, Line, Rectangle, Scene, Text

cdef enum:
    CELLS = 9
    ALL = 0x1FF
    NOBODY = -1
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
cdef struct State:
    int32_t marks[2]        # of each side
    int32_t first           # the side that began
    int32_t mover           # the side to move
    int32_t plies           # marks on the board
    int32_t winner          # the side that won, or NOBODY
    int32_t illegal         # the side that chose a cell that was taken, or NOBODY


# ---- the board ----

cdef inline bint has_line(int marks) noexcept nogil:
    cdef int across = marks & marks >> 1 & marks >> 2 & 0b001001001
    cdef int down = marks & marks >> 3 & marks >> 6
    # Cells on a diagonal are four apart, those on the other two.
    return (
        across | down | (marks & marks >> 4 & marks >> 8)
        | (marks & marks >> 2 & marks >> 4 & 0b000000100)
    ) != 0


cdef inline int draw_one(int cells, Stream* stream) noexcept nogil:
    """One of the cells."""
    cdef int _i, left = cells, count = 0
    while left:
        left &= left - 1
        count += 1
    for _i in range(below(stream, count)):
        cells &= cells - 1
    return cells & -cells


cdef bint place(State* s, int cell) noexcept nogil:
    """The mover's mark on a cell; true if the game is over."""
    cdef int side = s.mover
    s.mover = 1 - side
    if cell & (s.marks[0] | s.marks[1]):
        s.illegal = side
        s.winner = 1 - side
        return True
    s.marks[side] |= cell
    s.plies += 1
    if has_line(s.marks[side]):
        s.winner = side
        return True
    return s.plies == CELLS


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


# ---- reset, step and observe ----

cdef void new_game(const Config* c, State* s, Stream* stream) noexcept nogil:
    memset(s, 0, sizeof(State))
    s.winner = s.illegal = NOBODY
    s.first = s.mover = below(stream, 2)
    if c.opponent != SELF and s.mover == 1:
        place(s, reply(c.opponent, 0, 0, stream))


cdef bint advance(const Config* c, State* s, Stream* stream, int cell) noexcept nogil:
    """The mover's mark, and the opponent's if it plays here; true if the game is over."""
    if cell < 0 or cell >= CELLS:
        cell = 0
    if place(s, 1 << cell):
        return True
    return c.opponent != SELF and place(s, reply(c.opponent, s.marks[1], s.marks[0], stream))


cdef inline void spread(uint64_t bits, uint8_t* out) noexcept nogil:
    """Nine bits as nine bytes."""
    # PERF: seven bits, multiplied to every 7th place, meet no other at multiples of 8: 21 -> 24 M moves/s.
    cdef uint64_t wide = (bits & 0x7F) * <uint64_t>0x40810204081 & <uint64_t>0x01010101010101
    wide |= (bits >> 7 & 1) << 56
    memcpy(out, &wide, 8)
    out[8] = bits >> 8


cdef inline void observe(const State* s, int seat, uint8_t* out) noexcept nogil:
    spread(s.marks[seat], out)
    spread(s.marks[1 - seat], out + CELLS)


cdef class Rules(Game):
    """The native engine; `skipjack.games.tic_tac_toe.env.TicTacToe` adds spaces and settings."""

    cdef Config config

    def __init__(self, int num_envs, config):
        self.config = Config(OPPONENTS[config.opponent])
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
        cdef int seat, free = ALL & ~(s.marks[0] | s.marks[1])
        for seat in range(k.seats):
            observe(s, seat, <uint8_t*>observation(k, row(k, env, seat)))
            spread(free if s.mover == seat else 0, mask(k, row(k, env, seat)))

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
        cdef int cell = 0
        if (own | other) & ALL != ALL:
            cell = reply(opponent, own & ALL, other & ALL, &stream)
        return int(cell).bit_length() - 1 if cell else 0

    def native_config(self):
        """The settings that the C code reads, as a dictionary."""
        return self.config

    cdef dict peek(self, int env):
        return (<State*>state(&self.k, env))[0]

    cdef put(self, int env, dict values):
        (<State*>state(&self.k, env))[0] = values
