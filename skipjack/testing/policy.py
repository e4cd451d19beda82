"""What every policy must do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from skipjack.policies.memory import clear
from skipjack.spaces import Actions, Layout


class PolicyContract:
    """Tests of a policy. Override `make_policy`, and the layouts if it needs others."""

    observation = Layout.box((5,), low=-1.0, high=1.0)
    action = Actions.discrete(3)
    tolerance = 1e-5

    def make_policy(self) -> Any:
        """A fresh policy for `observation` and `action`."""
        raise NotImplementedError

    def observations(self, *lead: int) -> Tensor:
        """Random observations (*lead, *shape)."""
        if self.observation.mixed:
            return self._of_several_types(*lead)
        kind = getattr(torch, self.observation.dtype.name)
        if kind.is_floating_point:
            return torch.randn(*lead, *self.observation.shape, dtype=kind)
        high = max(2, self.observation.fields[0].kinds)
        return torch.randint(0, high, (*lead, *self.observation.shape), dtype=kind)

    def _of_several_types(self, *lead: int) -> Tensor:
        rows = np.zeros((*lead, *self.observation.shape), self.observation.dtype)
        for field, part in zip(
            self.observation.fields, self.observation.unpack(rows).values(), strict=True
        ):
            low, high = max(field.low, -10.0), min(field.high, 10.0)
            values = low + (high - low) * torch.rand(part.shape, dtype=torch.float64).numpy()
            part[...] = values if part.dtype.kind == "f" else np.rint(values)
        return torch.from_numpy(rows)

    def test_shapes(self) -> None:
        """Parameters, values and state have a row each."""
        policy = self.make_policy()
        parameters, values, state = policy.step(self.observations(4), policy.initial_state(4))
        assert parameters.shape == (4, policy.head.parameters_size)
        assert values.shape == (4,)
        assert all(part.shape[0] == 4 for part in state)

    @pytest.mark.parametrize("resets", ["none", "some", "all"])
    def test_sequence_equals_steps(self, resets: str) -> None:
        """The sequence form equals steps in a loop, with the state cleared inside."""
        torch.manual_seed(0)
        policy = self.make_policy()
        time, rows = 9, 6
        observations = self.observations(time, rows)
        share = {"none": 0.0, "some": 0.3, "all": 1.0}[resets]
        cut = torch.rand(time, rows) < share
        state = tuple(torch.randn_like(part) for part in policy.initial_state(rows))
        start, parameters, values = state, [], []
        with torch.no_grad():
            for t in range(time):
                state = clear(state, cut[t])
                found, value, state = policy.step(observations[t], state)
                parameters.append(found)
                values.append(value)
            whole, whole_values = policy.sequence(observations, start, cut)
        assert torch.allclose(whole, torch.stack(parameters), atol=self.tolerance)
        assert torch.allclose(whole_values, torch.stack(values), atol=self.tolerance)

    def test_value_is_that_of_step(self) -> None:
        """`value` gives what `step` gives, and changes nothing."""
        policy = self.make_policy()
        observations, state = self.observations(3), policy.initial_state(3)
        with torch.no_grad():
            expected = policy.step(observations, state)[1]
            assert torch.allclose(policy.value(observations, state), expected)
            assert torch.allclose(policy.value(observations, state), expected)

    def test_rows_do_not_see_each_other(self) -> None:
        """A row's output is the same alone and among others."""
        policy = self.make_policy()
        observations = self.observations(5)
        with torch.no_grad():
            together = policy.step(observations, policy.initial_state(5))[0]
            alone = policy.step(observations[2:3], policy.initial_state(1))[0]
        assert torch.allclose(together[2:3], alone, atol=self.tolerance)

    def test_gradients_reach_every_parameter(self) -> None:
        """Actor and critic together use all weights."""
        policy = self.make_policy()
        start = policy.initial_state(4)
        parameters, values = policy.sequence(
            self.observations(6, 4), start, torch.zeros(6, 4, dtype=torch.bool)
        )
        actions, _ = policy.head.sample(
            parameters[0].detach(), torch.rand(4, policy.head.components)
        )
        log_probabilities, entropies = policy.head.evaluate(parameters[0], actions)
        (log_probabilities.sum() + entropies.sum() + values.sum() + parameters.sum()).backward()
        lacking = [name for name, p in policy.named_parameters() if p.grad is None]
        assert not lacking

    def test_weights_go_out_and_in(self) -> None:
        """A fresh policy with the saved weights acts the same."""
        one, two = self.make_policy(), self.make_policy()
        two.load_state_dict(one.state_dict())
        observations = self.observations(3)
        with torch.no_grad():
            a = one.step(observations, one.initial_state(3))[0]
            b = two.step(observations, two.initial_state(3))[0]
        assert torch.equal(a, b)
