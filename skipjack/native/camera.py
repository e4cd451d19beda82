"""Which part of a large world a picture shows: around a seat, nearer or farther, or all of it."""

from __future__ import annotations

from dataclasses import dataclass

ZOOMS = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)
"""How near a camera may be."""

LEAST = 8
"""Cells a side that are shown at least."""


@dataclass(slots=True)
class Camera:
    """What a world's pictures follow. Who looks sets it, the world's `draw` reads it.

    Attributes:
        seat: in the middle, as far as the world's ends allow.
        zoom: times nearer than usual, one of `ZOOMS`.
        whole: all of the world is shown, whatever the zoom.
    """

    seat: int = 0
    zoom: float = 1.0
    whole: bool = False

    def come(self, by: int) -> None:
        """So many steps of `ZOOMS` nearer, or farther if negative; it no longer shows all."""
        self.whole = False
        self.zoom = ZOOMS[min(max(ZOOMS.index(self.zoom) + by, 0), len(ZOOMS) - 1)]

    def span(self, place: int, usual: int, low: int, high: int) -> tuple[int, int]:
        """First cell that is shown along an axis, and how many are.

        Args:
            place: the cell of what is followed.
            usual: cells that are shown where nobody zooms.
            low, high: the world's first cell, and the one after its last.
        """
        length = high - low
        near = round(min(usual, length) / self.zoom)
        shown = length if self.whole else min(max(near, LEAST), length)
        return min(max(place - shown // 2, low), high - shown), shown
