"""The kernel that every native game stands on, and what another package needs to build one."""

from __future__ import annotations

from pathlib import Path


def get_include() -> str:
    """Folder on whose path `cimport skipjack.native.kernel` is found, for a game's own build."""
    return str(Path(__file__).parents[2])
