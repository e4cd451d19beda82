"""`skipjack check`: what is wrong with an environment, in plain words, and how fast it is."""

from __future__ import annotations

import time
from typing import Any

from gymnasium.vector import VectorEnv

from skipjack.emulate.maker import Maker
from skipjack.errors import SkipjackError, clause
from skipjack.testing.check import engine, python
from skipjack.testing.check.findings import Finding, Report
from skipjack.testing.check.speed import Clock

__all__ = ["Finding", "Report", "check"]


def check(
    maker: Any,
    config: Any = None,
    name: str = "",
    steps: int = 1000,
    seed: int = 0,
    clock: Clock = time.perf_counter,
) -> Report:
    """Examine an environment: what it declares, what it does in random play, and how fast.

    Args:
        maker: what `registry.load` or `registry.maker` gives: an engine class, or the maker of a
            Python environment.
        config: its settings; by default those of its `Config`.
        name: what it is called in the report.
        steps: steps of random play.
        seed: of envs and actions.
        clock: gives seconds.
    """
    config = maker.Config() if config is None else config
    report = Report(name or getattr(maker, "name", "") or getattr(maker, "__name__", ""))
    if not isinstance(maker, Maker):
        report.kind = "an engine"
        engine.examine(report, maker, config, steps, clock)
        return report
    env = _made(report, maker, config)
    if isinstance(env, VectorEnv):
        report.kind = "a Gymnasium vector environment"
        _whole(report, maker, env, config, steps, clock)
    elif env is not None:
        python.examine(report, maker, env, config, steps, seed, clock)
    return report


def _made(report: Report, maker: Maker, config: Any) -> Any:
    """One env as the user's maker makes it; None if it cannot."""
    try:
        many = {"num_envs": 2} if maker.vector else {}
        return maker.make(**many | config.arguments())
    except SkipjackError as error:
        report.wrong("maker", str(error))
    except Exception as error:
        report.wrong(
            "maker",
            f"An env must be made, but the maker raised {type(error).__name__}: {clause(error)}.",
        )
    return None


def _whole(report: Report, maker: Maker, env: Any, config: Any, steps: int, clock: Clock) -> None:
    """A vector environment: whether Skipjack takes it, and what its engine does."""
    count = env.num_envs
    env.close()
    try:
        maker(count, config).close()
    except SkipjackError as error:
        report.wrong("spaces", str(error))
        return
    engine.examine_whole(report, maker, count, config, steps, clock)
