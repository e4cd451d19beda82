"""`skipjack sweep` as users run it; trainings are a script but for one."""

from __future__ import annotations

import json
import signal
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest

from skipjack.cli.sweep import seconds_of
from skipjack.cli.sweep.begin import _stop_on_signals
from skipjack.errors import UsageError
from skipjack.sweep import child
from skipjack.sweep.storage import alone
from skipjack.sweep.study import open_sweep
from skipjack.sweep.worker import Worker
from tests.cli.conftest import Call, sentence
from tests.sweep.conftest import START

SMALL = ("--only", "train.learning_rate,policy.layers", "--max-cost", "1s", "--min-cost", "0.1s")


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trainings are `tests/sweep/trainer.py`."""
    made = child.Child.__init__

    def init(self: Any, words: Any, folder: Path, run: str, start: Any = None) -> None:
        made(self, words, folder, run, START)

    monkeypatch.setattr(child.Child, "__init__", init)


@pytest.mark.usefixtures("script")
def test_from_a_sweep_to_its_report(call: Call, tmp_path: Path) -> None:
    code, out, err = call("sweep", "password", "--trials", "4", *SMALL, "--json")
    assert code == 0, err
    (row,) = json.loads(out.splitlines()[-1])["sweeps"]
    assert (row["env"], row["trials"], row["failed"]) == ("password", 4, 0)
    assert "Sweeping password: 3 settings" in err
    sweep = open_sweep("password", str(tmp_path / "sweeps/password/study.journal"))
    # The machine was measured once, by who began.
    assert all(trial.user_attrs["factor"] == 1.0 for trial in sweep.trials())

    code, out, _ = call("sweep", "show", "password")
    assert code == 0
    assert "4 trials, 0 failed" in out

    code, out, err = call("sweep", "best", "password", "--write-preset", "best.toml")
    assert code == 0, err
    assert "preset" in out
    assert "skipjack train password --seed=" in out
    written = tomllib.loads((tmp_path / "best.toml").read_text())
    assert set(written) <= {"train", "policy"}
    code, out, _ = call("config", "show", "password", "--config", "best.toml", "--json")
    assert code == 0

    code, out, err = call("sweep", "report", "password")
    assert code == 0, err
    assert (tmp_path / "sweeps" / "password" / "report.html").exists()
    assert (tmp_path / "sweeps" / "password" / "front.png").exists()


@pytest.mark.usefixtures("script")
def test_the_same_command_goes_on_and_another_space_is_refused(call: Call) -> None:
    assert call("sweep", "password", "--trials", "2", *SMALL)[0] == 0
    code, out, _ = call("sweep", "password", "--trials", "3", *SMALL, "--json")
    assert code == 0
    assert json.loads(out.splitlines()[-1])["sweeps"][0]["trials"] == 3
    code, _, err = call("sweep", "password", "--trials", "3", *SMALL, "--train.epochs", "3")
    assert code == 2
    assert "train.epochs differ" in err


@pytest.mark.usefixtures("script")
def test_a_budget_may_grow_and_a_sweep_has_its_environments_name(
    call: Call, tmp_path: Path
) -> None:
    """Costs that follow from the budget stay as they were; `pong/two` lies in pong-two."""
    words = ("pong/two", "--only", "train.learning_rate", "--budget")
    assert call("sweep", *words, "1s")[0] == 0
    code, _, err = call("sweep", *words, "2s")
    assert code == 0, err
    plan = open_sweep("pong-two", str(tmp_path / "sweeps/pong-two/study.journal")).plan
    assert (plan.budget, plan.dearest) == (2.0, 0.05)
    code, _, err = call("sweep", *words, "2s", "--max-cost", "1s")
    assert code == 2
    assert "dearest" in err
    code, out, err = call("sweep", "show", "pong/two")
    assert code == 0, err
    assert "pong-two: " in out


def test_signals_reach_a_sweep_only_while_it_works() -> None:
    """Between two sweeps Ctrl-C would be swallowed, with a word that it was heard."""
    before = signal.getsignal(signal.SIGINT)
    one = Worker.__new__(Worker)
    one.stopped = threading.Event()
    with _stop_on_signals([one]) as received:
        signal.raise_signal(signal.SIGINT)
        assert one.stopped.is_set()
    assert received == [signal.SIGINT]
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.usefixtures("script")
def test_several_environments_get_one_preset_beside_their_own(call: Call, tmp_path: Path) -> None:
    words = ("password", "cartpole", "--trials", "4", *SMALL)
    code, out, err = call("sweep", *words, "--json")
    assert code == 0, err
    told = json.loads(out.splitlines()[-1])
    assert [row["env"] for row in told["sweeps"]] == ["password", "cartpole"]
    assert "Comparing settings for all of password and cartpole" in err
    common = told["common"]
    assert 0 < common["normalised"] < 2
    assert set(common["settings"]) == {"train.learning_rate", "policy.layers"}
    for each in common["each"]:
        sweep = open_sweep(each["name"], str(tmp_path / "sweeps" / each["name"] / "study.journal"))
        trial = sweep.trial(each["trial"])
        assert common["settings"].items() <= trial.params.items()
        assert each["cost_s"] == pytest.approx(each["own_cost_s"], rel=0.5)

    code, out, err = call("sweep", "best", "password", "cartpole", "--write-preset", "all.toml")
    assert code == 0, err
    assert "One preset for password and cartpole" in out
    written = tomllib.loads((tmp_path / "all.toml").read_text())
    assert written["train"]["learning_rate"] == common["settings"]["train.learning_rate"]
    assert "steps" not in written["train"]  # each environment has its own
    assert call("config", "show", "cartpole", "--config", "all.toml", "--json")[0] == 0
    code, _, err = call("sweep", "best", "password", "cartpol")
    assert code == 2


@pytest.mark.usefixtures("script")
def test_workers_share_the_cores(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--workers is the sweep's own flag here, not short for that of the envs."""
    monkeypatch.setattr("skipjack.vector.config.cores", lambda: 8)
    assert call("sweep", "password", "--trials", "6", *SMALL, "--workers", "2")[0] == 0
    sweep = open_sweep("password", str(tmp_path / "sweeps/password/study.journal"))
    known = [trial.user_attrs for trial in sweep.trials()]
    assert {each["threads"] for each in known} == {4}
    assert {each["worker"].rpartition(":")[2] for each in known} == {"0", "1"}
    assert "vector.workers" not in sweep.space.fixed


@pytest.mark.usefixtures("script")
def test_a_game_with_teams_is_swept_by_its_rating(call: Call, tmp_path: Path) -> None:
    """Elo may be below 0; its interval is 1.96 standard errors; measuring speed waits for no rater."""
    words = ("--only", "train.learning_rate,policy.hidden", *SMALL[2:], "--metric", "rating")
    code, _, err = call("sweep", "connect_four", "--trials", "2", *words)
    assert code == 0, err
    sweep = open_sweep("connect_four", str(tmp_path / "sweeps/connect_four/study.journal"))
    assert sweep.space.fixed["arena.rating"] == "beside"
    values = {"policy.hidden": 32, "train.steps": 300, "train.learning_rate": 0.01}
    sweep.enqueue(values, origin="hand")
    sweep.enqueue(values | {"policy.hidden": 64}, origin="hand")
    assert call("sweep", "worker", "connect_four")[0] == 0
    rated, unrated = sweep.trials()[-2:]
    assert rated.values[0] == pytest.approx(300)
    assert rated.user_attrs["score_ci95"] == pytest.approx(39.2)
    assert rated.user_attrs["random"] == 0
    assert unrated.user_attrs["reason"] == "unrated"
    assert "arena.patience" in unrated.user_attrs["why"]
    code, out, _ = call("sweep", "best", "connect_four")
    assert "--arena.rating=beside" in out


@pytest.mark.usefixtures("script")
def test_only_the_front_is_tracked_outside_and_once(call: Call, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    words = ("password", "--trials", "5", *SMALL, "--track", "tensorboard")
    for _ in range(2):
        code, _, err = call("sweep", *words)
        assert code == 0, err
    sweep = open_sweep("password", str(tmp_path / "sweeps/password/study.journal"))
    written = list((tmp_path / "sweeps/password/runs").glob("*/tensorboard/*"))
    front = sorted(trial.user_attrs["run"] for trial in sweep.front())
    assert sorted(path.parts[-3] for path in written) == front
    assert len(front) < 5
    code, _, err = call("sweep", "password", "--trials", "5", *SMALL, "--track", "tensorbord")
    assert code == 2
    assert "Did you mean 'tensorboard'" in sentence(err)


def test_a_sweep_that_is_run_already_is_not_run_twice(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "sweeps" / "password"
    folder.mkdir(parents=True)
    with alone(folder / "lock", ""):
        code, _, err = call("sweep", "password", "--trials", "1")
    assert code == 1
    assert "skipjack sweep worker password" in err
    assert "--name" in err


@pytest.mark.usefixtures("script")
def test_queue_promote_and_kill(call: Call, tmp_path: Path) -> None:
    call("sweep", "password", "--trials", "2", *SMALL)
    code, out, _ = call("sweep", "promote", "password", "0", "--cost", "3x")
    assert code == 0
    assert " steps, about 3" in out
    code, out, _ = call(
        "sweep", "enqueue", "password", "train.learning_rate=0.004", "policy.layers=2"
    )
    assert code == 0
    sweep = open_sweep("password", str(tmp_path / "sweeps/password/study.journal"))
    waiting = sweep.trials()[-1].system_attrs["fixed_params"]
    assert (waiting["train.learning_rate"], waiting["policy.layers"]) == (0.004, 2)
    number = str(sweep.trials()[-1].number)
    assert call("sweep", "kill", "password", number)[0] == 0
    assert sweep.trials()[-1].user_attrs["reason"] == "killed"
    code, _, err = call("sweep", "kill", "password", number)
    assert code == 2
    assert "has ended already" in sentence(err)
    code, _, err = call("sweep", "enqueue", "password", "train.learning_rate=7")
    assert code == 2
    assert "within the sweep's space" in err
    assert call("sweep", "worker", "password")[0] == 0
    promoted = sweep.trials()[2]
    assert promoted.user_attrs["promotes"] == 0
    assert promoted.params["train.steps"] == 3 * sweep.trials()[0].user_attrs["steps"]
    assert promoted.values[1] > 2 * sweep.trials()[0].values[1]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("password",), "--budget 2h, --trials 100"),
        (("pasword", "--trials", "1"), "Did you mean 'password'"),
        (("password", "--budget", "much"), "--budget must be a time"),
        (("password", "--trials", "1", "--min-cost", "9s", "--max-cost", "1s"), "--min-cost must be below"),
        (("password", "--trials", "1", "--only", "train.clips"), "train.clip"),
        (("best", "nothing"), "There is no sweep 'nothing'"),
        (("kill", "nothing"), "The number of a trial must follow"),
        (("password", "cartpole", "--name", "x", "--trials", "1"), "one environment"),
        (("password", "--trials", "1", "--sampler", "magic"), "one of cost, tpe"),
        (("password", "--trials", "1", "--metric", "rating"), "two teams"),
    ],
)  # fmt: skip
def test_mistakes_are_told(call: Call, words: tuple[str, ...], told: str) -> None:
    code, _, err = call("sweep", *words)
    assert code == 2, err
    assert told in sentence(err)


def test_help_is_there(call: Call) -> None:
    code, out, _ = call("sweep", "--help")
    assert code == 0
    assert "promote NAME TRIAL" in out
    code, out, _ = call("sweep", "password", "--help")
    assert code == 0
    assert "--max-cost" in out


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("30s", 30), ("1.5m", 90), ("2h", 7200), ("1d", 86_400), ("", 0)],
)
def test_times(text: str, seconds: float) -> None:
    assert seconds_of(text, "--budget") == seconds


@pytest.mark.parametrize("text", ["h", "2 hours", "-3s", "1e"])
def test_strange_times(text: str) -> None:
    with pytest.raises(UsageError, match="--budget must be a time"):
        seconds_of(text, "--budget")


@pytest.mark.slow
def test_real_trainings_are_swept(call: Call, tmp_path: Path) -> None:
    """Two trials of Password with the real trainer: costs below the cap, scores of final evaluations."""
    code, out, err = call("sweep", "password", "--trials", "2", *SMALL, "--json")
    assert code == 0, err
    (row,) = json.loads(out.splitlines()[-1])["sweeps"]
    assert row["trials"] == 2
    for leader in row["front"]:
        assert 0 <= leader["score"] <= 1
        assert leader["cost_s"] < 3
    runs = sorted(path.name for path in (tmp_path / "sweeps/password/runs").iterdir())
    assert runs == ["00000", "00001"]
