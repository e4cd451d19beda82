"""Ratings from results: a pure function of who beat whom how often, in whatever order it happened.

Bradley-Terry (1952) with Davidson's draws (1970) and an advantage of the first side. Where the first has
theta_a, the second theta_b, with eta = theta_a - theta_b + side:

    P(win) = exp(eta / 2) / Z,   P(draw) = nu / Z,   P(loss) = exp(-eta / 2) / Z

The fit is the mode of the posterior, found by Newton's method; the covariance is the inverse of its
Hessian. Unlike a running Elo there is no step size, no order and no forgetting, and an error for each
difference. numpy only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skipjack.errors import must, unknown

Array = npt.NDArray[np.float64]

ELO = 400 / math.log(10)
"""Elo points of one nat, in which ratings are fitted and kept."""

GHOST = 1.0
"""Virtual games, half of each won, between neighbours in the order of players: what ties an unbeaten
newcomer to the one before it. A prior on differences alone: whom the ratings are relative to is no matter."""

SIDE_SPREAD = 100 / ELO
"""Standard deviation of the side's prior, in nats."""

LONGEST = 4.0
"""Most nats of a step of Newton's method: far from the mode it would leap."""

DRAW_SPREAD = 5.0
"""Standard deviation of log(nu)'s prior: wide, but games that are all draws have a rating too."""


@dataclass(frozen=True, slots=True)
class Result:
    """Games of one player on the first side against another on the second, as counts.

    Attributes:
        first, second: who played.
        wins, draws, losses: as the first saw them.
        truncated: how many games were cut by a limit; those with an outcome are counted above, too.
        void: games without an outcome: not rated.
    """

    first: str
    second: str
    wins: int
    draws: int
    losses: int
    truncated: int = 0
    void: int = 0

    @property
    def games(self) -> int:
        """Rated games."""
        return self.wins + self.draws + self.losses


@dataclass(frozen=True, slots=True)
class Table:
    """Results added up: one line for each ordered pair of players, in a fixed order.

    Attributes:
        first, second: (lines,) places in the list of players.
        counts: (lines, 3) wins, draws and losses of the first.
    """

    first: npt.NDArray[np.intp]
    second: npt.NDArray[np.intp]
    counts: Array

    @property
    def games(self) -> Array:
        """(lines,) games."""
        return self.counts.sum(1)


def tally(players: Sequence[str], results: Iterable[Result]) -> Table:
    """Add results up. Whole numbers in a fixed order: no shuffling or splitting changes a bit.

    Raises:
        UsageError: a result is of somebody else, or of a player against itself.
    """
    place = {name: at for at, name in enumerate(players)}
    sums: dict[tuple[int, int], list[int]] = {}
    for result in results:
        for name in (result.first, result.second):
            if name not in place:
                raise unknown("player", name, players)
        if result.first == result.second:
            raise must("a game must have two players to be rated", player=result.first)
        line = sums.setdefault((place[result.first], place[result.second]), [0, 0, 0])
        for at, count in enumerate((result.wins, result.draws, result.losses)):
            line[at] += count
    pairs = sorted(pair for pair, line in sums.items() if sum(line))
    return Table(
        first=np.array([pair[0] for pair in pairs], np.intp),
        second=np.array([pair[1] for pair in pairs], np.intp),
        counts=np.array([sums[pair] for pair in pairs], np.float64).reshape(-1, 3),
    )


@dataclass(frozen=True, slots=True)
class Ratings:
    """What results say of the players.

    Attributes:
        players: in the order given.
        theta: (players,) ratings in nats; of the anchor 0.
        covariance: (players, players) of theta, with zeros for those whose rating was given.
        side: advantage of the first side in nats, and its standard error.
        side_error: of `side`.
        nu: Davidson's weight of draws; 0 where there are none.
        table: the results.
    """

    players: tuple[str, ...]
    theta: Array
    covariance: Array
    side: float
    side_error: float
    nu: float
    table: Table

    @property
    def anchor(self) -> str:
        """The weakest of those whose ratings were given."""
        given = np.flatnonzero(np.diag(self.covariance) == 0)
        return self.players[int(given[self.theta[given].argmin()])]

    def place(self, player: str) -> int:
        """Where a player stands in `players`."""
        if player not in self.players:
            raise unknown("player", player, self.players)
        return self.players.index(player)

    def elo(self, player: str) -> tuple[float, float]:
        """Elo relative to the anchor, and its standard error."""
        at = self.place(player)
        return self.theta[at] * ELO, math.sqrt(self.covariance[at, at]) * ELO

    def difference(self, one: str, other: str) -> tuple[float, float]:
        """How many Elo points `one` is better, and the standard error: both share what errs in common."""
        a, b = self.place(one), self.place(other)
        return (self.theta[a] - self.theta[b]) * ELO, math.sqrt(self.spread()[a, b]) * ELO

    def spread(self) -> Array:
        """(players, players) variance of each difference, in nats squared."""
        own = np.diag(self.covariance)
        return np.maximum(own[:, None] + own - 2 * self.covariance, 0.0)

    def score(self, one: str, other: str) -> tuple[float, float]:
        """Expected score of `one` against `other`, sides taken in turns, and its standard error."""
        a, b = self.place(one), self.place(other)
        eta = self.theta[a] - self.theta[b] + np.array([self.side, -self.side])
        chances = chance(eta, self.nu)
        slope = float(variance(chances).mean())
        return float(expected(chances).mean()), slope * math.sqrt(self.spread()[a, b])

    def score_range(self, one: str, other: str, deviations: float) -> tuple[float, float, float]:
        """Expected score as `score` has it, between those of differences so many standard errors off.

        Close to 0 and 1 a score hardly grows with a rating: its standard error there says little of how far
        it may be.
        """
        a, b = self.place(one), self.place(other)
        sides = np.array([self.side, -self.side])
        spread = deviations * math.sqrt(self.spread()[a, b])
        low, score, high = (
            float(expected(chance(self.theta[a] - self.theta[b] + off + sides, self.nu)).mean())
            for off in (-spread, 0.0, spread)
        )
        return low, score, high

    def better(self, one: str, other: str) -> float:
        """Probability that `one` is better than `other`."""
        points, error = self.difference(one, other)
        if not error:
            return 0.5 + 0.5 * float(np.sign(points))
        return 0.5 * math.erfc(-points / error / math.sqrt(2))

    def games(self, player: str) -> int:
        """Rated games of a player."""
        at = self.place(player)
        mine = (self.table.first == at) | (self.table.second == at)
        return int(self.table.games[mine].sum())


def chance(eta: Array, nu: float) -> Array:
    """(..., 3) probabilities of a win, a draw and a loss."""
    return _chance(eta, math.log(nu) if nu else -math.inf)


def _chance(eta: Array, log_nu: float) -> Array:
    logits = np.stack([eta / 2, np.full_like(eta, log_nu), -eta / 2], -1)
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def expected(chances: Array) -> Array:
    """Expected score: a draw is half a win."""
    return chances[..., 0] + 0.5 * chances[..., 1]


def variance(chances: Array) -> Array:
    """Variance of a game's score; it is also what the score grows by with a nat of eta."""
    return 0.25 * (chances[..., 0] + chances[..., 2]) - (expected(chances) - 0.5) ** 2


def fit(
    players: Sequence[str],
    results: Iterable[Result],
    fixed: Mapping[str, float] | None = None,
    ghost: float = GHOST,
    side_spread: float = SIDE_SPREAD,
) -> Ratings:
    """Ratings of players from results.

    Args:
        players: in chronological order, which the prior follows; the anchor first.
        results: in any order.
        fixed: ratings in nats that are known, by player; by default the first player's, 0.
        ghost: virtual games between neighbours.
        side_spread: see `SIDE_SPREAD`; 0 leaves the side out.

    Raises:
        UsageError: nobody's rating is fixed, or somebody has no name of his own.
    """
    fixed = {players[0]: 0.0} if fixed is None and players else dict(fixed or {})
    if not fixed or len(set(players)) != len(players) or not set(fixed) <= set(players):
        raise must(
            "players must have names of their own, and the rating of one of them must be given",
            players=list(players),
            fixed=fixed,
        )
    posterior = _Posterior(players, tally(players, results), fixed, ghost, side_spread)
    point = posterior.mode()
    covariance = np.zeros((posterior.size, posterior.size))
    free = posterior.free
    covariance[np.ix_(free, free)] = np.linalg.inv(posterior.curvature(point)[np.ix_(free, free)])
    count = len(players)
    return Ratings(
        players=tuple(players),
        theta=point[:count],
        covariance=covariance[:count, :count],
        side=float(point[count]),
        side_error=math.sqrt(covariance[count, count]),
        nu=math.exp(point[count + 1]) if posterior.draws else 0.0,
        table=posterior.table,
    )


class _Posterior:
    """Of theta (players), the side and log(nu), in this order; those that are not free stay put."""

    def __init__(
        self,
        players: Sequence[str],
        table: Table,
        fixed: Mapping[str, float],
        ghost: float,
        side_spread: float,
    ) -> None:
        self.table, self.ghost, self.count = table, ghost, len(players)
        self.size = self.count + 2
        self.start = np.zeros(self.size)
        for at, name in enumerate(players):
            self.start[at] = fixed.get(name, 0.0)
        self.draws = bool(table.counts[:, 1].any())
        self.precision = np.zeros(self.size)
        self.precision[-2:] = side_spread**-2 if side_spread else 1.0, DRAW_SPREAD**-2
        is_free = [name not in fixed for name in players]
        self.free = np.flatnonzero([*is_free, side_spread > 0, self.draws])

    def mode(self) -> Array:
        """The most probable point, by Newton's method; the logarithm of the posterior is concave."""
        point, free = self.start.copy(), self.free
        if not len(free):
            return point
        height = self.height(point)
        for _ in range(100):
            step = np.zeros(self.size)
            step[free] = np.linalg.solve(
                self.curvature(point)[np.ix_(free, free)], self.slope(point)[free]
            )
            step *= min(1.0, LONGEST / max(np.abs(step).max(), 1e-300))
            # Close to the mode the height is level to its last digit: there the steps are right as they are.
            while (found := self.height(point + step)) < height and np.abs(step).max() > 1e-4:
                step /= 2
            point, height = point + step, found
            if np.abs(step).max() < 1e-11:
                break
        return point

    def height(self, point: Array) -> float:
        """Logarithm of the posterior, up to a constant."""
        logs = np.log(np.maximum(self._chances(point), 1e-300))
        ghosts = (
            self.ghost * 0.5 * (_log_sigmoid(self._gaps(point)) + _log_sigmoid(-self._gaps(point)))
        )
        prior = 0.5 * self.precision @ point**2
        return float((self.table.counts * logs).sum() + ghosts.sum() - prior)

    def slope(self, point: Array) -> Array:
        """Its gradient (size,)."""
        chances, counts, games = self._chances(point), self.table.counts, self.table.games
        by_eta = (counts[:, 0] - counts[:, 2] - games * (chances[:, 0] - chances[:, 2])) / 2
        found = -self.precision * point
        found[: self.count] += self._spread_out(by_eta)
        found[self.count] += by_eta.sum()
        found[self.count + 1] += (counts[:, 1] - games * chances[:, 1]).sum()
        pull = self.ghost * (0.5 - _sigmoid(self._gaps(point)))
        found[1 : self.count] += pull
        found[: self.count - 1] -= pull
        return found

    def curvature(self, point: Array) -> Array:
        """(size, size): minus its Hessian."""
        chances, games, count = self._chances(point), self.table.games, self.count
        lean = (chances[:, 0] - chances[:, 2]) / 2
        by_eta = games * variance(chances)
        mixed = -games * chances[:, 1] * lean
        found = np.diag(self.precision)
        ties = np.zeros((count, count))
        np.add.at(ties, (self.table.first, self.table.second), by_eta)
        chain = np.arange(count - 1)
        gap = _sigmoid(self._gaps(point))
        ties[chain, chain + 1] += self.ghost * gap * (1 - gap)
        ties += ties.T
        found[:count, :count] += np.diag(ties.sum(1)) - ties
        for at, parts in ((count, by_eta), (count + 1, mixed)):
            found[:count, at] = found[at, :count] = self._spread_out(parts)
        found[count, count] += by_eta.sum()
        found[count + 1, count + 1] += (games * chances[:, 1] * (1 - chances[:, 1])).sum()
        found[count, count + 1] = found[count + 1, count] = mixed.sum()
        return found

    def _chances(self, point: Array) -> Array:
        eta = point[self.table.first] - point[self.table.second] + point[self.count]
        return _chance(eta, float(point[self.count + 1]) if self.draws else -math.inf)

    def _gaps(self, point: Array) -> Array:
        """(players - 1,) how much better each is than the one before it."""
        return np.diff(point[: self.count])

    def _spread_out(self, parts: Array) -> Array:
        """(players,) sums of what each line says of its first, less those of its second."""
        found = np.zeros(self.count)
        np.add.at(found, self.table.first, parts)
        np.subtract.at(found, self.table.second, parts)
        return found


def _sigmoid(values: Array) -> Array:
    return 0.5 + 0.5 * np.tanh(values / 2)


def _log_sigmoid(values: Array) -> Array:
    return -np.logaddexp(0.0, -values)
