"""Threads over ranges of envs: native games in a pool without the GIL, others in Python's."""

from __future__ import annotations

import itertools
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from skipjack.errors import must
from skipjack.native.kernel import Game, checked
from skipjack.native.pool import Pool
from skipjack.rows import Engine
from skipjack.vector.contract import Vector


class Threads(Vector):
    """Steps a group's envs on several threads, the caller's among them.

    Args:
        engine: a native game, or any engine whose `step` releases the GIL for most of its time.
        threads: threads in all, at least 1.
        settings: the arguments of `Vector`.
    """

    def __init__(self, engine: Engine, threads: int, **settings: Any) -> None:
        if threads < 1:
            raise must("threads must be at least 1", threads=threads)
        super().__init__(engine, **settings)
        self.threads = threads
        self._runner: _Native | _Python
        if isinstance(engine, Game):
            self._runner = _Native(engine, threads, self.groups)
        else:
            self._runner = _Python(engine, threads)

    def close(self) -> None:
        """Wait for what is under way and end the threads."""
        super().close()
        self._runner.close()

    def _post(self, group: int) -> None:
        self._runner.post(group, *self.envs_of(group))

    def _finish(self, group: int) -> None:
        self._runner.finish(group)


class _Native:
    """A game's ranges in the native pool; checked builds look at actions and rows too."""

    def __init__(self, game: Any, threads: int, groups: int) -> None:
        self.game = game
        self.pool: Any = Pool(game, threads, groups)
        self.ranges: dict[int, tuple[int, int]] = {}

    def post(self, group: int, lo: int, hi: int) -> None:
        if checked:
            self.game.check_actions(lo, hi)
            self.ranges[group] = lo, hi
        self.pool.post(group, lo, hi)

    def finish(self, group: int) -> None:
        self.pool.finish(group)
        if checked:
            self.game.check_rows(*self.ranges[group])

    def close(self) -> None:
        self.pool = None


class _Python:
    """Ranges of a Python engine in Python's threads."""

    def __init__(self, engine: Engine, threads: int) -> None:
        self.engine, self.threads = engine, threads
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="skipjack-env")
        self.under_way: dict[int, list[Future[None]]] = {}

    def post(self, group: int, lo: int, hi: int) -> None:
        cuts = [lo + (hi - lo) * i // self.threads for i in range(self.threads + 1)]
        pairs = itertools.pairwise(cuts)
        self.under_way[group] = [self.pool.submit(self.engine.step, a, b) for a, b in pairs]

    def finish(self, group: int) -> None:
        for future in self.under_way.pop(group):
            future.result()

    def close(self) -> None:
        self.pool.shutdown()
