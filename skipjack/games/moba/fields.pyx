"""Flow fields: from every free cell the next step of the shortest way to a goal (Dijkstra, 1959).

A step to a neighbour costs 10, one over a corner 14, times the weight of the cell that it leads to. A
step over a corner needs both cells beside it free. Directions are numbered clockwise from north, so that
half a turn adds four:

    7 0 1
    6 . 2
    5 4 3
"""

import heapq

import numpy as np

DIRECTIONS = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
"""(down, right) of each direction."""

STAY = 8
"""The direction at the goal, and where there is no way."""

FAR = 65_535
"""The distance where there is no way, and the longest that is told."""


def flow(solid, weights, goal):
    """Directions (size, size) uint8 and distances (size, size) int32 to a goal.

    Args:
        solid: (size, size) bool, cells that nobody can walk on; the goal may be one.
        weights: (size, size) int32, at least 1.
        goal: (row, column).
    """
    cdef int size = solid.shape[0], cell, other, d, cost, y, x, dy, dx
    cdef unsigned char[::1] closed = np.ascontiguousarray(solid, np.uint8).reshape(-1)
    cdef int[::1] weight = np.ascontiguousarray(weights, np.int32).reshape(-1)
    ways = np.full(size * size, STAY, np.uint8)
    distances = np.full(size * size, FAR, np.int32)
    cdef unsigned char[::1] way = ways
    cdef int[::1] distance = distances
    cdef int[8] down
    cdef int[8] right
    for d in range(8):
        down[d], right[d] = DIRECTIONS[d]
    cell = goal[0] * size + goal[1]
    distance[cell] = 0
    heap = [(0, cell)]
    while heap:
        cost, cell = heapq.heappop(heap)
        if cost > distance[cell]:
            continue
        y, x = cell // size, cell % size
        for d in range(8):
            dy, dx = down[d], right[d]
            if not (0 <= y + dy < size and 0 <= x + dx < size):
                continue
            other = cell + dy * size + dx
            if closed[other] or dy and dx and (closed[cell + dx] or closed[cell + dy * size]):
                continue
            # The step is taken the other way round: from `other` into `cell`.
            if cost + (14 if dy and dx else 10) * weight[cell] < distance[other]:
                distance[other] = cost + (14 if dy and dx else 10) * weight[cell]
                way[other] = (d + 4) % 8
                heapq.heappush(heap, (distance[other], other))
    return ways.reshape(size, size), distances.reshape(size, size)
