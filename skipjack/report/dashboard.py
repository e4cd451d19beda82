"""The live dashboard in the terminal. Its first frame stands before torch is imported."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from skipjack import __version__
from skipjack.report.plain import describe
from skipjack.report.progress import Evaluation, Progress, RunInfo
from skipjack.report.window import (
    Window,
    arena_line,
    duration,
    short,
    sparkline,
    time_left,
    verdict,
)

COLOURS = {"environment": "green", "acting": "cyan", "learning": "magenta", "other": "grey50"}
WIDE = 100  # columns from which two panels stand side by side


class Dashboard:
    """Shows a run and refreshes once a second from a thread of its own.

    Args:
        env, run: names, known before anything else.
        console: where to draw; by default the terminal.
        live: whether to draw by itself; tests call `render` instead.
    """

    def __init__(
        self, env: str, run: str, console: Console | None = None, live: bool = True
    ) -> None:
        self.env, self.run = env, run
        self.console = console or Console()
        self.info: RunInfo | None = None
        self.status = "starting"
        self.newest: Progress | None = None
        self.shown, self.gathering = Window(), Window()
        self.counted = 0  # whole episodes of this sitting
        self.score: deque[float] = deque(maxlen=4096)
        self.measure = "score"  # or "return", where nothing says what success is
        self.speed: deque[float] = deque(maxlen=4096)
        self.messages: deque[str] = deque(maxlen=3)
        self.evaluation: Evaluation | None = None
        self.began = self.refreshed = time.monotonic()
        self.live: Live | None = None
        if live:
            self.live = Live(
                get_renderable=self.render,
                console=self.console,
                refresh_per_second=1,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self.live.start(refresh=True)

    def show(self, text: str) -> None:
        """What the start-up is doing."""
        self.status = text
        self.refresh()

    def start(self, info: RunInfo) -> None:
        """The run begins."""
        self.info = info
        self.show("training")

    def update(self, progress: Progress) -> None:
        """Take an update in; drawing happens elsewhere."""
        self.newest = progress
        self.counted += progress.episodes
        self.gathering.add(progress)
        # Every episode ends up in some point of the sparkline, none twice.
        if time.monotonic() - self.refreshed >= 1.0:
            self._turn()

    def message(self, text: str) -> None:
        """Show a sentence; the last three stay."""
        self.messages.append(text)
        self.refresh()

    def finish(self, evaluation: Evaluation | None, reason: str) -> None:
        """Show the end."""
        self._turn()
        # The sentence behind "failed: " is the command's to say, once.
        self.evaluation, self.status = evaluation, reason.partition(":")[0]
        self.refresh()

    def close(self) -> None:
        """Leave the last frame on the screen and give the terminal back."""
        if self.live is not None:
            self.live.stop()
            self.live = None

    def refresh(self) -> None:
        """Draw now."""
        if self.live is not None:
            self.live.refresh()

    def render(self) -> RenderableType:
        """The present frame."""
        width = self.console.width
        parts: list[RenderableType] = [self._head(width)]
        if self.newest is not None:
            left, right = self._time(), self._losses(self.newest.losses)
            if width >= WIDE:
                half = (width - 5) // 2
                parts.append(Columns([left, right], width=half))
            else:
                parts.append(Columns([left, right], width=(width - 5) // 2))
            parts.append(self._episodes(width))
        parts.append(self._foot())
        title = f"[bold]skipjack[/] {__version__}  [bold cyan]{self.env}[/]"
        return Panel(
            Group(*parts), title=title, subtitle=self.status, box=box.ROUNDED, padding=(0, 1)
        )

    def _turn(self) -> None:
        """Close the window that was gathered and begin the next."""
        if self.gathering.steps:
            self.shown, self.gathering = self.gathering, Window()
            self.speed.append(self.shown.steps_per_second)
            means = self.shown.means()
            self.measure = "score" if "score" in means else "return"
            if means:
                self.score.append(means[self.measure])
        self.refreshed = time.monotonic()

    def _head(self, width: int) -> RenderableType:
        table = Table.grid(padding=(0, 2), expand=True)
        table.add_column(ratio=1, no_wrap=True)
        table.add_column(ratio=1, no_wrap=True)
        if self.info is None or self.newest is None:
            waited = duration(time.monotonic() - self.began)
            table.add_row(f"run [bold]{self.run}[/]", f"{self.status}  [dim]{waited}[/]")
            return table
        info, newest = self.info, self.newest
        speed = (self.shown if self.shown.steps else self.gathering).steps_per_second
        spark = sparkline(self.speed, max(8, width // 2 - 24))
        table.add_row(
            f"[bold]{short(newest.steps)}[/] of {short(newest.target_steps)} steps",
            f"[bold green]{short(speed)}[/] steps/s [green]{spark}[/]",
        )
        table.add_row(
            ProgressBar(
                total=max(newest.target_steps, 1),
                completed=newest.steps,
                width=max(10, width // 2 - 8),
            ),
            f"{duration(newest.seconds)} gone, {duration(time_left(newest, speed))} left",
        )
        table.add_row(
            f"[dim]{info.rows} rows, {info.threads} threads, {info.device}[/]",
            f"[dim]{short(info.parameters)} parameters, seed {info.seed}[/]",
        )
        return table

    def _time(self) -> RenderableType:
        profile = (self.shown if self.shown.steps else self.gathering).profile
        total = sum(profile.values()) or 1.0
        table = Table.grid(padding=(0, 1))
        for phase, seconds in profile.items():
            share = seconds / total
            colour = COLOURS.get(phase, "white")
            table.add_row(phase, f"{share:4.0%}", Text("█" * round(share * 16), style=colour))
        word, advice = verdict(profile)
        return Panel(
            Group(table, Text(f"{word}. {advice}", style="dim")),
            title="time",
            title_align="left",
            box=box.ROUNDED,
        )

    def _losses(self, losses: Mapping[str, float]) -> RenderableType:
        table = Table.grid(padding=(0, 1))
        for name, value in losses.items():
            table.add_row(name.replace("_", " "), f"{value:.4g}")
        return Panel(table, title="losses", title_align="left", box=box.ROUNDED)

    def _episodes(self, width: int) -> RenderableType:
        window = self.shown if self.shown.episodes else self.gathering
        means = window.means()
        table = Table.grid(padding=(0, 2))
        cells = [f"{name} [bold]{value:.4g}[/]" for name, value in means.items()]
        columns = max(1, (width - 8) // 22)
        for at in range(0, len(cells), columns):
            table.add_row(*cells[at : at + columns])
        spark = sparkline(self.score, max(8, width - 14))
        body: list[Any] = [table]
        if spark:
            body.append(Text.assemble(f"{self.measure} ", (spark, "yellow")))
        title = f"episodes: means of {window.episodes}, {short(self.counted)} in all"
        return Panel(Group(*body), title=title, title_align="left", box=box.ROUNDED)

    def _foot(self) -> RenderableType:
        lines: list[RenderableType] = [Text(text, style="dim") for text in self.messages]
        if self.newest is not None and self.newest.arena:
            lines.insert(0, Text(arena_line(self.newest.arena), style="bold"))
        if self.evaluation is not None:
            lines.append(
                Text(f"Final evaluation: {describe(self.evaluation)}", style="bold yellow")
            )
        folder = self.info.folder if self.info else f"runs/{self.run}"
        hint = "" if self.evaluation else "   Ctrl-C saves and stops"
        lines.append(Text(f"{folder}{hint}", style="dim"))
        return Group(*lines)
