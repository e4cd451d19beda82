"""How an observation lies in a row: named fields of one dtype, packed end to end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.errors import must


@dataclass(frozen=True, slots=True)
class Field:
    """One part of a row.

    Attributes:
        name: its key; the empty string is the whole observation.
        shape: shape of one observation's part.
        low, high: bounds of its values (infinite where there are none).
        kinds: number of different values if it holds categories (one-hot in the policy), else 0.
    """

    name: str
    shape: tuple[int, ...]
    low: float = -math.inf
    high: float = math.inf
    kinds: int = 0

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Layout:
    """A typed row: fields of one dtype.

    A layout of one field keeps that field's shape; one of several is flat, in the order given.
    """

    fields: tuple[Field, ...]
    dtype: np.dtype[Any]

    @classmethod
    def box(
        cls,
        shape: tuple[int, ...],
        dtype: npt.DTypeLike = np.float32,
        low: float = -math.inf,
        high: float = math.inf,
        kinds: int = 0,
    ) -> Layout:
        """One array of `shape`; `kinds` > 0 says that its values are categories 0..kinds-1."""
        return cls((Field("", shape, low, high, kinds),), np.dtype(dtype))

    @classmethod
    def of(cls, fields: Mapping[str, tuple[int, ...]], dtype: npt.DTypeLike = np.float32) -> Layout:
        """Several named arrays, packed flat in the order given."""
        return cls(tuple(Field(name, shape) for name, shape in fields.items()), np.dtype(dtype))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        if len(self.fields) == 1:
            return self.fields[0].shape
        return (self.size,)

    @property
    def size(self) -> int:
        """Elements of one row."""
        return sum(field.size for field in self.fields)

    @property
    def nbytes(self) -> int:
        """Bytes of one row."""
        return self.size * self.dtype.itemsize

    def offsets(self) -> dict[str, slice]:
        """Where each field lies in the flattened row."""
        at, found = 0, {}
        for field in self.fields:
            found[field.name] = slice(at, at + field.size)
            at += field.size
        return found

    def pack(self, parts: Mapping[str, npt.ArrayLike], out: npt.NDArray[Any]) -> None:
        """Write the fields' values into one row (`out`, of `shape`), in place."""
        flat = out.reshape(-1)
        for field in self.fields:
            if field.name not in parts:
                raise must("an observation must hold every field", missing=field.name)
        for name, place in self.offsets().items():
            flat[place] = np.asarray(parts[name]).reshape(-1)

    def unpack(self, rows: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
        """Views of each field in `rows` (..., *shape): (..., *field.shape) by name."""
        lead = rows.shape[: rows.ndim - len(self.shape)]
        flat = rows.reshape(*lead, self.size)
        places = self.offsets()
        return {f.name: flat[..., places[f.name]].reshape(*lead, *f.shape) for f in self.fields}
