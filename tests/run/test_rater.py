"""A rater beside a training: it reports, dies, comes back, ends with the run, and leaves whole blocks."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from skipjack.arena.ladder import Ladder
from skipjack.arena.players import Player, random_player
from skipjack.arena.results import NoOutcomeError, Results
from skipjack.cli.main import main
from skipjack.errors import RunError
from skipjack.policies.random import RandomActor
from skipjack.run import rater
from skipjack.run import ratings as wiring
from skipjack.run.rater import Orders, Rater, follow, newest_line
from tests.arena.tables import RULES, table
from tests.cli.test_rate import write_run

LINE = {
    "steps": 5,
    "name": "a",
    "elo": 10.0,
    "error": 2.0,
    "gain": 3.0,
    "gain_error": 1.0,
    "games": 8,
}
REPORT = {"players": [LINE], "games": 8, "backlog": 2, "headline": ""}

STUB = """
import json, pathlib, sys
run, report = pathlib.Path(sys.argv[1]), sys.argv[2]
(run / "arena").mkdir(exist_ok=True)
(run / "arena" / "ratings.json").write_text(report)
(run / "pid").write_text("there")
for line in sys.stdin:
    if line.strip() == "finish":
        (run / "arena" / "ratings.json").write_text(report.replace('"a"', '"b"'))
        break
(run / "ended").write_text("in order")
"""
"""A rater that rates nothing, but reports and obeys."""


def until(true: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(rater, "EVERY", 0.0)
    monkeypatch.setattr(rater, "BACKOFF", (0.0, 0.0))
    return [sys.executable, "-c", STUB, str(tmp_path), json.dumps(REPORT)]


@pytest.fixture(autouse=True)
def usual_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rater makes its process less urgent for good: not that of the tests."""
    monkeypatch.setattr("os.nice", lambda more: 0)


def test_it_reports_and_finishes(tmp_path: Path, stub: list[str]) -> None:
    said: list[str] = []
    beside = Rater(tmp_path, 0.1, 25.0, said.append, stub)
    until(lambda: "rating/elo" in beside.look())
    found = beside.look()
    assert found["rating/alive"] == 1
    assert (found["rating/elo"], found["rating/elo_error"], found["rating/checkpoint"]) == (
        10,
        2,
        5,
    )
    assert (found["rating/backlog"], found["rating/games"]) == (2, 8)
    line = beside.finish(60, "b", stop=lambda: False)
    assert (line["name"], line["elo"], line["error"]) == ("b", 10, 2)
    assert said == []
    # Another checkpoint's rating is nobody's, even one's of as many steps, and one that is not known well
    # enough is told of.
    assert beside.finish(60, "a", stop=lambda: False) == {}
    assert "did not come to the last checkpoint" in said[0]
    beside.precision = 1.5
    assert beside.finish(60, "b", stop=lambda: False)["error"] == 2
    assert "a standard error of 2 Elo still, more than arena.precision=1.5" in said[1]
    beside.close()
    beside.close()


def test_it_ends_with_the_training(tmp_path: Path, stub: list[str]) -> None:
    beside = Rater(tmp_path, 0.1, 25.0, print, stub)
    until((tmp_path / "pid").exists)
    beside.close()
    assert (tmp_path / "ended").read_text() == "in order"


def test_a_dead_one_is_started_again_and_not_for_ever(tmp_path: Path, stub: list[str]) -> None:
    said: list[str] = []
    beside = Rater(tmp_path, 0.1, 25.0, said.append, stub)
    for death in range(3):
        until((tmp_path / "pid").exists)
        (tmp_path / "pid").unlink()
        assert beside._child is not None
        beside._child.kill()
        beside._child.wait()
        assert beside.look()["rating/alive"] == 0
        assert len(said) == death + 1
        if death < 2:
            until(lambda: beside.look()["rating/alive"] == 1)
    for _ in range(5):
        assert beside.look()["rating/alive"] == 0
    assert "started again" in said[0]
    assert "left alone" in said[2]
    assert len(said) == 3
    beside.close()


def test_what_cannot_be_started_stops_no_training(tmp_path: Path) -> None:
    said: list[str] = []
    beside = Rater(tmp_path, 0.1, 25.0, said.append, [str(tmp_path / "nothing")])
    assert "Training goes on without" in said[0]
    assert beside.look()["rating/alive"] == 0
    beside.close()


def test_the_end_of_a_run_does_not_wait_for_ever(tmp_path: Path, stub: list[str]) -> None:
    said: list[str] = []
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
    beside = Rater(tmp_path, 0.1, 25.0, said.append, sleeper)
    assert beside.finish(0.2, "b", stop=lambda: False) == {}
    assert "rate it with skipjack rate" in said[0]
    beside.close()
    assert not beside.alive


def test_its_last_words_are_kept(tmp_path: Path, stub: list[str]) -> None:
    said: list[str] = []
    dying = [sys.executable, "-c", "raise SystemExit('The table is full.')"]
    beside = Rater(tmp_path, 0.1, 25.0, said.append, dying)
    until(lambda: not beside.alive)
    beside.look()
    until(lambda: beside.look()["rating/alive"] == 1 or not beside.alive)
    log = tmp_path / "arena" / "rater.log"
    assert "The table is full." in log.read_text()
    assert str(log) in said[0]
    beside.close()


def test_games_without_an_outcome_are_told_of_once(tmp_path: Path, stub: list[str]) -> None:
    said: list[str] = []
    code = (
        f"import pathlib; pathlib.Path({str(tmp_path / 'once')!r}).open('x'); raise SystemExit(3)"
    )
    beside = Rater(tmp_path, 0.1, 25.0, said.append, [sys.executable, "-c", code])
    until(lambda: not beside.alive)
    for _ in range(5):
        assert beside.look()["rating/alive"] == 0
    assert len(said) == 1
    assert "The run is not rated. Games must end with an outcome" in said[0]
    assert beside.finish(60, "a", stop=lambda: False) == {}
    assert not beside.alive
    assert (
        "FileExistsError" not in (tmp_path / "arena" / "rater.log").read_text()
    )  # not started again


def test_a_rater_of_games_without_an_outcome_says_so_by_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_run(tmp_path / "runs", "one", steps=2)

    def blind(ladder: Ladder, *rest: object) -> None:
        raise NoOutcomeError

    monkeypatch.setattr(Ladder, "play", blind)
    monkeypatch.setattr(rater, "Orders", lambda stream: Finish())
    assert main(["rate", str(folder), "--follow"]) == rater.USELESS
    assert "Games must end with an outcome" in capsys.readouterr().err


def test_numbers_that_only_the_prior_knows_are_not_shown(tmp_path: Path, stub: list[str]) -> None:
    vague = LINE | {"error": 687.0, "gain_error": 40.0}
    command = [*stub[:-1], json.dumps(REPORT | {"players": [vague]})]
    beside = Rater(tmp_path, 0.1, 25.0, print, command)
    until(lambda: "rating/checkpoint" in beside.look())
    found = beside.look()
    assert "rating/elo" not in found
    assert "rating/elo_error" not in found
    assert (found["rating/gain"], found["rating/gain_error"]) == (3, 40)
    beside.close()


def test_following_takes_in_new_checkpoints_and_finishes_the_newest(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "runs", "one", steps=3)
    newest = wiring.checkpoints_of(folder)[-1]
    contest = wiring.Contest(wiring.configured_of(wiring.checkpoint.load(newest)), 32)
    results = Results(folder / "arena" / wiring.FILE)
    one = random_player(contest.vector.action)
    ladder = Ladder([one], results, contest.rules, contest.vector, seed=1)
    reading, writing = os.pipe()
    os.write(writing, b"finish\n")
    orders = Orders(os.fdopen(reading, "rb"))
    until(lambda: orders.finish)
    follow(folder, contest, ladder, results, orders, budget=1.0, precision=60.0)
    report = json.loads((folder / "arena" / rater.FILE).read_text())
    line = newest_line(report)
    assert line["steps"] == 2000
    assert 0 < line["gain_error"] <= 60
    assert report["games"] == sum(result.games for result in ladder.counted())
    os.close(writing)
    until(lambda: orders.stop)
    contest.close()


class Finish:
    """Orders of a training that has ended."""

    finish, stop = True, False


def test_finishing_goes_on_past_who_is_gone(tmp_path: Path) -> None:
    """And ends where nobody is left to play."""
    vector = table("tic_tac_toe", 8)

    def gone(rows: int, seed: int) -> None:
        raise RunError("Its checkpoint is there no more.")

    def made(run: str, *there: int) -> tuple[Path, Ladder]:
        folder = tmp_path / run
        results = Results(folder / "arena" / wiring.FILE)
        make = lambda rows, seed: RandomActor(vector.action, seed)  # noqa: E731
        past = [Player(f"{at:012d}", make if at in there else gone, steps=at) for at in range(4)]
        players = [random_player(vector.action), *past]
        return folder, Ladder(players, results, RULES, vector, seed=1)

    folder, ladder = made("one", 0, 3)
    follow(folder, None, ladder, ladder.results, Finish(), budget=1.0, precision=120.0)  # type: ignore
    line = newest_line(json.loads((folder / "arena" / rater.FILE).read_text()))
    assert line["steps"] == 3
    assert 0 < line["error"] <= 120
    folder, ladder = made("two")
    follow(folder, None, ladder, ladder.results, Finish(), budget=1.0, precision=120.0)  # type: ignore
    assert ladder.results.blocks() == 0


def test_it_plays_for_its_share_of_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that only blocks, of 3 seconds each, and sleep move."""
    vector, slept = table("tic_tac_toe", 1), []
    results = Results(tmp_path / "arena" / wiring.FILE)
    players = [random_player(vector.action)]
    players.append(Player("other", players[0].make, steps=0))
    ladder = Ladder(players, results, RULES, vector, seed=1)
    now, left = [0.0], [4]

    class Going:
        finish = False

        @property
        def stop(self) -> bool:
            return not left[0]

    def play(stop: object, about: object) -> object:
        now[0] += 3.0
        left[0] -= 1
        return Ladder.play(ladder)

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(ladder, "play", play)
    monkeypatch.setattr(rater.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(rater.time, "sleep", sleep)
    follow(tmp_path, None, ladder, results, Going(), budget=0.25, precision=1.0)  # type: ignore
    assert sum(slept) == pytest.approx(3 * 9.0, abs=0.2)  # after all but the last
    # So it is where the time came to nothing: a block that was given up.
    slept.clear()
    left[0] = 4
    monkeypatch.setattr(Ladder, "play", lambda ladder: None)
    follow(tmp_path, None, ladder, results, Going(), budget=0.25, precision=1.0)  # type: ignore
    assert sum(slept) == pytest.approx(3 * 9.0, abs=0.2)


def test_the_end_of_a_run_is_about_its_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vector, asked = table("tic_tac_toe", 8), []
    results = Results(tmp_path / "arena" / wiring.FILE)
    make = lambda rows, seed: RandomActor(vector.action, seed)  # noqa: E731
    players = [Player(f"{at:012d}", make, steps=at) for at in range(6)]
    ladder = Ladder([random_player(vector.action), *players], results, RULES, vector, seed=1)
    play = ladder.play
    monkeypatch.setattr(ladder, "play", lambda *given: asked.append(given[1]) or play(*given))
    follow(tmp_path, None, ladder, results, Finish(), budget=1.0, precision=150.0)  # type: ignore
    assert set(asked) == {players[-1].name}
    assert ladder.ratings().games(players[-1].name) > 0.4 * sum(
        result.games for result in ladder.counted()
    )


@pytest.mark.slow
def test_a_killed_rater_leaves_whole_blocks_and_the_next_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = write_run(tmp_path / "runs", "one", steps=3)
    table = folder / "arena" / wiring.FILE

    def blocks() -> int:
        if not table.exists():
            return 0
        try:
            link = sqlite3.connect(table)
            return int(link.execute("SELECT COUNT(DISTINCT block) FROM games").fetchone()[0])
        except sqlite3.OperationalError:
            return 0

    command = [sys.executable, "-m", "skipjack", "rate", str(folder), "--follow", "--budget", "1"]
    child = subprocess.Popen(command, stdin=subprocess.PIPE)
    until(lambda: blocks() >= 3)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    link = sqlite3.connect(table)
    parts = link.execute(
        "SELECT COUNT(*), SUM(wins + draws + losses + void), MIN(rules) FROM games GROUP BY block"
    ).fetchall()
    assert {(count, games) for count, games, _ in parts} == {(2, 64)}
    before = len(parts)
    assert main(["rate", "one", "--games", "64", "--precision", "1", "--no-plots"]) == 0
    assert blocks() > before
    assert "000000002000" in capsys.readouterr().out


@pytest.mark.slow
def test_a_training_is_rated_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    small = [
        "--vector.num-envs",
        "32",
        "--policy.hidden",
        "16",
        "--eval.envs",
        "4",
        "--eval.quota",
        "1",
    ]
    arena = ["--arena.rating", "beside", "--arena.patience", "600", "--arena.precision", "60"]
    past = ["--arena.past", "0.25", "--arena.banks", "2"]
    steps = ["--train.steps", "6e3"]
    assert (
        main(["train", "tic_tac_toe", "--run", "one", "--json", *small, *arena, *past, *steps]) == 0
    )
    row = json.loads(capsys.readouterr().out.splitlines()[-1])
    report = json.loads((tmp_path / "runs" / "one" / "arena" / rater.FILE).read_text())
    line = newest_line(report)
    assert line["steps"] == row["steps"]
    assert (row["rating"], row["rating_error"]) == (line["elo"], line["error"])
    metrics = (tmp_path / "runs" / "one" / "metrics.jsonl").read_text().splitlines()
    found = [json.loads(each) for each in metrics if '"update"' in each]
    assert found[-1]["past/share"] == 0.25
    assert found[-1]["past/pool"] > 3
    assert "rating/alive" in found[-1]
