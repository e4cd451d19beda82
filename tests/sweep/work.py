"""A worker as a process of its own: NAME URL FOLDER SLOT."""

import sys
import warnings
from pathlib import Path

import optuna

from skipjack.sweep.study import open_sweep
from skipjack.sweep.worker import Worker
from tests.sweep.conftest import START

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.filterwarnings("ignore")
name, url, folder, slot = sys.argv[1:]


def say(line: str) -> None:
    print(line, flush=True)


Worker(open_sweep(name, url), Path(folder), 1, say, int(slot), START).run()
