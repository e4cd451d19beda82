"""A sweep as one HTML page that needs no network: everything that was found, to be looked through."""

from __future__ import annotations

import html
import json
import shlex
import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from skipjack.report.progress import RunInfo
from skipjack.sweep.board import overhead, overhead_in_words
from skipjack.sweep.encode import Cube
from skipjack.sweep.front import counts, groups
from skipjack.sweep.outlook import Outlook
from skipjack.sweep.sampler import AIM, REPEATS
from skipjack.sweep.space import STEPS
from skipjack.sweep.study import Sweep

PAGE = Path(__file__).with_name("page")
LEADERS = 8
"""Trials of the front around which importance is asked."""
PLACES = 9
"""Values of a setting's range that it is asked at."""


def data_of(sweep: Sweep) -> dict[str, Any]:
    """All that the page and the pictures show, as JSON values."""
    trials = sweep.trials()
    ended = [each for each in trials if each.state == TrialState.COMPLETE]
    spreads = spreads_of(trials)
    spent, made = sweep.spent(), sum(map(counts, trials))
    return {
        "name": sweep.name,
        "env": sweep.plan.env,
        "metric": sweep.plan.metric,
        "summary": (
            f"{sweep.plan.env}: {made} trials of {len(sweep.space.parameters)} settings, {spent:.0f} s, "
            f"from {sweep.plan.cheapest:g} to {sweep.plan.dearest:g} s of training each; "
            f"{overhead_in_words(overhead(ended))}."
        ),
        "parameters": [
            {"name": part.name, "scale": _scale(part), "options": list(part.values)}
            for part in sweep.space.parameters
        ],
        "front": [each.number for each in sweep.front(trials)],
        "trials": [_row(sweep, each, spreads) for each in trials if each.params],
        "importance": importance(sweep),
    }


def page_of(data: dict[str, Any]) -> str:
    """The page."""
    # "<" could end the script that the data stand in.
    text = json.dumps(data, allow_nan=False).replace("<", "\\u003c")
    read = {name: (PAGE / f"page.{name}").read_text(encoding="utf-8") for name in ("css", "js")}
    template = string.Template((PAGE / "index.html").read_text(encoding="utf-8"))
    return template.substitute(read, title=html.escape(f"Sweep {data['name']}"), data=text)


def spreads_of(trials: Sequence[FrozenTrial]) -> dict[int, float]:
    """The standard deviation of the scores of equal settings, by each of their trials' numbers."""
    return {
        trial.number: float(np.std([each.values[0] for each in group], ddof=1))
        for group in groups(trials)
        if len(group) > 1
        for trial in group
    }


def importance(sweep: Sweep) -> list[tuple[str, float]]:
    """How much the expected score moves with each setting, at leaders, their cost held; most first.

    Plain importance is that of the steps: whoever trains longer scores higher.
    """
    trials = sweep.trials()
    outlook = Outlook(sweep, trials)
    cube, history = outlook.cube, outlook.history
    leaders = [
        cube.encode(each.params) for each in sweep.front(trials)[-LEADERS:] if _within(each, cube)
    ]
    if len(history.score) < 10 or not leaders:
        return []
    scores, cost = outlook.scores, outlook.cost
    moved = {}
    for index, name in enumerate(cube.names):
        if name == STEPS:
            continue
        spread = []
        for leader in leaders:
            points = np.repeat(leader[None], PLACES, axis=0)
            points[:, index] = np.linspace(0.02, 0.98, PLACES)
            level = float(cost.log_cost(leader[None])[0])
            mean, _ = scores.predict(cost.project(cube.snap(points), level))
            spread.append(float(mean.std()))
        moved[name] = float(np.mean(spread))
    return sorted(moved.items(), key=lambda pair: -pair[1])


def command_of(sweep: Sweep, trial: FrozenTrial) -> str:
    """The command that trains a trial's settings again, with its seed."""
    values = dict(sweep.space.fixed) | trial.params
    words = ["skipjack", "train", sweep.plan.env]
    if (seed := trial.user_attrs.get("seed")) is not None:
        words.append(f"--seed={seed}")
    words += [f"--{name.replace('_', '-')}={value}" for name, value in values.items()]
    return " ".join(map(shlex.quote, words))


def info_of(sweep: Sweep, trial: FrozenTrial, folder: Path) -> RunInfo:
    """What stands above a trial's run where it is tracked: its settings, and what the sweep knows of it.

    What only screens show (device, rows, parameters) is left empty.
    """
    known = trial.user_attrs
    settings = dict(sweep.space.fixed) | trial.params
    settings |= {"sweep": sweep.name, "sweep.trial": trial.number, "sweep.cost_s": trial.values[1]}
    return RunInfo(
        name=f"{sweep.name}-{trial.number:05d}",
        env=sweep.plan.env,
        folder=str(folder),
        seed=int(known.get("seed", sweep.plan.seed)),
        device="",
        rows=0,
        threads=int(known.get("threads", 0)),
        parameters=0,
        target_steps=int(known.get("steps", 0)),
        settings=settings,
    )


def _row(sweep: Sweep, trial: FrozenTrial, spreads: Mapping[int, float]) -> dict[str, Any]:
    known = trial.user_attrs
    reason = known.get("reason")
    return {
        "number": trial.number,
        "state": "stopped" if known.get("stopped") else reason or trial.state.name.lower(),
        "score": trial.values[0] if trial.values else None,
        "ci": known.get("score_ci95"),
        "cost": trial.values[1] if trial.values else known.get("cost_s"),
        "aim": trial.system_attrs.get(AIM),
        "spread": spreads.get(trial.number),
        "repeats": known.get("repeats", trial.system_attrs.get(REPEATS)),
        "stopped": bool(known.get("stopped")),
        "why": known.get("why"),
        "steps": known.get("steps"),
        "seed": known.get("seed"),
        "worker": known.get("worker"),
        "params": trial.params,
        "curve": known.get("curve") or [],
        "command": command_of(sweep, trial),
    }


def _scale(part: Any) -> str:
    ordered = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in part.values)
    return "choice" if part.scale == "choice" or (part.values and not ordered) else part.scale


def _within(trial: FrozenTrial, cube: Cube) -> bool:
    """A promoted trial may have more steps than were searched."""
    point = cube.encode(trial.params)
    return bool(np.all((point >= 0) & (point <= 1)))
