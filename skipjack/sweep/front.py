"""Which trials count, and which of them lead: the front of score and cost."""

from __future__ import annotations

import json
from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState

REPLACED = ("lost", "stopped", "duplicate", "surplus", "disk")
"""Reasons of failed trials that another one stands for."""


def counts(trial: FrozenTrial) -> bool:
    """Whether a trial is one of those asked for: running or ended, and not done again as another."""
    if trial.state == TrialState.FAIL:
        return trial.user_attrs.get("reason") not in REPLACED
    return trial.state in (TrialState.COMPLETE, TrialState.RUNNING)


def is_asked(trial: FrozenTrial) -> bool:
    """Whether somebody asked for this very trial at a cost of its own: neither budget nor rule cuts it."""
    return "limit" in trial.user_attrs


def front(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Trials that no cheaper one is as good as; of repeats the first, at their mean."""
    best, found = float("-inf"), []
    for group in sorted(groups(trials), key=lambda group: (_mean(group, 1), -_mean(group, 0))):
        if _mean(group, 0) > best:
            best = _mean(group, 0)
            found.append(group[0])
    return found


def groups(trials: Sequence[FrozenTrial]) -> list[list[FrozenTrial]]:
    """Complete trials with equal parameters, each list one set of them."""
    found: dict[str, list[FrozenTrial]] = {}
    for trial in trials:
        if trial.state == TrialState.COMPLETE and not trial.user_attrs.get("stopped"):
            found.setdefault(json.dumps(trial.params, sort_keys=True), []).append(trial)
    return list(found.values())


def same_as(trials: Sequence[FrozenTrial], trial: FrozenTrial) -> list[FrozenTrial]:
    """Complete trials with the parameters of one that has a score: itself and its repeats."""
    return next((group for group in groups(trials) if group[0].params == trial.params), [trial])


def mean_of(trials: Sequence[FrozenTrial], trial: FrozenTrial, objective: int) -> float:
    """An objective of a trial that has one, over all complete trials with its parameters."""
    return _mean(same_as(trials, trial), objective)


def score_in_words(trials: Sequence[FrozenTrial], trial: FrozenTrial) -> str:
    """A trial's score with its interval; with its repeats their mean and how far they are apart."""
    scores = [each.values[0] for each in same_as(trials, trial)]
    if len(scores) > 1:
        mean = sum(scores) / len(scores)
        return f"{mean:.3f}, the mean of {len(scores)} from {min(scores):.3f} to {max(scores):.3f}"
    ci = trial.user_attrs.get("score_ci95")
    return f"{scores[0]:.3f}" + (f" ± {ci:.3f}" if ci is not None else "")


def _mean(group: Sequence[FrozenTrial], objective: int) -> float:
    return sum(trial.values[objective] for trial in group) / len(group)
