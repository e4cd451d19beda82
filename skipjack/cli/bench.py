"""`skipjack bench steps ENV`, `bench train ENV`, `bench suite`: speed, and time to a score."""

from __future__ import annotations

import dataclasses
import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from skipjack import registry
from skipjack.cli import flags
from skipjack.config import Within
from skipjack.errors import UsageError, must, unknown

RELEASED = "benchmarks/suite.json"
"""Results of the release before."""

KINDS = {
    "steps": "steps a second of the envs alone",
    "train": "steps a second of training",
    "suite": "every preset trained with several seeds: scores, and times to them",
}


@dataclass(frozen=True, slots=True)
class BenchFlags:
    """Flags of `skipjack bench steps` and `train` beside the settings."""

    seconds: Annotated[float, Within(0.01, 86_400)] = 3.0
    """Seconds of each of the repetitions."""
    repetitions: Annotated[int, Within(1, 1000)] = 3
    """Repetitions; the median is reported."""
    json: bool = False
    """End with a line of JSON on standard output."""


@dataclass(frozen=True, slots=True)
class SuiteFlags:
    """Flags of `skipjack bench suite`."""

    seeds: Annotated[int, Within(1, 1000)] = 5
    """Seeds 1 to this number are trained."""
    envs: str = ""
    """Presets to train, parted by commas; empty is all of them."""
    out: str = "runs/suite.json"
    """File of the results; the runs lie in a folder beside it. What it holds is not trained again."""
    against: str = ""
    """Results of an earlier suite to compare with; empty is benchmarks/suite.json, if it is there."""
    docs: str = ""
    """Folder to write benchmarks.md and the learning curves to (needs matplotlib)."""
    json: bool = False
    """End with a line of JSON on standard output."""


def run(arguments: Sequence[str]) -> int:
    """Measure and print a table or JSON."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: skipjack bench steps|train ENV [settings] [--seconds 3] [--json]")
        print("       skipjack bench suite [--seeds 5] [--envs breakout,pong/lstm] [--json]\n")
        for kind, what in KINDS.items():
            print(f"  {kind:6} {what}")
        return 0
    kind, *rest = arguments
    if kind not in KINDS:
        raise unknown("benchmark", kind, KINDS, see="skipjack bench --help")
    return _suite(rest) if kind == "suite" else _speed(kind, rest)


def _speed(kind: str, rest: list[str]) -> int:
    from skipjack.run.config import configure

    if not rest:
        raise UsageError(
            f"A benchmark must name an environment, as in: skipjack bench {kind} pong."
        )
    name, own, chosen = flags.with_settings(
        BenchFlags, rest, f"skipjack bench {kind} ENV", f"Measure {KINDS[kind]}."
    )
    configured = configure(name, flags=chosen)
    from skipjack.bench import steps, train

    measure = steps.measure if kind == "steps" else train.measure
    row = measure(configured, own.seconds, own.repetitions)
    print(json.dumps(row) if own.json else _lines(row))
    return 0


def _suite(rest: list[str]) -> int:
    """Train the suite; exit code 1 if a training failed."""
    own, _ = flags.parse(SuiteFlags, rest, "skipjack bench suite", f"Measure: {KINDS['suite']}.")
    from skipjack.bench import curves, page, suite, table
    from skipjack.run import origin

    if own.docs:
        curves.require()
        page.make(Path(own.docs))
    named = [name for part in own.envs.split(",") if (name := part.strip())]
    if own.envs and not named:
        raise must("--envs must name environments, as in breakout,pong/lstm", envs=own.envs)
    envs = list(dict.fromkeys(registry.resolve(name).full_name for name in named))
    against = Path(own.against or RELEASED)
    before = suite.load(against) if own.against or against.exists() else None
    whole = suite.Suite(
        Path(own.out),
        say=lambda line: print(line, file=sys.stderr, flush=True),
        commit=origin.commit,
    )
    try:
        results = whole.run(envs or registry.names(), own.seeds)
    except (KeyboardInterrupt, SystemExit):
        print("Stopped. What is done is kept: the same command goes on.", file=sys.stderr)
        raise
    summaries = table.summarise(results)
    written = (
        str(page.write(Path(own.docs), whole, results, _command(own, envs), before))
        if own.docs
        else None
    )
    if own.json:
        presets = [dataclasses.asdict(summary) for summary in summaries]
        print(json.dumps({"out": own.out, "docs": written, "presets": presets}))
    else:
        print(table.render(summaries, before))
    return 1 if any(summary.errors for summary in summaries) else 0


def _command(own: SuiteFlags, envs: Sequence[str]) -> str:
    """The command that gives the same page."""
    named = f" --envs {','.join(envs)}" if envs else ""
    return f"skipjack bench suite --seeds {own.seeds}{named} --docs {shlex.quote(own.docs)}"


def _lines(row: dict[str, Any]) -> str:
    """A measurement in words: a line a fact, speeds first."""
    facts = {"env": row["env"]}
    for speed in row.get("speeds", [row]):
        unit = "worker" if "workers" in speed else "thread"
        count = speed[f"{unit}s"]
        runs_on = f"one {unit}" if count == 1 else f"{count} {unit}s"
        low, high = speed["lowest"], speed["highest"]
        facts[f"steps/s, {runs_on}"] = (
            f"{speed['steps_per_second']:,.0f}  ({low:,.0f} to {high:,.0f})"
        )
    for phase, share in row.get("time", {}).items():
        facts[f"time, {phase}"] = f"{share:.1%}"
    rest = ("rows", "observation_bytes", "env_bytes", "parameters", "device", "precision")
    facts |= {name.replace("_", " "): f"{row[name]}" for name in rest if row.get(name) is not None}
    return "\n".join(f"{name:24} {fact}" for name, fact in facts.items())
