"""The study's file: half lines, full disks, many writers."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from skipjack.errors import RunError, UsageError
from skipjack.sweep.storage import Journal, alone, connect

FULL = """
import resource, signal, sys
from pathlib import Path
from skipjack.errors import RunError
from skipjack.sweep.storage import Journal
journal = Journal(Path(sys.argv[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
size = Path(sys.argv[1]).stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, size + 20))  # a disk with 20 bytes left
try:
    journal.append_logs([{"long": "x" * 100}])
except RunError as error:
    print(error)
"""


def read(path: Path, begin: int = 0) -> list[dict[str, object]]:
    return list(Journal(path).read_logs(begin))


def test_lines_are_read_from_where_one_asks(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "study")
    journal.append_logs([{"n": i} for i in range(5)])
    assert [row["n"] for row in journal.read_logs(0)] == [0, 1, 2, 3, 4]
    Journal(tmp_path / "study").append_logs([{"n": 5}])
    assert [row["n"] for row in journal.read_logs(4)] == [4, 5]
    assert [row["n"] for row in journal.read_logs(6)] == []


def test_half_a_line_is_passed_over_and_taken_back(tmp_path: Path) -> None:
    """A kill in the middle of writing, at every byte of a line."""
    path = tmp_path / "study"
    Journal(path).append_logs([{"n": 0}])
    whole = path.read_bytes()
    line = b'{"n":1}\n'
    for cut in range(len(line)):
        path.write_bytes(whole + line[:cut])
        assert read(path) == [{"n": 0}]
        Journal(path).append_logs([{"n": 2}])
        assert read(path) == [{"n": 0}, {"n": 2}]


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of a file's size there")
def test_a_full_disk_is_told_and_harms_nothing(tmp_path: Path) -> None:
    path = tmp_path / "study"
    Journal(path).append_logs([{"n": 0}])
    before = path.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True
    )
    assert "go on with the same command" in done.stdout
    assert path.read_bytes() == before
    Journal(path).append_logs([{"n": 1}])
    assert read(path) == [{"n": 0}, {"n": 1}]


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "study"
    Journal(path)

    def write(who: int) -> None:
        journal = Journal(path)
        for n in range(40):
            journal.append_logs([{"who": who, "n": n}, {"who": who, "n": -n}])

    threads = [threading.Thread(target=write, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(rows) == 320
    for who in range(4):
        own = [row["n"] for row in rows if row["who"] == who]
        assert own == [sign * n for n in range(40) for sign in (1, -1)]


def test_only_one_process_leads_a_sweep(tmp_path: Path) -> None:
    first, second = alone(tmp_path / "lock", "Taken."), alone(tmp_path / "lock", "Taken.")
    with first, pytest.raises(RunError, match="Taken"), second:
        pass
    with alone(tmp_path / "lock", "Taken."):
        pass


def test_strange_addresses_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="postgresql://"):
        connect("ftp://somewhere/x")
    with pytest.raises(RunError, match="Is it running"):
        connect("postgresql://nobody@127.0.0.1:1/none")
