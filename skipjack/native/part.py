"""A world of cells as a picture: all of a small one, the part around an agent of a large one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.native.camera import Camera
from skipjack.native.scene import Circle, Image, Scene

SHOWN = 64
"""Cells a side beyond which a part is shown, unless the camera is farther."""

SIZE = 640
"""Units of the picture's longer side."""

WALLS = 5
"""Cells of wall around a world; one of them is shown."""

MARK = 2.5
"""Units of the agent's mark at least: in a whole world a cell is too small to be found."""


def part(
    cells: npt.NDArray[np.uint8], palette: npt.NDArray[np.uint8], cell: int, camera: Camera
) -> Scene:
    """A picture with the agent on a cell marked.

    Args:
        cells: (rows, columns), walls included.
        palette: (kinds, 3), the colour of each kind of cell.
        cell: the agent's, counted row by row.
        camera: which part is shown; the cell is its seat's.
    """
    spans: list[tuple[Any, int]] = []
    for place, length in zip(divmod(cell, cells.shape[1]), cells.shape, strict=True):
        first, shown = camera.span(place, SHOWN, WALLS - 1, length - WALLS + 1)
        spans.append((slice(first, first + shown), place - first))
    (rows, y), (columns, x) = spans
    seen = cells[rows, columns]
    unit = SIZE / max(seen.shape)
    height, width = (unit * side for side in seen.shape)
    return Scene(width, height).add(
        Image(0, 0, width, height, palette[seen]),
        Circle((x + 0.5) * unit, (y + 0.5) * unit, max(unit / 4, MARK), (245, 245, 245)),
    )
