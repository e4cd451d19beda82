"""Observations brought to mean 0 and deviation 1, as seen in training so far."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LIMIT = 10.0  # deviations beyond which an observation is cut: one wild number must not rule


class Normaliser(nn.Module):
    """Running mean and variance of each element; buffers, so they are saved with the weights.

    They change between updates alone (`adapt`): acting and learning see the same numbers.
    """

    mean: Tensor
    variance: Tensor
    count: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("variance", torch.ones(size))
        self.register_buffer("count", torch.zeros(()))

    def forward(self, values: Tensor) -> Tensor:
        """(..., size) -> (..., size)."""
        scaled = (values - self.mean) * (self.variance + 1e-8).rsqrt()
        return scaled.clamp(-LIMIT, LIMIT)

    @torch.no_grad()
    def adapt(self, values: Tensor) -> None:
        """Take in (samples, size): means and variances merged as Chan et al. (1979) do it."""
        values = values[values.isfinite().all(-1)]  # one infinity would stay in them for good
        if not len(values):
            return
        fresh, spread = values.mean(0), values.var(0, unbiased=False)
        total = self.count + len(values)
        share = len(values) / total
        shift = fresh - self.mean
        # The first samples replace what stood there: the count was 0, their share is 1.
        self.variance.lerp_(spread, share).add_(shift**2 * share * (1 - share))
        self.mean.add_(shift * share)
        self.count.copy_(total)
