"""Layers that networks are made of, initialised as PPO's authors do it."""

from __future__ import annotations

import itertools
import math
from typing import TypeVar

import torch
from torch import Tensor, nn

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


def computing_type(given: Tensor) -> torch.dtype:
    """What layers compute in on the device of `given`: half precision under autocast."""
    kind = given.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else torch.float32


class BytesConv2d(nn.Conv2d):
    """A convolution over pictures of bytes, scaled: `conv(scale * bytes)`, without padding.

    The weights are scaled instead of the picture. On a CPU a kernel whose side is a multiple of its stride
    is read as a smaller one of stride 1 over blocks of stride x stride pixels, each block's pixels as
    channels: the same products and sums.
    """

    def __init__(self, size_in: int, size_out: int, kernel: int, stride: int, scale: float) -> None:
        super().__init__(size_in, size_out, kernel, stride)
        self.side, self.step, self.scale = kernel, stride, scale

    def forward(self, picture: Tensor) -> Tensor:
        """(n, channels, height, width) uint8 -> (n, planes, height of them, width of them)."""
        kind, device = (
            computing_type(picture),
            picture.device.type,
        )  # half precision holds every byte
        weight, step, reach = self.weight * self.scale, self.step, self.side // self.step
        if device != "cpu" or self.side % step:
            return nn.functional.conv2d(picture.to(kind), weight, self.bias, step)
        # PERF: 29 us for a picture of 84 x 84 x 4, forward and backward, instead of 85 (bfloat16, two
        # cores): few channels and wide strides are what a CPU's convolutions are worst at.
        blocks = _blocks(picture, self.side, step).to(kind)
        planes, channels = weight.shape[:2]
        split = weight.view(planes, channels, reach, step, reach, step)
        small = split.permute(0, 1, 3, 5, 2, 4).reshape(planes, -1, reach, reach)
        small = small.contiguous(memory_format=torch.channels_last)
        return nn.functional.conv2d(blocks.movedim(-1, 1), small, self.bias)


def _blocks(picture: Tensor, side: int, step: int) -> Tensor:
    """(n, channels, height, width) -> (n, down, across, channels * step * step), as far as kernels reach."""
    n, channels, height, width = picture.shape
    height, width = ((edge - side) // step * step + side for edge in (height, width))
    picture = picture[..., :height, :width].contiguous()
    down, across = height // step, width // step
    if step == 4:
        # PERF: four bytes moved as one number.
        whole = picture.view(torch.int32).view(n, channels, down, step, across)
        return whole.permute(0, 2, 4, 1, 3).contiguous().view(torch.uint8).flatten(3)
    split = picture.view(n, channels, down, step, across, step)
    return split.permute(0, 2, 4, 1, 3, 5).flatten(3)


def mlp(size_in: int, config: PolicyConfig) -> nn.Sequential:
    """`config.layers` hidden layers of width `config.hidden`."""
    sizes = [size_in] + [config.hidden] * config.layers
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(sizes):
        layers += [linear(before, after), ACTIVATIONS[config.activation]()]
    return nn.Sequential(*layers)
