"""`skipjack sweep kill`, `promote` and `enqueue`: have a say in what runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from skipjack.cli import flags
from skipjack.cli.sweep import opened, seconds_of, words_of
from skipjack.errors import UsageError, must
from skipjack.sweep.space import STEPS


@dataclass(frozen=True, slots=True)
class ChangeFlags:
    """Flags of `skipjack sweep kill` and `enqueue`."""

    storage: str = ""
    """Where the study is kept; by default the file in sweeps/NAME."""


@dataclass(frozen=True, slots=True)
class PromoteFlags:
    """Flags of `skipjack sweep promote`."""

    cost: str = "10x"
    """How long: 10x as long as it ran, or a time such as 20m."""
    storage: str = ""
    """Where the study is kept; by default the file in sweeps/NAME."""


def kill(arguments: Sequence[str]) -> int:
    """Stop a trial; its process ends within a few seconds and saves."""
    name, number, rest = _target(arguments, "kill")
    own, _ = flags.parse(ChangeFlags, rest, "skipjack sweep kill NAME TRIAL", "Stop a trial.")
    sweep, _ = opened(name, own.storage)
    trial = sweep.trial(number)
    if trial.state.is_finished():
        raise UsageError(f"Trial {number} has ended already ({trial.state.name.lower()}).")
    if trial.state.name == "WAITING":
        sweep.fail(number, "killed")
        print(f"Trial {number} is out of the queue.")
    else:
        sweep.note(number, kill=True)
        print(f"Trial {number} is asked to save and stop.")
    return 0


def promote(arguments: Sequence[str]) -> int:
    """Queue a trial's settings with more steps."""
    name, number, rest = _target(arguments, "promote")
    own, _ = flags.parse(
        PromoteFlags,
        rest,
        "skipjack sweep promote NAME TRIAL",
        "Run a trial's settings for longer.",
    )
    sweep, _ = opened(name, own.storage)
    trial = sweep.trial(number)
    if trial.values is None:
        raise UsageError(f"Trial {number} must have a score to be promoted, but has none.")
    if STEPS not in sweep.space:
        raise UsageError(f"The sweep {name!r} holds {STEPS}: none of its trials can run longer.")
    times = re.fullmatch(r"(\d+(?:\.\d*)?)x", own.cost)
    factor = float(times[1]) if times else seconds_of(own.cost, "--cost") / trial.values[1]
    if factor <= 0:
        raise must("--cost must be as in 10x or 20m", got=own.cost)
    # Not those asked for: an early stop or the cap may have come long before them.
    steps = round((trial.user_attrs.get("steps") or trial.params[STEPS]) * factor)
    cost = trial.values[1] * factor
    sweep.enqueue(trial.params | {STEPS: steps}, free=(STEPS,), promotes=number, limit=1.5 * cost)
    print(
        f"Queued: trial {number} with {steps:,} steps, about {words_of(cost)}. It is run by the sweep, or "
        f"by: skipjack sweep worker {name}"
    )
    return 0


def enqueue(arguments: Sequence[str]) -> int:
    """Queue settings of one's own."""
    name, rest = flags.subject(arguments, "skipjack sweep enqueue NAME setting=value")
    pairs = [word for word in rest if not word.startswith("-") and "=" in word]
    others = [word for word in rest if word not in pairs]
    own, _ = flags.parse(
        ChangeFlags,
        others,
        "skipjack sweep enqueue NAME setting=value ...",
        "Try settings of your own next; what is not named stands at the preset's value.",
    )
    sweep, _ = opened(name, own.storage)
    values = {}
    for pair in pairs:
        key, _, text = pair.partition("=")
        values[key] = sweep.space[key].read(text) if key in sweep.space else text
    sweep.enqueue(values, origin="hand")
    print(f"Queued: {', '.join(pairs) or 'the preset'}.")
    return 0


def _target(arguments: Sequence[str], command: str) -> tuple[str, int, list[str]]:
    usage = f"skipjack sweep {command} NAME TRIAL"
    name, rest = flags.subject(arguments, usage)
    if any(word in ("-h", "--help") for word in arguments):
        return name, 0, rest
    if not rest or not rest[0].isdigit():
        raise UsageError(f"The number of a trial must follow the sweep's name: {usage}.")
    return name, int(rest[0]), rest[1:]
