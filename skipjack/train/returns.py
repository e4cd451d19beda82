"""Generalised advantage estimation (Schulman et al. 2016) with boundaries done right.

With importance weights it becomes V-trace (Espeholt et al. 2018, with both of its bounds equal and
Schulman's lambda beside c): `min(ratio, bound) * advantage` is what a step's value target adds to
its value, and what it hands on to the steps before it. The advantage itself stays unweighted: the
surrogate loss multiplies it with the ratio.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.train.fast_returns import advantages as fast_advantages

Array = npt.NDArray[Any]


def advantages(
    rewards: Array,
    values: Array,
    last_values: Array,
    final_values: Array,
    terminated: Array,
    truncated: Array,
    alive: Array,
    waiting: Array,
    discount: float,
    trace: float,
    ratios: Array | None = None,
    importance_clip: float = 0.0,
) -> npt.NDArray[np.float32]:
    """Advantages (time, rows) float32 of a rollout; `values + advantages` are the value targets.

    Args:
        rewards: (time, rows), of the step taken at that time.
        values: (time, rows), of the observation acted on.
        last_values: (rows,), of the observation after the last step.
        final_values: (time, rows), of an episode's last observation; read where truncated.
        terminated, truncated: (time, rows), how the step ended the row's episode, if it did.
        alive: (time, rows); a dead step has advantage 0 and only lets time pass.
        waiting: (time, rows); a waiting step lets rewards and advantages through to the row's
            last decision as if no time had passed.
        discount: gamma.
        trace: lambda.
        ratios: (time, rows), each action's probability now over when it was taken; 1 where nothing
            was decided.
        importance_clip: bound of the importance weights; 0 leaves them out. With them, the value
            targets are `values + min(ratios, importance_clip) * advantages`.

    Nothing passes over an episode's end: a terminated step is worth its reward, a truncated one
    its reward and the discounted value of the episode's last observation.
    """
    out = np.empty(rewards.shape, np.float32)
    flags = (terminated, truncated, alive, waiting)
    fast_advantages(
        rewards,
        values,
        last_values,
        final_values,
        *(flag.view(np.uint8) for flag in flags),
        rewards if ratios is None else ratios,  # without a bound they are not read
        discount,
        trace,
        importance_clip,
        out,
    )
    return out


def advantages_of_row(
    rewards: Array,
    values: Array,
    last_value: float,
    final_values: Array,
    terminated: Array,
    truncated: Array,
    alive: Array,
    waiting: Array,
    discount: float,
    trace: float,
    ratios: Array | None = None,
    importance_clip: float = 0.0,
) -> list[float]:
    """The readable twin: `advantages` of one row, each argument (time,)."""
    result = [0.0] * len(rewards)
    next_value, next_advantage, pending = float(last_value), 0.0, 0.0
    for t in reversed(range(len(rewards))):
        if terminated[t] or truncated[t]:
            next_value = float(final_values[t]) if truncated[t] else 0.0
            next_advantage = pending = 0.0
        reward, value = float(rewards[t]), float(values[t])
        if not alive[t]:
            pending = discount * (reward + pending)
            next_value, next_advantage = discount * next_value, discount * next_advantage
        elif waiting[t]:
            pending += reward
            result[t] = pending + next_value + next_advantage - value
        else:
            delta = reward + pending + discount * next_value - value
            result[t] = delta + discount * trace * next_advantage
            weight = 1.0
            if ratios is not None and importance_clip > 0:
                weight = min(float(ratios[t]), importance_clip)
            next_value, next_advantage, pending = value, weight * result[t], 0.0
    return result
