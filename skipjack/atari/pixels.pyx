"""Screens into observations: palette numbers to brightness, every n-th pixel each way, means of areas."""

from libc.math cimport fabsf, floorf, lrintf
from libc.stdint cimport int16_t, uint8_t
from libc.string cimport memcmp, memcpy

import numpy as np

cdef double NEAR = 1e-3  # share of a cell below which it is not looked at
cdef float TIE = 1e-3  # distance from a half within which the order of the sums may tell
cdef enum:
    LEAST = 3  # cells that are summed up without a loop


def brighten(
    const uint8_t[:, ::1] screen, const int16_t[::1] table, uint8_t[:, ::1] seen, uint8_t[:, ::1] gray
):
    """Bring the brightness of a screen up to date; rows that did not change cost a comparison.

    Args:
        screen: palette numbers (rows, columns).
        table: (256,) brightness by palette number, -1 where it is not known yet.
        seen: the palette numbers that `gray` shows; becomes `screen`.
        gray: (rows, columns) brightness.

    Returns:
        whether all brightnesses were known; if not, call again when they are.
    """
    cdef Py_ssize_t y, x, columns = screen.shape[1]
    cdef int16_t value, known = 0
    cdef const uint8_t* source
    cdef uint8_t* target
    with nogil:
        for y in range(screen.shape[0]):
            source, target = &screen[y, 0], &gray[y, 0]
            if memcmp(source, &seen[y, 0], columns) == 0:
                continue
            for x in range(columns):
                value = table[source[x]]
                known |= value
                target[x] = <uint8_t>value
            if known < 0:
                break
            memcpy(&seen[y, 0], source, columns)
    return known >= 0


def stride(
    const uint8_t[:, ::1] screen, const uint8_t[:, ::1] before, uint8_t[:, ::1] out, Py_ssize_t step
):
    """Every `step`-th pixel each way of the brighter of two screens, or of one given twice.

    `out` is (rows / step, columns / step), rounded up.
    """
    cdef Py_ssize_t y, x, columns = out.shape[1]
    cdef const uint8_t* newer
    cdef const uint8_t* older
    cdef uint8_t* target
    with nogil:
        for y in range(out.shape[0]):
            newer, older, target = &screen[y * step, 0], &before[y * step, 0], &out[y, 0]
            if step == 2:  # known to the compiler, which then takes many at once
                for x in range(columns):
                    target[x] = max(newer[2 * x], older[2 * x])
            else:
                for x in range(columns):
                    target[x] = max(newer[x * step], older[x * step])


cdef class Areas:
    """Means of areas: a screen with fewer rows and columns, each of its pixels weighed by its share.

    The bytes are those of OpenCV's INTER_AREA: a mean so near a half that the order of its sum decides
    is summed up again in OpenCV's order. Where both factors are whole numbers OpenCV rounds in another
    way, and differs by 1 at most.

    Args:
        size: rows and columns of the screens.
        to: rows and columns of what becomes of them, at most as many.
    """

    cdef int rows, columns
    cdef int[::1] top, left
    cdef float[:, ::1] down, across
    cdef float[::1] line, row

    def __init__(self, size: tuple[int, int], to: tuple[int, int]):
        self.top, self.down = shares(size[0], to[0])
        self.left, self.across = shares(size[1], to[1])
        self.rows, self.columns = to
        # An area at the edge looks past it, with a share of nothing.
        self.line = np.zeros(size[1] + self.across.shape[1], np.float32)
        self.row = np.zeros(to[1], np.float32)

    def shrink(
        self, const uint8_t[:, ::1] screen, const uint8_t[:, ::1] before, uint8_t[:, ::1] out
    ):
        """Write the means of areas of the brighter of two screens, or of one given twice, to `out`."""
        cdef Py_ssize_t x, y, part, source, most = self.across.shape[1]
        cdef Py_ssize_t wide = self.columns, seen = screen.shape[1]
        cdef const int* left = &self.left[0]
        cdef const float* near
        cdef const float* weight
        cdef float* line = &self.line[0]
        cdef float* row = &self.row[0]
        cdef float share, mean
        with nogil:
            for y in range(self.rows):
                for x in range(seen):
                    line[x] = 0.0
                for part in range(self.down.shape[1]):
                    share, source = self.down[y, part], self.top[y] + part
                    if share == 0.0:
                        continue
                    for x in range(seen):
                        line[x] += share * max(screen[source, x], before[source, x])
                for x in range(wide):
                    near, weight = line + left[x], &self.across[x, 0]
                    mean = weight[0] * near[0] + weight[1] * near[1] + weight[2] * near[2]
                    for part in range(LEAST, most):
                        mean += weight[part] * near[part]
                    row[x] = mean
                for x in range(wide):
                    mean = row[x]
                    out[y, x] = <uint8_t>lrintf(mean)
                    if fabsf(mean - floorf(mean) - 0.5) < TIE:
                        out[y, x] = self._sum(screen, before, y, x)

    cdef uint8_t _sum(
        self, const uint8_t[:, ::1] screen, const uint8_t[:, ::1] before, Py_ssize_t y, Py_ssize_t x
    ) noexcept nogil:
        """One mean as OpenCV sums it up."""
        cdef float total = 0.0, row
        cdef Py_ssize_t source, column, down, across
        for down in range(self.down.shape[1]):
            source = self.top[y] + down
            if self.down[y, down] == 0.0:
                continue
            row = 0.0
            for across in range(self.across.shape[1]):
                column = self.left[x] + across
                if self.across[x, across] != 0.0:
                    row += self.across[x, across] * max(screen[source, column], before[source, column])
            total += self.down[y, down] * row
        return <uint8_t>lrintf(total)


def shares(count: int, to: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each of `to` equal parts of `count` cells begins, and each cell's share of the part.

    Returns:
        the first cell (to,) int32, and the shares of it and of those that follow (to, most) float32.
    """
    wide = count / to
    begins = np.arange(to) * wide
    first = np.floor(begins + NEAR).astype(np.int32)
    most = max(LEAST, int((np.ceil(begins + wide - NEAR) - first).max()))
    cells = first[:, None] + np.arange(most)
    overlap = np.minimum(cells + 1, (begins + wide)[:, None]) - np.maximum(cells, begins[:, None])
    return first, (np.where(overlap > NEAR, overlap, 0.0) / wide).astype(np.float32)
