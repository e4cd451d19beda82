"""Run folders that hold anything: told in a sentence, nothing deleted, no traceback."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skipjack import checkpoint
from tests.cli.conftest import TINY, Call, sentence, train

COMMANDS = [
    ["list"],
    ["runs"],
    ["runs", "show", "mine"],
    ["runs", "diff", "mine", "cartpole"],
    ["runs", "prune", "--checkpoints"],
    ["eval", "mine", "--episodes=4"],
    ["train", "cartpole", "--run=mine", "--resume", "--train.steps=1024"],
]
"""What may be asked of a run; the last of them writes to it."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished training with all its checkpoints."""
    from skipjack.cli.main import main

    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SKIPJACK_MACHINE", str(folder / "none.toml"))
        every = ["--train.checkpoint-every=0", "--train.keep=100"]
        assert main(["train", "cartpole", *TINY, *every, "--run=mine"]) == 0
    return folder / "runs" / "mine"


@pytest.fixture
def mine(trained: Path, call: Call) -> Path:
    """A copy of it as runs/mine."""
    return Path(shutil.copytree(trained, "runs/mine"))


def contents(run: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


def cut(newest: Path) -> None:
    file = newest / "policy.safetensors"
    file.write_bytes(file.read_bytes()[:-10])


def manifest(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def damage(newest: Path) -> None:
        file = newest / "manifest.json"
        file.write_text(json.dumps(change(json.loads(file.read_text()))))

    return damage


DAMAGES: dict[str, Callable[[Path], Any]] = {
    "cut file": cut,
    "missing file": lambda newest: (newest / "optimizer.safetensors").unlink(),
    "missing state": lambda newest: (newest / "state.json").unlink(),
    "newer format": manifest(lambda found: found | {"format": 99}),
    "no manifest": lambda newest: (newest / "manifest.json").unlink(),
    "endless format": manifest(lambda found: found | {"format": float("inf")}),
    "list": manifest(lambda found: [found]),
    "null": manifest(lambda found: None),
    "files are a list": manifest(lambda found: found | {"files": [1, 2]}),
    "a file is a number": manifest(lambda found: found | {"files": {"policy.safetensors": 3}}),
    "endless size": manifest(lambda found: found | {"files": {"x": [float("inf"), ""]}}),
    "no steps": manifest(lambda found: {k: v for k, v in found.items() if k != "steps"}),
    "no text": lambda newest: (newest / "manifest.json").write_bytes(b"\xff\xfe\x00"),
    "nested": lambda newest: (newest / "manifest.json").write_text("[" * 100_000),
    "gone": shutil.rmtree,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_newest_checkpoint_cannot_be_read(call: Call, mine: Path, damage: str) -> None:
    """An older one is never taken without a word; what to do is told, and works."""
    names = sorted(path.name for path in (mine / "checkpoints").iterdir())
    newest, whole = mine / "checkpoints" / names[-1], mine / "checkpoints" / names[-2]
    DAMAGES[damage](newest)
    before = contents(mine)
    for command in (
        ["eval", "mine"],
        ["train", "cartpole", "--run=mine", "--resume", "--train.steps=1024"],
        ["train", "cartpole", "--from=mine"],
    ):
        code, _, err = call(*command)
        assert code == 1, err
        told = sentence(err)
        assert str(newest) in told
        assert f"The newest that is whole is {str(whole)!r}: eval and --from take it." in told
    assert before == contents(mine)
    assert call("eval", str(whole), "--episodes=4")[0] == 0
    train(call, "cartpole", f"--from={whole}")


def test_no_checkpoint_is_whole(call: Call, mine: Path) -> None:
    for path in (mine / "checkpoints").iterdir():
        cut(path)
    code, _, err = call("eval", "mine")
    assert code == 1
    assert "No other checkpoint of the run is whole." in err


@pytest.mark.parametrize("pointer", [b"\xff\xfe\x00\n", b"", b"../../etc\n", b"000000000009\n"])
def test_the_pointer_to_the_newest_is_damaged(call: Call, mine: Path, pointer: bytes) -> None:
    (mine / "latest").write_bytes(pointer)
    for command in COMMANDS[:-1]:
        code, _, err = call(*command)
        assert code in ((0,) if command[0] != "eval" or not pointer else (1,)), err
    assert call(*COMMANDS[-1])[0] == (1 if pointer else 0)


@pytest.mark.parametrize("damage", [*DAMAGES][:-1])
def test_an_older_checkpoint_is_damaged(call: Call, mine: Path, damage: str) -> None:
    """Training goes on beside it and leaves it as it is."""
    older = sorted((mine / "checkpoints").iterdir())[-3]
    DAMAGES[damage](older)
    before = contents(older)
    code, _, err = call(*COMMANDS[-1], "--train.checkpoint-every=0", "--train.keep=100")
    assert code == 0, err
    found = contents(older)
    assert found.items() <= before.items()
    assert older / "policy.safetensors" in found


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("origin.json", b"[{"),
        ("origin.json", b"\xff\xfe"),
        ("origin.json", b"7"),
        ("origin.json", b"[5, null, []]"),
        ("origin.json", b'[{"command": 5, "commit": 7, "settings": {"flag": 5}, "steps": "x"}]'),
        ("origin.json", b'[{"settings": [1], "from": {"run": 5}, "command": "x", "dirty": 0}]'),
        ("origin.json", b'[{"from": {"run": "other", "steps": "many"}, "steps": null}]'),
        ("metrics.jsonl", b"5\n"),
        ("metrics.jsonl", b'{"update": "one", "steps": "many"}\n'),
        ("metrics.jsonl", b'{"update": null}\n{"update": 1, "steps": null, "seconds": "x"}\n'),
        ("metrics.jsonl", b'{"kind": "evaluation", "score": "good", "episodes": []}\n'),
        ("metrics.jsonl", b'{"kind": "end", "reason": 5}\n'),
        ("metrics.jsonl", b"\x00\xff\n[[[\n"),
        ("trackers.json", b"5"),
        ("trackers.json", b'{"wandb": 5}'),
        ("lock", b"\xff"),
    ],
)
def test_other_files_are_damaged(call: Call, mine: Path, file: str, text: bytes) -> None:
    (mine / file).write_bytes(text)
    for command in COMMANDS:
        code, _, err = call(*command)
        resumes = "--resume" in command
        assert code == 0 or (file == "trackers.json" and resumes), err
        if not resumes and file != "lock":
            assert (mine / file).read_bytes() == text


def test_a_damaged_line_costs_no_other(call: Call, mine: Path) -> None:
    """A resumed run keeps every row that can be read."""
    lines = (mine / "metrics.jsonl").read_text().splitlines()
    assert len(lines) == 9
    (mine / "metrics.jsonl").write_text("\n".join([*lines[:3], "5", '{"upd', *lines[4:]]) + "\n")
    code, _, err = call(*COMMANDS[-1])
    assert code == 0, err
    rows = [json.loads(line) for line in (mine / "metrics.jsonl").open()]
    assert [row.get("update", row.get("kind")) for row in rows] == [
        1, 2, 3, 5, 6, 7, 8, "evaluation", *range(9, 17), "evaluation",
    ]  # fmt: skip


def test_earlier_evaluations_stay(call: Call, mine: Path) -> None:
    """When the run is extended, and when it goes back to an earlier checkpoint; show gives the last."""
    code, _, err = call(*COMMANDS[-1])
    assert code == 0, err
    path = mine / "metrics.jsonl"
    rows = [json.loads(line) for line in path.open()]
    first, second = (row for row in rows if row.get("kind") == "evaluation")
    assert rows.index(first) == 8
    assert json.loads(call("runs", "show", "mine", "--json")[1])["evaluation"] == second
    # As after a kill -9 while the second sitting trained: rows behind the checkpoint go.
    for found in sorted((mine / "checkpoints").iterdir())[-1:]:
        shutil.rmtree(found)
    (mine / "latest").write_text("000000000512\n")
    path.write_text("".join(json.dumps(row) + "\n" for row in rows[:-1]))
    if not checkpoint.latest(mine).has("vector"):  # only the newest has the envs
        code, _, err = call(*COMMANDS[-1])
        assert code == 0, err
    kinds = [json.loads(line).get("kind") for line in path.open()]
    assert kinds.index("evaluation") == 8
    assert kinds.count("evaluation") == 2
