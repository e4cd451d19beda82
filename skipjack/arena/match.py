"""Games between two frozen players: whole games by quota, both sides equally often.

Every slot plays the same number of games and idles when it has: the first so many games to finish would
be the short ones, and with losses that last longer than wins a true 50 % can read 70 %.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np

from skipjack import seeding
from skipjack.arena.players import Player
from skipjack.arena.rating import Result
from skipjack.arena.results import Block
from skipjack.arena.seating import Seated, sides
from skipjack.errors import RunError
from skipjack.rows import Actor
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

    Both halves begin with the same seeds: who begins, and all that the game deals out, is mirrored.

    Args:
        one, other: who plays.
        vector: one group of synchronised envs with rows laid out by `face_to_face`; it is reset here.
        rules: what the games are played by, for the table.
        seed: of envs and acting noise. The same seed gives the same block, with the same name.
        quota: games a slot and side.
        max_ticks: steps of the vector after which a half that is not done is given up.
        stop: asked in every tick; true gives up.

    Raises:
        RunError: it was given up, or a player is gone. No part of a block counts.
    """
    rows = vector.num_rows // 2
    seeds = {
        player.name: seeding.state(seed, "acting", at) for at, player in enumerate((one, other))
    }
    halves = []
    for first, second in ((one, other), (other, one)):
        actor = Seated(
            [
                (slice(0, rows), first.make(rows, seeds[first.name])),
                (slice(rows, 2 * rows), second.make(rows, seeds[second.name])),
            ]
        )
        counts = _play(actor, vector, seeding.child(seed, "envs"), quota, max_ticks, stop)
        halves.append(Result(first.name, second.name, *counts))
    described = repr((rules, one.name, other.name, seed, quota, vector.num_envs))
    name = hashlib.sha256(described.encode()).hexdigest()[:24]
    return Block(name, rules, tuple(halves))


def _play(
    actor: Actor,
    vector: Vector,
    seed: int,
    quota: int,
    max_ticks: int,
    stop: Callable[[], bool],
) -> tuple[int, int, int, int, int]:
    """Wins, draws and losses of the first side, games cut, and games without an outcome."""
    speaker = sides(vector.teams)[0][0]  # this seat tells how a game went
    batch = vector.reset(seed)
    actor.begin()
    finished = np.zeros(vector.num_envs, np.int64)
    outcomes: list[float] = []
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
        told = batch.episodes[batch.episodes["seat"] == speaker]
        told = told[~told["partial"]]
        told = told[finished[told["env"]] < quota]
        finished[told["env"]] += 1
        outcomes += told["outcome"].tolist()
        truncated += int(told["truncated"].sum())
    found = np.array(outcomes)
    wins, losses = int((found > 0.5).sum()), int((found < 0.5).sum())
    draws, void = int((found == 0.5).sum()), int(np.isnan(found).sum())
    return wins, draws, losses, truncated, void
