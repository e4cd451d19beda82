"""Where people have pointed with the mouse, and what they do to come there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from skipjack.view.keys import Keyboard
from skipjack.view.world import World


class Mouse:
    """The places that rows are on their way to.

    Args:
        world: the envs, whose game says what is where and how to come there.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self._goals: dict[int, Any] = {}

    def send(self, row: int, what: Any) -> None:
        """Let a row go to what was pointed at (`World.pointed`)."""
        self._goals[row] = what

    def lead(self, row: int, keyboard: Keyboard, keys: Sequence[str]) -> npt.NDArray[Any] | None:
        """The action (width,) that goes on; None if there is nowhere to go, or a key takes over."""
        goal = self._goals.get(row)
        if goal is None:
            return None
        led = None if keyboard.steers(keys) else self.world.towards(row, goal)
        if led is None:
            del self._goals[row]
        return led

    def forget(self) -> None:
        """Nobody goes anywhere."""
        self._goals.clear()
