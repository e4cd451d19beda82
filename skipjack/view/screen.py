"""What a session needs of a screen: pictures out, keys and the mouse in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from skipjack.native.scene import Scene

LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")
DIGITS = tuple("0123456789")
ARROWS = ("left", "right", "up", "down")
OTHERS = (
    "space", "enter", "tab", "escape", "backspace", "shift", "plus", "minus", "period", "comma",
    "bracketleft", "bracketright", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10",
)  # fmt: skip

KEYS = (*LETTERS, *DIGITS, *ARROWS, *OTHERS)
"""Names of all keys that screens tell of; "shift" is either of the two, "plus" the key with "="."""


@dataclass(frozen=True, slots=True)
class Input:
    """What the keyboard and the mouse did since the last look.

    Attributes:
        pressed: keys that went down since, in their order; a key that is held does not repeat.
        held: keys that are down now.
        clicks: where a button of the mouse went down since, in units (x, y) of the scene that is shown.
        wheel: notches that its wheel was turned since, away from the person counted up.
        closed: nobody looks any more: the window was closed, the last tab is gone.
        away: nobody looks just now, but somebody may: no tab is open yet, or again.
    """

    pressed: tuple[str, ...] = ()
    held: frozenset[str] = frozenset()
    clicks: tuple[tuple[float, float], ...] = ()
    wheel: int = 0
    closed: bool = False
    away: bool = False


class Screen(Protocol):
    """Where a session shows itself. One thread calls it, some sixty times a second."""

    def poll(self) -> Input:
        """What the keyboard and the mouse did since the last call; does not wait."""

    def show(self, scene: Scene) -> None:
        """Show a picture, scaled to what there is with its proportions; does not wait for it."""

    def hear(self, samples: npt.NDArray[np.uint8], rate: int) -> None:
        """Play sound after what is playing, where there is sound; does not wait for it.

        Args:
            samples: 128 is silence.
            rate: samples a second.
        """

    def close(self) -> None:
        """Free what is held. Closing twice is allowed."""
