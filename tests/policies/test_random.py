"""The random player: uniform, legal, within bounds."""

from __future__ import annotations

import pytest
import torch

from skipjack.policies.random import RandomPolicy
from skipjack.spaces import Actions

ROWS = 60_000


def draw(actions: Actions, mask: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    policy = RandomPolicy(actions)
    generator = torch.Generator().manual_seed(1)
    noise = torch.rand(ROWS, policy.head.components, generator=generator)
    parameters, values, state = policy.step(torch.zeros(ROWS, 3), ())
    assert (parameters.shape, values.shape, state) == ((ROWS, 0), (ROWS,), ())
    drawn, logp = policy.head.sample(parameters, noise, mask)
    return policy.head.to_env(drawn), logp


def test_choices_are_uniform() -> None:
    drawn, logp = draw(Actions.discrete(3, 4))
    assert drawn.dtype == torch.int32
    pairs = torch.bincount(drawn[:, 0].long() * 4 + drawn[:, 1].long()) / ROWS
    assert torch.allclose(pairs, torch.full((12,), 1 / 12), atol=0.005)
    assert torch.allclose(logp.exp(), torch.tensor(1 / 12))


def test_masks_are_respected() -> None:
    """Legal choices alone, each as often; where none is legal, 0."""
    mask = torch.tensor([[1, 0, 1, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0, 0]], dtype=torch.uint8)
    drawn, logp = draw(Actions.discrete(5, 2, masked=True), mask.repeat(ROWS // 2, 1))
    asked, waiting = drawn[0::2], drawn[1::2]
    assert torch.allclose(
        torch.bincount(asked[:, 0], minlength=5) * 2 / ROWS,
        torch.tensor([1 / 3, 0, 1 / 3, 0, 1 / 3]),
        atol=0.01,
    )
    assert (asked[:, 1] == 0).all()
    assert (waiting == 0).all()
    assert logp[0].exp().item() == pytest.approx(1 / 3)
    assert logp[1].item() == 0


def test_noise_just_below_one_takes_a_legal_choice() -> None:
    head = RandomPolicy(Actions.discrete(7, masked=True)).head
    mask = torch.tensor([[1, 1, 1, 1, 1, 0, 0]])
    drawn, _ = head.sample(torch.zeros(1, 0), torch.tensor([[1 - 2**-24]]), mask)
    assert drawn.item() == 4


def test_real_numbers_are_uniform_within_their_bounds() -> None:
    drawn, logp = draw(Actions(low=(-2.0, 0.0), high=(2.0, 0.5)))
    assert drawn.dtype == torch.float32
    low, high = torch.tensor([-2.0, 0.0]), torch.tensor([2.0, 0.5])
    assert ((drawn >= low) & (drawn <= high)).all()
    assert torch.allclose(drawn.mean(0), (low + high) / 2, atol=0.02)
    assert torch.allclose(drawn.std(0), (high - low) / 12**0.5, atol=0.02)
    assert torch.allclose(logp.exp(), torch.tensor(1 / (4 * 0.5)))
