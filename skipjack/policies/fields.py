"""Observations of several parts: unpacked again, each part read in its own way, then joined."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from skipjack.policies.config import PolicyConfig
from skipjack.policies.layers import (
    ACTIVATIONS,
    BytesConv2d,
    computing_type,
    linear,
    mlp,
    orthogonal,
)
from skipjack.policies.normalise import Normaliser
from skipjack.spaces import Field, Layout

MOST_KINDS = 4096
"""Inputs beyond which categories are read as scaled numbers instead of one-hot."""
KERNELS = {
    "large": [(32, 8, 4), (64, 4, 2), (64, 3, 1)],
    "small": [(16, 8, 4), (32, 4, 2)],
    "grid": [(16, 3, 1), (32, 3, 1)],
}
"""Planes, side and stride of convolutions, one after the other."""
PICTURE, GRID = 36, 5
"""Shortest sides, in cells, of what is read as a picture (the least that the large one's convolutions
leave something of) and as a grid."""
MOST_SCALED = 1 << 16
"""Widest range of integers that is scaled to [0, 1]: wider ones are seldom used to their ends."""


def unpack(layout: Layout, rows: Tensor) -> dict[str, Tensor]:
    """Each field of `rows` (..., *layout.shape) by name: (..., *field.shape), views where possible.

    `layout.nest` makes of it the env's own nesting of dictionaries and tuples.
    """
    lead = rows.shape[: rows.ndim - len(layout.shape)]
    flat = rows.reshape(*lead, layout.size)
    places = layout.offsets()
    found = {}
    for field in layout.fields:
        part = flat[..., places[field.name]]
        if layout.mixed:
            part = part.contiguous().view(getattr(torch, layout.dtype_of(field).name))
        found[field.name] = part.reshape(*lead, *field.shape)
    return found


class FieldsEncoder(nn.Module):
    """Each field by its kind, then one MLP over all of them side by side.

    Pictures and small grids go through convolutions (`KERNELS`),
    categories are one-hot, and all else is numbers: integers scaled by their bound, then
    normalised, if wanted.
    """

    def __init__(self, layout: Layout, config: PolicyConfig) -> None:
        super().__init__()
        self.layout, self.hidden_size = layout, config.hidden
        parts = [_part(layout, field, config) for field in layout.fields if field.size]
        self.names = [field.name for field in layout.fields if field.size]
        self.parts = nn.ModuleList(parts)
        self.layers = mlp(sum(part.size for part in parts), config)

    def forward(self, observations: Tensor) -> Tensor:
        """(..., *layout.shape) -> (..., hidden)."""
        lead = observations.shape[: observations.ndim - len(self.layout.shape)]
        # Convolutions take one leading dimension.
        rows = observations.reshape(-1, *self.layout.shape)
        found = unpack(self.layout, rows)
        read = [part(found[name]) for name, part in zip(self.names, self.parts, strict=True)]
        return self.layers(torch.cat(read, -1)).reshape(*lead, self.hidden_size)

    def adapt(self, observations: Tensor, counted: Tensor) -> None:
        """Let the normalisers take in (..., *layout.shape) where `counted` (...)."""
        if not any(part.normaliser for part in self.parts):
            return
        found = unpack(self.layout, observations[counted])
        part: Any
        for name, part in zip(self.names, self.parts, strict=True):
            if part.normaliser is not None:
                part.normaliser.adapt(part.numbers(found[name]))


class _Categories(nn.Module):
    """One-hot, all cells of the lowest kind first; what lies outside is nothing."""

    normaliser = None

    def __init__(self, field: Field) -> None:
        super().__init__()
        self.first = int(field.low) if math.isfinite(field.low) else 0
        self.kinds, self.values = field.kinds, field.size
        self.size = field.kinds * field.size

    def forward(self, values: Tensor) -> Tensor:
        """(rows, *field.shape) -> (rows, size)."""
        place, end = values.reshape(len(values), 1, self.values), self.first + self.kinds
        if place.is_floating_point() or torch.iinfo(place.dtype).max < end:
            place = place.long()
        known = torch.arange(self.first, end, device=values.device)
        # PERF: kind by kind, in the values' own type and converted from bytes: 0.5 us for 121 cells
        # of 8 kinds instead of 1.1 cell by cell.
        hot = place == known.to(place.dtype)[:, None]
        return hot.view(torch.uint8).flatten(1).to(computing_type(values))


class _Numbers(nn.Module):
    """Flat; integers scaled to [0, 1] by their bounds; normalised, if wanted."""

    def __init__(self, layout: Layout, field: Field, config: PolicyConfig) -> None:
        super().__init__()
        self.size = field.size
        self.normaliser = Normaliser(self.size) if config.normalise else None
        self.shift, self.scale = 0.0, 1.0
        whole = layout.dtype_of(field).kind in "iu"
        # What is normalised needs no scaling: by a wide bound it would vanish before.
        if whole and self.normaliser is None and field.high - field.low <= MOST_SCALED:
            self.shift, self.scale = _to_unit(field)

    def numbers(self, values: Tensor) -> Tensor:
        """(rows, *field.shape) -> (rows, size), before normalising."""
        return (values.reshape(len(values), self.size).float() - self.shift) * self.scale

    def forward(self, values: Tensor) -> Tensor:
        """(rows, *field.shape) -> (rows, size)."""
        flat = self.numbers(values)
        return flat if self.normaliser is None else self.normaliser(flat)


class _Planes(nn.Module):
    """A picture or a small grid through convolutions; frames that were stacked are more channels."""

    def __init__(self, layout: Layout, field: Field, config: PolicyConfig) -> None:
        super().__init__()
        self.shape, self.last = field.shape, _channels_last(field.shape)
        height, width = _sides(field.shape)
        channels = field.size // (height * width)
        activation = ACTIVATIONS[config.activation]
        self.picture = min(height, width) >= PICTURE
        layers: list[nn.Module] = []
        self.shift, self.scale = _to_unit(field)
        # A picture of bytes goes into its first convolution as it is.
        self.bytes = self.picture and layout.dtype_of(field) == "uint8" and not self.shift
        for planes, kernel, stride in KERNELS[config.picture if self.picture else "grid"]:
            layer = nn.Conv2d(channels, planes, kernel, stride)
            if self.bytes and not layers:
                layer = BytesConv2d(channels, planes, kernel, stride, self.scale)
            layers += [orthogonal(layer), activation()]
            height, width = (height - kernel) // stride + 1, (width - kernel) // stride + 1
            channels = planes
        # PERF: with a pixel's channels side by side, a CPU's convolutions take half the time.
        self.layers = nn.Sequential(*layers, nn.Flatten())
        for weight in self.layers.parameters():
            if weight.ndim == 4:
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)
        self.out = nn.Sequential(linear(channels * height * width, config.hidden), activation())
        self.size = config.hidden
        # Each cell of a small grid stands for something of its own; a picture's do not.
        wanted = config.normalise and not self.picture
        self.flat = _Numbers(layout, field, config) if wanted else None
        self.normaliser = self.flat.normaliser if self.flat else None

    def numbers(self, values: Tensor) -> Tensor:
        """As a small grid's normaliser takes them in."""
        assert self.flat is not None
        return self.flat.numbers(values)

    def forward(self, values: Tensor) -> Tensor:
        """(rows, *field.shape) -> (rows, size)."""
        seen = values
        if not self.bytes:
            seen = self._scaled(values) if self.flat is None else self.flat(values)
        seen = seen.reshape(-1, *self.shape)
        seen = seen.movedim(-1, -3) if self.last else seen
        return self.out(self.layers(seen.reshape(len(seen), -1, *seen.shape[-2:])))

    def _scaled(self, values: Tensor) -> Tensor:
        """In [0, 1]."""
        plain = values.float()
        return (plain - self.shift if self.shift else plain) * self.scale


def _part(layout: Layout, field: Field, config: PolicyConfig) -> _Categories | _Numbers | _Planes:
    if field.kinds > 1 and field.kinds * field.size <= MOST_KINDS:
        return _Categories(field)
    return (_Planes if is_planes(field) else _Numbers)(layout, field, config)


def is_planes(field: Field) -> bool:
    """Whether a field is read by convolutions: a picture, or a grid of at least `GRID` cells a side."""
    if len(field.shape) == 2:
        return min(field.shape) >= PICTURE
    return len(field.shape) in (3, 4) and min(_sides(field.shape)) >= GRID


def _to_unit(field: Field) -> tuple[float, float]:
    """What to subtract from a field's values and to multiply them with, to have them in [0, 1]."""
    if math.isfinite(field.low) and math.isfinite(field.high) and field.high > field.low:
        return field.low, 1.0 / (field.high - field.low)
    return 0.0, 1.0


def _channels_last(shape: tuple[int, ...]) -> bool:
    """Whether the last of three inner dimensions is the channels: no side of a square, or smaller."""
    if len(shape) < 3 or shape[-2] == shape[-1] != shape[-3]:
        return False
    return shape[-3] == shape[-2] or shape[-1] < shape[-3]


def _sides(shape: tuple[int, ...]) -> tuple[int, int]:
    height, width = shape[-3:-1] if _channels_last(shape) else shape[-2:]
    return height, width
