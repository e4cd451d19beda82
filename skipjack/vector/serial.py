"""The reference: one range, one thread, in the caller's own time."""

from __future__ import annotations

from skipjack.vector.contract import Vector


class Serial(Vector):
    """Steps a group when it is sent. What every other vector must equal, byte for byte."""

    def _post(self, group: int) -> None:
        self.engine.step(*self.envs_of(group))

    def _finish(self, group: int) -> None:
        pass
