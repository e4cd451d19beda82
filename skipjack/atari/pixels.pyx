"""Screens into observations: palette numbers to brightness, every n-th pixel each way."""

from libc.stdint cimport int16_t, uint8_t


def stride(
    const uint8_t[:, ::1] screen, const int16_t[::1] brightness, uint8_t[:, ::1] out, int step
):
    """Every `step`-th pixel of a screen.

    Args:
        screen: palette numbers (rows, columns).
        brightness: (256,) by palette number, -1 where it is not known yet.
        out: (rows / step, columns / step), rounded up.
        step: at least 1.

    Returns:
        whether all brightnesses were known; if not, `out` is of no use.
    """
    cdef int y, x, rows = out.shape[0], columns = out.shape[1]
    cdef int16_t value, seen = 0
    cdef const uint8_t* source
    cdef uint8_t* target
    with nogil:
        for y in range(rows):
            source, target = &screen[y * step, 0], &out[y, 0]
            for x in range(columns):
                value = brightness[source[x * step]]
                seen |= value
                target[x] = <uint8_t>value
    return seen >= 0
