"""W&B, offline as wandb itself writes it: rows, config, variables, one id for every sitting."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from skipjack.errors import MissingPackage, RunError
from skipjack.report.wandb import WandB, identity
from skipjack.testing.sink import (
    SinkContract,
    example_evaluation,
    example_info,
    example_progress,
)
from tests.report import wandb_file

wandb = pytest.importorskip("wandb")


@pytest.fixture(autouse=True)
def nobody_is_logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.chdir(tmp_path)
    yield
    wandb.teardown()  # it reads the variables once a session


def sink(said: list[str] | None = None) -> WandB:
    return WandB(identity({"id": "abc"}), (said if said is not None else []).append)


class TestWandB(SinkContract):
    def make_sink(self) -> Any:
        return sink()


def whole_run(tracker: WandB, folder: str = "run") -> Any:
    """Report a run of three updates; gives wandb's run."""
    settings = {"train.steps": 1000, "seed": 3}
    tracker.start(replace(example_info(folder), settings=settings))
    for update in range(1, 4):
        tracker.update(example_progress(update))
    tracker.finish(example_evaluation(), "finished")
    tracker.close()
    return tracker.run


def test_rows_config_and_evaluation_in_the_run_folder() -> None:
    said: list[str] = []
    whole_run(sink(said))
    (path,) = wandb_file.offline_files(Path("run"))
    rows = wandb_file.history(path)
    assert [row["steps"] for row in rows] == [131_072, 262_144, 393_216]
    assert [row["_step"] for row in rows] == [1, 2, 3]
    assert rows[1]["seconds"] == 0.5
    assert rows[1]["episodes/score"] == 0.2
    assert rows[2]["evaluation/score"] == 0.5
    assert rows[2]["evaluation/score_ci95"] == 0.02
    assert wandb_file.config(path) | {"name": "breakout", "train.steps": 1000, "seed": 3} == (
        wandb_file.config(path)
    )
    assert (wandb_file.run(path).run_id, wandb_file.run(path).project) == ("abc", "skipjack")
    assert wandb_file.run(path).display_name == "example-1"
    assert wandb_file.exit_code(path) == 0
    assert said == [f"W&B is offline. Send the run to your account with: wandb sync {path.parent}"]


def test_steps_are_the_axis() -> None:
    tracker = sink()
    whole_run(tracker)
    (path,) = wandb_file.offline_files(Path("run"))
    metrics = [r.metric for r in wandb_file.records(path) if r.HasField("metric")]
    assert any(metric.glob_name == "*" and metric.step_metric == "steps" for metric in metrics)


def test_ratings_have_an_axis_of_their_own() -> None:
    tracker = sink()
    tracker.start(example_info("run"))
    arena = {"rating/checkpoint": 1000.0, "rating/elo": 5.0}
    tracker.update(example_progress(1, arena=arena))
    tracker.close()
    (path,) = wandb_file.offline_files(Path("run"))
    assert wandb_file.history(path)[0]["rating/elo"] == 5.0
    metrics = [r.metric for r in wandb_file.records(path) if r.HasField("metric")]
    axes = {metric.name: metric.step_metric for metric in metrics}
    assert axes["rating/elo"] == "rating/checkpoint"
    assert "losses/policy" not in axes  # over steps, as everything


def test_a_failed_run_is_failed_there() -> None:
    tracker = sink()
    tracker.start(example_info("run"))
    tracker.finish(None, "failed: A loss is not finite.")
    tracker.close()
    assert wandb_file.exit_code(wandb_file.offline_files(Path("run"))[0]) == 1


def test_variables_have_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PROJECT": "mine", "ENTITY": "us", "DIR": "elsewhere", "RUN_GROUP": "group", "NAME": "me",
        "TAGS": "a,b", "RESUME": "never", "RUN_ID": "theirs", "MODE": "offline", "NOTES": "words",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"WANDB_{name}", value)
    Path("elsewhere").mkdir()
    assert identity({"id": "abc", "project": "other", "entity": "them"}) == {
        "id": "theirs", "project": "mine", "entity": "us",
    }  # fmt: skip
    settings = whole_run(sink()).settings
    assert settings.resume == "never"
    (path,) = wandb_file.offline_files(Path("elsewhere"))
    run = wandb_file.run(path)
    assert (run.run_id, run.project, run.entity) == ("theirs", "mine", "us")
    assert (run.display_name, run.run_group, list(run.tags)) == ("me", "group", ["a", "b"])
    assert run.notes == "words"
    assert not Path("run").exists()


def test_disabled_means_disabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    said: list[str] = []
    whole_run(sink(said))
    assert not list(Path().rglob("*.wandb"))
    assert said == []


def test_no_prompt_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where a person sits at a terminal and online mode is wished for without a login."""
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("a prompt"))
    with pytest.raises(RunError, match="wandb login"):
        sink().start(example_info("run"))


def test_a_key_without_a_network_stays_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking the server raises; a run that insists on it fails in words."""

    def raises(**_: Any) -> bool:
        raise wandb.errors.AuthenticationError("Failed to authenticate.\nMore lines.")

    monkeypatch.setenv("WANDB_API_KEY", "a" * 40)
    monkeypatch.setattr(wandb, "login", raises)
    said: list[str] = []
    whole_run(sink(said))
    (path,) = wandb_file.offline_files(Path("run"))
    assert len(wandb_file.history(path)) == 3
    assert said == [f"W&B is offline. Send the run to your account with: wandb sync {path.parent}"]
    wandb.teardown()
    monkeypatch.setenv("WANDB_MODE", "online")
    with pytest.raises(RunError, match=r"needs a login, but Failed to authenticate\."):
        sink().start(example_info("run"))


def test_output_is_left_alone(capfd: pytest.CaptureFixture[str]) -> None:
    out, err = sys.stdout, sys.stderr
    tracker = sink()
    tracker.start(example_info("run"))
    assert (sys.stdout, sys.stderr) == (out, err), "the dashboard draws there"
    tracker.close()
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


def test_an_identity_stays() -> None:
    first = identity({})
    assert first["id"] != identity({})["id"]
    assert identity(first) == first
    assert first["project"] == "skipjack"


def test_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(MissingPackage, match=r'pip install "skipjack\[track\]"'):
        sink()
