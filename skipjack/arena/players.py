"""Players that a rating may know: trained policies, scripted ones, the random one, and careless copies."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack import seeding
from skipjack.errors import must, unknown
from skipjack.policies.random import RandomActor
from skipjack.rows import Actor, Batch
from skipjack.spaces import Actions

RANDOM = "random"
"""The player that chooses uniformly among legal actions: the anchor of all ratings."""

SCRIPT = "script"
"""What names of a game's own players begin with: script:one_ply; alone, the game's only one."""


@dataclass(frozen=True, slots=True)
class Player:
    """Somebody who can sit down at a game.

    Attributes:
        name: the same name is the same behaviour, for ever.
        make: given a number of rows and a seed, an actor for them. Raises `RunError` if the player is gone.
        fixed: whether it does the same whenever it sees the same: two of those repeat their games.
        steps: of training; None for who was not trained, or is no part of the training that is rated.
        run: the name of the run that it is of; empty for others.
    """

    name: str
    make: Callable[[int, int], Actor]
    fixed: bool = False
    steps: int | None = None
    run: str = ""


class Scripted:
    """A game's player written by hand; asked only where it may act.

    Args:
        engine: of the game, made with the player as its opponent.
    """

    def __init__(self, engine: Any) -> None:
        self.engine = engine

    def begin(self) -> None:
        """Nothing: it remembers nothing."""

    def act(self, batch: Batch) -> npt.NDArray[Any]:
        """Actions (rows, width) for the batch."""
        action = self.engine.action
        actions = np.zeros((len(batch.alive), action.width), action.dtype)
        asked = batch.may_act
        actions[asked] = self.engine.scripted(batch.observations[asked])
        return actions

    def follow(self, batch: Batch, alive: npt.NDArray[np.bool_]) -> None:
        """Nothing: it remembers nothing."""


class Careless:
    """An actor some of whose actions are uniformly random instead.

    Args:
        actor: who acts else.
        action: what may be done.
        share: of the actions.
        seed: of what is drawn.
    """

    def __init__(self, actor: Actor, action: Actions, share: float, seed: int) -> None:
        self.actor, self.action, self.share, self.seed = actor, action, share, seed
        self.tick = 0

    def begin(self) -> None:
        """All episodes begin anew, and so do the numbers that are drawn."""
        self.actor.begin()
        self.tick = 0

    def act(self, batch: Batch) -> npt.NDArray[Any]:
        """Actions (rows, width) for the batch."""
        actions = np.array(self.actor.act(batch))
        generator = np.random.default_rng(seeding.state(self.seed, "acting", self.tick))
        self.tick += 1
        slips = generator.random(len(actions)) < self.share
        drawn = self.action.draw(generator, len(actions), batch.action_mask)
        return np.where(slips[:, None], drawn, actions)

    def follow(self, batch: Batch, alive: npt.NDArray[np.bool_]) -> None:
        """The actor takes in what became of its rows, whoever decided."""
        self.actor.follow(batch, alive)


def random_player(action: Actions) -> Player:
    """The random player of a game with these actions."""
    return Player(RANDOM, lambda rows, seed: RandomActor(action, seed))


def scripted_player(name: str, engine_class: Any, env: Any) -> Player:
    """A player that a game brings.

    Args:
        name: "script", or "script:GRADE" with one of the engine class's `grades`.
        engine_class: of the game.
        env: its settings.

    Raises:
        UsageError: the game has none, or none of that grade.
    """
    grades = getattr(engine_class, "grades", ())
    if not hasattr(engine_class, "scripted"):
        raise must("a scripted player must be one that the game has", player=name)
    grade = name.partition(":")[2]
    if grade and grade not in grades:
        known = [f"{SCRIPT}:{each}" for each in grades] or [SCRIPT]
        raise unknown("scripted player", name, known)
    settings = dataclasses.replace(env, opponent=grade) if grade else env
    engine = engine_class(1, settings)  # knows what the player would do; no game is played in it
    return Player(name, lambda rows, seed: Scripted(engine), fixed=True)


def careless(player: Player, share: float, action: Actions) -> Player:
    """A copy of a player that acts at random with some probability: a bridge down to weaker ones."""
    return dataclasses.replace(
        player,
        name=f"{player.name}~{share:g}",
        make=lambda rows, seed: Careless(player.make(rows, seed), action, share, seed + 1),
        fixed=False,
    )
