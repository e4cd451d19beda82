"""The contract of engines, and of vector environments, told in sentences instead of a test report."""

from __future__ import annotations

import dataclasses
import inspect
import traceback
from collections.abc import Callable, Sequence
from typing import Any
from unittest import SkipTest

import numpy as np

from skipjack.errors import SkipjackError, clause
from skipjack.rows import Rows, identity_rows
from skipjack.seeding import env_seeds
from skipjack.testing.check.findings import Report
from skipjack.testing.check.speed import Clock
from skipjack.testing.engine import EngineContract

NUM_ENVS = 64
"""Envs whose speed is measured."""
SECONDS = 0.3
"""Of that measurement."""
SEEDS = "test_another_seed_is_another_game"
SCENE = "test_scene"
WHOLE = (
    "test_observations_keep_their_bounds",
    "test_flags_and_records_agree",
    "test_same_seed_same_bytes",
)
"""What holds for a vector environment too, which has a number of envs of its own."""


class Contract(EngineContract):
    """The contract of the engines of one maker.

    Args:
        make: makes an engine of so many envs with a config.
        config: the settings.
        steps: steps of a play.
    """

    def __init__(self, make: Callable[[int, Any], Any], config: Any, steps: int) -> None:
        self.make, self.config, self.steps = make, config, steps
        self.drawn: dict[tuple[int, int], Any] = {}

    def act(self, engine: Any, rows: Rows, row_of: Any, step: int) -> None:
        """Random actions that depend on env, seat and step alone; each is drawn once for all plays."""
        for env in range(engine.num_envs):
            if (step, env) not in self.drawn:
                generator = np.random.default_rng([step, env])
                self.drawn[step, env] = engine.action.draw(generator, engine.seats)
            rows.actions[row_of[env]] = self.drawn[step, env]

    def make_engine(self, num_envs: int) -> Any:
        """A fresh engine."""
        return self.make(num_envs, self.config)

    def make_longer(self, num_envs: int) -> Any:
        """The same with a longer time limit; None where the play does not come to the limit."""
        limit = getattr(self.config, "time_limit", 0)
        if not isinstance(limit, int) or not 0 < limit <= self.steps:
            return None
        return self.make(num_envs, dataclasses.replace(self.config, time_limit=10 * limit))


def examine(report: Report, make: Any, config: Any, steps: int, clock: Clock) -> None:
    """Every test of the contract of an engine class.

    Args:
        report: is told what is found.
        make: makes engines from a number of envs and a config.
        config: its settings.
        steps: steps of a play.
        clock: gives seconds.
    """
    contract = Contract(make, config, steps)
    tests = [name for name, _ in inspect.getmembers(contract, inspect.ismethod)]
    _run(report, contract, [name for name in tests if name.startswith("test_")], NUM_ENVS, clock)


def examine_whole(
    report: Report, make: Any, count: int, config: Any, steps: int, clock: Clock
) -> None:
    """What can be asked of a vector environment, which is stepped as a whole.

    Args:
        report: is told what is found.
        make: makes an engine of one from a number of envs and a config.
        count: its envs.
        config: its settings.
        steps: steps of a play.
        clock: gives seconds.
    """

    class Whole(Contract):
        def played(self, num_envs: int = count, *given: Any, **named: Any) -> Any:
            return super().played(count, *given, **named)

        def make_engine(self, num_envs: int) -> Any:
            return super().make_engine(count)

        def test_same_seed_same_bytes(self) -> None:
            """Equal seeds and actions give equal bytes."""
            self.assert_equal(self.played()[2], self.played()[2])

    _run(report, Whole(make, config, steps), WHOLE, count, clock)


def _run(
    report: Report, contract: Contract, tests: Sequence[str], count: int, clock: Clock
) -> None:
    """The tests, and the speed if they hold."""
    held = sum(_holds(report, name, getattr(contract, name)) for name in tests)
    report.ok(
        "contract", f"{held} tests of the engine contract hold, over {contract.steps:,} steps."
    )
    if report.faultless:
        _speed(report, contract, count, clock)


def _holds(report: Report, name: str, test: Callable[[], None]) -> bool:
    """Whether a test holds; if not, its sentence and what failed are told."""
    try:
        test()
        return True
    except SkipTest:
        return False
    except AssertionError as error:
        words = clause(error) or f"not so: {_line(error)}"
    except SkipjackError as error:
        words = clause(error)
    except Exception as error:
        words = f"it raised {type(error).__name__}: {clause(error)}"
    if words.endswith("no row was truncated"):
        return False  # as may be with random actions
    if words.startswith("raise `steps`"):
        report.note("episodes", f"{words.replace('`steps`', '--steps').capitalize()}.")
    elif name == SCENE:
        report.note("scene", f"It does not draw itself, so it cannot be watched ({words}).")
    elif name == SEEDS:
        report.note("seeds", "Seeds make no difference: if something is random, use them.")
    else:
        rule = " ".join((inspect.getdoc(test) or name).split())
        report.wrong("contract", f"This must hold: {rule} But {words}.")
    return False


def _line(error: BaseException) -> str:
    """The line of the contract that failed."""
    frames = traceback.extract_tb(error.__traceback__)
    return (frames[-1].line or "").removeprefix("assert ") if frames else ""


def _speed(report: Report, contract: Contract, count: int, clock: Clock) -> None:
    """Steps a second of the engine on one thread."""
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
