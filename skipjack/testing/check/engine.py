"""The contract of engines, and of vector environments, told in sentences instead of a test report."""

from __future__ import annotations

import dataclasses
import inspect
import traceback
from collections.abc import Callable
from typing import Any
from unittest import SkipTest

from skipjack.errors import SkipjackError, clause
from skipjack.rows import Rows, identity_rows
from skipjack.seeding import env_seeds
from skipjack.testing.check.findings import Report
from skipjack.testing.check.world import Clock
from skipjack.testing.engine import EngineContract

NUM_ENVS = 64
"""Envs whose speed is measured."""
SECONDS = 1.0
"""Of that measurement."""
SEEDS = "test_another_seed_is_another_game"
SCENE = "test_scene"
WHOLE = ("declares_what_it_is", "observations_keep_their_bounds", "flags_and_records_agree")
"""What holds for a vector environment too, which has a number of envs of its own."""


class Contract(EngineContract):
    """The contract of the engines of one maker.

    Args:
        make: makes an engine of so many envs.
        longer: makes one with a longer time limit; None if there is no such setting.
        steps: steps of a play.
    """

    def __init__(
        self, make: Callable[[int], Any], longer: Callable[[int], Any] | None, steps: int
    ) -> None:
        self.make, self.longer, self.steps = make, longer, steps

    def make_engine(self, num_envs: int) -> Any:
        """A fresh engine."""
        return self.make(num_envs)

    def make_longer(self, num_envs: int) -> Any:
        """The same with a longer time limit."""
        return self.longer(num_envs) if self.longer else None


def examine(
    report: Report, make: Any, config: Any, steps: int, clock: Clock, random: bool = True
) -> None:
    """Every test of the contract of an engine class.

    Args:
        report: is told what is found.
        make: makes engines from a number of envs and a config.
        config: its settings.
        steps: steps of a play.
        clock: gives seconds.
        random: whether the seed should make a difference.
    """
    limit = getattr(config, "time_limit", 0)
    longer = None
    if isinstance(limit, int) and 0 < limit <= steps:
        extended = dataclasses.replace(config, time_limit=10 * limit)
        longer = lambda count: make(count, extended)  # noqa: E731
    contract = Contract(lambda count: make(count, config), longer, steps)
    contract.random = random
    held = 0
    for name, test in inspect.getmembers(contract, inspect.ismethod):
        if name.startswith("test_"):
            held += _holds(report, name, test)
    report.ok("contract", f"{held} tests of the engine contract hold, over {steps:,} steps.")
    _speed(report, contract, NUM_ENVS, clock)


def examine_whole(report: Report, engine: Any, make: Any, steps: int, clock: Clock) -> None:
    """What can be asked of a vector environment, which is stepped as a whole.

    Args:
        report: is told what is found.
        engine: Skipjack's engine of one.
        make: makes another.
        steps: steps of a play.
        clock: gives seconds.
    """
    count = engine.num_envs
    engine.close()

    class Whole(Contract):
        def played(self, num_envs: int = count, *given: Any, **named: Any) -> Any:
            return super().played(count, *given, **named)

        def make_engine(self, num_envs: int) -> Any:
            return make(count)

    contract = Whole(make, None, steps)
    held = [_holds(report, name, getattr(contract, f"test_{name}")) for name in WHOLE]
    one, two = (contract.played()[2] for _ in range(2))
    if contract.differs(one, two):
        report.wrong(
            "seeds",
            "The same seed and actions must give the same, but a second vector env differs. Seed each "
            "env from what reset is given.",
        )
    report.ok("contract", f"{sum(held)} tests of the engine contract hold, over {steps:,} steps.")
    _speed(report, contract, count, clock)


def _holds(report: Report, name: str, test: Callable[[], None]) -> bool:
    """Whether a test holds; if not, its sentence and what failed are told."""
    rule = " ".join((inspect.getdoc(test) or name).split())
    try:
        test()
    except (SkipTest, NotImplementedError) as skipped:
        if name == SCENE and isinstance(skipped, NotImplementedError):
            report.note("scene", "It does not draw itself, so it cannot be watched.")
        return False
    except AssertionError as error:
        words = clause(error) or f"not so: {_line(error)}"
        if words.startswith("raise `steps`"):
            report.note("episodes", f"{words.replace('`steps`', '--steps')}.".capitalize())
        elif name == SEEDS:
            report.note("seeds", "Seeds make no difference: if something is random, use them.")
        else:
            report.wrong("contract", f"This must hold: {rule} But {words}.")
        return False
    except Exception as error:
        words = (
            str(error) if isinstance(error, SkipjackError) else f"{type(error).__name__}: {error}"
        )
        report.wrong("contract", f"This must hold: {rule} But it raised {words.rstrip('.')}.")
        return False
    return True


def _line(error: BaseException) -> str:
    """The line of the contract that failed."""
    frames = traceback.extract_tb(error.__traceback__)
    return (frames[-1].line or "").removeprefix("assert ") if frames else ""


def _speed(report: Report, contract: Contract, count: int, clock: Clock) -> None:
    """Steps a second of the engine on one thread."""
    if not report.faultless:
        return
    engine = contract.make_engine(count)
    rows = Rows.allocate(count * engine.seats, engine.observation, engine.action)
    row_of = identity_rows(count, engine.seats)
    engine.bind(rows, row_of)
    engine.reset(0, count, env_seeds(0, 0, count))
    contract.act(engine, rows, row_of, 0)
    began, steps = clock(), 0
    while (spent := clock() - began) < SECONDS:
        engine.step(0, count)
        engine.records(0, count)
        steps += len(rows.alive)
    engine.close()
    rate = steps / spent
    report.figures |= {"steps_per_second": rate, "step_us": 1e6 / rate}
    report.ok("speed", f"About {rate:,.0f} steps/s on one thread, with {count} envs.")
