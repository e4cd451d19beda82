"""When a running trial counts as lost: a beat that does not move, as seen by who looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from optuna.trial import FrozenTrial


@dataclass
class Watch:
    """Beats of running trials as seen from here.

    Attributes:
        silent: seconds that each trial has been seen without a beat.
    """

    lease: float
    beats: dict[int, Any] = field(default_factory=dict)
    silent: dict[int, float] = field(default_factory=dict)
    looked: float | None = None

    def look(self, running: Sequence[FrozenTrial], now: float) -> list[FrozenTrial]:
        """Those whose lease is over.

        Args:
            running: all running trials.
            now: seconds of a clock that only goes forward.
        """
        # However long we slept ourselves, it counts as a short while: they may have slept as well.
        passed = 0.0 if self.looked is None else min(now - self.looked, self.lease / 6)
        self.looked = now
        lost = []
        for trial in running:
            beat = trial.user_attrs.get("beat")
            if self.beats.get(trial.number, self) != beat or trial.number not in self.silent:
                self.beats[trial.number], self.silent[trial.number] = beat, 0.0
                continue
            self.silent[trial.number] += passed
            if self.silent[trial.number] > self.lease:
                lost.append(trial)
        return lost
