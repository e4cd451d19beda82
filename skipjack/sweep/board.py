"""A sweep in a few lines: best scores by cost, the front, what runs, what is left."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from skipjack.sweep.front import counts, mean_of, same_as, score_in_words
from skipjack.sweep.study import Sweep


def decades(sweep: Sweep, trials: list[FrozenTrial]) -> list[tuple[float, FrozenTrial]]:
    """The best trial up to each third of a decade of cost: 1, 2, 5, 10, ... seconds."""
    found: list[tuple[float, FrozenTrial]] = []
    front = sweep.front(trials)
    if not front:
        return found
    costs = [mean_of(trials, trial, 1) for trial in front]
    power = math.floor(math.log10(max(costs[0], 1e-3)))
    while True:
        for step in (1, 2, 5):
            cap = step * 10.0**power
            there = [trial for trial, cost in zip(front, costs, strict=True) if cost <= cap]
            if there and (not found or found[-1][1].number != there[-1].number):
                found.append((cap, there[-1]))
            if cap >= costs[-1]:
                return found
        power += 1


def summary(sweep: Sweep) -> dict[str, Any]:
    """What `lines` says, as JSON values."""
    trials = sweep.trials()
    ended = [each for each in trials if each.state == TrialState.COMPLETE]
    return {
        "name": sweep.name,
        "env": sweep.plan.env,
        "trials": sum(map(counts, trials)),
        "failed": sum(each.state == TrialState.FAIL and counts(each) for each in trials),
        "running": [each.number for each in trials if each.state == TrialState.RUNNING],
        "waiting": sum(each.state == TrialState.WAITING for each in trials),
        "spent": sweep.spent(),
        "budget": sweep.plan.budget,
        **overhead(ended),
        "front": [
            {
                "trial": each.number,
                "score": mean_of(trials, each, 0),
                "score_ci95": each.user_attrs.get("score_ci95"),
                "cost_s": mean_of(trials, each, 1),
                "runs": len(same_as(trials, each)),
                "params": each.params,
            }
            for each in sweep.front(trials)
        ],
    }


def overhead(ended: list[FrozenTrial]) -> dict[str, float]:
    """What complete trials took beside their training: shares of it, and seconds of a start-up.

    `asking_share` is the sampler's, `bookkeeping_share` all else between two trainings of a worker,
    `start_share` that of start-ups and ends (a rating is waited for), `start_s` seconds a trial.
    """

    def total(name: str) -> float:
        return sum(float(each.user_attrs.get(name, 0.0)) for each in ended)

    trained = sum(each.values[1] / each.user_attrs.get("factor", 1.0) for each in ended)
    trained = max(trained, 1e-9)
    asked, between = total("ask_s"), total("between_s")
    return {
        "asking_share": asked / trained,
        "bookkeeping_share": max(0.0, between - asked) / trained,
        "start_share": total("start_s") / trained,
        "start_s": total("start_s") / max(len(ended), 1),
    }


def overhead_in_words(found: Mapping[str, Any]) -> str:
    """What `overhead` says, as a clause."""
    return (
        f"choosing took {found['asking_share']:.1%} of the trainings' time, book-keeping "
        f"{found['bookkeeping_share']:.1%}, start-up and end {found['start_share']:.1%} "
        f"({found['start_s']:.1f} s a trial)"
    )


def lines(sweep: Sweep) -> list[str]:
    """Lines for a screen."""
    found, trials = summary(sweep), sweep.trials()
    left = max(0.0, found["budget"] - found["spent"])
    head = f"{found['trials']} trials, {found['failed']} failed, {found['waiting']} waiting"
    head += f", {left:.0f} s of the budget left" if found["budget"] else ""
    told = [f"{sweep.name}: {head}."]
    for cap, trial in decades(sweep, trials):
        told.append(
            f"  up to {cap:>6g} s  {sweep.plan.metric} {score_in_words(trials, trial)}"
            f"  trial {trial.number} ({mean_of(trials, trial, 1):.1f} s)"
        )
    for number in found["running"]:
        trial = trials[number]
        told.append(
            f"  running: trial {number} on {trial.user_attrs.get('worker', 'a new worker')}"
        )
    told.append(f"  {overhead_in_words(found)}")
    return told


@contextmanager
def live_board(lines: Callable[[], list[str]], every: float = 2.0) -> Iterator[Callable[[], None]]:
    """Keep lines at the foot of a terminal while others are printed above them.

    Gives what to call often; it looks anew `every` so many seconds. Without a terminal it does nothing.
    """
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    looked = -every
    with Live(console=Console(stderr=True), auto_refresh=False, redirect_stderr=True) as live:

        def refresh() -> None:
            nonlocal looked
            if time.monotonic() - looked >= every:
                live.update(Text("\n".join(lines())), refresh=True)
                looked = time.monotonic()

        yield refresh
