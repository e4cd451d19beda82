"""The one preset for several environments: found at the end of their sweeps, shown beside each one's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skipjack.cli.sweep import ROOT, opened, seconds_of, words_of
from skipjack.cli.table import aligned
from skipjack.errors import UsageError

if TYPE_CHECKING:
    from skipjack.cli.sweep.look import BestFlags
    from skipjack.sweep.common import Candidate, Common
    from skipjack.sweep.study import Sweep

ROUNDS = 3
"""Times that the expected best settings are trained where they have not been."""


def opened_all(names: Sequence[str], storage: str) -> list[Sweep]:
    """The sweeps of these names."""
    return [opened(name, storage)[0] for name in names]


def settle(names: Sequence[str], storage: str, workers: int, say: Callable[[str], None]) -> int:
    """Train what may be the best for all environments where it has not been; 0 or the signal's code."""
    from skipjack.cli.sweep.begin import busy, work
    from skipjack.sweep.common import Common
    from skipjack.sweep.storage import alone

    sweeps = opened_all(names, storage)
    for _ in range(ROUNDS):
        try:
            queued = Common(sweeps).queue(workers)
        except UsageError as error:
            say(f"There is no common preset: {error}")
            return 0
        if not queued:
            break
        say(f"Comparing settings for all of {_listed(names)}: {queued} more trials.")
        for sweep in sweeps:
            folder = ROOT / sweep.name
            with alone(folder / "lock", busy(sweep.name)):
                if code := work(sweep.name, sweep.url, folder, workers, say):
                    return code
    say(f"Next: skipjack sweep best {' '.join(names)}")
    return 0


def best(names: Sequence[str], own: BestFlags) -> int:
    """Print the common preset beside each environment's own best, and write it to a file."""
    from skipjack.cli.sweep.look import write_preset
    from skipjack.sweep.common import Common

    sweeps = opened_all(names, own.storage)
    found = Common(sweeps, seconds_of(own.cost, "--cost") or float("inf"))
    measured = found.measured()
    if not measured:
        raise UsageError(
            f"No settings were trained in all of {_listed(names)} for as long as each one's own best. Do so "
            f"with: skipjack sweep {' '.join(sweep.plan.env for sweep in sweeps)}, and their flags."
        )
    first = measured[0]
    headline = (
        f"One preset for {_listed([sweep.plan.env for sweep in sweeps])}: the mean of its normalised scores "
        f"is {first.mean:.3f}, the highest of {len(measured)} that were trained in all."
    )
    if own.write_preset:
        fixed = sweeps[0].space.fixed
        held = {k: v for k, v in fixed.items() if all(s.space.fixed.get(k) == v for s in sweeps)}
        write_preset(Path(own.write_preset), headline, {**first.settings, **held}, {})
    if own.json:
        print(json.dumps({**_row(found, first), "written": own.write_preset or None}))
        return 0
    print(headline)
    print(aligned(_scores(found, first), right=(1, 2, 3, 4, 5)))
    print(aligned(_settings(found, first), right=tuple(range(1, len(sweeps) + 2))))
    return 0


def row(sweeps: Sequence[Sweep]) -> dict[str, Any] | None:
    """The common preset as JSON values; None if there is none."""
    from skipjack.sweep.common import Common

    try:
        found = Common(sweeps)
    except UsageError:
        return None
    measured = found.measured()
    return _row(found, measured[0]) if measured else None


def _row(found: Common, one: Candidate) -> dict[str, Any]:
    return {
        "normalised": one.mean,
        "settings": dict(one.settings),
        "each": [
            {
                "name": side.sweep.name, "trial": one.trials[at], "score": one.scores[at],
                "cost_s": one.costs[at], "normalised": one.normalised[at],
                "own_trial": side.own.number, "own_score": side.best, "own_cost_s": side.cost,
            }
            for at, side in enumerate(found.sides)
        ],
    }  # fmt: skip


def _scores(found: Common, one: Candidate) -> list[list[str]]:
    cells = [["sweep", "own best", "for", "common", "for", "normalised"]]
    for at, side in enumerate(found.sides):
        cells.append(
            [
                side.sweep.name,
                f"{side.best:.4g} (trial {side.own.number})",
                words_of(side.cost),
                f"{one.scores[at]:.4g} (trial {one.trials[at]})",
                words_of(one.costs[at]),
                f"{one.normalised[at]:.3f}",
            ]
        )
    return cells


def _settings(found: Common, one: Candidate) -> list[list[str]]:
    from skipjack.cli.sweep.look import short

    cells = [["setting", "common", *(side.sweep.name for side in found.sides)]]
    for name, value in one.settings.items():
        own = [short(side.own.params[name]) for side in found.sides]
        if any(each != short(value) for each in own):
            cells.append([name, short(value), *own])
    return cells


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
