"""The built-in policy, and the methods that a user's own must have."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from skipjack import registry
from skipjack.errors import SkipjackError, UsageError, clause, must
from skipjack.policies.config import PolicyConfig
from skipjack.policies.encoders import linear, make_encoder
from skipjack.policies.heads import make_head
from skipjack.policies.memory import Memory, State, make_memory
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

    def __init__(
        self, observation: Layout, action: Actions, config: PolicyConfig | None = None
    ) -> None:
        super().__init__()
        config = config or PolicyConfig()
        self.observation, self.action = observation, action
        self.hidden_size = config.hidden
        self.encoder = make_encoder(observation, config)
        self.memory = make_memory(config)
        self.separate_value = config.separate_value
        if self.separate_value:
            self.value_encoder = make_encoder(observation, config)
            self.value_memory = make_memory(config)
        self.head = make_head(action)
        # A small last layer: the first policy is close to uniform (Andrychowicz et al. 2021).
        self.actor = linear(config.hidden, self.head.parameters_size, gain=0.01)
        self.critic = linear(config.hidden, 1, gain=1.0)

    def encode(self, observations: Tensor) -> Tensor:
        """(..., *observation.shape) -> (..., hidden_size)."""
        return self.encoder(observations)

    def encode_value(self, observations: Tensor) -> Tensor:
        """The same for the critic alone; asked where the value network is separate."""
        return self.value_encoder(observations)

    def adapt(self, observations: Tensor, alive: Tensor) -> None:
        """Take in what was seen in a rollout, after learning from it.

        Args:
            observations: (time, rows, *observation.shape).
            alive: (time, rows) bool, which of them count.
        """
        encoders: list[Any] = [self.encoder]
        if self.separate_value:
            encoders.append(self.value_encoder)
        for encoder in encoders:
            if hasattr(encoder, "adapt"):  # an own encoder need not
                encoder.adapt(observations, alive)

    def initial_state(self, rows: int) -> State:
        """The memory's state at the start of an episode, each part (rows, size); may be empty.

        A separate critic's parts stand behind the actor's.
        """
        if self.memory is None:
            return ()
        own = self.memory.initial_state(rows, self.actor.weight.device)
        return own + tuple(map(torch.zeros_like, own)) if self.separate_value else own

    def step(self, observations: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """Act: one step of every row.

        Returns:
            the head's parameters (rows, size), values (rows,), and the state after the step.
        """
        own, critics = self._parts(state)
        hidden, after = _step(self.memory, self.encode(observations), own)
        valued = hidden
        if self.separate_value:
            valued, later = _step(self.value_memory, self.encode_value(observations), critics)
            after += later
        return self.actor(hidden), self.critic(valued)[:, 0], after

    def sequence(self, observations: Tensor, state: State, resets: Tensor) -> tuple[Tensor, Tensor]:
        """Learn: `step` over (time, rows, ...), the state cleared before steps with a reset.

        Returns:
            the head's parameters (time, rows, size) and values (time, rows).
        """
        own, critics = self._parts(state)
        valued = hidden = _sequence(self.memory, self.encode(observations), own, resets)
        if self.separate_value:
            seen = self.encode_value(observations)
            valued = _sequence(self.value_memory, seen, critics, resets)
        return self.actor(hidden), self.critic(valued)[..., 0]

    def value(self, observations: Tensor, state: State) -> Tensor:
        """Values (rows,) of observations, given the state before them."""
        own, critics = self._parts(state)
        if self.separate_value:
            hidden, _ = _step(self.value_memory, self.encode_value(observations), critics)
        else:
            hidden, _ = _step(self.memory, self.encode(observations), own)
        return self.critic(hidden)[:, 0]

    def _parts(self, state: State) -> tuple[State, State]:
        """The actor's part of a state, and the critic's."""
        middle = len(state) // 2 if self.separate_value else len(state)
        return state[:middle], state[middle:]


def _step(memory: Memory | None, hidden: Tensor, state: State) -> tuple[Tensor, State]:
    return (hidden, state) if memory is None else memory.step(hidden, state)


def _sequence(memory: Memory | None, hidden: Tensor, state: State, resets: Tensor) -> Tensor:
    return hidden if memory is None else memory.sequence(hidden, state, resets)


METHODS = ("encode", "initial_state", "step", "sequence", "value", "head")


def build(observation: Layout, action: Actions, config: PolicyConfig) -> Any:
    """The built-in policy, or the user's own that `config.own` names, made for an env.

    Raises:
        UsageError: the class cannot be imported or made, lacks a method that a policy must have, or
            gives other shapes.
    """
    own = config.own
    if not own:
        return Policy(observation, action, config)
    policy_class = registry.attribute(own, "policy")
    try:
        policy = policy_class(observation, action, config)
    except SkipjackError:
        raise
    except Exception as error:
        raise UsageError(
            f"The policy {own!r} must be made from (observation, action, config), but raised "
            f"{type(error).__name__}: {clause(error)}."
        ) from error
    lacking = [name for name in METHODS if not hasattr(policy, name)]
    if lacking:
        raise must("a policy must have all methods of skipjack.Policy", lacking=lacking, policy=own)
    _try(policy, own, observation, action)
    return policy


def _try(policy: Any, own: str, observation: Layout, action: Actions) -> None:
    """Act and learn once on zeros: a policy that cannot is an error before anything has begun.

    Raises:
        UsageError: it raises, or gives other shapes than `Policy` does.
    """
    kind = getattr(torch, observation.dtype.name)
    seen = torch.zeros(3, 2, *observation.shape, dtype=kind)
    try:
        with torch.no_grad():
            state = policy.initial_state(2)
            parameters, values, _ = policy.step(seen[0], state)
            many, more = policy.sequence(seen, state, torch.zeros(3, 2, dtype=torch.bool))
            mask = torch.ones(2, action.choices) if action.masked else None
            noise = torch.rand(2, policy.head.components)
            actions, logp = policy.head.sample(parameters, noise, mask)
            policy.head.best(parameters, mask)
            _, entropies = policy.head.evaluate(parameters, actions, mask)
            taken = policy.head.to_env(actions)
            shapes = [tuple(part.shape) for part in (values, more, many, logp, entropies, taken)]
    except Exception as error:
        raise UsageError(
            f"The policy {own!r} must act and learn on {tuple(seen.shape)} observations (time, rows, "
            f"...), but raised {type(error).__name__}: {clause(error)}."
        ) from error
    wanted = [(2,), (3, 2), (3, *parameters.shape), (2,), (2, action.width), (2, action.width)]
    if shapes != wanted:
        raise must(
            "an own policy must give values, values of a sequence, its parameters, "
            f"log-probabilities, entropies and actions of the shapes {wanted} for 3 steps of 2 rows",
            hint="skipjack.testing.PolicyContract tells more.",
            policy=own,
            shapes=shapes,
        )
