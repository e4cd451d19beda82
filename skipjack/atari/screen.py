"""What the agent sees of a console's screen, as the settings say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from skipjack.atari.config import AtariConfig
from skipjack.atari.machine import Machine
from skipjack.atari.pixels import Areas, brighten, stride
from skipjack.errors import must

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
        UsageError: `height` or `width` exceeds the screen's.
    """

    def __init__(self, screen: tuple[int, int], config: AtariConfig) -> None:
        self.config = config
        self.step = 1 if config.resize == "none" else STEP
        self.size = -(-screen[0] // self.step), -(-screen[1] // self.step)
        if config.resize == "area":
            self.size = config.height, config.width
            if self.size[0] > screen[0] or self.size[1] > screen[1]:
                raise must(
                    f"env.height and env.width must be at most the screen's {screen[0]} x {screen[1]}",
                    got=self.size,
                )
            self.areas = Areas(screen, self.size)
        self.colours = 1 if config.grayscale else 3
        planes = self.colours * config.stack
        self.shape = self.size if planes == 1 else (planes, *self.size)
        # Palette numbers are what the emulator gives quickest. Their brightness is learnt as they are
        # met: ale-py keeps its table to itself.
        self.table = np.full(256, -1, np.int16)
        self.numbers = np.zeros(screen, np.uint8)

    def take(self, machine: Machine, which: int) -> None:
        """Keep the console's screen as the newest one (0), or as the one before (1)."""
        if not self.config.grayscale:
            machine.ale.getScreenRGB(machine.screens[which])
            return
        machine.ale.getScreen(self.numbers)
        kept = machine.numbers[which], machine.screens[which]
        if not brighten(self.numbers, self.table, *kept):
            gray = machine.ale.getScreenGrayscale()
            self.table[self.numbers.reshape(-1)] = gray.reshape(-1)
            brighten(self.numbers, self.table, *kept)

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
        newest, before = machine.screens
        older = before if self.config.max_pool else newest
        if not self.config.grayscale:
            newest, older = planes(newest), planes(older)
        else:
            newest, older = newest[None], older[None]
        if self.config.resize == "area":
            for plane in range(self.colours):
                self.areas.shrink(newest[plane], older[plane], out[plane])
        else:
            for plane in range(self.colours):
                stride(newest[plane], older[plane], out[plane], self.step)


def planes(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """(rows, columns, colours) as (colours, rows, columns)."""
    return np.ascontiguousarray(picture.transpose(2, 0, 1))
