"""`skipjack train ENV`: train, with a dashboard, into a run folder."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skipjack import checkpoint, registry
from skipjack import config as settings
from skipjack.cli import flags
from skipjack.errors import must
from skipjack.report import Reporter
from skipjack.run import trackers
from skipjack.run.config import Configured, configure

USAGE = "skipjack train ENV [--train.steps 20e6 ...]"
RUNS = Path("runs")

MAY_CHANGE = (
    "train.steps",
    "train.checkpoint_every",
    "train.keep",
    "vector.threads",
    "eval.envs",
    "eval.share",
    "eval.quota",
    "eval.max_steps",
    "eval.deterministic",
    "eval.opponent",
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
    """Start a new run from the weights of a run or checkpoint."""
    config: str = ""
    """TOML file with settings."""
    track: str = ""
    """Also report to wandb, tensorboard or both, with a comma between. Each remembers the run: without
    this flag, --resume goes on with the trackers that the run has had. "none" does without them."""
    json: bool = False
    """End with a line of JSON on standard output; progress goes to standard error as plain lines."""


def run(arguments: Sequence[str]) -> int:
    """Train; exit code 0, or 128 and the signal's number if one stopped it."""
    name, rest = flags.subject(arguments, USAGE)
    first = configure(name or "breakout")
    own, chosen = flags.parse(
        TrainFlags, rest, "skipjack train ENV", "Train a policy into runs/NAME.", first.config
    )
    return train(name, own, chosen)


def train(name: str, own: TrainFlags, chosen: dict[str, Any]) -> int:
    """Train an environment with the flags given."""
    from skipjack.report.plain import choose

    began = time.perf_counter()
    file = flags.path_or_none(own.config)
    resumed = weights = None
    if own.resume:
        folder, resumed, configured = _resume(name, own, chosen, file)
        tracked = trackers.choose(own.track, folder)
    else:
        configured = configure(name, file=file, flags=chosen)
        tracked = trackers.choose(own.track)
        weights = checkpoint.find(own.source, RUNS) if own.source else None
        stem = configured.entry.full_name.replace("/", "-").replace(":", "-")
        folder = checkpoint.create_run(RUNS, own.run or checkpoint.free_name(RUNS, stem))
    screen = choose(own.json, configured.entry.full_name, folder.name)
    sink = Reporter([screen])
    try:
        screen.show("loading torch")  # the first frame stands before the two seconds that it takes
        # Trackers close first: the screen is still there when they have something to say at the end.
        sink.sinks = [*trackers.begin(tracked, folder, screen.message), screen]
        from skipjack.run.run import Run, result_row

        if tracked and not own.track:
            screen.message(
                f"Reporting to {' and '.join(tracked)} as before; --track none does not."
            )
        session = Run(configured, folder, sink, resumed=resumed, weights=weights)
        ready = time.perf_counter()
        result = session.train()
    finally:
        sink.close()
        checkpoint.discard_empty(folder)  # a run that never began leaves nothing
    if own.json:
        row = result_row(result, configured)
        row["seconds_start"] = ready - began
        row["seconds_final"] = result.evaluation.seconds if result.evaluation else 0.0
        row["seconds_total"] = time.perf_counter() - began
        print(json.dumps(row))
    elif result.evaluation is not None:
        print(_next_steps(folder, configured))
    else:
        print(f"Saved at step {result.steps}. Go on with: {_again(folder, configured)} --resume")
    return 128 + result.signal if result.signal else 0


def _resume(
    name: str, own: TrainFlags, chosen: dict[str, Any], file: Path | None
) -> tuple[Path, checkpoint.Checkpoint, Configured]:
    """The folder, checkpoint and settings of the run to go on with."""
    from skipjack.cli.saved import load_saved, newest_run

    found = checkpoint.find(own.run or newest_run(RUNS, name), RUNS)
    folder = checkpoint.run_of(found.path)
    if own.source:
        raise must("--resume and --from must not be given together", **{"from": own.source})
    saved_name, saved = load_saved(folder)
    if registry.resolve(name).full_name != saved_name:
        raise must(
            f"a resumed run must be of the environment that it began with, {saved_name!r}",
            hint=f"Go on with: skipjack train {saved_name} --run {folder.name} --resume.",
            environment=name,
        )
    before = settings.flatten(configure(saved_name, saved=saved).config)
    configured = configure(saved_name, saved=saved, flags=chosen)
    after = settings.flatten(configured.config)
    changed = [key for key in chosen if key not in MAY_CHANGE and after[key] != before[key]]
    if changed or file is not None:
        raise must(
            f"a resumed run may only change {', '.join(MAY_CHANGE)}",
            hint=f"Start a new run from its weights with: --from {folder.name}.",
            got=changed or str(file),
        )
    if found.steps >= configured.config.train.steps:
        raise must(
            f"train.steps must be more than the {found.steps} steps that the run has",
            hint=f"Extend it, for example with --train.steps {2 * found.steps}.",
            steps=configured.config.train.steps,
        )
    return folder, found, configured


def _again(folder: Path, configured: Configured) -> str:
    return f"skipjack train {configured.entry.full_name} --run {folder.name}"


def _next_steps(folder: Path, configured: Configured) -> str:
    steps = 2 * configured.config.train.steps
    return (
        f"The run is in {folder}. Next:\n"
        f"  skipjack eval {folder.name} --episodes 1000\n"
        f"  {_again(folder, configured)} --resume --train.steps {steps}\n"
        f"  skipjack train {configured.entry.full_name} --train.learning-rate 0.001\n"
        f"  skipjack list"
    )
