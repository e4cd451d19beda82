"""A window on the desktop of this machine, drawn by raylib.

Keys go by their place on a US keyboard, as games want them: "w" is above "s" on every keyboard.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.errors import SkipjackError, clause, missing
from skipjack.native import letters
from skipjack.native.scene import Scene
from skipjack.view.painter import Painter
from skipjack.view.screen import ARROWS, DIGITS, LETTERS, Input
from skipjack.view.speaker import Speaker

_DIGITS = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")

RAYLIB_KEYS = {
    **{letter.upper(): letter for letter in LETTERS},
    **dict(zip(_DIGITS, DIGITS, strict=True)),
    **{f"KP_{digit}": digit for digit in DIGITS},
    **{arrow.upper(): arrow for arrow in ARROWS},
    **{f"F{number}": f"f{number}" for number in range(1, 11)},
    "SPACE": "space", "ENTER": "enter", "KP_ENTER": "enter", "TAB": "tab", "ESCAPE": "escape",
    "BACKSPACE": "backspace", "LEFT_SHIFT": "shift", "RIGHT_SHIFT": "shift", "EQUAL": "plus",
    "KP_ADD": "plus", "MINUS": "minus", "KP_SUBTRACT": "minus", "PERIOD": "period",
    "KP_DECIMAL": "period", "COMMA": "comma", "LEFT_BRACKET": "bracketleft",
    "RIGHT_BRACKET": "bracketright",
}  # fmt: skip
"""raylib's names of keys, without their KEY_, and ours."""

LARGEST = 0.9
"""Share of the monitor that a window takes at most when it opens: bars and frames need the rest."""


class Window:
    """A window that shows scenes and tells which keys are down; one at a time in a process.

    Args:
        title: what its bar says.
        width, height: size of its picture in pixels; smaller, with these proportions, where the
            monitor is too small.

    Raises:
        SkipjackError: there is no display, no raylib, no Pillow, a window already, or none could be opened.
    """

    def __init__(self, title: str, width: int, height: int) -> None:
        if display() is None:
            raise SkipjackError(
                "A window needs a display, but neither DISPLAY nor WAYLAND_DISPLAY is set. Add --browser "
                "to use a browser instead, or put xvfb-run -a before the command."
            )
        self._raylib = raylib = _load()
        letters.font(10)  # a Pillow that is missing is told of before there is a window
        self._open = self._closed = False
        if raylib.IsWindowReady():
            raise SkipjackError("A process can have one window, but there is one. Close it first.")
        raylib.SetTraceLogLevel(raylib.LOG_NONE)
        # ALWAYS_RUN: without it, looking for events waits as long as the window is minimised.
        # No FLAG_MSAA_4X_HINT: drawn without a graphics card, a picture would take three times as long.
        raylib.SetConfigFlags(
            raylib.FLAG_WINDOW_HIDDEN | raylib.FLAG_WINDOW_RESIZABLE | raylib.FLAG_WINDOW_ALWAYS_RUN
        )
        with _quiet():
            raylib.InitWindow(width, height, title.encode())
        if not raylib.IsWindowReady():
            raise SkipjackError(
                f"No window could be opened on the display {display()!r}. Is it there, with OpenGL 3.3? "
                "Add --browser to use a browser instead."
            )
        self._open = True
        self._names = {getattr(raylib, f"KEY_{key}"): name for key, name in RAYLIB_KEYS.items()}
        self._painter = Painter(raylib)
        self._placed = 0.0, 0.0, 1.0  # left, top and scale of the picture that is shown
        self._wheel = 0.0  # what is less than a notch
        self._speaker: Speaker | None = None  # opened by the first sound: most games make none
        raylib.SetExitKey(raylib.KEY_NULL)
        self._fit(width, height)
        raylib.ClearWindowState(raylib.FLAG_WINDOW_HIDDEN)

    def poll(self) -> Input:
        """What the keyboard and the mouse did since the last call; does not wait."""
        if not self._open:
            return Input(closed=True)
        raylib = self._raylib
        raylib.PollInputEvents()
        # raylib tells of the close button once.
        self._closed = self._closed or raylib.WindowShouldClose()
        pressed = []
        while code := raylib.GetKeyPressed():
            if name := self._names.get(code):
                pressed.append(name)
        held = frozenset(name for code, name in self._names.items() if raylib.IsKeyDown(code))
        return Input(tuple(pressed), held, self._clicks(), self._notches(), self._closed)

    def show(self, scene: Scene) -> None:
        """Show a picture, as large as the window holds with its proportions."""
        if not self._open:
            return
        raylib = self._raylib
        width, height = raylib.GetScreenWidth(), raylib.GetScreenHeight()
        scale = min(width / scene.width, height / scene.height)
        left = round((width - scale * scene.width) / 2)
        top = round((height - scale * scene.height) / 2)
        self._placed = left, top, scale
        raylib.BeginDrawing()
        raylib.ClearBackground((0, 0, 0, 255))
        raylib.BeginScissorMode(
            left, top, math.ceil(scale * scene.width), math.ceil(scale * scene.height)
        )
        self._painter.paint(scene, left, top, scale)
        raylib.EndScissorMode()
        if self._speaker is not None:
            self._speaker.feed()
        # Not EndDrawing: that would also take the events, which belong to `poll`.
        raylib.SwapScreenBuffer()

    def hear(self, samples: npt.NDArray[np.uint8], rate: int) -> None:
        """Play sound after what is playing, where the system has sound; does not wait for it."""
        if not self._open:
            return
        if self._speaker is None:
            with _quiet():
                self._speaker = Speaker(self._raylib, rate)
        self._speaker.hear(samples)

    def close(self) -> None:
        """Close the window. Closing twice is allowed."""
        if self._open:
            self._open = False
            if self._speaker is not None:
                self._speaker.close()
            self._painter.close()
            self._raylib.CloseWindow()

    def _clicks(self) -> tuple[tuple[float, float], ...]:
        """Where a button went down, in the shown scene's units."""
        raylib = self._raylib
        buttons = raylib.MOUSE_BUTTON_LEFT, raylib.MOUSE_BUTTON_RIGHT
        if not any(map(raylib.IsMouseButtonPressed, buttons)):
            return ()
        place, (left, top, scale) = raylib.GetMousePosition(), self._placed
        return (((place.x - left) / scale, (place.y - top) / scale),)

    def _notches(self) -> int:
        """Whole notches of the wheel; touch pads tell of parts, which add up."""
        self._wheel += self._raylib.GetMouseWheelMove()
        whole = int(self._wheel)
        self._wheel -= whole
        return whole

    def _fit(self, width: int, height: int) -> None:
        """Shrink a window that is too large for its monitor, and put it into the middle."""
        raylib = self._raylib
        monitor = raylib.GetCurrentMonitor()
        across, down = raylib.GetMonitorWidth(monitor), raylib.GetMonitorHeight(monitor)
        scale = LARGEST * min(across / width, down / height)
        if not 0 < scale < 1:  # it fits, or the monitor's size is not known
            return
        width, height = round(scale * width), round(scale * height)
        corner = raylib.GetMonitorPosition(monitor)
        raylib.SetWindowSize(width, height)
        raylib.SetWindowPosition(
            int(corner.x) + (across - width) // 2, int(corner.y) + (down - height) // 2
        )


def display() -> str | None:
    """Where a window would open, None if nowhere."""
    if sys.platform in ("win32", "darwin"):
        return "desktop"
    return os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or None


def _load() -> Any:
    """The raylib module."""
    logging.getLogger("raylib").setLevel(logging.CRITICAL)  # it greets on stderr
    try:
        import raylib
    except ModuleNotFoundError:
        raise missing("raylib", "view", "A window") from None
    except ImportError as error:
        raise SkipjackError(
            f"raylib is installed, but does not load here: {clause(error)}. Add --browser to use a "
            "browser instead."
        ) from error
    return raylib


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Nothing on stderr, not even from C: Wayland's and OpenGL's libraries grumble before they work."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
