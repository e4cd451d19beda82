"""Steps every game and prints what that allocates, and how much the process grows: lines of JSON.

Runs with the counter of test_allocations.py preloaded. Python's own small objects do not come from the C
library, so that a step of a game that allocates nothing counts nothing.
"""

from __future__ import annotations

import ctypes
import json
import sys
from pathlib import Path

import numpy as np
from skipjack.native.pool import Pool

from tests.games.fuzz import act, may_act, names, started

LIBRARY = ctypes.CDLL(None)
LIBRARY.allocations.restype = ctypes.c_long
LIBRARY.malloc.restype = ctypes.c_void_p
LIBRARY.free.argtypes = [ctypes.c_void_p]


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def allocated(name: str, steps: int) -> dict[str, object]:
    """What 200 steps of a game allocate, on this thread and on two, and bytes grown over so many of rows."""
    engine, rows, envs = started(name)
    generator, pool = np.random.default_rng(0), Pool(engine, 2, 1)
    found = {"alone": 0, "threads": 0}
    before = 0
    for step in range(220):
        act(engine, rows, generator)
        way = "threads" if step % 2 else "alone"
        first = LIBRARY.allocations()
        if step % 2:
            pool.post(0, 0, envs)
            pool.finish(0)
        else:
            engine.step(0, envs)
        last = LIBRARY.allocations()
        if step >= 20:  # what is made once is made by now
            found[way] += last - first
        else:
            before = resident()
    taken = 0
    while taken < steps:
        taken += may_act(rows)
        act(engine, rows, generator)
        engine.step(0, envs)
        engine.records(0, envs)
    return {"env": name, "steps": taken, "grown": resident() - before, **found}


def counted() -> int:
    """Allocations that the counter sees of three."""
    first = LIBRARY.allocations()
    for _ in range(3):
        LIBRARY.free(LIBRARY.malloc(64))
    return int(LIBRARY.allocations() - first)


if __name__ == "__main__":
    counted()  # ctypes makes something of its own the first time
    print(json.dumps({"counted": counted()}))
    for each in names():
        print(json.dumps(allocated(each, int(sys.argv[1]))), flush=True)
