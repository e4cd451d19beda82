"""One seed, named child streams: equal seeds give equal experience on any number of workers.

All of it is a function of (seed, name, counters) and stays the same for ever, so a resumed run needs no
generator state. Mixing is SplitMix64's finaliser (Steele, Lea and Flood 2014).
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

STREAMS = ("envs", "acting", "opponents", "trainer", "evaluation", "sweep", "weights")
"""Every name that Skipjack draws from."""

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def child(seed: int, name: str) -> int:
    """The seed (64 bits) of the stream `name` of a seed."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return _mix((seed & _MASK) ^ int.from_bytes(digest, "little"))


def state(seed: int, name: str, *counters: int) -> int:
    """A seed (64 bits) for one place of a stream, such as (group, update)."""
    found = child(seed, name)
    for counter in counters:
        found = _mix((found + _GOLDEN * (counter + 1)) & _MASK)
    return found


def env_seeds(seed: int, lo: int, hi: int) -> npt.NDArray[np.uint64]:
    """Seeds (hi - lo,) uint64 of envs [lo, hi): env i's depends on `seed` and i alone."""
    with np.errstate(over="ignore"):
        z = np.uint64(_mix(seed & _MASK)) + np.arange(lo + 1, hi + 1, dtype=np.uint64) * np.uint64(
            _GOLDEN
        )
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def _mix(z: int) -> int:
    z = (z + _GOLDEN) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)
