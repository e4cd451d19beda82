"""Workers: trials come to an end once, whatever ends them, and say why."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from skipjack.errors import RunError, UsageError
from skipjack.sweep.child import figure_of
from skipjack.sweep.encode import Cube
from skipjack.sweep.front import counts, same_as, score_in_words
from skipjack.sweep.lease import Watch
from skipjack.sweep.storage import connect
from skipjack.sweep.study import open_sweep, plan_there
from tests.sweep.conftest import Make, worker


def test_a_sweep_runs_to_its_end_and_keeps_only_the_checkpoints_of_its_front(
    make: Make, tmp_path: Path
) -> None:
    sweep = make()
    worker(sweep, tmp_path).run()
    trials = sweep.trials()
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 6
    assert trials[0].user_attrs["origin"] == "preset"
    for trial in trials:
        assert trial.values[1] == pytest.approx(trial.user_attrs["cost_s"])
        assert 0.1 <= trial.values[1] <= 1.1
        assert trial.user_attrs["curve"]
        assert trial.user_attrs["seed"] == trial.number
        assert trial.user_attrs["between_s"] > trial.user_attrs["ask_s"] > 0
    kept = {path.parent.name for path in tmp_path.glob("runs/*/checkpoints")}
    assert kept == {f"{trial.number:05d}" for trial in sweep.front()}
    assert len(list(tmp_path.glob("runs/*/metrics.jsonl"))) == 6


def test_costs_are_told_in_seconds_of_the_first_machine(make: Make, tmp_path: Path) -> None:
    """Half as many steps a second as the first: a second here costs half of one there."""
    sweep = make(trials=1, speed=2000.0)
    worker(sweep, tmp_path).run()
    (trial,) = sweep.trials()
    assert trial.user_attrs["factor"] == pytest.approx(0.5, rel=0.2)
    assert trial.values[1] == pytest.approx(trial.user_attrs["steps"] / 2000, rel=0.2)


def test_failures_have_their_reasons(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skipjack.sweep.worker.HANGS", 15.0)
    monkeypatch.setattr("skipjack.sweep.worker.ENDS", 0.5)
    sweep = make(
        trials=5,
        only=["train.learning_rate", "policy.hidden"],
        file={
            "train": {"steps": [100, 300], "learning_rate": [0.001, 0.1]},
            "policy": {"hidden": {"options": [8, 16, 32, 256]}},
        },
    )
    asked = {
        "nan": (0.05, 32),
        "oom": (0.01, 256),
        "killed by the system": (0.01, 16),
        "hangs": (0.01, 8),
    }
    for rate, hidden in asked.values():
        sweep.enqueue({"train.learning_rate": rate, "policy.hidden": hidden})
    worker(sweep, tmp_path).run()
    reasons = [trial.user_attrs.get("reason") for trial in sweep.trials()]
    assert reasons == [None, "nan", "oom", "oom", "timeout"]
    assert "finite" in sweep.trials()[1].user_attrs["why"]


def test_a_full_disk_stops_the_sweep_and_its_trial_stays_in_the_queue(
    make: Make, tmp_path: Path
) -> None:
    file = {"train": {"steps": [100, 300]}, "policy": {"hidden": {"options": [4, 32]}}}
    sweep = make(trials=2, only=["policy.hidden"], file=file)
    worker(sweep, tmp_path, said := []).run()
    sweep = make(trials=3, only=["policy.hidden"], file=file)
    sweep.enqueue({"policy.hidden": 4})
    with pytest.raises(RunError, match=r"No space left.*go on with the same command"):
        worker(sweep, tmp_path, said).run()
    last = sweep.trials()[-1]
    assert last.state == TrialState.WAITING
    assert last.system_attrs["fixed_params"]["policy.hidden"] == 4
    cube = Cube(sweep.distributions)
    history = sweep.study.sampler.history(sweep.study, sweep.trials(), -1, cube)
    assert len(history.failed) == 0  # it says nothing of the settings


def test_nothing_but_failures_ends_a_sweep_with_their_reason(make: Make, tmp_path: Path) -> None:
    sweep = make(trials=50, file={"train": {"steps": [100, 300], "learning_rate": [0.05, 0.1]}})
    with pytest.raises(RunError, match=r"first 8 all failed.*must be finite"):
        worker(sweep, tmp_path).run()


def test_a_stopped_sweep_goes_on_where_its_trial_was(make: Make, tmp_path: Path) -> None:
    sweep = make(trials=2)
    sweep.enqueue({"train.steps": 1000})
    first = worker(sweep, tmp_path)
    thread = threading.Thread(target=first.run)
    thread.start()
    while not list(tmp_path.glob("runs/00000/metrics.jsonl")):
        time.sleep(0.05)
    first.stopped.set()
    thread.join()
    stopped = sweep.trials()[0]
    assert stopped.user_attrs["reason"] == "stopped"
    assert not counts(stopped)
    worker(make(trials=2), tmp_path).run()
    trials = sweep.trials()
    assert sum(map(counts, trials)) == 2
    again = next(trial for trial in trials if trial.user_attrs.get("retry_of") == 0)
    assert again.state == TrialState.COMPLETE
    assert again.user_attrs["run"] == "00000"
    starts = [line.split() for line in (tmp_path / "ran").read_text().splitlines()]
    resumed = [int(steps) for run, _, steps in starts if run == "00000"]
    assert resumed[0] == 0
    assert resumed[1] == stopped.user_attrs["steps"] > 0


def test_kill_stops_a_trial_and_keeps_its_checkpoint(make: Make, tmp_path: Path) -> None:
    sweep = make(trials=1)
    one = worker(sweep, tmp_path)
    thread = threading.Thread(target=one.run)
    thread.start()
    while not list(tmp_path.glob("runs/00000/metrics.jsonl")):
        time.sleep(0.05)
    sweep.note(0, kill=True)
    thread.join()
    (trial,) = sweep.trials()
    assert (trial.state, trial.user_attrs["reason"]) == (TrialState.FAIL, "killed")
    assert (tmp_path / "runs" / "00000" / "checkpoints" / "last").exists()


def test_a_trial_that_somebody_ended_in_the_dashboard_is_stopped(
    make: Make, tmp_path: Path
) -> None:
    sweep = make(trials=1)
    one = worker(sweep, tmp_path)
    thread = threading.Thread(target=one.run)
    thread.start()
    while not list(tmp_path.glob("runs/00000/metrics.jsonl")):
        time.sleep(0.05)
    sweep.fail(0, "by hand")
    thread.join()
    assert [trial.user_attrs["reason"] for trial in sweep.trials()] == ["by hand"]
    last = json.loads((tmp_path / "runs" / "00000" / "latest").read_text())
    assert last["steps"] < 1000


def test_a_lost_trial_is_run_again_and_never_twice(make: Make, tmp_path: Path) -> None:
    """Two workers see it lost at the same time; its own worker comes back as well."""
    sweep = make(trials=1)
    lost = sweep.ask()
    sweep.note(lost.number, beat=3, run="00000")
    trial = sweep.trial(0)
    a, b = worker(sweep, tmp_path), worker(sweep, tmp_path)
    assert sweep.fail(0, "lost")
    a._again(trial)
    b._again(trial)  # between the other's failing it and queueing it
    assert not sweep.succeed(0, 1.0, 1.0, ended_by="who was thought lost")
    a.run()
    trials = sweep.trials()
    assert [each.user_attrs.get("reason") for each in trials] == ["lost", None, "duplicate"]
    assert [each.state for each in trials[1:]] == [TrialState.COMPLETE, TrialState.FAIL]
    assert sum(map(counts, trials)) == 1


def test_a_trial_is_lost_a_few_times_at_most(make: Make, tmp_path: Path) -> None:
    sweep = make(retries=2)
    one = worker(sweep, tmp_path)
    for number in range(3):
        assert sweep.ask().number == number
        one._lost(sweep.trial(number))
    waiting = [trial for trial in sweep.trials() if trial.state == TrialState.WAITING]
    assert [trial.user_attrs["retries"] for trial in sweep.trials()[1:]] == [1, 2]
    assert not waiting


@pytest.mark.parametrize("queued", [True, False])
def test_a_connection_that_ends_while_a_trial_begins_loses_nothing(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, queued: bool
) -> None:
    """The trial is running, but none of its parameters is written and nobody knows its number."""
    from sqlalchemy.exc import OperationalError

    sweep = make(trials=3, lease=1.0)
    if queued:
        sweep.enqueue({"train.learning_rate": 0.005}, origin="hand")
        sweep.ask()
        sweep.succeed(0, 0.1, 0.1)
    one = worker(sweep, tmp_path)
    store, real = one.sweep._store, one.sweep._store.set_trial_param
    breaks = iter([True])

    def write(*words: object) -> None:
        if next(breaks, False):
            raise OperationalError("INSERT", {}, Exception("the server closed the connection"))
        real(*words)

    monkeypatch.setattr(store, "set_trial_param", write)
    one.run()
    trials = sweep.trials()
    broken = trials[1] if queued else trials[0]
    assert not broken.params
    assert broken.user_attrs["reason"] == "lost"
    assert sum(map(counts, trials)) == 3
    if queued:
        again = next(each for each in trials if each.user_attrs.get("retry_of") == 1)
        assert again.state == TrialState.COMPLETE
        assert again.params["train.learning_rate"] == 0.005
        assert again.user_attrs["origin"] == "hand"


def test_who_takes_the_last_place_second_gives_it_back(make: Make, tmp_path: Path) -> None:
    sweep = make(trials=2)
    for _ in range(3):  # the preset, and two workers that saw one place
        sweep.ask()
    one = worker(sweep, tmp_path)
    assert [one._needless(trial) for trial in sweep.trials()] == ["", "", "surplus"]


def test_a_promoted_trial_is_run_again_out_of_the_space(make: Make, tmp_path: Path) -> None:
    sweep = make()
    sweep.enqueue({"train.steps": 5000}, free=("train.steps",), promotes=0)
    sweep.ask()
    sweep.ask()
    assert sweep.requeue(sweep.trials()[-1], "stopped")
    assert sweep.trials()[-1].system_attrs["fixed_params"]["train.steps"] == 5000


def test_a_repeat_of_a_leader_is_not_stopped_early(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without those that did worse, a lucky leader would stay one."""
    sweep = make(trials=1)
    worker(sweep, tmp_path).run()
    monkeypatch.setattr("skipjack.sweep.stopping.verdict", lambda *_: "It is behind.")
    monkeypatch.setattr("skipjack.sweep.worker.LOOK", 0.1)
    leader = sweep.trials()[0]
    sweep.enqueue(leader.params, free=tuple(leader.params), repeats=0)
    sweep.enqueue({"train.steps": 900}, origin="hand")
    worker(make(trials=3), tmp_path).run()
    first, repeat, other = sweep.trials()
    assert other.user_attrs["stopped"]
    assert "stopped" not in repeat.user_attrs
    assert [trial.number for trial in same_as(sweep.trials(), first)] == [0, 1]
    mean = (first.values[0] + repeat.values[0]) / 2
    assert f"{mean:.3f}, the mean of 2 from" in score_in_words(sweep.trials(), first)


def test_a_worker_killed_while_it_puts_a_trial_back_loses_nothing(
    make: Make, tmp_path: Path
) -> None:
    sweep = make(trials=1)
    sweep.ask()
    assert sweep.fail(0, "stopped")  # and no more: its successor is not in the queue
    worker(sweep, tmp_path).run()
    trials = sweep.trials()
    assert trials[1].user_attrs["retry_of"] == 0
    assert [trial.state for trial in trials] == [TrialState.FAIL, TrialState.COMPLETE]


def test_a_worker_killed_between_a_trainings_end_and_its_word_loses_nothing(
    make: Make, tmp_path: Path
) -> None:
    """A run that has had its final evaluation cannot be resumed: its trial is run anew."""
    sweep = make(trials=1)
    number = sweep.ask().number
    dies = worker(sweep, tmp_path)
    dies._tell = lambda *told: None  # type: ignore[method-assign]
    dies.train(number)
    assert sweep.fail(number, "lost")
    worker(sweep, tmp_path).run()
    trials = sweep.trials()
    assert [trial.user_attrs.get("reason") for trial in trials] == ["lost", None]
    assert trials[1].user_attrs["run"] == "00000"


def test_runs_of_another_study_in_the_folder_are_left_alone(make: Make, tmp_path: Path) -> None:
    """Another --storage, or a study that was removed: their trials have the same numbers."""
    first = make(trials=1)
    worker(first, tmp_path).run()
    kept = (tmp_path / "runs" / "00000" / "metrics.jsonl").read_text()
    second = make(str(tmp_path / "second.journal"), trials=1)
    worker(second, tmp_path).run()
    assert second.trials()[0].user_attrs["run"] == "00000-2"
    assert (tmp_path / "runs" / "00000" / "metrics.jsonl").read_text() == kept
    starts = [line.split() for line in (tmp_path / "ran").read_text().splitlines()]
    assert [steps for run, _, steps in starts if run.startswith("00000")] == ["0", "0"]


def test_a_training_that_ended_before_it_heard_of_a_stop_counts_whole(
    make: Make, tmp_path: Path
) -> None:
    sweep = make(trials=1)
    one = worker(sweep, tmp_path)
    watch = one._watch
    one._watch = lambda *told: watch(*told) or "stopped"  # type: ignore[method-assign]
    one.run()
    (trial,) = sweep.trials()
    assert trial.state == TrialState.COMPLETE
    assert "stopped" not in trial.user_attrs


def test_a_figure_that_is_not_finite_is_none() -> None:
    told = {"score": float("nan"), "score_ci95": float("inf"), "random_score": 0.5}
    assert figure_of(told, "score") == {"score": None, "score_ci95": None, "random": 0.5}
    assert figure_of({"rating": float("nan"), "rating_error": 1.0}, "rating")["score"] is None


class Trial:
    """A running trial as `Watch` sees it."""

    def __init__(self, number: int) -> None:
        self.number, self.user_attrs = number, {"beat": 1}


def test_beats_are_watched_by_looks_not_by_the_calendar() -> None:
    watch, trial = Watch(lease=60.0), Trial(0)
    assert watch.look([trial], 0.0) == []
    # Asleep for an hour, or the clock jumped: the others may have slept as well.
    assert watch.look([trial], 3600.0) == []
    for second in range(1, 45, 5):
        assert watch.look([trial], 3600.0 + second) == []
    trial.user_attrs["beat"] = 2
    assert watch.look([trial], 3650.0) == []
    lost = [second for second in range(0, 100, 5) if watch.look([trial], 3650.0 + second)]
    assert lost
    assert 60 < lost[0] <= 75


def test_another_space_under_the_same_name_is_refused(make: Make, tmp_path: Path) -> None:
    make()
    with pytest.raises(UsageError, match=r"train\.learning_rate.* differ.*--name"):
        make(file={"train": {"steps": [100, 1000], "learning_rate": [0.001, 0.01]}})
    with pytest.raises(UsageError, match="dearest differ"):
        make(dearest=2.0)
    assert make(trials=99).plan.trials == 99
    with pytest.raises(UsageError, match="Did you mean 'small'"):
        open_sweep("smalls", str(tmp_path / "study.journal"))


def test_a_sweep_that_was_killed_as_it_began_begins_again(make: Make, tmp_path: Path) -> None:
    """After every line of its file, and after none."""
    plan, path = make().plan, tmp_path / "study.journal"
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) > 2
    known = []
    for count in range(len(lines)):
        path.write_bytes(b"".join(lines[:count]))
        known.append(plan_there("small", str(path)))
        assert make().plan == plan
    assert known[0] is known[1] is None
    assert known[-1] == plan
    other = optuna.create_study(study_name="other", storage=connect(str(path)))
    other.add_trial(create_trial(value=1.0))
    with pytest.raises(RunError, match="not made by skipjack sweep"):
        plan_there("other", str(path))


def test_enqueued_settings_are_checked_and_run_next(make: Make, tmp_path: Path) -> None:
    sweep = make(trials=2)
    with pytest.raises(UsageError, match=r"0\.001 to 0\.019"):
        sweep.enqueue({"train.learning_rate": 0.5})
    chosen = make(str(tmp_path / "other"), only=["policy.hidden"])
    with pytest.raises(UsageError, match="one of 32, 64"):
        chosen.enqueue({"policy.hidden": 77})
    sweep.enqueue({"train.learning_rate": 0.005}, origin="hand")
    worker(sweep, tmp_path).run()
    assert sweep.trials()[1].params["train.learning_rate"] == 0.005
    assert sweep.trials()[1].params["policy.layers"] == 1


def test_the_budget_ends_a_sweep(make: Make, tmp_path: Path) -> None:
    sweep = make(trials=0, budget=3.0)
    worker(sweep, tmp_path).run()
    assert 2.5 < sweep.spent() < 6
    assert len(sweep.trials()) > 1


def test_neither_the_budget_nor_a_curve_cuts_what_was_asked_for_at_a_cost(
    make: Make, tmp_path: Path
) -> None:
    sweep = make(trials=0, budget=1.0)
    worker(sweep, tmp_path).run()
    sweep.enqueue({"train.steps": 900}, limit=2.0)
    worker(sweep, tmp_path).run()
    assert sweep.trials()[-1].values[1] == pytest.approx(0.9)
