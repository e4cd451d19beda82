"""Outwards: rows as Gymnasium's spaces, and actions of these spaces as rows.

Loads gymnasium, so it is imported where it is used and never by `skipjack.spaces` itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from skipjack.errors import must
from skipjack.spaces import Actions, Field, Layout

Space = spaces.Space[Any]


def observation_space(layout: Layout) -> Space:
    """A Box for one array, a Dict of them for named fields, each with its bounds and its type.

    A grid of categories stays a Box of whole numbers: what its values mean is the policy's to know.
    """
    empty = layout.unpack(np.zeros(layout.shape, layout.dtype))
    boxes: dict[str, Space] = {f.name: _box(f, empty[f.name].dtype) for f in layout.fields}
    return boxes[""] if list(boxes) == [""] else spaces.Dict(boxes)


def observations(layout: Layout, rows: npt.NDArray[Any]) -> Any:
    """Rows (..., *layout.shape) as values of the space, or of its batch; they share memory."""
    parts = layout.unpack(rows)
    return parts[""] if list(parts) == [""] else dict(parts)


def action_space(action: Actions) -> Space:
    """Discrete for one choice, MultiDiscrete for several, Box for real numbers.

    Both in one action are a Dict of its components where these have names, else a Tuple of the
    choices and the real numbers.
    """
    if not action.low:
        return _choices(action)
    low, high = np.array(action.low, np.float32), np.array(action.high, np.float32)
    reals = spaces.Box(low, high, dtype=np.float32)
    if not action.counts:
        return reals
    if not _named(action):
        return spaces.Tuple((_choices(action), reals))
    parts: dict[str, Space] = {
        label: spaces.Discrete(count)
        for label, count in zip(action.labels, action.counts, strict=False)
    }
    for label, least, most in zip(action.labels[len(parts) :], low, high, strict=True):
        parts[label] = spaces.Box(least, most, (), np.float32)
    return spaces.Dict(parts)


def action_rows(action: Actions, given: Any, rows: int) -> npt.NDArray[Any]:
    """An action of the space (`rows` 1), or `rows` of its batch, as (rows, width) numbers.

    Raises:
        UsageError: it does not fit the space, or a choice is none of the space's.
    """
    parts = [given]
    if isinstance(given, Mapping):
        parts = [given.get(label) for label in action.labels]
    elif action.counts and action.low and isinstance(given, (tuple, list)):
        parts = list(given)
    hint = "Take actions as action_space.sample() gives them."
    try:
        columns = [np.asarray(part).reshape(rows, -1) for part in parts]
        found = np.concatenate(columns, axis=1)
    except (ValueError, TypeError) as error:
        raise must("an action must be of the action space", hint, action=str(error)) from None
    if found.shape[1] != action.width or found.dtype.kind not in "iubf":
        raise must("an action must be of the action space", hint, action=given)
    if action.is_discrete and found.dtype.kind == "f":
        raise must("choices must be whole numbers", hint, dtype=str(found.dtype))
    chosen = found[:, : len(action.counts)]
    if not ((chosen >= 0) & (chosen < action.counts)).all():
        raise must("choices must be of the action space", choices=action.counts, action=given)
    return found


def _choices(action: Actions) -> Space:
    counts = list(action.counts)
    return spaces.MultiDiscrete(counts) if len(counts) > 1 else spaces.Discrete(counts[0])


def _named(action: Actions) -> bool:
    return action.labels != tuple(map(str, range(action.width)))


def _box(field: Field, dtype: np.dtype[Any]) -> Space:
    low, high = field.low, field.high
    if field.kinds:
        low = low if math.isfinite(low) else 0
        high = low + field.kinds - 1
    if dtype.kind == "b":
        low, high = 0, 1
    elif dtype.kind in "iu":  # whole numbers have no infinity
        limits = np.iinfo(dtype)
        low, high = max(low, limits.min), min(high, limits.max)
    return spaces.Box(low, high, field.shape, dtype.type)
