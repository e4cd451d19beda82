"""Each parallel test worker keeps to one core.

torch's threads spin while they wait for one another: two workers that share two cores would slow
each other down twentyfold.
"""

from __future__ import annotations

import os

worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if worker and hasattr(os, "sched_setaffinity"):
    allowed = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {allowed[int(worker.removeprefix("gw")) % len(allowed)]})
