"""One PPO update written straight from the papers' formulas over a recorded rollout.

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
) -> list[dict[str, Any]]:
    """Change `policy` by one update; gives losses and gradients of each minibatch by name.

    Args:
        policy: with `action` and `step(observations, state)`.
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
        gradients = tuple(scale * g for g in gradients)
        with torch.no_grad():
            for p, g, m, v in zip(parameters, gradients, first, second, strict=True):
                m.mul_(settings["beta1"]).add_((1 - settings["beta1"]) * g)
                v.mul_(settings["beta2"]).add_((1 - settings["beta2"]) * g * g)
                m_hat = m / (1 - settings["beta1"] ** number)
                v_hat = v / (1 - settings["beta2"] ** number)
                p -= settings["learning_rate"] * m_hat / (v_hat.sqrt() + settings["epsilon"])
        step: dict[str, Any] = {name: float(value.detach()) for name, value in losses.items()}
        found.append(step | {"gradient_norm": norm, "gradients": gradients})
    return found


def objective(
    policy: Any, rollout: dict[str, Any], rows: Tensor, settings: dict[str, float]
) -> dict[str, Tensor]:
    """The losses over the segments of `rows`, step by step and row by row."""
    terms: dict[str, list[Tensor]] = {name: [] for name in ("policy", "value", "entropy")}
    terms |= {name: [] for name in ("kl", "clip_fraction")}
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
            parameters, value, state = policy.step(seen, state)
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
            mask = None if rollout["mask"] is None else rollout["mask"][t, row]
            log_probability, entropies = log_probability_and_entropies(
                policy, parameters[0], rollout["actions"][t, row], mask
            )
            change = log_probability - rollout["log_probabilities"][t, row]
            ratio = torch.exp(change)
            advantage = (rollout["advantages"][t, row] - mean) / (deviation + 1e-8)
            low, high = 1 - settings["clip"], 1 + settings["clip"]
            surrogate = torch.minimum(ratio * advantage, ratio.clamp(low, high) * advantage)
            terms["policy"].append(-surrogate)
            terms["entropy"].append(torch.stack(entropies).sum())
            # Schulman 2020, "Approximating KL Divergence": k3.
            terms["kl"].append((ratio - 1 - change).detach())
            outside = bool(ratio < low) or bool(ratio > high)
            terms["clip_fraction"].append(torch.tensor(float(outside)))
    losses = {name: torch.stack(parts).mean() for name, parts in terms.items()}
    losses["total"] = (
        losses["policy"]
        + settings["value_weight"] * losses["value"]
        - settings["entropy_weight"] * losses["entropy"]
    )
    return losses


def log_probability_and_entropies(
    policy: Any, parameters: Tensor, taken: Tensor, mask: Tensor | None
) -> tuple[Tensor, list[Tensor]]:
    """Of one action: its log-probability, and each component's entropy.

    Choices are a softmax over the legal ones; a component without any is not asked. Real numbers
    are normal, each with its own deviation.

    Args:
        policy: with `action`, and a parameter `log_deviation` if it has real numbers.
        parameters: logits of all choices, then means.
        taken: the action as the policy chose it.
        mask: nonzero where a choice is legal.
    """
    action, at = policy.action, 0
    total, entropies = parameters.new_zeros(()), []
    for index, count in enumerate(action.counts):
        legal = torch.ones(count).bool() if mask is None else mask[at : at + count].bool()
        chosen = int(taken[index])
        entropy = parameters.new_zeros(())
        if legal.any():
            probabilities = torch.zeros(count).to(parameters)
            probabilities[legal] = torch.softmax(parameters[at : at + count][legal], 0)
            total = total + probabilities[chosen].log()
            entropy = -(probabilities[legal] * probabilities[legal].log()).sum()
        entropies.append(entropy)
        at += count
    named = dict(policy.named_parameters())
    for index in range(len(action.low)):
        (logs,) = [part for name, part in named.items() if name.endswith("log_deviation")]
        mean, deviation = parameters[at + index], logs[index].exp()
        square = (taken[len(action.counts) + index] - mean) ** 2 / (2 * deviation**2)
        total = total - square - torch.log(deviation * math.sqrt(2 * math.pi))
        entropies.append(0.5 * torch.log(2 * math.pi * math.e * deviation**2))
    return total, entropies


def explained_variance(rollout: dict[str, Any]) -> float:
    """1 less the share of the targets' variance that the values left, over all alive steps."""
    values = rollout["values"][rollout["alive"]].double()
    targets = values + rollout["advantages"][rollout["alive"]]
    return 1 - float((targets - values).var() / targets.var())
