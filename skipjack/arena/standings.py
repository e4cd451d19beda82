"""Ratings as people read them: a line a player, and the simplest true sentence first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from skipjack.arena.doubts import doubts, unbeaten
from skipjack.arena.players import Player
from skipjack.arena.rating import Ratings, Result

HOUR = 3600.0

Z95 = 1.96
"""Standard errors on either side of a 95 % interval."""

TOO_WIDE = 0.2
"""Half of a 95 % interval of a score from which on it is left out of the headline: nothing is known yet."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One player's line.

    Attributes:
        name: the player's.
        run: that it is of; empty for others.
        steps: of training; None for who was not trained.
        elo, error: relative to the anchor, and its standard error.
        gain, gain_error: relative to the trained player before it; NaN for the first.
        better: probability that it is better than that one; NaN for the first.
        games: rated games.
        draws: share of them.
        bound: whether the rating is a bound only: it is unbeaten.
    """

    name: str
    run: str
    steps: int | None
    elo: float
    error: float
    gain: float
    gain_error: float
    better: float
    games: int
    draws: float
    bound: bool


def standings(
    ratings: Ratings, players: Sequence[Player], results: Sequence[Result]
) -> list[Standing]:
    """A line for each player, in chronological order; gains are within a run."""
    bounds, found = set(unbeaten(ratings)), []
    last: dict[str, str] = {}  # of each run so far
    for player in players:
        name = player.name
        elo, error = ratings.elo(name)
        gain = gain_error = better = math.nan
        if player.steps is not None and "~" not in name:
            if before := last.get(player.run):
                gain, gain_error = ratings.difference(name, before)
                better = ratings.better(name, before)
            last[player.run] = name
        games = ratings.games(name)
        draws = sum(result.draws for result in results if name in (result.first, result.second))
        share = draws / games if games else 0.0
        found.append(
            Standing(
                name,
                player.run,
                player.steps,
                elo,
                error,
                gain,
                gain_error,
                better,
                games,
                share,
                name in bounds,
            )
        )
    return found


def headline(ratings: Ratings, players: Sequence[Player], seconds: Mapping[str, float]) -> str:
    """How the newest trained player that has games does against an earlier one and against the first.

    Args:
        ratings: of the players.
        players: in chronological order.
        seconds: of training behind each, as far as known.

    Returns:
        the sentence, without what too few games tell; empty if that is all.
    """
    trained = [
        player.name
        for player in players
        if player.steps is not None and "~" not in player.name and ratings.games(player.name)
    ]
    runs = {player.run for player in players if player.steps is not None}
    if (
        len(trained) < 2 or len(runs) > 1
    ):  # the newest of several runs grew out of none of the others
        return ""
    newest, first = trained[-1], trained[0]
    now = seconds.get(newest, math.nan)
    ago = min(HOUR, (now - seconds.get(first, math.nan)) / 2)
    parts = {"the start": first}
    if math.isfinite(ago) and len(trained) > 2:
        middle = min(trained[:-1], key=lambda name: abs(now - ago - seconds.get(name, math.inf)))
        if middle != first:
            span = _span(now - seconds[middle])
            parts = {f"the one of {span} ago": middle, **parts}
    ranges = {who: ratings.score_range(newest, name, Z95) for who, name in parts.items()}
    known = [
        f"{who} {_percent(*found)}"
        for who, found in ranges.items()
        if max(found[1] - found[0], found[2] - found[1]) < TOO_WIDE
    ]
    return f"the newest beats {', '.join(known)}" if known else ""


def report(
    ratings: Ratings,
    players: Sequence[Player],
    results: Sequence[Result],
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """All of it as JSON values."""
    lines = [_finite(asdict(line)) for line in standings(ratings, players, results)]
    return {
        "headline": headline(ratings, players, seconds),
        "players": lines,
        "games": sum(result.games for result in results),
        "doubts": doubts(ratings, results),
    }


def _percent(low: float, score: float, high: float) -> str:
    """A score and its interval; a bound where the interval is wide and touches what a score can be."""
    width = max(high - score, score - low)
    if round(100 * (score + width)) > 100:
        return f"over {100 * low:.0f} %"
    if round(100 * (score - width)) < 0:
        return f"under {100 * high:.0f} %"
    return f"{100 * score:.0f} ± {100 * width:.0f} %"


def _span(seconds: float) -> str:
    if seconds >= 5400:
        return f"{seconds / HOUR:.0f} hours"
    if seconds >= 3000:
        return "an hour"
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}
