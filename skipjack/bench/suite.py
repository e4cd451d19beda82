"""Every preset trained with several seeds, one run after another: `skipjack bench suite`.

Each training is a child process, `skipjack train ENV --seed N --json`, as a user would start it: nothing
here imports the trainer. Results lie in one JSON file that is replaced whole after each run, so that a
suite that was stopped or killed goes on where it was. A run that was cut in half is done again: its
times would be those of two sittings.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import math
import platform
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import skipjack
from skipjack import checkpoint, registry
from skipjack.bench.child import alone, call, reason, sigterm_stops
from skipjack.errors import RunError, UsageError, must
from skipjack.report import store
from skipjack.vector.config import cores

FORMAT = 2
"""Number of the layout of the results' file; a newer one is refused."""

SAME = ("cpu", "cores", "system", "torch")
"""What a result's machine must have in common with this one to be taken for one of its own."""

NUMBERS = (
    "steps", "steps_per_second", "seconds", "seconds_total", "episodes", "unfinished",
    "score", "score_ci95", "random_score", "target",
)  # fmt: skip
"""Figures of a result, from `score` on None where there is none."""

TARGETS = {
    "breakout": 0.5,
    "game_2048": 0.5,
    "grid": 0.9,
    "rock_paper_scissors": 0.9,
    "snake": 0.2,
    "tic_tac_toe/medium": 0.75,
}
"""Mean score to reach, where it is not `TARGET`: half of Breakout's points, a wall of bricks; a tile of
1024; nine mazes of ten; a snake of 20 segments; what is left where a hand or half of the other's moves are
beyond anybody's knowledge."""
TARGET = 0.95

HOLDS, EPISODES = 10, 20
"""Updates over which the mean must be the target to count as reached, and the least episodes in them.
One update is not enough: the first episodes of a training that end are its shortest, and in a game like a
maze those are the solved ones."""


@dataclass(frozen=True, slots=True)
class Job:
    """One training of the suite.

    Attributes:
        env, seed: what is trained.
        settings: digest of all settings; a result with another one does not count.
        target: mean score whose time is taken; None where training's scores are not the env's own, as
            in self-play.
    """

    env: str
    seed: int
    settings: str
    target: float | None

    @property
    def run(self) -> str:
        """Name of the run's folder, and of its result."""
        return f"{registry.stem(self.env)}-{self.seed}"

    @property
    def identity(self) -> dict[str, Any]:
        """What a result must be of to be taken for this training's."""
        return {
            "env": self.env,
            "seed": self.seed,
            "skipjack": skipjack.__version__,
            "settings": self.settings,
        }

    def is_done(self, known: Mapping[str, Any]) -> bool:
        """Whether a result is this training's, and no failure."""
        wanted = self.identity.items()
        return "error" not in known and all(known.get(key) == value for key, value in wanted)


class Suite:
    """Trainings, and their results in a file.

    Args:
        out: the JSON file; the runs lie in a folder beside it, named without the ending.
        say: takes a line for the user.
        commit: gives the git commit of a folder, as a run's origin has it, and whether it is dirty.
    """

    def __init__(
        self,
        out: Path,
        say: Callable[[str], None],
        commit: Callable[[Path], tuple[str, bool | None]] = lambda folder: ("", None),
    ) -> None:
        if out.suffix != ".json":
            raise must("the suite's file must be named *.json", out=str(out))
        self.out, self.folder, self.say = out.absolute(), out.absolute().with_suffix(""), say
        self.commit = commit
        self.results: dict[str, dict[str, Any]] = {}

    def run(self, envs: Sequence[str], seeds: int) -> list[dict[str, Any]]:
        """Train what has no result yet; gives every result, seed by seed.

        A training that fails has its sentence as `error`, and is tried again the next time.

        Raises:
            UsageError: the file is not the suite's.
            RunError: results cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with alone(self.folder / "lock", self.say) as lock, sigterm_stops():
                return self._run(envs, seeds, lock)
        except OSError as error:
            raise RunError(
                f"The suite must be able to write {str(self.out)!r} and the folder beside it, but "
                f"{error}."
            ) from error

    def run_folder(self, run: str) -> Path:
        """Where a run lies."""
        return self.folder / "runs" / run

    def _run(self, envs: Sequence[str], seeds: int, lock: int | None) -> list[dict[str, Any]]:
        self.results = load(self.out)["results"] if self.out.exists() else {}
        plans = [self._plan(env, lock) for env in envs]
        jobs = [
            Job(env, seed, *plan)
            for seed in range(1, seeds + 1)
            for env, plan in zip(envs, plans, strict=True)
        ]
        found = {job.run for job in jobs if job.is_done(self.results.get(job.run, {"error": ""}))}
        done = {run for run in found if is_here(self.results[run]["machine"])}
        if found > done:
            self.say(f"Of another machine or torch, and done again: {len(found - done)}.")
        self._remark([self.results[run] for run in sorted(done)])
        for number, job in enumerate(jobs, 1):
            if job.run not in done:
                self.say(f"{number} of {len(jobs)}: {job.env}, seed {job.seed}")
                result = self._train(job, lock)
                about = {"run": job.run, "machine": machine()}
                self.results[job.run] = job.identity | about | result
                self._write()
                self.say(f"  {_sentence(self.results[job.run])}")
        return [self.results[job.run] for job in jobs]

    def _remark(self, kept: Sequence[Mapping[str, Any]]) -> None:
        """Say it where results of other code are kept beside those to come."""
        here = short_commit(*self.commit(self.folder))
        others = [result for result in kept if result["commit"] != here]
        if others:
            self.say(
                f"Kept: {len(others)} of the results in {str(self.out)!r}, of {commits(others)}, not of "
                f"{here or 'no commit'} as the code is now. Delete the file to do all again."
            )

    def _plan(self, env: str, lock: int | None) -> tuple[str, float | None]:
        """Digest of an env's settings, and its target."""
        code, out, _ = call(["config", "show", env], self.folder, lock)
        if code:
            return "", None  # training says what is wrong
        shown = json.loads(out.splitlines()[-1])["settings"]
        values = {name: row["value"] for name, row in shown.items()}
        digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]
        return digest, None if values["eval.opponent"] else TARGETS.get(env, TARGET)

    def _train(self, job: Job, lock: int | None) -> dict[str, Any]:
        run = self.run_folder(job.run)
        shutil.rmtree(run, ignore_errors=True)
        began = time.perf_counter()
        words = ["train", job.env, "--seed", str(job.seed), "--run", job.run]
        code, out, err = call(words, self.folder, lock)
        wall = time.perf_counter() - began
        if code:
            return {"error": reason(code, out, err)}
        row = json.loads(out.splitlines()[-1])
        names = "steps steps_per_second seconds score score_ci95 random_score episodes unfinished"
        origin = json.loads((run / "origin.json").read_text(encoding="utf-8"))[-1]
        # What the process took beside its own count: starting Python, importing, leaving.
        start = wall - row["seconds_total"] + row["seconds_start"]
        return {name: row[name] for name in names.split()} | {
            "seconds_total": wall,
            "target": job.target,
            "reached": reached(store.read(run), job.target, start),
            "commit": short_commit(origin["commit"], origin["dirty"]),
        }

    def _write(self) -> None:
        data = {
            "format": FORMAT,
            "results": dict(sorted(self.results.items())),
        }
        checkpoint.write_text(self.out, json.dumps(data, indent=1) + "\n")


def load(path: Path) -> dict[str, Any]:
    """A suite's file: `format`, and `results` by run.

    Raises:
        UsageError: it is missing, no suite's file, or of a newer version.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        written = int(data["format"])
        if written <= FORMAT:
            _check(data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(
            f"{str(path)!r} must be a file of skipjack bench suite, but reading it failed "
            f"({type(error).__name__}: {error}). Move it away or name another one."
        ) from None
    if written > FORMAT:
        raise UsageError(
            f"{str(path)!r} has format {written}, but this version of Skipjack reads up to {FORMAT}. "
            f"Install a newer version."
        )
    return data


def _check(data: Any) -> None:
    """Fail, by any of the errors that `load` tells of, unless a file has all that is read of it."""
    for name, result in data["results"].items():
        # The first format had one machine for all results, that of the newest.
        machine = result.setdefault("machine", data.get("machine"))
        texts = [
            result["env"],
            result["run"],
            result["skipjack"],
            result["settings"],
            machine["cpu"],
        ]
        texts += [machine["torch"], machine["python"], result.get("error", "")]
        whole = [result["seed"], machine["cores"]]
        there: list[Any] = []
        if "error" not in result:
            texts.append(result["commit"])
            at = NUMBERS.index("score")
            there = [result[key] for key in NUMBERS[:at]]
            there += [value for key in NUMBERS[at:] if (value := result[key]) is not None]
            if result["reached"] is not None:
                there += [result["reached"]["steps"], result["reached"]["seconds"]]
        if not (
            all(isinstance(text, str) for text in texts)
            and all(type(number) is int for number in whole)
            and all(type(number) in (int, float) and math.isfinite(number) for number in there)
        ):
            raise ValueError(f"the result {name!r} is not as the suite writes it")


def short_commit(name: object, dirty: object) -> str:
    """A commit as results keep it; + marks changes that are in none, and it is empty without one."""
    return f"{name}"[:12] + ("+" if dirty else "") if name else ""


def commits(results: Iterable[Mapping[str, Any]]) -> str:
    """The commits that results are of, each once."""
    found = dict.fromkeys(result["commit"] for result in results if "commit" in result)
    return ", ".join(commit or "no commit" for commit in found)


def reached(
    rows: Sequence[dict[str, Any]], target: float | None, start: float
) -> dict[str, Any] | None:
    """Steps and seconds at the first update whose episodes' mean score is the target and holds; or None.

    Args:
        rows: the run's metrics.
        target: the score.
        start: seconds from the start of the process to the first update's beginning.
    """
    if target is None:
        return None
    rows = [row for row in rows if row.get("episodes/score") is not None]
    for i, row in enumerate(rows):
        held = rows[i : i + HOLDS]
        count = sum(each["episodes"] for each in held)
        total = sum(each["episodes"] * each["episodes/score"] for each in held)
        if row["episodes/score"] >= target and count >= EPISODES and total >= target * count:
            return {"steps": row["steps"], "seconds": start + row["seconds"]}
    return None


def machine() -> dict[str, Any]:
    """What figures are taken on: cpu, cores, system, python, torch."""
    cpu, file = platform.processor() or platform.machine(), Path("/proc/cpuinfo")
    if file.exists():
        lines = [line for line in file.read_text().splitlines() if line.startswith("model name")]
        cpu = lines[0].partition(":")[2].strip() if lines else cpu
    return {
        "cpu": cpu,
        "cores": cores(),
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": importlib.metadata.version("torch"),
    }


def is_here(other: Mapping[str, Any]) -> bool:
    """Whether figures of a machine may stand beside those of this one."""
    here = machine()
    return all(other.get(key) == here[key] for key in SAME)


def _sentence(result: dict[str, Any]) -> str:
    if "error" in result:
        return f"failed: {result['error']}"
    score = "-" if result["score"] is None else f"{result['score']:.3f}"
    at = (
        f", {result['target']} after {result['reached']['seconds']:.1f} s"
        if result["reached"]
        else ""
    )
    return f"score {score}{at}, {result['seconds_total']:.1f} s in all"
