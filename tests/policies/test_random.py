"""The random player: uniform, legal, within bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import skipjack
from skipjack.policies.random import RandomActor
from skipjack.spaces import Actions

ROWS = 60_000


def draw(actions: Actions, mask: npt.NDArray[np.uint8] | None = None) -> npt.NDArray[Any]:
    return actions.draw(np.random.default_rng(1), ROWS, mask)


def test_choices_are_uniform() -> None:
    drawn = draw(Actions.discrete(3, 4))
    assert drawn.dtype == np.int32
    pairs = np.bincount(drawn[:, 0] * 4 + drawn[:, 1]) / ROWS
    np.testing.assert_allclose(pairs, np.full(12, 1 / 12), atol=0.005)


def test_masks_are_respected() -> None:
    """Legal choices alone, each as often; where none is legal, 0."""
    mask = np.array([[1, 0, 1, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0, 0]], np.uint8)
    drawn = draw(Actions.discrete(5, 2, masked=True), np.tile(mask, (ROWS // 2, 1)))
    asked, waiting = drawn[0::2], drawn[1::2]
    shares = np.bincount(asked[:, 0], minlength=5) * 2 / ROWS
    np.testing.assert_allclose(shares, [1 / 3, 0, 1 / 3, 0, 1 / 3], atol=0.01)
    assert (asked[:, 1] == 0).all()
    assert (waiting == 0).all()


def test_real_numbers_are_uniform_within_their_bounds() -> None:
    drawn = draw(Actions(low=(-2.0, 0.0), high=(2.0, 0.5)))
    assert drawn.dtype == np.float32
    low, high = np.array([-2.0, 0.0]), np.array([2.0, 0.5])
    assert ((drawn >= low) & (drawn <= high)).all()
    np.testing.assert_allclose(drawn.mean(0), (low + high) / 2, atol=0.02)
    np.testing.assert_allclose(drawn.std(0), (high - low) / 12**0.5, atol=0.02)


def test_each_step_draws_anew_and_a_seed_draws_the_same() -> None:
    vector = skipjack.make("bandit/masked", num_envs=64, threads=1)
    batch = vector.reset(0)
    first, again, other = (RandomActor(vector.action, seed) for seed in (1, 1, 2))
    taken = [first.act(batch) for _ in range(2)]
    assert (taken[0] != taken[1]).any()
    assert (again.act(batch) == taken[0]).all()
    assert (other.act(batch) != taken[0]).any()
    assert batch.action_mask is not None
    assert batch.action_mask[np.arange(64), taken[0][:, 0]].all()
