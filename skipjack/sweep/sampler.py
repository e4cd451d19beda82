"""The cost-aware sampler: first how much to spend, then what is best for that.

For every trial a cost is drawn from an even sequence over log cost, which grows past the dearest trial
so far up to a hard cap. Candidates are moved to that cost along the knob (`train.steps`), with a model
of speed, and the one is taken that most probably beats the best known at that cost. CARBS (Fetterman
et al. 2023) reaches a cost only by lucky steps from cheaper trials; here it is chosen.

Nothing is kept but what the study says: any number of processes may draw from it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.search_space import IntersectionSearchSpace
from optuna.trial import FrozenTrial, TrialState

from skipjack import seeding
from skipjack.errors import must
from skipjack.sweep import gp
from skipjack.sweep.encode import Cube
from skipjack.sweep.gp import Array
from skipjack.sweep.model import NONE, CostModel, FailureModel, History, Least, ScoreModel

if TYPE_CHECKING:
    from optuna.study import Study

REPEATS = "skipjack:repeats"
"""Attribute of a trial that runs another one's parameters again: that one's number."""
AIM = "skipjack:aim"
"""Attribute of a trial: the cost in seconds that it was meant to have."""

NOT_LEARNED = ("lost", "killed", "stopped", "duplicate", "surplus", "disk", "by hand", "unrated")
"""Reasons of a failure (user attribute `reason`) that say nothing of the parameters."""

CLIMB = 5
"""Every so many trials the dearest cost is aimed at, until a tenth of the cap has been reached."""

BOLD = 2.0
"""Deviations that every fourth trial adds to the expected score: where scores are noisy, improvement alone
stays with its first leader."""

ODDS, SAFE = 0.75, 0.95
"""Probability of going through below which a candidate is all but out: the first if nothing has failed yet;
it rises with the share of failures, up to the second."""

GROWTH = 0.5 * np.log(10)
"""How far past the dearest trial a cost may lie, in log."""


class CostSampler(BaseSampler):
    """For a study of two objectives, a score and a cost.

    Args:
        space: what to search; by default what all finished trials have in common.
        scales: "logit" for parameters that Optuna has no scale for, by name.
        knob: the parameter that buys score with cost; None if there is none.
        least: what a trial makes of the knob's unit however low it stands, as a number times the values of
            these parameters: a training makes one rollout at least.
        centre: where to begin; the middle of the space by default.
        cheapest, dearest: costs between which is searched; by default the cheapest so far, and no cap.
        cost_bias: 0 spends evenly over log cost, so that most goes to dear trials; 1 spends as much on
            each decade of cost.
        repeats: share of trials that may run a leader again, where that could change who leads.
        seed: of all that is drawn.
        score, cost: indices of the two objectives.
    """

    START = 4
    """Trials around the centre before models say anything."""

    def __init__(
        self,
        space: Mapping[str, BaseDistribution] | None = None,
        *,
        scales: Mapping[str, str] | None = None,
        knob: str | None = None,
        least: Least = NONE,
        centre: Mapping[str, Any] | None = None,
        cheapest: float | None = None,
        dearest: float | None = None,
        cost_bias: float = 0.15,
        repeats: float = 0.1,
        seed: int = 0,
        score: int = 0,
        cost: int = 1,
    ) -> None:
        self.space, self.scales, self.knob, self.least = space, scales, knob, least
        self.centre, self.cheapest, self.dearest = centre, cheapest, dearest
        self.cost_bias, self.repeats, self.seed = cost_bias, repeats, seed
        self.score, self.cost = score, cost
        self._independent = optuna.samplers.RandomSampler(seed=seed)
        self._common = IntersectionSearchSpace()
        self._hyper: gp.Hyper | None = (
            None  # where the next fit begins: time is saved, nothing else
        )

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """What is searched together: all of the space."""
        found = dict(self.space) if self.space is not None else self._common.calculate(study)
        return {name: each for name, each in found.items() if not each.single()}

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """A parameter that is not searched with the others."""
        if self.centre is not None and param_name in self.centre:
            return self.centre[param_name]
        return self._independent.sample_independent(study, trial, param_name, param_distribution)

    def reseed_rng(self) -> None:
        """Nothing to do: what is drawn depends on the trial's number."""

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The parameters of the next trial.

        Raises:
            UsageError: the study has not both objectives.
        """
        if len(study.directions) <= max(self.score, self.cost):
            raise must("the study must have a score and a cost", objectives=len(study.directions))
        if not search_space:
            return {}
        cube = Cube(search_space, self.scales)
        trials = study.get_trials(deepcopy=False)
        history = self.history(study, trials, trial.number, cube)
        random = np.random.default_rng(seeding.state(self.seed, "sweep", trial.number))
        if (leader := self._to_repeat(study, history, trial.number, cube)) is not None:
            _mark(study, trial, REPEATS, leader.number)
            return {name: leader.params[name] for name in cube.names}
        taken = len(history.score) + len(history.running) + len(history.failed)
        if not taken and self.centre is not None:
            return {name: self.centre[name] for name in cube.names}
        if len(history.score) < 2:
            return cube.decode(self._near(self._middle(cube), cube, random))
        cost_model = CostModel(cube, history, self.knob, self.least)
        aim = self._aim(history, cost_model, trial.number)
        _mark(study, trial, AIM, float(np.exp(aim)))
        if len(history.score) < self.START:
            near = self._near(self._middle(cube), cube, random)
            return cube.decode(cost_model.project(near[None], aim)[0])
        return cube.decode(
            self._best(cube, history.thinned(), cost_model, aim, random, trial.number)
        )

    def history(
        self, study: Study, trials: Sequence[FrozenTrial], number: int, cube: Cube
    ) -> History:
        """What trials say to the models: all that have every parameter of the space but one number's."""
        sign = self._sign(study)
        done, failed, running = [], [], []
        for each in trials:
            if each.number == number or not all(name in each.params for name in cube.names):
                continue
            point = self._point(each, cube)
            if point is None:
                continue
            if each.state == TrialState.COMPLETE:
                deviation = float(each.user_attrs.get("score_ci95") or 0.0) / 1.96
                # Cut short of the end of its schedule: it says less of a whole trial.
                deviation += 0.05 if each.user_attrs.get("stopped") else 0.0
                score = sign * each.values[self.score]
                done.append((point, score, each.values[self.cost], deviation**2))
            elif each.state == TrialState.FAIL:
                if each.user_attrs.get("reason", "") not in NOT_LEARNED:
                    failed.append(point)
            elif each.state == TrialState.RUNNING:
                running.append(point)
        empty = np.zeros((0, len(cube)))
        x, score, cost, noise = map(list, zip(*done, strict=True)) if done else ([], [], [], [])
        return History(
            np.array(x) if x else empty,
            np.array(score, dtype=np.float64),
            np.maximum(np.array(cost, dtype=np.float64), 1e-9),
            np.array(noise, dtype=np.float64),
            np.array(failed) if failed else empty,
            np.array(running) if running else empty,
        )

    def _point(self, trial: FrozenTrial, cube: Cube) -> Array | None:
        """A trial in the cube, at the steps that it really made; None if it lies outside.

        They are more than were asked for where a rollout is longer, and fewer where a limit of seconds or an
        early stop came first: by those asked for, its speed would be told wrong.
        """
        params = dict(trial.params)
        made = trial.user_attrs.get("steps")
        if self.knob is not None and made:
            params[self.knob] = made
        try:
            point = cube.encode(params)
        except ValueError:  # an option that is none any more
            return None
        return point if np.all((point > -0.2) & (point < 1.2)) else None

    def _near(self, point: Array, cube: Cube, random: np.random.Generator) -> Array:
        """Something near a point, while no model can tell what is better."""
        return cube.snap(self._around(point[None], 1, 0.15, 0.4, random))[0]

    def _middle(self, cube: Cube) -> Array:
        known = self.centre or {}
        if all(name in known for name in cube.names):
            return cube.snap(cube.encode(known)[None])[0]
        return np.full(len(cube), 0.5)

    def _aim(self, history: History, model: CostModel, number: int) -> float:
        """The log cost for the trial with this number."""
        seen = np.log(history.cost)
        low = float(seen.min()) if self.cheapest is None else float(np.log(self.cheapest))
        high = float(seen.max())
        if len(history.running):
            high = max(high, float(model.log_cost(history.running).max()))
        high += GROWTH
        if self.dearest is not None:
            high = min(high, float(np.log(self.dearest)))
        low = min(low, high)
        climbs = self.dearest is not None and high - GROWTH < np.log(self.dearest / 10)
        if climbs and number % CLIMB == CLIMB - 1:
            return high  # nobody knows yet what long trials are worth
        share, bias = even(number), self.cost_bias
        if bias <= 0:
            return low + share * (high - low)
        near, far = 1.0, float(np.exp(-bias * (high - low)))
        return low - float(np.log(near - share * (near - far))) / bias

    def _best(
        self,
        cube: Cube,
        history: History,
        cost: CostModel,
        aim: float,
        random: np.random.Generator,
        number: int,
    ) -> Array:
        """The candidate that is the most likely to beat what is known at this cost."""
        scores = ScoreModel(cube, history, self._hyper)
        self._hyper = scores.hyper
        failures = FailureModel(cube, history)
        known, _ = scores.predict(history.x)
        below = np.log(history.cost) <= aim + 0.2
        best = float(known[below].max()) if below.any() else float(known.min())
        bold = number % 4 == 3
        cap = np.inf if self.dearest is None else np.log(self.dearest) + 0.1
        failing = len(history.failed) / (len(history.failed) + len(history.score))
        odds = min(ODDS + failing, SAFE)

        def worth(points: Array) -> Array:
            mean, deviation = scores.predict(points)
            logs = cost.log_cost(points)
            if bold:
                found = (mean + BOLD * deviation - best) / scores.scale
            else:
                found = log_improvement((mean - best) / deviation) + np.log(deviation)
            # What the ends of the knob keep from the aimed cost says nothing of it.
            off = np.abs(logs - aim)
            success = failures.log_success(points)
            # The best often lies at the border of what fails: gamble with good odds only.
            found = found + success - 20 * np.maximum(odds - np.exp(success), 0)
            return found - 2 * off - 50 * np.maximum(logs - cap, 0)

        bases = self._bases(cube, history, known, aim)
        wide = [
            self._around(bases, 24, 0.2, 0.3, random),
            self._around(bases, 16, 0.05, 0.5, random),
        ]
        wide += [bases, random.random((128, len(cube)))]
        points = cube.snap(cost.project(cube.snap(np.concatenate(wide)), aim))
        values = worth(points)
        for radius in (0.1, 0.03):
            top = points[np.argsort(-values)[:12]]
            more = self._around(top, 24, radius, 0.3, random)
            more = cube.snap(cost.project(cube.snap(more), aim))
            points, values = np.concatenate([top, more]), worth(np.concatenate([top, more]))
        return points[int(np.argmax(values))]

    def _bases(self, cube: Cube, history: History, known: Array, aim: float) -> Array:
        """Where candidates start: the best by the model, dearer and cheaper ones, and the centre."""
        level = known - 0.1 * known.std() * np.abs(np.log(history.cost) - aim)
        best = history.x[np.argsort(-level)[:8]]
        order = np.argsort(history.cost)
        front = np.maximum.accumulate(known[order])
        leaders = history.x[order[known[order] >= front]][-8:]
        return np.concatenate([best, leaders, self._middle(cube)[None]])

    def _around(
        self, bases: Array, count: int, radius: float, share: float, random: np.random.Generator
    ) -> Array:
        """`count` points around each base: some coordinates moved a little, few far."""
        points = np.repeat(bases, count, axis=0)
        moved = random.random(points.shape) < share
        moved[np.arange(len(points)), random.integers(points.shape[1], size=len(points))] = True
        step = radius * random.standard_normal(points.shape)
        far = random.random(points.shape) < 0.1
        points = np.where(moved, points + step, points)
        return np.where(moved & far, random.random(points.shape), points)

    def _to_repeat(
        self, study: Study, history: History, number: int, cube: Cube
    ) -> FrozenTrial | None:
        """A leader whose lead rests on its one score: by all others it is no better than the next.

        None if there is none, or no repeat is due.
        """
        every = max(2, round(1 / self.repeats)) if self.repeats > 0 else 0
        if not every or number < 2 * every or number % every or len(history.score) < 8:
            return None
        counts: dict[tuple[Any, ...], int] = {}
        done = []
        for trial in study.get_trials(deepcopy=False):
            if not all(name in trial.params for name in cube.names):
                continue
            key = tuple(trial.params[name] for name in cube.names)
            counts[key] = counts.get(key, 0) + 1
            whole = trial.state == TrialState.COMPLETE and not trial.user_attrs.get("stopped")
            if whole and self._can_repeat(trial, cube):
                done.append((self._sign(study) * trial.values[self.score], key, trial))
        leaders = sorted(done, key=lambda each: -each[0])[:4]
        model = ScoreModel(cube, history, self._hyper)
        for (_, key, trial), (after, *_) in itertools.pairwise(leaders):
            if counts[key] == 1 and model.without(cube.encode(trial.params)) < after:
                return trial
        return None

    def _can_repeat(self, trial: FrozenTrial, cube: Cube) -> bool:
        """Not one that was promoted out of the space, nor one that would be cut short of what it cost."""
        cap = np.inf if self.dearest is None else 1.1 * self.dearest
        inside = all(
            each._contains(each.to_internal_repr(trial.params[name]))
            for name, each in cube.distributions.items()
        )
        return inside and trial.values[self.cost] <= cap

    def _sign(self, study: Study) -> int:
        return 1 if study.directions[self.score] == optuna.study.StudyDirection.MAXIMIZE else -1


def even(number: int) -> float:
    """The van der Corput sequence: numbers in (0, 1) that fill it evenly in any order of asking."""
    share, digit = 0.0, 0.5
    number += 1
    while number:
        share += digit * (number & 1)
        number >>= 1
        digit /= 2
    return share


def log_improvement(z: Array) -> Array:
    """log(phi(z) + z Phi(z)): the expected improvement in deviations (Ament et al. 2023)."""
    from scipy.special import erfcx, log_ndtr

    log_density = -0.5 * z**2 - 0.9189385332046727
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        near = np.log(np.maximum(np.exp(log_density) + z * np.exp(log_ndtr(z)), 1e-300))
        # phi(z) (1 + z Phi(z) / phi(z)), where the bracket loses all its digits far below 0.
        ratio = 1 + z * np.sqrt(np.pi / 2) * erfcx(-z / np.sqrt(2))
        far = log_density + np.log(np.maximum(ratio, 1e-12))
        farthest = log_density - 2 * np.log(np.maximum(-z, 1.0))
    return np.where(z > -1, near, np.where(z > -50, far, farthest))


def _mark(study: Study, trial: FrozenTrial, name: str, value: Any) -> None:
    """An attribute of the trial that is being drawn."""
    study._storage.set_trial_system_attr(trial._trial_id, name, value)
