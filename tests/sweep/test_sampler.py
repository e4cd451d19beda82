"""The sampler: costs as aimed, from the study alone, away from failures, sure of its leaders."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from skipjack.errors import UsageError
from skipjack.sweep.encode import Cube
from skipjack.sweep.model import CostModel, History
from skipjack.sweep.sampler import AIM, GROWTH, REPEATS, CostSampler, even, log_improvement

SPACE = {
    "steps": IntDistribution(1_000, 100_000_000, log=True),
    "rate": FloatDistribution(1e-4, 1e-1, log=True),
    "discount": FloatDistribution(0.8, 0.9999),
    "width": CategoricalDistribution([32, 64, 128]),
    "memory": CategoricalDistribution(["none", "gru", "lstm"]),
}
CENTRE = {"steps": 100_000, "rate": 1e-3, "discount": 0.99, "width": 64, "memory": "none"}
SPEED = {32: 20_000, 64: 10_000, 128: 5_000}


def sampler(**more: Any) -> CostSampler:
    usual: dict[str, Any] = {"knob": "steps", "centre": CENTRE, "scales": {"discount": "logit"}}
    return CostSampler(SPACE, **(usual | {"cheapest": 1.0, "dearest": 1000.0, "seed": 3} | more))


def cost(params: dict[str, Any]) -> float:
    return params["steps"] / SPEED[params["width"]]


def score(params: dict[str, Any]) -> float:
    far = (math.log10(params["rate"]) + 2.5) ** 2 + (params["memory"] != "gru")
    return math.exp(-far / 2) * (1 - math.exp(-math.log1p(cost(params)) / 3))


def play(
    study: optuna.Study,
    trials: int,
    value: Callable[[dict[str, Any]], tuple[float, float] | None] = lambda p: (score(p), cost(p)),
) -> None:
    for _ in range(trials):
        trial = study.ask(SPACE)
        values = value(trial.params)
        if values is None:
            trial.set_user_attr("reason", "nan")
            study.tell(trial, state=TrialState.FAIL)
        else:
            study.tell(trial, values)


def test_a_rollout_that_costs_more_than_the_aim_is_not_taken_for_it() -> None:
    """However few steps are asked for, a training makes one rollout: of envs times horizon here."""
    space = SPACE | {
        "envs": CategoricalDistribution([16, 64, 256, 1024, 4096, 16384]),
        "horizon": CategoricalDistribution([8, 16, 32, 64, 128, 256]),
    }
    centre = CENTRE | {"envs": 64, "horizon": 16}

    def worst(least: tuple[float, tuple[str, ...]]) -> float:
        made = CostSampler(
            space, knob="steps", least=least, centre=centre, cheapest=1.0, dearest=1000.0, seed=3
        )
        study = optuna.create_study(directions=["maximize", "minimize"], sampler=made)
        found = []
        for _ in range(40):
            trial = study.ask(space)
            params = trial.params
            made_steps = max(params["steps"], params["envs"] * params["horizon"])
            took = made_steps / SPEED[params["width"]]
            trial.set_user_attr("steps", made_steps)
            study.tell(trial, (score(params), took))
            found.append(took / study.trials[-1].system_attrs.get(AIM, took))
        return max(found)

    assert worst((1.0, ("envs", "horizon"))) < 5
    assert worst((0.0, ())) > 50


def test_a_trial_counts_at_the_steps_that_it_made() -> None:
    """Cut by a limit of seconds at a tenth of its steps: it was slow, not fast."""
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler())
    trial = study.ask(SPACE)
    trial.set_user_attr("steps", 10_000)
    study.tell(trial, (0.5, 1.0))
    cube = Cube(SPACE, {"discount": "logit"})
    history = study.sampler.history(study, study.trials, -1, cube)
    assert np.exp(cube.log_of("steps", history.x)) == pytest.approx([10_000])


def study(one: CostSampler | None = None, up: str = "maximize") -> optuna.Study:
    return optuna.create_study(directions=[up, "minimize"], sampler=one or sampler())


@pytest.fixture(scope="module")
def played() -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    made = study()
    play(made, 40)
    return made


def test_the_centre_comes_first_then_costs_as_aimed(played: optuna.Study) -> None:
    first, *rest = played.trials
    assert first.params == CENTRE
    gaps = [
        abs(math.log(trial.values[1] / trial.system_attrs[AIM]))
        for trial in rest[8:]
        if AIM in trial.system_attrs
    ]
    assert len(gaps) > 20
    assert np.median(gaps) < 0.1


def test_costs_fill_the_range_and_keep_below_the_cap(played: optuna.Study) -> None:
    costs = np.array([trial.values[1] for trial in played.trials])
    assert costs.max() < 1000 * 1.2
    assert all(((costs >= low) & (costs < 10 * low)).sum() >= 5 for low in (1, 10, 100))
    assert next(i for i, c in enumerate(costs) if c > 100) <= 25


def test_a_cost_grows_past_the_dearest_by_a_step_at_most() -> None:
    made = study(sampler(dearest=None))
    play(made, 30)
    costs = [trial.values[1] for trial in made.trials]
    aims = [trial.system_attrs.get(AIM, 0.0) for trial in made.trials]
    assert max(costs) > 10 * costs[0]
    for i in range(2, 30):
        assert aims[i] <= max(costs[:i]) * math.exp(GROWTH) * 1.0001


def test_it_finds_what_is_good(played: optuna.Study) -> None:
    best = max(played.trials, key=lambda trial: trial.values[0]).params
    assert best["memory"] == "gru"
    assert 1e-3 < best["rate"] < 1e-2


def test_scores_may_be_minimised() -> None:
    made = study(up="minimize")
    play(made, 40, lambda p: (-score(p), cost(p)))
    assert min(made.trials, key=lambda trial: trial.values[0]).params["memory"] == "gru"


def test_the_study_alone_says_what_comes_next(played: optuna.Study) -> None:
    """Two processes that read the same study are of one mind; those with other seeds are not."""

    def next_of(seed: int) -> list[dict[str, Any]]:
        copy = study(sampler(seed=seed))
        copy.add_trials(played.trials)
        return [copy.ask(SPACE).params for _ in range(3)]

    assert next_of(3) == next_of(3) != next_of(4)


def test_trials_under_way_are_not_proposed_again(played: optuna.Study) -> None:
    copy = study()
    copy.add_trials(played.trials)
    cube = Cube(SPACE, {"discount": "logit"})
    points = [cube.encode(copy.ask(SPACE).params) for _ in range(6)]
    for i, a in enumerate(points):
        assert all(np.abs(a - b).max() > 0.02 for b in points[:i])


def test_what_fails_is_left_alone() -> None:
    """Though the best scores lie behind the border: more than half of the range fails, few trials do."""
    made = study()
    play(made, 60, lambda p: None if p["rate"] > 2e-3 else (score(p), cost(p)))
    failed = [trial.state == TrialState.FAIL for trial in made.trials]
    assert 0 < sum(failed) <= 15
    assert sum(failed[30:]) <= 7


def test_failures_that_say_nothing_are_not_learned_from(played: optuna.Study) -> None:
    def history(reason: str) -> int:
        copy = study()
        copy.add_trials(played.trials)
        trial = copy.ask(SPACE)
        trial.set_user_attr("reason", reason)
        copy.tell(trial, state=TrialState.FAIL)
        cube = Cube(SPACE)
        return len(sampler().history(copy, copy.trials, -1, cube).failed)

    assert history("oom") == history("") == 1
    assert history("lost") == history("killed") == 0


def test_a_lucky_leader_is_run_again_and_marked() -> None:
    """Every tenth trial at most; the mean of both is below the lucky one."""
    made = study()
    play(made, 19)
    lucky = made.ask(SPACE)
    number = lucky.number
    made.tell(lucky, (score(lucky.params) + 0.8, cost(lucky.params)))
    again = made.ask(SPACE)
    assert made.trials[-1].system_attrs[REPEATS] == number
    assert again.params == lucky.params
    made.tell(again, (score(again.params), cost(again.params)))
    made.ask(SPACE)
    assert REPEATS not in made.trials[-1].system_attrs


def test_only_what_can_be_run_again_whole_is_repeated() -> None:
    """Neither a trial that was promoted out of the space nor one that costs more than is left."""
    one, cube = sampler(dearest=1000.0), Cube(SPACE)

    def can(value: float, **params: Any) -> bool:
        space = SPACE | {"steps": IntDistribution(1_000, 10**12, log=True)}
        trial = create_trial(params=CENTRE | params, distributions=space, values=(0.5, value))
        return one._can_repeat(trial, cube)

    assert can(1000.0)
    assert not can(1000.0, steps=10**9)
    one.dearest = 100.0
    assert not can(1000.0)


def test_a_bias_moves_the_aim_and_the_cap_ends_it() -> None:
    history = History(
        np.full((2, 5), 0.5),
        np.zeros(2),
        np.array([1.0, 900.0]),
        np.zeros(2),
        *[np.zeros((0, 5))] * 2,
    )
    cube = Cube(SPACE)
    model = CostModel(cube, history, "steps")

    def aims(**more: Any) -> Any:
        one = sampler(**more)
        return np.exp([one._aim(history, model, number) for number in range(64)])

    flat, even_spend = aims(cost_bias=0.0), aims(cost_bias=1.0)
    assert np.median(flat) == pytest.approx(1000**0.5, rel=0.2)
    assert np.median(even_spend) == pytest.approx(2.0, rel=0.2)  # 1 + 1 / median cost
    assert max(flat.max(), even_spend.max()) <= 1000
    assert aims(dearest=20.0).max() <= 20


def test_a_study_without_cost_is_refused() -> None:
    with pytest.raises(UsageError, match="a score and a cost"):
        optuna.create_study(sampler=sampler()).ask(SPACE)


def test_points_stand_for_values_and_back() -> None:
    cube = Cube(SPACE, {"discount": "logit"})
    random = np.random.default_rng(0)
    points = cube.snap(random.random((200, len(cube))))
    for point in points:
        params = cube.decode(point)
        assert np.allclose(cube.encode(params), point, atol=1e-6)
        assert all(
            SPACE[name]._contains(SPACE[name].to_internal_repr(v)) for name, v in params.items()
        )
    # The three memories are as far from each other, widths stand in order.
    a, b, c = cube.features(
        cube.snap(np.array([[0.5, 0.5, 0.5, 0.5, at] for at in (0.1, 0.5, 0.9)]))
    )
    assert np.isclose(np.linalg.norm(a - b), np.linalg.norm(a - c))
    assert cube.features(points).shape[1] == 4 + 3


def test_even_numbers_fill_every_eighth() -> None:
    for begin in (0, 7, 100):
        eighths = {int(8 * even(number)) for number in range(begin, begin + 16)}
        assert eighths == set(range(8))


def test_improvement_is_exact_where_it_is_tiny() -> None:
    z = np.array([-30.0, -6.0, -1.5, 0.0, 2.0])
    found = log_improvement(z)
    assert np.isclose(found[3], math.log(0.3989422804))
    assert np.isclose(found[4], math.log(2.0084907), atol=1e-6)
    assert np.isclose(found[1], math.log(1.56354e-10), atol=1e-4)
    assert np.isclose(found[0], -450 - 0.918939 - 2 * math.log(30), atol=0.01)
    assert np.all(np.diff(found) > 0)


def test_nothing_heavy_is_loaded() -> None:
    code = (
        "import sys, json, skipjack.sweep.sampler, skipjack.sweep.worker, skipjack.sweep.report;"
        "print(json.dumps(sorted({'torch', 'gymnasium', 'skipjack.run'} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
