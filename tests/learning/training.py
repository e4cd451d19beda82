"""A training by its preset, for the tests that learn."""

from __future__ import annotations

from typing import Any

import torch

from skipjack.report import Evaluation
from skipjack.run.config import configure
from skipjack.run.envs import make_vector
from skipjack.run.wiring import evaluate_policy, make_policy
from skipjack.train.ppo import PPO

CPU = torch.device("cpu")


def trained(name: str, **flags: Any) -> tuple[PPO, Evaluation]:
    """A training without a folder, and its evaluation; flags as `train__steps=1`."""
    values = {key.replace("__", "."): value for key, value in flags.items()}
    configured = configure(name, flags={"seed": 1} | values)
    seed = configured.config.seed
    vector = make_vector(configured, configured.config.vector.num_envs)
    trainer = PPO(configured.config.train, vector, make_policy(configured, vector, CPU), seed=seed)
    trainer.run(lambda progress: None)
    return trainer, evaluate_policy(configured, trainer.policy, quota=2)
