"""A worker: takes trials from the study, trains them as child processes, tells what came of them.

There is no coordinator. Who runs a trial counts a beat up in it; every worker watches the beats of all
others, by its own clock and only while it looks itself, so that neither clocks that jump nor a worker that
was held up take a trial from anybody. A trial without a beat for the lease's length goes back to the queue.
"""

from __future__ import annotations

import itertools
import os
import platform
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from skipjack.errors import RunError
from skipjack.report import store
from skipjack.sweep import child, stopping
from skipjack.sweep.child import Child
from skipjack.sweep.front import counts, is_asked, mean_of
from skipjack.sweep.lease import Watch
from skipjack.sweep.sampler import AIM, REPEATS
from skipjack.sweep.speed import flags, reference_speed, speed_key
from skipjack.sweep.study import GONE, Sweep

LOOK = 0.5
"""Seconds between looks at a trial's process."""
HANGS = 300.0
"""Seconds without an update after which a training counts as hanging, beside twice the time that it has
trained: loading may be slow, and its final evaluation reports no updates."""
ENDS = 60.0
"""Seconds that a training has to save and end once it is asked to."""
FAILURES = 8
"""Trials that may fail one after another, with none that ever went through, before a sweep gives up."""

WHY = {"unrated": "The rater had no games with the last checkpoint in time: raise arena.patience."}

Say = Callable[[str], None]


class Worker:
    """Runs trials until the sweep is over.

    Args:
        sweep: the study.
        folder: the sweep's folder on this machine; runs lie in `runs/` there.
        threads: cores that its trainings may use.
        say: takes a line for the user.
        slot: number of this worker in its process.
        start: what starts a command of Skipjack.
    """

    def __init__(
        self,
        sweep: Sweep,
        folder: Path,
        threads: int,
        say: Say,
        slot: int = 0,
        start: Sequence[str] = child.START,
    ) -> None:
        self.sweep, self.folder, self.threads = sweep, folder, threads
        self.say, self.start = say, start
        self.name = f"{platform.node()}:{os.getpid()}:{slot}"
        self.watch = Watch(sweep.plan.lease)
        self.stopped = threading.Event()
        self.factor = 1.0
        self.free = time.perf_counter()  # since when it trains nothing

    def run(self) -> None:
        """Work until the budget is spent, the trials are made, or `stopped` is set.

        Raises:
            RunError: the disk is full, or nothing but failures came of the first trials.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.factor = self.measure()
        self.free = time.perf_counter()
        while not self.stopped.is_set():
            self.reap()
            if self.sweep.is_over():
                if not self._others_run():
                    return
                self.stopped.wait(LOOK)  # one of theirs may be lost yet
                self.free = time.perf_counter()
                continue
            began = time.perf_counter()
            number = self.sweep.ask().number
            try:
                self.sweep.note(number, ask_s=time.perf_counter() - began)
                self.train(number)
            except GONE:
                self.say(f"Trial {number} was ended by somebody else.")
            self._check_failures()

    def measure(self) -> float:
        """Cost of a second here, by the speed of the preset: 1 on the machine that was first.

        Each machine is measured once for each number of threads; the study keeps the speeds.
        """
        key = speed_key(self.threads)
        known = self.sweep.attribute(key)
        if known is None:
            known, _ = reference_speed(
                self.sweep.plan.env, self.sweep.space.fixed, self.threads, self.folder, self.start
            )
            self.sweep.set_attribute(key, known)
        return float(known) / self.sweep.plan.speed if self.sweep.plan.speed else 1.0

    def reap(self) -> None:
        """Put trials back into the queue whose worker is gone."""
        trials = self.sweep.trials()
        running = [each for each in trials if each.state == TrialState.RUNNING]
        for trial in self.watch.look(running, time.monotonic()):
            self._lost(trial)
        # Whoever failed a trial may have been killed before its successor stood in the queue.
        followed = {each.user_attrs.get("retry_of") for each in trials}
        for trial in trials:
            if trial.state == TrialState.FAIL and trial.number not in followed:
                if trial.user_attrs.get("reason") == "lost":
                    self._again(trial)
                elif trial.user_attrs.get("reason") in ("stopped", "disk"):
                    self.sweep.queue_again(trial)

    def train(self, number: int) -> None:
        """Run one trial to its end.

        Raises:
            UpdateFinishedTrialError: somebody else has ended it.
        """
        trial = self.sweep.trial(number)
        if reason := self._needless(trial):
            self.sweep.fail(number, reason)
            return
        run = str(trial.user_attrs.get("run") or self._free_run(number))
        seed = int(trial.user_attrs.get("seed", self.sweep.plan.seed + number))
        told = {"worker": self.name, "threads": self.threads, "factor": self.factor}
        self.sweep.note(number, run=run, seed=seed, beat=0, **told)
        if REPEATS in trial.system_attrs:
            self.sweep.note(number, repeats=trial.system_attrs[REPEATS])
        limit = float(trial.user_attrs.get("limit", self.sweep.plan.dearest))
        left = self.sweep.seconds_left()
        if left is not None and not is_asked(trial):
            limit = max(min(limit, left), self.sweep.plan.cheapest)
        words = self._words(trial, run, seed, limit / self.factor)
        self.sweep.note(number, between_s=time.perf_counter() - self.free)
        began = time.monotonic()
        process = Child(words, self.folder, run, self.start)
        try:
            ending = self._watch(process, trial, limit, began)
        except BaseException:
            process.stop()
            if not process.wait(10):
                process.kill()
            raise
        self.free = time.perf_counter()
        self._tell(trial, process, ending, time.monotonic() - began)

    def _words(self, trial: FrozenTrial, run: str, seed: int, seconds: float) -> list[str]:
        plan = self.sweep.plan
        words = ["train", plan.env, "--run", run, f"--max-seconds={seconds:.3f}"]
        place = self.folder / "runs" / run
        if (place / "latest").exists() and not _has_ended(place):
            return [*words, "--resume"]
        # It never came to a checkpoint, or it came to its end and nobody was left to tell of it: a run that
        # has had its final evaluation cannot go on.
        shutil.rmtree(place, ignore_errors=True)
        values = self.sweep.space.fixed | trial.params
        values |= {"vector.threads": self.threads, "train.threads": self.threads, "train.keep": 1}
        return [*words, f"--seed={seed}", *flags(values)]

    def _free_run(self, number: int) -> str:
        """A name for a new trial's run: those of another study's trials may lie in the folder."""
        others = (f"{number:05d}-{copy}" for copy in itertools.count(2))
        names = itertools.chain([f"{number:05d}"], others)
        return next(name for name in names if not (self.folder / "runs" / name).exists())

    def _watch(self, process: Child, trial: FrozenTrial, limit: float, began: float) -> str:
        """Wait for a training's end; gives why it was asked to stop, empty if it was not."""
        number, ending = trial.number, ""
        # A rating is too vague before its checkpoint is the last to stop a trial by.
        stops = self.sweep.plan.early_stop and self.sweep.plan.metric != "rating"
        # A repeat asks whether a leader was lucky: stopped for being worse, it could not say so.
        stops = stops and REPEATS not in trial.system_attrs and "repeats" not in trial.user_attrs
        others, front = self._comparable() if stops else ([], [])
        aim = float(trial.system_attrs.get(AIM, limit))
        beat, next_beat = 0, 0.0
        asked, updates, sign = None, 0, began
        while not process.wait(LOOK):
            now = time.monotonic()
            if now >= next_beat:
                beat += 1
                now_state = self._beat(number, beat)
                next_beat = now + min(5.0, self.sweep.plan.lease / 6)
                self.reap()
                if now_state in ("ended", "killed") and not ending:
                    ending = now_state
            if self.stopped.is_set():
                ending = ending or "stopped"
            elif others and not ending and not is_asked(trial):
                curve = stopping.curve_of(process.rows(), self.sweep.plan.metric, self.factor)
                ending = stopping.verdict(curve, min(aim, limit), others, front)
            if len(process.rows()) > updates:
                updates, sign = len(process.rows()), now
            if not ending and now - sign > HANGS + 2 * (sign - began):
                ending = "timeout"
            if ending and asked is None:
                asked = now
                process.stop()
            if asked is not None and now - asked > ENDS:
                process.kill()
        return ending

    def _beat(self, number: int, beat: int) -> str:
        """Say that the trial goes on; gives "ended" or "killed" if it should not."""
        try:
            self.sweep.note(number, beat=beat)
        except GONE:
            return "ended"
        return "killed" if self.sweep.trial(number).user_attrs.get("kill") else ""

    def _tell(self, trial: FrozenTrial, process: Child, ending: str, wall: float) -> None:
        """End the trial with what its training came to."""
        rows, result = process.rows(), process.result()
        number, metric = trial.number, self.sweep.plan.metric
        curve = stopping.curve_of(rows, metric, self.factor)
        seconds = float(result.get("seconds") or (rows[-1]["seconds"] if rows else 0.0))
        told: dict[str, Any] = {
            "cost_s": seconds * self.factor, "wall": wall * self.factor, "curve": curve,
            "steps": result.get("steps") or (rows[-1]["steps"] if rows else 0),
            "start_s": max(0.0, wall - seconds - float(result.get("seconds_final") or 0.0)),
            "ended_by": self.name,
        }  # fmt: skip
        figure = child.figure_of(result, metric)
        score = figure.pop("score")
        if score is not None and not result["exit_code"] and ending not in ("ended", "killed"):
            ending = ""  # it came to its end before it heard that it should stop
        if ending == "ended":
            self.say(f"Trial {number} was ended by somebody else; its training is stopped.")
        elif ending in ("stopped", "killed"):
            if ending == "stopped":
                self.sweep.requeue(self.sweep.trial(number), "stopped", **told)
            else:
                self.sweep.fail(number, "killed", **told)
            self.say(f"Trial {number} was {ending}; its checkpoint is kept.")
        elif ending and ending != "timeout" and curve:
            self.sweep.succeed(
                number, curve[-1][1], told["cost_s"], stopped=True, why=ending, **told
            )
            self.say(f"Trial {number} was stopped early. {ending}")
        elif score is not None and not result["exit_code"]:
            told |= figure
            told |= {
                "limited": result.get("limited", False),
                "speed": result.get("steps_per_second"),
            }
            self.sweep.succeed(number, float(score), told["cost_s"], **told)
            self.say(f"Trial {number}: {metric} {score:.3f} for {told['cost_s']:.1f} s.")
        else:
            reason = "timeout" if ending == "timeout" else child.reason_of(result)
            why = str(result.get("error", WHY.get(reason, "It gave no score.")))
            self._failed(number, reason, why, told)
        self._tidy()

    def _failed(self, number: int, reason: str, why: str, told: Mapping[str, Any]) -> None:
        if reason == "disk":
            self.sweep.requeue(self.sweep.trial(number), reason, why=why, **told)
            raise RunError(
                f"The sweep's folder {str(self.folder)!r} must have space left, but: {why.rstrip('.')}. Free "
                f"some and go on with the same command."
            )
        self.sweep.fail(number, reason, why=why, **told)
        self.say(f"Trial {number} failed ({reason}): {why}")

    def _lost(self, trial: FrozenTrial) -> None:
        if self.sweep.fail(trial.number, "lost"):
            self.say(
                f"Trial {trial.number} was lost: nothing was heard of {trial.user_attrs.get('worker')}."
            )
            self._again(trial)

    def _again(self, trial: FrozenTrial) -> None:
        if int(trial.user_attrs.get("retries", 0)) < self.sweep.plan.retries:
            self.sweep.queue_again(trial, tries=1)

    def _needless(self, trial: FrozenTrial) -> str:
        """Why a trial that has just begun need not be run; empty if it must.

        Workers do not wait for each other: two may take the last place, or see the same trial lost.
        """
        trials, before = self.sweep.trials(), trial.user_attrs.get("retry_of")
        if before is not None:
            earlier = [each for each in trials if each.user_attrs.get("retry_of") == before]
            return "duplicate" if earlier[0].number < trial.number else ""
        wanted = self.sweep.plan.trials
        taken = [
            each
            for each in trials
            if each.state == TrialState.WAITING or (each.number < trial.number and counts(each))
        ]
        own = "origin" in trial.user_attrs or is_asked(trial)
        return "surplus" if wanted and len(taken) >= wanted and not own else ""

    def _others_run(self) -> bool:
        return any(each.state == TrialState.RUNNING for each in self.sweep.trials())

    def _comparable(self) -> tuple[list[stopping.Curve], list[tuple[float, float]]]:
        trials = self.sweep.trials()
        whole = [
            each
            for each in trials
            if each.state == TrialState.COMPLETE and not each.user_attrs.get("stopped")
        ]
        curves = [each.user_attrs["curve"] for each in whole if each.user_attrs.get("curve")]
        leaders = self.sweep.front(trials)
        return curves, [(mean_of(trials, each, 1), mean_of(trials, each, 0)) for each in leaders]

    def _check_failures(self) -> None:
        ended = [each for each in self.sweep.trials() if each.state.is_finished()]
        learned = ("oom", "nan", "crash", "usage", "timeout", "unrated")
        failed = [each for each in ended if each.user_attrs.get("reason") in learned]
        if len(failed) >= FAILURES and not any(each.state == TrialState.COMPLETE for each in ended):
            raise RunError(
                f"Some trial must go through, but the first {len(failed)} all failed. The last one said: "
                f"{failed[-1].user_attrs.get('why')}"
            )

    def _tidy(self) -> None:
        """Remove checkpoints of this machine's runs that nobody can want: cheaper ones are better."""
        trials = self.sweep.trials()
        leaders = {each.number for each in self.sweep.front(trials)}
        runs = {each.user_attrs.get("run") for each in trials if each.number in leaders}
        runs |= {
            each.user_attrs.get("run")
            for each in trials
            if each.state in (TrialState.RUNNING, TrialState.WAITING)
            or each.user_attrs.get("reason") in ("killed", "stopped", "lost", "disk")
            or is_asked(each)
        }
        for trial in trials:
            run = trial.user_attrs.get("run")
            if run and trial.state.is_finished() and run not in runs:
                shutil.rmtree(self.folder / "runs" / str(run) / "checkpoints", ignore_errors=True)


def _has_ended(run: Path) -> bool:
    """Whether a run has had its final evaluation."""
    rows = store.read_end(run)
    return bool(rows) and rows[-1].get("kind") == "evaluation"
