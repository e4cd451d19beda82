"""Ratings as pictures: scores against references and ratings over steps, and every pair's score."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skipjack.arena.doubts import examine
from skipjack.arena.players import Player
from skipjack.arena.rating import ELO, Ratings
from skipjack.arena.standings import Z95
from skipjack.errors import missing

REFERENCES = 4
"""Players that every checkpoint's score is drawn against."""


def write(ratings: Ratings, players: Sequence[Player], folder: Path) -> list[Path]:
    """Write `ratings.png` and `pairs.png`.

    Args:
        ratings: of the players.
        players: in chronological order.
        folder: where to.

    Raises:
        MissingPackage: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise missing("matplotlib", "sweep", what="Plotting ratings") from None
    written = []
    for name, draw in (("ratings", _curves), ("pairs", _pairs)):
        figure = Figure(figsize=(11, 5), layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure, ratings, players)
        path = folder / f"{name}.png"
        figure.savefig(path, dpi=110)
        written.append(path)
    return written


def _curves(figure: Any, ratings: Ratings, players: Sequence[Player]) -> None:
    """The simplest true thing to the left: how often each checkpoint beats a few fixed players."""
    trained = [player for player in players if player.steps is not None and "~" not in player.name]
    left, right = figure.subplots(1, 2)
    steps = np.array([player.steps or 0 for player in trained], np.float64)
    places = [ratings.place(player.name) for player in trained]
    chosen = np.linspace(0, len(trained) - 1, min(REFERENCES - 1, len(trained))).astype(int)
    references = [player.name for player in players if player.steps is None]
    references = [
        *references[: REFERENCES - 1],
        *(trained[at].name for at in dict.fromkeys(chosen)),
    ]
    for name in references:
        scores = np.array([ratings.score(player.name, name) for player in trained])
        left.errorbar(steps, scores[:, 0], Z95 * scores[:, 1], marker=".", capsize=2, label=name)
    left.set(xlabel="steps", ylabel="score against it", ylim=(-0.02, 1.02), title="scores")
    left.legend(fontsize="small")
    if trained:
        theta = ratings.theta[places] * ELO
        spread = np.sqrt(ratings.spread()[places[-1], places]) * ELO
        right.plot(steps, theta, marker=".")
        right.fill_between(steps, theta - Z95 * spread, theta + Z95 * spread, alpha=0.25)
        own = ratings.elo(trained[-1].name)[1]
        right.set(xlabel="steps", ylabel=f"Elo above {ratings.anchor}")
        right.set_title(f"ratings, 95 % relative to the newest; its own ± {Z95 * own:.0f}")


def _pairs(figure: Any, ratings: Ratings, players: Sequence[Player]) -> None:
    """Scores as they were played, and how far they are from what the ratings say."""
    fit, count = examine(ratings), len(ratings.players)
    score, z = np.full((2, count, count), np.nan)
    games = np.zeros((count, count))
    for (a, b), seen, number, off in zip(fit.pairs, fit.score, fit.games, fit.z, strict=True):
        score[a, b], score[b, a] = seen, 1 - seen
        z[a, b], z[b, a] = off, -off
        games[a, b] = games[b, a] = number
    names = [name.split("-")[0].lstrip("0") or "0" for name in ratings.players]
    for axes, values, limits, colours, title in zip(
        figure.subplots(1, 2),
        (score, z),
        ((0, 1), (-4, 4)),
        ("viridis", "RdBu"),
        ("score of the row against the column, and games", "standard errors off the ratings"),
        strict=True,
    ):
        axes.set_facecolor("lightgrey")  # pairs that never met
        image = axes.imshow(values, vmin=limits[0], vmax=limits[1], cmap=colours)
        axes.set(xticks=range(count), yticks=range(count), title=title)
        axes.set_xticklabels(names, rotation=90, fontsize=6)
        axes.set_yticklabels(names, fontsize=6)
        if count <= 16 and limits == (0, 1):
            for a, b in np.argwhere(games > 0):
                axes.text(b, a, f"{games[a, b]:.0f}", ha="center", va="center", fontsize=6)
        figure.colorbar(image, ax=axes)
