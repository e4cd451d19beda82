"""How long our sampler takes to suggest a trial, after so many trials, with the settings of a real sweep.

    python benchmarks/sweeps/asking.py --trials 200,800 --times 5

Wall clock and processor time of one thread, medians; the first suggestion of a process, which loads scipy and
fits without a start to begin from, stands beside them. The trials are of the task with the most settings.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is loaded
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import optuna
from optuna.trial import TrialState, create_trial

from benchmarks.sweeps.compare import ours
from benchmarks.sweeps.tasks import TASKS
from skipjack.sweep.encode import Cube

TASK = TASKS["wide"]


def study_of(count: int) -> optuna.Study:
    """A study with so many ended trials, drawn evenly; those that fail are told as failures."""
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=ours(TASK, 0))
    random, cube = np.random.default_rng(0), Cube(TASK.space, TASK.scales)
    for point in random.random((count, len(cube))):
        params = cube.decode(point)
        score, true = TASK.observe(params, random)
        ended = {"state": TrialState.FAIL} if true.failed else {"values": (score, true.cost)}
        known = {"reason": "nan"} if true.failed else {"score_ci95": 0.02}
        study.add_trial(
            create_trial(params=params, distributions=TASK.space, user_attrs=known, **ended)
        )
    return study


def main() -> None:
    """Print a line for each number of trials."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", default="200,800", help="with commas between")
    parser.add_argument("--times", type=int, default=5, help="suggestions beside the first")
    own = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print(f"{len(TASK.space)} settings, milliseconds of a suggestion: wall clock (processor)")
    for count in map(int, own.trials.split(",")):
        study, taken = study_of(count), []
        for _ in range(own.times + 1):
            began = time.perf_counter(), time.process_time()
            trial = study.ask(TASK.space)
            taken.append((time.perf_counter() - began[0], time.process_time() - began[1]))
            trial.set_user_attr("reason", "killed")  # nothing is learned from it
            study.tell(trial, state=TrialState.FAIL)
        wall, processor = zip(*taken[1:], strict=True)
        median = f"{1000 * statistics.median(wall):.0f} ({1000 * statistics.median(processor):.0f})"
        print(f"{count:>5} trials: {median}, the first {1000 * taken[0][0]:.0f}")


if __name__ == "__main__":
    main()
