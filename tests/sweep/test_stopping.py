"""Early stop: by equal cost, late enough, and only of what cannot reach the front."""

from __future__ import annotations

from pathlib import Path

import pytest
from optuna.trial import create_trial

from skipjack.sweep.stopping import at, curve_of, verdict
from tests.sweep.conftest import Make, worker


def line(final: float, end: float = 10.0) -> list[list[float]]:
    """A score that rises evenly with cost."""
    return [[end * i / 10, final * i / 10, i] for i in range(1, 11)]


OTHERS = [line(final / 10) for final in range(1, 11)]
FRONT = [(5.0, 0.5), (10.0, 1.0)]


@pytest.mark.parametrize(
    ("curve", "planned", "others", "stops"),
    [
        (line(0.05)[:5], 10.0, OTHERS, True),
        (line(0.05)[:2], 10.0, OTHERS, False),  # too early
        (line(0.6)[:5], 10.0, OTHERS, False),  # not behind
        (line(0.05)[:5], 10.0, OTHERS[:5], False),  # too few to compare with
        (line(0.05)[:5], 10.0, [*OTHERS, [[4.0, 0.0, 1], [10.0, 1.0, 2]]], False),  # a late riser was seen
    ],
)  # fmt: skip
def test_who_is_stopped(
    curve: list[list[float]], planned: float, others: list[list[list[float]]], stops: bool
) -> None:
    told = verdict(curve, planned, others, FRONT)
    assert bool(told) == stops
    if stops:
        assert "At 5.0 s its score of 0.025 was below" in told
        assert told.endswith("1.000.")


def test_scores_are_compared_at_equal_cost_not_at_equal_steps() -> None:
    """The same curve, from trials that take ten times as long: at 5 s they are no better."""
    slow = [line(final / 10, end=100.0) for final in range(1, 11)]
    assert at(slow[-1], 5.0) == 0.1
    assert not verdict(line(0.4)[:5], 10.0, slow, FRONT)


def test_curves_have_whole_episodes_and_the_machines_speed() -> None:
    rows = [
        {"seconds": float(i), "steps": 10 * i, "episodes": 10, "episodes/score": i / 100}
        for i in range(1, 101)
    ]
    found = curve_of(rows, "score", factor=2.0, points=8)
    assert found[0] == pytest.approx([4.0, 0.015, 20])  # two updates of ten episodes
    assert found[-1] == pytest.approx([200.0, 0.995, 1000])
    assert len(found) <= 8
    assert curve_of([{"seconds": 1.0, "steps": 1, "episodes": 0}], "score", 1.0) == []


def test_ratings_belong_to_their_checkpoints_and_count_as_rated_last() -> None:
    rows = [
        {"update": i, "steps": 10 * i, "seconds": float(i), "episodes": 50} for i in range(1, 7)
    ]
    rows[2] |= {"rating/checkpoint": 10.0, "rating/elo": -20.0}
    rows[3] |= {"rating/checkpoint": 10.0, "rating/elo": 5.0}
    rows[5] |= {"rating/checkpoint": 40.0, "rating/elo": 80.0}
    curve = curve_of(rows, "rating", 0.5)
    assert curve == [[0.5, 5.0, 10.0], [2.0, 80.0, 40.0]]


def test_a_trial_that_cannot_reach_the_front_is_stopped_unless_it_was_asked_for(
    make: Make, tmp_path: Path
) -> None:
    """Eight others had 0.95 from the start; a rate of 0.019 comes to 0.73 at most."""
    sweep = make(trials=11, dearest=5.0, file={"train": {"steps": [100, 5000]}})
    sweep.ask()
    sweep.fail(0, "by hand")
    curve = [[0.1, 0.95, 100], [5.0, 0.95, 5000]]
    values = {"train.steps": 5000, "train.learning_rate": 0.01, "policy.layers": 1}
    for _ in range(8):
        sweep.study.add_trial(
            create_trial(
                params=values, distributions=sweep.distributions, values=(0.95, 5.0),
                user_attrs={"curve": curve},
            )
        )  # fmt: skip
    slow = {"train.steps": 5000, "train.learning_rate": 0.019}
    sweep.enqueue(slow)
    sweep.enqueue(slow, limit=4.0)
    worker(sweep, tmp_path).run()
    stopped, asked = sweep.trials()[-2:]
    assert stopped.user_attrs["stopped"]
    assert "its score of" in stopped.user_attrs["why"]
    assert 1.5 <= stopped.values[1] < 5.0
    assert stopped.values[0] == stopped.user_attrs["curve"][-1][1]
    assert "stopped" not in asked.user_attrs
    assert asked.values[1] == pytest.approx(4.0, abs=0.2)
