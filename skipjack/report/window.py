"""What screens and trackers report: means over everything since the last time, rates, verdicts."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from skipjack.report.progress import Progress

BLOCKS = "▁▂▃▄▅▆▇█"


@dataclass(slots=True)
class Window:
    """Updates taken together: sums of steps and seconds, means weighted by episodes."""

    newest: Progress | None = None
    steps: int = 0
    seconds: float = 0.0
    episodes: int = 0
    profile: dict[str, float] = field(default_factory=dict)
    sums: dict[str, float] = field(default_factory=dict)
    losses: dict[str, tuple[float, int]] = field(default_factory=dict)

    def add(self, progress: Progress) -> None:
        """Take in an update."""
        self.newest = progress
        self.steps += progress.interval_steps
        self.seconds += progress.interval_seconds
        self.episodes += progress.episodes
        for phase, seconds in progress.profile.items():
            self.profile[phase] = self.profile.get(phase, 0.0) + seconds
        for name, mean in progress.means.items():
            self.sums[name] = self.sums.get(name, 0.0) + mean * progress.episodes
        for name, loss in progress.losses.items():
            total, count = self.losses.get(name, (0.0, 0))
            self.losses[name] = (total + loss, count + 1)

    @property
    def steps_per_second(self) -> float:
        """Steps a second of training."""
        return self.steps / self.seconds if self.seconds else 0.0

    def means(self) -> dict[str, float]:
        """Means over all episodes taken in; empty if there were none."""
        if not self.episodes:
            return {}
        return {name: total / self.episodes for name, total in self.sums.items()}

    def together(self) -> Progress | None:
        """All updates taken in as one that ends where the newest does; None if there were none.

        Its losses are means over the updates.
        """
        if self.newest is None:
            return None
        return replace(
            self.newest,
            interval_steps=self.steps,
            interval_seconds=self.seconds,
            profile=self.profile,
            losses={name: total / count for name, (total, count) in self.losses.items()},
            episodes=self.episodes,
            means=self.means(),
        )


def verdict(profile: Mapping[str, float]) -> tuple[str, str]:
    """What training is bound by, and a sentence of advice, from seconds by phase."""
    total = sum(profile.values())
    if total <= 0:
        return "starting", ""
    phase = max(profile, key=lambda name: profile[name])
    if profile[phase] < 0.45 * total:
        return "balanced", "No phase takes more than half of the time."
    return {
        "environment": (
            "bound by the environment",
            "More threads (--threads) or a second group (--vector.groups 2) may help.",
        ),
        "acting": (
            "bound by acting",
            "More envs at once (--vector.num-envs) make acting cheaper a step.",
        ),
        "learning": (
            "bound by learning",
            "Fewer epochs, a smaller network or bfloat16 (--train.precision) speed it up.",
        ),
    }.get(phase, ("bound by other work", "Checkpoints and reports take long: is the disk slow?"))


def arena_line(arena: Mapping[str, float]) -> str:
    """Ratings and games against past selves in a line; empty where there are none."""
    parts = []
    if "rating/elo" in arena:
        at = short(arena.get("rating/checkpoint", 0.0))
        parts.append(
            f"elo {arena['rating/elo']:.0f} ± {1.96 * arena['rating/elo_error']:.0f} at {at}"
        )
    if "rating/gain" in arena:
        gain, error = arena["rating/gain"], 1.96 * arena["rating/gain_error"]
        parts.append(f"{gain:+.0f} ± {error:.0f} on the one before")
    if "rating/alive" in arena:
        state = "ok" if arena["rating/alive"] else "dead"
        parts.append(f"rater {state}, backlog {arena.get('rating/backlog', 0.0):.0f}")
    if "past/share" in arena:
        parts.append(f"past games {arena['past/share']:.1%}, pool {arena['past/pool']:.0f}")
    if "past/score" in arena:
        parts.append(f"score against it {arena['past/score']:.2f}")
    if arena.get("past/void"):
        parts.append(f"void {arena['past/void']:.1%}")
    return " | ".join(parts)


def sparkline(values: Sequence[float], width: int) -> str:
    """Values as a line of blocks at most `width` wide; more values are averaged in equal parts."""
    known = [value for value in values if value == value]
    if not known or width < 1:
        return ""
    if len(known) > width:
        cuts = [len(known) * i // width for i in range(width + 1)]
        known = [sum(known[a:b]) / (b - a) for a, b in itertools.pairwise(cuts) if b > a]
    low, high = min(known), max(known)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(BLOCKS[round((value - low) * scale)] for value in known)


def duration(seconds: float) -> str:
    """Seconds as people read them: 4.2s, 3m 05s, 2h 07m."""
    if not seconds < 1e9:
        return "?"
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes}m {rest:02d}s"
    return f"{minutes // 60}h {minutes % 60:02d}m"


def short(number: float) -> str:
    """A number in a few characters: 950, 12.3k, 4.56M, 20.0G."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= size:
            scaled = number / size
            return f"{scaled:.{2 if scaled < 10 else 1}f}{letter}"
    return f"{number:.0f}"


def time_left(progress: Progress, steps_per_second: float) -> float:
    """Seconds of training until the step budget is spent."""
    remaining = max(0, progress.target_steps - progress.steps)
    return remaining / steps_per_second if steps_per_second else float("inf")
