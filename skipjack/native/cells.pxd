# Walled worlds of cells, a byte each: what the games on them share. 0 is an empty cell.
#
# A world is `height` x `width` cells with walls of VISION around it, row by row in one array, so
# that the window around any cell within the walls is SIDE rows to copy.

from libc.string cimport memcpy, memset

from skipjack.native.kernel cimport Stream, below, uint8_t

cdef extern from *:
    """
    #if defined(__GNUC__)
    #define SKIPJACK_PREFETCH(address) __builtin_prefetch(address)
    #else
    #define SKIPJACK_PREFETCH(address) ((void)0)
    #endif
    """
    # Ask for the memory of a later turn.
    void prefetch "SKIPJACK_PREFETCH"(const void* address) noexcept nogil


cdef enum:
    VISION = 5          # cells that an agent sees each way
    SIDE = 11           # cells a side of its window
    WINDOW = 121
    TRIES = 32          # random cells that are looked at before all are
    AHEAD = 4           # agents that memory is asked for before their turn


cdef struct Ground:
    int width           # within the walls
    int height
    int stride          # cells of a row, walls included
    int cells           # of the world, walls included


cdef inline Ground ground(int width, int height) noexcept nogil:
    cdef Ground g
    g.width, g.height, g.stride = width, height, width + 2 * VISION
    g.cells = g.stride * (height + 2 * VISION)
    return g


cdef inline int cell_at(const Ground* g, int index) noexcept nogil:
    """The cell of an index among those within the walls."""
    return (index // g.width + VISION) * g.stride + index % g.width + VISION


cdef inline void wall_in(const Ground* g, uint8_t* cells, int wall) noexcept nogil:
    """An empty world within walls."""
    cdef int y
    memset(cells, wall, g.cells)
    for y in range(g.height):
        memset(cells + cell_at(g, y * g.width), 0, g.width)


cdef inline int empty_cell(const Ground* g, Stream* stream, const uint8_t* cells) noexcept nogil:
    """A random empty cell: one of TRIES, else the first one after a random cell; -1 if there is none."""
    cdef int _try, cell, i, count = g.width * g.height, start
    for _try in range(TRIES):
        cell = cell_at(g, below(stream, count))
        if cells[cell] == 0:
            return cell
    start = below(stream, count)
    for i in range(count):
        cell = cell_at(g, (start + i) % count)
        if cells[cell] == 0:
            return cell
    return -1


cdef inline void feed(
    const Ground* g, Stream* stream, uint8_t* cells, int food, int* owed
) noexcept nogil:
    """Place the food that is owed on random empty cells, as far as there is room."""
    cdef int cell
    while owed[0] > 0:
        cell = empty_cell(g, stream, cells)
        if cell < 0:
            return
        cells[cell] = <uint8_t>food
        owed[0] -= 1


cdef inline int scale(int count) noexcept nogil:
    """What an index below `count`, 2 or more, is multiplied by for a byte: see `scaled`."""
    return (255 * 65536 + count - 2) // (count - 1)


cdef inline uint8_t scaled(int index, int scale) noexcept nogil:
    """An index x 255 / the last one, rounded down."""
    return <uint8_t>((index * scale) >> 16)


cdef inline uint8_t[:, ::1] as_array(const Ground* g, uint8_t* cells):
    """The cells, walls included, to look at or change from Python; it owns nothing."""
    return <uint8_t[: g.height + 2 * VISION, : g.stride]>cells


cdef inline void window(const uint8_t* middle, Py_ssize_t stride, uint8_t* out) noexcept nogil:
    """The SIDE x SIDE cells around one."""
    cdef const uint8_t* source = middle - VISION * (stride + 1)
    cdef Py_ssize_t r
    # 16 bytes are one load and one store; what is too much the next row writes over.
    for r in range(SIDE - 1):
        memcpy(out + r * SIDE, source + r * stride, 16)
    memcpy(out + (SIDE - 1) * SIDE, source + (SIDE - 1) * stride, SIDE)


cdef inline void prefetch_window(const uint8_t* middle, Py_ssize_t stride) noexcept nogil:
    cdef Py_ssize_t r
    for r in range(-VISION, VISION + 1):
        prefetch(middle + r * stride)
