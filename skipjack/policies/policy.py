"""The built-in policy, and the methods that a user's own must have."""

from __future__ import annotations

import importlib
from typing import Any

from torch import Tensor, nn

from skipjack.errors import UsageError, must
from skipjack.policies.config import PolicyConfig
from skipjack.policies.encoders import linear, make_encoder
from skipjack.policies.heads import make_head
from skipjack.policies.memory import LSTM, State
from skipjack.spaces import Actions, Layout


class Policy(nn.Module):
    """Encoder, optional memory, actor and critic.

    For an own network, subclass it and override `encode` (and set `self.hidden_size`), or write an
    `nn.Module` with the same methods; `skipjack.testing.PolicyContract` checks either.

    Args:
        observation: layout of the observations.
        action: the actions.
        config: shape of the network.
    """

    memory: LSTM | None

    def __init__(
        self, observation: Layout, action: Actions, config: PolicyConfig | None = None
    ) -> None:
        super().__init__()
        config = config or PolicyConfig()
        self.observation, self.action = observation, action
        self.encoder = make_encoder(observation, config)
        self.hidden_size = config.hidden
        self.memory = LSTM(config.hidden) if config.memory == "lstm" else None
        self.head = make_head(action)
        # A small last layer: the first policy is close to uniform (Andrychowicz et al. 2021).
        self.actor = linear(config.hidden, self.head.parameters_size, gain=0.01)
        self.critic = linear(config.hidden, 1, gain=1.0)

    def encode(self, observations: Tensor) -> Tensor:
        """(..., *observation.shape) -> (..., hidden_size)."""
        return self.encoder(observations)

    def initial_state(self, rows: int) -> State:
        """The memory's state at the start of an episode, each part (rows, size); may be empty."""
        if self.memory is None:
            return ()
        return self.memory.initial_state(rows, self.actor.weight.device)

    def step(self, observations: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """Act: one step of every row.

        Returns:
            the head's parameters (rows, size), values (rows,), and the state after the step.
        """
        hidden = self.encode(observations)
        if self.memory is not None:
            hidden, state = self.memory.step(hidden, state)
        return self.actor(hidden), self.critic(hidden)[:, 0], state

    def sequence(self, observations: Tensor, state: State, resets: Tensor) -> tuple[Tensor, Tensor]:
        """Learn: `step` over (time, rows, ...), the state cleared before steps with a reset.

        Returns:
            the head's parameters (time, rows, size) and values (time, rows).
        """
        hidden = self.encode(observations)
        if self.memory is not None:
            hidden = self.memory.sequence(hidden, state, resets)
        return self.actor(hidden), self.critic(hidden)[..., 0]

    def value(self, observations: Tensor, state: State) -> Tensor:
        """Values (rows,) of observations, given the state before them."""
        return self.step(observations, state)[1]


METHODS = ("encode", "initial_state", "step", "sequence", "value", "head")


def build(observation: Layout, action: Actions, config: PolicyConfig) -> Any:
    """The built-in policy, or the user's own that `config.own` names, made for an env.

    Raises:
        UsageError: the class cannot be imported, or lacks a method that a policy must have.
    """
    own = config.own
    if not own:
        return Policy(observation, action, config)
    module_name, _, attribute = own.partition(":")
    if not module_name or not attribute:
        raise must("an own policy must be named module:Class", policy=own)
    try:
        policy_class = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"The policy {own!r} must be importable, but {error}. "
            f"Run from the folder that holds it, or install its package."
        ) from error
    policy = policy_class(observation, action, config)
    lacking = [name for name in METHODS if not hasattr(policy, name)]
    if lacking:
        raise must("a policy must have all methods of skipjack.Policy", lacking=lacking, policy=own)
    return policy
