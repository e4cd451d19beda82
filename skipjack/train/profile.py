"""Where the time of an update goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

PHASES = ("environment", "acting", "learning", "other")


class Profile:
    """Seconds by phase since the last `take`. On a GPU the host's time: work is queued."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = dict.fromkeys(PHASES, 0.0)
        self.started = time.perf_counter()

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        """Count the time inside towards `phase`. Phases do not nest."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] += time.perf_counter() - begin

    def take(self) -> tuple[float, dict[str, float]]:
        """Seconds since the last `take`, in all and by phase (they add up), and start anew."""
        now = time.perf_counter()
        total, found = now - self.started, self.seconds
        found["other"] = max(0.0, total - sum(found.values()))
        self.seconds = dict.fromkeys(PHASES, 0.0)
        self.started = now
        return total, found
