"""What a run has to say: the only things that screens, stores and trackers see."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What is known before the first update.

    Attributes:
        rows: rows that are learned from.
        parameters: numbers in the policy.
        target_steps: steps to train for.
        resumed_from: steps of the checkpoint that the run goes on from, 0 for a new run.
        settings: every setting by dotted name.
    """

    name: str
    env: str
    folder: str
    seed: int
    device: str
    rows: int
    threads: int
    parameters: int
    target_steps: int
    resumed_from: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """One update.

    Attributes:
        update: its number, from 1.
        steps, target_steps: steps collected, and to collect, in all.
        seconds: wall clock of training, over all sittings of the run.
        interval_steps, interval_seconds: of this update.
        profile: seconds of this update by phase: environment, acting, learning, other.
        losses: by name.
        episodes: whole (not partial) episodes that ended in this update.
        means: over all of them: score, return, length, outcome and every statistic; empty if none.
        restarts: workers replaced in this sitting because they crashed.
        arena: of games against past selves, and of ratings, by name; empty where there are none.
    """

    update: int
    steps: int
    target_steps: int
    seconds: float
    interval_steps: int
    interval_seconds: float
    profile: Mapping[str, float]
    losses: Mapping[str, float]
    episodes: int
    means: Mapping[str, float]
    restarts: int = 0
    arena: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The final evaluation: one number with its interval, the same everywhere.

    Attributes:
        score: mean score over whole episodes, in [0, 1].
        score_ci95: half width of its 95 % interval.
        return_, length: mean return, and mean length in steps.
        episodes: whole episodes played.
        unfinished: slots that did not reach their quota.
        steps, seconds: what the evaluation took.
        statistics: means of the game's statistics.
        return_ci95: half width of the mean return's 95 % interval.
        random_score, random_return: what the random player comes to in the same envs; NaN if nobody
            let it play, or if it could not end its episodes in the steps allowed.

    Scores are NaN for an env that does not say what success is.
    """

    score: float
    score_ci95: float
    return_: float
    length: float
    episodes: int
    unfinished: int
    steps: int
    seconds: float
    statistics: Mapping[str, float]
    return_ci95: float = math.nan
    random_score: float = math.nan
    random_return: float = math.nan


class Sink(Protocol):
    """Something that shows or keeps progress."""

    def start(self, info: RunInfo) -> None:
        """The run begins."""

    def update(self, progress: Progress) -> None:
        """An update is done."""

    def message(self, text: str) -> None:
        """A sentence for the user."""

    def finish(self, evaluation: Evaluation | None, reason: str) -> None:
        """The run ends: "finished", "stopped" or "failed: <sentence>"."""

    def close(self) -> None:
        """Free what is held; nothing comes after it."""


class Screen(Sink, Protocol):
    """A sink that is there before the run is."""

    def show(self, text: str) -> None:
        """What the start-up is doing."""
