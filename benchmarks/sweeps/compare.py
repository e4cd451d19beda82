"""Samplers on synthetic trainings: the score that a budget of seconds buys, paired over seeds.

    python benchmarks/sweeps/compare.py --tasks report --seeds 20 --out benchmarks/sweeps/results.jsonl

Each line of the result file is one study. `area` is the mean, over log cost from the cheapest to the dearest,
of the true score of whom the sampler's own noisy scores lead to at that cost, as a share of the best that
there is: hypervolume without luck. `chosen` is that at the dearest. Both stand at a quarter and at the whole
of the budget.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[2]))

import optuna
from optuna.distributions import FloatDistribution

from benchmarks.sweeps.rules import Carbs, Protein
from benchmarks.sweeps.table import Table, tables
from benchmarks.sweeps.tasks import STEPS, TASKS, Task
from skipjack.sweep.sampler import CostSampler

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.filterwarnings("ignore")

TRIALS = 300
"""A study ends with so many trials if its budget is not spent before."""
GRID = 40


def ours(task: Task, seed: int, **more: Any) -> CostSampler:
    """Our sampler as `skipjack sweep` sets it up."""
    return CostSampler(
        task.space, scales=task.scales, knob=STEPS, centre=task.centre,
        cheapest=task.cheapest, dearest=task.dearest, seed=seed, **more,
    )  # fmt: skip


SAMPLERS = {
    "random": lambda task, seed: optuna.samplers.RandomSampler(seed=seed),
    "tpe": lambda task, seed: optuna.samplers.TPESampler(seed=seed),
    "tpe2": lambda task, seed: optuna.samplers.TPESampler(seed=seed),
    "nsga2": lambda task, seed: optuna.samplers.NSGAIISampler(seed=seed, population_size=20),
    "gp": lambda task, seed: optuna.samplers.GPSampler(seed=seed),
    "skipjack": ours,
}
RULES = {"carbs": Carbs, "protein": Protein}
ONE_OBJECTIVE = ("tpe", "gp")


class Study:
    """One sampler at one task, behind ask and tell."""

    def __init__(self, name: str, task: Task, seed: int, **more: Any) -> None:
        self.name, self.task = name, task
        self.space = dict(task.space)
        if name == "gp":
            # GPSampler makes a grid of all values of a whole number: two thousand million of the steps.
            steps: Any = self.space[STEPS]
            self.space[STEPS] = FloatDistribution(steps.low, steps.high, log=True)
        self.rule = RULES[name](task, seed) if name in RULES else None
        if self.rule is None:
            two = name not in ONE_OBJECTIVE
            self.study = optuna.create_study(
                directions=["maximize", "minimize"] if two else ["maximize"],
                sampler=SAMPLERS[name](task, seed, **more),
            )
            self.study.enqueue_trial(task.centre)

    def ask(self) -> dict[str, Any]:
        """The next trial's parameters."""
        if self.rule is not None:
            return self.rule.ask()
        self.trial = self.study.ask(self.space)
        return self.trial.params | {STEPS: int(self.trial.params[STEPS])}

    def tell(self, params: dict[str, Any], score: float, cost: float, failed: bool) -> None:
        """What came of it."""
        if self.rule is not None:
            return self.rule.tell(params, score, cost, failed)
        if self.name == "skipjack":
            if failed:
                self.trial.set_user_attr("reason", "nan")
                return self.study.tell(self.trial, state=optuna.trial.TrialState.FAIL)
            return self.study.tell(self.trial, (score, cost))
        # Others would pass over a failure, and propose it again: a score of 0 says it.
        one = self.name in ONE_OBJECTIVE
        return self.study.tell(self.trial, score if one else (score, cost))


def study(name: str, task: Task, seed: int, **more: Any) -> dict[str, Any]:
    """One study to the end of its budget."""
    noise = np.random.default_rng([seed, 7])
    made, spent, asking = Study(name, task, seed, **more), 0.0, 0.0
    rows: list[tuple[float, float, float, float, tuple[Any, ...]]] = []
    first_long, failures = None, 0
    while spent < task.budget and len(rows) + failures < TRIALS:
        began = time.perf_counter()
        params = made.ask()
        asking += time.perf_counter() - began
        score, true = task.observe(params, noise)
        spent += true.cost
        made.tell(params, 0.0 if true.failed else score, true.cost, true.failed)
        if true.failed:
            failures += 1
        else:
            rows.append((spent, true.cost, score, true.score, tuple(params.values())))
        if first_long is None and true.cost > task.dearest / 10:
            first_long = len(rows) + failures
    count = len(rows) + failures
    found: dict[str, Any] = {
        "task": task.name, "sampler": name, "seed": seed, "trials": count, "failures": failures,
        "spent": spent, "first_long": first_long, "ms": 1000 * asking / count,
    }  # fmt: skip
    for label, share in (("quarter", 0.25), ("full", 1.0)):
        area, chosen = value([row for row in rows if row[0] <= share * task.budget], task)
        found[f"area_{label}"], found[f"chosen_{label}"] = area, chosen
    return found


def value(rows: list[Any], task: Task) -> tuple[float, float]:
    """Area below the true scores of the leaders, and the last of them; shares of the best there is."""
    groups: dict[Any, list[Any]] = {}
    for row in rows:
        groups.setdefault(row[4], []).append(row)
    ready = [
        (np.mean([r[1] for r in g]), np.mean([r[2] for r in g]), g[0][3]) for g in groups.values()
    ]
    grid, best = optimum(task)
    led = []
    for cost in grid:
        there = [row for row in ready if row[0] <= cost * 1.001]
        led.append(max(there, key=lambda row: row[1])[2] if there else 0.0)
    return float(np.mean(led) / best.mean()), float(led[-1] / best[-1])


_BEST: dict[str, tuple[np.ndarray, np.ndarray]] = {}


def optimum(task: Task) -> tuple[np.ndarray, np.ndarray]:
    """The best true score at each cost, by a long search without noise."""
    if task.name in _BEST:
        return _BEST[task.name]
    random = np.random.default_rng(0)
    grid = np.exp(np.linspace(np.log(task.cheapest), np.log(task.dearest), GRID))
    if isinstance(task, Table):
        _BEST[task.name] = grid, task.best(grid)
        return _BEST[task.name]
    cube = ours(task, 0)
    from skipjack.sweep.encode import Cube

    cube = Cube(task.space, task.scales)
    best = np.zeros(GRID)
    for i in range(0, GRID, 3):
        points = np.concatenate([random.random((300, len(cube))), cube.encode(task.centre)[None]])
        for radius in (0.2, 0.1, 0.05, 0.02, 0.01):
            scores = np.array([_at(task, cube, point, grid[i]) for point in points])
            top = points[np.argsort(-scores)[:10]]
            best[i] = max(best[i], scores.max())
            moved = np.repeat(top, 40, axis=0)
            mask = random.random(moved.shape) < 0.4
            moved = np.clip(moved + mask * radius * random.standard_normal(moved.shape), 0, 1)
            points = np.concatenate([top, moved])
    known = np.arange(0, GRID, 3)
    best = np.maximum.accumulate(np.interp(np.arange(GRID), known, best[known]))
    _BEST[task.name] = grid, best
    return _BEST[task.name]


def _at(task: Task, cube: Any, point: np.ndarray, cost: float) -> float:
    """The true score of a point whose steps are set to cost so much."""
    params = cube.decode(point)
    params[STEPS] = 1_000_000
    _, _, speed, failed = task.rule(
        {name: task._number(name, value) for name, value in params.items()} | {"log_steps": 6.0}
    )
    params[STEPS] = int(np.clip(cost * speed, 20_000, 2_000_000_000))
    true = task.run(params)
    return 0.0 if failed or true.cost > cost * 1.01 else true.score


def main() -> None:
    """Run what is not in the result file yet, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--tasks", default="report", help="tune, report, tables, or names with commas"
    )
    parser.add_argument("--samplers", default=",".join([*SAMPLERS, *RULES]))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--out", default="")
    own = parser.parse_args()
    halves = {"tune": False, "report": True}
    recorded = tables()
    tasks = TASKS | recorded
    if own.tasks in halves:
        names = [name for name, task in TASKS.items() if task.reporting == halves[own.tasks]]
    else:
        wanted = list(recorded) if own.tasks == "tables" else own.tasks.split(",")
        names = [name for name in tasks if name in wanted]
    path = Path(own.out) if own.out else None
    rows = (
        [json.loads(line) for line in path.read_text().splitlines()]
        if path and path.exists()
        else []
    )
    done = {(row["task"], row["sampler"], row["seed"]) for row in rows}
    for seed in range(own.seeds):
        for name in names:
            for sampler in own.samplers.split(","):
                if (name, sampler, seed) in done:
                    continue
                row = study(sampler, tasks[name], seed)
                rows.append(row)
                if path:
                    with path.open("a") as file:
                        file.write(json.dumps(row) + "\n")
    for line in table(rows):
        print(line)


NAMES = {
    "skipjack": "**ours**", "tpe": "TPE, score", "tpe2": "TPE, both", "nsga2": "NSGA-II",
    "gp": "GPSampler", "carbs": "CARBS rule", "protein": "Protein rule", "random": "random",
}  # fmt: skip
"""Of the samplers, in the order of the table."""
FIGURES = {
    "area_quarter": "area, quarter", "area_full": "area", "chosen_quarter": "chosen, quarter",
    "chosen_full": "chosen",
}  # fmt: skip


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Means over seeds, and our paired difference with its 95 % interval, by a t distribution."""
    lines = ["| task | sampler | trials | first long | " + " | ".join(FIGURES.values()) + " |"]
    lines.append("| --- " * (4 + len(FIGURES)) + "|")
    by: dict[tuple[str, str], dict[int, dict[str, Any]]] = {}
    for row in rows:
        by.setdefault((row["task"], row["sampler"]), {})[row["seed"]] = row
    order = list(NAMES)
    for (task, sampler), own in sorted(by.items(), key=lambda e: (e[0][0], order.index(e[0][1]))):
        ours_ = by.get((task, "skipjack"), {})
        cells = []
        for figure in FIGURES:
            cell = f"{np.mean([r[figure] for r in own.values()]):.3f}"
            both = sorted(set(own) & set(ours_))
            if sampler != "skipjack" and len(both) > 2:
                gaps = np.array([ours_[s][figure] - own[s][figure] for s in both])
                wide = stats.t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / len(gaps) ** 0.5
                cell += f" ({gaps.mean():+.3f} ± {wide:.3f})"
            cells.append(cell)
        late = max(r["first_long"] or TRIALS for r in own.values())
        trials = np.mean([r["trials"] for r in own.values()])
        lines.append(
            f"| {task} | {NAMES[sampler]} | {trials:.0f} | {late} | " + " | ".join(cells) + " |"
        )
    return lines


if __name__ == "__main__":
    main()
