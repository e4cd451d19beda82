"""A world of cells as a picture: all of a small one, the part around an agent of a large one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.native.scene import Circle, Image, Scene

SHOWN = 64
"""Cells a side beyond which a part is shown."""

SIZE = 640
"""Units of the picture's longer side."""

WALLS = 5
"""Cells of wall around a world; one of them is shown."""


def part(cells: npt.NDArray[np.uint8], palette: npt.NDArray[np.uint8], cell: int) -> Scene:
    """A picture with the agent on a cell marked.

    Args:
        cells: (rows, columns), walls included.
        palette: (kinds, 3), the colour of each kind of cell.
        cell: the agent's, counted row by row.
    """
    spans: list[tuple[Any, int]] = []
    for place, length in zip(divmod(cell, cells.shape[1]), cells.shape, strict=True):
        shown = min(length - 2 * WALLS + 2, SHOWN)
        first = min(max(place - shown // 2, WALLS - 1), length - WALLS + 1 - shown)
        spans.append((slice(first, first + shown), place - first))
    (rows, y), (columns, x) = spans
    seen = cells[rows, columns]
    unit = SIZE / max(seen.shape)
    height, width = (unit * side for side in seen.shape)
    return Scene(width, height).add(
        Image(0, 0, width, height, palette[seen]),
        Circle((x + 0.5) * unit, (y + 0.5) * unit, unit / 4, (245, 245, 245)),
    )
