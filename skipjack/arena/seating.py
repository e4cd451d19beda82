"""Who sits where: rows laid out by player, so that each player's rows are a slice and nothing is copied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.errors import must
from skipjack.rows import Actor, Batch, Final


def sides(teams: Sequence[int]) -> tuple[list[int], list[int]]:
    """The seats of the two sides of a game.

    Args:
        teams: the team of each seat.

    Raises:
        UsageError: there are not two teams, as large as each other.
    """
    labels = sorted(set(teams))
    found = [[seat for seat, team in enumerate(teams) if team == label] for label in labels]
    if not are_two_sides(teams):
        raise must(
            "a game must have two teams of equal size to be played by two policies",
            seats_of_teams=[len(seats) for seats in found],
        )
    return found[0], found[1]


def are_two_sides(teams: Sequence[int]) -> bool:
    """Whether a game with these teams can be played by two policies."""
    counts = Counter(teams).values()
    return len(counts) == 2 and len(set(counts)) == 1


def face_to_face(num_envs: int, teams: Sequence[int]) -> npt.NDArray[np.int32]:
    """(envs, seats) rows: all seats of the first side of all envs, then those of the second."""
    row_of = np.empty((num_envs, len(teams)), np.int32)
    start = 0
    for seats in sides(teams):
        stop = start + num_envs * len(seats)
        row_of[:, seats] = np.arange(start, stop).reshape(num_envs, -1)
        start = stop
    return row_of


def narrow(batch: Batch, rows: slice, first: int) -> Batch:
    """Some rows of a batch as a batch of their own; views.

    Args:
        batch: the whole.
        rows: which of its rows.
        first: the number that the first of them has.
    """
    mask = batch.action_mask
    start, stop = np.searchsorted(batch.final.rows, (rows.start, rows.stop))
    final = Final(batch.final.rows[start:stop] - rows.start, batch.final.observations[start:stop])
    episodes = batch.episodes
    if len(episodes):  # ordered by row
        low, high = batch.rows.start + rows.start, batch.rows.start + rows.stop
        start, stop = np.searchsorted(episodes["row"], (low, high))
        episodes = episodes[start:stop]
    return Batch(
        group=batch.group,
        rows=slice(first, first + rows.stop - rows.start),
        observations=batch.observations[rows],
        rewards=batch.rewards[rows],
        terminated=batch.terminated[rows],
        truncated=batch.truncated[rows],
        alive=batch.alive[rows],
        action_mask=None if mask is None else mask[rows],
        final=final,
        episodes=episodes,
    )


class Seated:
    """Several actors, each on its own rows of a batch, of which alone it knows.

    Args:
        actors: each with its rows; together they are all rows, each once.
    """

    def __init__(self, actors: Sequence[tuple[slice, Actor]]) -> None:
        self.actors = list(actors)

    def begin(self) -> None:
        """All episodes begin anew."""
        for _, actor in self.actors:
            actor.begin()

    def act(self, batch: Batch) -> npt.NDArray[Any]:
        """Actions (rows, width) for the batch."""
        found = [actor.act(narrow(batch, rows, rows.start)) for rows, actor in self.actors]
        return np.concatenate(found)

    def follow(self, batch: Batch, alive: npt.NDArray[np.bool_]) -> None:
        """Each takes in what became of its rows."""
        for rows, actor in self.actors:
            actor.follow(narrow(batch, rows, rows.start), alive[rows])
