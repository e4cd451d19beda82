"""What tune compares, what it takes as a gain, and what it writes; speeds and clock are made up."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skipjack import config as settings
from skipjack.bench import tune
from skipjack.bench.tune import Candidate, Speed, Stage
from skipjack.errors import UsageError
from skipjack.run.config import configure


class Machine:
    """Four cores whose speeds are known; a slice takes `cost` seconds of its clock."""

    def __init__(self, training: Callable[[Any], float], cost: float = 1.0) -> None:
        self.training, self.cost, self.now = training, cost, 0.0
        self.asked: list[tuple[Any, float]] = []

    def clock(self) -> float:
        return self.now

    def measure(self, configured: Any, seconds: float) -> Speed:
        vector = configured.config.vector
        self.asked.append((vector, seconds))
        self.now += self.cost
        training = self.training(vector)
        return Speed(10 * training, training)


@pytest.fixture(autouse=True)
def four_cores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tune, "cores", lambda: 4)
    monkeypatch.setenv("SKIPJACK_MACHINE", str(tmp_path / "deep" / "machine.toml"))


def tuned(machine: Machine, name: str = "cartpole", seconds: float = 60, **flags: Any) -> Any:
    chosen = {f"vector.{key}": value for key, value in flags.items()}
    return tune.tune(configure(name, flags=chosen), seconds, machine.measure, machine.clock)


def stage(*speeds: list[float]) -> Stage:
    slices = [[Speed(0.0, speed) for speed in row] for row in speeds]
    return Stage([Candidate({"vector.threads": i}, part) for i, part in enumerate(slices)])


@pytest.mark.parametrize(
    ("speeds", "best"),
    [
        ([[100, 100, 100], [110, 110, 110]], 1),
        ([[100, 100, 100], [102, 102, 102]], 0),  # not worth it
        ([[100, 100, 100], [150, 80, 110]], 0),  # within the noise
        ([[100, 50, 25], [120, 60, 30]], 1),  # the machine slows down, for both alike
        ([[100, 100, 100], [110, 110, 110], [130, 130, 130], [120, 120, 120]], 2),
        ([[100], [200]], 0),  # one round says nothing of the noise
        ([[100, 100, 100], []], 0),
    ],
)
def test_a_gain_is_one_beyond_the_noise(speeds: list[list[float]], best: int) -> None:
    found = stage(*speeds)
    assert found.best is found.candidates[best]


def test_games_are_tuned_in_threads_then_envs_and_groups() -> None:
    machine = Machine(lambda v: 100 + 20 * (v.threads == 2) + 50 * (v.num_envs == 512))
    found = tuned(machine, num_envs=256, threads=4)
    first, second = found.stages
    assert [c.values for c in first.candidates] == [{"vector.threads": n} for n in (4, 1, 2)]
    assert found.machine == {"vector.threads": 2}
    assert {c.values["vector.threads"] for c in second.candidates} == {2}
    sizes = [(c.values["vector.num_envs"], c.values["vector.groups"]) for c in second.candidates]
    assert sizes == [(256, 1), (256, 2), (512, 1), (512, 2), (1024, 1), (128, 1)]
    assert found.flags == {"vector.num_envs": 512}


def test_the_present_setting_stays_where_nothing_gains() -> None:
    found = tuned(Machine(lambda v: 100.0))
    assert found.machine == found.flags == {}
    assert found.stages[0].best is found.stages[0].present


def test_a_round_takes_a_slice_of_every_candidate() -> None:
    machine = Machine(lambda v: 100.0)
    tuned(machine, threads=4)
    threads = [vector.threads for vector, _ in machine.asked[:9]]
    assert threads == [4, 1, 2] * 3
    seconds = {s for _, s in machine.asked}
    assert sum(s for _, s in machine.asked) <= 60
    assert min(seconds) > 0.05


def test_where_time_is_short_the_fastest_get_further_rounds() -> None:
    machine = Machine(lambda v: 50.0 if v.threads == 1 else 100.0, cost=5.0)
    found = tuned(machine, threads=4)
    assert [vector.threads for vector, _ in machine.asked[:7]] == [4, 1, 2, 4, 2, 4, 2]
    assert found.stages[0].candidates[1].gain(found.stages[0].present) == (-0.5, math.inf)


def test_rounds_end_with_the_time() -> None:
    machine = Machine(lambda v: 100 + v.threads, cost=30.0)
    found = tuned(machine, threads=4)
    assert len(machine.asked) == 3 + 6
    assert found.machine == {}


def test_candidates_that_cannot_be_run_are_told_and_left() -> None:
    def training(vector: Any) -> float:
        if vector.num_envs > 256:
            raise UsageError("Too many.")
        return 100.0

    found = tuned(Machine(training), num_envs=256)
    errors = [c.error for c in found.stages[1].candidates]
    assert errors.count("Too many.") == 3
    assert found.flags == {}
    with pytest.raises(UsageError):  # the present setting must run
        tuned(Machine(training), num_envs=512)


def test_python_envs_are_tuned_in_workers() -> None:
    pytest.importorskip("gymnasium")
    machine = Machine(lambda v: 100 + 50 * (v.workers == 1))
    found = tuned(machine, "gymnasium:CartPole-v1", num_envs=8)
    assert [c.values for c in found.stages[0].candidates] == [
        {"vector.workers": n} for n in (4, 1, 2)
    ]
    assert found.machine == {"vector.workers": 1}


def test_workers_are_no_more_than_envs_of_a_group() -> None:
    found = tuned(Machine(lambda v: 100.0), "gymnasium:CartPole-v1", num_envs=4, groups=2)
    assert [c.values["vector.workers"] for c in found.stages[0].candidates] == [4, 1, 2]
    for candidate in found.stages[1].candidates[1:]:
        envs, groups = candidate.values["vector.num_envs"], candidate.values["vector.groups"]
        assert envs // groups >= candidate.values["vector.workers"]


def test_what_is_kept_is_read_again_beside_what_was_there() -> None:
    path = tune.keep({"vector.threads": 3})
    assert settings.load_toml(path) == {"vector": {"threads": 3}}
    tune.keep({"vector.workers": 2})
    assert settings.load_toml(path) == {"vector": {"threads": 3, "workers": 2}}
    tune.keep({"vector.threads": 1})
    (layer,) = settings.machine_layer()
    assert layer[1] == {"vector": {"threads": 1, "workers": 2}}
    assert os.listdir(path.parent) == ["machine.toml"]


def test_one_slice_is_measured() -> None:
    small = {"vector.num_envs": 8, "train.horizon": 8, "train.minibatches": 2, "policy.hidden": 8}
    speed = tune.measure_slice(configure("squared", flags=small | {"vector.groups": 2}), 0.02)
    assert speed.alone > 0
    assert speed.training > 0
