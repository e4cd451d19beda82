"""The past selves that a run trains against: its checkpoints, and scripted players."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from skipjack import checkpoint, registry
from skipjack.arena.bank import Weights
from skipjack.arena.players import SCRIPT, scripted_player
from skipjack.arena.sampler import Sampler, thinned
from skipjack.arena.seating import are_two_sides
from skipjack.arena.seats import PastSeats, Plan, plan
from skipjack.rows import Actor
from skipjack.run.config import Configured
from skipjack.vector import Vector

SPACING = 8
"""A past self is taken whenever steps have grown by an eighth: a policy changes most when it is young. Steps
alone decide, so that a run that is resumed, or extended, has the same pool."""


def plan_of(configured: Configured) -> Plan | None:
    """Where past selves sit; None if none are wanted, or the game is not for two teams.

    Raises:
        UsageError: there are too few envs.
    """
    wanted, vector = configured.config.arena, configured.config.vector
    if not wanted.past:
        return None
    with contextlib.closing(
        registry.load(configured.entry.target)(1, configured.config.env)
    ) as one:
        if not are_two_sides(one.teams):
            return None
        return plan(vector.num_envs, vector.groups, one.teams, wanted.past, wanted.banks)


class Past:
    """The pool of a run, in step with its training.

    Args:
        configured: of the run.
        folder: the run's.
        plan: where past selves sit, from `plan_of`.
        vector: laid out by it.
        policy: the learner.

    Attributes:
        seats: what the trainer asks.
        pinned: steps of the checkpoints that must stay.
    """

    def __init__(
        self, configured: Configured, folder: Path, plan: Plan, vector: Vector, policy: Any
    ) -> None:
        wanted = self.wanted = configured.config.arena
        self.configured, self.folder, self.policy = configured, folder, policy
        self.joining = -1  # steps of the member that has no checkpoint yet
        grades = [grade for part in wanted.scripted.split(",") if (grade := part.strip())]
        engine_class, env = registry.load(configured.entry.target), configured.config.env
        self.scripted = {
            player.name: player.make
            for grade in grades
            for player in [scripted_player(f"{SCRIPT}:{grade}", engine_class, env)]
        }
        self.seats = PastSeats(
            plan,
            vector,
            policy,
            Sampler(wanted.sampler),
            self._find,
            configured.config.seed,
            wanted.games,
        )

    @property
    def pinned(self) -> list[int]:
        """Steps of the checkpoints that must stay."""
        names = {*self.seats.sampler.names, *self.seats.met}
        return sorted(int(name) for name in names if name.isdecimal())

    def begin(self, steps: int) -> None:
        """A new run: its first weights are the first past self, in every bank."""
        self._join(steps)
        self.joining = steps
        for bank in range(self.wanted.banks):
            self.seats.seat(bank, _named(steps))
        self.joining = -1

    def turn(self, steps: int, update: int) -> bool:
        """Between two updates: let opponents change; whether the present policy joined the pool.

        If so, whoever calls saves it as a checkpoint.
        """
        trained = [int(name) for name in self.seats.sampler.names if name.isdecimal()]
        newest = max(trained, default=-SPACING)  # all may be gone
        joins = steps > newest + newest // SPACING
        if joins:
            self._join(steps)
        self.joining = steps if joins else -1
        self.seats.turn(update)
        self.joining = -1
        return joins

    def take_messages(self) -> list[str]:
        """What the user should know and has not been told, as sentences."""
        said, self.seats.messages = self.seats.messages, []
        return said

    def _join(self, steps: int) -> None:
        trained = [int(name) for name in self.seats.sampler.names if name.isdecimal()]
        kept = thinned([*trained, steps], self.wanted.pool)
        self.seats.sampler.keep([*self.scripted, *map(_named, kept)])

    def _find(self, name: str) -> Weights | Callable[[int, int], Actor]:
        """A member's weights, or what makes its actor.

        Raises:
            RunError: its checkpoint is gone or damaged.
        """
        if name in self.scripted:
            return self.scripted[name]
        if name == _named(self.joining):
            return {key: value.detach() for key, value in self.policy.state_dict().items()}
        found = checkpoint.load(self.folder / "checkpoints" / name)
        return {key: torch.from_numpy(value) for key, value in found.arrays("policy").items()}


def _named(steps: int) -> str:
    return f"{steps:012d}"
