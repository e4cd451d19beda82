"""A table of real trainings, and a task for `compare.py` that is played from it.

    python benchmarks/sweeps/table.py record breakout --configs 150 --seconds 10
    python benchmarks/sweeps/compare.py --tasks breakout --seeds 20 --out benchmarks/sweeps/tables.jsonl

Recording draws settings evenly (scrambled Sobol points) over what a sweep of the preset searches, the
preset itself first, trains each for so many seconds and keeps score, interval and learning curve. The file is
written anew after each: the same command goes on. A training has one core, so that several games may be
recorded side by side. The learning rate is constant and without a warm-up: with
one that ends with the steps, a curve's beginning would not be what a shorter training comes to. Record with
nothing else running: seconds are what is recorded.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
from optuna.distributions import BaseDistribution, IntDistribution

from benchmarks.sweeps.tasks import STEPS, Outcome
from skipjack import config as settings
from skipjack.run.config import configure, declared
from skipjack.sweep import stopping
from skipjack.sweep.child import START, Child, reason_of
from skipjack.sweep.encode import Cube
from skipjack.sweep.space import STEPS as KNOB
from skipjack.sweep.space import Space, space_of
from skipjack.sweep.speed import flags
from skipjack.sweep.study import distribution

FOLDER = Path(__file__).with_name("tables")
ENDING = ".jsonl.gz"
HELD = {
    "train.schedule": "constant",
    "train.warmup": 0.0,
    KNOB: 10**12,
    "train.keep": 1,
    "eval.quota": 1,
    "vector.threads": 1,
    "train.threads": 1,
}
"""What every recorded training has beside its own settings."""
POINTS = 16
"""Points of a curve that are kept."""
CHEAPEST = 1 / 30
"""The cheapest training of a task, as a share of the dearest: a curve says little before."""


def record(
    env: str, configs: int, seconds: float, out: Path, only: list[str], start: Any = START
) -> None:
    """Train what is not in the file yet.

    Raises:
        SystemExit: the file is of another recording.
    """
    centre = settings.flatten(configure(env).config)
    known = {name: each for name, each in declared(env).items() if name != "seed"}
    space = space_of(
        known, centre, fix=[f"{name}={value}" for name, value in HELD.items()], only=only
    )
    head = {"env": env, "seconds": seconds, "space": space.to_json()}
    rows = read(out) if out.exists() else []
    if rows and any(rows[0][name] != value for name, value in head.items()):
        raise SystemExit(
            f"{out} was recorded with another environment, time or space: name another --out."
        )
    rows = rows or [
        head | {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    ]
    for index, params in enumerate(drawn(space, configs)):
        if index < len(rows) - 1:
            continue
        began = time.monotonic()
        rows.append({"params": params, **trained(env, space, params, index, seconds, start)})
        write(out, rows)
        told = rows[-1].get("failed") or f"score {rows[-1]['score']:.3f}"
        print(f"{index + 1}/{configs}: {told}, {time.monotonic() - began:.0f} s", flush=True)


def drawn(space: Space, count: int) -> list[dict[str, Any]]:
    """The preset and then points that fill the space evenly; of more, the first ones are the same."""
    from scipy.stats import qmc

    cube = cube_of(space)
    sobol = qmc.Sobol(len(cube), scramble=True, rng=np.random.default_rng(0))
    points = sobol.random_base2(max(1, (count - 1).bit_length()))
    return [dict(space.centre), *(cube.decode(point) for point in points)][:count]


def trained(
    env: str, space: Space, params: dict[str, Any], index: int, seconds: float, start: Any
) -> dict[str, Any]:
    """What a training comes to: score, half of its 95 % interval, seconds, steps, curve; or why it failed."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["train", env, "--run", "one", f"--max-seconds={seconds}", f"--seed={index}"]
        child = Child([*words, *flags(space.fixed | params)], Path(folder), "one", start)
        try:
            ended = child.wait(20 * seconds + 300)
        finally:
            child.kill()
        rows, result = child.rows(), child.result()
    cost = result.get("seconds") or (rows[-1]["seconds"] if rows else 0.0)
    if result["exit_code"] or result.get("score") is None:
        return {"failed": reason_of(result) if ended else "timeout", "cost": cost}
    curve = stopping.curve_of(rows, "score", 1.0, POINTS)
    return {
        "score": result["score"], "ci": result["score_ci95"], "cost": cost, "steps": result["steps"],
        "random": result.get("random_score"), "curve": [[round(c, 3), round(s, 4)] for c, s, _ in curve],
    }  # fmt: skip


def cube_of(space: Space) -> Cube:
    """The recorded settings as coordinates."""
    logits = {part.name: part.scale for part in space.parameters if part.scale == "logit"}
    return Cube({part.name: distribution(part) for part in space.parameters}, logits)


def read(path: Path) -> list[dict[str, Any]]:
    """The head and then a row for each training."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    """All rows, at once or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    text = "".join(json.dumps(row) + "\n" for row in rows)
    draft.write_bytes(gzip.compress(text.encode(), mtime=0))
    draft.replace(path)


@dataclass(frozen=True)
class Table:
    """A recorded task, with the interface of `tasks.Task`: settings are those of the nearest training.

    Attributes:
        rows: as `read` gives them.
    """

    name: str
    rows: list[dict[str, Any]]
    reporting: bool = field(default=True)

    @cached_property
    def recorded(self) -> Space:
        """What was recorded, without the steps."""
        return Space.from_json(self.rows[0]["space"])

    @cached_property
    def cube(self) -> Cube:
        """The recorded settings as coordinates."""
        return cube_of(self.recorded)

    @cached_property
    def points(self) -> np.ndarray:
        """(trainings, settings) in what models see of the cube."""
        return self.cube.features(np.array([self.cube.encode(row["params"]) for row in self.runs]))

    @property
    def runs(self) -> list[dict[str, Any]]:
        """The trainings."""
        return self.rows[1:]

    @property
    def dearest(self) -> float:
        """Seconds of the longest training."""
        return float(self.rows[0]["seconds"])

    @property
    def cheapest(self) -> float:
        """Seconds of the shortest training."""
        return CHEAPEST * self.dearest

    @property
    def budget(self) -> float:
        """Seconds of a study: as many of the dearest as the synthetic tasks have."""
        return 20 * self.dearest

    @cached_property
    def speeds(self) -> np.ndarray:
        """(trainings,) steps a second; the median for those that failed."""
        made = [row["steps"] / row["cost"] if "steps" in row else np.nan for row in self.runs]
        return np.where(np.isnan(made), np.nanmedian(made), made)

    @cached_property
    def space(self) -> dict[str, BaseDistribution]:
        """Optuna's distributions; the steps reach what every training can do in the dearest time."""
        low = max(1, int(self.cheapest * self.speeds.min()))
        steps = IntDistribution(low, int(self.dearest * self.speeds.max()) + 1, log=True)
        return {STEPS: steps, **self.cube.distributions}

    @property
    def scales(self) -> dict[str, str]:
        """Logit settings: Optuna has no such scale."""
        return self.cube.scales

    @cached_property
    def centre(self) -> dict[str, Any]:
        """The preset, with the steps that it makes in a tenth of the dearest time."""
        return {STEPS: int(self.speeds[0] * self.dearest / 10), **self.recorded.centre}

    def run(self, params: dict[str, Any]) -> Outcome:
        """The nearest training, cut where its steps are made; failures as soon as they happened."""
        at = self.nearest(params)
        row, cost = self.runs[at], min(float(params[STEPS] / self.speeds[at]), self.dearest)
        if "failed" in row:
            return Outcome(0.0, min(cost, row["cost"]) + 1e-3, True)
        return Outcome(self.score(at, cost), cost)

    def observe(self, params: dict[str, Any], random: np.random.Generator) -> tuple[float, Outcome]:
        """A score with the noise of its evaluation, and the true outcome."""
        true = self.run(params)
        noise = (self.runs[self.nearest(params)].get("ci") or 0.0) / 1.96
        return float(np.clip(true.score + noise * random.standard_normal(), 0, 1)), true

    def nearest(self, params: dict[str, Any]) -> int:
        """Index of the training whose settings are the nearest."""
        seen = self.cube.features(self.cube.encode(params)[None])
        return int(((self.points - seen) ** 2).sum(1).argmin())

    def score(self, at: int, cost: float) -> float:
        """A training's score at a cost, along its curve: from the random player's to its evaluation."""
        row = self.runs[at]
        inner = [(c, s) for c, s in row["curve"] if c < row["cost"]]
        costs = [0.0, *(c for c, _ in inner), row["cost"]]
        scores = [row["random"] or 0.0, *(s for _, s in inner), row["score"]]
        return float(np.interp(cost, costs, scores))

    def best(self, grid: np.ndarray) -> np.ndarray:
        """The best score that any training has for at most each cost."""
        went = [at for at, row in enumerate(self.runs) if "failed" not in row]
        scores = np.array([[self.score(at, cost) for cost in grid] for at in went])
        return np.maximum.accumulate(scores.max(0))


def tables(folder: Path = FOLDER) -> dict[str, Table]:
    """Every recorded task by its name."""
    paths = sorted(folder.glob(f"*{ENDING}"))
    names = [path.name.removesuffix(ENDING) for path in paths]
    return {name: Table(name, read(path)) for name, path in zip(names, paths, strict=True)}


def main() -> None:
    """Record."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("record", help="train and keep what is not in the file yet")
    one.add_argument("env")
    one.add_argument("--configs", type=int, default=150)
    one.add_argument("--seconds", type=float, default=10.0)
    one.add_argument(
        "--only", default="", help="patterns of the settings to draw, with commas between"
    )
    one.add_argument("--out", default="", help=f"by default {FOLDER.name}/ENV{ENDING}")
    own = parser.parse_args()
    out = Path(own.out) if own.out else FOLDER / f"{own.env}{ENDING}"
    only = [word.strip() for word in own.only.split(",") if word.strip()]
    record(own.env, own.configs, own.seconds, out, only)


if __name__ == "__main__":
    main()
