"""A scripted player for all seats, from observations alone: it pushes its lane and goes home when low."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.games.moba.fields import DIRECTIONS
from skipjack.games.moba.terrain import Terrain

LOW, HIGH = 90, 230
"""Shares of 255 of its health below which a hero goes home, and above which it leaves."""
HOME = 12
"""Cells from home that count as there."""
FOES = (3, 5, 11, 12, 13, 14, 15)
"""Kinds of a window's cells that are of the other side."""
NEUTRAL_LEVEL = 25
"""The level that windows show of neutrals, which are left alone."""


class Player:
    """What the heroes of a ground choose.

    Args:
        ground: where they play.
    """

    def __init__(self, ground: Terrain) -> None:
        self.ground = ground
        steps = [*DIRECTIONS, (0, 0)]
        # The choices of vy and vx that go a whole step up or left, stay, go down or right.
        self.steps = np.array([[(1, 0, 6)[each + 1] for each in step] for step in steps])
        self.lane = np.zeros(5, np.int64)
        for kind, lane in zip(ground.classes, ground.lane_of, strict=True):
            self.lane[kind] = lane

    def __call__(self, seen: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Actions (rows, 6).

        Args:
            seen: the fields of observations (rows, ...) by name.
        """
        kind, ground = seen["kind"], self.ground
        row, column = seen["position"].T.astype(np.int64)
        at = row * ground.size + column
        neutral = (kind == 3) & (seen["level_seen"] == NEUTRAL_LEVEL)
        foe = np.isin(kind, FOES) & ~neutral
        near = foe[:, 1:-1, 1:-1].any((1, 2))
        tower = (kind == 5) & (seen["level_seen"] < 250)  # a core does not shoot
        alone = tower.any((1, 2)) & ~(kind == 2).any((1, 2))
        home_row, home_column = ground.home
        there = np.maximum(abs(row - home_row), abs(column - home_column)) <= HOME
        low = seen["health_left"][:, 0] < np.where(there, HIGH, LOW)
        away = low | alone
        which = np.where(away, ground.lanes + 1, self.lane[seen["class"].argmax(1)])
        found = np.zeros((len(kind), 6), np.int32)
        found[:, :2] = self.steps[ground.ways[which, at]]
        found[near & ~away, :2] = 0
        found[:, 3:] = foe.any((1, 2))[:, None]
        return found
