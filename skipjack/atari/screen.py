"""What the agent sees of a console's screen, as the settings say."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.atari.config import AtariConfig
from skipjack.atari.machine import Machine
from skipjack.atari.pixels import stride
from skipjack.errors import missing

STEP = 2
"""Pixels from one that is shown to the next, each way, with resize "stride"."""


class Reader:
    """Writes observations of consoles with the same game.

    Args:
        screen: rows and columns of the screen.
        config: settings.

    Attributes:
        shape: of an observation: (rows, columns) of one gray frame, else (planes, rows, columns).

    Raises:
        MissingPackage: OpenCV is not installed and resize is "area".
    """

    def __init__(self, screen: tuple[int, int], config: AtariConfig) -> None:
        self.config = config
        self.step = 1 if config.resize == "none" else STEP
        self.size = -(-screen[0] // self.step), -(-screen[1] // self.step)
        if config.resize == "area":
            self.size = config.height, config.width
            self.cv2 = _cv2()
        self.colours = 1 if config.grayscale else 3
        planes = self.colours * config.stack
        self.shape = self.size if planes == 1 else (planes, *self.size)
        # One gray frame at a stride takes palette numbers, the quickest that the emulator gives. Their
        # brightness is learnt as they are met: ale-py keeps its table to itself.
        self.lean = config.grayscale and not config.max_pool and config.resize != "area"
        self.brightness = np.full(256, -1, np.int16)

    def take(self, machine: Machine, which: int) -> None:
        """Keep the console's screen as the newest one (0), or as the one before (1)."""
        place = machine.screens[which]
        if self.lean:
            machine.ale.getScreen(place)
        elif self.config.grayscale:
            machine.ale.getScreenGrayscale(place)
        else:
            machine.ale.getScreenRGB(place)

    def read(self, machine: Machine, out: npt.NDArray[np.uint8], first: bool = False) -> None:
        """Write the console's observation.

        Args:
            machine: the console; its stack takes the newest frame.
            out: (*shape).
            first: the newest frame fills all of the stack.
        """
        frames = out.reshape(self.config.stack, self.colours, *self.size)
        if len(frames) == 1:
            self._frame(machine, frames[0])
            return
        stack = machine.stack.reshape(frames.shape)
        stack[:-1] = stack[1:]
        self._frame(machine, stack[-1])
        if first:
            stack[:-1] = stack[-1]
        frames[:] = stack

    def begin(self, machine: Machine) -> None:
        """Give a console room for its stack, if there is one."""
        if self.config.stack > 1:
            machine.stack = np.zeros(self.shape, np.uint8)

    def _frame(self, machine: Machine, out: npt.NDArray[np.uint8]) -> None:
        """The newest frame, (colours, rows, columns)."""
        if self.lean:
            if not stride(machine.screens[0], self.brightness, out[0], self.step):
                self._learn(machine)
                stride(machine.screens[0], self.brightness, out[0], self.step)
            return
        pooled = machine.screens[0]
        if self.config.max_pool:
            pooled = np.maximum(pooled, machine.screens[1])
        if self.config.resize == "area":
            size = self.size[::-1]
            pooled = self.cv2.resize(pooled, size, interpolation=self.cv2.INTER_AREA)
        else:
            pooled = pooled[:: self.step, :: self.step]
        out[:] = pooled if self.colours == 1 else pooled.transpose(2, 0, 1)

    def _learn(self, machine: Machine) -> None:
        """Take the brightness of every number on the screen: it is read as soon as it is taken."""
        numbers, gray = machine.ale.getScreen(), machine.ale.getScreenGrayscale()
        self.brightness[numbers.reshape(-1)] = gray.reshape(-1)


def _cv2() -> Any:
    try:
        import cv2
    except ImportError:
        raise missing("OpenCV", "atari", 'The setting env.resize = "area"') from None
    return cv2
