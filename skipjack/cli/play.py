"""`skipjack play ENV`: play a game yourself, alone, with somebody, or against a policy."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from skipjack import config as settings
from skipjack import folders, registry
from skipjack.cli import flags
from skipjack.cli.saved import saved_of
from skipjack.cli.screens import ScreenFlags, opened
from skipjack.config import Within
from skipjack.errors import UsageError, must
from skipjack.evaluate import Actor, chance
from skipjack.run.config import Configured, configure
from skipjack.run.envs import make_vector
from skipjack.view.keys import Keyboard
from skipjack.view.players import check_fits
from skipjack.view.record import Recorder
from skipjack.view.world import World, with_two_seats

if TYPE_CHECKING:
    from skipjack.view.session import Session

PLAYS = Path("plays")
"""Where plays, pictures and videos of people are kept."""

RANDOM_SECONDS = 3.0
"""Most seconds for the random player's score, at the end."""


@dataclass(frozen=True, slots=True)
class PlayFlags(ScreenFlags):
    """Flags of `skipjack play` beside the settings."""

    against: str = ""
    """Play against this run, checkpoint or baseline:ENV, in games for two."""
    players: Annotated[int, Within(0, 2)] = 0
    """People at the keyboard: 1 or 2; 0 is as many as the environment has seats for."""
    every_tick: bool = False
    """Act in every tick of the game instead of at the agent's pace."""
    json: bool = False
    """End with a line of JSON on standard output."""


def run(arguments: Sequence[str]) -> int:
    """Play until the window is closed; the play is kept in plays/."""
    name, rest = flags.subject(arguments, "skipjack play ENV [--browser]")
    first = configure(name or "breakout")
    own, chosen = flags.parse(
        PlayFlags, rest, "skipjack play ENV", "Play a game, as its agents do.", first.config
    )
    configured = configure(name, flags=chosen)
    world = World(configured, 1, **_changes(configured, own))
    try:
        return _play(configured, world, own)
    finally:
        world.close()


def _play(configured: Configured, world: World, own: PlayFlags) -> int:
    from skipjack.view.session import Options, Session

    seed = configured.config.seed
    actor, other = _others(world, own, seed)
    people = _people(world, own)
    title = f"{world.name} against {other}" if other else world.name
    recorder = Recorder(PLAYS, world.name, settings.flatten(world.config), sorted(people))
    options = Options(seed, title, own.speed, PLAYS, _remarks(world))
    options.on_step, options.on_reset = recorder.take, recorder.reset
    world.reset(seed)
    with opened(title, world.scene(0), own) as screen:
        session = Session(world, screen, actor, people, options)
        try:
            session.run()
        except KeyboardInterrupt:  # how a page's server is ended
            pass
        finally:
            recorder.save()
    _report(configured, session, recorder, own)
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
    count = own.players or (1 if own.against else min(seats, 2))
    if own.against and count == 2:
        raise UsageError("Two people must play each other, or one against a policy: leave out one.")
    if count > seats:
        raise must("there must be a seat for everybody who plays", seats=seats, players=count)
    action, names, flows = world.vector.action, world.names, world.flows
    sides = ("left", "right") if count == 2 else ("both",)
    return {seat: Keyboard(action, names, side, flows) for seat, side in enumerate(sides)}


def _others(world: World, own: PlayFlags, seed: int) -> tuple[Actor | None, str]:
    """Who plays the other seats, and its name."""
    rows = world.vector.num_rows
    if own.against:
        found = folders.find(own.against, Path("runs"))
        name, saved = saved_of(found)
        if registry.game_of(name) != registry.game_of(world.name):
            raise must(
                "--against must name a policy of the same game", env=world.name, against=name
            )
        from skipjack.policies.actor import PolicyActor
        from skipjack.run.wiring import load_policy

        policy = load_policy(configure(name, saved=saved), found)
        check_fits(world, policy, own.against)
        return PolicyActor(policy, rows, seed), own.against
    if world.seats > 2 or (world.seats == 2 and own.players == 1):
        from skipjack.policies.random import RandomActor

        return RandomActor(world.vector.action, seed), "the random player"
    return None, ""


def _remarks(world: World) -> list[str]:
    if world.skip > 1:
        return [f"you act every {world.skip} ticks, as the agent does"]
    return []


def _report(configured: Configured, session: Session, recorder: Recorder, own: PlayFlags) -> None:
    """What was played: the mean score, the random player's beside it, and where the play is."""
    from skipjack.view.tally import mean

    records = session.tally.of(set(session.people))
    score, total = mean(records, "score"), mean(records, "return")
    alone = session.world.seats == 1
    by_chance, chance_total = _by_chance(configured, session.world) if alone and records else _NONE
    row = {
        "env": session.world.name,
        "episodes": len(records),
        "score": score,
        "return": total,
        "random_score": by_chance,
        "random_return": chance_total,
        "kept": [str(path) for path in recorder.paths],
    }
    if own.json:
        known = {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}
        print(json.dumps(known))
        return
    if records:
        episodes = "1 episode" if len(records) == 1 else f"{len(records)} episodes"
        print(f"{episodes}, mean {_told(score, total)}.", end="")
        print(f" The random player: {_told(by_chance, chance_total)}." if alone else "")
    else:
        print("No episode was played to its end.")
    for path in recorder.paths:
        print(f"See it again with: skipjack watch {path}")


_NONE = (math.nan, math.nan)


def _told(score: float, total: float) -> str:
    return f"return {total:.4g}" if math.isnan(score) else f"score {score:.3f}, return {total:.4g}"


def _by_chance(configured: Configured, world: World) -> tuple[float, float]:
    """Mean score and return of the random player in the same env; NaN if it does not end in time."""
    began = time.perf_counter()
    own = replace(configured, config=replace(configured.config, env=world.config))
    vector = make_vector(own, 32, evaluation=True)
    with contextlib.closing(vector):
        return chance(
            vector,
            quota=1,
            steps=0,
            seed=configured.config.seed,
            stop=lambda: time.perf_counter() - began > RANDOM_SECONDS,
        )
