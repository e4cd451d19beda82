"""Sweeps whose trainings are a script: `trainer.py`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest

from skipjack import config as settings
from skipjack.run.config import configure, declared
from skipjack.sweep.plan import Plan
from skipjack.sweep.space import space_of
from skipjack.sweep.study import Sweep, create_or_resume, open_sweep
from skipjack.sweep.worker import Worker

START = (sys.executable, "-S", str(Path(__file__).with_name("trainer.py")))

Make = Callable[..., Sweep]


def plan(**more: Any) -> Plan:
    """A small plan: three settings, trials of a tenth of a second to one."""
    file = {
        "train": {"steps": [100, 1000], "learning_rate": [0.001, 0.019]},
        **more.pop("file", {}),
    }
    only = more.pop("only", ["train.learning_rate", "policy.layers"])
    centre = settings.flatten(configure("password").config)
    space = space_of(declared("password"), centre, file, only=only)
    usual: dict[str, Any] = {
        "trials": 6,
        "cheapest": 0.1,
        "dearest": 1.0,
        "speed": 1000.0,
        "lease": 3.0,
    }
    return Plan(env="password", space=space.to_json(), **(usual | more))


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Make the sweep "small" in a folder, or go on with it."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)

    def create(url: str = "", **more: Any) -> Sweep:
        return create_or_resume("small", url or str(tmp_path / "study.journal"), plan(**more))

    return create


def worker(sweep: Sweep, folder: Path, said: list[str] | None = None, slot: int = 0) -> Worker:
    """A worker with a connection of its own."""
    told = said if said is not None else []
    return Worker(open_sweep(sweep.name, sweep.url), folder, 1, told.append, slot, START)
