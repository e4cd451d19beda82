"""One process a run: taken, told, refused, and free again after any kind of end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from skipjack.errors import RunError
from skipjack.run import lock

HOLD = """
import os, sys
from pathlib import Path
from skipjack.run import lock
with lock.hold(Path(sys.argv[1])):
    print(os.getpid(), flush=True)
    sys.stdin.readline()
    if sys.argv[2] == "crash":
        os._exit(1)
"""


def test_nobody_has_it(tmp_path: Path) -> None:
    assert lock.holder(tmp_path) is None
    assert lock.holder(tmp_path / "nowhere") is None
    with pytest.raises(RunError, match="must be writable"), lock.hold(tmp_path / "nowhere"):
        pass


def test_held_and_freed_within_a_process(tmp_path: Path) -> None:
    with lock.hold(tmp_path):
        found = lock.holder(tmp_path)
        assert found is not None
        assert found["process"] == os.getpid()
        with pytest.raises(RunError, match=f"process {os.getpid()} on "), lock.hold(tmp_path):
            pass
        assert lock.holder(tmp_path) == found, "the refused one changes nothing"
    assert lock.holder(tmp_path) is None
    with pytest.raises(ValueError, match="inside"), lock.hold(tmp_path):
        raise ValueError("inside")
    assert lock.holder(tmp_path) is None


@pytest.mark.parametrize("end", ["well", "crash", "kill"])
def test_it_dies_with_its_process(tmp_path: Path, end: str) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path), end],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin
    assert child.stdout
    pid = int(child.stdout.readline())
    found = lock.holder(tmp_path)
    assert found is not None
    assert found["process"] == pid
    with pytest.raises(RunError, match=f"process {pid} on "), lock.hold(tmp_path):
        pass
    child.kill() if end == "kill" else child.communicate("\n")
    child.wait()
    assert lock.holder(tmp_path) is None
    with lock.hold(tmp_path):
        assert lock.holder(tmp_path) is not None
    child.stdin.close()
    child.stdout.close()


def test_looking_does_not_refuse_a_trainer(tmp_path: Path) -> None:
    """`holder` has the lock for an instant; a trainer that starts in it asks again."""
    (tmp_path / lock.FILE).write_text("")
    with open(tmp_path / lock.FILE) as file:
        assert lock._take(file, shared=True)
        take, calls = lock._take, []

        def count(file: object, shared: bool) -> bool:
            calls.append(shared)
            if len(calls) == 3:
                looking.close()
            return take(file, shared)  # type: ignore[arg-type]

        looking = file
        lock._take = count  # type: ignore[assignment]
        try:
            with lock.hold(tmp_path):
                assert len(calls) == 3
        finally:
            lock._take = take


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training goes on, and what the file says stands."""

    def refuse(file: object, shared: bool) -> bool:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(lock, "_take", refuse)
    with lock.hold(tmp_path):
        found = lock.holder(tmp_path)
        assert found is not None
        assert found["process"] == os.getpid()
    assert lock.holder(tmp_path) is None
