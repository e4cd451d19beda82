"""The policy contract over every built-in shape; heads; own policies."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from skipjack.errors import UsageError
from skipjack.policies.config import PolicyConfig
from skipjack.policies.encoders import MLPEncoder, WindowEncoder
from skipjack.policies.heads import ContinuousHead, DiscreteHead
from skipjack.policies.policy import Policy, build
from skipjack.spaces import Actions, Layout
from skipjack.testing.policy import PolicyContract


class TestMLP(PolicyContract):
    def make_policy(self) -> Any:
        return Policy(self.observation, self.action, PolicyConfig(hidden=16, layers=2))


class TestLSTM(PolicyContract):
    def make_policy(self) -> Any:
        return Policy(self.observation, self.action, PolicyConfig(hidden=16, memory="lstm"))


class TestWindow(PolicyContract):
    observation = Layout.box((5, 6), np.uint8, low=0, high=3, kinds=4)

    def make_policy(self) -> Any:
        policy = Policy(self.observation, self.action, PolicyConfig(hidden=16))
        assert isinstance(policy.encoder, WindowEncoder)
        return policy


class TestWindowLSTM(PolicyContract):
    observation = Layout.box((5, 5), np.uint8, low=0, high=2, kinds=3)

    def make_policy(self) -> Any:
        return Policy(self.observation, self.action, PolicyConfig(hidden=16, memory="lstm"))


class TestBytes(PolicyContract):
    observation = Layout.box((4, 3), np.uint8, low=0, high=255)

    def make_policy(self) -> Any:
        policy = Policy(self.observation, self.action, PolicyConfig(hidden=16))
        assert isinstance(policy.encoder, MLPEncoder)
        return policy


class TestMultiDiscrete(PolicyContract):
    action = Actions.discrete(3, 5, 2)

    def make_policy(self) -> Any:
        return Policy(self.observation, self.action, PolicyConfig(hidden=16))


class TestContinuous(PolicyContract):
    action = Actions.continuous(2, low=-3.0, high=1.0)

    def make_policy(self) -> Any:
        return Policy(self.observation, self.action, PolicyConfig(hidden=16, memory="lstm"))


# ---- heads ----


def test_discrete_samples_follow_their_probabilities() -> None:
    head = DiscreteHead(Actions.discrete(3, 2))
    probabilities = torch.tensor([0.2, 0.5, 0.3, 0.9, 0.1])
    parameters = probabilities.log().expand(200_000, 5) + 7.0  # a shift of logits changes nothing
    noise = torch.rand(200_000, 2, generator=torch.Generator().manual_seed(0))
    actions, logp = head.sample(parameters, noise)
    counts = [torch.bincount(actions[:, i].long()) / 200_000 for i in range(2)]
    assert torch.allclose(torch.cat(counts), probabilities, atol=0.005)
    both = probabilities[:3][actions[:, 0].long()] * probabilities[3:][actions[:, 1].long()]
    assert torch.allclose(logp, both.log(), atol=1e-5)
    assert torch.allclose(head.evaluate(parameters, actions)[0], logp, atol=1e-6)


def test_extreme_noise_and_logits_give_legal_choices() -> None:
    head = DiscreteHead(Actions.discrete(4, masked=True))
    mask = torch.tensor([[0, 1, 1, 0]]).expand(6, 4)
    parameters = torch.tensor([[0.0, 1, 2, 3], [1e4, -1e4, 0, 1e4], [0, -50, 50, 0]]).repeat(2, 1)
    noise = torch.tensor([[0.0], [0.0], [0.0], [1 - 2**-24], [1 - 2**-24], [1 - 2**-24]])
    actions, logp = head.sample(parameters, noise, mask)
    assert set(actions[:, 0].tolist()) <= {1, 2}
    assert torch.isfinite(logp).all()


def test_masked_choices_get_no_probability_entropy_or_gradient() -> None:
    head = DiscreteHead(Actions.discrete(3, masked=True))
    parameters = torch.zeros(1, 3, requires_grad=True)
    mask = torch.tensor([[1, 1, 0]])
    logp, entropy = head.evaluate(parameters, torch.tensor([[0]], dtype=torch.int32), mask)
    assert logp.item() == pytest.approx(math.log(0.5))
    assert entropy.item() == pytest.approx(math.log(2))
    logp.sum().backward()
    assert parameters.grad is not None
    assert parameters.grad[0, 2] == 0
    # A row that waits has nothing legal: numbers stay finite, its weight in the loss is zero.
    logp, entropy = head.evaluate(
        parameters, torch.tensor([[0]], dtype=torch.int32), torch.zeros(1, 3)
    )
    assert torch.isfinite(logp).all()
    assert torch.isfinite(entropy).all()


def test_continuous_matches_torch_and_its_samples_are_normal() -> None:
    head = ContinuousHead(Actions.continuous(2, low=-3.0, high=1.0))
    with torch.no_grad():
        head.log_deviation[:] = torch.tensor([0.3, -1.0])
    means = torch.tensor([0.5, -0.2]).expand(100_000, 2)
    noise = torch.rand(100_000, 2, generator=torch.Generator().manual_seed(0))
    actions, logp = head.sample(means, noise)
    normal = torch.distributions.Normal(means, head.log_deviation.exp())
    assert torch.allclose(logp, normal.log_prob(actions).sum(-1), atol=1e-5)
    assert torch.allclose(head.evaluate(means, actions)[1], normal.entropy(), atol=1e-6)
    assert torch.allclose(actions.mean(0), means[0], atol=0.02)
    assert torch.allclose(actions.std(0), head.log_deviation.exp(), rtol=0.02)
    edges = head.sample(means[:2], torch.tensor([[0.0, 0.0], [1 - 2**-24, 1 - 2**-24]]))[0]
    assert torch.isfinite(edges).all()
    env = head.to_env(torch.tensor([[-9.0, -1.0], [0.0, 1.0], [9.0, 0.5]]))
    assert torch.allclose(env, torch.tensor([[-3.0, -3.0], [-1.0, 1.0], [1.0, 0.0]]))


def test_first_policy_is_nearly_uniform() -> None:
    torch.manual_seed(0)
    policy = Policy(Layout.box((8,)), Actions.discrete(6))
    parameters, _, _ = policy.step(torch.randn(500, 8), ())
    assert (parameters.softmax(-1) - 1 / 6).abs().max() < 0.02


# ---- own policies ----


class NoMethods(torch.nn.Module):
    def __init__(self, *_: Any) -> None:
        super().__init__()


def test_own_policies_are_found_and_checked() -> None:
    layout, action = Layout.box((118,)), Actions.discrete(3)
    own = build(layout, action, PolicyConfig(own="examples.custom_policy:TwoTowers"))
    assert type(own).__name__ == "TwoTowers"
    for name, words in [
        ("nowhere:Policy", "must be importable"),
        ("examples.custom_policy:Three", "must be importable"),
        ("TwoTowers", "module:Class"),
        ("tests.policies.test_policies:NoMethods", "must have all methods"),
    ]:
        with pytest.raises(UsageError, match=words):
            build(layout, action, PolicyConfig(own=name))


def test_window_needs_a_grid() -> None:
    with pytest.raises(UsageError, match="mlp"):
        Policy(Layout.box((8,)), Actions.discrete(2), PolicyConfig(encoder="window"))
