"""Who plays: a trained policy, the random player, a scripted one, a recording; and what they think."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.errors import RunError, must
from skipjack.rows import Actor, Batch
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


class Scripted:
    """A game's player written by hand.

    Raises:
        UsageError: the game has none.
    """

    def __init__(self, world: World) -> None:
        if not hasattr(world.vector.engine, "scripted"):
            raise must(
                "a scripted player must be one that the game has",
                hint="Take --player random, or a trained policy.",
                env=world.name,
            )
        self.engine = world.vector.engine

    def begin(self) -> None:
        """Nothing: it remembers nothing."""

    def act(self, batch: Batch) -> npt.NDArray[Any]:
        """Actions (rows, width) for the batch."""
        return self.engine.scripted(batch.observations)

    def follow(self, batch: Batch, alive: npt.NDArray[np.bool_]) -> None:
        """Nothing: it remembers nothing."""


class Seated:
    """One actor on some rows, another on the rest.

    Args:
        some: plays the rows of `rows`.
        rest: plays all others; both see all of them.
        rows: (rows,) bool.
    """

    def __init__(self, some: Actor, rest: Actor, rows: npt.NDArray[np.bool_]) -> None:
        self.some, self.rest, self.rows = some, rest, rows

    def begin(self) -> None:
        """All episodes begin anew."""
        self.some.begin()
        self.rest.begin()

    def act(self, batch: Batch) -> npt.NDArray[Any]:
        """Actions (rows, width) for the batch."""
        actions = np.array(self.rest.act(batch))
        actions[self.rows] = self.some.act(batch)[self.rows]
        return actions

    def follow(self, batch: Batch, alive: npt.NDArray[np.bool_]) -> None:
        """Both take in what the actions led to."""
        self.some.follow(batch, alive)
        self.rest.follow(batch, alive)


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
        actor: any; `skipjack.policies.actor.PolicyActor` has something to say.
        action: the actions.
        batch: what it acted on.
        row: of the batch.
    """
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
