"""How an observation lies in a row: named fields, packed end to end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.errors import must

Path = tuple[str | int, ...]
"""Where a field is in a nested observation: a string is a key of a dictionary, a number a place in
a tuple."""


@dataclass(frozen=True, slots=True)
class Field:
    """One part of a row.

    Attributes:
        name: its key; the empty string is the whole observation.
        shape: shape of one observation's part.
        low, high: bounds of its values (infinite where there are none).
        kinds: number of different values, from `low` on, if it holds categories (one-hot in the
            policy), else 0.
        dtype: its type where the row holds several; None if it is the row's.
        path: where it is in a nested observation; by default under its name, at the top.
    """

    name: str
    shape: tuple[int, ...]
    low: float = -math.inf
    high: float = math.inf
    kinds: int = 0
    dtype: np.dtype[Any] | None = None
    path: Path = ()

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Layout:
    """A typed row: fields of one dtype, or of several in a row of bytes.

    A layout of one field keeps that field's shape; one of several is flat, in the order given. In
    a row of bytes each field stands where its type may stand in memory, so that numpy and torch
    both see it in place.
    """

    fields: tuple[Field, ...]
    dtype: np.dtype[Any]
    _places: dict[str, slice] = field(init=False, repr=False, compare=False)
    _size: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len({part.name for part in self.fields}) != len(self.fields):
            raise must(
                "fields of an observation must have names of their own",
                names=[part.name for part in self.fields],
            )
        if self.mixed and self.dtype != np.uint8:
            raise must("a row of several types must be of bytes (uint8)", dtype=str(self.dtype))
        at, widest, places = 0, 1, {}
        for part in self.fields:
            unit = self.dtype_of(part).itemsize if self.mixed else 1
            at = -(-at // unit) * unit
            places[part.name] = slice(at, at + part.size * unit)
            at, widest = at + part.size * unit, max(widest, unit)
        object.__setattr__(self, "_places", places)
        object.__setattr__(self, "_size", -(-at // widest) * widest)

    @classmethod
    def box(
        cls,
        shape: tuple[int, ...],
        dtype: npt.DTypeLike = np.float32,
        low: float = -math.inf,
        high: float = math.inf,
        kinds: int = 0,
    ) -> Layout:
        """One array of `shape`; `kinds` > 0 says that its values are categories low..low+kinds-1."""
        return cls((Field("", shape, low, high, kinds),), np.dtype(dtype))

    @classmethod
    def of(cls, fields: Mapping[str, tuple[int, ...]], dtype: npt.DTypeLike = np.float32) -> Layout:
        """Several named arrays of one type, packed flat in the order given."""
        parts = (Field(name, shape, path=(name,)) for name, shape in fields.items())
        return cls(tuple(parts), np.dtype(dtype))

    @cached_property
    def mixed(self) -> bool:
        """Whether the row is one of bytes that holds several types."""
        # Never `==` or `in` with None: to numpy float64 equals it.
        return any(part.dtype is not None and part.dtype != self.dtype for part in self.fields)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row; (1,) for a single number."""
        if len(self.fields) == 1 and not self.mixed:
            return self.fields[0].shape or (1,)
        return (self.size,)

    @property
    def size(self) -> int:
        """Elements of one row; bytes if it holds several types."""
        return self._size

    @property
    def nbytes(self) -> int:
        """Bytes of one row."""
        return self.size * self.dtype.itemsize

    def dtype_of(self, part: Field) -> np.dtype[Any]:
        """The type of a field's values."""
        return self.dtype if part.dtype is None else part.dtype

    def offsets(self) -> dict[str, slice]:
        """Where each field lies in the flattened row."""
        return dict(self._places)

    def pack(self, parts: Mapping[str, npt.ArrayLike], out: npt.NDArray[Any]) -> None:
        """Write the fields' values into one row (`out`, of `shape`, contiguous), in place."""
        assert out.flags.c_contiguous
        for part in self.fields:
            if part.name not in parts:
                raise must("an observation must hold every field", missing=part.name)
        for name, place in self.unpack(out).items():
            place[...] = np.asarray(parts[name]).reshape(place.shape)

    def unpack(self, rows: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
        """Views of each field in `rows` (..., *shape): (..., *field.shape) by name."""
        lead = rows.shape[: rows.ndim - len(self.shape)]
        flat = rows.reshape((*lead, self.size))
        found = {}
        for part in self.fields:
            view = flat[..., self._places[part.name]]
            if self.mixed:
                view = view.view(self.dtype_of(part))
            found[part.name] = view.reshape((*lead, *part.shape))
        return found

    def nest(self, parts: Mapping[str, Any]) -> Any:
        """Values of the fields, by name, as the nested observation: dictionaries and tuples.

        The values may be arrays, tensors or anything else.
        """
        return _nest([(part.path or (part.name,), parts[part.name]) for part in self.fields])


def _nest(leaves: list[tuple[Path, Any]]) -> Any:
    """The tree whose leaves stand at these paths; those under one key stand together."""
    first, value = leaves[0]
    if first in ((), ("",)):
        return value
    branches: dict[str | int, list[tuple[Path, Any]]] = {}
    for path, leaf in leaves:
        branches.setdefault(path[0], []).append((path[1:], leaf))
    built = {key: _nest(branch) for key, branch in branches.items()}
    return tuple(built.values()) if isinstance(first[0], int) else built
