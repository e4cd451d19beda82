"""The report's main views as pictures, for notes and papers."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from skipjack.errors import missing


def require() -> None:
    """Say how to install matplotlib, where it is not.

    Raises:
        MissingPackage: it is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise missing("matplotlib", extra="sweep", what="A picture of a sweep")


def draw(folder: Path, data: dict[str, Any]) -> list[Path]:
    """Write front.png and, where there is enough to show, importance.png and curves.png."""
    from matplotlib.figure import Figure

    done = [row for row in data["trials"] if row["score"] is not None]
    written = []
    for name, paint in (("front", _front), ("importance", _importance), ("curves", _curves)):
        figure = Figure(figsize=(7, 4), layout="constrained")
        if paint(figure.subplots(), data, done):
            path = folder / f"{name}.png"
            figure.savefig(path, dpi=120)
            written.append(path)
    return written


def _front(place: Any, data: dict[str, Any], done: list[dict[str, Any]]) -> bool:
    whole = [row for row in done if not row["stopped"]]
    cut = [row for row in done if row["stopped"]]
    for rows, colour, name in ((whole, "tab:blue", "trials"), (cut, "tab:grey", "stopped early")):
        if rows:
            place.errorbar(
                [row["cost"] for row in rows],
                [row["score"] for row in rows],
                [row["ci"] or 0.0 for row in rows],
                fmt="o", markersize=3, linewidth=0.8, color=colour, label=name,
            )  # fmt: skip
    leaders = [row for row in done if row["number"] in data["front"]]
    leaders.sort(key=lambda row: row["cost"])
    place.step(
        [row["cost"] for row in leaders],
        [row["score"] for row in leaders],
        where="post",
        color="tab:orange",
        label="front",
    )
    place.set(xscale="log", xlabel="cost in seconds", ylabel=data["metric"], title=data["name"])
    if done:
        place.legend(frameon=False)
    return bool(done)


def _importance(place: Any, data: dict[str, Any], done: list[dict[str, Any]]) -> bool:
    rows = data["importance"][:15][::-1]
    place.barh([name for name, _ in rows], [value for _, value in rows])
    place.set(xlabel=f"movement of the expected {data['metric']} at equal cost")
    return bool(rows)


def _curves(place: Any, data: dict[str, Any], done: list[dict[str, Any]]) -> bool:
    shown = [row for row in data["trials"] if len(row["curve"]) > 1]
    for row in shown:
        leads = row["number"] in data["front"]
        cost, score = [point[0] for point in row["curve"]], [point[1] for point in row["curve"]]
        place.plot(cost, score, linewidth=1.4 if leads else 0.6, alpha=1 if leads else 0.4)
    place.set(xscale="log", xlabel="cost in seconds", ylabel=data["metric"])
    return bool(shown)
