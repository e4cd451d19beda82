"""`skipjack bench steps ENV`, `steps --all`, `train ENV`, `suite`: speed, and time to a score."""

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
from skipjack.cli.table import aligned
from skipjack.config import Within
from skipjack.errors import UsageError, must, unknown

RELEASED = "benchmarks/suite.json"
"""Results of the release before."""

SPEEDS = "benchmarks/steps.json"
"""Speeds of every game of the release before."""

KINDS = {
    "steps": "steps a second of the envs alone; --all of every game",
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
class AllFlags:
    """Flags of `skipjack bench steps --all`."""

    seconds: Annotated[float, Within(0.01, 86_400)] = 1.0
    """Seconds of each of the repetitions."""
    repetitions: Annotated[int, Within(1, 1000)] = 3
    """Repetitions; medians are reported."""
    envs: str = ""
    """Presets to measure, parted by commas; empty is every native game with its variants."""
    out: str = "runs/steps.json"
    """File of the figures."""
    against: str = ""
    """An earlier file to compare with; empty is benchmarks/steps.json, if it is there."""
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
        print("       skipjack bench steps --all [--out FILE.json] [--against FILE.json] [--json]")
        print("       skipjack bench suite [--seeds 5] [--envs breakout,pong/lstm] [--json]\n")
        for kind, what in KINDS.items():
            print(f"  {kind:6} {what}")
        return 0
    kind, *rest = arguments
    if kind not in KINDS:
        raise unknown("benchmark", kind, KINDS, see="skipjack bench --help")
    if kind == "steps" and "--all" in rest:
        return _every_game([each for each in rest if each != "--all"])
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


def _every_game(rest: list[str]) -> int:
    """Measure every game; exit code 1 if one is slower than it was on this machine."""
    if rest and not rest[0].startswith("-"):
        raise must(
            "--all must stand without a name",
            hint=f"Measure some games with --envs {rest[0]}, or one alone without --all.",
            got=rest[0],
        )
    words = "Measure steps a second of every game, from mid-episode states, with random actions."
    own, _ = flags.parse(AllFlags, rest, "skipjack bench steps --all", words)
    from skipjack.bench import games

    games.check_out(Path(own.out))
    before = (
        games.load(Path(own.against or SPEEDS)) if own.against or Path(SPEEDS).exists() else None
    )
    comparable = before is not None and games.is_comparable(before)
    data = games.measure_all(
        _named(own.envs) or games.native_names(),
        own.seconds,
        own.repetitions,
        say=lambda line: print(line, file=sys.stderr, flush=True),
        before=before if comparable else None,
    )
    games.write(Path(own.out), data)
    rows = list(data["games"].values())
    changes = games.changes(rows, before) if before else []
    slower = [change.env for change in changes if change.is_slower and comparable]
    if own.json:
        ratios = [{"env": c.env, "threads": c.threads, "ratio": c.ratio} for c in changes]
        print(json.dumps({"out": own.out, "slower": slower, "ratios": ratios, "games": rows}))
        return 1 if slower else 0
    print(_table(rows, changes))
    if before and not comparable:
        print("The ratios are to another machine's speeds: they say nothing of the code.")
    elif slower:
        print(f"Slower than before: {', '.join(dict.fromkeys(slower))}.")
    return 1 if slower else 0


def _table(rows: Sequence[dict[str, Any]], changes: Sequence[Any]) -> str:
    """A line a game; ratios to the speeds before, an arrow where it is slower."""
    compared = {(change.env, change.threads): change for change in changes}

    def speed(row: dict[str, Any], index: int) -> str:
        if index >= len(row["speeds"]):
            return "-"
        found = row["speeds"][index]
        change = compared.get((row["env"], found["threads"]))
        ratio = f" ({change.ratio:.2f}{' ↓' if change.is_slower else ''})" if change else ""
        return f"{found['steps_per_second'] / 1e6:.2f} M{ratio}"

    titles = "game", "steps/s, one core", "all cores", "observation", "an env", "reset of one"
    lines = [
        (
            row["env"], speed(row, 0), speed(row, 1), f"{row['observation_bytes']:,} B",
            f"{row['env_bytes']:,} B", f"{row['reset_seconds'] * 1e6:,.2f} us",
        )
        for row in rows
    ]  # fmt: skip
    return aligned([titles, *lines], right=(1, 2, 3, 4, 5))


def _named(envs: str) -> list[str]:
    """Full names of the environments of a flag, each once.

    Raises:
        UsageError: there is nothing but commas, or a name is unknown.
    """
    named = [name for part in envs.split(",") if (name := part.strip())]
    if envs and not named:
        raise must("--envs must name environments, as in breakout,pong/lstm", envs=envs)
    return list(dict.fromkeys(registry.resolve(name).full_name for name in named))


def _suite(rest: list[str]) -> int:
    """Train the suite; exit code 1 if a training failed."""
    own, _ = flags.parse(SuiteFlags, rest, "skipjack bench suite", f"Measure: {KINDS['suite']}.")
    from skipjack.bench import curves, page, suite, table
    from skipjack.run import origin

    if own.docs:
        curves.require()
        page.make(Path(own.docs))
    envs = _named(own.envs)
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
    if row.get("reset_seconds"):
        facts["reset of an env"] = f"{row['reset_seconds'] * 1e6:.3g} us"
    rest = ("rows", "observation_bytes", "env_bytes", "parameters", "device", "precision")
    facts |= {name.replace("_", " "): f"{row[name]}" for name in rest if row.get(name) is not None}
    return "\n".join(f"{name:24} {fact}" for name, fact in facts.items())
