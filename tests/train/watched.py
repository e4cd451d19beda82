"""A trainer over a spying vector, and what a reference makes of the same experience."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch

from skipjack import seeding
from skipjack.policies.config import PolicyConfig
from skipjack.policies.policy import Policy
from skipjack.spaces import Actions
from skipjack.testing.corridor import Corridor
from skipjack.train.config import TrainConfig
from skipjack.train.ppo import PPO
from tests.games.test_contract import engine_of
from tests.reference import ppo as reference
from tests.reference.rollout import rollout_of
from tests.reference.tape import Spy, Tape

ACTIONS = {
    "choice": Actions.discrete(4, masked=True),
    "choices": Actions.discrete(3, 2, 4, masked=True),
    "switches": Actions.binary(3),
    "reals": Actions.continuous(2, low=-3.0, high=1.0),
    "hybrid": Actions.named({"jump": 2, "gear": 3, "turn": (-2.0, 0.0)}, masked=True),
}
SETTINGS = {"steps": 10_000, "horizon": 8, "minibatches": 3, "epochs": 2, "schedule": "constant"}
SETTINGS |= {
    "discount": 0.9,
    "trace": 0.8,
    "reward_scale": 0.3,
    "entropy_weight": 0.03,
    "clip": 0.02,
}


def engine(name: str) -> Any:
    """cartpole, corridor, or a tape with the actions of that name."""
    if name == "cartpole":
        return engine_of("cartpole", 10, time_limit=12)
    if name == "corridor":
        return Corridor(6, Corridor.Config(time_limit=7))
    return Tape(10, ACTIONS[name])


class Watched:
    """A trainer, its gradient steps, and a reference that goes along with it.

    Attributes:
        trainer, policy, vector: what is watched.
        states: by group, the reference's memory before the next rollout.
        minibatches: losses and gradients of each gradient step of the last update.
    """

    def __init__(
        self, game: str, memory: str = "none", groups: int = 1, seed: int = 0, **changes: Any
    ) -> None:
        torch.manual_seed(0)
        self.vector = Spy(engine(game), groups)
        shape = PolicyConfig(hidden=16, memory=memory)  # type: ignore[arg-type]
        self.policy = Policy(self.vector.observation, self.vector.action, shape)
        config = TrainConfig(**(SETTINGS | changes))
        self.trainer = PPO(config, self.vector, self.policy, seed)
        rows = self.vector.num_rows // groups
        self.states = [self.policy.initial_state(rows) for _ in range(groups)]
        self.minibatches: list[dict[str, Any]] = []
        improve = self.trainer._improve

        def spy(minibatch: Any) -> Any:
            losses = improve(minibatch)
            gradients = [p.grad.clone() for p in self.policy.parameters()]
            # What is reported by component has a test of its own.
            found = {name: float(part) for name, part in losses.items() if "/" not in name}
            self.minibatches.append(found | {"gradients": gradients})
            return losses

        self.trainer._improve = spy  # type: ignore[method-assign]

    def collect(self) -> dict[str, Any]:
        """Let the trainer collect; the rollout that the reference makes of it."""
        self.trainer.collect()
        config, found = self.trainer.config, []
        settings = {"discount": config.discount, "trace": config.trace}
        settings["reward_scale"] = config.reward_scale
        for group in range(self.vector.groups):
            told = self.vector.told[group][-config.horizon - 1 :]
            taken = self.trainer.rollout.actions[:, self.vector.rows_of(group)].clone()
            sent = self.vector.sent[group][-config.horizon :]
            assert np.allclose(self.sendable(taken), sent)
            rollout, self.states[group] = rollout_of(
                self.policy, told, taken, self.states[group], settings
            )
            found.append(rollout)
        whole = {
            name: None if part is None else torch.cat([rollout[name] for rollout in found], 1)
            for name, part in found[0].items()
            if name != "state"
        }
        whole["state"] = tuple(
            map(torch.cat, zip(*(rollout["state"] for rollout in found), strict=True))
        )
        return whole

    def sendable(self, taken: torch.Tensor) -> Any:
        """The policy's real numbers in [-1, 1] as the env's, its choices as they are."""
        actions = taken.numpy().copy()
        reals, action = actions[..., len(self.vector.action.counts) :], self.vector.action
        low, high = np.float32(action.low), np.float32(action.high)
        reals[:] = low + (high - low) * (np.clip(reals, -1, 1) + 1) / 2
        return actions

    def learn(self) -> dict[str, float]:
        """Let the trainer learn."""
        self.minibatches.clear()
        return self.trainer.learn()

    def reference_of(self, rollout: dict[str, Any]) -> tuple[Policy, list[dict[str, Any]]]:
        """The policy after the reference's update, with fresh optimisers on both sides."""
        twin, config = copy.deepcopy(self.policy), self.trainer.config
        for optimiser in self.trainer.optimisers:
            optimiser.state.clear()
        shuffle = torch.Generator().manual_seed(
            seeding.state(self.trainer.seed, "trainer", self.trainer.updates)
        )
        shuffles = [
            part
            for _ in range(config.epochs)
            for part in torch.randperm(self.vector.num_rows, generator=shuffle).tensor_split(
                config.minibatches
            )
        ]
        names = ("clip", "value_clip", "value_weight", "entropy_weight", "learning_rate")
        settings = {name: getattr(config, name) for name in (*names, "max_gradient_norm")}
        settings |= {"beta1": config.adam_beta1, "beta2": config.adam_beta2}
        settings["epsilon"] = config.adam_epsilon
        return twin, reference.update(twin, rollout, shuffles, settings)
