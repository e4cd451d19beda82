"""`skipjack play ENV`: play a game yourself, alone, with somebody, or against a policy."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

from skipjack import config as settings
from skipjack.arena.players import RANDOM, SCRIPT
from skipjack.arena.seating import Seated, laid_out
from skipjack.cli import flags
from skipjack.cli.screens import ScreenFlags, opened
from skipjack.config import Within
from skipjack.errors import UsageError, must
from skipjack.evaluate import play_out
from skipjack.policies.random import RandomActor
from skipjack.rows import Actor
from skipjack.run.config import Configured, configure
from skipjack.run.ratings import Host
from skipjack.view.film import Nobody
from skipjack.view.keys import Keyboard
from skipjack.view.options import Options
from skipjack.view.record import Recorder
from skipjack.view.session import Session
from skipjack.view.world import World, with_two_seats

PLAYS = Path("plays")
"""Where plays, pictures and videos of people are kept."""

OTHERS = {"random": (RANDOM, "the random player"), "scripted": (SCRIPT, "the game's own players")}
"""Choices of --others: names as players, and for people."""

RANDOM_ENVS, RANDOM_SECONDS = 32, 3.0
"""Episodes of the random player's score at the end, and most seconds for them."""


@dataclass(frozen=True, slots=True)
class PlayFlags(ScreenFlags):
    """Flags of `skipjack play` beside the settings."""

    against: str = ""
    """Play against this player, in games for two: a run, a checkpoint, baseline:ENV, script:GRADE, random.
    In games of teams it plays all other seats, on either side."""
    players: Annotated[int, Within(0, 2)] = 0
    """People at the keyboard: 1 or 2; 0 is one a seat, or one alone where there are more than two."""
    seat: Annotated[int, Within(0, 65_535)] = 0
    """Seat that the first person takes, where there are many: in moba a seat is a hero."""
    others: Literal["random", "scripted"] = "random"
    """Who plays the seats that are left, without --against: the random player, or the game's own."""
    every_tick: bool = False
    """Act in every tick of the game instead of at the agent's pace."""
    json: bool = False
    """End with a line of JSON on standard output."""


def run(arguments: Sequence[str]) -> int:
    """Play until the window is closed; the play is kept in plays/."""
    if any(each.partition("=")[0] == "--video" for each in arguments):
        raise UsageError(
            "A person's play must be shown while it goes on, so that it cannot go to a video at once: it is "
            "kept in plays/. Play without --video, then: skipjack watch plays/NAME --video out.mp4."
        )
    name, own, chosen = flags.with_settings(
        PlayFlags, arguments, "skipjack play ENV", "Play a game, as its agents do."
    )
    configured = configure(name, flags=chosen)
    world = World(configured, 1, **_changes(configured, own))
    try:
        return _play(configured, world, own)
    finally:
        world.close()


def _play(configured: Configured, world: World, own: PlayFlags) -> int:
    seed = configured.config.seed
    others, other = _others(configured, world, own)
    people = _people(world, own)
    title = f"{world.name} against {other}" if other else world.name
    recorder = Recorder(PLAYS, world.name, settings.flatten(world.config), sorted(people))
    options = Options(seed, title, own.speed, PLAYS, _remarks(world))
    options.on_step, options.on_reset = recorder.take, recorder.reset
    options.on_seat = recorder.seat
    actor = others(world.vector.num_rows) if others is not None else None
    world.watch(own.seat)
    session = Session(world, Nobody(), actor, people, options)
    session.seat = own.seat
    with opened(title, session.pictures[-1], own) as screen:
        session.screen = screen
        try:
            session.run()
        except KeyboardInterrupt:  # how a page's server is ended
            pass
        finally:
            recorder.save()
    _report(session, recorder, own, lambda: _by_chance(configured, world, others))
    return 0


def _changes(configured: Configured, own: PlayFlags) -> dict[str, Any]:
    """Settings of the env that differ, for who plays and how."""
    changes: dict[str, Any] = {}
    if own.against or own.players == 2:
        changes |= with_two_seats(configured)
    if own.every_tick:
        if "frame_skip" not in settings.settings(type(configured.config.env)):
            raise must(
                "--every-tick must go with a game that has several ticks a step",
                env=configured.entry.full_name,
            )
        changes["frame_skip"] = 1
    return changes


def _people(world: World, own: PlayFlags) -> dict[int, Keyboard]:
    """Keys of the people, by row: the first seats are theirs."""
    seats = world.seats
    count = own.players or (1 if own.against or seats > 2 else seats)
    if own.against and count == 2:
        raise UsageError("Two people must play each other, or one against a policy: leave out one.")
    if own.seat + count > seats:
        raise must(
            "there must be a seat for everybody who plays", seats=seats, players=own.seat + count
        )
    action, names, flows = world.vector.action, world.names, world.flows
    sides = ("left", "right") if count == 2 else ("both",)
    keyboards = [Keyboard(action, names, side, flows) for side in sides]
    return dict(enumerate(keyboards, own.seat))


def _others(
    configured: Configured, world: World, own: PlayFlags
) -> tuple[Callable[[int], Actor] | None, str]:
    """What makes the actor of the other seats, for so many rows, and its name; None if there is none."""
    left = world.seats > 2 or (world.seats == 2 and own.players == 1)
    if not own.against and not left:
        return None, ""
    player = Host(configured, world.vector).named(own.against or OTHERS[own.others][0])
    player.make(1, 0)  # whoever cannot play here is told of before the game
    seed = configured.config.seed + 1
    return lambda rows: player.make(rows, seed), own.against or OTHERS[own.others][1]


def _remarks(world: World) -> list[str]:
    if world.skip > 1:
        return [f"you act every {world.skip} ticks, as the agent does"]
    return []


def _report(
    session: Session,
    recorder: Recorder,
    own: PlayFlags,
    by_chance: Callable[[], tuple[float, float]],
) -> None:
    """What was played: the mean score, the random player's beside it, and where the play is."""
    tally = session.tally
    seats = {row: (tally.mean(row, "score"), tally.mean(row, "return")) for row in session.people}
    games = int(tally.counts[0])
    # Two people's mean would say nothing: what the one wins the other loses.
    score, total = next(iter(seats.values())) if len(seats) == 1 else (math.nan, math.nan)
    random_score = random_return = math.nan
    with contextlib.suppress(KeyboardInterrupt):  # it is waited for in vain: the rest is told
        random_score, random_return = by_chance() if games else (math.nan, math.nan)
    if own.json:
        row = {
            "env": session.world.name,
            "episodes": games,
            "score": _known(score),
            "return": _known(total),
            "scores": {f"seat {seat}": _known(found[0]) for seat, found in seats.items()},
            "random_score": _known(random_score),
            "random_return": _known(random_return),
            "kept": [str(path) for path in recorder.paths],
        }
        print(json.dumps(row))
        return
    if games:
        told = [_told(*found) for found in seats.values()]
        if len(told) > 1:
            told = [f"seat {seat} {words}" for seat, words in zip(seats, told, strict=True)]
        episodes = "1 episode" if games == 1 else f"{games} episodes"
        print(f"{episodes}: {'; '.join(told)}. ", end="")
        print(f"The random player: {_told(random_score, random_return)}.")
    else:
        print("No episode was played to its end.")
    for path in recorder.paths:
        print(f"See it again with: skipjack watch {path}")


def _known(value: float) -> float | None:
    """A number for JSON, which has no NaN."""
    return None if math.isnan(value) else value


def _told(score: float, total: float) -> str:
    if total != total:
        return f"not known, its episodes did not end within {RANDOM_SECONDS:g} s"
    return f"return {total:.4g}" if score != score else f"score {score:.3f}, return {total:.4g}"


def _by_chance(
    configured: Configured, world: World, others: Callable[[int], Actor] | None
) -> tuple[float, float]:
    """Mean score and return of the random player on the first seat; NaN if it does not end in time."""
    began = time.perf_counter()
    seed = configured.config.seed
    apart = [[0], list(range(1, world.seats))]
    with contextlib.closing(
        World(configured, RANDOM_ENVS, lambda envs, _: laid_out(envs, apart), **world.changes)
    ) as many:
        rows, mine = many.vector.num_rows, RANDOM_ENVS
        actor: Actor = RandomActor(many.vector.action, seed)
        if others is not None:
            actor = Seated([(slice(0, mine), actor), (slice(mine, rows), others(rows - mine))])
        first = np.arange(rows) < mine
        found = play_out(
            actor,
            many.vector,
            seed,
            stop=lambda: time.perf_counter() - began > RANDOM_SECONDS,
            slots=first,
        )
    # The short episodes alone would count: no number rather than that.
    return (math.nan, math.nan) if found.unfinished else (found.score, found.return_)
