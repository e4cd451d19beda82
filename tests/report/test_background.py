"""A sink in the background: everything reaches it, nothing waits for it, it complains once."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from skipjack.report import Reporter
from skipjack.report.background import Background
from skipjack.report.plain import Plain
from skipjack.report.progress import Evaluation, Progress, RunInfo
from skipjack.testing.sink import (
    SinkContract,
    example_evaluation,
    example_info,
    example_progress,
)

CALLS = ("make", "start", "update", "finish", "close")


class TestBackground(SinkContract):
    def make_sink(self) -> Any:
        return Background("plain", lambda _: Plain(io.StringIO()), lambda _: None, every=0)


def test_a_flush_reports_what_waits() -> None:
    """So that no report holds updates of both sides of a checkpoint."""
    recorder = Recorder()
    background = started(recorder, [])
    background.update(example_progress(1))
    while len(recorder.told) < 3:
        time.sleep(0.001)
    background.update(example_progress(2))
    Reporter([Reporter([background]), Plain(io.StringIO())]).flush()
    while len(recorder.told) < 4:
        time.sleep(0.001)
    background.flush()
    background.update(example_progress(3))
    background.finish(None, "finished")
    background.close()
    updates = [value.update for name, value in recorder.told if name == "update"]
    assert updates == [1, 2, 3]


class Recorder:
    """Notes what it is told; before the call named `at` it does `what` instead."""

    def __init__(self, at: str = "", what: Any = None) -> None:
        self.at, self.what = at, what
        self.told: list[tuple[str, Any]] = []
        self._note("make", None)

    def start(self, info: RunInfo) -> None:
        self._note("start", info)

    def update(self, progress: Progress) -> None:
        self._note("update", progress)

    def message(self, text: str) -> None:
        self._note("message", text)

    def finish(self, evaluation: Evaluation | None, reason: str) -> None:
        self._note("finish", (evaluation, reason))

    def close(self) -> None:
        self._note("close", None)

    def abandon(self) -> None:
        self._note("abandon", None)

    def _note(self, name: str, value: Any) -> None:
        if name == self.at:
            self.what()
        self.told.append((name, value))


def started(recorder: Recorder, said: list[str]) -> Background:
    """A background of one report, whose sink has taken `start` in."""
    background = Background("recorder", lambda _: recorder, said.append, every=1e9)
    background.start(example_info())
    while len(recorder.told) < 2:
        time.sleep(0.001)
    return background


def report(background: Background, updates: int = 5) -> None:
    background.start(example_info())
    for update in range(1, updates + 1):
        background.update(example_progress(update))
    background.finish(example_evaluation(), "finished")
    background.close()


def test_everything_arrives_in_order_and_nothing_is_left_out() -> None:
    recorder, said = Recorder(), list[str]()
    background = started(recorder, said)
    for update in range(1, 6):
        background.update(example_progress(update))
    background.finish(example_evaluation(), "finished")
    background.close()
    names = [name for name, _ in recorder.told]
    assert names == ["make", "start", "update", "update", "finish", "close"]
    assert recorder.told[1][1] == example_info()
    first, rest = recorder.told[2][1], recorder.told[3][1]
    assert first == example_progress(1), "the first update is reported at once"
    assert (rest.update, rest.steps) == (5, example_progress(5).steps)
    assert (rest.episodes, rest.interval_steps) == (20 + 30 + 40 + 50, 4 * 131_072)
    weighted = (20 * 0.2 + 30 * 0.3 + 40 * 0.4 + 50 * 0.5) / 140
    assert rest.means["score"] == pytest.approx(weighted)
    assert recorder.told[4][1] == (example_evaluation(), "finished")
    assert said == []


def test_losses_are_means_over_the_updates() -> None:
    recorder = Recorder()
    background = started(recorder, [])
    background.update(example_progress(1))
    background.update(example_progress(2, losses={"value": 1.0}))
    background.update(example_progress(3, losses={"value": 2.0, "late": 7.0}))
    background.finish(None, "stopped")
    background.close()
    assert recorder.told[3][1].losses == {"value": 1.5, "late": 7.0}


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Closed during the test; opened after it, so that no thread of a test stays."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("at", CALLS)
def test_a_sink_that_hangs_is_left_behind_with_one_warning(at: str, gate: threading.Event) -> None:
    sinks, said = list[Recorder](), list[str]()

    def make(_: Any) -> Recorder:
        sinks.append(Recorder.__new__(Recorder))
        sinks[0].__init__(at, gate.wait)  # type: ignore[misc]
        return sinks[0]

    background = Background("slow", make, said.append, every=0, patience=0.05)
    report(background, updates=1000)
    assert len(said) == 1
    assert said[0].startswith("slow does not answer and is left behind")
    assert background._calls.qsize() <= 5, "the queue must not grow while nobody reads it"
    assert ("abandon", None) in sinks[0].told or at == "make"


@pytest.mark.parametrize("at", CALLS)
@pytest.mark.parametrize("error", [ValueError("no network"), SystemExit("no network")])
def test_a_sink_that_fails_complains_once(at: str, error: BaseException) -> None:
    def fail() -> None:
        raise error

    said: list[str] = []
    report(Background("broken", lambda _: Recorder(at, fail), said.append, every=0))
    assert len(said) == 1
    assert said[0].startswith("broken failed and gets no more reports")
    assert "no network" in said[0]


def test_a_failure_is_told_while_training_goes_on() -> None:
    def fail(_: Any) -> Any:
        raise ValueError("no network")

    said: list[str] = []
    background = Background("broken", fail, said.append)
    background.start(example_info())
    background._thread.join()
    assert said == [], "only the trainer's thread may speak"
    background.update(example_progress(1))
    assert len(said) == 1
    background.close()
    assert len(said) == 1


def test_what_a_sink_says_reaches_the_user() -> None:
    said: list[str] = []

    def make(say: Any) -> Recorder:
        say("Look at http://localhost.")
        return Recorder()

    report(Background("talker", make, said.append))
    assert said == ["Look at http://localhost."]


def test_the_thread_does_not_keep_the_process(gate: threading.Event) -> None:
    background = Background("slow", lambda _: Recorder("start", gate.wait), lambda _: None)
    background.start(example_info())
    assert background._thread.daemon
