"""`skipjack sweep ENV ...` and `skipjack sweep worker NAME`: start, go on, help."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from skipjack import config as settings
from skipjack import registry
from skipjack.cli import flags
from skipjack.cli.sweep import ROOT, leading, opened, quiet, require, seconds_of
from skipjack.config import Choice, Within
from skipjack.errors import RunError, UsageError, must
from skipjack.run import trackers
from skipjack.sweep.space import STEPS, Space, space_of

if TYPE_CHECKING:
    from skipjack.sweep.plan import Plan


@dataclass(frozen=True, slots=True)
class SweepFlags:
    """Flags of `skipjack sweep` beside the settings, which are held at what is given."""

    budget: str = ""
    """Time for each environment, as in 30m or 2h: of all trials with their start-up, on each worker."""
    trials: Annotated[int, Within(0, 1_000_000)] = 0
    """Trials after which each sweep ends; 0 is no end but the budget's."""
    max_cost: str = ""
    """Seconds of training that a trial may have, as in 600s; by default a twentieth of the budget."""
    min_cost: str = ""
    """Seconds of training of the cheapest trials; by default a hundredth of --max-cost."""
    workers: Annotated[int, Within(1, 1024)] = 1
    """Trials at once; each has its share of the cores."""
    metric: Annotated[str, Choice("score", "return", "rating")] = "score"
    """What is made as large as can be: a figure of the final evaluation, or in games with two teams the
    rating, in Elo above the random player: a rater plays the checkpoints beside each training."""
    name: str = ""
    """The sweep's name, and its folder below sweeps/; by default the environment's."""
    storage: str = ""
    """Where the study is kept: a file, or postgresql://USER@HOST/NAME for many machines."""
    space: str = ""
    """TOML file that narrows or widens what is searched: docs/sweeps.md."""
    fix: str = ""
    """Settings that are held, with commas between: train.clip at the preset's value, train.clip=0.3."""
    only: str = ""
    """Patterns of the settings that are searched beside train.steps, with commas between: train.*."""
    sampler: Annotated[str, Choice("cost", "tpe", "gp", "nsga2", "random")] = "cost"
    """Who chooses: ours, which looks at cost, or one of Optuna's."""
    cost_bias: Annotated[float, Within(0.0, 2.0)] = 0.15
    """0 spends most on dear trials, 1 as much on each decade of cost."""
    seed: Annotated[int, Within(0, 2**31)] = 0
    """Seed of what is drawn and of the trials' trainings."""
    track: str = ""
    """Once the sweep is over, send the runs of its front to wandb, tensorboard or both, with a comma between.
    No other trial is tracked outside."""
    lease: str = "60s"
    """Time without a word after which a trial counts as lost and is run again."""
    no_early_stop: bool = False
    """Let every trial run to its end."""
    json: bool = False
    """End with a line of JSON on standard output; progress goes to standard error."""


@dataclass(frozen=True, slots=True)
class WorkerFlags:
    """Flags of `skipjack sweep worker`."""

    storage: str = ""
    """Where the study is kept, as the sweep has it; by default the file in sweeps/NAME."""
    workers: Annotated[int, Within(1, 1024)] = 1
    """Trials at once; each has its share of the cores."""


def run(arguments: Sequence[str]) -> int:
    """Sweep one environment after the other; 0, or 128 and the signal's number if stopped."""
    from skipjack.run.config import configure

    names = leading(arguments)
    rest = list(arguments[len(names) :])
    first = configure(names[0] if names else "breakout")
    own, chosen = flags.parse(
        SweepFlags,
        rest,
        "skipjack sweep ENV",
        "Find the best settings for every cost.",
        _unseeded(first.config),
    )
    if not names:
        raise UsageError("A sweep must name an environment: skipjack sweep breakout --budget 2h.")
    if own.name and len(names) > 1:
        raise must("--name must stand for one environment", environments=len(names))
    require()
    quiet()
    tracked = trackers.choose(own.track)
    done = []
    for name in names:
        code = _one(name, own, chosen)
        if code:
            return code
        done.append(own.name or registry.stem(registry.resolve(name).full_name))
    found = None
    if len(done) > 1:
        from skipjack.cli.sweep import common

        if code := common.settle(done, own.storage, own.workers, _say):
            return code
        found = common.row(common.opened_all(done, own.storage))
    for name in done if tracked else []:
        _track(name, own.storage, tracked)
    if own.json:
        print(json.dumps({"sweeps": [_row(name, own.storage) for name in done], "common": found}))
    return 0


def worker(arguments: Sequence[str]) -> int:
    """Help with a sweep until it is over."""
    name, rest = flags.subject(arguments, "skipjack sweep worker NAME")
    own, _ = flags.parse(
        WorkerFlags, rest, "skipjack sweep worker NAME", "Run trials of a sweep until it is over."
    )
    sweep, folder = opened(name, own.storage)
    return work(sweep.name, sweep.url, folder, own.workers, _say)


def plan_of(name: str, own: SweepFlags, chosen: dict[str, Any]) -> Plan:
    """What a sweep is, by its flags; its speed is not measured yet.

    Raises:
        UsageError: a flag is wrong, or nothing says when it ends.
    """
    from skipjack.run.config import configure, declared
    from skipjack.sweep.plan import Plan

    budget = seconds_of(own.budget, "--budget")
    if not budget and not own.trials:
        raise UsageError("A sweep must know when it ends: give --budget 2h, --trials 100 or both.")
    dearest = seconds_of(own.max_cost, "--max-cost") or (budget / 20 if budget else 600.0)
    cheapest = seconds_of(own.min_cost, "--min-cost") or max(dearest / 100, min(1.0, dearest / 4))
    if cheapest >= dearest:
        raise must("--min-cost must be below --max-cost", min=cheapest, max=dearest)
    if own.metric == "rating":
        chosen = _rated(name, chosen)
    entry = registry.resolve(name)
    full = os.path.abspath(entry.full_name) if registry.is_folder(name) else entry.full_name
    file = settings.load_toml(Path(own.space)) if own.space else {}
    known = {key: each for key, each in declared(name).items() if key != "seed"}
    centre = settings.flatten(configure(name, flags=chosen).config)
    held = {key: centre[key] for key in chosen}
    space = space_of(known, centre, file, _list(own.fix), _list(own.only), held)
    return Plan(
        env=full,
        space=space.to_json(),
        metric=own.metric,
        budget=budget * own.workers,
        trials=own.trials,
        cheapest=cheapest,
        dearest=dearest,
        cost_bias=own.cost_bias,
        sampler=own.sampler,
        seed=own.seed,
        lease=seconds_of(own.lease, "--lease") or 60.0,
        early_stop=not own.no_early_stop,
    )


def _rated(name: str, chosen: dict[str, Any]) -> dict[str, Any]:
    """The settings that are held, with a rater beside every training.

    Raises:
        UsageError: the game has not two teams.
    """
    from skipjack.arena.seating import are_two_sides
    from skipjack.run.config import configure
    from skipjack.run.envs import make_vector

    vector = make_vector(configure(name, flags=chosen), 1)
    teams = vector.teams
    vector.close()
    if not are_two_sides(teams):
        raise UsageError(
            f"--metric rating must be of a game with two teams of equal size, but {name} has teams "
            f"{list(teams)}. Take --metric score."
        )
    return chosen | {"arena.rating": "beside"}


def _one(name: str, own: SweepFlags, chosen: dict[str, Any]) -> int:
    from skipjack.sweep.speed import speed_key
    from skipjack.sweep.storage import alone
    from skipjack.sweep.study import create_or_resume

    plan = plan_of(name, own, chosen)
    stem = own.name or registry.stem(registry.resolve(name).full_name)
    folder = ROOT / stem
    url = own.storage or str(folder / "study.journal")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"The folder {str(folder)!r} must be writable, but {error}.") from error
    with alone(folder / "lock", busy(stem)):
        plan = _measured(stem, url, plan, folder, own)
        sweep = create_or_resume(stem, url, plan)
        if plan.speed:  # measured just now, with no other worker beside it
            sweep.set_attribute(speed_key(threads_of(own.workers)), plan.speed)
        _say(f"Sweeping {plan.env}: {len(sweep.space.parameters)} settings, into {folder}.")
        code = work(stem, url, folder, own.workers, _say)
    _say(f"Next: skipjack sweep best {stem}, skipjack sweep report {stem}")
    return code


def _track(name: str, storage: str, tracked: list[str]) -> None:
    """Send the front's runs to trackers; those of other machines are where they were trained."""
    from skipjack.sweep.report import info_of

    sweep, folder = opened(name, storage)
    for trial in sweep.front():
        run = folder / "runs" / str(trial.user_attrs.get("run"))
        if run.is_dir():
            trackers.send(tracked, run, info_of(sweep, trial, run), _say)
        else:
            _say(f"Trial {trial.number} was trained on another machine and is not tracked.")


def busy(stem: str) -> str:
    """What to say where another process runs a sweep."""
    return (
        f"The sweep {stem!r} is run by another process already. Help it with: skipjack sweep worker {stem}; "
        f"or give this one a name of its own (--name)."
    )


def _measured(stem: str, url: str, plan: Plan, folder: Path, own: SweepFlags) -> Plan:
    """The plan with the preset's speed here, and steps that reach from the cheapest to the dearest."""
    import dataclasses

    from skipjack.sweep.speed import reference_speed
    from skipjack.sweep.study import plan_there

    if (before := plan_there(stem, url)) is not None:  # it has been measured
        # Costs that follow from the budget stay where they were: it may grow.
        ends = {"dearest": own.max_cost, "cheapest": own.min_cost or own.max_cost}
        kept = {name: getattr(before, name) for name, given in ends.items() if not given}
        return dataclasses.replace(plan, **kept)
    space = Space.from_json(plan.space)
    _say("Measuring the preset's speed.")
    speed, rollout = reference_speed(plan.env, space.fixed, threads_of(own.workers), folder)
    file = settings.dotted(settings.load_toml(Path(own.space))) if own.space else {}
    if STEPS in space and not any(key.startswith(STEPS) for key in file):
        low, high = (max(1, round(speed * cost)) for cost in (plan.cheapest / 4, plan.dearest * 4))
        centre = min(max(space[STEPS].centre, speed * plan.cheapest), speed * plan.dearest)
        space = space.with_steps(low, high, round(centre))
    return dataclasses.replace(plan, speed=speed, rollout=rollout, space=space.to_json())


def threads_of(workers: int) -> int:
    """Cores for each of so many workers."""
    from skipjack.vector.config import cores

    return max(1, cores() // workers)


def work(name: str, url: str, folder: Path, workers: int, say: Callable[[str], None]) -> int:
    """Run workers as threads until the sweep is over or a signal comes."""
    from skipjack.sweep.board import lines, live_board
    from skipjack.sweep.study import open_sweep
    from skipjack.sweep.worker import Worker

    made = [
        Worker(open_sweep(name, url), folder, threads_of(workers), say, slot)
        for slot in range(workers)
    ]
    failed: list[BaseException] = []

    def guarded(one: Worker) -> None:
        try:
            one.run()
        except BaseException as error:
            failed.append(error)
            for other in made:
                other.stopped.set()

    threads = [threading.Thread(target=guarded, args=(one,)) for one in made]
    watched = open_sweep(name, url)
    with _stop_on_signals(made) as received, live_board(lambda: lines(watched)) as refresh:
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            threads[0].join(0.5)
            time.sleep(0.05)
            refresh()
    for line in lines(watched):
        say(line)
    if failed:
        raise failed[0]
    if received:
        say("Stopped. The same command goes on.")
    return 128 + received[0] if received else 0


@contextmanager
def _stop_on_signals(workers: Sequence[Any]) -> Iterator[list[int]]:
    """The first Ctrl-C or SIGTERM has every trial saved and stopped, the second ends at once.

    Afterwards signals do what they did before: between two sweeps there is nobody to be told.
    """
    received: list[int] = []

    def stop(number: int, frame: Any) -> None:
        if received:
            os._exit(128 + number)  # the trainings see that we are gone, and save
        received.append(number)
        _say("Stopping: trials save and go back to the queue. Ctrl-C again exits at once.")
        for each in workers:
            each.stopped.set()

    main = threading.current_thread() is threading.main_thread()
    numbers = (signal.SIGINT, signal.SIGTERM) if main else ()
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _row(name: str, storage: str) -> dict[str, Any]:
    from skipjack.sweep.board import summary

    return summary(opened(name, storage)[0])


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _unseeded(config: Any) -> Any:
    """The config without its seed at the top: the sweep has one of its own."""
    import dataclasses

    fields = [
        (
            each.name,
            type(getattr(config, each.name)),
            dataclasses.field(default=getattr(config, each.name)),
        )
        for each in dataclasses.fields(config)
        if each.name != "seed"
    ]
    return dataclasses.make_dataclass("SweepConfig", fields, frozen=True)()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
