"""Hands progress to every sink; one that fails is dropped with a warning, training goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from skipjack.errors import RunError
from skipjack.report.progress import Evaluation, Progress, RunInfo, Sink


class Reporter:
    """A sink of sinks.

    Args:
        sinks: where to report. A `RunError` that one raises (the local store on a full disk)
            is passed on; any other error drops that sink.
    """

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self.sinks = list(sinks)

    def start(self, info: RunInfo) -> None:
        """The run begins."""
        self._each(lambda sink: sink.start(info))

    def update(self, progress: Progress) -> None:
        """An update is done."""
        self._each(lambda sink: sink.update(progress))

    def flush(self) -> None:
        """A checkpoint is being written: sinks that hold updates back (with `flush`) report them.

        A later sitting goes on from there, and takes back what a report past it has of before.
        """
        self._each(lambda sink: getattr(sink, "flush", lambda: None)())

    def message(self, text: str) -> None:
        """A sentence for the user."""
        self._each(lambda sink: sink.message(text))

    def finish(self, evaluation: Evaluation | None, reason: str) -> None:
        """The run ends."""
        self._each(lambda sink: sink.finish(evaluation, reason))

    def close(self) -> None:
        """Close every sink."""
        self._each(lambda sink: sink.close())

    def _each(self, tell: Callable[[Sink], Any]) -> None:
        for sink in list(self.sinks):
            try:
                tell(sink)
            except RunError:
                raise
            except Exception as error:
                self.sinks.remove(sink)
                self.message(
                    f"{type(sink).__name__} failed and gets no more reports "
                    f"({type(error).__name__}: {error})."
                )
