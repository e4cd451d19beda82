"""The grounds of the MOBA: walls, lanes, towers and camps as the blue side has them.

Everything of the red side is the blue side's turned by half: (y, x) becomes (size - 1 - y, size - 1 - x).
Cells are (row, column), row 0 in the north. Two distances shape a ground: `across`, how far a cell lies
south-east of the middle lane, and `ahead`, how far south-west of the river, on the blue side of it.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.games.moba.fields import DIRECTIONS, flow

Cell = tuple[int, int]

BORDER = 7
"""Cells of wall around every ground: no window of 11 x 11 leaves it."""
ROUTE = 4
"""Cells each way from a lane's middle that creeps keep to."""
OFF_ROUTE = 8
"""How many times longer a way off its lane is taken to be."""


@dataclass(frozen=True)
class Terrain:
    """A ground.

    Attributes:
        size: cells a side.
        classes: the heroes of a team by seat, as indices of `heroes.CLASSES`.
        lane_of: the lane that each of them goes to.
        walls: (size, size) bool.
        river: (size, size) bool, for pictures alone.
        towers: (towers, 4): row, column, tier (5: the core, the last one), lane or -1.
        camps: (camps, 2) of the blue half.
        starts: (lanes, 2), where creeps appear.
        home: where heroes appear.
        ways: (fields, size * size) uint8, the direction (`fields.DIRECTIONS`) of the next step: to the
            enemy's core along each lane, then straight to it, then home, then to each camp.
        distance: (size * size) uint16, tenths of cells to the enemy's core.
    """

    size: int
    classes: tuple[int, ...]
    lane_of: tuple[int, ...]
    walls: npt.NDArray[np.bool_]
    river: npt.NDArray[np.bool_]
    towers: npt.NDArray[np.int32]
    camps: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int32]
    home: Cell
    ways: npt.NDArray[np.uint8]
    distance: npt.NDArray[np.uint16]

    @property
    def lanes(self) -> int:
        """Number of lanes."""
        return len(self.starts)


def turned(cell: Cell, size: int) -> Cell:
    """A cell after half a turn of the ground."""
    return size - 1 - cell[0], size - 1 - cell[1]


@functools.cache
def terrain(name: str) -> Terrain:
    """The ground of a name, made once in a process and shared by all envs."""
    return {"full": _full, "small": _small}[name]()


def _full() -> Terrain:
    """Three lanes; jungle in four parts with nine camps a side; a river from corner to corner."""
    size, edge = 128, 14
    far = size - 1 - edge
    across, ahead = _axes(size)
    lanes = [
        [(far, 18), (far, far), (18, far)],
        [(far - 4, 18), (18, far - 4)],
        [(far - 4, edge), (edge, edge), (edge, far - 4)],
    ]
    lane = np.minimum.reduce([_apart(size, path) for path in lanes])
    y, x = np.mgrid[:size, :size]
    base = np.minimum(np.hypot(y - 112, x - 15), np.hypot(y - 15, x - 112))
    jungle = (lane >= 8) & (np.abs(ahead) >= 8) & (base >= 24)
    # Stones of 9 and ways of 5 between them, in steps of the two diagonals.
    stone = ((np.abs(across) - 9) % 15 < 9) & ((np.abs(ahead) - 8) % 15 < 9)
    camps = [
        (83, 22),
        (70, 22),
        (61, 37),
        (76, 36),
        (92, 37),
        (105, 57),
        (105, 44),
        (90, 66),
        (91, 51),
    ]
    clearings = np.minimum.reduce([
        np.maximum(np.abs(y - row), np.abs(x - column))
        for camp in camps for row, column in (camp, turned(camp, size))
    ])  # fmt: skip
    walls = _border(size) | (jungle & stone & (clearings > 4))
    towers = [
        (far, 88, 1, 0), (far, 60, 2, 0), (far, 36, 3, 0),
        (73, 54, 1, 1), (85, 42, 2, 1), (96, 31, 3, 1),
        (39, edge, 1, 2), (67, edge, 2, 2), (91, edge, 3, 2),
        (106, 17, 4, -1), (110, 21, 4, -1), (112, 15, 5, -1),
    ]  # fmt: skip
    starts = [(far, 27), (101, 26), (100, edge)]
    return _made(
        size, ((0, 0), (1, 0), (2, 1), (3, 2), (4, 0)), walls, np.abs(ahead) <= 4, lanes, towers, camps,
        starts, (117, 10),
    )  # fmt: skip


def _small() -> Terrain:
    """One lane between two bases, stones beside it; support, tank and carry."""
    size = 48
    across, ahead = _axes(size)
    stone = (np.abs(across) >= 11) & (np.abs(across) < 16) & ((np.abs(ahead) % 20) >= 10)
    walls = _border(size) | (np.abs(across) > 22) | (stone & (np.abs(ahead) < 46))
    towers = [(29, 17, 1, 0), (34, 15, 2, 0), (37, 10, 5, -1)]
    return _made(
        size, ((0, 0), (3, 0), (4, 0)), walls, np.abs(ahead) <= 3, [[(37, 10), (10, 37)]], towers, [],
        [(33, 12)], (40, 8),
    )  # fmt: skip


def _made(
    size: int, roster: Any, walls: Any, river: Any, lanes: Any, towers: Any, camps: Any,
    starts: Any, home: Cell,
) -> Terrain:  # fmt: skip
    """The ground with its ways."""
    solid = walls.copy()
    for row, column, *_ in towers:
        solid[row, column] = solid[turned((row, column), size)] = True
    core = turned(towers[-1][:2], size)
    even = np.ones((size, size), np.int32)
    found = [
        flow(solid, np.where(_apart(size, path) <= ROUTE, 1, OFF_ROUTE).astype(np.int32), core)
        for path in lanes
    ]
    found += [flow(solid, even, goal) for goal in (core, home, *camps)]
    for way, distance in found:
        _leave(solid & ~walls, solid, way, distance)
    tenths = found[len(lanes)][1]
    return Terrain(
        size=size,
        classes=tuple(kind for kind, _ in roster),
        lane_of=tuple(lane for _, lane in roster),
        walls=walls,
        river=river & ~walls,
        towers=np.array(towers, np.int32).reshape(-1, 4),
        camps=np.array(camps, np.int32).reshape(-1, 2),
        starts=np.array(starts, np.int32).reshape(-1, 2),
        home=home,
        ways=np.ascontiguousarray([way.reshape(-1) for way, _ in found]),
        distance=np.ascontiguousarray(tenths.reshape(-1).astype(np.uint16)),
    )


def _leave(towers: Any, solid: Any, way: npt.NDArray[Any], distance: npt.NDArray[Any]) -> None:
    """Ways from where towers stand, for who steps there once they have fallen: to the nearest cell beside."""
    for y, x in np.argwhere(towers):
        beside = [
            (distance[y + dy, x + dx] + (14 if dy and dx else 10), d)
            for d, (dy, dx) in enumerate(DIRECTIONS)
            if not solid[y + dy, x + dx] or distance[y + dy, x + dx] == 0
        ]
        if distance[y, x]:
            distance[y, x], way[y, x] = min(beside)


def _axes(size: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """`across` and `ahead` of every cell; a half turn changes the sign of both."""
    y, x = np.mgrid[:size, :size]
    return y + x - (size - 1), y - x


def _border(size: int) -> npt.NDArray[np.bool_]:
    walls = np.ones((size, size), np.bool_)
    walls[BORDER:-BORDER, BORDER:-BORDER] = False
    return walls


def _apart(size: int, path: list[Cell]) -> npt.NDArray[Any]:
    """Cells from each cell to a line through the points of a path."""
    y, x = np.mgrid[:size, :size]
    found = np.full((size, size), np.inf)
    for (y0, x0), (y1, x1) in itertools.pairwise(path):
        dy, dx = y1 - y0, x1 - x0
        along = np.clip(((y - y0) * dy + (x - x0) * dx) / (dy * dy + dx * dx), 0, 1)
        found = np.minimum(found, np.hypot(y - y0 - along * dy, x - x0 - along * dx))
    return found
