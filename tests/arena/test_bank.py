"""Policies side by side act as each of them does alone."""

from __future__ import annotations

import pytest
import torch

from skipjack.arena.bank import Bank
from skipjack.policies.config import PolicyConfig
from skipjack.policies.heads import DiscreteHead
from skipjack.policies.policy import Policy
from skipjack.spaces import Actions, Layout

OBSERVATION = Layout.box((5,), low=-1.0, high=1.0)
ROWS = 6
KINDS = {
    "masked": (Actions.discrete(4, masked=True), {}),
    "mingru": (Actions.discrete(3), {"memory": "mingru", "normalise": True}),
    "continuous": (Actions(low=(-1.0, 0.0), high=(1.0, 4.0)), {"layers": 2}),
    "lstm": (Actions.discrete(3), {"memory": "lstm"}),
    "gru": (Actions.discrete(3), {"memory": "gru", "separate_value": True}),
    "fields": (Actions.discrete(3), {"encoder": "fields", "memory": "gru"}),
    "uneven": (Actions(counts=(2, 4)), {}),
    "own": (Actions.discrete(3), {"memory": "lstm"}),
}


class Own(Policy):
    """Steps in its own way: nobody else's layers may stand for it."""

    def step(self, observations, state):
        parameters, values, after = super().step(observations * 2, state)
        return parameters + 1, values, after


def policies(kind: str, count: int) -> list[Policy]:
    action, shape = KINDS[kind]
    found = []
    for seed in range(count):
        torch.manual_seed(seed)
        policy = (Own if kind == "own" else Policy)(
            OBSERVATION, action, PolicyConfig(hidden=8, **shape)
        )
        with torch.no_grad():
            for value in policy.parameters():
                value.add_(torch.randn_like(value))
        policy.adapt(torch.randn(3, 4, 5), torch.ones(3, 4, dtype=torch.bool))
        found.append(policy.eval())
    return found


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_banks_act_as_their_policies_do_alone(kind: str, count: int) -> None:
    action, _ = KINDS[kind]
    known = policies(kind, count)
    bank = Bank(known[0], count)
    for at, policy in enumerate(known):
        bank.load(at, policy.state_dict())
    state = bank.initial_state(ROWS)
    alone = [policy.initial_state(ROWS) for policy in known]
    for tick in range(3):
        seen = torch.randn(count * ROWS, 5)
        (noise,) = bank.noise(1, ROWS, torch.Generator().manual_seed(tick))
        mask = (torch.rand(count * ROWS, 4) < 0.6).byte() if action.masked else None
        taken, state = bank.act(seen, state, noise, mask)
        for at, policy in enumerate(known):
            rows = slice(at * ROWS, (at + 1) * ROWS)
            parameters, _, alone[at] = policy.step(seen[rows], alone[at])
            legal = None if mask is None else mask[rows]
            if isinstance(policy.head, DiscreteHead):
                wanted = policy.head.draw(parameters, noise[rows], legal)
            else:
                wanted, _ = policy.head.sample(parameters, noise[rows], legal)
            assert torch.allclose(taken[rows], policy.head.to_env(wanted), atol=1e-6)
            for part, own in zip(state, alone[at], strict=False):  # the critic's stand behind
                assert torch.allclose(part[rows], own, atol=1e-6)


def test_weights_are_changed_in_place_and_for_one_bank_alone() -> None:
    one, other = policies("masked", 2)
    bank = Bank(one, 2)
    places = [value.data_ptr() for value in bank.policies[1].parameters()]
    bank.load(1, other.state_dict())
    assert places == [value.data_ptr() for value in bank.policies[1].parameters()]
    for at, policy in enumerate((one, other)):
        for name, value in policy.state_dict().items():
            assert torch.equal(bank.policies[at].state_dict()[name], value)


def test_the_learner_s_own_weights_stay_its_own() -> None:
    (one,) = policies("masked", 1)
    before = {name: value.clone() for name, value in one.state_dict().items()}
    bank = Bank(one, 1)
    bank.load(0, {name: value + 1 for name, value in before.items()})
    assert all(torch.equal(value, before[name]) for name, value in one.state_dict().items())
    assert all(parameter.requires_grad for parameter in one.parameters())
