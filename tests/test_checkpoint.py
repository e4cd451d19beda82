"""Checkpoints: whole or not at all, verified, retired; a fault at every change to the disk."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skipjack import checkpoint, folders
from skipjack.errors import RunError, SkipjackError

POINTS = ("_make", "_write", "_rename", "_remove", "_sync_folder")


def write(run: Path, steps: int, **how: Any) -> Path:
    arrays = {
        "policy": {"weight": np.full((3, 4), steps, np.float32)},
        "vector": {"engine": np.arange(64, dtype=np.uint8)},
    }
    state = {"steps": steps, "env": "cartpole"}
    return checkpoint.save(run, steps, arrays, state, latest_only=("vector",), **how)


def new_run(tmp_path: Path) -> Path:
    return folders.create_run(tmp_path / "runs", "example")


def test_round_trip(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    write(run, 1000)
    found = checkpoint.latest(run)
    assert found.steps == 1000
    assert found.path.name == "000000001000"
    assert found.state["env"] == "cartpole"
    assert found.arrays("policy")["weight"].tolist() == [[1000.0] * 4] * 3
    assert (run / "latest").read_text().strip() == "000000001000"


def test_retention(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    for steps in range(0, 1000, 100):
        write(run, steps, keep=3, pinned=[200])
    names = sorted(path.name for path in (run / "checkpoints").iterdir())
    assert [int(name) for name in names] == [200, 700, 800, 900]
    assert checkpoint.latest(run).has("vector")
    older = checkpoint.load(run / "checkpoints" / names[1])
    assert not older.has("vector")
    with pytest.raises(RunError, match="holds no 'vector'"):
        older.arrays("vector")


@pytest.mark.parametrize("keep", [1, 2, 5])
def test_keep_is_a_number_of_checkpoints(tmp_path: Path, keep: int) -> None:
    run = new_run(tmp_path)
    for steps in range(4):
        write(run, steps, keep=keep)
    assert len(list((run / "checkpoints").iterdir())) == min(keep, 4)


def test_saving_the_same_steps_again_keeps_what_is_whole(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    path = write(run, 5)
    assert write(run, 5) == path
    (path / "policy.safetensors").write_bytes(b"damaged")
    write(run, 5)
    assert checkpoint.latest(run).steps == 5


@pytest.mark.parametrize("damage", ["truncated", "tampered", "missing", "manifest"])
def test_damage_is_found_and_the_older_checkpoint_named(tmp_path: Path, damage: str) -> None:
    """Never taken in its place without a word: a training would step back and lose what was after."""
    run = new_run(tmp_path)
    older = write(run, 1)
    path = write(run, 2)
    file = path / "policy.safetensors"
    data = file.read_bytes()
    if damage == "truncated":
        file.write_bytes(data[:-3])
    elif damage == "tampered":
        file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif damage == "missing":
        file.unlink()
    else:
        (path / "manifest.json").write_text("{")
    with pytest.raises(RunError, match=r"cut off|SHA-256|missing|damaged"):
        checkpoint.load(path)
    with pytest.raises(RunError, match=re.escape(str(older))):
        checkpoint.latest(run)
    with pytest.raises(RunError, match=re.escape(str(older))):
        folders.find(str(run))
    assert folders.find(str(older)).steps == 1


@pytest.mark.parametrize(
    "manifest",
    [
        '{"format": 1}',
        '{"format": "x", "steps": 1, "files": {}, "latest_only": []}',
        '{"format": 1, "steps": 1, "files": {}, "latest_only": []}',
        '{"format": 1, "steps": 1, "files": {"a": 3}, "latest_only": []}',
        "[]",
    ],
)
def test_a_manifest_of_another_shape_is_damage(tmp_path: Path, manifest: str) -> None:
    path = write(new_run(tmp_path), 1)
    (path / "manifest.json").write_text(manifest)
    if "{}" in manifest:
        (path / "state.json").unlink()
    with pytest.raises(RunError, match="damaged"):
        checkpoint.load(path)


def test_scalars_keep_their_shape(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    arrays = {"policy": {"count": np.float32(3.0), "flat": np.arange(4)[::2]}}
    found = checkpoint.load(checkpoint.save(run, 1, arrays, {})).arrays("policy")
    assert found["count"].shape == ()
    assert found["flat"].tolist() == [0, 2]


def test_other_arrays_at_the_same_steps_replace_the_old(tmp_path: Path) -> None:
    """After a rewind the disk must hold what was trained, not what was there."""
    run = new_run(tmp_path)
    for value in (1.0, 2.0):
        checkpoint.save(run, 5, {"policy": {"w": np.full(3, value)}}, {})
    assert checkpoint.latest(run).arrays("policy")["w"].tolist() == [2.0] * 3


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = write(new_run(tmp_path), 1)
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["format"] = checkpoint.FORMAT + 1
    (path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(RunError, match="newer version"):
        checkpoint.load(path)


def test_a_run_without_a_whole_checkpoint(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    with pytest.raises(RunError, match="whole checkpoint"):
        checkpoint.latest(run)


def test_removing_checkpoints(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    for steps in (1, 2, 3):
        write(run, steps)
    checkpoint.remove(run, ["000000000001", "000000000002"])
    assert [path.name for path in (run / "checkpoints").iterdir()] == ["000000000003"]
    with pytest.raises(RunError, match="must be removable"):
        checkpoint.remove(run, ["000000000009"])
    assert checkpoint.latest(run).steps == 3


def test_a_run_removed_halfway_is_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a kill leaves has another name, and the next removal sweeps it."""
    root = tmp_path / "runs"
    for name in ("one", "two"):
        write(folders.create_run(root, name), 1)
    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", lambda *a, **k: None)
        folders.remove_run(root / "one")
    assert [path.name for path in root.iterdir() if not path.name.startswith(".")] == ["two"]
    folders.remove_run(root / "two")
    assert list(root.iterdir()) == []
    with pytest.raises(RunError, match="must be removable"):
        folders.remove_run(root / "two")


def test_finding_runs(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    path = write(run, 3)
    root = tmp_path / "runs"
    for target in ("example", str(run), str(path)):
        assert folders.find(target, root).steps == 3
    with pytest.raises(SkipjackError, match="Did you mean 'example'"):
        folders.find("exmaple", root)
    assert folders.list_runs(root) == ["example"]
    assert folders.free_name(root, "example") == "example-1"
    with pytest.raises(SkipjackError, match="exists already"):
        folders.create_run(root, "example")
    with pytest.raises(SkipjackError, match="folder name"):
        folders.create_run(root, "../elsewhere")


@pytest.mark.parametrize("kind", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_does_not_take_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: int
) -> None:
    run = new_run(tmp_path)
    write(run, 1)

    def fail(path: Path, data: bytes) -> None:
        raise OSError(kind, os.strerror(kind))

    monkeypatch.setattr(checkpoint, "_write", fail)
    with pytest.raises(RunError, match="earlier checkpoints are intact"):
        write(run, 2)
    monkeypatch.undo()
    assert checkpoint.latest(run).steps == 1
    assert not list((run / "checkpoints").glob(".draft-*"))


class Fault:
    """Counts the changes to the disk, and breaks at one of them."""

    def __init__(self, at: int, how: Any) -> None:
        self.at, self.how, self.count = at, how, 0

    def wrap(self, real: Any) -> Any:
        def changed(*arguments: Any) -> Any:
            self.count += 1
            if self.count == self.at:
                if real.__name__ == "_write":
                    arguments[0].write_bytes(arguments[1][: len(arguments[1]) // 2])
                self.how()
            return real(*arguments)

        return changed


def changes_of_a_save(run: Path) -> int:
    fault = Fault(0, lambda: None)
    originals = {name: getattr(checkpoint, name) for name in POINTS}
    for name, real in originals.items():
        setattr(checkpoint, name, fault.wrap(real))
    try:
        write(run, 500, keep=2)
    finally:
        for name, real in originals.items():
            setattr(checkpoint, name, real)
    return fault.count


def prepared(tmp_path: Path, name: str) -> Path:
    run = folders.create_run(tmp_path / "runs", name)
    for steps in (100, 200, 300):
        write(run, steps, keep=2)
    return run


def raise_full() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_an_error_at_every_change_leaves_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = changes_of_a_save(prepared(tmp_path, "counting"))
    assert count >= 10
    for at in range(1, count + 1):
        run = prepared(tmp_path, f"error-{at}")
        fault = Fault(at, raise_full)
        with monkeypatch.context() as patched:
            for name in POINTS:
                patched.setattr(checkpoint, name, fault.wrap(getattr(checkpoint, name)))
            with pytest.raises(RunError):
                write(run, 500, keep=2)
        assert checkpoint.latest(run).steps in (300, 500)
        write(run, 600, keep=2)
        assert checkpoint.latest(run).steps == 600
        assert checkpoint.latest(run).has("vector")


KILLED = """
import os, sys
from pathlib import Path
from tests import test_checkpoint as t
from skipjack import checkpoint
fault = t.Fault(int(sys.argv[2]), lambda: os._exit(9))
for name in t.POINTS:
    setattr(checkpoint, name, fault.wrap(getattr(checkpoint, name)))
t.write(Path(sys.argv[1]), 500, keep=2)
"""


def test_a_kill_at_every_change_leaves_a_checkpoint(tmp_path: Path) -> None:
    count = changes_of_a_save(prepared(tmp_path, "counting"))
    started = []
    for at in range(1, count + 1):
        run = prepared(tmp_path, f"kill-{at}")
        command = [sys.executable, "-c", KILLED, str(run), str(at)]
        started.append((run, subprocess.Popen(command, cwd=Path(__file__).parents[1])))
        if len(started) % 4 == 0:
            started[-1][1].wait()
    for run, child in started:
        assert child.wait() == 9
        assert checkpoint.latest(run).steps in (300, 500)
        write(run, 600, keep=2)
        assert checkpoint.latest(run).steps == 600
        names = {path.name for path in (run / "checkpoints").iterdir()}
        assert all(not name.startswith(".draft") for name in names)
