"""Who sits where: rows laid out by player, so that each player's rows are a slice and nothing is copied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.errors import must
from skipjack.rows import Actor, Batch, Final, views


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


def laid_out(num_envs: int, parts: Sequence[Sequence[int]]) -> npt.NDArray[np.int32]:
    """(envs, seats) rows: the seats of the first part of all envs, then those of the next, and so on."""
    row_of = np.empty((num_envs, sum(map(len, parts))), np.int32)
    start = 0
    for seats in parts:
        stop = start + num_envs * len(seats)
        row_of[:, list(seats)] = np.arange(start, stop).reshape(num_envs, -1)
        start = stop
    return row_of


def face_to_face(num_envs: int, teams: Sequence[int]) -> npt.NDArray[np.int32]:
    """(envs, seats) rows: all seats of the first side of all envs, then those of the second."""
    return laid_out(num_envs, sides(teams))


def narrow(batch: Batch, rows: slice, first: int, arrays: Mapping[str, Any] | None = None) -> Batch:
    """Some rows of a batch as a batch of their own; views.

    Args:
        batch: the whole.
        rows: which of its rows.
        first: the number that the first of them has.
        arrays: `views` of an earlier batch of the group, which keeps its rows; by default new ones.
    """
    final, episodes = batch.final, batch.episodes
    if len(final.rows):  # both are ordered by row
        start, stop = final.rows.searchsorted((rows.start, rows.stop))
        final = Final(final.rows[start:stop] - rows.start, final.observations[start:stop])
    if len(episodes):
        low, high = batch.rows.start + rows.start, batch.rows.start + rows.stop
        start, stop = episodes["row"].searchsorted((low, high))
        episodes = episodes[start:stop]
    return Batch(
        group=batch.group,
        rows=slice(first, first + rows.stop - rows.start),
        final=final,
        episodes=episodes,
        **(views(batch, rows) if arrays is None else arrays),
    )


class Seated:
    """Several actors, each on its own rows of a batch, of which alone it knows.

    Args:
        actors: each with its rows, in their order; together they are all rows, each once.
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

    def part_of(self, batch: Batch, row: int) -> tuple[Actor, Batch, int]:
        """Who plays a row of a batch, and that actor's own batch and row."""
        rows, actor = next(each for each in self.actors if row < each[0].stop)
        return actor, narrow(batch, rows, rows.start), row - rows.start

    def follow(self, batch: Batch, alive: npt.NDArray[np.bool_]) -> None:
        """Each takes in what became of its rows."""
        for rows, actor in self.actors:
            actor.follow(narrow(batch, rows, rows.start), alive[rows])


def facing(first: Actor, second: Actor, rows: int) -> Seated:
    """Two actors on the rows of `face_to_face`, so many on each side."""
    return Seated([(slice(0, rows), first), (slice(rows, 2 * rows), second)])
