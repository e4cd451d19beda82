"""A mouse for the MOBA: what lies at a point of its picture, and how a hero comes there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.games.moba.fields import DIRECTIONS, STAY, flow
from skipjack.games.moba.picture import CREEP, HERO, NEUTRAL, TOWER, UNIT, View, id_of
from skipjack.games.moba.terrain import Cell, Terrain

NEAR = 0.8
"""Cells from the middle of a unit within which a point is at it."""
STRIKE = 4
"""Cells each way at which a hero stands before whom it attacks."""
LEAP = 4
"""Cells each way in a tick beyond which a unit is another one, or has died and is at home."""
MODES = {CREEP: 0, NEUTRAL: 0, HERO: 1, TOWER: 1}
"""The attack mode that finds a unit: heroes and towers are not hidden behind creeps."""
STEPS = (1, 0, 6)
"""The choices of vy and vx that go a whole step back, none, ahead."""


@dataclass(slots=True)
class Goal:
    """Where a hero is to go.

    Attributes:
        cell: row and column.
        seat: of the hero that stands there, None if it is none that has a seat.
        number: of the unit that stands there, among `entities`; 0 for a place.
        ways: (size, size) directions to `way_to`, made when they are needed.
        way_to: the cell that they lead to.
    """

    cell: Cell
    seat: int | None = None
    number: int = 0
    ways: npt.NDArray[np.uint8] | None = None
    way_to: Cell | None = None


def pointed(
    game: dict[str, Any], view: View, x: float, y: float, seats: dict[int, int]
) -> Goal | None:
    """What lies at a point of a picture; None outside of the ground.

    Args:
        game: its snapshot.
        view: what the picture shows.
        x, y: the point, in its units.
        seats: by number of a hero's unit, its seat.
    """
    place = view.place(x, y)
    if place is None:
        return None
    units = [
        (max(abs(each["y"] / UNIT - place[0]), abs(each["x"] / UNIT - place[1])), number)
        for number, each in enumerate(game["entities"])
        if each["alive"]
    ]
    far, number = min(units)
    if far > NEAR:
        return Goal((int(place[0]), int(place[1])))
    return Goal(_cell(game["entities"][number]), seats.get(number), number)


def towards(
    game: dict[str, Any], ground: Terrain, hero: int, goal: Goal
) -> npt.NDArray[Any] | None:
    """What a hero chooses (6,) to come to a goal and attack who is there; None: it is there, or gone.

    Args:
        game: its snapshot.
        ground: where it is played.
        hero: 5 * team + seat.
        goal: what `pointed` gave; who is there is followed.
    """
    own = game["entities"][id_of(hero)]
    found = np.zeros(6, np.int32)
    if goal.number:
        unit = game["entities"][goal.number]
        if not unit["alive"] or _apart(_cell(unit), goal.cell) > LEAP:
            return None
        goal.cell = _cell(unit)
        if unit["team"] != own["team"]:
            found[2] = MODES[unit["kind"]]
            if _apart(_cell(own), goal.cell) <= STRIKE:
                return found
    if _cell(own) == goal.cell or (goal.number and _apart(_cell(own), goal.cell) <= 1):
        return None
    direction = int(_ways(game, ground, goal)[_cell(own)])
    if direction == STAY:
        return None
    turn = -1 if own["half"] else 1  # red chooses as if it were blue
    found[:2] = [STEPS[1 + turn * each] for each in DIRECTIONS[direction]]
    return found


def _ways(game: dict[str, Any], ground: Terrain, goal: Goal) -> npt.NDArray[np.uint8]:
    """Directions to the goal around walls and towers; to the nearest free cell where it is a wall."""
    if goal.ways is None or goal.way_to != goal.cell:
        solid = ground.walls.copy()
        rows, columns = np.nonzero(~solid)
        far = (rows - goal.cell[0]) ** 2 + (columns - goal.cell[1]) ** 2
        end = int(far.argmin())
        for each in game["entities"]:
            if each["alive"] and each["kind"] == TOWER:
                solid[_cell(each)] = True
        even = np.ones(solid.shape, np.int32)
        goal.ways, _ = flow(solid, even, (int(rows[end]), int(columns[end])))
        goal.way_to = goal.cell
    return goal.ways


def _cell(unit: dict[str, Any]) -> Cell:
    return unit["y"] // UNIT, unit["x"] // UNIT


def _apart(a: Cell, b: Cell) -> int:
    """Cells between two cells, along the longer axis."""
    return max(abs(a[0] - b[0]), abs(a[1] - b[1]))
