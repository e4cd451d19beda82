"""Trainers of other libraries learn CartPole through Gymnasium's doors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks import doors

pytestmark = pytest.mark.learning


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def improved(returns: doors.Returns) -> bool:
    """Whether the last hundred episodes are worth five times what chance gets."""
    return float(np.mean(returns[-100:])) > 5 * float(np.mean(doors.random_player("CartPole")))


def test_stable_baselines_ppo_learns_cartpole() -> None:
    pytest.importorskip("stable_baselines3")
    assert improved(doors.stable_baselines("CartPole", 60_000, learning_rate=1e-3))


def test_a_cleanrl_style_script_learns_cartpole_over_make_vec() -> None:
    assert improved(doors.one_file("CartPole", 100_000))
