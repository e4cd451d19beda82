"""`skipjack runs` and `skipjack config diff` on runs of real trainings, killed ones and odd folders."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from skipjack import checkpoint
from skipjack.cli.main import main
from skipjack.cli.saved import RECENT, STATES, describe, describe_runs
from skipjack.run import lock, origin
from tests.cli.conftest import TINY, Call, train

DAY = 86_400


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs folder of four trainings: c-1, c-2 started from it and with own settings, s-1, p-1."""
    folder = tmp_path_factory.mktemp("trained")
    often = "--train.checkpoint-every=0"
    lines = [
        ["cartpole", *TINY, often, "--train.keep=100", "--run=c-1"],
        ["cartpole", *TINY, "--run=c-2", "--from=c-1", "--train.clip=0.5", "--config=mine.toml"],
        ["squared", *TINY, "--run=s-1"],
        ["pong/lstm", *TINY, "--run=p-1"],
    ]
    (folder / "mine.toml").write_text("[train]\nlearning_rate = 0.05\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SKIPJACK_MACHINE", str(folder / "none.toml"))
        for line in lines:
            patch.setattr(sys, "argv", ["skipjack", "train", *line])
            assert main() == 0
    return folder / "runs"


@pytest.fixture
def runs(trained: Path, call: Call) -> Path:
    """A copy of them in the present folder, last written a day apart: c-1, c-2, s-1, p-1."""
    shutil.copytree(trained, "runs")
    entries = origin.read(Path("runs/c-2"))  # its source is the copy beside it
    entries[0]["from"]["checkpoint"] = str(Path("runs/c-1/checkpoints/000000000512").resolve())
    Path("runs/c-2/origin.json").write_text(json.dumps(entries))
    for age, name in enumerate(("p-1", "s-1", "c-2", "c-1")):
        moment = time.time() - age * DAY - 60
        os.utime(Path("runs") / name / "metrics.jsonl", (moment, moment))
    return Path("runs")


@contextmanager
def training(folder: Path, name: str, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A child that trains into runs/`name` below `folder` for long; it has begun, and dies at the end."""
    line = [sys.executable, "-m", "skipjack", "train", "cartpole", *TINY[:-1], f"--run={name}"]
    child = subprocess.Popen(
        [*line, "--train.steps=1e9", "--train.checkpoint-every=0.05", *more],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    metrics = folder / "runs" / name / "metrics.jsonl"
    try:
        until = time.monotonic() + 60
        while not (metrics.exists() and metrics.stat().st_size > 2000):
            assert child.poll() is None, child.communicate()[1]
            assert time.monotonic() < until, "the training did not begin"
            time.sleep(0.05)
        yield child
    finally:
        child.kill()
        child.communicate()


def listed(call: Call, *flags: str) -> list[str]:
    code, out, err = call("runs", *flags, "--json")
    assert code == 0, err
    return [row["run"] for row in json.loads(out)["runs"]]


def rescore(runs: Path, **scores: float) -> None:
    """Give runs other final scores; underscores in names stand for dashes."""
    for name, score in scores.items():
        path = runs / name.replace("_", "-") / "metrics.jsonl"
        stat = path.stat()
        lines = path.read_text().splitlines()
        lines[-1] = json.dumps(json.loads(lines[-1]) | {"score": score})
        path.write_text("\n".join(lines) + "\n")
        os.utime(path, (stat.st_atime, stat.st_mtime))


# ---- list ----


def test_no_runs(call: Call) -> None:
    assert call("runs")[1].startswith("No runs in 'runs' yet")
    assert listed(call) == []


def test_newest_last_with_their_facts(call: Call, runs: Path) -> None:
    code, out, _ = call("runs")
    lines = out.splitlines()
    assert code == 0
    assert [line.split()[0] for line in lines] == ["run", "c-1", "c-2", "s-1", "p-1"]
    (row,) = [json.loads(call("runs", "--env", "pong/lstm", "--json")[1])["runs"][0]]
    assert (row["env"], row["seed"], row["state"], row["steps"]) == (
        "pong/lstm",
        0,
        "finished",
        512,
    )
    final = json.loads((runs / "p-1" / "metrics.jsonl").read_text().splitlines()[-1])
    assert (row["score"], row["score_ci95"]) == (final["score"], final["score_ci95"])
    assert row["steps_per_second"] == pytest.approx(512 / row["seconds"])
    assert f"{row['score']:.3f} ± {row['score_ci95']:.3f}" in lines[-1]


def test_filters(call: Call, runs: Path) -> None:
    rescore(runs, c_1=0.2, c_2=0.6, s_1=0.5, p_1=0.1)
    assert listed(call, "--env", "pong") == ["p-1"]
    assert listed(call, "--min-score", "0.5") == ["c-2", "s-1"]
    assert listed(call, "--state", "finished", "--env", "squared") == ["s-1"]
    assert call("runs", "--min-score", "1")[1].startswith("None of the 4 runs")


def test_sorting(call: Call, runs: Path) -> None:
    rescore(runs, c_1=0.2, c_2=0.6, s_1=0.5, p_1=0.1)
    assert listed(call, "--sort", "score") == ["p-1", "c-1", "s-1", "c-2"]
    assert listed(call, "--sort", "score", "--limit", "2") == ["s-1", "c-2"]
    assert listed(call, "--sort", "score", "--limit", "2", "--reverse") == ["c-2", "s-1"]
    assert listed(call, "--sort", "env") == ["c-1", "c-2", "p-1", "s-1"]
    (runs / "c-1").rename(runs / "c-10")
    assert listed(call, "--sort", "name") == ["c-2", "c-10", "p-1", "s-1"]


def test_commits(call: Call, runs: Path) -> None:
    for name, commit, dirty in (("c-1", "abc1234567", True), ("s-1", "ab99", False)):
        entries = origin.read(runs / name)
        entries[-1] |= {"commit": commit, "dirty": dirty}
        (runs / name / "origin.json").write_text(json.dumps(entries))
    assert listed(call, "--commit", "abc") == ["c-1"]
    assert listed(call, "--commit", "ab") == ["c-1", "s-1"]
    assert " abc1234* " in call("runs", "--commit", "abc")[1]


def test_origin_knows_commit_and_changes(call: Call, tmp_path: Path) -> None:
    """Untracked files, as runs/ itself, do not make it dirty; a changed one does."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    Path("code.py").write_text("1")
    for line in (["init", "-q"], ["add", "code.py"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *line], check=True)
    train(call)
    Path("code.py").write_text("2")
    train(call)
    found = describe_runs(Path("runs"))
    assert [saved.dirty for saved in found] == [False, True]
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True).stdout
    assert found[0].commit == head.strip()


def test_a_long_run_is_read_from_its_end(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """100 MB of metrics: only the end is read, and the score so far is of the newest episodes."""
    path = runs / "c-1" / "metrics.jsonl"
    row = {"update": 1, "steps": 64, "seconds": 1.0, "episodes": 2, "episodes/score": 0.1}
    old = (json.dumps(row) + "\n").encode() * 10_000
    new = [row | {"steps": 10**9, "episodes/score": 0.5 + n % 2 / 10} for n in range(RECENT)]
    with open(path, "wb") as file:
        while file.tell() < 100_000_000:
            file.write(old)
        file.write("".join(json.dumps(row) + "\n" for row in new).encode() + b'{"update": 2, "st')
    parsed = []
    loads = json.loads
    monkeypatch.setattr(json, "loads", lambda text: parsed.append(text) or loads(text))
    found = describe(runs / "c-1")
    assert (found.steps, found.state, found.evaluated) == (10**9, "killed", False)
    assert found.score == pytest.approx(0.55)
    assert sum(map(len, parsed)) < 100_000


# ---- odd folders ----


def test_odd_folders_never_break_the_listing(call: Call, runs: Path) -> None:
    (runs / "notes").mkdir()
    (runs / "notes" / "todo.txt").write_text("not a run")
    (runs / "a-file").write_text("")
    (runs / ".gone-x" / "checkpoints").mkdir(parents=True)
    (runs / "begun" / "checkpoints").mkdir(parents=True)
    (runs / "toml").mkdir()
    (runs / "toml" / "config.toml").write_text("[train\n")
    (runs / "nameless").mkdir()
    (runs / "nameless" / "config.toml").write_text("seed = 3\n")
    (runs / "binary").mkdir()
    for name in ("config.toml", "origin.json", "metrics.jsonl", "latest", "lock"):
        (runs / "binary" / name).write_bytes(bytes(range(128, 256)))
    for name, text in (
        ("types", '[1, "two", null]\n{"update": "x", "steps": []}\n'),
        ("empty", ""),
    ):
        shutil.copytree(runs / "c-1", runs / name)
        (runs / name / "metrics.jsonl").write_text(text)
        (runs / name / "origin.json").write_text('[3, {"settings": 4, "from": 5, "command": null}]')
        (runs / name / "latest").write_text("nothing")
    (runs / "folders" / "config.toml").mkdir(parents=True)
    (runs / "folders" / "metrics.jsonl").mkdir()
    (runs / "folders" / "origin.json").mkdir()
    for command in (
        ["runs"],
        ["list"],
        ["runs", "--commit", "a"],
        ["runs", "prune", "--unfinished"],
    ):
        code, _, err = call(*command)
        assert (code, err) == (0, ""), command
    states = {saved.run: saved.state for saved in describe_runs(runs)}
    damaged = {"begun", "toml", "nameless", "binary", "folders"}
    assert {name for name, state in states.items() if state == "damaged"} == damaged
    assert (states["types"], states["empty"]) == ("killed", "killed")
    assert not {"notes", "a-file", ".gone-x"} & set(states)
    for name in states:
        code, out, err = call("runs", "show", name)
        assert (code, err) == (0, ""), name
        if name in damaged:
            assert "problem" in out
        assert call("runs", "show", name, "--json")[0] == 0
    code, _, err = call("runs", "diff", "c-1", "toml")
    assert code == 2
    assert "must be TOML" in err


def test_a_run_of_an_env_that_is_not_here(call: Call, runs: Path) -> None:
    path = runs / "c-1" / "config.toml"
    path.write_text(path.read_text().replace('"cartpole"', '"gone.away:Env"'))
    assert "gone.away:Env" in call("runs")[1]
    code, out, _ = call("runs", "show", "c-1")
    assert code == 0
    assert "'gone.away:Env' must be importable" in out
    assert call("runs", "diff", "c-1", "c-2")[0] == 0
    assert call("config", "diff", "c-1", "c-2")[0] == 0


# ---- running, stopped, failed, killed ----


def test_a_run_that_is_being_trained(call: Call, tmp_path: Path) -> None:
    """It shows as running, nobody else may train into it or remove it; kill -9 frees it."""
    with training(tmp_path, "mine") as child:
        row = json.loads(call("runs", "--json")[1])["runs"][0]
        assert row["state"] == "running"
        assert f"process {child.pid} on " in call("runs", "show", "mine")[1]
        before = (tmp_path / "runs/mine/config.toml").read_bytes()
        code, _, err = call("train", "cartpole", "--run", "mine", "--resume", "--train.steps=2e9")
        assert code == 1
        assert (
            f"Only one process at a time may have the run 'mine', but process {child.pid} on" in err
        )
        assert (tmp_path / "runs/mine/config.toml").read_bytes() == before
        for flags in (["--env", "cartpole"], ["--checkpoints"]):
            code, out, _ = call("runs", "prune", *flags, "--yes")
            assert code == 0
            assert "mine stays: it is being trained." in out or "Nothing is as asked" in out
        assert listed(call) == ["mine"]
        assert child.poll() is None, "the training went on through all that"
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert describe(tmp_path / "runs/mine").state == "killed"
    steps = checkpoint.latest(tmp_path / "runs/mine").steps + 640
    code, _, err = call("train", "cartpole", "--run=mine", "--resume", f"--train.steps={steps}")
    assert code == 0, err
    assert describe(tmp_path / "runs/mine").state == "finished"


def test_a_prune_that_comes_too_late(
    call: Call, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody took the run between the look and the removal."""
    from skipjack.cli.runs import prune

    plan = prune.plan

    def late(own: prune.PruneFlags) -> list[prune.Removal]:
        found = plan(own)
        held.__enter__()
        return found

    held = lock.hold(runs / "s-1")
    monkeypatch.setattr(prune, "plan", late)
    code, out, _ = call("runs", "prune", "--env", "squared", "--yes")
    held.__exit__(None, None, None)
    assert code == 1
    assert "s-1 stays: Only one process at a time" in out
    assert (runs / "s-1" / "config.toml").exists()


def test_stopped_and_failed(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from skipjack.run.run import Run

    with monkeypatch.context() as patch:
        patch.setattr(Run, "_after_update", lambda *_: signal.raise_signal(signal.SIGINT))
        assert call("train", "cartpole", *TINY, "--run", "stopped")[0] == 130
    assert describe(tmp_path / "runs/stopped").state == "stopped"
    out = call("runs", "show", "stopped")[1]
    assert "skipjack train cartpole --run stopped --resume\n" in out
    from skipjack.errors import RunError
    from skipjack.train.ppo import PPO

    def fail(self: PPO, rollout: Any = None) -> None:
        raise RunError("The loss must be finite, but got nan.")

    monkeypatch.setattr(PPO, "learn", fail)
    assert call("train", "cartpole", *TINY, "--run", "failed")[0] == 1
    found = describe(tmp_path / "runs/failed")
    assert found.state == "failed"
    assert found.problem.startswith("The loss must be finite")
    assert {"running", "finished", "stopped", "failed", "killed", "damaged"} == set(STATES)


# ---- show ----


def test_show(call: Call, runs: Path) -> None:
    code, out, _ = call("runs", "show", "c-2")
    assert code == 0
    for words in (
        "c-2  cartpole",
        "from    c-1 at step 512, ",
        "skipjack train cartpole",
        "train.clip = 0.5  (preset: 0.2, flag, beyond the high end of its usual range, 0.05 to 0.4)",
        "train.learning_rate = 0.05  (preset: 0.005, file mine.toml, beyond the high end",
        "skipjack eval c-2 --episodes 1000",
        "skipjack train cartpole --run c-2 --resume --train.steps 1024",
        "latest",
    ):
        assert words in out, words
    assert "seed = " not in out
    found = json.loads(call("runs", "show", "c-1", "--json")[1])
    assert found["started_from_this"] == ["c-2"]
    assert found["settings"]["train.minibatches"] == {"value": 2, "preset": 8, "from": "flag"}
    assert [row["steps"] for row in found["checkpoints"]] == list(range(0, 513, 64))
    assert sum(row["latest"] for row in found["checkpoints"]) == 1
    assert sum(row["best"] for row in found["checkpoints"]) == 1
    assert found["evaluation"]["score"] == found["score"]
    assert found["best_score"] == checkpoint.latest(runs / "c-1").state["best"][0]
    by_path = json.loads(call("runs", "show", "runs/c-1/checkpoints/000000000064", "--json")[1])
    assert by_path["run"] == "c-1"


def test_next_commands_work(call: Call, runs: Path) -> None:
    """As they are printed: they evaluate, extend and start anew; in another root too."""
    runs.rename("others")
    found = json.loads(call("runs", "show", "c-1", "--root", "others", "--json")[1])
    for line in found["next"]:
        words = line.removeprefix("skipjack ").replace("1000", "4").split()
        code, _, err = call(*words, *(TINY if "--from" in words else []))
        assert code == 0, (line, err)
    assert describe(Path("others/c-1")).steps == 1024
    assert describe(Path("runs/cartpole-1")).source is not None


def test_extending_keeps_the_provenance(call: Call, runs: Path) -> None:
    call("train", "cartpole", "--run", "c-2", "--resume", "--train.steps", "1024", "--threads", "1")
    found = json.loads(call("runs", "show", "c-2", "--json")[1])
    assert [sitting["steps"] for sitting in found["sittings"]] == [0, 512]
    sources = {name: row["from"] for name, row in found["settings"].items()}
    assert sources["train.learning_rate"] == "file mine.toml"
    assert sources["vector.threads"] == "flag"
    assert found["source"]["run"] == "c-1"
    assert found["source"]["steps"] == 512


# ---- diff ----


def test_diff_of_runs(call: Call, runs: Path) -> None:
    entries = origin.read(runs / "c-2")
    entries[-1] |= {"commit": "abc1234567", "dirty": True, "torch": "9.9"}
    (runs / "c-2" / "origin.json").write_text(json.dumps(entries))
    code, out, _ = call("runs", "diff", "c-1", "c-2")
    assert code == 0
    assert "0.05 (file mine.toml)" in out
    assert "abc1234*" in out
    found = json.loads(call("runs", "diff", "c-1", "c-2", "--json")[1])
    assert set(found["settings"]) == {
        "train.clip", "train.learning_rate", "train.keep", "train.checkpoint_every",
    }  # fmt: skip
    assert found["settings"]["train.clip"] == {
        "a": {"value": 0.2, "from": "default"},
        "b": {"value": 0.5, "from": "flag"},
    }
    assert found["origin"]["torch"]["b"] == "9.9"
    assert "python" not in found["origin"]
    assert call("runs", "diff", "c-1", "c-1")[1] == "No setting differs.\n"


def test_diff_of_environments_files_and_runs(call: Call, runs: Path) -> None:
    Path("mine.toml").write_text("[train]\nclip = 0.5\n")
    Path("other.toml").write_text("[train]\nclip = 0.1\ngone = 1\n")

    def settings(*sides: str) -> dict[str, Any]:
        code, out, err = call("config", "diff", *sides, "--json")
        assert code == 0, err
        return json.loads(out)["settings"]

    found = settings("pong", "pong/lstm")
    assert found["policy.memory"] == {
        "a": {"value": "none", "from": "default"},
        "b": {"value": "lstm", "from": "preset pong/lstm"},
    }
    assert "train.clip" not in found
    # A file alone: what training the other side's environment with it would be.
    found = settings("pong", "mine.toml")
    assert list(found) == ["train.clip"]
    assert found["train.clip"]["b"] == {
        "value": 0.5,
        "from": "file mine.toml",
        "edge": "beyond the high end of its usual range, 0.05 to 0.4",
    }
    assert list(settings("mine.toml", "c-2"))[:2] != ["train.clip"]
    assert "train.clip" not in settings("mine.toml", "c-2")
    # Two files without an environment: as they stand.
    assert set(settings("mine.toml", "other.toml")) == {"train.clip", "train.gone"}
    # A run's own file is complete.
    assert settings("c-1", "runs/c-1/config.toml") == {}
    code, _, err = call("config", "diff", "pong", "other.toml")
    assert code == 2
    assert "There is no setting 'train.gone'" in err


def test_diff_of_a_file_that_names_its_environment(call: Call, runs: Path) -> None:
    """It is what training with it would be: the preset's values, read as settings are."""
    Path("pong.toml").write_text('name = "pong"\n[train]\nsteps = 5e5\n')
    Path("breakout.toml").write_text('name = "breakout"\n')
    found = json.loads(call("config", "diff", "pong.toml", "pong", "--json")[1])["settings"]
    assert list(found) == ["train.steps"]
    assert json.dumps(found["train.steps"]["a"]["value"]) == "500000"
    assert found["train.steps"]["a"]["from"] == "file pong.toml"
    out = call("config", "diff", "pong.toml", "breakout.toml")[1]
    assert out.splitlines()[1].split() == ["env", "pong", "breakout"]
    Path("gone.toml").write_text('name = "gone.away:Env"\n[train]\nsteps = 5\n')
    assert call("config", "diff", "gone.toml", "pong")[0] == 0


def test_a_run_called_as_an_environment(call: Call, runs: Path) -> None:
    (runs / "c-2").rename(runs / "cartpole")
    code, out, err = call("config", "diff", "cartpole", "cartpole")
    assert (code, out) == (0, "No setting differs.\n")
    assert err.splitlines()[0] == "'cartpole' is the environment here; the run is ./runs/cartpole"
    for name in ("runs/cartpole", "./runs/cartpole"):
        code, out, err = call("config", "diff", "cartpole", name)
        assert "train.clip" in out
        assert f"{name}' is" not in err
    code, out, err = call("runs", "diff", "cartpole", "c-1")
    assert "train.clip" in out
    assert "'cartpole' is the run here" in err


# ---- prune ----


def pruned(call: Call, *flags: str) -> list[str]:
    """The runs that a dry run would remove."""
    code, out, err = call("runs", "prune", *flags, "--json")
    assert code == 0, err
    return [row["run"] for row in json.loads(out)["runs"] if not row["kept"]]


def test_prune_touches_nothing_without_yes(call: Call, runs: Path) -> None:
    before = {path: path.read_bytes() for path in runs.rglob("*") if path.is_file()}
    code, out, _ = call("runs", "prune", "--env", "pong")
    size = sum(len(data) for path, data in before.items() if "p-1" in path.parts)
    assert code == 0
    assert "Would be removed: 1 of 1" in out
    assert json.loads(call("runs", "prune", "--env=pong", "--json")[1])["runs"][0]["bytes"] == size
    assert before == {path: path.read_bytes() for path in runs.rglob("*") if path.is_file()}
    code, out, _ = call("runs", "prune", "--env", "pong", "--yes")
    assert code == 0
    assert "Removed: 1 of 1" in out
    assert listed(call) == ["c-1", "c-2", "s-1"]
    assert sorted(path.name for path in runs.iterdir()) == ["c-1", "c-2", "s-1"]


def test_criteria_hold_together(call: Call, runs: Path) -> None:
    rescore(runs, c_1=0.2, c_2=0.6, s_1=0.5, p_1=0.1)
    with (runs / "s-1" / "metrics.jsonl").open("a") as file:
        file.write('{"update": 9, "steps": 600, "episodes": 100000, "episodes/score": 0.9}\n')
    moment = time.time() - DAY - 60
    os.utime(runs / "s-1" / "metrics.jsonl", (moment, moment))
    assert pruned(call, "--older-than", "36h") == ["c-1", "c-2"]
    assert pruned(call, "--older-than", "60h") == [], "c-2 stays and was started from c-1"
    assert pruned(call, "--older-than", "60h", "--sources") == ["c-1"]
    assert pruned(call, "--older-than", "0.5d", "--env", "squared") == ["s-1"]
    assert pruned(call, "--max-score", "0.5", "--sources") == ["c-1", "p-1"]
    assert pruned(call, "--unfinished") == ["s-1"]
    assert pruned(call, "--keep-best", "1", "--sources") == ["c-1"]
    assert pruned(call, "--max-score", "1", "--keep-best", "2") == []


def test_sources_of_other_runs_stay(call: Call, runs: Path) -> None:
    rescore(runs, c_1=0.2, c_2=0.6)
    out = call("runs", "prune", "--keep-best", "1")[1]
    assert "c-1 stays: c-2 was started from it (--sources)." in out
    # A chain: what stays keeps its source, and that in turn its own.
    call("train", "cartpole", *TINY, "--from", "c-2", "--run", "c-3")
    assert pruned(call, "--older-than", "12h", "--env", "cartpole") == []
    assert pruned(call, "--older-than", "12h", "--env", "cartpole", "--sources") == ["c-1", "c-2"]
    # They may all go together.
    assert pruned(call, "--env", "cartpole") == ["c-1", "c-2", "c-3"]


def test_damaged_runs_go_only_as_unfinished(call: Call, runs: Path) -> None:
    (runs / "p-1" / "config.toml").write_text("[")
    (runs / "s-1" / "config.toml").unlink()
    assert pruned(call, "--keep-best", "9") == []
    assert pruned(call, "--older-than", "0s") == ["c-1", "c-2"]
    assert sorted(pruned(call, "--unfinished")) == ["p-1", "s-1"]


def test_thinning_out_checkpoints(call: Call, runs: Path) -> None:
    """The latest, the best and what another run was started from stay; the run goes on from there."""
    state = checkpoint.latest(runs / "c-1").state
    best = state["best"][1]
    entries = origin.read(runs / "c-2")
    entries[0]["from"]["steps"] = 128
    (runs / "c-2" / "origin.json").write_text(json.dumps(entries))
    code, out, _ = call("runs", "prune", "--checkpoints", "--env", "cartpole", "--yes")
    assert code == 0, out

    def left() -> set[int]:
        return {int(path.name) for path in (runs / "c-1" / "checkpoints").iterdir()}

    assert left() == {128, best, 512}
    call("runs", "prune", "--checkpoints", "--sources", "--yes")
    assert left() == {best, 512}
    assert len(listed(call)) == 4
    code, _, err = call("train", "cartpole", "--run", "c-1", "--resume", "--train.steps", "1024")
    assert code == 0, err


@pytest.mark.parametrize("damage", ["cut", "gone", "pointer"])
def test_thinning_needs_a_whole_latest(call: Call, runs: Path, damage: str) -> None:
    """Where the newest checkpoint is damaged, the older ones are all that is left."""
    run = runs / "c-1"
    newest = checkpoint.latest(run).path
    if damage == "cut":
        weights = newest / "policy.safetensors"
        weights.write_bytes(weights.read_bytes()[:-10])
    elif damage == "gone":
        shutil.rmtree(newest)
    else:
        (run / "latest").unlink()
    before = sorted((run / "checkpoints").iterdir())
    _code, out, err = call("runs", "prune", "--checkpoints", "--env=cartpole", "--yes")
    assert "c-1 stays" in out, err
    assert sorted((run / "checkpoints").iterdir()) == before


def test_a_linked_run_stays(call: Call, runs: Path, tmp_path: Path) -> None:
    (runs / "p-1").rename(tmp_path / "elsewhere")
    (runs / "p-1").symlink_to(tmp_path / "elsewhere")
    code, out, _ = call("runs", "prune", "--env", "pong", "--yes")
    assert (code, out) == (0, "Nothing is as asked.\n")
    assert listed(call) == ["c-1", "c-2", "s-1", "p-1"]


# ---- links, other tools' folders, odd names ----


def test_a_link_is_no_run_of_its_own(call: Call, runs: Path) -> None:
    """It takes no place among the best, is not removed, and what it leads to stays with it."""
    rescore(runs, c_1=0.6, c_2=0.2)
    (runs / "alias").symlink_to("c-1", target_is_directory=True)
    assert pruned(call, "--keep-best", "2", "--sources") == [], "the link is not the second best"
    found = json.loads(call("runs", "prune", "--env", "cartpole", "--json", "--sources")[1])["runs"]
    assert {row["run"]: row["kept"] for row in found} == {
        "c-1": "alias is a link to it",
        "c-2": "",
    }
    code, out, _ = call("runs", "prune", "--env", "cartpole", "--sources", "--yes")
    assert code == 0, out
    assert "Removed: 1 of 2" in out
    assert sorted(path.name for path in runs.iterdir()) == ["alias", "c-1", "p-1", "s-1"]


def test_a_linked_checkpoint_stays(call: Call, runs: Path) -> None:
    (runs / "mine").symlink_to(Path("c-1/checkpoints/000000000128"), target_is_directory=True)
    assert "c-1" not in pruned(call, "--env", "cartpole")
    call("runs", "prune", "--checkpoints", "--yes")
    assert (runs / "mine" / "manifest.json").exists()


def test_the_dry_run_sees_a_damaged_latest(call: Call, runs: Path) -> None:
    weights = checkpoint.latest(runs / "c-1").path / "policy.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    assert "c-1" not in pruned(call, "--checkpoints")


def test_folders_of_other_tools_are_never_removed(call: Call, runs: Path) -> None:
    for name, file in (
        ("torch", "checkpoints/best.pt"),
        ("thesis", "thesis.tex"),
        ("numbers", "checkpoints/000000000005/weights.pt"),
        ("stray", "metrics.jsonl"),
        ("other", "origin.json"),
    ):
        path = runs / name / file
        path.parent.mkdir(parents=True)
        path.write_text("[{}]")
    (runs / "thesis" / "config.toml").write_text('name = "thesis"\n')
    before = sorted(runs.rglob("*"))
    for criterion in ("--unfinished", "--older-than=0s"):
        code, out, _ = call("runs", "prune", criterion, "--yes", "--env=", "--max-score=-1")
        assert code == 0, out
    code, out, _ = call("runs", "prune", "--unfinished", "--yes")
    assert code == 0
    for name in ("torch", "thesis", "numbers", "stray", "other"):
        assert f"{name} stays: nothing in it says that Skipjack wrote it." in out
    call("runs", "prune", "--checkpoints", "--unfinished", "--yes")
    assert sorted(runs.rglob("*")) == before


def test_sources_are_told_apart_by_their_path(call: Call, runs: Path) -> None:
    """A run of the same name elsewhere is another; where the path is gone, the name counts."""
    shutil.copytree(runs / "c-1", "elsewhere/c-1")
    entries = origin.read(runs / "c-2")
    entries[0]["from"]["checkpoint"] = str(Path("elsewhere/c-1/checkpoints/000000000512").resolve())
    (runs / "c-2" / "origin.json").write_text(json.dumps(entries))
    keep_c2 = ["--older-than", "60h"]
    assert pruned(call, *keep_c2) == ["c-1"]
    assert json.loads(call("runs", "show", "c-1", "--json")[1])["started_from_this"] == []
    shutil.rmtree("elsewhere")
    assert pruned(call, *keep_c2) == []


def test_a_line_break_in_a_name_breaks_no_line(call: Call, runs: Path) -> None:
    (runs / "p-1").rename(runs / "p\n1")
    assert len(call("runs")[1].splitlines()) == 5
    assert "p\\n1" in call("runs")[1]
    assert "p\\n1" in call("list")[1]
    (runs / "x\ny" / "checkpoints").mkdir(parents=True)
    assert "x\\ny stays" in call("runs", "prune", "--unfinished")[1]


def test_mistakes_in_filters(call: Call, runs: Path) -> None:
    for command in (["runs"], ["runs", "prune"]):
        code, _, err = call(*command, "--env", "cartpol")
        assert code == 2
        assert "Did you mean 'cartpole'" in err
    assert listed(call, "--env", "breakout") == [], "known, but without a run"
    for flags in (["runs", "--min-score=nan"], ["runs", "prune", "--max-score=nan"]):
        code, _, err = call(*flags)
        assert code == 2
        assert "must be a number" in err
    Path("file").write_text("")
    for command in (["runs"], ["runs", "prune", "--unfinished"], ["runs", "show", "c-1"]):
        code, _, err = call(*command, "--root", "file")
        assert code == 2, command
        assert "must be a folder" in err


def test_a_foreign_origin_is_no_traceback(call: Call, runs: Path) -> None:
    (runs / "c-1" / "origin.json").write_text(
        '[{"settings": {"flag": [["x"]], "file": 3}, "command": 5, "steps": "x", "from": {"run": "\\u0000"}}]'
    )
    path = runs / "c-1" / "config.toml"
    path.write_text(re.sub("steps = .*", 'steps = "x"', path.read_text(), count=1))
    for command in (["show", "c-1"], ["diff", "c-1", "c-2"], ["prune", "--env", "cartpole"]):
        code, _, err = call("runs", *command)
        assert (code, err) == (0, ""), command


# ---- the random player ----


def test_the_random_players_score_stands_beside(call: Call, runs: Path) -> None:
    final = json.loads((runs / "c-1" / "metrics.jsonl").read_text().splitlines()[-1])
    random = f"{final['random_score']:.3f}"
    head, line = call("runs", "--env=cartpole", "--limit=2")[1].splitlines()[:2]
    assert line[head.index("random") :].startswith(random)
    rows = json.loads(call("runs", "--env=cartpole", "--json")[1])["runs"]
    assert rows[0]["random_score"] == final["random_score"]
    assert re.search(rf"\nrandom +{random}", call("runs", "show", "c-1")[1])
    assert f", random {random}" in call("list")[1]
    path = runs / "c-2" / "metrics.jsonl"
    rows = path.read_text().splitlines()
    path.write_text(
        "\n".join([*rows[:-1], json.dumps(json.loads(rows[-1]) | {"random_score": 0.5})])
    )
    assert re.search(rf"random +{random} +0.500", call("runs", "diff", "c-1", "c-2")[1])


def test_show_and_train_say_the_same_next(call: Call) -> None:
    """Also where the last rollout went past the budget."""
    flags = [flag for flag in TINY if "train.steps" not in flag]
    _, out, err = call("train", "cartpole", *flags, "--train.steps=100", "--run=r")
    (line,) = [line.strip() for line in out.splitlines() if "--resume" in line]
    assert line in call("runs", "show", "r")[1], err
    code, _, err = call(*line.removeprefix("skipjack ").split())
    assert code == 0, err


# ---- values at the edge ----


def test_own_values_at_the_edge_are_pointed_out_at_the_start(call: Call) -> None:
    flags = [flag for flag in TINY if "steps" in flag or "eval" in flag]
    shape = ["--vector.num-envs=64", "--train.minibatches=2"]
    _, _, err = call("train", "cartpole", *flags, *shape, "--train.clip=0.5")
    assert "train.clip = 0.5 is beyond the high end of its usual range, 0.05 to 0.4" in err
    assert "minibatches" not in err
    assert err.index("train.clip") < err.index("Training cartpole")


def test_an_encoder_that_takes_categories_for_numbers_is_pointed_out(call: Call) -> None:
    flags = [flag for flag in TINY if "steps" in flag or "eval" in flag]
    shape = ["--vector.num-envs=64", "--train.minibatches=2"]
    words = "The mlp encoder reads categories"
    _, _, err = call("train", "memory", *flags, *shape, "--policy.encoder=mlp")
    assert words not in err, "it has none"
    _, _, err = call("train", "grid/forage", *flags, *shape, "--policy.encoder=mlp")
    assert f"{words} (window) as numbers" in err
    assert err.index(words) < err.index("Training grid/forage")
    _, _, err = call("train", "squared", *flags, *shape)
    assert words not in err, "the preset's own was found by tuning"


def test_a_preset_is_not_questioned(call: Call) -> None:
    """The preset of squared has 300 000 steps, fewer than the usual range; only `config show` says so."""
    _, out, _ = call("config", "show", "squared")
    (line,) = [line for line in out.splitlines() if line.startswith("steps")]
    assert line.endswith(
        "# preset squared/default, beyond the low end of its usual range, 1e+06 to 1e+09"
    )
    shown = json.loads(call("config", "show", "squared", "--json")[1])["settings"]
    assert shown["train.steps"]["edge"].startswith("beyond the low end")
    assert "edge" not in shown["train.value_clip"], "0 switches off"
    from skipjack.cli.train import _at_edge
    from skipjack.run.config import configure

    assert _at_edge(configure("squared")) == ""
    assert "train.steps" in _at_edge(configure("squared", flags={"train.steps": 1000}))
