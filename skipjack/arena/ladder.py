"""A ladder: players, the table of their results, and the next block to be played."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from skipjack import seeding
from skipjack.arena.match import play_block
from skipjack.arena.players import RANDOM, Player, careless
from skipjack.arena.rating import Ratings, Result, fit
from skipjack.arena.results import WITHOUT, Block, NoOutcomeError, Results
from skipjack.arena.schedule import choose
from skipjack.errors import RunError
from skipjack.vector import Vector

GAP = 800.0
"""Elo between neighbours from which on a careless copy of the better one is put between them."""

NARROWEST = 0.2
"""Shares of random actions closer than this get no copy between them."""

Say = Callable[[str], None]


class Ladder:
    """Rates players against each other.

    Args:
        players: in chronological order; the first is the anchor.
        results: the table; what it knows already counts.
        rules: of the game.
        vector: envs of the game, as `play_block` takes them.
        seed: of the games and of the choice of pairs. Raters beside each other need different ones.
        say: says a sentence to the user.
        fixed: ratings in nats that are known, by player; by default the first player's, 0.
    """

    def __init__(
        self,
        players: Iterable[Player],
        results: Results,
        rules: str,
        vector: Vector,
        seed: int,
        say: Say = lambda sentence: None,
        fixed: Mapping[str, float] | None = None,
    ) -> None:
        self.players = list(players)
        self.results, self.rules, self.vector, self.say = results, rules, vector, say
        self.seed, self.played, self.fixed = seed, 0, fixed
        self.gone: set[str] = set()  # what they played still counts
        self.refused: set[tuple[str, str]] = set()  # pairs without games that count
        for result in results.all(rules):
            for name in (result.first, result.second):
                self._find_bridge(name)

    @property
    def names(self) -> list[str]:
        """Of the players, in order."""
        return [player.name for player in self.players]

    def add(self, player: Player) -> None:
        """A newcomer, younger than all others; nobody twice."""
        if player.name not in self.names:
            self.players.append(player)

    def counted(self) -> list[Result]:
        """Results between the players, added up."""
        return self.results.all(self.rules, self.names)

    def ratings(self) -> Ratings:
        """What the table says now."""
        return fit(self.names, self.counted(), self.fixed)

    def play(
        self, stop: Callable[[], bool] = lambda: False, about: str | None = None
    ) -> Block | None:
        """Play the block that says most and append it; None if it came to nothing, which is told.

        Args:
            stop: asked in every tick; true gives the block up.
            about: of whom it should say most; by default of all.

        Raises:
            RunError: the table cannot be written.
            NoOutcomeError: no game that was ever played had an outcome.
        """
        ratings = self.ratings()
        self._build_bridges(ratings)
        generator = np.random.default_rng(seeding.state(self.seed, "opponents", self.played))
        games = 2 * self.vector.num_envs
        place = choose(self.ratings(), self._allowed(), games, generator, self._before(about))
        self.played += 1
        if place is None:
            return None
        one, other = self.players[place[0]], self.players[place[1]]
        if not all([self._is_there(one), self._is_there(other)]):
            return None
        try:
            seed = seeding.state(self.seed, "evaluation", self.played)
            block = play_block(one, other, self.vector, self.rules, seed, stop=stop)
        except RunError as error:
            if not stop():
                self._refuse(one, other, str(error))
            return None
        self.results.add(block)
        if not block.games:
            if not ratings.table.games.any():
                raise NoOutcomeError
            self._refuse(one, other, WITHOUT)
            return None
        return block

    @property
    def can_play(self) -> bool:
        """Whether there is a pair that may play."""
        return bool(self._allowed().any())

    def unsettled(self, ratings: Ratings, precision: float) -> list[str]:
        """Players whose difference to the one before them is not known to a standard error in Elo."""
        return [
            name
            for before, name in pairwise(self._rated())
            if ratings.difference(name, before)[1] > precision and name not in (self.fixed or {})
        ]

    def _rated(self) -> list[str]:
        """Players whose ratings are asked for, and those that are known.

        Nothing more can be learned about who is gone, and bridges are only on the way.
        """
        known = self.fixed or self.names[:1]
        return [
            name
            for name in self.names
            if not self.is_gone(name) and ("~" not in name or name in known)
        ]

    def _before(self, name: str | None) -> tuple[int, int] | None:
        """Places of a player and of the one before it."""
        for before, found in pairwise(self._rated()):
            if found == name:
                return self.names.index(found), self.names.index(before)
        return None

    def _allowed(self) -> npt.NDArray[np.bool_]:
        fixed = np.array([player.fixed for player in self.players])
        there = np.array([not self.is_gone(player.name) for player in self.players])
        known = np.array([player.name in (self.fixed or {}) for player in self.players])
        idle = (fixed[:, None] & fixed) | (known[:, None] & known)  # nothing to be learned
        allowed = ~idle & (there[:, None] & there)
        np.fill_diagonal(allowed, False)
        place = {name: at for at, name in enumerate(self.names)}
        for a, b in self.refused:
            if a in place and b in place:
                allowed[place[a], place[b]] = allowed[place[b], place[a]] = False
        return allowed

    def _refuse(self, one: Player, other: Player, why: str) -> None:
        self.refused.add((one.name, other.name))
        self.say(f"{one.name} against {other.name} is not rated. {why}")

    def is_gone(self, name: str) -> bool:
        """Whether a player could not be made when it was to play."""
        return _parted(name)[0] in self.gone

    def _is_there(self, player: Player) -> bool:
        """Whether a player can be made; else it plays no more."""
        try:
            player.make(1, 0)
        except RunError as error:
            self.gone.add(_parted(player.name)[0])
            self.say(f"{player.name} plays no more. {error}")
            return False
        return True

    def _build_bridges(self, ratings: Ratings) -> None:
        """Put a careless copy where a gap is too wide for games to bridge it."""
        met = {frozenset((result.first, result.second)) for result in self.counted()}
        for below, above in zip(ratings.players, ratings.players[1:], strict=False):
            points, _ = ratings.difference(above, below)
            base, share = _parted(above)
            under = _parted(below)[1] if _parted(below)[0] == base else 1.0
            if (
                points > GAP
                and {below, above} in met
                and not self.is_gone(above)
                and under - share >= NARROWEST
                and base != RANDOM
            ):
                self._find_bridge(f"{base}~{(under + share) / 2:g}")

    def _find_bridge(self, name: str) -> None:
        """Add the careless copy of that name in front of its model, the more careless the earlier."""
        base, share = _parted(name)
        models = {player.name: player for player in self.players}
        if not share or base not in models or name in models:
            return
        at = self.names.index(base)
        while (
            at and _parted(self.names[at - 1])[0] == base and _parted(self.names[at - 1])[1] < share
        ):
            at -= 1
        at = max(at, 1)  # the first stays the anchor
        self.players.insert(at, careless(models[base], share, self.vector.action))


def _parted(name: str) -> tuple[str, float]:
    """A careless copy's model and share of random actions; 0 for who is no copy."""
    base, _, share = name.partition("~")
    try:
        return base, float(share or 0)
    except ValueError:
        return name, math.nan
