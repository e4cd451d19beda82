"""The optimisers and their learning-rate schedule."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from skipjack.train.config import TrainConfig


def make_optimisers(policy: Any, config: TrainConfig) -> list[torch.optim.Optimizer]:
    """Adam (Kingma and Ba 2015) for all weights, or Muon for the matrices inside and Adam for the rest.

    Muon (Jordan et al. 2024) orthogonalises each matrix's step; its steps are scaled to the size
    of Adam's (Liu et al. 2025), so that one learning rate serves both. Embeddings, convolutions and
    the output layers (one row, or as many as the head has parameters) stay Adam's.
    """
    everything = list(policy.parameters())
    if config.optimiser == "adam":
        return [_adam(everything, config)]
    outputs = (1, policy.head.parameters_size)
    embeddings = {id(part.weight) for part in policy.modules() if isinstance(part, nn.Embedding)}
    inside = [
        p
        for p in everything
        if p.ndim == 2 and p.shape[0] not in outputs and id(p) not in embeddings
    ]
    chosen = set(map(id, inside))
    rest = [p for p in everything if id(p) not in chosen]
    optimisers: list[torch.optim.Optimizer] = []
    if inside:
        optimisers.append(
            torch.optim.Muon(
                inside,
                lr=config.learning_rate,
                momentum=config.muon_momentum,
                weight_decay=0.0,
                adjust_lr_fn="match_rms_adamw",
            )
        )
    return [*optimisers, _adam(rest, config)] if rest else optimisers


def learning_rate(config: TrainConfig, before: int, after: int) -> float:
    """The rate for a rollout; a function of the counters, so that resume needs no state.

    Args:
        config: its `steps` are the whole way.
        before: steps before the rollout; the way down is read off there, so that the last rollout
            is learned from too.
        after: steps after it; the way up is read off there, so that the first one is.
    """
    rise = min(1.0, after / config.steps / config.warmup) if config.warmup else 1.0
    # The way down begins where the way up ends.
    share = (before / config.steps - config.warmup) / (1 - config.warmup)
    share, fall = min(1.0, max(0.0, share)), 1.0
    if config.schedule == "linear":
        fall = 1 - share
    elif config.schedule == "cosine":
        fall = 0.5 * (1 + math.cos(math.pi * share))
    return config.learning_rate * rise * fall


def _adam(parameters: list[nn.Parameter], config: TrainConfig) -> torch.optim.Adam:
    """Fused into one kernel call where torch has it."""
    return torch.optim.Adam(
        parameters,
        lr=config.learning_rate,
        betas=(config.adam_beta1, config.adam_beta2),
        eps=config.adam_epsilon,
        fused=all(parameter.device.type in ("cpu", "cuda") for parameter in parameters),
    )
