"""`skipjack train ENV`: train, with a dashboard, into a run folder."""

from __future__ import annotations

import contextlib
import json
import shlex
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from skipjack import checkpoint, folders, registry
from skipjack import config as settings
from skipjack.cli import flags
from skipjack.cli.saved import describe, load_saved, newest_run, next_commands, saved_of
from skipjack.config import Within
from skipjack.errors import must
from skipjack.report import Reporter
from skipjack.run import lock, trackers
from skipjack.run.config import Configured, configure, edges, given
from skipjack.spaces import Layout

USAGE = "skipjack train ENV [--train.steps 20e6 ...]"
RUNS = Path("runs")

MAY_CHANGE = (
    "train.steps",
    "train.checkpoint_every",
    "train.keep",
    "vector.threads",
    "vector.workers",
    "vector.start",
    "vector.on_crash",
    "vector.timeout",
    "eval.envs",
    "eval.share",
    "eval.quota",
    "eval.max_steps",
    "eval.deterministic",
    "eval.opponent",
    "arena.rating",
    "arena.budget",
    "arena.precision",
    "arena.patience",
)
"""Settings that a resumed run may change: none of them touches the experience before the cut."""


@dataclass(frozen=True, slots=True)
class TrainFlags:
    """Flags of `skipjack train` beside the settings."""

    run: str = ""
    """Name of the run's folder below runs/; by default the environment's name and a number."""
    resume: bool = False
    """Go on with a run exactly where it stopped: --run NAME, or the newest of this environment."""
    source: str = field(default="", metadata={"flag": "from"})
    """Start a new run from the weights of a run, a checkpoint or baseline:ENV."""
    config: str = ""
    """TOML file with settings."""
    track: str = ""
    """Also report to wandb, tensorboard or both, with a comma between. Each remembers the run: without
    this flag, --resume goes on with the trackers that the run has had. "none" does without them."""
    max_seconds: Annotated[float, Within(0.0, None)] = 0.0
    """Seconds of training, over all sittings, after which it goes on to the final evaluation even if steps
    are left; 0 is no limit."""
    json: bool = False
    """End with a line of JSON on standard output; progress goes to standard error as plain lines."""


def run(arguments: Sequence[str]) -> int:
    """Train; exit code 0, or 128 and the signal's number if one stopped it."""
    name, own, chosen = flags.with_settings(
        TrainFlags, arguments, "skipjack train ENV", "Train a policy into runs/NAME.", USAGE
    )
    return train(name, own, chosen)


def train(name: str, own: TrainFlags, chosen: dict[str, Any]) -> int:
    """Train an environment with the flags given."""
    from skipjack.report.plain import choose

    began = time.perf_counter()
    with contextlib.ExitStack() as held:
        task = _prepare(name, own, chosen, held)
        env, folder = task.configured.entry.full_name, task.folder
        screen = choose(own.json, env, folder.name)
        sink = Reporter([screen])
        try:
            # The first frame stands before the two seconds that torch takes.
            screen.show("loading torch")
            # Trackers close first: the screen is still there if they have something to say.
            sink.sinks = [*trackers.begin(task.tracked, folder, screen.message), screen]
            with _undisturbed():
                from skipjack.run.run import Run, result_row

            session = Run(
                task.configured, folder, sink, task.resumed, task.weights, own.max_seconds or None
            )
            ready = time.perf_counter()
            for sentence in _remarks(task, own, session.vector.observation):
                screen.message(sentence)
            result = session.train()
        finally:
            sink.close()
    if own.json:
        row = result_row(result, task.configured)
        row["seconds_start"] = ready - began
        row["seconds_final"] = result.evaluation.seconds if result.evaluation else 0.0
        row["seconds_total"] = time.perf_counter() - began
        print(json.dumps(row))
    else:
        state = "stopped" if result.evaluation is None else "finished"
        commands = next_commands(folder.name, env, state, result.steps)
        print("\n  ".join([f"The run is in {folder}. Next:", *commands, "skipjack runs"]))
    return 128 + result.signal if result.signal else 0


@dataclass(frozen=True, slots=True)
class Task:
    """A training to do: its folder (locked), settings, trackers, and what it goes on from."""

    folder: Path
    configured: Configured
    tracked: list[str]
    resumed: checkpoint.Checkpoint | None = None
    weights: checkpoint.Checkpoint | None = None


def _prepare(
    name: str, own: TrainFlags, chosen: dict[str, Any], held: contextlib.ExitStack
) -> Task:
    """Check all that can be checked before anything is loaded, and take the folder's lock."""
    file = flags.path_or_none(own.config)
    if own.resume:
        folder = folders.run_of(folders.locate(own.run or newest_run(RUNS, name), RUNS))
        # Before anything is read of it: whoever trains it now may be ahead in a moment.
        held.enter_context(lock.hold(folder))
        resumed, configured = _resume(folder, name, own, chosen, file)
        return Task(folder, configured, trackers.choose(own.track, folder), resumed=resumed)
    weights = folders.find(own.source, RUNS) if own.source else None
    shape = {}  # weights fit the policy that they were trained as
    if weights is not None:
        theirs = settings.dotted(saved_of(weights)[1])
        shape = {key: theirs[key] for key in theirs if key.startswith("policy.")}
    configured = configure(
        name, file=file, saved=shape, saved_in=f"--from {own.source}", flags=chosen
    )
    tracked = trackers.choose(own.track)
    stem = registry.stem(configured.entry.full_name)
    folder = folders.create_run(RUNS, own.run or folders.free_name(RUNS, stem))
    held.callback(folders.discard_empty, folder)  # a run that never began leaves nothing
    held.enter_context(lock.hold(folder))
    return Task(folder, configured, tracked, weights=weights)


def _resume(
    folder: Path, name: str, own: TrainFlags, chosen: dict[str, Any], file: Path | None
) -> tuple[checkpoint.Checkpoint, Configured]:
    """The checkpoint and settings of the run to go on with."""
    if own.source:
        raise must("--resume and --from must not be given together", **{"from": own.source})
    found = checkpoint.latest(folder)
    asked = folders.locate(own.run, RUNS) if own.run else folder
    if asked != folder and asked.resolve() != found.path.resolve():
        raise must(
            "a run goes on from its newest checkpoint, which alone has the envs",
            hint=f"Start a new run from older weights with: --from {shlex.quote(str(asked))}.",
            checkpoint=str(asked),
            newest=str(found.path),
        )
    saved_name, saved = load_saved(folder)
    handle = shlex.quote(folder.name)
    if registry.resolve(name).full_name != saved_name:
        raise must(
            f"a resumed run must be of the environment that it began with, {saved_name!r}",
            hint=f"Go on with: skipjack train {saved_name} --run {handle} --resume.",
            environment=name,
        )
    before = settings.flatten(configure(saved_name, saved=saved).config)
    configured = configure(saved_name, saved=saved, flags=chosen)
    after = settings.flatten(configured.config)
    changed = [key for key in chosen if key not in MAY_CHANGE and after[key] != before[key]]
    if changed or file is not None:
        raise must(
            f"a resumed run may only change {', '.join(MAY_CHANGE)}",
            hint=f"Start a new run from its weights with: --from {handle}.",
            got=changed or str(file),
        )
    # A run whose last evaluation was cut short goes on to have it.
    if found.steps >= configured.config.train.steps and describe(folder).evaluated:
        raise must(
            f"train.steps must be more than the {found.steps} steps that the run has",
            hint=f"Extend it, for example with --train.steps {2 * found.steps}.",
            steps=configured.config.train.steps,
        )
    return found, configured


def _remarks(task: Task, own: TrainFlags, observation: Layout) -> list[str]:
    """What the user should know before the training begins."""
    found = []
    if task.tracked and not own.track:
        names = " and ".join(task.tracked)
        found.append(f"Reporting to {names} as before; --track none does not.")
    if task.resumed is None and (strange := _at_edge(task.configured)):
        found.append(strange)
    if task.resumed is None and (unfit := _unfit(task.configured, observation)):
        found.append(unfit)
    if task.resumed and task.resumed.state["updates"] and not task.resumed.has("vector"):
        found.append(
            "These envs cannot be saved: they begin anew, and their first episodes do not count."
        )
    return found


def _at_edge(configured: Configured) -> str:
    """A sentence on the user's values at the edge of their usual range; empty if there are none.

    A preset's own were found by tuning. A resumed run may change nothing that learns.
    """
    found, values = edges(configured), settings.flatten(configured.config)
    strange = [
        f"{name} = {values[name]} is {found[name]}" for name in given(configured) if name in found
    ]
    return f"Is this meant? {'; '.join(strange)}." if strange else ""


def _unfit(configured: Configured, observation: Layout) -> str:
    """A sentence on an encoder of the user's that takes categories for numbers; empty if it does not."""
    kinds = [part.name or "the observation" for part in observation.fields if part.kinds > 2]
    policy = configured.config.policy
    if (
        not kinds
        or policy.encoder != "mlp"
        or policy.own
        or "policy.encoder" not in given(configured)
    ):
        return ""
    return (
        f"The mlp encoder reads categories ({', '.join(kinds)}) as numbers that are more or less; "
        f"--policy.encoder auto reads each as a kind of its own."
    )


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Signals wait while torch loads: its C++ half ends the process when they fall into its import."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
