"""The suite: resumed after anything, failures are rows, a stop is clean."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from skipjack.bench import child, suite
from skipjack.cli.main import main
from skipjack.errors import UsageError


class Children:
    """Stands for the child processes: writes what a training leaves and gives its JSON line."""

    def __init__(self) -> None:
        self.trained: list[str] = []
        self.settings: dict[str, Any] = {"train.steps": 100, "eval.opponent": ""}
        self.broken: set[str] = set()
        self.stop_at = ""

    def __call__(
        self, words: Sequence[str], folder: Path, lock: int | None
    ) -> tuple[int, str, str]:
        if words[0] == "config":
            rows = {name: {"value": value} for name, value in self.settings.items()}
            return 0, json.dumps({"settings": rows}), ""
        env, seed, name = words[1], int(words[3]), words[5]
        run = folder / "runs" / name
        run.mkdir(parents=True)  # fails if what was cut in half is still there
        (run / "metrics.jsonl").write_text("")
        if name == self.stop_at:
            raise KeyboardInterrupt
        self.trained.append(name)
        if env in self.broken:
            return 1, json.dumps({"error": "It must work, but does not.", "exit_code": 1}), "noise"
        metrics = [
            {
                "update": i,
                "steps": 10 * i,
                "seconds": 0.1 * i,
                "episodes": 30,
                "episodes/score": 0.25 * i,
            }
            for i in range(1, 5)
        ]
        (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in metrics))
        (run / "origin.json").write_text(
            json.dumps([{"commit": "0123456789abcdef", "dirty": True}])
        )
        row = {
            "steps": 40,
            "steps_per_second": 100.0 * seed,
            "seconds": 0.4,
            "score": 0.9 + seed / 100,
        }
        row |= {"score_ci95": 0.01, "random_score": 0.1, "episodes": 8, "unfinished": 0}
        return 0, json.dumps(row | {"seconds_start": 1.0, "seconds_total": 0.0}), ""


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Children:
    fake = Children()
    monkeypatch.setattr(suite, "call", fake)
    return fake


def quiet(line: str) -> None: ...


def test_results(children: Children, tmp_path: Path) -> None:
    results = suite.Suite(tmp_path / "suite.json", quiet).run(["pong", "breakout"], 2)
    assert children.trained == ["pong-1", "breakout-1", "pong-2", "breakout-2"]
    assert [(r["env"], r["seed"]) for r in results] == [
        ("pong", 1), ("breakout", 1), ("pong", 2), ("breakout", 2),
    ]  # fmt: skip
    assert [r["target"] for r in results[:2]] == [0.95, 0.5]
    assert [r["reached"]["steps"] for r in results[:2]] == [40, 20]
    assert results[0]["reached"]["seconds"] > 1.4, "from the start of the process"
    assert results[0]["commit"] == "0123456789ab+"
    data = suite.load(tmp_path / "suite.json")
    assert list(data["results"].values()) == sorted(results, key=lambda r: r["run"])
    assert all(result["machine"]["cores"] >= 1 for result in results)


def test_what_is_done_is_not_done_again(children: Children, tmp_path: Path) -> None:
    out = tmp_path / "suite.json"
    first = suite.Suite(out, quiet).run(["pong"], 2)
    children.trained.clear()
    assert suite.Suite(out, quiet).run(["pong"], 2) == first
    assert children.trained == []
    suite.Suite(out, quiet).run(["pong", "cartpole"], 3)
    assert children.trained == ["cartpole-1", "cartpole-2", "pong-3", "cartpole-3"]
    assert len(suite.load(out)["results"]) == 6


@pytest.mark.parametrize("change", ["settings", "version", "torch", "cores"])
def test_results_of_other_settings_or_versions_do_not_count(
    children: Children, tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "suite.json"
    suite.Suite(out, quiet).run(["pong"], 1)
    if change == "settings":
        children.settings["train.steps"] = 200
    elif change == "version":
        monkeypatch.setattr("skipjack.__version__", "99.0")
    else:
        here = suite.machine() | {change: 77}
        monkeypatch.setattr(suite, "machine", lambda: here)
    said: list[str] = []
    suite.Suite(out, said.append).run(["pong"], 1)
    assert children.trained == ["pong-1", "pong-1"]
    word = "Of another machine or torch, and done again: 1."
    assert (word in said) == (change in ("torch", "cores"))


def test_results_of_another_commit_are_kept_with_a_word(children: Children, tmp_path: Path) -> None:
    out, said = tmp_path / "suite.json", list[str]()
    suite.Suite(out, quiet).run(["pong"], 2)
    suite.Suite(out, said.append, lambda folder: ("0123456789abcdef", True)).run(["pong"], 2)
    assert said == []
    suite.Suite(out, said.append, lambda folder: ("", None)).run(["pong"], 2)
    assert children.trained == ["pong-1", "pong-2"]
    assert said == [
        f"Kept: 2 of the results in {str(out)!r}, of 0123456789ab+, not of no commit as the code is now. "
        f"Delete the file to do all again."
    ]
    assert suite.commits([{"commit": "a"}, {"commit": ""}, {"commit": "a"}]) == "a, no commit"


def test_a_file_of_the_first_format(children: Children, tmp_path: Path) -> None:
    """One machine for all results."""
    out = tmp_path / "suite.json"
    results = suite.Suite(out, quiet).run(["pong"], 1)
    data = json.loads(out.read_text()) | {"format": 1, "machine": suite.machine()}
    del data["results"]["pong-1"]["machine"]
    out.write_text(json.dumps(data))
    assert suite.Suite(out, quiet).run(["pong"], 1) == results


def test_a_run_that_was_cut_is_done_again(children: Children, tmp_path: Path) -> None:
    out = tmp_path / "suite.json"
    children.stop_at = "cartpole-1"
    with pytest.raises(KeyboardInterrupt):
        suite.Suite(out, quiet).run(["pong", "cartpole"], 1)
    assert list(suite.load(out)["results"]) == ["pong-1"]
    assert (tmp_path / "suite/runs/cartpole-1").exists()
    children.stop_at = ""
    results = suite.Suite(out, quiet).run(["pong", "cartpole"], 1)
    assert children.trained == ["pong-1", "cartpole-1"]
    assert [result["score"] for result in results] == [0.91, 0.91]


def test_a_failure_is_a_row_and_is_tried_again(children: Children, tmp_path: Path) -> None:
    out = tmp_path / "suite.json"
    children.broken = {"pong"}
    results = suite.Suite(out, quiet).run(["pong", "cartpole"], 1)
    assert results[0]["error"] == "It must work, but does not."
    assert "error" not in results[1]
    children.broken = set()
    assert "error" not in suite.Suite(out, quiet).run(["pong", "cartpole"], 1)[0]
    assert children.trained == ["pong-1", "cartpole-1", "pong-1"]


def test_self_play_has_no_target(children: Children, tmp_path: Path) -> None:
    children.settings["eval.opponent"] = "follower"
    (result,) = suite.Suite(tmp_path / "suite.json", quiet).run(["pong/two"], 1)
    assert (result["run"], result["target"], result["reached"]) == ("pong-two-1", None, None)


def means(*scores: float | None, episodes: int = 20) -> list[dict[str, Any]]:
    return [
        {"steps": i, "seconds": float(i), "episodes": episodes, "episodes/score": score}
        for i, score in enumerate(scores)
    ]


def test_reached_asks_for_a_mean_over_enough_episodes() -> None:
    rows = means(0.1, None, 0.5, 0.9)
    rows += [{"kind": "evaluation", "score": 1.0, "episodes": 99}]
    assert suite.reached(rows, 0.5, 0.25) == {"steps": 2, "seconds": 2.25}
    assert suite.reached(rows, 0.95, 0.25) is None
    few = means(0.9, 0.9, 0.9, episodes=6)
    assert suite.reached(few, 0.5, 0.0) is None
    assert suite.reached([*few, *means(0.9, episodes=6)], 0.5, 0.0) == {"steps": 0, "seconds": 0.0}


def test_reached_asks_for_a_mean_that_holds() -> None:
    """The first episodes of a training that end are those of lucky envs."""
    rows = means(1.0, 0.2, 0.2, 0.6, 0.9, 0.9, 0.9)
    assert suite.reached(rows, 0.9, 0.0) == {"steps": 4, "seconds": 4.0}


DAMAGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "format": lambda data: data.update(format="two"),
    "no format": lambda data: data.update(format=None),
    "results": lambda data: data.update(results=[1]),
    "result": lambda data: data["results"].update(x=None),
    "machine": lambda data: data["results"]["pong-1"].update(machine=3),
    "cpu": lambda data: data["results"]["pong-1"]["machine"].pop("cpu"),
    "text": lambda data: data["results"]["pong-1"].update(score="0.5"),
    "nan": lambda data: data["results"]["pong-1"].update(seconds=float("nan")),
    "gone": lambda data: data["results"]["pong-1"].pop("random_score"),
    "none": lambda data: data["results"]["pong-1"].update(steps=None),
    "reached": lambda data: data["results"]["pong-1"].update(reached=[]),
    "env": lambda data: data["results"]["pong-1"].update(env=["pong"]),
    "error": lambda data: data["results"]["pong-1"].update(error=4),
    "run": lambda data: data["results"]["pong-1"].pop("run"),
    "seed": lambda data: data["results"]["pong-1"].update(seed={}),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("flag", ["--out", "--against"])
def test_damaged_files_are_told_of_before_any_training(
    command: Command, children: Children, damage: str, flag: str
) -> None:
    command("--envs", "pong", "--seeds", "1", "--out", "suite.json")
    data = json.loads(Path("suite.json").read_text())
    DAMAGES[damage](data)
    Path("suite.json").write_text(json.dumps(data))
    children.trained.clear()
    code, _, err = command("--envs", "pong,cartpole", "--seeds", "2", flag, "suite.json")
    assert (code, children.trained) == (2, [])
    assert "must be a file of skipjack bench suite" in err


@pytest.mark.parametrize(
    "text", ["", "[]", '{"format": 1}', '{"format": 9, "machine": {"cpu": ""}, "results": {}}']
)
def test_files_that_are_no_suite(tmp_path: Path, text: str) -> None:
    path = tmp_path / "suite.json"
    path.write_text(text)
    with pytest.raises(UsageError, match="format 9" if "9" in text else "reading it failed"):
        suite.load(path)
    with pytest.raises(UsageError, match=r"named \*\.json"):
        suite.Suite(tmp_path / "suite", quiet)


def test_a_child_gives_code_output_and_errors(tmp_path: Path) -> None:
    code, out, err = child.call(["list"], tmp_path, None)
    assert code == 0, err
    assert json.loads(out)["runs"] == []
    code, out, err = child.call(["train", "pnog"], tmp_path, None)
    assert code == 2
    assert "Did you mean 'pong'" in child.reason(code, out, err)
    assert child.reason(1, "no JSON", "Traceback\n\nMemoryError\n") == "MemoryError"
    assert child.reason(-9, "", "half a line") == "The training ended with exit code -9."


@pytest.mark.skipif(os.name == "nt", reason="no file locks of this kind")
def test_what_a_killed_suite_left_behind_is_waited_for(tmp_path: Path) -> None:
    """The lock lives as long as the last process that inherited it."""
    said: list[str] = []
    with child.alone(tmp_path / "lock", said.append) as lock:
        assert lock is not None
        code = "import sys; sys.stdin.readline()"
        orphan = subprocess.Popen(
            [sys.executable, "-c", code], pass_fds=(lock,), stdin=subprocess.PIPE
        )

    def say(line: str) -> None:
        said.append(line)
        assert orphan.poll() is None
        assert orphan.stdin is not None
        orphan.stdin.close()

    with child.alone(tmp_path / "lock", say):
        assert orphan.wait() == 0
    assert len(said) == 1
    assert "left behind" in said[0]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_ends_the_training_cleanly(tmp_path: Path, number: int) -> None:
    """The child saves and ends before the suite does; its run does not count as done."""
    started = subprocess.Popen(
        [sys.executable, "-m", "skipjack", "bench", "suite", "--envs", "pong", "--seeds", "1"],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": child.HOME},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    run = tmp_path / "runs/suite/runs/pong-1"
    deadline = time.monotonic() + 120
    while not ((run / "metrics.jsonl").exists() and (run / "metrics.jsonl").stat().st_size):
        assert started.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    started.send_signal(number)
    _, err = started.communicate(timeout=120)
    assert started.returncode == 128 + number, err
    assert "Traceback" not in err
    saved = int((run / "latest").read_text())
    *updates, end = [json.loads(line) for line in (run / "metrics.jsonl").open()]
    assert end == {"kind": "end", "reason": "stopped"}
    assert "the same command goes on" in err
    assert saved == updates[-1]["steps"] > 0, "saved after its last update"
    assert not (tmp_path / "runs/suite.json").exists()


# ---- the command ----

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(
    children: Children,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["bench", "suite", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_the_command_prints_a_table(command: Command, children: Children) -> None:
    code, out, err = command("--envs", "pong,breakout", "--seeds", "3")
    assert code == 0
    assert out.splitlines()[2].startswith(
        "| pong     | 0.920 [0.910-0.930] ± 0.010 | 0.100  | 0.95"
    )
    assert "6 of 6: breakout, seed 3" in err
    code, out, _ = command("--envs", "pong", "--seeds", "3", "--json")
    (row,) = json.loads(out)["presets"]
    assert (row["env"], row["reached"], row["score"]["median"]) == ("pong", 3, 0.92)
    assert len(children.trained) == 6


def test_all_presets_by_default_and_failures_show(command: Command, children: Children) -> None:
    from skipjack import registry

    children.broken = {"squared"}
    code, out, _ = command("--seeds", "1")
    assert code == 1
    assert children.trained == [f"{name.replace('/', '-')}-1" for name in registry.names()]
    assert "squared, seed 1, failed: It must work, but does not." in out


def test_pictures_need_matplotlib_and_say_so_at_once(
    command: Command, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    code, _, err = command("--envs", "pong", "--docs", "docs")
    assert code == 1
    assert 'pip install "skipjack[sweep]"' in err
    assert children.trained == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--seeds", "0"], "--seeds must be between 1 and"),
        (["--envs", "pnog"], "Did you mean 'pong'"),
        (["--out", "suite"], "must be named *.json"),
        (["--envs", ",,"], "--envs must name environments"),
        (["--against", "none.json"], "'none.json' must be a file of skipjack bench suite"),
    ],
)
def test_mistakes(command: Command, children: Children, arguments: list[str], words: str) -> None:
    code, _, err = command(*arguments)
    assert code == 2
    assert words in err
    assert children.trained == []
    assert not list(Path().iterdir())


def test_blanks_between_environments(command: Command, children: Children) -> None:
    assert command("--envs", "cartpole, bandit", "--seeds", "1")[0] == 0
    assert children.trained == ["cartpole-1", "bandit-1"]


def test_a_docs_folder_that_cannot_be_is_told_of_at_once(
    command: Command, children: Children
) -> None:
    pytest.importorskip("matplotlib")
    Path("file").write_text("")
    code, _, err = command("--envs", "pong", "--docs", "file")
    assert (code, children.trained) == (1, [])
    assert "The folder 'file' must be writable" in err


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit(143)])
def test_every_stop_says_how_to_go_on(
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stop: BaseException,
) -> None:
    def stopped(*_: Any) -> None:
        raise stop

    monkeypatch.setattr(suite, "call", stopped)
    with contextlib.suppress(SystemExit):
        main(["bench", "suite", "--envs", "pong"])
    assert "Stopped. What is done is kept: the same command goes on." in capsys.readouterr().err


def test_the_page(command: Command) -> None:
    pytest.importorskip("matplotlib")
    Path("benchmarks").mkdir()
    command("--envs", "pong,breakout", "--seeds", "3", "--out", "benchmarks/suite.json")
    before = json.loads(Path("benchmarks/suite.json").read_text())
    for result in before["results"].values():
        result["score"] -= 0.5
    Path("benchmarks/suite.json").write_text(json.dumps(before))
    code, _, err = command("--envs", "pong,breakout", "--seeds", "3", "--docs", "docs")
    assert code == 0, err
    page = Path("docs/benchmarks.md").read_text()
    assert "0.920 [0.910-0.930] ↑ from 0.420 ± 0.010" in page
    assert "(0123456789ab+)" in page
    assert "by `skipjack bench suite --seeds 3 --envs pong,breakout --docs docs`" in page
    assert f"torch {suite.machine()['torch']}." in page
    for axis in ("steps", "seconds"):
        assert f"](benchmarks_{axis}.svg)" in page
        picture = Path(f"docs/benchmarks_{axis}.svg").read_text()
        assert all(f">{text}<" in picture for text in ("pong", "breakout", axis))
        assert len(picture) < 100_000
    again = Path("docs/benchmarks_steps.svg").read_bytes()
    command("--envs", "pong,breakout", "--seeds", "3", "--docs", "docs")
    assert Path("docs/benchmarks_steps.svg").read_bytes() == again
