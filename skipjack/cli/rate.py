"""`skipjack rate RUN_OR_FOLDER`: how good each checkpoint is, by games against the others."""

from __future__ import annotations

import contextlib
import json
import math
import secrets
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from skipjack.cli import flags
from skipjack.cli.table import aligned
from skipjack.config import Within
from skipjack.errors import MissingPackage, must

if TYPE_CHECKING:
    from skipjack.arena.ladder import Ladder
    from skipjack.arena.results import Results
    from skipjack.run.ratings import Contest, Field


@dataclass(frozen=True, slots=True)
class RateFlags:
    """Flags of `skipjack rate`."""

    against: str = "panel"
    """Who else plays, with commas between: random, script:GRADE, runs, checkpoints, baseline:ENV. "panel" are
    the game's players whose ratings are known, or the random player. The first is where ratings begin."""
    games: Annotated[int, Within(0, None)] = 20_000
    """Most games to play now; 0 rates with what was played before."""
    precision: Annotated[float, Within(1.0, 1000.0)] = 25.0
    """Standard error, in Elo against the checkpoint before, at which all are rated well enough."""
    envs: Annotated[int, Within(1, 100_000)] = 32
    """Games of a block that are played at once on each side; fewer where few games are to be played, so that
    every checkpoint gets some."""
    seed: Annotated[int, Within(-1, 2**62)] = -1
    """Seed of the games; -1 takes a new one, so that raters beside each other play other games."""
    follow: bool = False
    """Rate a run while it trains, as the training has it done: go on until standard input ends."""
    budget: Annotated[float, Within(0.001, 1.0)] = 0.1
    """Share of the time in which to play, with --follow."""
    plots: bool = True
    """Write plots (needs matplotlib)."""
    json: bool = False
    """End with a line of JSON on standard output."""


def run(arguments: Sequence[str]) -> int:
    """Play until the ratings are known well enough, print them and what is to be doubted."""
    target, rest = flags.subject(arguments, "skipjack rate RUN_OR_FOLDER [--against random]")
    own, _ = flags.parse(
        RateFlags,
        rest,
        "skipjack rate RUN_OR_FOLDER",
        "Rate a run's checkpoints, or the newest of each run in a folder, by games against each other.",
    )
    from skipjack.arena import standings
    from skipjack.arena.results import NoOutcomeError, Results
    from skipjack.run import rater
    from skipjack.run import ratings as wiring

    field = wiring.field_of(target, _say)
    if not field.checkpoints:
        raise must("there must be a checkpoint to rate", got=target)
    # Half of the games for a first block each, two games an env.
    fair = own.games // (4 * len(field.checkpoints))
    envs = own.envs if own.follow or not own.games else max(1, min(own.envs, fair))
    contest, there = wiring.contest_of(field, envs, _say)
    field = replace(field, checkpoints=there)
    with (
        contextlib.closing(contest),
        contextlib.closing(Results(field.folder / wiring.FILE)) as results,
    ):
        ladder = _ladder(own, field, contest, results)
        if own.follow:
            run, orders = field.folder.parent, rater.Orders(sys.stdin.buffer)
            try:
                rater.follow(run, contest, ladder, results, orders, own.budget, own.precision)
            except NoOutcomeError as error:
                _say(str(error))
                return rater.USELESS
            return 0
        _play(ladder, own)
        found = ladder.ratings()
        seconds = {path.name: wiring.elapsed(path) for path in field.checkpoints}
        named = {player.name: seconds.get(player.name[:12], math.nan) for player in ladder.players}
        report = standings.report(found, ladder.players, ladder.counted(), named)
        if own.plots:
            _plot(found, ladder, field.folder)
        rules = contest.rules
    if own.json:
        print(json.dumps({"rules": rules, "folder": str(field.folder), **report}))
    else:
        print("\n".join(_lines(report)))
    return 0


def _ladder(own: RateFlags, field: Field, contest: Contest, results: Results) -> Ladder:
    """Everybody who plays, and everybody whose games still count, in chronological order."""
    from skipjack.arena.ladder import Ladder
    from skipjack.run import ratings as wiring

    names = [name for part in own.against.split(",") if (name := part.strip())]
    fixed = contest.panel() if "panel" in names else None
    names = [each for name in names for each in (fixed or {} if name == "panel" else [name])]
    # The weakest stands next to the first checkpoint, which it is most like; neighbours meet first.
    names.sort(key=lambda name: -(fixed or {}).get(name, math.inf) if fixed else 0.0)
    # Whoever is named is nobody's past self: no gain is counted from it.
    others = [replace(contest.named(name), steps=None) for name in names]
    trained = wiring.players_in(field.checkpoints, contest, _say)
    if field.is_run:
        results.enter(player.name for player in trained)
        played = {
            name for result in results.all(contest.rules) for name in (result.first, result.second)
        }
        run = field.folder.parent.name
        trained += wiring.remembered(played & results.own(), [*others, *trained], run)
    trained.sort(key=lambda player: (player.steps or 0, player.name))
    seed = own.seed if own.seed >= 0 else secrets.randbits(62)
    players = {player.name: player for player in [*others, *trained]}
    return Ladder(players.values(), results, contest.rules, contest.vector, seed, _say, fixed)


def _play(ladder: Ladder, own: RateFlags) -> None:
    """Until every checkpoint is known well enough, or the games are spent; Ctrl-C ends it in order."""
    spent, told = 0, time.monotonic()
    try:
        while spent < own.games and ladder.can_play:
            ratings = ladder.ratings()
            if not ladder.unsettled(ratings, own.precision) and ratings.table.games.sum():
                break
            block = ladder.play()
            spent += block.games if block else 0
            if time.monotonic() - told > 5:
                told = time.monotonic()
                left = len(ladder.unsettled(ladder.ratings(), own.precision))
                _say(f"{spent} games played, {left} players not yet known well enough.")
    except KeyboardInterrupt:
        _say("Stopped: the ratings are of what was played.")


def _plot(ratings: Any, ladder: Ladder, folder: Path) -> None:
    from skipjack.arena import plots

    try:
        for path in plots.write(ratings, ladder.players, folder):
            _say(f"Written: {path}")
    except MissingPackage as error:
        _say(str(error))


def _lines(report: dict[str, Any]) -> list[str]:
    """The report as text: the headline, the table, best first, and the doubts."""
    ranked = sorted(report["players"], key=lambda line: -line["elo"])
    head = [
        "",
        "player",
        "run",
        "steps",
        "Elo",
        "± 95 %",
        "gain",
        "± 95 %",
        "better",
        "games",
        "draws",
    ]
    rows = [head]
    for rank, line in enumerate(ranked, 1):
        rows.append(
            [
                str(rank),
                line["name"],
                line["run"] or "-",
                "-" if line["steps"] is None else str(line["steps"]),
                f"{'≥ ' if line['bound'] else ''}{line['elo']:.0f}",
                f"{1.96 * line['error']:.0f}",
                _number(line["gain"], "+.0f"),
                _number(line["gain_error"], ".0f", 1.96),
                _number(line["better"], ".0%"),
                str(line["games"]),
                f"{line['draws']:.0%}",
            ]
        )
    first = (
        [report["headline"][:1].upper() + report["headline"][1:] + "."]
        if report["headline"]
        else []
    )
    return [*first, aligned(rows, right=(0, *range(3, 11))), *report["doubts"]]


def _number(value: float | None, form: str, scale: float = 1.0) -> str:
    return "-" if value is None or math.isnan(value) else f"{value * scale:{form}}"


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
