"""A Gaussian process in numpy: Matern 5/2 with a length for each input, fitted by its posterior.

The lengths' prior grows with the number of inputs (Hvarfner, Hellsten and Nardi 2024), so that twenty
settings and fifty trials do not end in a model that knows nothing between its points. Lengths are
fitted on at most `FITTED` points, predictions use all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

FITTED = 128
"""Points that lengths are fitted on at most: a fit's time does not grow past them."""
JITTER = 1e-6

ROOT5 = 5.0**0.5


@dataclass(frozen=True, slots=True)
class Prior:
    """Log-normal beliefs on lengths, amplitude (a variance) and noise (a variance): centre, width."""

    length: tuple[float, float] = (0.0, 1.0)
    amplitude: tuple[float, float] = (0.0, 0.7)
    noise: tuple[float, float] = (-4.0, 1.0)


@dataclass(frozen=True, slots=True)
class Hyper:
    """What a fit finds: log lengths (inputs,), log amplitude, log noise."""

    lengths: Array
    amplitude: float
    noise: float

    def pack(self) -> Array:
        """As one vector."""
        return np.concatenate([self.lengths, [self.amplitude, self.noise]])

    @classmethod
    def unpack(cls, vector: Array) -> Hyper:
        """From one vector."""
        return cls(vector[:-2], float(vector[-2]), float(vector[-1]))


class GP:
    """A posterior over a function of unit-cube inputs.

    Args:
        x: (points, inputs).
        y: (points,), about mean 0 and deviation 1.
        noise: (points,) variance known of each beside the one that is fitted.
        hyper: lengths, amplitude and noise.
    """

    def __init__(self, x: Array, y: Array, noise: Array, hyper: Hyper) -> None:
        from scipy.linalg import cho_factor, cho_solve

        self.x, self.hyper = x, hyper
        scaled = x / np.exp(hyper.lengths)
        self._scaled = scaled
        kernel = np.exp(hyper.amplitude) * _matern(_squares(scaled, scaled))
        kernel[np.diag_indices_from(kernel)] += np.exp(hyper.noise) + noise + JITTER
        self._factor = cho_factor(kernel, lower=True, overwrite_a=True, check_finite=False)
        self._weights = cho_solve(self._factor, y, check_finite=False)
        self._y = y

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Mean and deviation (points,) of the function, without noise."""
        from scipy.linalg import solve_triangular

        cross = np.exp(self.hyper.amplitude) * _matern(
            _squares(self._scaled, x / np.exp(self.hyper.lengths))
        )
        mean = cross.T @ self._weights
        half = solve_triangular(self._factor[0], cross, lower=True, check_finite=False)
        variance = np.exp(self.hyper.amplitude) - np.einsum("ij,ij->j", half, half)
        return mean, np.sqrt(np.maximum(variance, 1e-10))

    def without(self, row: int) -> float:
        """The mean at a point as if it had not been seen (Rasmussen and Williams 2006, 5.4.2)."""
        from scipy.linalg import cho_solve

        unit = np.zeros(len(self._y))
        unit[row] = 1.0
        inverse = cho_solve(self._factor, unit, check_finite=False)
        return float(self._y[row] - self._weights[row] / inverse[row])


def fit(
    x: Array,
    y: Array,
    noise: Array,
    prior: Prior,
    start: Hyper | None = None,
    keep: npt.NDArray[np.intp] | None = None,
    steps: int = 25,
) -> Hyper:
    """The most probable lengths, amplitude and noise.

    Args:
        x, y, noise: as in `GP`.
        prior: beliefs.
        start: where to begin; by default the prior's centre.
        keep: indices of the points to fit on; by default all.
        steps: steps of L-BFGS at most.
    """
    from scipy.optimize import minimize

    if keep is not None:
        x, y, noise = x[keep], y[keep], noise[keep]
    inputs = x.shape[1]
    centre = np.concatenate(
        [np.full(inputs, prior.length[0]), [prior.amplitude[0], prior.noise[0]]]
    )
    width = np.concatenate([np.full(inputs, prior.length[1]), [prior.amplitude[1], prior.noise[1]]])
    gaps = (x.T[:, :, None] - x.T[:, None, :]) ** 2  # (inputs, points, points)
    flat = gaps.reshape(inputs, -1)
    first = start.pack() if start is not None else centre

    def loss(vector: Array) -> tuple[float, Array]:
        value, slope = _evidence(vector, flat, y, noise)
        off = (vector - centre) / width
        return value + 0.5 * float(off @ off), slope + off / width

    bounds = [(c - 4 * w, c + 4 * w) for c, w in zip(centre, width, strict=True)]
    first = np.clip(first, *np.array(bounds).T)
    found: Any = minimize(
        loss, first, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": steps}
    )
    return Hyper.unpack(np.asarray(found.x, dtype=np.float64))


def _evidence(vector: Array, gaps: Array, y: Array, noise: Array) -> tuple[float, Array]:
    """Negative log evidence and its slope."""
    from scipy.linalg import cho_factor, cho_solve

    count = len(y)
    weights = np.exp(-2 * vector[:-2])
    amplitude, fitted = np.exp(vector[-2]), np.exp(vector[-1])
    squares = (weights @ gaps).reshape(count, count)
    distance = np.sqrt(squares)
    decay = np.exp(-ROOT5 * distance)
    kernel = amplitude * (1 + ROOT5 * distance + 5 / 3 * squares) * decay
    whole = kernel.copy()
    whole[np.diag_indices(count)] += fitted + noise + JITTER
    try:
        factor = cho_factor(whole, lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return 1e10, np.zeros_like(vector)
    inverse = cho_solve(factor, np.eye(count), check_finite=False)
    alpha = inverse @ y
    value = 0.5 * float(y @ alpha) + float(np.log(np.diag(factor[0])).sum())
    outer = inverse - np.outer(alpha, alpha)  # dloss = 0.5 tr(outer dK)
    # d(kernel)/d(squares), where squares = sum of gaps / length^2.
    inner = -amplitude * 5 / 6 * (1 + ROOT5 * distance) * decay
    slope = np.empty_like(vector)
    slope[:-2] = 0.5 * (gaps @ (outer * inner).ravel()) * -2 * weights
    slope[-2] = 0.5 * float((outer * kernel).sum())
    slope[-1] = 0.5 * fitted * float(np.trace(outer))
    return value, slope


def _squares(a: Array, b: Array) -> Array:
    """(rows of a, rows of b) squared distances."""
    found = (a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - 2 * a @ b.T
    return np.maximum(found, 0.0)


def _matern(squares: Array) -> Array:
    distance = np.sqrt(squares)
    return (1 + ROOT5 * distance + 5 / 3 * squares) * np.exp(-ROOT5 * distance)
