"""A recording that plays, and what a policy that plays thinks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.arena.seating import Seated
from skipjack.errors import RunError
from skipjack.rows import Batch
from skipjack.spaces import Actions
from skipjack.view.world import World


@dataclass(frozen=True, slots=True)
class Thought:
    """What a policy says of one row.

    Attributes:
        chances: by discrete component, the probability of each choice.
        means: of the real numbers, as the env takes them.
        value: of the observation; None if it has none.
    """

    chances: Sequence[Sequence[float]]
    means: Sequence[float]
    value: float | None


class Replayed:
    """Actions that were recorded.

    Args:
        actions: (steps, rows, width).

    Attributes:
        over: whether all were given.
    """

    def __init__(self, actions: npt.NDArray[Any]) -> None:
        self.actions, self.at = actions, 0

    def begin(self) -> None:
        """From the first action on."""
        self.at = 0

    @property
    def over(self) -> bool:
        """Whether all were given."""
        return self.at == len(self.actions)

    def act(self, batch: Batch) -> npt.NDArray[Any]:
        """The next actions (rows, width)."""
        self.at += 1
        return self.actions[self.at - 1]

    def follow(self, batch: Batch, alive: npt.NDArray[np.bool_]) -> None:
        """Nothing: it remembers nothing."""


def thought(actor: Any, action: Actions, batch: Batch, row: int) -> Thought | None:
    """What an actor says of a row that it has just acted for; None if it is no policy.

    Args:
        actor: any; `skipjack.policies.actor.PolicyActor` has something to say, among several the row's own.
        action: the actions.
        batch: what it acted on.
        row: of the batch.
    """
    if isinstance(actor, Seated):
        actor, batch, row = actor.part_of(batch, row)
    parameters = getattr(actor, "parameters", None)
    if parameters is None or not batch.may_act[row]:
        return None
    import torch

    head, own = actor.policy.head, parameters[row : row + 1]
    chances: list[list[float]] = []
    means: list[float] = []
    with torch.no_grad():
        discrete = getattr(head, "discrete", head)
        if action.counts and hasattr(discrete, "probabilities"):
            mask = batch.action_mask
            legal = None if mask is None else torch.from_numpy(mask[row : row + 1]).to(own.device)
            table = discrete.probabilities(own[:, : action.choices], legal)[0].tolist()
            chances = [line[:count] for line, count in zip(table, action.counts, strict=True)]
        if action.low:
            mask = None if batch.action_mask is None else batch.action_mask[row : row + 1]
            legal = None if mask is None else torch.from_numpy(mask).to(own.device)
            means = head.to_env(head.best(own, legal).float())[0, len(action.counts) :].tolist()
    return Thought(chances, means, float(actor.values[row]))


def check_fits(world: World, policy: Any, run: str) -> None:
    """Whether a policy sees and does what a seat of the world does.

    Raises:
        RunError: it does not.
    """
    policy_sees, policy_does = (getattr(policy, name, None) for name in ("observation", "action"))
    for what, own, other in (
        ("observations", policy_sees, world.vector.observation),
        ("actions", policy_does, world.vector.action),
    ):
        if own is not None and own != other:
            raise RunError(
                f"The policy of {run!r} must have the {what} of {world.name!r}, but has others: it is "
                f"of another game, or of one with other settings."
            )
