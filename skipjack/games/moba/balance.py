"""The balance of the MOBA's classes, from episode records: a table, and a plot of it."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.errors import missing, must
from skipjack.games.moba.heroes import CLASSES, SKILLS

SHARES = ("dealt", "taken", "healed", "kills", "deaths")
"""Figures of which a class has a share of its team's."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What a class did, a mean of its heroes' games.

    Attributes:
        name: the class.
        games: how many of its heroes' games are in the means.
        level, kills, deaths: a game.
        shares: by figure of `SHARES`, its part of the sum over all classes, 0 where nobody has any.
        uses: of Q, W and E in a thousand ticks.
        contribution: how its damage and healing go with winning: the correlation, over its games, of what it
            dealt and healed a tick with the outcome; NaN where all games end alike.
        win: mean outcome.
    """

    name: str
    games: int
    level: float
    kills: float
    deaths: float
    shares: dict[str, float]
    uses: tuple[float, float, float]
    contribution: float
    win: float


def balance(episodes: npt.NDArray[Any], statistics: Sequence[str]) -> list[Balance]:
    """Each class's balance, from records (`skipjack.rows.episode_dtype`) of one or many evaluations.

    Raises:
        UsageError: they are records of another game, or there is none.
    """
    names = [name for name in CLASSES if f"{name}_level" in statistics]
    if not names or not len(episodes):
        raise must(
            "a balance must be of episodes of moba", hint="Play some: skipjack eval RUN --report FOLDER.",
            episodes=len(episodes), statistics=len(statistics),
        )  # fmt: skip
    table = dict(zip(statistics, episodes["stats"].T.astype(np.float64), strict=False))
    own = {name: np.flatnonzero(~np.isnan(table[f"{name}_level"])) for name in names}
    sums = {
        figure: {name: table[f"{name}_{figure}"][own[name]].sum() for name in names}
        for figure in SHARES
    }
    return [_of(name, episodes[own[name]], table, own[name], sums) for name in names]


def _of(name: str, episodes: Any, table: Any, rows: Any, sums: Any) -> Balance:
    """The balance of a class whose records are `episodes`, at the places `rows`."""

    def column(figure: str) -> npt.NDArray[np.float64]:
        found: npt.NDArray[np.float64] = table[f"{name}_{figure}"][rows]
        return found

    ticks = np.maximum(episodes["length"].astype(np.float64), 1)
    outcome = episodes["outcome"].astype(np.float64)
    done = (column("dealt") + column("healed")) / ticks
    varied = len(rows) > 1 and done.std() > 0 and outcome.std() > 0
    mean = {figure: float(column(figure).mean()) for figure in ("level", "kills", "deaths")}
    q, w, e = (1000 * float(column(key).sum() / ticks.sum()) for key in "qwe")
    return Balance(
        name,
        len(rows),
        mean["level"],
        mean["kills"],
        mean["deaths"],
        {
            figure: float(each[name] / max(sum(each.values()), 1e-9))
            for figure, each in sums.items()
        },
        (q, w, e),
        float(np.corrcoef(done, outcome)[0, 1]) if varied else math.nan,
        float(outcome.mean()),
    )


def table(found: Sequence[Balance]) -> str:
    """Balances as lines of text; shares in percent, uses in a thousand ticks."""
    heads = ("class", "games", "level", "kills", "deaths", *(f"{each} %" for each in SHARES[:3]))
    lines = ["".join(f"{head:>10}" for head in (*heads, "win corr.")) + "   uses of Q, W, E"]
    for each in found:
        shares = "".join(f"{100 * each.shares[figure]:10.1f}" for figure in SHARES[:3])
        figures = f"{each.level:10.1f}{each.kills:10.2f}{each.deaths:10.2f}"
        uses = ", ".join(
            f"{skill} {count:.1f}"
            for skill, count in zip(SKILLS[each.name], each.uses, strict=True)
        )
        lines.append(
            f"{each.name:>10}{each.games:10d}{figures}{shares}{each.contribution:10.2f}   {uses}"
        )
    return "\n".join(lines)


def plot(found: Sequence[Balance], path: Path) -> None:
    """Shares of damage and healing and the uses of skills, as a picture (SVG, PNG by the name's end).

    Raises:
        MissingPackage: matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise missing("matplotlib", "sweep", "A plot of the balance")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    places = np.arange(len(found))
    for i, share in enumerate(SHARES[:3]):
        heights = [100 * each.shares[share] for each in found]
        left.bar(places + 0.27 * (i - 1), heights, 0.25, label=share)
        right.bar(places + 0.27 * (i - 1), [each.uses[i] for each in found], 0.25, label="QWE"[i])
    for axes, title in ((left, "share of all classes, %"), (right, "uses in a thousand ticks")):
        axes.set_xticks(places, [each.name for each in found])
        axes.set_title(title)
        axes.legend()
    figure.savefig(path)


def report(episodes: npt.NDArray[Any], statistics: Sequence[str], folder: Path) -> str:
    """Write `balance.txt` and `balance.svg` into a folder; gives the table.

    Raises:
        MissingPackage: matplotlib is not installed; the table is written all the same.
    """
    found = balance(episodes, statistics)
    words = table(found)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "balance.txt").write_text(words + "\n", encoding="utf-8")
    plot(found, folder / "balance.svg")
    return words
