"""The terms of the PPO loss as pure functions of tensors over one minibatch.

`weights` (time, rows) are the steps' shares: 0 for those that do not count, and 1 in sum over a
whole minibatch, so that a mean is a sum, and pieces of a minibatch add up to it.
"""

from __future__ import annotations

import torch
from torch import Tensor


def shares(counted: Tensor, weights: Tensor | None = None) -> Tensor:
    """Weights that sum to 1 over the steps where `counted` is true; all 0 if it is nowhere.

    Args:
        counted: (time, rows) bool.
        weights: (rows,) positive, how much each row counts; all alike by default.
    """
    if weights is None:
        return counted / counted.sum().clamp(min=1)
    weighted = counted * weights
    return weighted / weighted.sum().clamp(min=1e-12)


def mean(values: Tensor, weights: Tensor) -> Tensor:
    """Mean of `values` by the steps' shares."""
    return (values * weights).sum()


def normalise(advantages: Tensor, weights: Tensor) -> Tensor:
    """Advantages with mean 0 and deviation 1 over the steps that count in a whole minibatch."""
    centred = advantages - mean(advantages, weights)
    variance = mean(centred**2, weights)
    return centred / (variance.sqrt() + 1e-8)


def policy_loss(ratio: Tensor, advantages: Tensor, weights: Tensor, clip: float) -> Tensor:
    """Clipped surrogate (Schulman et al. 2017, equation 7), to be minimised.

    Args:
        ratio: probability of the action now over when it was taken, (time, rows).
        advantages: (time, rows).
        weights: steps of the policy, (time, rows).
        clip: epsilon.
    """
    unclipped = ratio * advantages
    clipped = ratio.clamp(1 - clip, 1 + clip) * advantages
    return -mean(torch.min(unclipped, clipped), weights)


def value_loss(
    values: Tensor, old_values: Tensor, targets: Tensor, weights: Tensor, clip: float
) -> Tensor:
    """Half the mean squared error, with changes beyond `clip` unrewarded (0: no clipping)."""
    error = (values - targets) ** 2
    if clip > 0:
        near = old_values + (values - old_values).clamp(-clip, clip)
        error = torch.max(error, (near - targets) ** 2)
    return 0.5 * mean(error, weights)


def approximate_kl(log_ratio: Tensor, weights: Tensor) -> Tensor:
    """KL divergence from the acting policy, the low-variance estimator (Schulman 2020)."""
    return mean(log_ratio.exp() - 1 - log_ratio, weights)


def clip_fraction(ratio: Tensor, weights: Tensor, clip: float) -> Tensor:
    """Share of steps whose ratio left [1 - clip, 1 + clip]."""
    return mean(((ratio - 1).abs() > clip).float(), weights)


def explained_variance(values: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Share of the targets' variance that the values explain; 1 is perfect, 0 a constant."""
    spread = mean((targets - mean(targets, weights)) ** 2, weights)
    error = targets - values
    left = mean((error - mean(error, weights)) ** 2, weights)
    return 1 - left / spread.clamp(min=1e-12)
