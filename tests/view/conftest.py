"""A virtual display (Xvfb), what is seen on it, and an X client in ctypes that presses keys and buttons."""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib.util
import json
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import pytest

SIZE = (1000, 900)


def cannot_see(reason: str) -> NoReturn:
    """Skip, but fail where these tests must run."""
    if os.environ.get("CI") or os.environ.get("SKIPJACK_MUST_SEE") == "1":
        pytest.fail(f"{reason}, where the tests of screens must run")
    pytest.skip(reason)


class ClientMessage(ctypes.Structure):
    """XClientMessageEvent, as large as an XEvent."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("rest", ctypes.c_long * 24),
    )


class Display:
    """An X display without a window manager: the one window on it is a child of its root."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self._file = name, folder / "Xvfb_screen0"
        self._x = ctypes.CDLL(ctypes.util.find_library("X11"))
        self._test = ctypes.CDLL(ctypes.util.find_library("Xtst"))
        self._x.XOpenDisplay.restype = ctypes.c_void_p
        for number in ("XStringToKeysym", "XInternAtom", "XDefaultRootWindow"):
            getattr(self._x, number).restype = ctypes.c_ulong
        self._connection = ctypes.c_void_p(self._x.XOpenDisplay(name.encode()))
        assert self._connection, f"no connection to {name}"

    def close(self) -> None:
        self._x.XCloseDisplay(self._connection)

    def pixels(self) -> npt.NDArray[np.uint8]:
        """What is seen: (rows, columns, 3). The file is in the format of xwd."""
        raw = self._file.read_bytes()
        header = struct.unpack(">25I", raw[:100])
        height, bytes_a_row, start = header[5], header[12], header[0] + 12 * header[19]
        rows = np.frombuffer(raw, np.uint8, height * bytes_a_row, start)
        return rows.reshape(height, -1, 4)[..., 2::-1]

    def key(self, name: str, down: bool) -> None:
        """Press or release the key of an X keysym."""
        symbol = self._x.XStringToKeysym(name.encode())
        code = self._x.XKeysymToKeycode(self._connection, ctypes.c_ulong(symbol))
        assert code, f"no key {name}"
        self._test.XTestFakeKeyEvent(self._connection, code, down, ctypes.c_ulong(0))
        self._x.XSync(self._connection, 0)

    def tap(self, name: str) -> None:
        self.key(name, True)
        self.key(name, False)
        time.sleep(0.005)  # a key that goes down twice in a millisecond is taken for an echo

    def point(self, x: int, y: int) -> None:
        """Move the mouse to a pixel of the window."""
        left, top, _, _ = self.window()[1]
        self._test.XTestFakeMotionEvent(self._connection, -1, left + x, top + y, ctypes.c_ulong(0))
        self._x.XSync(self._connection, 0)

    def button(self, number: int, down: bool) -> None:
        """Press or release a button of the mouse: 1 the left one, 3 the right one, 4 and 5 the wheel."""
        self._test.XTestFakeButtonEvent(self._connection, number, down, ctypes.c_ulong(0))
        self._x.XSync(self._connection, 0)

    def window(self) -> tuple[int, tuple[int, int, int, int]]:
        """The largest window, with its (x, y, width, height)."""
        root, parent, number = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_uint()
        children = ctypes.POINTER(ctypes.c_ulong)()
        self._x.XQueryTree(
            self._connection, ctypes.c_ulong(self._x.XDefaultRootWindow(self._connection)),
            *map(ctypes.byref, (root, parent, children, number)),
        )  # fmt: skip
        found = []
        for window in children[: number.value]:
            x, y = ctypes.c_int(), ctypes.c_int()
            sizes = width, height, _border, _depth = tuple(ctypes.c_uint() for _ in range(4))
            self._x.XGetGeometry(
                self._connection, ctypes.c_ulong(window),
                *map(ctypes.byref, (root, x, y, *sizes)),
            )  # fmt: skip
            found.append((window, (x.value, y.value, width.value, height.value)))
        return max(found, key=lambda one: one[1][2] * one[1][3])

    def picture(self) -> npt.NDArray[np.uint8]:
        """The part of the display that the window covers."""
        x, y, width, height = self.window()[1]
        return self.pixels()[y : y + height, x : x + width]

    def resize(self, width: int, height: int) -> None:
        self._x.XResizeWindow(self._connection, ctypes.c_ulong(self.window()[0]), width, height)
        self._x.XSync(self._connection, 0)

    def unfocus(self) -> None:
        """The keys belong to nobody."""
        self._x.XSetInputFocus(self._connection, ctypes.c_ulong(0), 0, ctypes.c_ulong(0))
        self._x.XSync(self._connection, 0)

    def press_close_button(self) -> None:
        """What a window manager sends then."""
        window, atom = self.window()[0], self._x.XInternAtom
        event = ClientMessage(
            type=33, window=window, message=atom(self._connection, b"WM_PROTOCOLS", 0), format=32
        )
        event.data[0] = atom(self._connection, b"WM_DELETE_WINDOW", 0)
        self._x.XSendEvent(
            self._connection, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(event)
        )
        self._x.XSync(self._connection, 0)


@pytest.fixture(scope="module")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Display]:
    if shutil.which("Xvfb") is None:
        cannot_see("Xvfb is not installed (apt install xvfb)")
    if importlib.util.find_spec("raylib") is None:
        cannot_see('raylib is not installed (pip install "skipjack[view]")')
    for library in ("X11", "Xtst"):
        if ctypes.util.find_library(library) is None:
            cannot_see(f"lib{library} is not installed (apt install libxtst6)")
    folder = tmp_path_factory.mktemp("display")
    reads, writes = os.pipe()
    command = [
        *("Xvfb", "-displayfd", str(writes), "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24"),
        *("-fbdir", str(folder), "-ardelay", "150", "-arinterval", "20", "-nolisten", "tcp"),
    ]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, pass_fds=(writes,), stderr=log)
    os.close(writes)
    with os.fdopen(reads) as number:
        name = number.readline().strip()  # "" if it ended without a word
    try:
        assert name, f"Xvfb did not start: {(folder / 'log').read_text()}"
        screen = Display(f":{name}", folder)
        yield screen
        screen.close()
    finally:
        server.terminate()
        server.wait()


LOOP = """
import json, sys
names = {}
exec("import numpy as np, time\\n"
     "from skipjack.native.scene import *\\n"
     "from skipjack.view.window import Window", names)
for line in sys.stdin:
    exec(json.loads(line), names)
    print(json.dumps(names.pop("answer", None)), flush=True)
"""


class Other:
    """A process of its own that runs code: a process has one window, and one that dies is only one."""

    def __init__(self, display: str, folder: Path) -> None:
        self.stderr = folder / "stderr"
        with self.stderr.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-c", LOOP],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
                env=os.environ | {"DISPLAY": display},
            )  # fmt: skip

    def run(self, code: str) -> Any:
        """Run these lines there; the answer is what they left in `answer`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, self.stderr.read_text()
        return json.loads(line)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(timeout=20) == 0, self.stderr.read_text()


@pytest.fixture(scope="module")
def other(display: Display, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Other]:
    """A process on the virtual display."""
    process = Other(display.name, tmp_path_factory.mktemp("other"))
    yield process
    process.close()
