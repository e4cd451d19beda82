"""Ctrl-C and SIGTERM: the first finishes the update, saves and exits, the second exits at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SHOW_CURSOR = "\x1b[?25h"


class Stopper:
    """Remembers a request to stop.

    Attributes:
        received: number of the signal that asked first; None while nobody has.
    """

    def __init__(self, ask: Callable[[], None]) -> None:
        self.ask = ask
        self.received: int | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if self.received is not None:
            if sys.stderr.isatty():
                os.write(sys.stderr.fileno(), SHOW_CURSOR.encode())
            os._exit(128 + number)
        self.received = number
        self.ask()


@contextmanager
def stop_on_signals(ask: Callable[[], None]) -> Iterator[Stopper]:
    """Call `ask` at the first SIGINT or SIGTERM inside, end the process at the second."""
    stopper = Stopper(ask)
    # Only the main thread may set handlers; elsewhere the caller's own stay in force.
    here = threading.current_thread() is threading.main_thread()
    numbers = (signal.SIGINT, signal.SIGTERM) if here else ()
    before = {number: signal.signal(number, stopper) for number in numbers}
    try:
        yield stopper
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
