"""Gymnasium's spaces as rows: nested observations packed and unpacked, and actions likewise.

Every leaf of a space keeps its own type in a row, so that unpacking gives back what was packed.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from skipjack.errors import UsageError, must, unknown
from skipjack.spaces.actions import Actions
from skipjack.spaces.layout import Field, Layout, Path

Space = spaces.Space[Any]
CHOICES = (spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)
"""Spaces whose values are choices; Box holds numbers."""
MOST_CHOICES = 1 << 20
"""Choices of one component beyond which a policy could not hold a probability for each."""


class Observations:
    """How observations of a space lie in a row.

    Args:
        space: any nesting of Dict and Tuple over Box, Discrete, MultiDiscrete and MultiBinary.
        drop: names of parts to leave out, such as "mission" or "camera.depth".

    Attributes:
        layout: the row; of bytes if the parts have several types.

    Raises:
        UsageError: a part has no fixed size (Text, Sequence, Graph), or a type that no row holds.
    """

    def __init__(self, space: Space, drop: Iterable[str] = ()) -> None:
        self._leaves = _kept(space, frozenset(drop))
        for path, leaf in self._leaves:
            _check(path, leaf, "leave it out with --env.drop {}")
        if not sum(math.prod(leaf.shape or ()) for _, leaf in self._leaves):
            raise must("an observation must hold a value", space=str(space))
        fields = tuple(_field(path, leaf) for path, leaf in self._leaves)
        kinds = {field.dtype for field in fields}
        row = kinds.pop() if len(kinds) == 1 else np.dtype(np.uint8)
        self.layout = Layout(fields, np.dtype(row))

    def writer(self, row: npt.NDArray[Any]) -> Callable[[Any], None]:
        """A function that packs an observation into this row (of `layout.shape`), in place."""
        views = self.layout.unpack(row).values()
        targets = [(view, path) for view, (path, _) in zip(views, self._leaves, strict=True)]
        if targets[0][1] == ():
            (view, _), *_ = targets
            shape = view.shape

            def write(value: Any) -> None:
                if np.shape(value) != shape:  # numpy would stretch it
                    self.verify(value)
                view[...] = value

            return write

        def write_parts(value: Any) -> None:
            for view, path in targets:
                part = value
                for key in path:
                    part = part[key]
                if np.shape(part) != view.shape:
                    self.verify(value)
                view[...] = part

        return write_parts

    def verify(self, value: Any) -> None:
        """Whether an observation is of the space, in the words of the part that is not.

        Raises:
            UsageError: a part is missing or has another shape or type than the space says.
        """
        for path, leaf in self._leaves:
            part = value
            name = f"the observation's part {_name(path)!r}" if path else "the observation"
            try:
                for key in path:
                    part = part[key]
                found = np.asarray(part)
            except Exception:
                raise must(
                    f"{name} must be there, as its space says",
                    hint="Change the environment's space or what it returns.",
                    got=type(value).__name__,
                ) from None
            if found.shape != leaf.shape:
                raise must(
                    f"{name} must have the shape that its space says, {leaf.shape}",
                    hint="Change the environment's space or what it returns.",
                    got=found.shape,
                )
            if isinstance(leaf, CHOICES) and found.size and found.dtype.kind in "biu":
                field = _field(path, leaf)
                if found.min() < field.low or found.max() > field.high:
                    raise must(
                        f"{name} must be what its space says, {field.low} to {field.high}",
                        hint="Change the environment's space or what it returns.",
                        got=found.tolist(),
                    )
            whole = leaf.dtype.kind in "biu"
            if found.dtype.kind not in ("biu" if whole else "biuf"):
                raise must(
                    f"{name} must have the type that its space says, {leaf.dtype}",
                    hint="Change the environment's space or what it returns.",
                    got=str(found.dtype),
                )

    def pack(self, value: Any, out: npt.NDArray[Any]) -> None:
        """Write one observation into one row (`out`, of `layout.shape`)."""
        self.writer(out)(value)

    def unpack(self, row: npt.NDArray[Any]) -> Any:
        """The observation that was packed into `row`, as a copy: the exact inverse of `pack`."""
        parts = self.layout.unpack(row)
        return self.layout.nest({name: view.copy()[()] for name, view in parts.items()})


class ActionTree:
    """How actions of a space lie in a row: all choices first, then all real numbers.

    Args:
        space: any nesting of Dict and Tuple over Discrete, MultiDiscrete, MultiBinary and Box.
        masked: whether the env tells which choices are legal.

    Attributes:
        actions: the row.

    Raises:
        UsageError: a part is neither choices nor numbers, or has no fixed size.
    """

    def __init__(self, space: Space, masked: bool = False) -> None:
        leaves = [(path, leaf) for path, leaf in _kept(space, frozenset())]
        for path, leaf in leaves:
            _check(path, leaf, "give the environment another action")
        counts = [_counts(leaf) for _, leaf in leaves]
        bounds = [_bounds(path, leaf) for path, leaf in leaves]
        width = sum(map(len, counts))
        self._places: list[tuple[Path, Any, slice]] = []
        first, second = 0, width
        for (path, leaf), choices, reals in zip(leaves, counts, bounds, strict=True):
            start = first if isinstance(leaf, CHOICES) else second
            self._places.append((path, leaf, slice(start, start + len(choices) + len(reals))))
            first, second = first + len(choices), second + len(reals)
        self.actions = Actions(
            counts=tuple(count for part in counts for count in part),
            low=tuple(low for part in bounds for low, _ in part),
            high=tuple(high for part in bounds for _, high in part),
            masked=masked and width > 0,
            labels=self._labels(second),
        )
        self.unpack = self._reader()
        """From a row (width,) to the env's action: the inverse of `pack`."""

    def pack(self, value: Any, out: npt.NDArray[Any]) -> None:
        """Write an action of the space into one row (`out`, (width,)).

        Real numbers become float32, which is what policies give.
        """
        for path, leaf, place in self._places:
            part = functools.reduce(lambda found, key: found[key], path, value)
            out[place] = np.reshape(np.asarray(part) - _start(leaf), -1)

    def _reader(self) -> Callable[[npt.NDArray[Any]], Any]:
        readers = {_name(path): _read(leaf, place) for path, leaf, place in self._places}
        if "" in readers:
            return readers[""]
        fields = (Field(_name(path), (), path=path) for path, _, _ in self._places)
        layout = Layout(tuple(fields), np.dtype(np.float32))

        def read(row: npt.NDArray[Any]) -> Any:
            return layout.nest({name: reader(row) for name, reader in readers.items()})

        return read

    def _labels(self, width: int) -> tuple[str, ...]:
        """A name for each component: its leaf's, with its number where the leaf has several."""
        labels = [""] * width
        for path, _, place in self._places:
            size = place.stop - place.start
            for i in range(size):
                labels[place.start + i] = ".".join(filter(None, (_name(path), str(i) * (size > 1))))
        return tuple(labels) if all(labels) else ()


def legal(mask: Any, actions: Actions) -> npt.NDArray[np.uint8]:
    """A mask as envs give it (an array, or a tuple of one a component) as it lies in a row."""
    parts = mask if isinstance(mask, tuple) else (mask,)
    flat = np.concatenate([np.asarray(part).reshape(-1) for part in parts])
    if flat.shape != (actions.choices,):
        raise must(
            "an action mask must have a place for each choice",
            choices=actions.choices,
            mask=flat.shape,
        )
    return (flat > 0).astype(np.uint8)


def _kept(space: Space, drop: frozenset[str]) -> list[tuple[Path, Any]]:
    """Leaves in the space's order, without those that are dropped by their own or an outer name."""
    leaves = list(_leaves(space, ()))
    names = {_name(path[: i + 1]) for path, _ in leaves for i in range(len(path))}
    for name in drop - names:
        raise unknown("part of the observation", name, sorted(names))
    return [
        (path, leaf)
        for path, leaf in leaves
        if not any(_name(path[: i + 1]) in drop for i in range(len(path)))
    ]


def _leaves(space: Space, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(space, spaces.Dict):
        for key, part in space.spaces.items():
            if not isinstance(key, str) or not key:
                raise must("keys of a Dict space must be words", key=key)
            yield from _leaves(part, (*path, key))
    elif isinstance(space, spaces.Tuple):
        for place, part in enumerate(space.spaces):
            yield from _leaves(part, (*path, place))
    else:
        yield path, space
        return
    if not space.spaces:
        raise must("a Dict or Tuple space must have parts", part=_name(path))


def _check(path: Path, leaf: Any, advice: str) -> None:
    name = _name(path)
    if not isinstance(leaf, (spaces.Box, *CHOICES)):
        what = f"{name!r} is" if name else "this is"
        raise UsageError(
            f"Spaces must have a fixed size, but {what} {type(leaf).__name__}: "
            f"{advice.format(name or 'NAME')}, or make it a Box."
        )
    if leaf.dtype.kind not in "biuf" or leaf.dtype.itemsize > 8:
        raise must(
            "values of a space must be numbers of at most 8 bytes",
            hint=f"You can {advice.format(name or 'NAME')}.",
            part=name,
            dtype=str(leaf.dtype),
        )


def _name(path: Path) -> str:
    """The path in words: "camera.depth", or "arms[0].joint" where a number is a place in a tuple."""
    parts = (f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return "".join(parts).lstrip(".")


def _field(path: Path, leaf: Any) -> Field:
    """A leaf of an observation as a part of a row."""
    name, shape, dtype = _name(path), leaf.shape, leaf.dtype.newbyteorder("=")
    if isinstance(leaf, spaces.Discrete):
        first, last = int(leaf.start), int(leaf.start + leaf.n) - 1
        return Field(name, shape, first, last, last - first + 1, dtype, path)
    if isinstance(leaf, spaces.MultiDiscrete):
        first, last = int(np.min(leaf.start)), int(np.max(leaf.start + leaf.nvec)) - 1
        return Field(name, shape, first, last, last - first + 1, dtype, path)
    if isinstance(leaf, spaces.MultiBinary):
        return Field(name, shape, 0, 1, 0, dtype, path)
    low, high = (float(leaf.low.min()), float(leaf.high.max())) if leaf.low.size else (0.0, 0.0)
    return Field(name, shape, low, high, 0, dtype, path)


def _counts(leaf: Any) -> list[int]:
    """Choices of each component of a leaf of an action; none for real numbers."""
    if isinstance(leaf, spaces.Box):
        return []
    if isinstance(leaf, spaces.MultiBinary):
        return [2] * math.prod(leaf.shape)
    counts = [int(n) for n in np.reshape(leaf.nvec if hasattr(leaf, "nvec") else leaf.n, -1)]
    if max(counts) > MOST_CHOICES:
        raise must(f"an action must have at most {MOST_CHOICES} choices", choices=max(counts))
    return counts


def _bounds(path: Path, leaf: Any) -> list[tuple[float, float]]:
    """Bounds of each real number of a leaf of an action; none for choices."""
    if not isinstance(leaf, spaces.Box):
        return []
    low, high = leaf.low.astype(np.float64).ravel(), leaf.high.astype(np.float64).ravel()
    below, above = np.isfinite(low), np.isfinite(high)
    if not (below & above).all():
        warnings.warn(
            f"The action {_name(path)!r} has no bounds: the policy acts in [-1, 1] there, or within 2 "
            f"of the bound that it has. Scale it in the environment if that is not enough.",
            stacklevel=2,
        )
        low, high = (
            np.where(below, low, np.where(above, high - 2.0, -1.0)),
            np.where(above, high, np.where(below, low + 2.0, 1.0)),
        )
    return list(zip(low.tolist(), high.tolist(), strict=True))


def _start(leaf: Any) -> Any:
    """The number of a leaf's first choice."""
    return getattr(leaf, "start", 0)


def _read(leaf: Any, place: slice) -> Callable[[npt.NDArray[Any]], Any]:
    """A function from a row of actions to this leaf's value."""
    dtype, shape, start = leaf.dtype, leaf.shape, _start(leaf)
    if isinstance(leaf, spaces.Discrete):
        at, kind = place.start, dtype.type
        # A whole number of the space's own type, as its sample() gives it.
        return lambda row: kind(row[at] + start)
    if isinstance(leaf, spaces.Box):
        low, high = leaf.low, leaf.high
        whole = dtype.kind in "iub"

        def read(row: npt.NDArray[Any]) -> Any:
            part = row[place].reshape(shape)
            # Policies are free to go beyond the bounds; envs are not asked to cope with it.
            return np.clip(np.rint(part) if whole else part, low, high).astype(dtype)

        return read
    return lambda row: (row[place].reshape(shape) + start).astype(dtype)
