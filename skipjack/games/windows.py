"""Ways through windows of cells, for the scripted players of several games."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

STRAIGHT = ((-1, 0), (1, 0), (0, -1), (0, 1))
DIAGONAL = ((-1, -1), (-1, 1), (1, -1), (1, 1))
STEPS = 24
"""Longest way that is looked for, by default."""


def mask(cells: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Cells (rows, side, side) with a border of none."""
    return np.pad(cells, ((0, 0), (1, 1), (1, 1)))


def nearest(
    goals: npt.NDArray[Any], free: npt.NDArray[Any], diagonal: bool = False, steps: int = STEPS
) -> npt.NDArray[Any]:
    """Steps to the nearest goal from each cell (rows, side + 2, side + 2), with a border; inf: none.

    Args:
        goals: (rows, side, side).
        free: which cells can be walked on, likewise.
        diagonal: whether a step may go both ways at once.
        steps: longest way that is looked for.
    """
    goals, free = mask(goals), mask(free)
    way = np.where(goals, 0.0, np.inf)
    moves = STRAIGHT + DIAGONAL if diagonal else STRAIGHT
    for _ in range(steps):
        near = np.minimum.reduce([np.roll(way, by, (1, 2)) for by in moves])
        way = np.where(free, np.minimum(way, near + 1), np.inf)
    return way


def away(way: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """The step (rows), down and to the right, from the middle to its best neighbour; 0 where none is."""
    middle = way.shape[1] // 2
    moves = STRAIGHT + DIAGONAL
    ways = np.stack([way[:, middle + dy, middle + dx] for dy, dx in moves], 1)
    best = np.array(moves)[ways.argmin(1)]
    best[~np.isfinite(ways).any(1)] = 0
    return best[:, 0], best[:, 1]
