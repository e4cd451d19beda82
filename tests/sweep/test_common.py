"""One preset for several environments: chosen by what was trained in all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState, create_trial

from skipjack.errors import UsageError
from skipjack.sweep.common import LIMIT, ORIGIN, Common
from skipjack.sweep.study import Sweep, create_or_resume
from tests.sweep.conftest import plan

RATE = "train.learning_rate"
BEST = {"left": 0.004, "right": 0.016}
ONLY = {"only": [RATE]}


def score(sweep: Sweep, params: dict[str, Any]) -> float:
    """Between 0.2, the random player's, and 1; the two have their best rates far from each other."""
    cost = params["train.steps"] / 1000
    return 0.2 + 0.8 * cost / (cost + 0.2) * (1 - (100 * (params[RATE] - BEST[sweep.name])) ** 2)


def told(sweep: Sweep, params: dict[str, Any]) -> dict[str, Any]:
    """A trial's values and what is known of it."""
    return {
        "values": (score(sweep, params), params["train.steps"] / 1000),
        "user_attrs": {"score_ci95": 0.001, "random": 0.2},
    }


def made(name: str, folder: Path, rates: dict[float, int], **more: Any) -> Sweep:
    """A sweep with one trial for each rate, of so many steps."""
    sweep = create_or_resume(name, str(folder / f"{name}.journal"), plan(**(ONLY | more)))
    sweep.fail(sweep.ask().number, "killed")  # the preset
    for rate, steps in rates.items():
        params = {"train.steps": steps, RATE: rate}
        sweep.study.add_trial(
            create_trial(params=params, distributions=sweep.distributions, **told(sweep, params))
        )
    return sweep


def run(sweep: Sweep) -> list[dict[str, Any]]:
    """End what is in the queue as it would end; gives what was known of it before."""
    found = []
    while any(trial.state == TrialState.WAITING for trial in sweep.trials()):
        number = sweep.ask().number
        trial = sweep.trial(number)
        found.append(trial.user_attrs | trial.params)
        sweep.succeed(number, score(sweep, trial.params), trial.params["train.steps"] / 1000)
    return found


@pytest.fixture
def pair(tmp_path: Path) -> list[Sweep]:
    """The rate in the middle leads nowhere but at a low cost, and is the best for both together."""
    others = {round(0.001 + 0.003 * i, 4): 250 + 10 * i for i in range(7)} | {
        0.0055: 200,
        0.0145: 200,
    }
    left = made("left", tmp_path, others | {0.0095: 150, 0.004: 900})
    return [left, made("right", tmp_path, others | {0.016: 700})]


def test_what_is_expected_to_be_best_is_trained_where_it_was_not(pair: list[Sweep]) -> None:
    common = Common(pair)
    assert [side.own.params[RATE] for side in common.sides] == [0.004, 0.016]
    assert common.measured() == []  # nothing was trained in both at their costs
    assert common.queue(1) == 2
    assert Common(pair).queue(1) == 0  # it is in the queue already
    for sweep, cost in zip(pair, (0.9, 0.7), strict=True):
        (trial,) = run(sweep)
        assert trial[RATE] == 0.0095
        assert trial["origin"] == ORIGIN
        assert trial["limit"] == pytest.approx(LIMIT * cost)
        assert trial["train.steps"] == pytest.approx(1000 * cost, rel=0.15)
    first = Common(pair).measured()[0]
    assert first.settings == {RATE: 0.0095}
    assert first.normalised == pytest.approx((0.7, 0.58), abs=0.05)
    assert first.mean == pytest.approx(sum(first.normalised) / 2)
    assert Common(pair).queue(3) == 0


def test_what_was_trained_decides_not_what_was_expected(pair: list[Sweep]) -> None:
    assert Common(pair).queue(1) == 2
    for sweep in pair:
        number = sweep.ask().number
        sweep.succeed(number, 0.3, sweep.trial(number).params["train.steps"] / 1000)
    worst = Common(pair).measured()
    assert [each.settings[RATE] for each in worst] == [0.0095]
    assert Common(pair).queue(1) > 0
    for sweep in pair:
        run(sweep)
    better, *_, last = Common(pair).measured()
    assert better.settings[RATE] != 0.0095
    assert last.settings[RATE] == 0.0095
    assert better.mean > last.mean


def test_settings_that_fail_in_one_environment_are_no_preset_for_all(pair: list[Sweep]) -> None:
    assert Common(pair).queue(1) == 2
    left, right = pair
    run(left)
    right.fail(right.ask().number, "nan")
    assert Common(pair).measured() == []
    Common(pair).queue(1)
    waiting = [t for t in right.trials() if t.state == TrialState.WAITING]
    assert all(trial.system_attrs["fixed_params"][RATE] != 0.0095 for trial in waiting)


def test_a_setting_of_one_sweep_alone_is_not_shared(tmp_path: Path, pair: list[Sweep]) -> None:
    more = {"only": [RATE, "policy.layers"]}
    other = create_or_resume("other", str(tmp_path / "other.journal"), plan(**more))
    for layers in (2, other.space.centre["policy.layers"]):
        params = {"train.steps": 900, RATE: 0.004, "policy.layers": layers}
        values = {"values": (0.5 + 0.1 * layers, 0.9), "user_attrs": {}}
        other.study.add_trial(
            create_trial(params=params, distributions=other.distributions, **values)
        )
    common = Common([pair[0], other])
    assert set(common.shared) == {RATE}
    (one,) = common.measured()
    # The preset has one layer; who has two says nothing of the preset that is shared.
    assert one.scores[1] == pytest.approx(0.6)


def test_sweeps_with_nothing_in_common_are_told(tmp_path: Path, pair: list[Sweep]) -> None:
    (tmp_path / "other").mkdir()
    other = made("left", tmp_path / "other", {}, only=["policy.layers"])
    with pytest.raises(UsageError, match="must search some setting in common"):
        Common([pair[0], other])


def test_a_sweep_without_a_score_is_told(tmp_path: Path, pair: list[Sweep]) -> None:
    with pytest.raises(UsageError, match="'right' has no finished trial"):
        Common([pair[1], pair[0]], cap=0.01)
