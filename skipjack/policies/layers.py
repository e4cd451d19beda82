"""Layers that networks are made of, initialised as PPO's authors do it."""

from __future__ import annotations

import itertools
import math
from typing import TypeVar

from torch import nn

from skipjack.policies.config import PolicyConfig

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}


def linear(size_in: int, size_out: int, gain: float = math.sqrt(2)) -> nn.Linear:
    """A linear layer with orthogonal weights of `gain` and zero bias, as PPO's authors do it."""
    return orthogonal(nn.Linear(size_in, size_out), gain)


Layer = TypeVar("Layer", nn.Linear, nn.Conv2d)


def orthogonal(layer: Layer, gain: float = math.sqrt(2)) -> Layer:
    """`layer` with orthogonal weights (Saxe et al. 2014) of `gain` and zero bias."""
    nn.init.orthogonal_(layer.weight, gain)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer


def mlp(size_in: int, config: PolicyConfig) -> nn.Sequential:
    """`config.layers` hidden layers of width `config.hidden`."""
    sizes = [size_in] + [config.hidden] * config.layers
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(sizes):
        layers += [linear(before, after), ACTIVATIONS[config.activation]()]
    return nn.Sequential(*layers)
