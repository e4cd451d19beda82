"""One PPO update written straight from the paper's formulas over a recorded rollout.

Schulman et al. 2017: the clipped surrogate (equation 7), the combined objective (equation 9); values
clipped and advantages normalised as in the authors' code. Adam from Kingma and Ba 2015, algorithm 1.
Plain and slow: one step, one row at a time, and its own optimiser.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor


def update(
    policy: Any,
    rollout: dict[str, Any],
    shuffles: list[Tensor],
    settings: dict[str, float],
) -> list[dict[str, float]]:
    """Change `policy` by one update; gives the losses and the gradient norm of each minibatch.

    Args:
        policy: with `step(observations, state)` and a discrete head's logits.
        rollout: tensors (time, rows, ...) and `state` before the first step.
        shuffles: the rows of each minibatch.
        settings: clip, value_clip, value_weight, entropy_weight, learning_rate, beta1, beta2,
            epsilon, max_gradient_norm.
    """
    parameters = list(policy.parameters())
    first = [torch.zeros_like(p) for p in parameters]
    second = [torch.zeros_like(p) for p in parameters]
    found = []
    for number, rows in enumerate(shuffles, start=1):
        losses = objective(policy, rollout, rows, settings)
        gradients = torch.autograd.grad(losses["total"], parameters)
        norm = math.sqrt(sum(float((g.double() ** 2).sum()) for g in gradients))
        scale = min(1.0, settings["max_gradient_norm"] / (norm + 1e-6))
        with torch.no_grad():
            for p, g, m, v in zip(parameters, gradients, first, second, strict=True):
                g = g * scale
                m.mul_(settings["beta1"]).add_((1 - settings["beta1"]) * g)
                v.mul_(settings["beta2"]).add_((1 - settings["beta2"]) * g * g)
                m_hat = m / (1 - settings["beta1"] ** number)
                v_hat = v / (1 - settings["beta2"] ** number)
                p -= settings["learning_rate"] * m_hat / (v_hat.sqrt() + settings["epsilon"])
        found.append({name: float(value) for name, value in losses.items()} | {"norm": norm})
    return found


def objective(
    policy: Any, rollout: dict[str, Any], rows: Tensor, settings: dict[str, float]
) -> dict[str, Tensor]:
    """The losses over the segments of `rows`, step by step and row by row."""
    terms: dict[str, list[Tensor]] = {"policy": [], "value": [], "entropy": []}
    time = rollout["rewards"].shape[0]
    kept = [
        (t, int(row))
        for row in rows
        for t in range(time)
        if rollout["alive"][t, row] and not rollout["waiting"][t, row]
    ]
    raw = torch.stack([rollout["advantages"][t, row] for t, row in kept])
    mean, deviation = raw.mean(), raw.std(unbiased=False)
    for row in map(int, rows):
        state = tuple(part[row : row + 1] for part in rollout["state"])
        for t in range(time):
            if rollout["resets"][t, row]:
                state = tuple(torch.zeros_like(part) for part in state)
            seen = rollout["observations"][t, row : row + 1]
            logits, value, state = policy.step(seen, state)
            if not rollout["alive"][t, row]:
                continue
            target = rollout["advantages"][t, row] + rollout["values"][t, row]
            old = rollout["values"][t, row]
            error = (value[0] - target) ** 2
            limit = settings["value_clip"]
            if limit > 0:
                near = old + torch.clamp(value[0] - old, -limit, limit)
                error = torch.maximum(error, (near - target) ** 2)
            terms["value"].append(0.5 * error)
            if rollout["waiting"][t, row]:
                continue
            logits = logits[0]
            if rollout["mask"] is not None:
                legal = rollout["mask"][t, row].bool()
                logits = torch.where(legal, logits, torch.full_like(logits, -1e9))
            probabilities = torch.softmax(logits, 0)
            log_probability = torch.log(probabilities[int(rollout["actions"][t, row, 0])])
            ratio = torch.exp(log_probability - rollout["log_probabilities"][t, row])
            advantage = (rollout["advantages"][t, row] - mean) / (deviation + 1e-8)
            low, high = 1 - settings["clip"], 1 + settings["clip"]
            surrogate = torch.minimum(ratio * advantage, ratio.clamp(low, high) * advantage)
            terms["policy"].append(-surrogate)
            positive = probabilities[probabilities > 0]
            terms["entropy"].append(-(positive * positive.log()).sum())
    losses = {name: torch.stack(parts).mean() for name, parts in terms.items()}
    losses["total"] = (
        losses["policy"]
        + settings["value_weight"] * losses["value"]
        - settings["entropy_weight"] * losses["entropy"]
    )
    return losses
