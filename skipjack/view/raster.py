"""The raster among the renderers of this room; it stands below it, where `rgb_array` needs it too."""

from __future__ import annotations

from skipjack.native.raster import render

__all__ = ["render"]
