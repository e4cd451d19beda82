"""`skipjack bench steps ENV` and `skipjack bench train ENV`: speed on this machine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from skipjack.cli import flags
from skipjack.errors import UsageError, must, unknown
from skipjack.run.config import configure


@dataclass(frozen=True, slots=True)
class BenchFlags:
    """Flags of `skipjack bench` beside the settings."""

    seconds: float = 3.0
    """Seconds of each of the repetitions."""
    repetitions: int = 3
    """Repetitions; the median is reported."""
    json: bool = False
    """End with a line of JSON on standard output."""


def run(arguments: Sequence[str]) -> int:
    """Measure and print a table or JSON."""
    kinds = {"steps": "steps a second of the envs alone", "train": "steps a second of training"}
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: skipjack bench steps|train ENV [settings] [--seconds 3] [--json]\n")
        for kind, what in kinds.items():
            print(f"  {kind:6} {what}")
        return 0
    kind, *rest = arguments
    if kind not in kinds:
        raise unknown("benchmark", kind, kinds, see="skipjack bench --help")
    if not rest:
        raise UsageError(
            f"A benchmark must name an environment, as in: skipjack bench {kind} pong."
        )
    name, rest = flags.subject(rest, f"skipjack bench {kind} ENV")
    first = configure(name or "breakout")
    own, chosen = flags.parse(
        BenchFlags, rest, f"skipjack bench {kind} ENV", f"Measure {kinds[kind]}.", first.config
    )
    if own.seconds <= 0 or own.repetitions < 1:
        raise must(
            "--seconds must be above 0 and --repetitions at least 1",
            seconds=own.seconds,
            repetitions=own.repetitions,
        )
    configured = configure(name, flags=chosen)
    from skipjack import bench

    row = (bench.steps if kind == "steps" else bench.train)(
        configured, own.seconds, own.repetitions
    )
    print(json.dumps(row) if own.json else _table(row))
    return 0


def _table(row: dict[str, Any]) -> str:
    lines = []
    for name, value in row.items():
        shown = f"{value:,.4g}" if isinstance(value, float) and value < 1000 else value
        shown = f"{value:,.0f}" if isinstance(value, float) and value >= 1000 else shown
        lines.append(f"{name:28} {shown}")
    return "\n".join(lines)
