"""Worker processes for envs that are stepped in Python: each has its own interpreter, and its own GIL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skipjack.errors import must
from skipjack.vector.contract import Vector
from skipjack.vector.crew import Crew


class Processes(Vector):
    """Steps a group's envs in several worker processes, none of them the caller's.

    Each worker builds an engine of its own for a share of every group, so that one group is
    stepped while the policy acts for another. What a worker's envs do is written straight into
    the vector's rows, in shared memory; see `skipjack.vector.worker` for what is said beside.

    A worker whose env raises ends them all, with an `EnvError` that holds its traceback. One that
    dies or hangs is noticed at once, or after `timeout`; then everything ends with a `RunError`,
    or, with on_crash="restart", a new worker begins new episodes: those that ran are truncated at
    their last delivered observation, and their records are partial.

    Args:
        make_engine: makes an engine of so many envs; called in the workers.
        num_envs: envs in all.
        workers: processes, at most one for each env of a group.
        groups, final, row_of: as in `Vector`.
        start: "fork", "spawn" or "auto", which is fork on Linux and spawn elsewhere.
        on_crash: "stop" or "restart".
        timeout: seconds that a worker may take to answer; 0 is for ever.
    """

    def __init__(
        self,
        make_engine: Callable[[int], Any],
        num_envs: int,
        workers: int,
        groups: int = 1,
        start: str = "auto",
        on_crash: str = "stop",
        timeout: float = 60.0,
        **settings: Any,
    ) -> None:
        if on_crash not in ("stop", "restart"):
            raise must('vector.on_crash must be "stop" or "restart"', got=on_crash)
        if not timeout >= 0:
            raise must("vector.timeout must be at least 0", got=timeout)
        self.crew = Crew(
            make_engine, num_envs, workers, groups, start, timeout, on_crash == "restart"
        )
        try:
            super().__init__(self.crew, groups, allocate=self.crew.shared, **settings)
        except BaseException:
            self.crew.close()
            raise

    @property
    def workers(self) -> int:
        """Worker processes."""
        return len(self.crew.links)

    @property
    def restarts(self) -> int:
        """Workers that were replaced because they crashed."""
        return self.crew.restarts

    def take_messages(self) -> list[str]:
        """What the user should know of crashes since this was last asked."""
        taken, self.crew.messages = self.crew.messages, []
        return taken

    def close(self) -> None:
        """End the workers without waiting for results. Closing twice is allowed."""
        self._ready.clear()
        self.crew.close()

    def _post(self, group: int) -> None:
        self.crew.post(group)

    def _finish(self, group: int) -> None:
        self.crew.finish(group)
