"""The policy contract over every built-in shape; heads; own policies."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from skipjack.errors import UsageError
from skipjack.policies.config import PolicyConfig
from skipjack.policies.encoders import MLPEncoder, WindowEncoder, linear
from skipjack.policies.heads import ContinuousHead, DiscreteHead, HybridHead, make_head
from skipjack.policies.memory import GRU, MinGRU, scan
from skipjack.policies.normalise import Normaliser
from skipjack.policies.policy import Policy, build
from skipjack.spaces import Actions, Layout
from skipjack.testing.policy import PolicyContract


class TestMLP(PolicyContract):
    def make_policy(self) -> Any:
        return Policy(self.observation, self.action, PolicyConfig(hidden=16, layers=2))


class TestLSTM(PolicyContract):
    def make_policy(self) -> Any:
        return Policy(self.observation, self.action, PolicyConfig(hidden=16, memory="lstm"))


class TestGRU(PolicyContract):
    def make_policy(self) -> Any:
        return Policy(self.observation, self.action, PolicyConfig(hidden=16, memory="gru"))


class TestMinGRU(PolicyContract):
    def make_policy(self) -> Any:
        return Policy(self.observation, self.action, PolicyConfig(hidden=16, memory="mingru"))


class TestSeparateValue(PolicyContract):
    def make_policy(self) -> Any:
        config = PolicyConfig(hidden=16, separate_value=True)
        return Policy(self.observation, self.action, config)


class TestSeparateValueGRU(PolicyContract):
    action = Actions.discrete(4, 2)

    def make_policy(self) -> Any:
        config = PolicyConfig(hidden=16, memory="gru", separate_value=True)
        return Policy(self.observation, self.action, config)


class TestNormalised(PolicyContract):
    def make_policy(self) -> Any:
        torch.manual_seed(1)
        config = PolicyConfig(hidden=16, memory="lstm", normalise=True)
        policy = Policy(self.observation, self.action, config)
        policy.adapt(3 + 5 * torch.randn(20, 4, 5), torch.rand(20, 4) < 0.7)
        return policy


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


class TestHybrid(PolicyContract):
    action = Actions.named({"jump": 2, "turn": (-2.0, 2.0), "gear": 5})

    def make_policy(self) -> Any:
        return Policy(self.observation, self.action, PolicyConfig(hidden=16, memory="mingru"))


class TestSwitches(PolicyContract):
    action = Actions.binary(6)

    def make_policy(self) -> Any:
        return Policy(self.observation, self.action, PolicyConfig(hidden=16))


# ---- memory ----


def test_gates_follow_their_equations() -> None:
    """GRU and minGRU against their papers' equations, written out."""
    torch.manual_seed(0)
    x, h = torch.randn(5, 8), torch.randn(5, 8)
    gru = GRU(8)
    with torch.no_grad():
        for parameter in gru.parameters():
            parameter.normal_()
    w, u = gru.layer.weight_ih_l0.chunk(3), gru.layer.weight_hh_l0.chunk(3)
    b, c = gru.layer.bias_ih_l0.chunk(3), gru.layer.bias_hh_l0.chunk(3)
    reset = torch.sigmoid(x @ w[0].T + b[0] + h @ u[0].T + c[0])
    stay = torch.sigmoid(x @ w[1].T + b[1] + h @ u[1].T + c[1])
    new = torch.tanh(x @ w[2].T + b[2] + reset * (h @ u[2].T + c[2]))
    assert torch.allclose(gru.step(x, (h,))[0], (1 - stay) * new + stay * h, atol=1e-5)
    minimal = MinGRU(8)
    z, n = (x @ minimal.gates.weight.T + minimal.gates.bias).chunk(2, -1)
    z = torch.sigmoid(z)
    assert torch.allclose(minimal.step(x, (h,))[0], (1 - z) * h + z * n, atol=1e-6)


@pytest.mark.parametrize("time", [1, 2, 3, 8, 13])
def test_the_scan_is_the_loop_in_values_and_gradients(time: int) -> None:
    generator = torch.Generator().manual_seed(time)
    keep = torch.rand(time, 3, 2, generator=generator, dtype=torch.double, requires_grad=True)
    new = torch.randn(time, 3, 2, generator=generator, dtype=torch.double, requires_grad=True)
    after, found = torch.zeros(3, 2, dtype=torch.double), []
    for t in range(time):
        after = keep[t] * after + new[t]
        found.append(after)
    loop, whole = torch.stack(found), scan(keep, new)
    assert torch.allclose(whole, loop)
    weights = torch.randn(loop.shape, generator=generator, dtype=torch.double)
    for a, b in zip(
        torch.autograd.grad((whole * weights).sum(), (keep, new), materialize_grads=True),
        torch.autograd.grad((loop * weights).sum(), (keep, new), materialize_grads=True),
        strict=True,
    ):
        assert torch.allclose(a, b)


# ---- normalisation, values ----


def test_the_normaliser_has_the_moments_of_all_it_has_seen() -> None:
    generator = torch.Generator().manual_seed(0)
    parts = [2 + 3 * torch.randn(n, 4, generator=generator) for n in (1, 50, 7, 400)]
    normaliser = Normaliser(4)
    assert torch.equal(normaliser(parts[0]), parts[0] * (1 + 1e-8) ** -0.5)  # nothing seen yet
    for part in parts:
        normaliser.adapt(part)
    seen = torch.cat(parts)
    assert torch.allclose(normaliser.mean, seen.mean(0), atol=1e-5)
    assert torch.allclose(normaliser.variance, seen.var(0, unbiased=False), rtol=1e-4)
    assert normaliser(seen).mean().abs() < 1e-4
    assert normaliser(torch.full((1, 4), 1e9)).max() == 10
    before = normaliser.mean.clone()
    normaliser.adapt(torch.empty(0, 4))
    assert torch.equal(normaliser.mean, before)


def test_observations_that_do_not_count_stay_out_of_the_normaliser() -> None:
    policy = Policy(Layout.box((3,)), Actions.discrete(2), PolicyConfig(hidden=8, normalise=True))
    alive = torch.tensor([[True, False], [True, True]])
    seen = torch.arange(12.0).reshape(2, 2, 3)
    policy.adapt(seen, alive)
    assert torch.allclose(policy.encoder.normaliser.mean, seen[alive].mean(0))
    with pytest.raises(UsageError, match="one-hot"):
        Policy(
            Layout.box((5, 5), np.uint8, kinds=3),
            Actions.discrete(2),
            PolicyConfig(encoder="window", normalise=True),
        )


def test_a_separate_critic_shares_nothing_with_the_actor() -> None:
    config = PolicyConfig(hidden=8, memory="gru", separate_value=True)
    policy = Policy(Layout.box((3,)), Actions.discrete(2), config)
    state = policy.initial_state(2)
    _, values = policy.sequence(torch.randn(4, 2, 3), state, torch.zeros(4, 2) > 0)
    values.sum().backward()
    own = [name for name, p in policy.named_parameters() if p.grad is not None]
    assert all(name.startswith(("value_encoder.", "value_memory.", "critic.")) for name in own)
    assert len(state) == 2
    shared = Policy(Layout.box((3,)), Actions.discrete(2), PolicyConfig(hidden=8, memory="gru"))
    assert len(shared.initial_state(2)) == 1


@pytest.mark.parametrize(
    ("kind", "high", "factor"),
    [
        (np.uint8, 255, 1 / 255),
        (np.uint8, 3, 1 / 3),
        (np.uint8, math.inf, 1 / 255),
        (np.int32, 1000, 1 / 1000),
        (np.float32, 50, 1.0),
    ],
)
def test_integers_are_brought_to_their_bound(kind: Any, high: float, factor: float) -> None:
    """The first layer sees shares of the bound; real numbers come as they are."""
    encoder = MLPEncoder(Layout.box((2, 3), kind, low=0, high=high), PolicyConfig(hidden=8))
    seen = np.arange(24).reshape(4, 2, 3).astype(kind)
    shares = torch.from_numpy(seen.reshape(4, 6).astype(np.float32)) * factor
    first = encoder.layers[0]
    expected = torch.relu(shares @ first.weight.T + first.bias)
    assert torch.allclose(encoder(torch.from_numpy(seen)), expected, atol=1e-6)


@pytest.mark.parametrize("size", [(16, 9), (9, 16), (16, 16)])
def test_layers_begin_orthogonal(size: tuple[int, int]) -> None:
    weight = linear(*size, gain=2.0).weight
    small = min(size)
    product = weight @ weight.T if weight.shape[0] == small else weight.T @ weight
    assert torch.allclose(product, 4 * torch.eye(small), atol=1e-5)


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


def test_draws_are_as_probable_as_samples() -> None:
    """Two components of unequal size; of the second, the likeliest choice is not legal."""
    head, rows = DiscreteHead(Actions(counts=(2, 4))), 40_000
    logits = torch.tensor([0.0, 1.0, 0.5, -1.0, 3.0, 0.0]).expand(rows, -1)
    legal = torch.tensor([1, 1, 1, 1, 0, 1]).expand(rows, -1)
    generator = torch.Generator().manual_seed(1)
    for mask in (None, legal):
        drawn = head.draw(logits, head.gumbel((rows,), generator), mask)
        wanted = head.probabilities(logits[:1], None if mask is None else mask[:1])[0]
        for at in range(2):
            found = drawn[:, at].bincount(minlength=4) / rows
            spread = (wanted[at] * (1 - wanted[at]) / rows).sqrt()
            assert ((found - wanted[at]).abs() <= 4 * spread).all()
        # One component says nothing of the other.
        both = ((drawn[:, 0] == 1) & (drawn[:, 1] == 0)).float().mean()
        assert abs(both - wanted[0, 1] * wanted[1, 0]) < 0.01
    nothing = torch.zeros(rows, 6, dtype=torch.int)
    assert not head.draw(logits, head.gumbel((rows,), generator), nothing).any()


def test_hybrid_is_choices_and_normals_side_by_side() -> None:
    action = Actions.named({"jump": 2, "gear": 3, "turn": (-4.0, 0.0)}, masked=True)
    head = make_head(action)
    assert isinstance(head, HybridHead)
    torch.manual_seed(0)
    parameters, noise = torch.randn(50, 6), torch.rand(50, 3)
    mask = torch.ones(50, 5)
    mask[:, 2] = 0
    mask[:10, :2] = 0  # rows that are not asked whether to jump
    actions, logp = head.sample(parameters, noise, mask)
    jump = torch.distributions.Categorical(logits=parameters[:, :2])
    gear = torch.distributions.Categorical(
        logits=parameters[:, 2:5].masked_fill(mask[:, 2:] == 0, -1e9)
    )
    turn = torch.distributions.Normal(parameters[:, 5], head.continuous.log_deviation.exp())
    asked = (torch.arange(50) >= 10).float()
    parts = jump.log_prob(actions[:, 0]) * asked, gear.log_prob(actions[:, 1])
    assert torch.allclose(logp, sum(parts) + turn.log_prob(actions[:, 2]), atol=1e-5)
    again, entropy = head.evaluate(parameters, actions, mask)
    assert torch.allclose(again, logp, atol=1e-6)
    expected = torch.stack([jump.entropy() * asked, gear.entropy(), turn.entropy()], -1)
    assert torch.allclose(entropy, expected, atol=1e-5)
    assert (actions[:10, 0] == 0).all()
    assert set(actions[:, 1].tolist()) == {1, 2}
    env = head.to_env(torch.tensor([[1.0, 2.0, 0.5], [0.0, 1.0, -7.0]]))
    assert torch.allclose(env, torch.tensor([[1.0, 2.0, -1.0], [0.0, 1.0, -4.0]]))
    best = head.best(parameters, mask)
    assert torch.equal(best[:, 2], parameters[:, 5])
    assert (best[:, 1] > 0).all()


@pytest.mark.parametrize("counts", [(2, 2, 2), (5, 2, 3), (7,)])
def test_components_in_a_table_equal_one_at_a_time(counts: tuple[int, ...]) -> None:
    head = DiscreteHead(Actions.discrete(*counts))
    torch.manual_seed(0)
    parameters, noise = torch.randn(200, sum(counts)), torch.rand(200, len(counts))
    actions, logp = head.sample(parameters, noise)
    parts = [
        torch.distributions.Categorical(logits=part) for part in parameters.split(counts, dim=-1)
    ]
    expected = sum(part.log_prob(actions[:, i]) for i, part in enumerate(parts))
    assert torch.allclose(logp, expected, atol=1e-5)
    entropy = torch.stack([part.entropy() for part in parts], -1)
    assert torch.allclose(head.evaluate(parameters, actions)[1], entropy, atol=1e-5)
    modes = torch.stack([part.mode for part in parts], -1)
    assert torch.equal(head.best(parameters).long(), modes)


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
