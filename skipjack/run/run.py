"""A run: from settings to a trained, evaluated policy in its folder."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from skipjack import checkpoint
from skipjack import config as settings
from skipjack.arena.seating import are_two_sides
from skipjack.errors import RunError, SkipjackError
from skipjack.report import Evaluation, Progress, Reporter, RunInfo, Sink
from skipjack.report.store import Store, evaluation_row
from skipjack.run import origin, resume
from skipjack.run.config import Configured
from skipjack.run.envs import make_vector
from skipjack.run.past import Past, plan_of
from skipjack.run.rater import Rater
from skipjack.run.ratings import player_name
from skipjack.run.signals import stop_on_signals
from skipjack.run.wiring import (
    check_env,
    choose_device,
    enough_memory,
    evaluate_policy,
    make_policy,
)
from skipjack.train.collapse import Collapse
from skipjack.train.ppo import PPO
from skipjack.vector.config import cores


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to.

    Attributes:
        folder: the run's folder.
        steps: steps collected over all sittings.
        seconds: seconds of training over all sittings.
        sitting_steps, sitting_seconds: the same of this sitting alone.
        evaluation: the final evaluation; None if the run was stopped.
        signal: number of the signal that stopped it; None if it came to its end.
        limited: whether its seconds were spent before its steps.
        rating: Elo of the last checkpoint above the random player, and its standard error; None if it
            was not rated.
    """

    folder: Path
    steps: int
    seconds: float
    sitting_steps: int
    sitting_seconds: float
    evaluation: Evaluation | None
    signal: int | None
    limited: bool = False
    rating: tuple[float, float] | None = None


class Run:
    """A training with its folder.

    Args:
        configured: the settings.
        folder: the run's folder, made by `folders.create_run`.
        sink: where to report beside the local store.
        resumed: the checkpoint to go on from; None for a new run.
        weights: the checkpoint whose weights a new run starts from; None for fresh ones.
        max_seconds: seconds of training, over all sittings, after which it goes on to its final
            evaluation; None for as many as the steps take.
    """

    def __init__(
        self,
        configured: Configured,
        folder: Path,
        sink: Sink,
        resumed: checkpoint.Checkpoint | None = None,
        weights: checkpoint.Checkpoint | None = None,
        max_seconds: float | None = None,
    ) -> None:
        self.configured, self.folder, self.weights = configured, folder, weights
        self.max_seconds, self.limited = max_seconds, False
        config = self.config = configured.config
        self.threads = config.vector.threads or cores()
        torch.set_num_threads(config.train.threads or cores())
        device = choose_device(config.train.device)
        if config.eval.opponent:  # a wrong one shows now, not at the end
            make_vector(configured, 1, evaluation=True).close()
        seating = plan_of(configured)
        with enough_memory():
            self.vector = make_vector(
                configured,
                config.vector.num_envs,
                pinned=device.type == "cuda",
                row_of=seating.row_of if seating else None,
            )
            self.policy = make_policy(configured, self.vector, device)
            self.past: Past | None = None
            self.rater: Rater | None = None
            if seating is not None:
                self.past = Past(configured, folder, seating, self.vector, self.policy)
            seats = self.past.seats if self.past else None
            self.trainer = PPO(config.train, self.vector, self.policy, config.seed, seats)
        if resumed is not None:
            check_env(resumed, configured)
            resume.restore(self.trainer, resumed)
        elif weights is not None:
            check_env(weights, configured)
            resume.start_from(self.trainer, weights)
        self.collapse = Collapse(self.vector.action)
        self.sitting_steps, self.sitting_seconds = self.trainer.steps, self.trainer.seconds
        store = Store(folder, resume_at=resumed.state["updates"] if resumed else None)
        self.reporter = Reporter([store, sink])
        best = resumed.state["best"] if resumed else None
        self.best: tuple[float, int] | None = (best[0], best[1]) if best else None
        self.since_checkpoint: list[tuple[float, int]] = []
        self.measure = ""  # of what is best: "score", or "return" where there is none
        self.saved_at, self.saved_steps = time.monotonic(), self.trainer.steps
        self.rated = False  # by a rater beside the training
        self.info = RunInfo(
            name=folder.name,
            env=configured.entry.full_name,
            folder=str(folder),
            seed=config.seed,
            device=str(device),
            rows=self.trainer.seats.rows,
            threads=self.threads,
            parameters=sum(p.numel() for p in self.policy.parameters()),
            target_steps=config.train.steps,
            resumed_from=self.trainer.steps,
            settings=settings.flatten(config),
        )

    def train(self) -> Result:
        """Train to the step budget, evaluate, and close everything.

        Raises:
            RunError: a loss or gradient is not finite, or the disk does not take what must be kept.
        """
        try:
            checkpoint.write_text(self.folder / "config.toml", self._config_text())
            origin.write(
                self.folder,
                self.threads,
                steps=self.trainer.steps,
                provenance=self.configured.provenance,
                source=self.weights,
            )
            self.reporter.start(self.info)
            wanted = self.config.arena
            self.rated = wanted.rating == "beside" and are_two_sides(self.vector.teams)
            if (wanted.past and self.past is None) or (wanted.rating != "off" and not self.rated):
                self.reporter.message("The game has no two teams: [arena] is left out.")
            return self._train()
        except OSError as error:
            raise RunError(
                f"The run folder {str(self.folder)!r} must be writable, but {error}."
            ) from error
        except SkipjackError as error:
            self._finish_quietly(f"failed: {error}")
            raise
        finally:
            if self.rater is not None:
                self.rater.close()
            self.reporter.close()
            self.vector.close()

    def _train(self) -> Result:
        trainer, evaluation = self.trainer, None
        with stop_on_signals(self._ask_to_stop) as stopper:
            if trainer.updates == 0:
                if self.past is not None:
                    self.past.begin(trainer.steps)
                self._save()
            if self.rated:
                wanted = self.config.arena
                self.rater = Rater(
                    self.folder, wanted.budget, wanted.precision, self.reporter.message
                )
            trainer.profile.take()  # the start-up is not training
            try:
                with enough_memory():
                    trainer.run(self._after_update)
            except RunError as error:
                good = checkpoint.latest(self.folder).path
                raise RunError(f"{error} The last good checkpoint is {str(good)!r}.") from error
            if trainer.steps != self.saved_steps:
                self._save()
            if stopper.received is None:
                self.reporter.message("Evaluating the trained policy.")
                found = self._evaluate(lambda: stopper.received is not None)
                # A part of an evaluation is none: the episodes that are missing are the long ones.
                evaluation = found if stopper.received is None else None
            rating = self._rating(lambda: stopper.received is not None)
            self.reporter.finish(evaluation, "stopped" if stopper.received else "finished")
        return Result(
            folder=self.folder,
            steps=trainer.steps,
            seconds=trainer.seconds,
            sitting_steps=trainer.steps - self.sitting_steps,
            sitting_seconds=trainer.seconds - self.sitting_seconds,
            evaluation=evaluation,
            signal=stopper.received,
            limited=self.limited,
            rating=rating,
        )

    def _rating(self, stop: Callable[[], bool]) -> tuple[float, float] | None:
        """The last checkpoint's rating, waited for unless the run was stopped."""
        if self.rater is None or stop():
            return None
        self.reporter.message("Rating the last checkpoint.")
        newest = player_name(checkpoint.latest(self.folder))
        line = self.rater.finish(self.config.arena.patience, newest, stop)
        if line and self.rater.newest.get("headline"):
            self.reporter.message(f"Ratings: {self.rater.newest['headline']}.")
        return (line["elo"], line["error"]) if line else None

    def _after_update(self, progress: Progress) -> None:
        joined = self._meet_past()
        self.reporter.update(replace(progress, arena=self._arena()))
        said = self.past.take_messages() if self.past is not None else []
        for sentence in [*said, *self.vector.take_messages(), *self.collapse.look(progress)]:
            self.reporter.message(sentence)
        if progress.episodes:
            self.since_checkpoint.append((self._value(progress), progress.episodes))
        if joined or time.monotonic() - self.saved_at >= self.config.train.checkpoint_every:
            self._save()
        if self.max_seconds is not None and self.trainer.seconds >= self.max_seconds:
            self.limited = self.trainer.steps < self.config.train.steps
            self.trainer.stop = True

    def _meet_past(self) -> bool:
        """Let past selves change; whether the present one has joined them, and must be saved."""
        trainer = self.trainer
        return self.past is not None and self.past.turn(trainer.steps, trainer.updates)

    def _arena(self) -> dict[str, float]:
        found = self.past.seats.summary() if self.past is not None else {}
        return found | self.rater.look() if self.rater is not None else found

    def _value(self, progress: Progress) -> float:
        """What an update is worth: its score; its return while nothing has said what success is."""
        if "score" in progress.means and self.measure != "score":
            if self.measure:  # what was best by its return says nothing any more
                self.best, self.since_checkpoint = None, []
            self.measure = "score"
        self.measure = self.measure or "return"
        return progress.means.get(self.measure, 0.0)

    def _save(self) -> None:
        """A checkpoint; the one behind the best mean score since the last stays for good."""
        trainer = self.trainer
        self.reporter.flush()
        episodes = sum(count for _, count in self.since_checkpoint)
        if episodes:
            score = sum(mean * count for mean, count in self.since_checkpoint) / episodes
            if self.best is None or score > self.best[0]:
                self.best = (score, trainer.steps)
        self.since_checkpoint = []
        resume.save(
            trainer,
            self.folder,
            self.configured.entry.full_name,
            settings.flatten(self.config),
            best=self.best,
            keep=self.config.train.keep,
            pinned=self.past.pinned if self.past is not None else [0] if self.rated else [],
        )
        self.saved_at, self.saved_steps = time.monotonic(), trainer.steps

    def _evaluate(self, stop: Callable[[], bool]) -> Evaluation:
        wanted = self.config.eval
        return evaluate_policy(
            self.configured,
            self.policy,
            quota=wanted.quota,
            budget=int(wanted.share * self.config.train.steps),
            stop=stop,
        )

    def _ask_to_stop(self) -> None:
        self.trainer.stop = True
        self.reporter.message("Stopping. Ctrl-C again exits at once.")

    def _finish_quietly(self, reason: str) -> None:
        """Tell the sinks of a failure, whatever state the store is in."""
        with contextlib.suppress(SkipjackError):
            self.reporter.finish(None, reason)

    def _config_text(self) -> str:
        return f'# Settings of {self.folder.name}, complete.\nname = "{self.info.env}"\n' + (
            settings.to_toml(self.config)
        )


def result_row(result: Result, configured: Configured) -> dict[str, Any]:
    """A result as the fields of the last JSON line."""
    final = evaluation_row(result.evaluation) if result.evaluation else {}
    return {
        "env": configured.entry.full_name,
        "run": str(result.folder),
        "seed": configured.config.seed,
        "steps": result.steps,
        "steps_per_second": result.sitting_steps / max(result.sitting_seconds, 1e-9),
        "seconds": result.seconds,
        "score": final.get("score"),
        "score_ci95": final.get("score_ci95"),
        "random_score": final.get("random_score"),
        "return": final.get("return"),
        "return_ci95": final.get("return_ci95"),
        "random_return": final.get("random_return"),
        "episodes": final.get("episodes", 0),
        "unfinished": final.get("unfinished", 0),
        "rating": result.rating[0] if result.rating else None,
        "rating_error": result.rating[1] if result.rating else None,
        "stopped": result.signal is not None,
        "limited": result.limited,
    }
