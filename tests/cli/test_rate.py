"""`skipjack rate` and `skipjack gate` on runs as they lie on the disk."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skipjack import checkpoint, folders
from skipjack import config as settings
from skipjack.cli import gate
from skipjack.cli.main import main
from skipjack.errors import SkipjackError
from skipjack.run import resume
from skipjack.run.config import configure
from skipjack.run.envs import make_vector
from skipjack.run.wiring import make_policy

QUICK = ("--games", "64", "--no-plots", "--seed", "1", "--against", "random")
SMALL = {"policy.hidden": 8, "vector.num_envs": 4}


def write_run(
    root: Path, run: str, game: str = "tic_tac_toe", steps: int = 3, **flags: Any
) -> Path:
    """A run with checkpoints whose policies prefer one cell more and more."""
    configured = configure(game, flags=SMALL | {k.replace("__", "."): v for k, v in flags.items()})
    vector = make_vector(configured, 4)
    import torch

    policy = make_policy(configured, vector, torch.device("cpu"))
    folder = folders.create_run(root, run)
    text = f'name = "{configured.entry.full_name}"\n' + settings.to_toml(configured.config)
    (folder / "config.toml").write_text(text)
    for at in range(steps):
        with torch.no_grad():
            # The middle, then the corners: better than chance.
            policy.actor.bias[:] = torch.tensor([1.0, 0, 1, 0, 3, 0, 1, 0, 1])[
                : len(policy.actor.bias)
            ]
            policy.actor.bias *= 2 * at
        state = {
            "env": configured.entry.full_name,
            "settings": settings.flatten(configured.config),
            "steps": 1000 * at,
            "seconds": 60.0 * at,
        }
        arrays = {"policy": resume.weights(policy)}
        checkpoint.save(folder, 1000 * at, arrays, state, keep=100)
    vector.close()
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("arena") / "runs"
    write_run(root, "one")
    return root


def output(capsys: pytest.CaptureFixture[str], *command: str) -> tuple[int, dict[str, Any], str]:
    code = main([*command, "--json"])
    said = capsys.readouterr()
    return code, json.loads(said.out.splitlines()[-1]), said.err


def test_a_run_is_rated(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(runs.parent)
    flags = ("--games", "2500", "--precision", "20", "--seed", "1")
    code, row, _ = output(capsys, "rate", "one", "--against", "random,script:one_ply", *flags)
    assert code == 0
    elo = {line["steps"]: line for line in row["players"] if line["steps"] is not None}
    assert elo[0]["elo"] < min(elo[1000]["elo"], elo[2000]["elo"])
    assert elo[2000]["elo"] > 3 * elo[2000]["error"] > 0
    assert elo[1000]["gain"] == pytest.approx(elo[1000]["elo"] - elo[0]["elo"])
    assert [line["name"] for line in row["players"]][:2] == ["random", "script:one_ply"]
    assert "the newest beats" in row["headline"]
    folder = runs / "one" / "arena"
    assert {path.name for path in folder.glob("*.png")} == {"ratings.png", "pairs.png"}
    # The table alone gives the same again, and a table for people.
    assert main(["rate", "runs/one", "--games", "0", "--against", "random,script:one_ply"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("The newest beats")
    assert f"{elo[2000]['elo']:.0f}" in said


def test_the_newest_of_each_run_in_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "runs", "weak", steps=1)
    write_run(tmp_path / "runs", "other", game="connect_four", steps=1)
    write_run(tmp_path / "runs", "strong", steps=3)
    write_run(tmp_path / "runs", "alone", game="cartpole", steps=1)
    code, row, said = output(capsys, "rate", "runs", *QUICK)
    assert code == 0
    # Rows name their runs, and nobody is said to have grown out of another run.
    assert [line["run"] for line in row["players"]] == ["", "weak", "strong"]
    assert row["headline"] == ""
    assert [line["gain"] for line in row["players"]] == [None] * 3
    assert "alone/000000000000 is left out. A game must have two teams" in said
    assert "must play 'tic_tac_toe' by the same rules, but is of 'connect_four'" in said


def test_a_run_whose_newest_checkpoint_is_damaged_sends_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "runs", "weak", steps=1)
    strong = write_run(tmp_path / "runs", "strong", steps=3)
    broken = write_run(tmp_path / "runs", "zero", steps=1)
    for folder, steps in ((strong, 2000), (broken, 0)):
        file = folder / "checkpoints" / f"{steps:012d}" / "policy.safetensors"
        file.write_bytes(file.read_bytes()[:-5])
    code, row, said = output(capsys, "rate", "runs", *QUICK)
    assert code == 0
    assert {line["name"][:12]: line["run"] for line in row["players"]} == {
        "random": "",
        f"{0:012d}": "weak",
        f"{1000:012d}": "strong",
    }
    assert "strong/000000002000 is left out." in said
    assert "zero/000000000000 is left out." in said


def test_a_damaged_checkpoint_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = write_run(tmp_path / "runs", "one", steps=3)
    file = folder / "checkpoints" / f"{1000:012d}" / "policy.safetensors"
    file.write_bytes(file.read_bytes()[:-5])
    code, row, said = output(capsys, "rate", "one", *QUICK)
    assert code == 0
    assert [line["steps"] for line in row["players"]] == [None, 0, 2000]
    assert "one/000000001000 is left out." in said
    newest = folder / "checkpoints" / f"{2000:012d}" / "policy.safetensors"
    newest.write_bytes(newest.read_bytes()[:-5])
    code, row, said = output(capsys, "rate", "one", *QUICK)
    assert code == 0
    assert (row["players"][1]["run"], row["players"][1]["steps"]) == ("one", 0)
    assert "one/000000002000 is left out." in said


def test_who_is_named_is_no_past_self(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "runs", "other", steps=3)
    write_run(tmp_path / "runs", "one", steps=1)
    _, row, _ = output(capsys, "rate", "one", *QUICK[:-1], "other")
    assert [(line["run"], line["steps"], line["gain"]) for line in row["players"]] == [
        ("other", None, None),
        ("one", 0, None),
    ]
    assert row["headline"] == ""


def test_what_cannot_be_rated_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["rate", "nothing"]) == 2
    assert "there must be a run" in capsys.readouterr().err.lower()
    write_run(tmp_path / "runs", "alone", game="cartpole", steps=1)
    assert main(["rate", "alone"]) == 2
    assert "two teams of equal size" in capsys.readouterr().err
    write_run(tmp_path / "runs", "two", steps=1)
    assert main(["rate", "two", "--against", "script:best"]) == 2
    assert "There is no scripted player 'script:best'" in capsys.readouterr().err


def test_the_gate_answers_with_its_exit_code(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(runs.parent)
    old, new = (f"runs/one/checkpoints/{steps:012d}" for steps in (0, 2000))
    code, row, _ = output(capsys, "gate", new, old, "--seed", "1")
    assert (code, row["verdict"]) == (0, "better")
    assert row["games"] == row["wins"] + row["draws"] + row["losses"] > 0
    assert row["log_likelihood_ratio"] >= row["bound"]
    code, row, _ = output(capsys, "gate", old, new, "--seed", "1")
    assert (code, row["verdict"]) == (1, "not better")
    assert main(["gate", new, "random", "--elo0", "200", "--elo1", "205", "--games", "64"]) == 2
    said = capsys.readouterr().out
    assert said.startswith("undecided: 64 games, score ")


def test_an_evaluation_against_another_player(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(runs.parent)
    old, new = (f"runs/one/checkpoints/{steps:012d}" for steps in (0, 2000))
    code, row, _ = output(capsys, "eval", new, "--against", old, "--episodes", "300")
    assert code == 0
    assert row["episodes"] == row["wins"] + row["draws"] + row["losses"] >= 300
    assert row["score"] == pytest.approx((row["wins"] + row["draws"] / 2) / row["episodes"])
    assert row["score"] - row["score_ci95"] > 0.5
    _, turned, _ = output(capsys, "eval", old, "--against", new, "--episodes", "300")
    assert turned["score"] + turned["score_ci95"] < 0.5
    assert main(["eval", new, "--against", "script:one_ply~0.5", "--episodes", "10"]) == 0
    assert " against script:one_ply~0.5: score 0." in capsys.readouterr().out
    assert main(["eval", new, "--against", old, "--episodes", "1"]) == 0
    assert " over 2 games, " in capsys.readouterr().out  # a pair alone has no interval
    for more, said in (
        (["--against", "runs/one"], "must differ"),
        (["--against", "random", "--deterministic"], "--deterministic must be left out"),
        (["--against", "random", "--opponent", "one_ply"], "--opponent must be left out"),
    ):
        assert main(["eval", new, *more]) == 2
        assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        ["gate"],
        ["gate", "one"],
        ["gate", "one", "nothing"],
        ["gate", "one", "one"],
        ["gate", "one", "random", "--elo0", "50"],
        ["gate", "one", "random", "--elo2", "50"],
    ],
)
def test_what_is_wrong_with_a_gate_is_no_answer(
    runs: Path,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(runs.parent)
    assert main(command) == 64
    assert capsys.readouterr().err.startswith("skipjack: ")


@pytest.mark.parametrize(
    ("fault", "code"), [(OSError("disk"), 64), (BrokenPipeError(), 64), (ValueError("bug"), 70)]
)
def test_no_fault_of_a_gate_is_an_answer(
    fault: Exception,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails(arguments: object) -> int:
        raise fault

    monkeypatch.setattr(gate, "_run", fails)
    assert main(["gate", "new", "old"]) == code
    assert type(fault).__name__ in capsys.readouterr().err or code == 64


def test_an_answer_that_cannot_be_written_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError("No space left on device")

    monkeypatch.setattr(gate, "_run", lambda arguments: 1)
    monkeypatch.setattr("sys.stdout", Full())
    with pytest.raises(SkipjackError, match="No space left") as told:
        gate.run(["new", "old"])
    assert told.value.exit_code == 64


def test_gates_add_to_the_table_that_ratings_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "runs", "one", steps=2)
    _, played, _ = output(capsys, "gate", "one", f"runs/one/checkpoints/{0:012d}", "--seed", "3")
    _, row, _ = output(capsys, "rate", "one", *QUICK, "--games", "0")
    assert row["games"] == played["games"]
    assert np.isfinite([line["elo"] for line in row["players"]]).all()


def test_guests_are_never_taken_for_past_selves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table of a run holds games of others, too; only its own that are gone come back."""
    monkeypatch.chdir(tmp_path)
    one, _ = write_run(tmp_path / "runs", "one", steps=2), write_run(tmp_path / "runs", "two")
    _, played, _ = output(capsys, "gate", "one", "two", "--games", "64")
    assert played["games"]
    older = f"runs/one/checkpoints/{0:012d}"
    output(capsys, "gate", "one", older, "--games", "64")
    output(capsys, "rate", "one", *QUICK[:-1], "random,two")
    shutil.rmtree(one / "checkpoints" / f"{0:012d}")
    _, row, _ = output(capsys, "rate", "one", *QUICK, "--games", "0")
    assert [line["steps"] for line in row["players"]] == [None, 0, 1000]


def test_players_whose_ratings_are_known_keep_them(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(runs.parent)
    known = {"random": 0.0, "script:one_ply~0.5": 321.0}
    monkeypatch.setattr("skipjack.registry.panels", lambda game: {game: known})
    _, row, _ = output(capsys, "rate", "one", *QUICK[:2], *QUICK[2:3], "--precision", "5")
    found = {line["name"]: line for line in row["players"]}
    assert found["script:one_ply~0.5"]["elo"] == pytest.approx(321)
    assert found["script:one_ply~0.5"]["error"] == 0
    assert found["script:one_ply~0.5"]["games"] > 0
    assert main(["rate", "one", "--against", "random~2", *QUICK[:-2]]) == 2
    assert "A share of random actions must be between 0 and 1" in capsys.readouterr().err
