"""Memory that training frees stays with the process, to be used again a moment later."""

from __future__ import annotations

import ctypes
import sys
from functools import lru_cache

MMAP_THRESHOLD, TRIM_THRESHOLD, TOP_PAD = -3, -1, -2
"""Names of glibc's `mallopt(3)` for its settings."""


@lru_cache
def keep_freed_memory() -> bool:
    """Have glibc give little memory back to the system; whether that could be asked for.

    Every update makes and drops the same tensors of megabytes. By default glibc returns such memory
    at once, and the system hands it out again page by page, zeroed.
    """
    # PERF: training Breakout, 36,000 page faults an update become 20, and a sixth of its CPU time
    # is not spent (docs/speed.md).
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # another C library
        return False
    # 32 MiB is the most that glibc takes for the first; larger blocks are few.
    values = ((MMAP_THRESHOLD, 32 << 20), (TRIM_THRESHOLD, 2**31 - 1), (TOP_PAD, 64 << 20))
    return all(mallopt(name, value) for name, value in values)
