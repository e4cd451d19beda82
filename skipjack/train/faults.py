"""When training cannot go on: what is not finite, and envs in which nobody acts."""

from __future__ import annotations

import math
from collections.abc import Mapping

from skipjack.errors import RunError
from skipjack.train.rollout import Rollout

MOST_IDLE = 1000
"""Ticks in which nobody can act, after which steps are taken to stand still for ever."""


class Idle:
    """Counts ticks in which no row could act."""

    def __init__(self) -> None:
        self.ticks = 0

    def look(self, steps: int, horizon: int) -> None:
        """Take in a rollout of `horizon` ticks in which rows acted `steps` times.

        Raises:
            RunError: nobody has been able to act for long.
        """
        self.ticks = 0 if steps else self.ticks + horizon
        if self.ticks >= MOST_IDLE:
            raise RunError(
                f"Somebody must be able to act, but no row was for {self.ticks} ticks: all are dead "
                f"or wait (an all-zero action mask). Change the environment."
            )


def check_finite(losses: Mapping[str, float], rollout: Rollout, update: int, steps: int) -> None:
    """Whether an update's losses and gradients are numbers.

    Args:
        losses: by name.
        rollout: what was learned from.
        update, steps: where training is, for the message.

    Raises:
        RunError: some are not; where the envs gave no numbers either, it says so.
    """
    wrong = [name for name, found in losses.items() if not math.isfinite(found)]
    if not wrong:
        return
    if not rollout.is_finite():
        raise RunError(
            f"Observations and rewards must be finite, but some of update {update} at step {steps} "
            f"were not. Find which with skipjack check, or bound them with env.clip_observations."
        )
    raise RunError(
        f"Losses and gradients must be finite, but in update {update} at step {steps} these were "
        f"not: {', '.join(wrong)}. Start from the last good checkpoint with --from and a lower "
        f"train.learning_rate or train.max_gradient_norm."
    )
