"""What each sanity game is for: a trainer that is broken in one way must not solve it.

`test_learning.py` trains the same presets with the same seed and nothing broken: those are the
controls, without which a low score here would say nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks.spine import SANITY
from skipjack.policies.heads import ContinuousHead, DiscreteHead
from skipjack.policies.memory import Recurrent
from skipjack.train import returns
from skipjack.train.ppo import PPO
from skipjack.train.rollout import Rollout
from skipjack.train.seats import EverySeat
from tests.learning.training import trained

pytestmark = pytest.mark.learning

Patch = Callable[[pytest.MonkeyPatch], None]


def truncated_is_terminated(patch: pytest.MonkeyPatch) -> None:
    """No bootstrap: a time limit is learned as an end."""
    real = Rollout.add_outcome

    def add_outcome(self: Rollout, batch: Any, t: int) -> None:
        real(self, batch, t)
        self.terminated |= self.truncated
        self.truncated.zero_()

    patch.setattr(Rollout, "add_outcome", add_outcome)


def terminated_is_truncated(patch: pytest.MonkeyPatch) -> None:
    """An end by the rules is bootstrapped as if the episode went on."""
    real = PPO._value_stash

    def value_stash(self: PPO) -> None:
        real(self)
        rollout = self.rollout
        # What it saw when it left stands for what it would have seen.
        rollout.final_values[rollout.terminated] = rollout.values[rollout.terminated]
        rollout.truncated |= rollout.terminated
        rollout.terminated.zero_()

    patch.setattr(PPO, "_value_stash", value_stash)


def truncated_goes_on_in_the_next_episode(patch: pytest.MonkeyPatch) -> None:
    """A truncated row is valued by what it sees next, which is another episode's first observation."""
    real = PPO._value_stash

    def value_stash(self: PPO) -> None:
        real(self)
        rollout = self.rollout
        after = torch.cat([rollout.values[1:], rollout.values[-1:]])
        rollout.final_values[rollout.truncated] = after[rollout.truncated]

    patch.setattr(PPO, "_value_stash", value_stash)


def state_leaks_over_an_end(patch: pytest.MonkeyPatch) -> None:
    """Memory is not cleared between episodes while the policy plays."""
    for place in ("skipjack.train.ppo.clear", "skipjack.policies.memory.clear"):
        patch.setattr(place, lambda state, rows: state)


def sequences_forget(patch: pytest.MonkeyPatch) -> None:
    """Learning takes each step for the first of its episode."""
    real = Recurrent.sequence

    def sequence(self: Recurrent, hidden: Tensor, state: Any, resets: Tensor) -> Tensor:
        return real(self, hidden, state, torch.ones_like(resets))

    patch.setattr(Recurrent, "sequence", sequence)


def state_is_cleared_at_every_step(patch: pytest.MonkeyPatch) -> None:
    """The memory starts anew at every step while the policy plays."""
    patch.setattr(
        "skipjack.train.ppo.clear", lambda state, rows: tuple(map(torch.zeros_like, state))
    )


def masks_are_ignored(patch: pytest.MonkeyPatch) -> None:
    """Illegal choices are as probable as others."""
    real = DiscreteHead._log_probabilities
    patch.setattr(
        DiscreteHead, "_log_probabilities", lambda self, logits, mask: real(self, logits, None)
    )


def advantages_of_the_next_row(patch: pytest.MonkeyPatch) -> None:
    """Each row learns from its neighbour's advantages."""
    real = returns.advantages
    patch.setattr(returns, "advantages", lambda **of: np.roll(real(**of), 1, axis=1))


def only_the_last_step_learns(patch: pytest.MonkeyPatch) -> None:
    """Advantages do not reach the steps before a reward."""
    real = returns.advantages
    patch.setattr(returns, "advantages", lambda **of: real(**of) * of["terminated"])


def rewards_come_a_step_late(patch: pytest.MonkeyPatch) -> None:
    """A reward is booked for the step after the one that earned it."""
    real = Rollout.finish

    def finish(self: Rollout, *settings: float) -> None:
        self.rewards.copy_(self.rewards.roll(1, dims=0))
        real(self, *settings)

    patch.setattr(Rollout, "finish", finish)


def actions_reach_the_other_seat(patch: pytest.MonkeyPatch) -> None:
    """Two seats of an env get each other's actions."""
    patch.setattr(
        EverySeat,
        "complete",
        lambda self, batch, actions: actions.reshape(-1, 2, 1)[:, ::-1].reshape(-1, 1).copy(),
    )


def most_probable_action(patch: pytest.MonkeyPatch) -> None:
    """The policy plays its most probable action in place of a sampled one."""

    def sample(self: Any, logits: Tensor, noise: Tensor, mask: Any = None) -> Any:
        best = self.best(logits, mask)
        return best, self.evaluate(logits, best, mask)[0]

    patch.setattr(DiscreteHead, "sample", sample)


def real_numbers_left_out(patch: pytest.MonkeyPatch) -> None:
    """The probability of an action lacks that of its real numbers."""
    real = ContinuousHead.evaluate

    def evaluate(self: Any, means: Tensor, actions: Tensor, mask: Any = None) -> Any:
        density, entropy = real(self, means, actions, mask)
        return torch.zeros_like(density), entropy

    patch.setattr(ContinuousHead, "evaluate", evaluate)


def actions_kept_as_the_env_takes_them(patch: pytest.MonkeyPatch) -> None:
    """Learning takes the clipped and scaled action for the one that was drawn."""
    real, scale = ContinuousHead.sample, ContinuousHead.to_env

    def sample(self: Any, means: Tensor, noise: Tensor, mask: Any = None) -> Any:
        actions, density = real(self, means, noise, mask)
        return scale(self, actions), density

    patch.setattr(ContinuousHead, "sample", sample)
    patch.setattr(ContinuousHead, "to_env", lambda self, actions: actions)


MUTATIONS: list[tuple[str, Patch, float]] = [
    ("bandit", advantages_of_the_next_row, 0.8),
    ("bandit/masked", masks_are_ignored, 0.7),
    ("continuous", actions_kept_as_the_env_takes_them, 0.5),
    ("memory", sequences_forget, 0.6),
    ("memory", state_is_cleared_at_every_step, 0.6),
    ("multiagent", actions_reach_the_other_seat, 0.8),
    ("password", only_the_last_step_learns, 0.5),
    ("reset_leak", state_leaks_over_an_end, 0.5),
    ("spaces", real_numbers_left_out, 0.8),
    ("squared", rewards_come_a_step_late, 0.5),
    ("stochastic", most_probable_action, 0.5),
    ("truncation", truncated_is_terminated, 0.8),
    ("truncation", terminated_is_truncated, 0.5),
    ("truncation", truncated_goes_on_in_the_next_episode, 0.8),
]
"""Game, what is broken, and the score that it stays below; the whole trainer reaches 0.95."""


def test_every_sanity_game_has_its_mutation() -> None:
    assert {name for name, _, _ in MUTATIONS} == set(SANITY)


@pytest.mark.parametrize(
    ("name", "mutation", "limit"), MUTATIONS, ids=[f"{n}-{m.__name__}" for n, m, _ in MUTATIONS]
)
def test_a_broken_trainer_does_not_solve(
    name: str, mutation: Patch, limit: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutation(monkeypatch)
    assert trained(name)[1].score < limit
