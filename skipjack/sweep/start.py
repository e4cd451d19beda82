"""A trial's process: a command that saves and stops when whoever started it is gone.

    python -m skipjack.sweep.start PROCESS train ENV ...

A worker that is killed with -9 tells nobody. Its training would go on alone, beside the one that another
worker begins in its stead, and take its time.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

LOOK = 0.5
"""Seconds between looks at who the parent is."""


def watch(parent: int) -> None:
    """Ask this process to save and stop as soon as its parent is another one."""
    while os.getppid() == parent:
        time.sleep(LOOK)
    os.kill(os.getpid(), signal.SIGTERM if os.name == "nt" else signal.SIGINT)


def main() -> None:
    """Run the command behind the parent's number."""
    threading.Thread(target=watch, args=(int(sys.argv[1]),), daemon=True).start()
    sys.argv[1:2] = []
    runpy.run_module("skipjack", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
