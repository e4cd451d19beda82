"""A screen for tests: keys as they are written down, pictures as they come."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from skipjack.native.scene import Rectangle, Scene, Text
from skipjack.view.screen import Input


class Script:
    """Tells one input a look, and closes after the last.

    Args:
        inputs: what each look finds: keys that went down and stay down until the next look.
    """

    def __init__(self, inputs: Iterable[Iterable[str] | Input] = ()) -> None:
        self.inputs = list(inputs)
        self.scenes: list[Scene] = []
        self.sounds: list[tuple[npt.NDArray[np.uint8], int]] = []
        self.held: frozenset[str] = frozenset()
        self.closed = 0

    def poll(self) -> Input:
        if not self.inputs:
            return Input(closed=True)
        found = self.inputs.pop(0)
        if isinstance(found, Input):
            self.held = found.held
            return found
        held = frozenset(found)
        pressed = tuple(key for key in found if key not in self.held)
        self.held = held
        return Input(pressed=pressed, held=held)

    def show(self, scene: Scene) -> None:
        self.scenes.append(scene)

    def hear(self, samples: npt.NDArray[np.uint8], rate: int) -> None:
        self.sounds.append((samples, rate))

    def close(self) -> None:
        self.closed += 1


def words(scene: Scene) -> list[str]:
    """All words of a scene, from the lowest to the highest."""
    return [item.words for item in scene.items if isinstance(item, Text)]


def rectangles(scene: Scene, colour: tuple[int, ...]) -> list[Rectangle]:
    """All rectangles of a colour."""
    return [item for item in scene.items if isinstance(item, Rectangle) and item.colour == colour]
