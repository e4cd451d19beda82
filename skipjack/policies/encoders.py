"""Encoders: from observations of a layout to a hidden vector."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from skipjack.errors import must
from skipjack.policies.config import PolicyConfig
from skipjack.policies.fields import FieldsEncoder, is_planes
from skipjack.policies.layers import ACTIVATIONS, linear, mlp, orthogonal
from skipjack.policies.normalise import Normaliser
from skipjack.spaces import Layout


class MLPEncoder(nn.Module):
    """The whole row flattened, integers scaled by their bound to [0, 1]; then normalised, if wanted."""

    def __init__(self, layout: Layout, config: PolicyConfig) -> None:
        super().__init__()
        self.hidden_size = config.hidden
        self.dims = len(layout.shape)
        # Scaling follows from the layout, so it is no part of the weights.
        self.normaliser = Normaliser(layout.size) if config.normalise else None
        # What is normalised needs no scaling: by a wide bound it would vanish before.
        self.scale = 1.0 if self.normaliser is not None else _scale(layout)
        self.layers = mlp(layout.size, config)

    def forward(self, observations: Tensor) -> Tensor:
        """(..., *layout.shape) -> (..., hidden)."""
        flat = self.flat(observations)
        return self.layers(flat if self.normaliser is None else self.normaliser(flat))

    def adapt(self, observations: Tensor, counted: Tensor) -> None:
        """Let the normaliser, if there is one, take in (..., *layout.shape) where `counted` (...)."""
        if self.normaliser is not None:
            self.normaliser.adapt(self.flat(observations[counted]))

    def flat(self, observations: Tensor) -> Tensor:
        """(..., *layout.shape) -> (..., size) float32, scaled: what is normalised."""
        flat = observations.flatten(-self.dims) if self.dims > 1 else observations
        flat = flat.float()
        return flat * self.scale if self.scale != 1.0 else flat


MOST_PLANES = 64
"""Categories of a grid beyond which one plane for each is too many."""


class WindowEncoder(nn.Module):
    """A small grid of categories, one-hot, through two 3 x 3 convolutions and a linear layer."""

    def __init__(self, layout: Layout, config: PolicyConfig) -> None:
        super().__init__()
        field = layout.fields[0]
        if len(layout.fields) != 1 or len(field.shape) != 2 or field.kinds < 2:
            raise must(
                "the window encoder needs one two-dimensional grid of categories",
                hint="Use policy.encoder = 'mlp'.",
                shape=layout.shape,
                kinds=field.kinds,
            )
        if config.normalise:
            raise must(
                "policy.normalise must be false for grids of categories, which are one-hot",
                hint="Use policy.encoder = 'mlp' to normalise.",
                normalise=True,
            )
        self.kinds, self.hidden_size = field.kinds, config.hidden
        activation = ACTIVATIONS[config.activation]
        channels = 32
        self.grid = nn.Sequential(
            orthogonal(nn.Conv2d(field.kinds, channels, 3, padding=1)),
            activation(),
            orthogonal(nn.Conv2d(channels, channels, 3, stride=2, padding=1)),
            activation(),
            nn.Flatten(),
        )
        height, width = ((side + 1) // 2 for side in field.shape)
        self.out = nn.Sequential(linear(channels * height * width, config.hidden), activation())

    def forward(self, observations: Tensor) -> Tensor:
        """(..., height, width) integers -> (..., hidden)."""
        lead = observations.shape[:-2]
        planes = nn.functional.one_hot(observations.long(), self.kinds)
        planes = planes.reshape(-1, *planes.shape[-3:]).movedim(-1, 1).float()
        return self.out(self.grid(planes)).reshape(*lead, self.hidden_size)

    def adapt(self, observations: Tensor, counted: Tensor) -> None:
        """Nothing to take in: categories are not normalised."""


def make_encoder(
    layout: Layout, config: PolicyConfig
) -> MLPEncoder | WindowEncoder | FieldsEncoder:
    """The encoder that `config.encoder` names."""
    choice = config.encoder if config.encoder != "auto" else _fitting(layout, config)
    if choice == "mlp" and layout.mixed:
        raise must(
            "the mlp encoder needs an observation of one type",
            hint="Use policy.encoder = 'fields'.",
            types=sorted({str(layout.dtype_of(field)) for field in layout.fields}),
        )
    encoders: dict[str, Any] = {"mlp": MLPEncoder, "window": WindowEncoder, "fields": FieldsEncoder}
    return encoders[choice](layout, config)


def _fitting(layout: Layout, config: PolicyConfig) -> str:
    first = layout.fields[0]
    grid = len(layout.fields) == 1 and len(first.shape) == 2 and first.low in (0, -math.inf)
    if grid and 1 < first.kinds <= MOST_PLANES and not config.normalise:
        return "window"
    special = any(field.kinds or is_planes(field) for field in layout.fields)
    # Integers of several parts have bounds of their own each.
    several = len(layout.fields) > 1 and layout.dtype.kind in "iu"
    return "fields" if layout.mixed or special or several else "mlp"


def _scale(layout: Layout) -> float:
    """Factor that brings integer observations to [0, 1]."""
    if layout.dtype.kind == "f" or layout.dtype.kind == "b":
        return 1.0
    high = max(field.high for field in layout.fields)
    if math.isinf(high):
        high = float(torch.iinfo(getattr(torch, layout.dtype.name)).max)
    return 1.0 / max(high, 1.0)
