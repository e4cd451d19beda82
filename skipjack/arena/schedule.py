"""Which pair plays next: newcomers first, then whoever the errors shrink most by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from skipjack.arena.rating import Array, Ratings, chance, variance

NEIGHBOURS, FIRST = 3, 16
"""A newcomer plays so many games against each of so many players before it, to be located."""

UNIFORM = 0.1
"""Share of blocks between any two players: errors alone would never ask for what shows circles."""


def choose(
    ratings: Ratings,
    allowed: npt.NDArray[np.bool_],
    games: int,
    generator: np.random.Generator,
    about: tuple[int, int] | None = None,
) -> tuple[int, int] | None:
    """Places of the two that play the next block; None if nobody may.

    Args:
        ratings: of all that was played so far, players in chronological order.
        allowed: (players, players) which pairs may play; symmetric.
        games: of a block.
        generator: of the share that is drawn.
        about: places of a player, and of the one before it, who alone shall be known: its rating, and
            what it gained. By default all ratings.
    """
    if not allowed.any():
        return None
    count = len(ratings.players)
    met = np.zeros((count, count))
    np.add.at(met, (ratings.table.first, ratings.table.second), ratings.table.games)
    met += met.T
    # Everybody meets one before anybody meets two: a short budget leaves nobody unconnected.
    for nearest in range(1, NEIGHBOURS + 1):
        # The newest first.
        for newcomer in range(count - 1, 0, -1) if about is None else about[:1]:
            before = np.flatnonzero(allowed[newcomer, :newcomer])[::-1][:nearest]
            unmet = before[met[newcomer, before] < FIRST]
            if len(unmet):
                return newcomer, int(unmet[0])
    pairs = np.argwhere(np.triu(allowed))
    if about is None and generator.random() < UNIFORM:
        one, other = pairs[generator.integers(len(pairs))]
    else:
        gain = gains(ratings, games, about)[pairs[:, 0], pairs[:, 1]]
        one, other = pairs[gain.argmax()]
    return int(one), int(other)


def gains(ratings: Ratings, games: int, about: tuple[int, int] | None = None) -> Array:
    """(players, players) what a block of each pair takes off the sum of variances (A-optimal design).

    A block adds information q to the difference of two ratings. By Sherman and Morrison's formula the
    covariance C loses q (C_i - C_j)(C_i - C_j)' / (1 + q V_ij), whose trace this is; with `about` (see
    `choose`) it is what the variances of those two numbers lose.
    """
    theta, covariance = ratings.theta, ratings.covariance
    information = games * variance(chance(theta[:, None] - theta, ratings.nu))
    wanted = covariance
    if about is not None:
        wanted = np.stack([covariance[about[0]], covariance[about[0]] - covariance[about[1]]])
    product = wanted.T @ wanted
    own = np.diag(product)
    squares = own[:, None] + own - 2 * product
    return information * squares / (1 + information * ratings.spread())
