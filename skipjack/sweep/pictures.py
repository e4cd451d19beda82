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
    """Write front.png and, where there is something to show, along, importance, curves and cost.png."""
    from matplotlib.figure import Figure

    done = [row for row in data["trials"] if row["score"] is not None]
    written = []
    views = (
        ("front", _front), ("along", _along), ("importance", _importance), ("curves", _curves),
        ("cost", _cost),
    )  # fmt: skip
    for name, paint in views:
        figure = Figure(figsize=(7, 4), layout="constrained")
        if paint(figure, data, done):
            path = folder / f"{name}.png"
            figure.savefig(path, dpi=120)
            written.append(path)
    return written


def _front(figure: Any, data: dict[str, Any], done: list[dict[str, Any]]) -> bool:
    place = figure.subplots()
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
    leaders = _leaders(data, done)
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


def _along(figure: Any, data: dict[str, Any], done: list[dict[str, Any]]) -> bool:
    """Each setting's value along the front."""
    leaders, parts = _leaders(data, done), data["parameters"]
    wide = min(4, len(parts))
    high = -(-len(parts) // max(wide, 1))
    figure.set_size_inches(2.4 * max(wide, 1), 1.9 * max(high, 1))
    figure.supxlabel("cost in seconds", fontsize=8)
    for at, part in enumerate(parts if leaders else []):
        place = figure.add_subplot(high, wide, at + 1)
        values = [row["params"][part["name"]] for row in leaders]
        if part["scale"] == "choice":
            names = [str(option) for option in part["options"]]
            values = [names.index(str(value)) for value in values]
            place.set_yticks(range(len(names)), names)
        elif part["scale"] != "linear":
            place.set_yscale("logit" if part["scale"] == "logit" else "log")
        place.plot([row["cost"] for row in leaders], values, "o-", markersize=3, linewidth=0.8)
        place.set(xscale="log")
        place.set_title(part["name"], fontsize=8)
        place.tick_params(which="both", labelsize=6)
        place.xaxis.set_minor_formatter("")
    return bool(leaders and parts)


def _cost(figure: Any, data: dict[str, Any], done: list[dict[str, Any]]) -> bool:
    """The cost that the sampler aimed at, and what it became."""
    aimed = [row for row in done if row["aim"] and not row["stopped"]]
    if aimed:
        place, ends = figure.subplots(), [row["aim"] for row in aimed]
        place.plot([min(ends), max(ends)], [min(ends), max(ends)], color="tab:grey", linewidth=0.8)
        place.plot(ends, [row["cost"] for row in aimed], "o", markersize=3)
        place.set(
            xscale="log",
            yscale="log",
            xlabel="aimed cost in seconds",
            ylabel="real cost in seconds",
        )
    return bool(aimed)


def _leaders(data: dict[str, Any], done: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The front's rows from the cheapest on."""
    return sorted((row for row in done if row["number"] in data["front"]), key=lambda r: r["cost"])


def _importance(figure: Any, data: dict[str, Any], done: list[dict[str, Any]]) -> bool:
    place, rows = figure.subplots(), data["importance"][:15][::-1]
    place.barh([name for name, _ in rows], [value for _, value in rows])
    place.set(xlabel=f"movement of the expected {data['metric']} at equal cost")
    return bool(rows)


def _curves(figure: Any, data: dict[str, Any], done: list[dict[str, Any]]) -> bool:
    place, shown = figure.subplots(), [row for row in data["trials"] if len(row["curve"]) > 1]
    for row in shown:
        leads = row["number"] in data["front"]
        cost, score = [point[0] for point in row["curve"]], [point[1] for point in row["curve"]]
        place.plot(cost, score, linewidth=1.4 if leads else 0.6, alpha=1 if leads else 0.4)
    place.set(xscale="log", xlabel="cost in seconds", ylabel=data["metric"])
    return bool(shown)
