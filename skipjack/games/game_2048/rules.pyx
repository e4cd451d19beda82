"""2048: slide the tiles of a 4 x 4 board; equal ones that meet become one of twice the value.

     2   .   .   2               4   .   .   .    each row slides towards its left end: 2 2 make 4,
     4   4   8   .    left ->    8   8   .   .    the 8 that this makes does not merge with the next,
     2   2   2   2               4   4   .   .    of four equal ones two pairs merge,
     .   .   .  16              16   .   2   .    and a new tile appears somewhere (the 2)

A move slides all tiles as far as they go. Two equal ones that come together merge, those nearest to the
edge first, and a tile that a merge has made does not merge again in the same move. Then a new tile
appears on a free cell, each as likely: a 2 in nine cases of ten, else a 4. A game begins with two such
tiles, goes on past 2048 and is over when no move would change the board. (Two tiles of 32768, the
highest that there is, do not merge.)

The mask allows the moves that change the board. Any other, made by hand all the same, is no move, as
in the game that people play: nothing slides, no tile appears, but the step counts.

Actions: 0 up, 1 down, 2 left, 3 right. Points: the value of each tile that a merge makes. Reward: points /
256, so that a game to 2048, of about 20,000 points, returns about 80. Score: the highest tile / 2048, at
most 1. Statistics: points, highest (value of the highest tile), reached_512, reached_1024, reached_2048 (1
if there was such a tile), illegal (steps that were no move).

Observation, uint8[4, 4], categories 0 .. 15: 0 for a free cell, else the power of two (1 is 2, 11 is 2048).
"""

from libc.stdint cimport uint16_t
from libc.string cimport memset

from skipjack.native.kernel cimport *
from skipjack.native.scene import Rectangle, Scene, Text

cdef enum:
    SIDE = 4
    CELLS = 16
    HIGHEST = 15        # the power of two that four bits hold
    GOAL = 2048
    UNIT = 256          # points of one reward

cdef enum Move:
    UP
    DOWN
    LEFT
    RIGHT


# A row of four cells as 16 bits, its left end the lowest; a board as 64, its upper row the lowest.
cdef struct Row:
    uint32_t points         # of the merges when it slides to the left
    uint16_t left           # what it becomes
    uint8_t moves           # 1 if it can slide to the left, 2 if to the right


cdef struct State:
    uint64_t board
    int64_t points
    int32_t illegal         # steps that were no move
    int32_t legal           # a bit a move, what changes the board


# ---- rows: all that there are, worked out once when this module loads ----

cdef Row ROWS[65536]


cdef Row slid(int row) noexcept nogil:
    """A row to the left."""
    cdef Row found
    cdef int i, tile, last = 0, at = 0      # the newest tile, 0 if a merge made it; how many there are
    found.points = found.left = found.moves = 0
    for i in range(SIDE):
        tile = row >> 4 * i & 15
        if tile == 0:
            continue
        if tile == last and tile < HIGHEST:
            found.left += 1 << 4 * (at - 1)
            found.points += 2 << tile
            last = 0
        else:
            found.left |= tile << 4 * at
            at += 1
            last = tile
    return found


cdef inline uint64_t mirrored(uint64_t board) noexcept nogil:
    """Each row from right to left."""
    board = (board & <uint64_t>0x0F0F0F0F0F0F0F0F) << 4 | board >> 4 & <uint64_t>0x0F0F0F0F0F0F0F0F
    return (board & <uint64_t>0x00FF00FF00FF00FF) << 8 | board >> 8 & <uint64_t>0x00FF00FF00FF00FF


cdef inline uint64_t transposed(uint64_t board) noexcept nogil:
    """Rows as columns: first within each quarter of the board, then the quarters."""
    cdef uint64_t change = (board ^ board >> 12) & <uint64_t>0x0000F0F00000F0F0
    board ^= change | change << 12
    change = (board ^ board >> 24) & <uint64_t>0x00000000FF00FF00
    return board ^ (change | change << 24)


cdef void fill_rows():
    cdef int row, back
    for row in range(65536):
        ROWS[row] = slid(row)
    for row in range(65536):
        back = <int>mirrored(row)
        ROWS[row].moves = (ROWS[row].left != row) | (ROWS[back].left != back) << 1


fill_rows()


# ---- the board ----

cdef inline uint64_t turned(uint64_t board, int move) noexcept nogil:
    """The board so that the move goes to the left."""
    if move == UP or move == DOWN:
        board = transposed(board)
    return mirrored(board) if move == DOWN or move == RIGHT else board


cdef inline uint64_t turned_back(uint64_t board, int move) noexcept nogil:
    if move == DOWN or move == RIGHT:
        board = mirrored(board)
    return transposed(board) if move == UP or move == DOWN else board


cdef inline int possible(uint64_t board) noexcept nogil:
    """The rows' moves, put together: 1 for the left, 2 for the right."""
    return (
        ROWS[board & 0xFFFF].moves | ROWS[board >> 16 & 0xFFFF].moves
        | ROWS[board >> 32 & 0xFFFF].moves | ROWS[board >> 48].moves
    )


cdef inline int legal_moves(uint64_t board) noexcept nogil:
    return possible(transposed(board)) | possible(board) << 2


cdef inline uint64_t slide(uint64_t board, int move, int64_t* points) noexcept nogil:
    """The board after a move; the points of its merges are added."""
    cdef uint64_t found = 0
    cdef int i
    cdef Row* row
    board = turned(board, move)
    for i in range(SIDE):
        row = &ROWS[board >> 16 * i & 0xFFFF]
        found |= <uint64_t>row.left << 16 * i
        points[0] += row.points
    return turned_back(found, move)


cdef void add_tile(State* s, Stream* stream) noexcept nogil:
    """A new tile on a free cell; there must be one."""
    cdef uint64_t free = s.board | s.board >> 1
    cdef int _i, count = 0
    cdef uint64_t left
    free = ~(free | free >> 2) & <uint64_t>0x1111111111111111
    left = free
    while left:
        left &= left - 1
        count += 1
    for _i in range(below(stream, count)):
        free &= free - 1
    free &= ~free + 1
    s.board |= free * (2 if below(stream, 10) == 0 else 1)


cdef int64_t make(State* s, Stream* stream, int move) noexcept nogil:
    """A move, if it is one; its points."""
    cdef int64_t points = 0
    if move < 0 or move > RIGHT:
        move = 0
    if not s.legal >> move & 1:
        s.illegal += 1
        return 0
    s.board = slide(s.board, move, &points)
    s.points += points
    add_tile(s, stream)
    s.legal = legal_moves(s.board)
    return points


cdef inline int highest(uint64_t board) noexcept nogil:
    """The highest power of two on the board."""
    cdef int found = 0
    while board:
        found = max(found, <int>(board & 15))
        board >>= 4
    return found


cdef class Rules(SimpleGame):
    """The native engine; `skipjack.games.game_2048.env.Game2048` adds spaces and settings."""

    def __init__(self, int num_envs, config):
        super().__init__(
            num_envs, sizeof(State), config.time_limit, desynchronise=config.desynchronise,
            statistics=(
                "points", "highest", "reached_512", "reached_1024", "reached_2048", "illegal"
            ), abi=ABI,
        )

    cdef void new_episode(self, int env) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef Stream* stream = &header(&self.k, env).stream
        memset(s, 0, sizeof(State))
        add_tile(s, stream)
        add_tile(s, stream)
        s.legal = legal_moves(s.board)

    cdef bint advance(self, int env) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef int choice = choices(&self.k, row(&self.k, env, 0))[0]
        cdef int64_t points = make(s, &header(&self.k, env).stream, choice)
        give(&self.k, env, 0, points / <float>UNIT)
        return s.legal == 0

    cdef float score(self, int env, int seat, bint truncated) noexcept nogil:
        return (1 << highest((<State*>state(&self.k, env)).board)) / <float>GOAL

    cdef void fill(self, int env, int seat, float* stats) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef int tile = 1 << highest(s.board)
        stats[0] = s.points
        stats[1] = tile
        stats[2] = tile >= 512
        stats[3] = tile >= 1024
        stats[4] = tile >= 2048
        stats[5] = s.illegal

    cdef void observe(self, int env, int seat, void* out) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef uint8_t* allowed = mask(&self.k, row(&self.k, env, seat))
        cdef Py_ssize_t i
        for i in range(CELLS):
            (<uint8_t*>out)[i] = s.board >> 4 * i & 15
        for i in range(4):
            allowed[i] = s.legal >> i & 1

    cdef object draw(self, int env):
        cdef State* s = <State*>state(&self.k, env)
        cdef int cell, tile
        scene = Scene(SIDE * 60 + 10, SIDE * 60 + 40, (58, 54, 62))
        scene.add(Text(10, 8, f"{s.points} points", 20, (230, 225, 215)))
        for cell in range(CELLS):
            tile = s.board >> 4 * cell & 15
            x, y = 10 + 60 * (cell % SIDE), 40 + 60 * (cell // SIDE)
            # From sand over orange to red up to 64, then golden.
            warm = min(tile, 6)
            colour = (240, 228 - 22 * warm, 200 - 24 * warm) if tile < 7 else (238, 210, 130 - 8 * tile)
            scene.add(Rectangle(x, y, 50, 50, colour if tile else (76, 72, 80)))
            if tile:
                words = str(1 << tile)
                size = (30, 30, 26, 20, 16)[len(words) - 1]
                left = x + 25 - 0.28 * size * len(words)
                dark = (90, 76, 66) if tile < 4 else (255, 250, 240)
                scene.add(Text(left, y + 25 - 0.6 * size, words, size, dark))
        return scene

    cdef dict peek(self, int env):
        return (<State*>state(&self.k, env))[0]

    cdef put(self, int env, dict values):
        cdef State* s = <State*>state(&self.k, env)
        s[0] = values
        s.legal = legal_moves(s.board)
