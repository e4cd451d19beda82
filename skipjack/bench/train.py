"""Speed of training on this machine: the median of several repetitions, and where the time goes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from skipjack.bench.steps import summary
from skipjack.run.config import Configured
from skipjack.vector.config import cores

if TYPE_CHECKING:
    from skipjack.train.ppo import PPO


def measure(configured: Configured, seconds: float, repetitions: int) -> dict[str, Any]:
    """Steps a second of collect and learn, after a warm-up, and where the time goes."""
    trainer = make_trainer(configured)
    vector, config = trainer.vector, configured.config
    workers = getattr(vector, "workers", 0)
    runs_on = {"workers": workers} if workers else {"threads": config.vector.threads or cores()}
    speeds, profile = [], {}
    for repetition in range(-1, repetitions):
        began, before = time.perf_counter(), trainer.steps
        trainer.profile.take()
        while time.perf_counter() - began < seconds:
            trainer.collect()
            trainer.learn()
        if repetition >= 0:
            speeds.append((trainer.steps - before) / (time.perf_counter() - began))
            profile = trainer.profile.take()[1]
    vector.close()
    total = sum(profile.values())
    return {
        "env": configured.entry.full_name,
        "rows": vector.num_rows,
        "parameters": sum(p.numel() for p in trainer.policy.parameters()),
        "device": str(trainer.device),
        "precision": config.train.precision,
        **runs_on,
        **summary(speeds),
        "time": {phase: spent / total for phase, spent in profile.items()},
    }


def make_trainer(configured: Configured) -> PPO:
    """A trainer with fresh envs and a fresh policy, on the device and the threads that the settings say."""
    import torch

    from skipjack.run.envs import make_vector
    from skipjack.run.wiring import choose_device, enough_memory, make_policy
    from skipjack.train.ppo import PPO

    config = configured.config
    torch.set_num_threads(config.train.threads or cores())
    device = choose_device(config.train.device)
    with enough_memory():
        vector = make_vector(configured, config.vector.num_envs, pinned=device.type == "cuda")
        policy = make_policy(configured, vector, device)
        return PPO(config.train, vector, policy, seed=config.seed)
