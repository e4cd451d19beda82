"""A sweep as it is kept: what was asked for, and every trial with all that is known of it.

The store is an Optuna study with two objectives, `score` and `cost_s`. What Optuna has no word for
stands in attributes: of the study, what the sweep is (`Plan`); of a trial, who runs it, its beat, its
run, why it ended.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState, create_trial

from skipjack.errors import RunError, UsageError, unknown
from skipjack.sweep.front import counts, front
from skipjack.sweep.model import Least
from skipjack.sweep.plan import FORMAT, PLAN, Plan, joined
from skipjack.sweep.sampler import REPEATS, CostSampler
from skipjack.sweep.space import ROLLOUT, STEPS, Parameter, Space
from skipjack.sweep.storage import connect, patiently

GONE = (optuna.exceptions.UpdateFinishedTrialError, ValueError)
"""What Optuna raises where somebody else has ended a trial."""


class Sweep:
    """A study and what may be done with it; made by `open_sweep`.

    Args:
        name: of the study.
        url: file or address of the storage.
        study: Optuna's.
    """

    def __init__(self, name: str, url: str, study: optuna.Study) -> None:
        self.name, self.url, self.study = name, url, study
        found = patiently(lambda: study.user_attrs)
        self.plan = Plan(**json.loads(found[PLAN]))
        self.space = Space.from_json(self.plan.space)
        self.distributions = {part.name: distribution(part) for part in self.space.parameters}
        self.study.sampler = self._sampler()

    def trials(self) -> list[FrozenTrial]:
        """Every trial, in the order of their numbers."""
        return patiently(lambda: self.study.get_trials(deepcopy=False))

    def trial(self, number: int) -> FrozenTrial:
        """The trial with a number.

        Raises:
            UsageError: there is none.
        """
        found = self.trials()
        if not 0 <= number < len(found):
            raise unknown(
                "trial", str(number), [str(each.number) for each in found],
                see=f"skipjack sweep show {self.name}",
            )  # fmt: skip
        return found[number]

    def ask(self) -> optuna.Trial:
        """The next trial, of the queue or drawn; it is running from now on."""
        left = self.seconds_left()
        if isinstance(sampler := self.study.sampler, CostSampler) and left is not None:
            sampler.dearest = max(self.plan.cheapest, min(self.plan.dearest, left))
        return patiently(lambda: self.study.ask(self.distributions))

    def note(self, trial: int, **attributes: Any) -> None:
        """Attributes of a running trial, by its number.

        Raises:
            UpdateFinishedTrialError: it has been ended meanwhile.
        """
        number = self._id(trial)
        for name, value in attributes.items():
            patiently(functools.partial(self._store.set_trial_user_attr, number, name, value))

    def succeed(self, trial: int, score: float, cost: float, **attributes: Any) -> bool:
        """End a trial with its values; False if somebody else has ended it before."""
        return self._end(trial, attributes, TrialState.COMPLETE, (score, cost))

    def fail(self, trial: int, reason: str, **attributes: Any) -> bool:
        """End a trial without values; False if somebody else has ended it before."""
        return self._end(trial, attributes | {"reason": reason}, TrialState.FAIL, None)

    def enqueue(
        self, params: Mapping[str, Any], free: Sequence[str] = (), **attributes: Any
    ) -> None:
        """Put a trial into the queue; what is not said stands at the centre.

        Args:
            params: values by name.
            free: names whose values may lie out of the space.
            attributes: of the trial.

        Raises:
            UsageError: a parameter is unknown or out of the space.
        """
        whole = self.space.centre | dict(params)
        for name, value in params.items():
            if name not in self.distributions:
                raise unknown(
                    "parameter of the sweep",
                    name,
                    self.distributions,
                    see=f"skipjack sweep best {self.name}",
                )
            kind = self.distributions[name]
            if name not in free and not _holds(kind, value):
                raise UsageError(
                    f"{name} must be within the sweep's space ({describe(self.space[name])}), but got "
                    f"{value!r}. A sweep with a wider space needs a name of its own (--name)."
                )
        waiting = create_trial(
            state=TrialState.WAITING,
            system_attrs={"fixed_params": whole},
            user_attrs=dict(attributes),
        )
        patiently(lambda: self.study.add_trial(waiting))

    def requeue(self, trial: FrozenTrial, reason: str, **attributes: Any) -> bool:
        """Fail a trial and put it into the queue again; False if somebody else has done so."""
        if not self.fail(trial.number, reason, **attributes):
            return False
        self.queue_again(trial)
        return True

    def queue_again(self, trial: FrozenTrial, tries: int = 0) -> None:
        """Put a failed trial into the queue, as a trial of its own that goes on with its run.

        Args:
            trial: the failed one.
            tries: how many of its retries that takes.
        """
        # What was in the queue has its values before it begins; what is drawn has them one by one.
        params = trial.system_attrs.get("fixed_params", {}) | trial.params
        if len(params) < len(self.distributions):
            return  # lost while it was drawn: nothing was decided, so there is nothing to do again
        kept: dict[str, Any] = {
            name: trial.user_attrs[name]
            for name in ("run", "seed", "limit", "promotes", "repeats", "origin")
            if name in trial.user_attrs
        }
        if REPEATS in trial.system_attrs:
            kept["repeats"] = trial.system_attrs[REPEATS]
        retries = int(trial.user_attrs.get("retries", 0))
        told = kept | {"retries": retries + tries, "retry_of": trial.number}
        self.enqueue(params, free=tuple(params), **told)  # a promoted one may lie out of the space

    def attribute(self, name: str) -> Any:
        """An attribute of the study; None if there is none."""
        return patiently(lambda: self.study.user_attrs).get(name)

    def set_attribute(self, name: str, value: Any) -> None:
        """Set an attribute of the study."""
        patiently(lambda: self.study.set_user_attr(name, value))

    def spent(self) -> float:
        """Seconds of all ended trials, start-up included."""
        return sum(float(each.user_attrs.get("wall", 0.0)) for each in self.trials())

    def seconds_left(self) -> float | None:
        """Seconds of the budget that are left; None without one."""
        return self.plan.budget - self.spent() if self.plan.budget else None

    def is_over(self) -> bool:
        """Whether the budget is spent or the trials are made; what is in the queue is run anyway."""
        trials = self.trials()
        if any(each.state == TrialState.WAITING for each in trials):
            return False
        counted = [each for each in trials if counts(each)]
        if self.plan.trials and len(counted) >= self.plan.trials:
            return True
        left = self.seconds_left()
        return left is not None and left < self.plan.cheapest

    def front(self, trials: Sequence[FrozenTrial] | None = None) -> list[FrozenTrial]:
        """Trials that no cheaper one is as good as, from the cheapest on.

        Repeats count as one trial at their mean; stopped ones are none of them.
        """
        return front(self.trials() if trials is None else trials)

    def least(self) -> Least:
        """Steps that a training makes at least, by what is searched: rows times horizon."""
        parts = tuple(n for n in ROLLOUT if n in self.space and not self.distributions[n].single())
        return self.plan.rollout / math.prod(self.space[name].centre for name in parts), parts

    @property
    def _store(self) -> Any:
        return self.study._storage

    def _id(self, trial: int) -> int:
        return patiently(
            lambda: self._store.get_trial_id_from_study_id_trial_number(self.study._study_id, trial)
        )

    def _end(
        self, trial: int, attributes: Mapping[str, Any], state: TrialState, values: Any
    ) -> bool:
        number = self._id(trial)

        def write() -> None:
            for name, value in attributes.items():
                self._store.set_trial_user_attr(number, name, value)
            self._store.set_trial_state_values(number, state, values)

        try:
            patiently(write)
        except GONE:
            # Ours, if the answer to our own word was lost with the connection.
            now = patiently(lambda: self._store.get_trial(number))
            return (
                now.state == state
                and "ended_by" in attributes
                and (now.user_attrs.get("ended_by") == attributes["ended_by"])
            )
        return True

    def _sampler(self) -> Any:
        plan = self.plan
        if plan.sampler == "tpe":
            return optuna.samplers.TPESampler(multivariate=False, constant_liar=True)
        if plan.sampler == "gp":
            return optuna.samplers.GPSampler()
        if plan.sampler == "nsga2":
            return optuna.samplers.NSGAIISampler(population_size=20)
        if plan.sampler == "random":
            return optuna.samplers.RandomSampler()
        scales = {part.name: part.scale for part in self.space.parameters if part.scale == "logit"}
        return CostSampler(
            self.distributions,
            scales=scales,
            knob=STEPS if STEPS in self.space else None,
            least=self.least(),
            centre=self.space.centre,
            cheapest=plan.cheapest,
            dearest=plan.dearest,
            cost_bias=plan.cost_bias,
            seed=plan.seed,
        )


def open_sweep(name: str, url: str) -> Sweep:
    """A sweep that there is.

    Raises:
        UsageError: there is none of this name.
        RunError: it is of a newer version, or no sweep.
    """
    if "://" not in url and not Path(url).exists():
        raise UsageError(
            f"There is no sweep {name!r} in {url!r}. Start one with: skipjack sweep ENV."
        )
    storage = connect(url)
    try:
        study = patiently(lambda: optuna.load_study(study_name=name, storage=storage))
    except KeyError:
        names = patiently(lambda: optuna.get_all_study_names(storage))
        raise unknown("sweep", name, names, see="optuna studies") from None
    text = patiently(lambda: study.user_attrs.get(PLAN))
    if text is None:
        raise RunError(f"The study {name!r} was not made by skipjack sweep. Name another one.")
    if (written := json.loads(text).get("format", 0)) > FORMAT:
        raise RunError(
            f"The sweep {name!r} has format {written}, but this version of Skipjack reads up to "
            f"{FORMAT}. Install a newer version."
        )
    return Sweep(name, url, study)


def plan_there(name: str, url: str) -> Plan | None:
    """The plan of a sweep that was begun; None if there is none, or a kill left nothing but its name.

    Raises:
        RunError: there is a study of this name, but it is no sweep.
    """
    if "://" not in url and not Path(url).exists():
        return None
    storage = connect(url)
    try:
        study = patiently(lambda: optuna.load_study(study_name=name, storage=storage))
    except KeyError:
        return None
    if patiently(lambda: study.user_attrs.get(PLAN)) is None and not patiently(
        lambda: study.get_trials(deepcopy=False)
    ):
        return None
    return open_sweep(name, url).plan


def create_or_resume(name: str, url: str, plan: Plan) -> Sweep:
    """The sweep of this name: a new one, or the one that is there if it searches the same.

    Raises:
        UsageError: it is there and is another one; the message says how they differ.
    """
    storage = connect(url)
    study = patiently(
        lambda: optuna.create_study(
            study_name=name,
            storage=storage,
            directions=["maximize", "minimize"],
            load_if_exists=True,
        )
    )
    text = patiently(lambda: study.user_attrs.get(PLAN))
    if text is None:
        patiently(lambda: study.set_metric_names(["score", "cost_s"]))
    else:
        plan = joined(name, Plan(**json.loads(text)), plan)
    written = json.dumps({f.name: getattr(plan, f.name) for f in dataclasses.fields(plan)})
    patiently(lambda: study.set_user_attr(PLAN, written))
    made = Sweep(name, url, study)
    if text is None and STEPS in made.space:
        made.enqueue(made.space.centre, origin="preset")
    return made


def distribution(part: Parameter) -> BaseDistribution:
    """A parameter as Optuna has it; logit stays linear there, our sampler knows better."""
    if part.values:
        return CategoricalDistribution(part.values)
    assert part.low is not None
    assert part.high is not None
    if part.whole:
        return IntDistribution(int(part.low), int(part.high), log=part.scale == "log")
    return FloatDistribution(part.low, part.high, log=part.scale == "log")


def describe(part: Parameter) -> str:
    """A parameter's range in words."""
    if part.values:
        return "one of " + ", ".join(map(str, part.values))
    return f"{part.low:g} to {part.high:g}"


def _holds(kind: BaseDistribution, value: Any) -> bool:
    try:
        return kind._contains(kind.to_internal_repr(value))
    except ValueError:  # none of its options, or no number
        return False
