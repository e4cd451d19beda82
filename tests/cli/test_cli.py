"""The command line as users meet it: commands, fields of --json, and every mistake."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from skipjack import checkpoint
from skipjack.cli.main import COMMANDS, main
from tests.cli.conftest import TINY, Call, sentence, train

FIELDS = (
    "env run seed steps steps_per_second seconds seconds_start seconds_final seconds_total score "
    "score_ci95 random_score return episodes unfinished"
)


# ---- what works ----


def test_train_gives_every_field(call: Call) -> None:
    row = train(call)
    assert set(FIELDS.split()) <= set(row)
    assert (row["env"], row["seed"], row["steps"]) == ("cartpole", 0, 512)
    assert row["seconds_total"] >= row["seconds"] + row["seconds_final"]
    assert 0 <= row["score"] <= 1
    assert (row["episodes"], row["unfinished"]) == (4, 0)
    folder = Path(row["run"])
    assert {"config.toml", "origin.json", "metrics.jsonl", "latest", "checkpoints"} <= {
        path.name for path in folder.iterdir()
    }
    origin = json.loads((folder / "origin.json").read_text())
    assert {"command", "commit", "dirty", "python", "torch", "host", "threads"} <= set(origin[0])


def test_the_final_evaluation_is_one_number_everywhere(call: Call) -> None:
    row = train(call)
    last = json.loads((Path(row["run"]) / "metrics.jsonl").read_text().splitlines()[-1])
    assert (last["kind"], last["score"], last["score_ci95"]) == (
        "evaluation", row["score"], row["score_ci95"],
    )  # fmt: skip
    code, out, _ = call("eval", "cartpole-1", "--episodes", "4", "--json")
    again = json.loads(out)
    assert code == 0
    for name in ("score", "return", "random_score"):
        assert again[name] == row[name] == last[name]


def test_the_random_player_stands_beside_every_score(call: Call) -> None:
    code, _, err = call("train", "cartpole", *TINY)
    assert code == 0
    shown = re.search(r"Final evaluation: (score 0.\d+ ± 0.\d+ \(random player 0.0[1-9]\d\))", err)
    assert shown, err
    code, out, _ = call("eval", "cartpole-1", "--episodes", "4")
    assert f"Evaluation: {shown[1]}" in out, out


def test_resume_extends_and_keeps_the_settings(call: Call) -> None:
    first = train(call, "cartpole", "--train.learning-rate=0.002", "--run", "mine")
    code, out, err = call(
        "train", "cartpole", "--run", "mine", "--resume", "--train.steps=1024", "--json"
    )
    row = json.loads(out.splitlines()[-1])
    assert code == 0, err
    assert (row["run"], row["steps"]) == (first["run"], 1024)
    updates = [
        json.loads(line).get("update") for line in (Path(row["run"]) / "metrics.jsonl").open()
    ]
    assert [update for update in updates if update] == list(range(1, 17))
    # Without a name: the newest run of this environment.
    code, out, err = call("train", "cartpole", "--resume", "--train.steps=1536", "--json")
    assert json.loads(out.splitlines()[-1])["steps"] == 1536, err
    assert "learning_rate = 0.002" in (Path(row["run"]) / "config.toml").read_text()
    assert len(json.loads((Path(row["run"]) / "origin.json").read_text())) == 3


def test_from_starts_anew_with_the_weights(call: Call) -> None:
    train(call)
    row = train(call, "cartpole", "--from", "cartpole-1")
    assert row["run"].endswith("cartpole-2")
    one = checkpoint.latest(Path("runs/cartpole-1"))
    start = checkpoint.load(Path("runs/cartpole-2/checkpoints/000000000000"))
    for name, array in one.arrays("policy").items():
        assert (start.arrays("policy")[name] == array).all()


def test_plain_words_at_the_end(call: Call) -> None:
    code, out, err = call("train", "squared", *TINY)
    assert code == 0
    assert "Final evaluation: score" in err
    for words in ("runs/squared-1", "skipjack eval squared-1", "--resume --train.steps 1024"):
        assert words in out
    code, out, _ = call("eval", "squared-1", "--episodes", "8")
    assert code == 0
    assert out.startswith("squared at step 512. Evaluation: score")


def test_flags_reach_the_run(call: Call) -> None:
    row = train(
        call, "pong", "--env.opponent-speed", "4", "--threads", "1", "--seed=7",
        "--env.no-desynchronise",
    )  # fmt: skip
    text = (Path(row["run"]) / "config.toml").read_text()
    for line in ("opponent_speed = 4.0", "threads = 1", "seed = 7", "desynchronise = false"):
        assert line in text


def test_a_settings_file(call: Call, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[train]\nlearning_rate = 0.001\nclip = 0.1\n")
    row = train(call, "cartpole", "--config", "mine.toml", "--train.clip", "0.3")
    text = (Path(row["run"]) / "config.toml").read_text()
    assert "learning_rate = 0.001" in text
    assert "clip = 0.3" in text
    _code, out, _ = call("config", "show", "cartpole", "--config", "mine.toml", "--json")
    shown = json.loads(out)["settings"]
    assert shown["train.learning_rate"] == {"value": 0.001, "from": "file mine.toml"}
    assert shown["train.schedule"]["from"] == "default"
    assert shown["vector.num_envs"]["from"].startswith("preset")


def test_list_shows_environments_and_runs(call: Call) -> None:
    code, out, _ = call("list")
    assert code == 0
    assert "pong/lstm" in out
    assert "No runs yet" in out
    train(call)
    assert "cartpole-1" in call("list")[1]
    listed = json.loads(call("list", "--json")[1])
    assert listed["runs"][0]["run"] == "cartpole-1"
    assert {"name", "summary"} <= set(listed["environments"][0])


def test_bench_measures(call: Call) -> None:
    quick = ["--seconds", "0.05", "--repetitions", "1", "--vector.num-envs", "64", "--json"]
    row = json.loads(call("bench", "steps", "pong", *quick, "--threads=3")[1])
    assert [speed["threads"] for speed in row["speeds"]] == [1, 3]
    trained = json.loads(call("bench", "train", "cartpole", *quick, "--threads=3")[1])
    assert trained["threads"] == 3
    assert sum(trained["time"].values()) == pytest.approx(1)
    for speed in (*row["speeds"], trained):
        assert 100 < speed["lowest"] <= speed["steps_per_second"] <= speed["highest"]
    for found in (row, trained):
        assert not any(set(key) & set(" /%,") for key in found), "keys are names, not prose"
    out = call("bench", "steps", "pong", *quick[:-1], "--threads=3")[1]
    assert re.search(r"^steps/s, one thread +[\d,]+  \([\d,]+ to [\d,]+\)$", out, re.M), out
    assert re.search(r"^steps/s, 3 threads +[\d,]+  \(", out, re.M), out
    out = call("bench", "train", "cartpole", *quick[:-1])[1]
    assert re.search(r"^time, learning +\d+\.\d%$", out, re.M), out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(call: Call, command: str) -> None:
    code, out, _ = call(command, "--help")
    assert code == 0
    assert command in out


def test_help_names_default_and_range_of_every_setting(call: Call) -> None:
    from skipjack.config import settings
    from skipjack.run.config import configure

    out = " ".join(call("train", "pong", "--help")[1].replace("│", " ").split())
    for name in settings(type(configure("pong").config)):
        assert f"--{name.replace('_', '-')}" in out
    assert "Must be between 0 and 1" in out
    assert "(default: 0.008)" in out, "the preset's value is the default shown"


# ---- what does not ----

USAGE = [
    (["trian", "pong"], "Did you mean 'train'"),
    (["train"], "A name must come first"),
    (["train", "brekout"], "Did you mean 'breakout'"),
    (["train", "pong/lstn"], "Did you mean 'pong/lstm'"),
    (["train", "pong", "--train.learning-rat=1"], "--train.learning-rate"),
    (["train", "pong", "--train.learning-rate", "5"], "must be between 0 and 1, but got '5'"),
    (["train", "pong", "--train.learning-rate", "fast"], "must be a number"),
    (["train", "pong", "--train.steps", "0"], "train.steps must be between 1 and"),
    (["train", "pong", "--train.precision", "int8"], "must be one of float32, bfloat16"),
    (["train", "pong", "--vector.num-envs", "6", "--vector.groups", "4"], "multiple of the number of groups"),
    (["train", "pong", "--vector.num-envs", "4", "--train.minibatches", "8"], "one row for each minibatch"),
    (["train", "pong", "--train.device", "cuda"], "one that torch can use here"),
    (["train", "pong", "--policy", "nowhere:Policy"], "must be importable"),
    (["train", "pong", "--config", "none.toml"], "must exist"),
    (["train", "pong", "--run", "a/b"], "folder name"),
    (["train", "pong", "--from", "nothing"], "There is no run 'nothing'"),
    (["train", "pong", "--resume"], "no run of 'pong'"),
    (["eval"], "A name must come first"),
    (["eval", "nothing"], "There is no run 'nothing'"),
    (["bench", "stpes", "pong"], "Did you mean 'steps'"),
    (["bench", "steps"], "must name an environment"),
    (["bench", "steps", "pong", "--seconds", "0"], "--seconds must be between 0.01"),
    (["config"], "config show pong"),
    (["config", "shwo", "pong"], "Did you mean 'show'"),
    (["config", "diff"], "A name must come first"),
    (["config", "diff", "pong"], "A name must come first"),
    (["config", "diff", "pong", "pog"], "Did you mean 'pong'"),
    (["config", "diff", "pong", "none.toml"], "must exist"),
    (["runs", "shwo"], "Did you mean 'show'"),
    (["runs", "show"], "A name must come first"),
    (["runs", "show", "nothing"], "There is no run 'nothing'"),
    (["runs", "--limit", "-1"], "--limit must be at least 0"),
    (["runs", "--sort", "luck"], "--sort"),
    (["runs", "prune"], "must be given a criterion"),
    (["runs", "prune", "--yes"], "must be given a criterion"),
    (["runs", "prune", "--older-than", "soon"], "a number and a unit"),
    (["runs", "prune", "--keep-best", "-1"], "--keep-best must be at least 0"),
    (["list", "--jsn"], "Did you mean '--json'"),
    (["doctor", "--jsn"], "Did you mean '--json'"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "words"), USAGE, ids=[" ".join(a) for a, _ in USAGE])
def test_usage_errors(call: Call, arguments: list[str], words: str) -> None:
    """One clear sentence, exit code 2, and nothing left behind."""
    if words.startswith("one that torch"):
        import torch

        if torch.cuda.is_available():
            pytest.skip("there is a GPU")
    code, out, err = call(*arguments)
    assert code == 2, (out, err)
    assert words in sentence(err)
    assert not [path for path in Path().rglob("*") if path.is_file()], "nothing must be left"


def test_errors_as_json(call: Call) -> None:
    code, out, _ = call("train", "brekout", "--json")
    assert code == 2
    assert json.loads(out)["exit_code"] == 2


def test_a_resumed_run_keeps_what_shaped_it(call: Call) -> None:
    train(call)
    for flags, words in [
        (["--train.learning-rate", "0.1"], "may only change"),
        (["--train.steps", "512"], "more than the 512 steps"),
        (["--from", "cartpole-1", "--train.steps", "1024"], "must not be given together"),
    ]:
        code, _, err = call("train", "cartpole", "--resume", *flags)
        assert code == 2
        assert words in err
    code, _, err = call("train", "cartpole", "--run", "cartpole-1", *TINY)
    assert code == 2
    assert "exists already" in err


def test_checkpoints_of_another_environment_or_policy(call: Call) -> None:
    train(call)
    code, _, err = call("train", "squared", *TINY, "--from", "cartpole-1")
    assert code == 1
    assert "is of 'cartpole', but the run is of 'squared'" in err
    code, _, err = call(
        "train", "cartpole", *TINY, "--policy.memory", "lstm", "--from", "cartpole-1"
    )
    assert code == 1
    assert "must fit the policy" in err
    code, _, err = call("train", "squared", "--run", "cartpole-1", "--resume", "--train.steps=1024")
    assert code == 2
    assert "cartpole" in err


@pytest.mark.parametrize("damage", ["cut", "changed", "newer", "config"])
def test_damaged_runs(call: Call, damage: str) -> None:
    """Found before anything is done, told in a sentence, and the folder stays as it is."""
    row = train(call, "cartpole", "--train.keep", "1")
    run = Path(row["run"])
    for older in sorted((run / "checkpoints").iterdir())[:-1]:
        shutil.rmtree(older)
    newest = checkpoint.latest(run).path
    weights = newest / "policy.safetensors"
    if damage == "cut":
        weights.write_bytes(weights.read_bytes()[:-10])
    elif damage == "changed":
        data = bytearray(weights.read_bytes())
        data[-5] ^= 1
        weights.write_bytes(bytes(data))
    elif damage == "newer":
        manifest = json.loads((newest / "manifest.json").read_text())
        (newest / "manifest.json").write_text(json.dumps(manifest | {"format": 99}))
    else:
        (run / "config.toml").write_text("[train\n")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    words = {"cut": "cut off", "changed": "SHA-256", "newer": "format 99", "config": "must be TOML"}
    for command in (["eval", row["run"]], ["train", "cartpole", "--run", run.name, "--resume"]):
        code, _, err = call(*command)
        assert code == (2 if damage == "config" else 1)
        assert words[damage] in err
        assert "Traceback" not in err
    assert before == {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


@pytest.mark.parametrize("place", ["read-only", "taken"])
def test_runs_that_cannot_be_written(
    call: Call, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """/sys takes no folders, from root neither; a file named runs is in the way of the folder."""
    if place == "read-only":
        if not Path("/sys").is_dir():
            pytest.skip("no folder here is read-only for everybody")
        monkeypatch.chdir("/sys")
    else:
        Path("runs").write_text("")
    code, _, err = call("train", "cartpole", *TINY)
    assert code == 1
    assert "must be writable" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("file", ["metrics.jsonl", "checkpoints"])
def test_a_disk_that_fills_up(call: Call, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run stops with a sentence; what was saved before is whole and can be resumed."""
    if file == "metrics.jsonl":
        from skipjack.report import store

        append, calls = store.Store._append, []

        def full(self: Any, row: Any) -> None:
            calls.append(row)
            if len(calls) > 3:
                raise self._unwritable(OSError(28, "No space left on device"))
            append(self, row)

        monkeypatch.setattr(store.Store, "_append", full)
    else:
        write, calls = checkpoint._write, []

        def full_write(path: Path, data: bytes) -> None:
            calls.append(path)
            if (
                path.name == "policy.safetensors"
                and len([c for c in calls if c.name == path.name]) > 2
            ):
                raise OSError(28, "No space left on device")
            write(path, data)

        monkeypatch.setattr(checkpoint, "_write", full_write)
    code, _, err = call("train", "cartpole", *TINY, "--train.checkpoint-every", "0")
    assert code == 1
    assert "No space left on device" in err
    assert "Traceback" not in err
    assert checkpoint.latest(next(Path("runs").iterdir())).state["env"] == "cartpole"


def test_idle_threads_sleep_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    main(["--version"])
    assert "GOMP_SPINCOUNT" not in os.environ
    monkeypatch.delenv("OMP_WAIT_POLICY")
    main(["--version"])
    assert os.environ["GOMP_SPINCOUNT"] == "1000"


def test_a_closed_pipe_is_no_traceback(tmp_path: Path) -> None:
    line = f"{sys.executable} -m skipjack train pong --help | head -1"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path)
    assert "Traceback" not in done.stderr
