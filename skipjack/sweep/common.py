"""One preset for several environments: the settings whose normalised scores have the highest mean.

A normalised score is 0 at the random player's and 1 at the best that the environment's own sweep has
found. Only settings that were really trained in every environment, for about as long as each one's own best,
are compared. The studies' models merely say which are worth that: of what leads in any of them, the
settings with the highest expected mean are run where they have not been, as trials of these studies.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from skipjack.errors import UsageError
from skipjack.sweep.front import counts, is_asked, mean_of
from skipjack.sweep.outlook import Outlook
from skipjack.sweep.space import STEPS, Parameter
from skipjack.sweep.study import Sweep

ORIGIN = "common"
"""Attribute `origin` of the trials that are made for this."""

NEAR = (0.5, 1.5)
"""Costs, as shares of that of an environment's own best, that are compared with it."""
LIMIT = 1.3
"""The same share at which such a trial is cut."""

Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Settings that were trained in every environment.

    Attributes:
        settings: values by name.
        mean: of the normalised scores.
        scores, normalised, costs: in the order of the sweeps.
        trials: number of a trial of theirs in each sweep.
    """

    settings: Settings
    mean: float
    scores: tuple[float, ...]
    normalised: tuple[float, ...]
    costs: tuple[float, ...]
    trials: tuple[int, ...]


class Side:
    """One environment: its sweep, its own best, and what counts as normalised there.

    Args:
        sweep: the study.
        cap: seconds of training that the best may take.

    Raises:
        UsageError: no trial has a score for that.
    """

    def __init__(self, sweep: Sweep, cap: float) -> None:
        self.sweep, self.trials = sweep, sweep.trials()
        self.front = [
            each for each in sweep.front(self.trials) if mean_of(self.trials, each, 1) <= cap
        ]
        if not self.front:
            raise UsageError(f"The sweep {sweep.name!r} has no finished trial within the cost yet.")
        self.own = self.front[-1]
        self.best = mean_of(self.trials, self.own, 0)
        self.cost = mean_of(self.trials, self.own, 1)

    @cached_property
    def chance(self) -> float:
        """The random player's score; where nobody knows it, the lowest of any trial."""
        known = [each.user_attrs.get("random") for each in self.trials]
        told = [each for each in known if each is not None]
        return float(np.mean(told)) if told else min(each.values[0] for each in self.complete)

    @cached_property
    def complete(self) -> list[FrozenTrial]:
        """Trials that came to their end."""
        return [
            each
            for each in self.trials
            if each.state == TrialState.COMPLETE and not each.user_attrs.get("stopped")
        ]

    @cached_property
    def outlook(self) -> Outlook:
        """The study's models."""
        return Outlook(self.sweep, self.trials)

    def normalised(self, score: float) -> float:
        """0 at the random player's score, 1 at the own best; 1 where not even that is above chance."""
        gap = self.best - self.chance
        return (score - self.chance) / gap if gap > 0 else 1.0

    def has_others(self, params: Settings, shared: Iterable[str]) -> bool:
        """Whether settings that are not shared stand elsewhere than the preset has them."""
        centre = self.sweep.space.centre
        return any(
            params.get(name, at) != at
            for name, at in centre.items()
            if name not in shared and name != STEPS
        )

    def placed(self, settings: Sequence[Settings]) -> tuple[list[float], list[dict[str, Any]]]:
        """Expected normalised scores of settings at the own best's cost, and their parameters for it."""
        params = [self.sweep.space.centre | dict(each) for each in settings]
        points = self.outlook.at_cost(params, self.cost)
        for each, point in zip(params, points, strict=True):
            if self.outlook.knob is not None:
                each[STEPS] = self.outlook.cube.decode(point)[STEPS]
        if len(self.outlook.history.score) < 2:
            return [0.0] * len(params), params
        mean, _ = self.outlook.scores.predict(points)
        return [self.normalised(float(each)) for each in mean], params


class Common:
    """Sweeps of several environments as they stand, and the one preset for all of them.

    Args:
        sweeps: at least two.
        cap: seconds of training that the preset may take in each.

    Raises:
        UsageError: a sweep has no score yet, or they search nothing in common.
    """

    def __init__(self, sweeps: Sequence[Sweep], cap: float = float("inf")) -> None:
        self.shared = _shared([sweep.space.parameters for sweep in sweeps])
        if not self.shared:
            names = ", ".join(sweep.name for sweep in sweeps)
            raise UsageError(
                f"The sweeps {names} must search some setting in common beside {STEPS}."
            )
        self.sides = [Side(sweep, cap) for sweep in sweeps]

    def settings_of(self, params: Settings) -> dict[str, Any] | None:
        """The shared ones of a trial's settings, in what all sweeps search; None if an option is not."""
        found = {}
        for name, part in self.shared.items():
            value = params[name]
            if part.values and value not in part.values:
                return None
            if not part.values:
                assert part.low is not None
                assert part.high is not None
                value = min(max(value, part.low), part.high)
            found[name] = value
        return found

    def measured(self) -> list[Candidate]:
        """Settings that every environment has trained, the highest mean first."""
        groups = [self._groups(side) for side in self.sides]
        found = []
        for key in set(groups[0]).intersection(*groups[1:]):
            own = [group[key] for group in groups]
            scores = tuple(float(np.mean([each.values[0] for each in trials])) for trials in own)
            pairs = zip(self.sides, scores, strict=True)
            normalised = tuple(side.normalised(score) for side, score in pairs)
            found.append(
                Candidate(
                    settings=json.loads(key),
                    mean=float(np.mean(normalised)),
                    scores=scores,
                    normalised=normalised,
                    costs=tuple(float(np.mean([t.values[1] for t in trials])) for trials in own),
                    trials=tuple(trials[0].number for trials in own),
                )
            )
        return sorted(found, key=lambda each: (-each.mean, each.trials))

    def queue(self, most: int) -> int:
        """Queue the settings that are expected to be best where they have not been trained.

        Args:
            most: how many settings.

        Returns:
            trials that were queued: none once the expected best has been trained everywhere.
        """
        done = [set(self._groups(side)) | self._under_way(side) for side in self.sides]
        failed = set().union(*(self._failed(side) for side in self.sides))
        known = {_key(each): each for each in self._leaders() if _key(each) not in failed}
        if not known:
            return 0
        placed = [side.placed(list(known.values())) for side in self.sides]
        expected = np.mean([scores for scores, _ in placed], axis=0)
        keys, queued = list(known), 0
        for at in np.argsort(-expected, kind="stable")[:most]:
            if all(keys[at] in each for each in done):
                break
            for side, (_, params), there in zip(self.sides, placed, done, strict=True):
                if keys[at] not in there:
                    side.sweep.enqueue(params[at], origin=ORIGIN, limit=LIMIT * side.cost)
                    queued += 1
        return queued

    def _leaders(self) -> Iterable[dict[str, Any]]:
        """What leads in any sweep, and what each began with."""
        for side in self.sides:
            for params in (side.sweep.space.centre, *(each.params for each in side.front)):
                if (found := self.settings_of(params)) is not None:
                    yield found

    def _groups(self, side: Side) -> dict[str, list[FrozenTrial]]:
        """Trials that say what shared settings come to for about the own best's cost."""
        low, high = (share * side.cost for share in NEAR)
        near = [each for each in side.complete if low <= each.values[1] <= high]
        return self._by_settings(side, near)

    def _under_way(self, side: Side) -> set[str]:
        """Settings that are in the queue, or run by another worker."""
        waits = (TrialState.WAITING, TrialState.RUNNING)
        asked = [each for each in side.trials if each.state in waits and is_asked(each)]
        return set(self._by_settings(side, asked))

    def _failed(self, side: Side) -> set[str]:
        """Settings that failed somewhere by themselves: they are no preset for all."""
        failed = [each for each in side.trials if each.state == TrialState.FAIL and counts(each)]
        return set(self._by_settings(side, failed))

    def _by_settings(
        self, side: Side, trials: Iterable[FrozenTrial]
    ) -> dict[str, list[FrozenTrial]]:
        found: dict[str, list[FrozenTrial]] = {}
        for each in trials:
            params = each.params or each.system_attrs.get("fixed_params", {})
            if not all(name in params for name in self.shared):
                continue
            settings = self.settings_of(params)
            moved = settings is None or any(settings[name] != params[name] for name in settings)
            if settings is not None and not moved and not side.has_others(params, self.shared):
                found.setdefault(_key(settings), []).append(each)
        return found


def _shared(spaces: Sequence[Sequence[Parameter]]) -> dict[str, Parameter]:
    """Parameters that all spaces have, with the ranges or options that they have in common."""
    found = {}
    for part in spaces[0]:
        others = [next((p for p in space if p.name == part.name), None) for space in spaces]
        same = [other for other in others if other is not None and other.scale == part.scale]
        if part.name == STEPS or len(same) < len(spaces):
            continue
        if part.values:
            options = tuple(v for v in part.values if all(v in other.values for other in same))
            if options:
                whole = dataclasses.replace(part, scale="choice", options=options)
                found[part.name] = dataclasses.replace(whole, low=None, high=None)
            continue
        low = max(other.low for other in same if other.low is not None)
        high = min(other.high for other in same if other.high is not None)
        if low <= high:
            found[part.name] = dataclasses.replace(part, low=low, high=high)
    return found


def _key(settings: Settings) -> str:
    return json.dumps(dict(settings), sort_keys=True)
