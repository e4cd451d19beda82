"""What a sweep is: what is trained, where is searched, and when it ends."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from skipjack.errors import UsageError
from skipjack.sweep.space import STEPS, Space

FORMAT = 1
PLAN = "skipjack:plan"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sweep is.

    Attributes:
        env: what is trained.
        space: where is searched, as `Space.to_json`.
        metric: which figure of the final evaluation is the score.
        budget: seconds of trials, start-up included, over all workers; 0 is no end.
        trials: trials after which it ends; 0 is no end.
        cheapest, dearest: seconds of training between which is searched.
        cost_bias: as `CostSampler` has it.
        sampler: cost (ours), or one of Optuna's own: tpe, gp, nsga2, random.
        seed: of what is drawn, and of the trials' trainings.
        speed: steps a second of the preset on the machine that costs are told in.
        rollout: steps of one rollout of the preset: no training makes fewer.
        lease: seconds without a beat after which a trial counts as lost.
        retries: times that a lost trial is run again at most.
        early_stop: whether trials that cannot reach the front are stopped.
    """

    env: str
    space: str
    metric: str = "score"
    budget: float = 0.0
    trials: int = 0
    cheapest: float = 2.0
    dearest: float = 600.0
    cost_bias: float = 0.15
    sampler: str = "cost"
    seed: int = 0
    speed: float = 0.0
    rollout: int = 0
    lease: float = 60.0
    retries: int = 2
    early_stop: bool = True
    format: int = FORMAT


MAY_CHANGE = ("budget", "trials", "lease", "retries", "early_stop", "cost_bias", "sampler")
"""What the same sweep may go on with another value of."""


def joined(name: str, old: Plan, new: Plan) -> Plan:
    """The plan that a sweep goes on with by a command that says another.

    Raises:
        UsageError: the two search different things.
    """
    before, after = Space.from_json(old.space), Space.from_json(new.space)
    changed = sorted(
        {part.name for part in set(before.parameters) ^ set(after.parameters) if part.name != STEPS}
    )
    held = before.fixed, after.fixed
    changed += sorted(key for key in {*held[0], *held[1]} if held[0].get(key) != held[1].get(key))
    changed += [
        key
        for key in ("env", "metric", "cheapest", "dearest", "seed")
        if getattr(old, key) != getattr(new, key)
    ]
    if changed:
        raise UsageError(
            f"The sweep {name!r} began with another space: {', '.join(dict.fromkeys(changed))} differ. Its "
            f"trials would not be comparable: give the flags that it began with, or a new --name."
        )
    return dataclasses.replace(old, **{key: getattr(new, key) for key in MAY_CHANGE})
