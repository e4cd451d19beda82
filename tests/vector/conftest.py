"""No test of workers may hang: each has a minute."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def time_limit() -> Iterator[None]:
    def over(number: int, frame: object) -> None:
        raise TimeoutError("the test has hung for a minute")

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
