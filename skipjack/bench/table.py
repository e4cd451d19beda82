"""What a suite's results come to: a summary a preset, a table, differences to an earlier suite."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from skipjack.report.window import short

ENOUGH = 3
"""Seeds that both sides must have before their ranges say anything about noise."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, lowest and highest of a few numbers."""

    median: float
    low: float
    high: float
    count: int

    def differs(self, other: Spread) -> bool:
        """Whether the two differ beyond their noise: with enough seeds, their ranges do not meet."""
        apart = self.low > other.high or self.high < other.low
        return apart and min(self.count, other.count) >= ENOUGH

    def widened(self, by: float) -> Spread:
        """The same with `by` added at both ends of the range."""
        return Spread(self.median, self.low - by, self.high + by, self.count)


@dataclass(frozen=True, slots=True)
class Summary:
    """A preset over its seeds; what no seed has is None.

    Attributes:
        env: the preset.
        finished: seeds that were trained to the end.
        score, score_ci95: final scores, and the median half width of their 95 % intervals.
        random_score: median score of the random player beside them.
        target: mean score whose steps and seconds are taken.
        reached: seeds that reached it.
        steps_to, seconds_to: until then; seconds from the start of the process.
        steps, seconds, steps_per_second: of the whole training, without start and evaluation.
        errors: why the others failed, by seed.
        machines: cpu and cores that they were trained on.
    """

    env: str
    finished: int
    score: Spread | None
    score_ci95: float | None
    random_score: float | None
    target: float | None
    reached: int
    steps_to: Spread | None
    seconds_to: Spread | None
    steps: Spread | None
    seconds: Spread | None
    steps_per_second: Spread | None
    errors: Mapping[int, str]
    machines: tuple[tuple[str, int], ...]


def spread(values: Iterable[float | None]) -> Spread | None:
    """Of the values that are there; None if there are none."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Spread(statistics.median(known), min(known), max(known), len(known))


def summarise(results: Iterable[Mapping[str, Any]]) -> list[Summary]:
    """A summary for each preset, in the order in which they first come."""
    by_env: dict[str, list[Mapping[str, Any]]] = {}
    for result in results:
        by_env.setdefault(result["env"], []).append(result)
    return [_summary(env, found) for env, found in by_env.items()]


def render(summaries: Sequence[Summary], before: Mapping[str, Any] | None = None) -> str:
    """The table, in Markdown.

    Args:
        summaries: its rows.
        before: an earlier suite's file, as loaded; what differs beyond the noise gets an arrow and the
            earlier median. Times and speeds are compared on the same kind of machine alone.
    """
    earlier = {s.env: s for s in summarise(before["results"].values())} if before else {}
    rows = [_row(summary, earlier.get(summary.env)) for summary in summaries]
    widths = {title: max(len(title), *(len(row[title]) for row in rows)) for title in rows[0]}
    lines = [
        " | ".join(title.ljust(width) for title, width in widths.items()),
        " | ".join("-" * width for width in widths.values()),
        *(" | ".join(row[title].ljust(width) for title, width in widths.items()) for row in rows),
    ]
    text = "\n".join(f"| {line} |" for line in lines)
    for summary in summaries:
        for seed, error in summary.errors.items():
            text += f"\n\n{summary.env}, seed {seed}, failed: {error}"
    return text


def _summary(env: str, results: Sequence[Mapping[str, Any]]) -> Summary:
    done = [result for result in results if "error" not in result]
    reached = [result["reached"] for result in done if result["reached"]]

    def of(name: str) -> Spread | None:
        return spread(result[name] for result in done)

    width, chance = of("score_ci95"), of("random_score")
    return Summary(
        env=env,
        finished=len(done),
        score=of("score"),
        score_ci95=width.median if width else None,
        random_score=chance.median if chance else None,
        target=next((result["target"] for result in done), None),
        reached=len(reached),
        steps_to=spread(row["steps"] for row in reached),
        seconds_to=spread(row["seconds"] for row in reached),
        steps=of("steps"),
        seconds=of("seconds"),
        steps_per_second=of("steps_per_second"),
        errors={result["seed"]: result["error"] for result in results if "error" in result},
        machines=tuple({(r["machine"]["cpu"], r["machine"]["cores"]) for r in done}),
    )


def _row(now: Summary, before: Summary | None) -> dict[str, str]:
    """Cells by column title."""
    same_machine = before is not None and len({*now.machines, *before.machines}) == 1

    def cell(name: str, form: Any, compare: bool = True, wider: float = 0.0) -> str:
        found: Spread | None = getattr(now, name)
        earlier: Spread | None = getattr(before, name) if before and compare else None
        if found is None:
            return "-"
        text = form(found.median)
        if found.low != found.high:
            text += f" [{form(found.low)}-{form(found.high)}]"
        if earlier and found.widened(wider).differs(earlier):
            text += f" {'↑' if found.median > earlier.median else '↓'} from {form(earlier.median)}"
        return text

    noise = (now.score_ci95 or 0.0) + ((before.score_ci95 or 0.0) if before else 0.0)
    score = cell("score", "{:.3f}".format, wider=noise)
    if now.score_ci95 is not None:
        score += f" ± {now.score_ci95:.3f}"
    there = now.finished > 0
    return {
        "preset": now.env,
        "score": score if there else "failed",
        "random": "-" if now.random_score is None else f"{now.random_score:.3f}",
        "target": "-" if now.target is None else f"{now.target:g}",
        "reached by": f"{now.reached} of {now.finished}" if now.target is not None else "-",
        "steps to it": cell("steps_to", short),
        "seconds to it": cell("seconds_to", "{:.1f}".format, same_machine),
        "steps": cell("steps", short, compare=False),
        "seconds": cell("seconds", "{:.1f}".format, compare=False),
        "steps/s": cell("steps_per_second", short, same_machine),
    }
