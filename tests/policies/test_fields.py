"""Observations of several parts: each is read in its own way."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from skipjack.errors import UsageError
from skipjack.policies.config import PolicyConfig
from skipjack.policies.encoders import MLPEncoder, WindowEncoder, make_encoder
from skipjack.policies.fields import FieldsEncoder, _Categories, _Numbers, _Planes, unpack
from skipjack.policies.layers import BytesConv2d
from skipjack.policies.policy import Policy
from skipjack.spaces import Actions, Field, Layout
from skipjack.testing import PolicyContract

U8, F4, F8, I8 = (np.dtype(name) for name in ("u1", "f4", "f8", "i8"))
MIXED = Layout(
    (
        Field("camera", (36, 40, 3), 0, 255, 0, U8, ("camera",)),
        Field("grid", (7, 7, 3), 0, 255, 0, U8, ("grid",)),
        Field("place", (2,), -2, 2, 5, I8, ("place",)),
        Field("speed", (), -9, 9, 0, F8, ("speed",)),
        Field("level", (3,), 0, 10, 0, U8, ("level",)),
    ),
    U8,
)


def rows(count: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    found = np.zeros((count, MIXED.size), np.uint8)
    parts = MIXED.unpack(found)
    for field in MIXED.fields:
        whole = MIXED.dtype_of(field).kind in "iu"
        values = generator.uniform(field.low, field.high, (count, *field.shape))
        parts[field.name][...] = np.rint(values) if whole else values
    return found


class TestMixed(PolicyContract):
    observation = MIXED
    action = Actions(counts=(3,), low=(-1.0,), high=(1.0,))

    def make_policy(self) -> torch.nn.Module:
        return Policy(self.observation, self.action, PolicyConfig(hidden=16, normalise=True))


def test_tensors_are_the_arrays() -> None:
    found = rows(6)
    tensors = unpack(MIXED, torch.from_numpy(found.reshape(2, 3, -1)))
    for name, array in MIXED.unpack(found).items():
        assert tensors[name].shape == (2, 3, *array.shape[1:])
        assert np.array_equal(tensors[name].reshape(array.shape).numpy(), array)


def test_each_part_is_read_in_its_own_way() -> None:
    encoder = make_encoder(MIXED, PolicyConfig(hidden=16))
    assert isinstance(encoder, FieldsEncoder)
    kinds = [type(part) for part in encoder.parts]
    assert kinds == [_Planes, _Planes, _Categories, _Numbers, _Numbers]
    camera, grid, place, speed, level = encoder.parts
    assert (camera.picture, grid.picture) == (True, False)
    hot = place(torch.tensor([[-2, 2], [0, 9]]))
    assert hot.tolist() == [[1, 0, 0, 0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 1, 0, 0, 0, 0, 0]]
    many = _Categories(Field("many", (1,), 0, 254, 255, U8))
    assert many(torch.tensor([[0]], dtype=torch.uint8)).sum() == 1
    assert level(torch.tensor([[0, 5, 10]], dtype=torch.uint8)).tolist() == [[0, 0.5, 1]]
    assert speed(torch.tensor([3.0], dtype=torch.float64)).tolist() == [[3]]


def test_every_part_reaches_the_output() -> None:
    """Changing any part of a row changes what comes out."""
    encoder = make_encoder(MIXED, PolicyConfig(hidden=64, activation="tanh"))
    plain = rows(1)
    before = encoder(torch.from_numpy(plain))
    for field in MIXED.fields:
        changed = plain.copy()
        part = MIXED.unpack(changed)[field.name]
        part[...] = field.low if (part == field.high).all() else field.high
        assert not torch.allclose(encoder(torch.from_numpy(changed)), before, atol=1e-4), field.name


def test_normalisers_take_in_numbers_and_grids_alone() -> None:
    encoder = make_encoder(MIXED, PolicyConfig(hidden=16, normalise=True))
    found = torch.from_numpy(rows(100))
    counted = torch.arange(100) < 60
    encoder.adapt(found, counted)
    assert [part.normaliser is not None for part in encoder.parts] == [
        False,
        True,
        False,
        True,
        True,
    ]
    speed = unpack(MIXED, found)["speed"][counted]
    assert encoder.parts[3].normaliser.mean.item() == pytest.approx(speed.mean().item(), abs=1e-5)


@pytest.mark.parametrize(
    ("shape", "channels"),
    [((84, 84), 1), ((84, 84, 3), 3), ((3, 84, 84), 3), ((4, 84, 84, 3), 12), ((4, 84, 84), 4)],
)
def test_pictures_of_every_order(shape: tuple[int, ...], channels: int) -> None:
    layout = Layout.box(shape, np.uint8, 0, 255)
    encoder = make_encoder(layout, PolicyConfig(hidden=16))
    assert isinstance(encoder, FieldsEncoder)
    assert encoder.parts[0].layers[0].in_channels == channels
    assert encoder(torch.zeros(2, 3, *shape, dtype=torch.uint8)).shape == (2, 3, 16)


@pytest.mark.parametrize("side", [5, 9, 31, 32, 35, 36, 48])
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_grids_and_pictures_of_every_size(side: int, kind: type) -> None:
    """Each can be read, and is scaled to what networks take, whatever its type."""
    layout = Layout.box((side, side, 3), kind, 0, 255)
    encoder = make_encoder(layout, PolicyConfig(hidden=16))
    (part,) = encoder.parts
    first = part.layers[0]
    found: list[torch.Tensor] = []
    first.register_forward_hook(lambda _, given, output: found.append(output))
    full = torch.full((2, side, side, 3), 255).to(getattr(torch, np.dtype(kind).name))
    assert encoder(full).shape == (2, 16)
    ones = torch.ones(2, 3, side, side)
    expected = nn.functional.conv2d(ones, first.weight, first.bias, first.stride)
    torch.testing.assert_close(found[0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("channels", "height", "width", "kernel", "stride"),
    [
        (4, 84, 84, 8, 4),
        (2, 105, 80, 8, 4),
        (3, 50, 47, 4, 2),
        (1, 38, 41, 8, 4),
        (2, 40, 40, 5, 3),
    ],
)
def test_convolutions_over_bytes_are_convolutions(
    channels: int, height: int, width: int, kernel: int, stride: int
) -> None:
    """To their gradients, also where the kernels do not reach the picture's edge."""
    layer = BytesConv2d(channels, 6, kernel, stride, 1 / 255)
    picture = torch.randint(0, 256, (3, channels, height, width), dtype=torch.uint8)
    found = layer(picture)
    expected = nn.functional.conv2d(picture / 255, layer.weight, layer.bias, stride)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    towards = torch.randn_like(found)
    gradients = torch.autograd.grad(found, list(layer.parameters()), towards)
    wanted = torch.autograd.grad(expected, list(layer.parameters()), towards)
    for one, other in zip(gradients, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("shape", [(8, 8, 111), (111, 8, 8), (64, 48, 3), (3, 64, 48)])
def test_channels_are_found(shape: tuple[int, ...]) -> None:
    encoder = make_encoder(Layout.box(shape, np.uint8, 0, 1), PolicyConfig(hidden=16))
    assert encoder.parts[0].layers[0].in_channels == (111 if 111 in shape else 3)


@pytest.mark.parametrize("high", [1, 2**31 - 1, 2**63 - 1])
@pytest.mark.parametrize("others", [0, 1])
def test_wide_integers_are_not_lost(high: int, others: int) -> None:
    """Normalised, rows that differ are told apart, however wide their bounds."""
    fields = [Field(f"n{i}", (2,), 0, high, 0, I8) for i in range(1 + others)]
    encoder = make_encoder(Layout(tuple(fields), I8), PolicyConfig(hidden=16, normalise=True))
    found = torch.randint(0, 2, (50, 2 + 2 * others))
    encoder.adapt(found, torch.ones(50, dtype=torch.bool))
    told = encoder(torch.tensor([[0] * found.shape[1], [1] * found.shape[1]]))
    assert (told[0] - told[1]).abs().max() > 0.1


def test_an_infinity_does_not_stay_in_the_normaliser() -> None:
    encoder = make_encoder(Layout.box((3,)), PolicyConfig(hidden=8, normalise=True))
    seen = torch.randn(100, 3)
    seen[7, 1] = math.inf
    encoder.adapt(seen, torch.ones(100, dtype=torch.bool))
    assert encoder.normaliser.mean.isfinite().all()
    assert encoder(seen).isfinite().all()


def test_what_auto_takes() -> None:
    assert isinstance(make_encoder(Layout.box((8,)), PolicyConfig()), MLPEncoder)
    grid = Layout.box((5, 5), np.int64, 0, 2, 3)
    assert isinstance(make_encoder(grid, PolicyConfig()), WindowEncoder)
    for other in (
        Layout.box((5, 5), np.int64, 1, 3, 3),
        Layout.box((5, 5), np.int64, 0, 999, 1000),
    ):
        assert isinstance(make_encoder(other, PolicyConfig()), FieldsEncoder)
    assert isinstance(make_encoder(grid, PolicyConfig(normalise=True)), FieldsEncoder)
    single = Layout.box((), np.int64, 0, 15, 16)  # a Discrete
    assert isinstance(make_encoder(single, PolicyConfig()), FieldsEncoder)
    with pytest.raises(UsageError, match="one type"):
        make_encoder(MIXED, PolicyConfig(encoder="mlp"))


@pytest.mark.parametrize("picture", ["large", "small"])
def test_pictures_in_bfloat16_are_those_of_float32_but_for_rounding(picture: Any) -> None:
    """Bytes go into the convolutions without a copy of four times their size."""
    layout = Layout.box((2, 105, 80), np.uint8, 0, 255)
    encoder = FieldsEncoder(layout, PolicyConfig(hidden=16, picture=picture))
    rows = torch.randint(0, 256, (3, 2, 105, 80), dtype=torch.uint8)
    plain = encoder(rows)
    with torch.autocast("cpu", torch.bfloat16):
        lean = encoder(rows)
    assert lean.dtype == torch.bfloat16
    assert (plain - lean.float()).norm() < 0.03 * plain.norm()
    (planes,) = encoder.parts
    assert isinstance(planes, _Planes)
    counts = [layer.weight.shape[0] for layer in planes.layers if hasattr(layer, "weight")]
    assert counts == {"large": [32, 64, 64], "small": [16, 32]}[picture]


def test_pictures_are_read_the_same_whatever_lies_beside_a_pixel() -> None:
    """The order in memory of what convolutions work on is a matter of speed alone."""
    layout = Layout.box((3, 84, 84), np.uint8, 0, 255)
    encoder = FieldsEncoder(layout, PolicyConfig(hidden=16))
    (planes,) = encoder.parts
    rows = torch.randint(0, 256, (3, 3, 84, 84), dtype=torch.uint8)
    expected = encoder(rows)
    planes.layers.to(memory_format=torch.contiguous_format)  # type: ignore[union-attr, operator]
    torch.testing.assert_close(encoder(rows), expected, rtol=1e-4, atol=1e-5)
