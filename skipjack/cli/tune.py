"""`skipjack tune ENV`: the fastest threads, workers, envs and groups on this machine."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from skipjack import config as settings
from skipjack.cli import flags
from skipjack.cli.table import aligned
from skipjack.config import Within

if TYPE_CHECKING:
    from skipjack.bench.tune import Candidate, Stage, Tuning


@dataclass(frozen=True, slots=True)
class TuneFlags:
    """Flags of `skipjack tune` beside the settings, which say where it begins."""

    seconds: Annotated[float, Within(0.1, 86_400)] = 60.0
    """Seconds for all of it, about."""
    dry_run: bool = False
    """Write nothing to the machine file."""
    json: bool = False
    """End with a line of JSON on standard output."""


def run(arguments: Sequence[str]) -> int:
    """Measure, print the table and keep what changes speed alone."""
    from skipjack.run.config import configure

    name, own, chosen = flags.with_settings(
        TuneFlags,
        arguments,
        "skipjack tune ENV",
        "Measure workers, threads, envs and groups on this machine, and keep the best for it.",
    )
    configured = configure(name, flags=chosen)
    from skipjack.bench import tune

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    found = tune.tune(configured, own.seconds, say=say)
    path = tune.keep(found.machine) if found.machine and not own.dry_run else None
    if own.json:
        print(json.dumps(_row(found, str(path) if path else None)))
        return 0
    for stage in found.stages:
        print(f"{_table(stage)}\n")
    print(_kept(found, own.dry_run))
    print(_advice(found))
    return 0


def _table(stage: Stage) -> str:
    """A line a candidate: its settings, both speeds, and the gain in training."""
    names = list(stage.present.values)
    heads = [name.partition(".")[2].replace("num_envs", "envs") for name in names]
    rows = [[*heads, "envs alone", "training", "gain", ""]]
    for candidate in stage.candidates:
        values = [f"{candidate.values[name]:,}" for name in names]
        mark = "present" if candidate is stage.present else ""
        if candidate is stage.best:
            mark = ", ".join(filter(None, [mark, "best"]))
        rows.append([*values, *_speeds(candidate, stage), candidate.error or mark])
    return aligned(rows, right=range(len(names) + 3))


def _speeds(candidate: Candidate, stage: Stage) -> list[str]:
    if not candidate.slices:
        return ["-", "-", "-"]
    speed = candidate.speed
    gain, noise = candidate.gain(stage.present)
    spread = " in one round" if math.isinf(noise) else f" ± {noise:.0%}"
    told = "" if candidate is stage.present else f"{gain:+.0%}{spread}"
    return [f"{speed.alone:,.0f}", f"{speed.training:,.0f}", told]


def _kept(found: Tuning, dry: bool) -> str:
    """What is in the machine file now, in words."""
    path = settings.machine_file()
    if not found.machine:
        (name, value), *_ = found.stages[0].present.values.items()
        return f"No other number gains more than the noise: {name} stays at {value}; nothing is written."
    told = ", ".join(f"{name} = {value}" for name, value in found.machine.items())
    what = "Without --dry-run this would be written" if dry else "Written"
    whole = f"{what} to {path}: {told}."
    if "vector.workers" in found.machine:
        whole += (
            " It holds for all Python environments here; costly ones gain more from workers than "
            "cheap ones, and --vector.workers sets it for one run."
        )
    return whole


def _advice(found: Tuning) -> str:
    """The flags that train faster and change learning too, in words."""
    if not found.flags:
        return "Neither other envs nor groups train faster by more than the noise: leave them."
    told = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in found.flags.items())
    gain, _ = found.stages[1].best.gain(found.stages[1].present)
    return (
        f"This trains {gain:.0%} faster, but changes what is learned as well, so it is yours to choose: "
        f"skipjack train {found.env} {told}"
    )


def _row(found: Tuning, path: str | None) -> dict[str, Any]:
    rows = []
    for stage in found.stages:
        for candidate in stage.candidates:
            gain, noise = candidate.gain(stage.present)
            told = {"gain": gain, "noise": None if math.isinf(noise) else noise}
            speeds = {
                "steps_per_second": candidate.speed.alone,
                "training_steps_per_second": candidate.speed.training,
            }
            best = {"present": candidate is stage.present, "best": candidate is stage.best}
            rows.append({**candidate.values, **speeds, **told, **best, "error": candidate.error})
    return {
        "env": found.env,
        "rows": rows,
        "machine": found.machine,
        "machine_file": path,
        "flags": found.flags,
    }
