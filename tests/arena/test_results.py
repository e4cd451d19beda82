"""The table of results: whole blocks, once each, whoever writes and whatever is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from skipjack.arena.rating import Result
from skipjack.arena.results import Block, Results
from skipjack.errors import RunError


def block(name: str, rules: str = "r", wins: int = 3) -> Block:
    return Block(
        name, rules, (Result("a", "b", wins, 1, 2, truncated=1), Result("b", "a", 2, 0, 4, void=1))
    )


def test_blocks_add_up_by_pair_and_rules(tmp_path: Path) -> None:
    results = Results(tmp_path / "pool" / "results.sqlite")
    assert results.add(block("1"))
    assert results.add(block("2", wins=10))
    assert results.add(block("3", rules="other", wins=100))
    assert results.all("r") == [
        Result("a", "b", 13, 2, 4, truncated=2),
        Result("b", "a", 4, 0, 8, void=2),
    ]
    assert results.all("r", players=["a"]) == []
    assert results.blocks() == 3


def test_a_block_counts_once(tmp_path: Path) -> None:
    results = Results(tmp_path / "results.sqlite")
    assert results.add(block("1"))
    assert not results.add(block("1", wins=99))
    assert results.all("r")[0].wins == 3


def test_what_is_there_is_never_changed(tmp_path: Path) -> None:
    results = Results(tmp_path / "results.sqlite")
    results.add(block("1"))
    link = sqlite3.connect(results.path)
    for change in ("UPDATE games SET wins = 9", "DELETE FROM games"):
        with pytest.raises(sqlite3.IntegrityError, match="only appended"):
            link.execute(change)


def test_half_a_block_is_none(tmp_path: Path) -> None:
    """A second line that the table refuses takes the first with it."""
    results = Results(tmp_path / "results.sqlite")
    broken = Block("1", "r", (Result("a", "b", 1, 0, 0), Result("b", "a", None, 0, 0)))
    assert not results.add(broken)
    assert results.all("r") == []
    assert results.add(block("1"))


def writer(path: Path, number: int) -> None:
    results = Results(path)
    for at in range(25):
        results.add(block(f"{number}-{at}", wins=1))
        results.add(block(f"same-{at}", wins=1))


def test_several_raters_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=writer, args=(path, number)) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    results = Results(path)
    assert results.blocks() == 3 * 25 + 25
    assert results.all("r")[0].wins == 100


KILLED = """
import sys
from pathlib import Path
from tests.arena.test_results import block
from skipjack.arena.results import Results
results = Results(Path(sys.argv[1]))
for at in range(1_000_000):
    results.add(block(str(at), wins=1))
    print(at, flush=True)
"""


def test_a_killed_rater_leaves_whole_blocks(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    for _ in range(20):
        process.stdout.readline()
    time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    results = Results(path)
    first, second = results.all("r")
    assert first.wins == second.void == results.blocks() >= 20
    assert results.add(block("after"))


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    results = Results(tmp_path / "results.sqlite")
    results.add(block("1"))
    pages = results._link.execute("PRAGMA page_count").fetchone()[0]
    results._link.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(RunError, match="Free space"):
        results.add(block("x" * 100_000))
    assert results.all("r")[0].wins == 3  # what was there is intact


def test_another_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    path.write_text("no table" * 1000)
    with pytest.raises(RunError, match="move the file away"):
        Results(path)
