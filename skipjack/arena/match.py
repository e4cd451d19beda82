"""Games between two frozen players: whole games by quota, both sides equally often.

Every slot plays the same number of games and idles when it has: the first so many games to finish would
be the short ones, and with losses that last longer than wins a true 50 % can read 70 %.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack import seeding
from skipjack.arena.players import Player
from skipjack.arena.rating import Result
from skipjack.arena.results import Block
from skipjack.arena.seating import facing, sides
from skipjack.errors import RunError, must
from skipjack.rows import Actor, Batch
from skipjack.vector import Vector


def play_block(
    one: Player,
    other: Player,
    vector: Vector,
    rules: str,
    seed: int,
    quota: int = 1,
    max_ticks: int = 1_000_000,
    stop: Callable[[], bool] = lambda: False,
) -> Block:
    """`quota` games a slot with one player on the first side, then as many with sides changed.

    Both halves begin with the same seeds: who begins, and all that the game deals out, is mirrored. The
    n-th games of a slot in both halves are a pair.

    Args:
        one, other: who plays.
        vector: one group of synchronised envs with rows laid out by `face_to_face`; it is reset here.
        rules: what the games are played by, for the table.
        seed: of envs and acting noise. The same seed gives the same block, with the same name.
        quota: games a slot and side.
        max_ticks: steps of the vector after which a half that is not done is given up.
        stop: asked in every tick; true gives up.

    Raises:
        UsageError: both are the same player.
        RunError: it was given up, or a player is gone. No part of a block counts.
    """
    if one.name == other.name:
        raise must("two players must differ, but these have the same weights", got=one.name)
    rows = vector.num_rows // 2
    seeds = {
        player.name: seeding.state(seed, "acting", at) for at, player in enumerate((one, other))
    }
    halves: list[Result] = []
    points: list[npt.NDArray[np.float64]] = []
    for first, second in ((one, other), (other, one)):
        seats = [player.make(rows, seeds[player.name]) for player in (first, second)]
        actor = facing(seats[0], seats[1], rows)
        outcomes, truncated = _play(
            actor, vector, seeding.child(seed, "envs"), quota, max_ticks, stop
        )
        wins, draws, losses = (int((outcomes == each).sum()) for each in (1.0, 0.5, 0.0))
        void = int(np.isnan(outcomes).sum())
        halves.append(Result(first.name, second.name, wins, draws, losses, truncated, void))
        points.append(outcomes)
    described = repr((rules, one.name, other.name, seed, quota, vector.num_envs))
    name = hashlib.sha256(described.encode()).hexdigest()[:24]
    return Block(name, rules, tuple(halves), _paired(*points))


def _play(
    actor: Actor,
    vector: Vector,
    seed: int,
    quota: int,
    max_ticks: int,
    stop: Callable[[], bool],
) -> tuple[npt.NDArray[np.float64], int]:
    """Points of the first side in each game (envs, quota), NaN where there was no outcome; games cut."""
    first = vector.teams[sides(vector.teams)[0][0]]
    batch = vector.reset(seed)
    actor.begin()
    finished = np.zeros(vector.num_envs, np.int64)
    points = np.full((vector.num_envs, quota), np.nan)
    truncated = ticks = 0
    while finished.min() < quota:
        if stop() or ticks >= max_ticks:
            raise RunError(
                f"A block must be played to its end, but {np.count_nonzero(finished < quota)} of "
                f"{vector.num_envs} envs had not finished {quota} games after {ticks} steps."
            )
        actions = actor.act(batch)
        alive = batch.alive.copy()  # the step writes over it
        batch = vector.step(actions)
        actor.follow(batch, alive)
        ticks += 1
        told = _told(batch, alive, vector.row_of)
        told = told[finished[told["env"]] < quota]
        env, lead = told["env"], np.sign(told["outcome"] - 0.5)
        points[env, finished[env]] = 0.5 + np.where(told["team"] == first, lead, -lead) / 2
        finished[env] += 1
        truncated += int(told["truncated"].sum())
    return points, truncated


def _told(
    batch: Batch, alive: npt.NDArray[np.bool_], row_of: npt.NDArray[np.int32]
) -> npt.NDArray[Any]:
    """A record for each whole game that has ended, of a seat that knows its outcome if one does.

    An agent that is out before the others cannot know how the game will end; those of who loses are.
    """
    told = batch.episodes
    if not len(told):
        return told
    goes_on = alive & ~(batch.terminated | batch.truncated)
    over = np.logical_not(goes_on[row_of].any(axis=1))
    told = told[over[told["env"]] & ~told["partial"]]
    told = told[np.lexsort((np.isnan(told["outcome"]), told["env"]))]
    return told[np.unique(told["env"], return_index=True)[1]]


def _paired(
    as_first: npt.NDArray[np.float64], opposite: npt.NDArray[np.float64]
) -> tuple[int, ...]:
    """Pairs by a player's half points in both games; those with a game without an outcome are left out.

    Args:
        as_first: its points where it was the first side, (envs, quota).
        opposite: those of the other player where that was.
    """
    taken = 2 * (as_first + 1 - opposite)
    return tuple(np.bincount(taken[~np.isnan(taken)].astype(np.int64), minlength=5).tolist())
