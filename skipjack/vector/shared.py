"""Memory that a vector and its workers share. It has no name, so that nothing can be left behind.

The arrays lie in an anonymous file whose descriptor goes to each worker through its connection. It is
gone with the last process that has it open, however those ended: nobody has to be alive to clean up,
as with named shared memory. Nor does the size of /dev/shm limit it, which is 64 MB in most containers.
"""

from __future__ import annotations

import math
import mmap
import os
import sys
import tempfile
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt


class Place(NamedTuple):
    """Where an array lies in a shared file, and what it is."""

    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class Shared:
    """An allocator of zeroed arrays in shared memory.

    The arrays stay valid after `close`, as long as anyone holds them.

    Attributes:
        descriptor: the file's, to be handed to other processes; -1 once closed.
        places: where each array lies that was allocated, in order.
    """

    def __init__(self) -> None:
        self.descriptor = _anonymous_file()
        self.places: list[Place] = []
        self._size = 0

    def __call__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        """A zeroed array of its own pages."""
        place = Place(self._size, shape, np.dtype(dtype))
        size = max(1, math.prod(shape) * place.dtype.itemsize)
        self._size += -(-size // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY
        os.ftruncate(self.descriptor, self._size)
        self.places.append(place)
        return array_at(self.descriptor, place)

    def close(self) -> None:
        """Let go of the file; closing twice is allowed."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def array_at(descriptor: int, place: Place) -> npt.NDArray[Any]:
    """The array at a place of a shared file, for reading and writing."""
    size = max(1, math.prod(place.shape) * place.dtype.itemsize)
    return np.ndarray(
        place.shape, place.dtype, buffer=mmap.mmap(descriptor, size, offset=place.offset)
    )


def _anonymous_file() -> int:
    """The descriptor of an empty file without a name, in memory where the system has such files."""
    if sys.platform == "linux":
        return os.memfd_create("skipjack")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
