"""A sink in a thread of its own: slow, failing or hanging, training does not feel it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

from skipjack.report.progress import Evaluation, Progress, RunInfo, Sink
from skipjack.report.window import Window

EVERY = 2.0
"""Seconds between reports: a day's curve has 43,000 points, more than a screen can show."""

PATIENCE = 15.0
"""Seconds that a run's end waits: closing takes W&B about two, finding that there is no network ten."""

Say = Callable[[str], None]


class Background:
    """Passes reports on from a thread, at most one every `every` seconds.

    Updates in between are taken together (`Window`): every episode is counted, nothing is sampled.
    No call but `close` waits. A sink that raises or does not come to its end is told of once and
    left alone; its thread never keeps the process alive.

    Args:
        name: what the user calls the sink.
        make: makes it, in the thread and at once, given where it may say a sentence to the user;
            imports belong there: they are done while the run still starts up. If the sink has a method
            `abandon`, that is called, in the caller's thread, when it failed or was left behind.
        say: says a sentence to the user; called in the caller's thread alone.
        every, patience: see `EVERY` and `PATIENCE`.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[Say], Sink],
        say: Say,
        every: float = EVERY,
        patience: float = PATIENCE,
    ) -> None:
        self.name, self.make, self.say = name, make, say
        self.every, self.patience = every, patience
        self._window = Window()
        self._reported = float("-inf")
        self._sink: Sink | None = None
        self._failed = False
        # At most one report waits (`update` sees to it), so that neither queue can grow.
        self._calls: SimpleQueue[Callable[[Sink], None] | None] = SimpleQueue()
        self._said: SimpleQueue[str] = SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=f"sink {name}", daemon=True)
        self._thread.start()

    def start(self, info: RunInfo) -> None:
        """The run begins."""
        self._calls.put(lambda sink: sink.start(info))

    def update(self, progress: Progress) -> None:
        """Take an update in; report if it is time and no other report waits."""
        self._window.add(progress)
        now = time.monotonic()
        if now - self._reported >= self.every and self._calls.empty():
            self._reported = now
            self._report()
        self._pass_on()

    def flush(self) -> None:
        """Report what there is so far, unless another report waits."""
        if self._calls.empty():
            self._reported = time.monotonic()
            self._report()

    def message(self, text: str) -> None:
        """Messages are for screens."""

    def finish(self, evaluation: Evaluation | None, reason: str) -> None:
        """Report what is left, and the end."""
        self._report()
        self._calls.put(lambda sink: sink.finish(evaluation, reason))
        self._pass_on()

    def close(self) -> None:
        """Wait for the end, but not for ever."""
        if self._closed:
            return
        self._closed = True
        self._calls.put(None)
        self._thread.join(self.patience)
        hangs = self._thread.is_alive() and not self._failed
        self._pass_on()
        if hangs:
            self.say(
                f"{self.name} does not answer and is left behind: its last reports may be missing. "
                f"The run's own metrics.jsonl is whole."
            )
        if hangs or self._failed:
            abandon = getattr(self._sink, "abandon", lambda: None)
            abandon()

    def _report(self) -> None:
        window, self._window = self._window, Window()
        together = window.together()
        if together is not None:
            self._calls.put(lambda sink: sink.update(together))

    def _pass_on(self) -> None:
        """Say what the thread has to say."""
        while not self._said.empty():
            self.say(self._said.get())

    def _work(self) -> None:
        try:
            sink = self._sink = self.make(self._said.put)
            while (call := self._calls.get()) is not None:
                call(sink)
            sink.close()
        except BaseException as error:  # a package may even exit; that would end only this thread
            self._said.put(
                f"{self.name} failed and gets no more reports ({type(error).__name__}: {error}). "
                f"Training goes on; the run's own metrics.jsonl is whole."
            )
            self._failed = True
