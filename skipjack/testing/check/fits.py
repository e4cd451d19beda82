"""Whether a value is of a space, in words: which part is not, and in what."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces


def misfits(
    space: Any, value: Any, dropped: Collection[str] = (), name: str = ""
) -> Iterator[tuple[str, str, str]]:
    """What of a value is not of its space: (level, kind of fault, sentence) each.

    Args:
        space: the space.
        value: what should be of it.
        dropped: names of parts that do not matter, as in --env.drop.
        name: the value's own name, such as "camera.depth".
    """
    if name in dropped:
        return
    what = repr(name) if name else "the observation"
    if isinstance(space, spaces.Dict):
        yield from _of_dict(space, value, dropped, name, what)
    elif isinstance(space, spaces.Tuple):
        if not isinstance(value, (tuple, list)) or len(value) != len(space.spaces):
            got = f"{type(value).__name__} of {len(value)}" if hasattr(value, "__len__") else value
            yield "wrong", f"{name} tuple", _told(what, f"be {len(space.spaces)} parts", got)
            return
        for place, part in enumerate(space.spaces):
            yield from misfits(part, value[place], dropped, f"{name}[{place}]")
    elif space.dtype is not None and isinstance(space.shape, tuple):
        yield from _of_leaf(space, value, name, what)


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Every array of a nested value by name; arrays are views, so that they show later changes."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from leaves(part, f"{name}.{key}".lstrip("."))
    elif isinstance(value, tuple):
        for place, part in enumerate(value):
            yield from leaves(part, f"{name}[{place}]")
    else:
        try:
            yield name, np.asarray(value)
        except ValueError:  # lists of unequal lengths
            yield name, np.asarray(repr(value))


def _of_dict(
    space: spaces.Dict, value: Any, dropped: Collection[str], name: str, what: str
) -> Iterator[tuple[str, str, str]]:
    if not isinstance(value, Mapping):
        yield "wrong", f"{name} dict", _told(what, "be a dictionary", type(value).__name__)
        return
    for key, part in space.spaces.items():
        inner = f"{name}.{key}".lstrip(".")
        if key in value:
            yield from misfits(part, value[key], dropped, inner)
        elif inner not in dropped:
            got = ", ".join(map(str, value)) or "nothing"
            yield "wrong", f"{inner} missing", _told(what, f"have the part {key!r}", got)
    more = [str(key) for key in value if key not in space.spaces]
    if more:
        names = ", ".join(more)
        yield "note", f"{name} more", f"{_up(what)} has parts that its space lacks: {names}."


def _of_leaf(space: Any, value: Any, name: str, what: str) -> Iterator[tuple[str, str, str]]:
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.asarray(None)
    whole = space.dtype.kind in "biu"
    if array.dtype.kind not in "biuf":
        got = type(value).__name__
        yield "wrong", f"{name} numbers", _told(what, "be numbers", got)
        return
    if array.shape != tuple(space.shape):
        shapes = f"have the shape {tuple(space.shape)}", array.shape
        yield "wrong", f"{name} shape", _told(what, *shapes)
        return
    if whole and array.dtype.kind == "f":
        rule = f"be of the type {space.dtype}"
        yield "wrong", f"{name} type", _told(what, rule, array.dtype)
    elif isinstance(value, (np.ndarray, np.generic)) and not np.can_cast(array.dtype, space.dtype):
        yield (
            "note",
            f"{name} type",
            f"{_up(what)} is {array.dtype}, its space says {space.dtype}: Skipjack converts it, "
            f"other libraries refuse it.",
        )
    if not np.isfinite(array).all():
        bad = array[~np.isfinite(array)].flat[0]
        yield "wrong", f"{name} finite", f"{_up(what)} must be finite, but holds {bad}."
        return
    low, high = _bounds(space)
    # Rounded as it will lie in a row; whole numbers would wrap around.
    rounded = array if whole else array.astype(space.dtype)
    for bound, out, word in ((low, rounded < low, "least"), (high, rounded > high, "most")):
        if np.any(out):
            place = tuple(int(i) for i in np.argwhere(out)[0])
            limit = np.broadcast_to(bound, array.shape)[place]
            at = f" at {list(place)}" if place else ""
            rule = f"be at {word} {limit}{at}"
            yield "wrong", f"{name} {word}", _told(what, rule, array[place])


def _bounds(space: Any) -> tuple[Any, Any]:
    if isinstance(space, spaces.Box):
        return space.low, space.high
    if isinstance(space, spaces.MultiBinary):
        return 0, 1
    count = space.nvec if isinstance(space, spaces.MultiDiscrete) else space.n
    return space.start, space.start + count - 1


def _told(what: str, rule: str, got: object) -> str:
    return f"{_up(what)} must {rule}, as its space says, but got {got}."


def _up(what: str) -> str:
    return what[:1].upper() + what[1:]
