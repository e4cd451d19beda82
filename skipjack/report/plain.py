"""Plain lines, for logs and terminals without colour: at most one a second."""

from __future__ import annotations

import math
import os
import sys
import time
from typing import TextIO

from skipjack.report.progress import Evaluation, Progress, RunInfo, Screen
from skipjack.report.window import Window, arena_line, duration, short, time_left, verdict


class Plain:
    """Writes a line at most every `every` seconds; its means are over everything since the last."""

    def __init__(self, stream: TextIO, every: float = 1.0) -> None:
        self.stream, self.every = stream, every
        self.window = Window()
        self.last = 0.0

    def show(self, text: str) -> None:
        """What the start-up is doing; plain logs do without it."""

    def start(self, info: RunInfo) -> None:
        """Say what trains and where."""
        resumed = f", going on from step {info.resumed_from}" if info.resumed_from else ""
        self.message(
            f"Training {info.env} for {short(info.target_steps)} steps on {info.device}: {info.rows} "
            f"rows, {info.parameters} parameters, seed {info.seed}, in {info.folder}{resumed}."
        )

    def update(self, progress: Progress) -> None:
        """Take the update in, and write a line if one is due."""
        self.window.add(progress)
        now = time.monotonic()
        if now - self.last < self.every and progress.steps < progress.target_steps:
            return
        self.last = now
        window, self.window = self.window, Window()
        speed = window.steps_per_second
        parts = [f"{short(progress.steps)} steps", f"{short(speed)}/s"]
        means = window.means()
        if means:
            if "score" in means:
                parts.append(f"score {means['score']:.3f}")
            parts.append(f"return {means['return']:.2f}")
        parts.append(f"{window.episodes} episodes")
        parts.append(f"{duration(time_left(progress, speed))} left")
        parts.append(verdict(window.profile)[0])
        parts += filter(None, [arena_line(progress.arena)])
        self.message(" | ".join(parts))

    def message(self, text: str) -> None:
        """Write a line."""
        print(text, file=self.stream, flush=True)

    def finish(self, evaluation: Evaluation | None, reason: str) -> None:
        """Write the final score."""
        if evaluation is not None:
            self.message(f"Final evaluation: {describe(evaluation)}")
        # The sentence behind "failed: " is the command's to say, once.
        self.message(f"Run {reason.partition(':')[0]}.")

    def close(self) -> None:
        """The stream is the caller's."""


def describe(evaluation: Evaluation) -> str:
    """An evaluation in words, with a full stop."""
    unfinished = f", {evaluation.unfinished} slots unfinished" if evaluation.unfinished else ""
    rest = f"{evaluation.episodes} episodes{unfinished}."
    if math.isnan(evaluation.score):  # nothing says what success is
        beside = _beside(evaluation.random_return, 2)
        return f"return {evaluation.return_:.2f} ± {evaluation.return_ci95:.2f}{beside}, {rest}"
    beside = _beside(evaluation.random_score, 3)
    return (
        f"score {evaluation.score:.3f} ± {evaluation.score_ci95:.3f}{beside}, return "
        f"{evaluation.return_:.2f}, {rest}"
    )


def _beside(chance: float, digits: int) -> str:
    return "" if math.isnan(chance) else f" (random player {chance:.{digits}f})"


def choose(json: bool, env: str, run: str) -> Screen:
    """The dashboard where there is a terminal that can show it, else plain lines on stderr."""
    plain = (
        json
        or not sys.stderr.isatty()
        or not sys.stdout.isatty()
        or bool(os.environ.get("NO_COLOR"))
        or os.environ.get("TERM") in ("dumb", "")
    )
    if plain:
        return Plain(sys.stderr)
    from skipjack.report.dashboard import Dashboard

    return Dashboard(env, run)
