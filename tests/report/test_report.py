"""Screens and stores: the sink contract, means that are means, sinks that fail."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from skipjack.errors import RunError
from skipjack.report import Reporter
from skipjack.report.dashboard import Dashboard
from skipjack.report.plain import Plain, choose
from skipjack.report.store import FILE, Store, read, read_end
from skipjack.report.window import Window, duration, short, sparkline, verdict
from skipjack.testing.sink import (
    SinkContract,
    example_evaluation,
    example_info,
    example_progress,
)


def dashboard(width: int = 100, height: int = 40) -> tuple[Dashboard, Console]:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True)
    return Dashboard("breakout", "breakout-1", console=console, live=False), console


def frame(board: Dashboard, console: Console) -> str:
    with console.capture() as captured:
        console.print(board.render())
    return captured.get()


class TestPlain(SinkContract):
    def make_sink(self) -> Any:
        return Plain(io.StringIO(), every=0)


class TestDashboard(SinkContract):
    def make_sink(self) -> Any:
        board, console = dashboard()
        draw = board.update

        def update(progress: Any) -> None:
            draw(progress)
            frame(board, console)

        board.update = update  # type: ignore[method-assign]
        return board


class TestLiveDashboard(SinkContract):
    def make_sink(self) -> Any:
        return Dashboard("pong", "pong-1", console=Console(file=io.StringIO(), force_terminal=True))


class TestStore(SinkContract):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        self.path = tmp_path

    def make_sink(self) -> Any:
        return Store(self.path)


# ---- store ----


def test_store_keeps_a_row_an_update_and_the_evaluation(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.update(example_progress(1))
    store.update(example_progress(2, losses={"policy": math.nan}))
    store.finish(example_evaluation(0.5), "finished")
    store.close()
    first, second, final = read(tmp_path)
    assert first["steps"] == 131_072
    assert first["episodes"] == 10
    assert first["episodes/score"] == pytest.approx(0.1)
    assert first["losses/value"] == 0.2
    assert first["steps_per_second"] == pytest.approx(131_072 / 0.25)
    assert second["losses/policy"] is None, "JSON has no NaN"
    assert (final["kind"], final["score"], final["score_ci95"]) == ("evaluation", 0.5, 0.02)
    for line in (tmp_path / FILE).read_text().splitlines():
        json.loads(line, parse_constant=lambda name: pytest.fail(name))


def test_the_end_of_a_store_alone(tmp_path: Path) -> None:
    """The newest rows, from few bytes; a line that is cut or damaged is left out."""
    assert read_end(tmp_path) == []
    path = tmp_path / FILE
    path.write_text("".join(f'{{"update": {n}}}\n' for n in range(1, 1001)))
    assert read_end(tmp_path) == read(tmp_path)
    assert [row["update"] for row in read_end(tmp_path, size=40)] == [999, 1000]
    with path.open("ab") as file:
        file.write(b'\xff\xfe\n[1]\n{"update": 1001}\n{"update": 10')
    assert [row["update"] for row in read_end(tmp_path)][-2:] == [1000, 1001]


@pytest.mark.parametrize("reason", ["stopped", "failed: The disk is full."])
def test_the_store_says_why_a_run_ended_without_a_score(tmp_path: Path, reason: str) -> None:
    store = Store(tmp_path)
    store.update(example_progress(1))
    store.finish(None, reason)
    store.close()
    assert read(tmp_path)[-1] == {"kind": "end", "reason": reason}
    store = Store(tmp_path, resume_at=1)
    store.close()
    assert [row["update"] for row in read(tmp_path)] == [1], "a resumed run has not ended"


def test_store_goes_on_after_a_cut(tmp_path: Path) -> None:
    """Rows after the checkpoint and a line that a kill cut in half are taken back."""
    store = Store(tmp_path)
    for update in range(1, 6):
        store.update(example_progress(update))
    store.close()
    with open(tmp_path / FILE, "a") as file:
        file.write('{"update": 6, "st')
    assert [row["update"] for row in read(tmp_path)] == [1, 2, 3, 4, 5]
    store = Store(tmp_path, resume_at=3)
    store.update(example_progress(4))
    store.close()
    assert [row["update"] for row in read(tmp_path)] == [1, 2, 3, 4]


def test_store_on_a_disk_that_is_full(tmp_path: Path) -> None:
    store = Store(tmp_path)
    full = open("/dev/full", "w")
    store._file, before = full, store._file
    with pytest.raises(RunError, match=r"must be written.*No space left.*--resume"):
        store.update(example_progress())
    store._file = before
    store.close()
    with pytest.raises(OSError, match="space"):
        full.close()


# ---- means ----


def test_window_means_are_weighted_by_episodes() -> None:
    window = Window()
    window.add(example_progress(1, episodes=1, means={"score": 1.0}))
    window.add(example_progress(2, episodes=99, means={"score": 0.0}))
    window.add(example_progress(3, episodes=0, means={}))
    assert window.means() == {"score": pytest.approx(0.01)}
    assert window.episodes == 100
    assert window.steps_per_second == pytest.approx(131_072 / 0.25)


def test_plain_lines_hold_means_over_everything_since_the_last() -> None:
    stream = io.StringIO()
    plain = Plain(stream, every=1e9)
    plain.last = math.inf  # nothing is due until the run's end
    plain.update(example_progress(1, episodes=1, means={"score": 1.0, "return": 9.0}))
    plain.update(example_progress(2, episodes=3, means={"score": 0.0, "return": 1.0}))
    assert stream.getvalue() == ""
    plain.update(example_progress(8, episodes=0, means={}, steps=1_000_000))
    assert "score 0.250 | return 3.00 | 4 episodes" in stream.getvalue()


def test_small_things() -> None:
    assert [duration(s) for s in (0, 59.94, 61, 3 * 3600 + 62, math.inf, math.nan)] == [
        "0.0s", "59.9s", "1m 01s", "3h 01m", "?", "?",
    ]  # fmt: skip
    assert [short(n) for n in (0, 950, 12_345, 4_560_000, 20e9)] == [
        "0", "950", "12.3k", "4.56M", "20.0G",
    ]  # fmt: skip
    assert sparkline([0, 1, 2, 3], 4) == "▁▃▆█"
    assert sparkline([], 5) == sparkline([math.nan], 5) == ""
    assert len(sparkline(list(range(1000)), 30)) == 30
    assert sparkline([5, 5, 5], 9) == "▁▁▁"


@pytest.mark.parametrize(
    ("profile", "word"),
    [
        ({"environment": 8, "acting": 1, "learning": 1}, "bound by the environment"),
        ({"environment": 1, "acting": 8, "learning": 1}, "bound by acting"),
        ({"environment": 1, "acting": 1, "learning": 8}, "bound by learning"),
        ({"environment": 3, "acting": 3, "learning": 4}, "balanced"),
        ({}, "starting"),
    ],
)
def test_verdict(profile: dict[str, float], word: str) -> None:
    assert verdict(profile)[0] == word


# ---- dashboard ----


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 40), (200, 60), (40, 10), (20, 5)])
def test_dashboard_fits_any_terminal(width: int, height: int) -> None:
    board, console = dashboard(width, height)
    assert frame(board, console)
    board.start(example_info())
    for update in range(1, 30):
        board.update(example_progress(update, episodes=5))
        board._turn()
    board.message("A sentence " * 20)
    text = frame(board, console)
    for line in text.splitlines():
        assert len(Console(width=500).render_str(line).plain) <= width + 40  # escape codes aside
    board.finish(example_evaluation(), "finished")
    frame(board, console)


def test_dashboard_shows_what_a_user_looks_for() -> None:
    board, _ = dashboard()
    console = Console(file=io.StringIO(), width=100)
    board.console = console
    board.start(example_info())
    board.update(example_progress(4, losses={"policy": -0.25, "kl": 0.01}))
    board._turn()
    text = frame(board, console)
    for words in (
        "breakout", "524.3k of 1.00M steps", "524.3k steps/s", "bound by learning", "environment",
        "policy", "-0.25", "score 0.4", "means of 40, 40 in all", "left", "runs/example-1",
        "Ctrl-C saves and stops", "4096 rows, 2 threads, cpu", "seed 0",
    ):  # fmt: skip
        assert words in text, words
    board.finish(example_evaluation(0.5), "finished")
    assert "score 0.500 ± 0.020" in frame(board, console)


def test_plain_lines_where_there_is_no_terminal_or_no_color(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert isinstance(choose(False, "pong", "pong-1"), Plain), "pytest is no terminal"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen = choose(False, "pong", "pong-1")
    assert isinstance(screen, Dashboard)
    screen.close()
    assert isinstance(choose(True, "pong", "pong-1"), Plain)
    monkeypatch.setenv("NO_COLOR", "1")
    assert isinstance(choose(False, "pong", "pong-1"), Plain)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(choose(False, "pong", "pong-1"), Plain)


# ---- reporter ----


class Failing:
    """A sink whose every method raises."""

    def __getattr__(self, name: str) -> Any:
        def fail(*_: Any) -> None:
            raise ValueError("no network")

        return fail


def test_a_failing_sink_is_dropped_with_one_warning() -> None:
    stream = io.StringIO()
    reporter = Reporter([Failing(), Plain(stream, every=0)])
    for update in range(1, 4):
        reporter.update(example_progress(update))
    reporter.finish(example_evaluation(), "finished")
    reporter.close()
    assert stream.getvalue().count("Failing failed") == 1
    assert "no network" in stream.getvalue()
    assert "Final evaluation" in stream.getvalue()


def test_the_store_stops_the_run() -> None:
    class Full(Failing):
        def update(self, progress: Any) -> None:
            raise RunError("There is no space left.")

    with pytest.raises(RunError, match="space"):
        Reporter([Full()]).update(example_progress())
