"""Speed of every game on this machine, in a file, and beside the figures of an earlier one."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import skipjack
from skipjack import checkpoint, registry
from skipjack.bench import steps
from skipjack.bench.suite import is_here, machine
from skipjack.errors import RunError, UsageError, must
from skipjack.run.config import configure

FORMAT = 1
"""Number of the layout of the file; another one is refused."""

SLOWER = 0.85
"""Share of the speed before below which a game counts as slower, if the ranges do not meet either."""

AGAIN = 2
"""Times that a game which seems slower is measured anew: machines have other things to do."""


@dataclass(frozen=True, slots=True)
class Change:
    """A game's speed beside an earlier one, for a number of threads.

    Attributes:
        env, threads: what was measured.
        now, before: steps a second.
        is_slower: whether the difference is beyond the noise and more than `SLOWER` allows.
    """

    env: str
    threads: int
    now: float
    before: float
    is_slower: bool

    @property
    def ratio(self) -> float:
        """The speed now as a share of the one before."""
        return self.now / self.before


def native_names() -> list[str]:
    """Every native game with its variants."""
    return [name for name in registry.names() if not _in_python(name)]


def measure(name: str, seconds: float, repetitions: int) -> dict[str, Any]:
    """A row of the file: `steps.measure` of a preset."""
    return steps.measure(configure(name), seconds, repetitions)


def measure_all(
    names: Sequence[str],
    seconds: float,
    repetitions: int,
    say: Callable[[str], None],
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The file's content: each game on one thread and on all, from mid-episode states.

    Args:
        names: presets.
        seconds: of each repetition.
        repetitions: medians are over so many.
        say: takes a line for the user.
        before: an earlier file's content; a game that seems slower is measured again, and the faster
            measurement stays.

    Raises:
        UsageError: one is no native game.
    """
    if others := [name for name in names if _in_python(name)]:
        raise must("every game must be a native one", others=others)
    found = {}
    for number, name in enumerate(names, 1):
        say(f"{number} of {len(names)}: {name}")
        row = measure(name, seconds, repetitions)
        for _ in range(AGAIN):
            if before is None or not any(change.is_slower for change in changes([row], before)):
                break
            say("  seems slower: once more")
            row = _faster(row, measure(name, seconds, repetitions))
        found[row["env"]] = row
    about = {"format": FORMAT, "skipjack": skipjack.__version__, "machine": machine()}
    return about | {"seconds": seconds, "repetitions": repetitions, "games": found}


def changes(rows: Sequence[Mapping[str, Any]], before: Mapping[str, Any]) -> list[Change]:
    """What both have: each game and number of threads, in the order of the rows."""
    found = []
    for row in rows:
        earlier = before["games"].get(row["env"], {"speeds": []})["speeds"]
        known = {speed["threads"]: speed for speed in earlier}
        for speed in row["speeds"]:
            if (old := known.get(speed["threads"])) is not None:
                now, then = speed["steps_per_second"], old["steps_per_second"]
                is_slower = now < SLOWER * then and speed["highest"] < old["lowest"]
                found.append(Change(row["env"], speed["threads"], now, then, is_slower))
    return found


def is_comparable(before: Mapping[str, Any]) -> bool:
    """Whether an earlier file is of this machine: else its ratios are of machines, not of code."""
    return is_here(before["machine"])


def check_out(path: Path) -> None:
    """Whether the file can be written, before what takes minutes.

    Raises:
        UsageError: it is not named *.json.
        RunError: its folder cannot be made.
    """
    if path.suffix != ".json":
        raise must("the file of speeds must be named *.json", out=str(path))
    try:
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error


def write(path: Path, data: Mapping[str, Any]) -> None:
    """Write the file, whole.

    Raises:
        RunError: it cannot be written.
    """
    try:
        checkpoint.write_text(path, json.dumps(data, indent=1) + "\n")
    except OSError as error:
        raise _unwritable(path, error) from error


def load(path: Path) -> dict[str, Any]:
    """The content of a file that `write` wrote.

    Raises:
        UsageError: it is missing, or not such a file.
    """
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            raise ValueError(f"it has format {data['format']}, not {FORMAT}")
        str(data["machine"]["cpu"])
        for row in data["games"].values():
            for speed in row["speeds"]:
                numbers = (speed["steps_per_second"], speed["lowest"], speed["highest"])
                if not (type(speed["threads"]) is int and all(0 < n < math.inf for n in numbers)):
                    raise ValueError(f"the speeds of {row['env']!r} are no speeds")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{str(path)!r} must be a file of skipjack bench steps --all, but reading it failed "
            f"({type(error).__name__}: {error}). Name another one with --against."
        ) from None
    return data


def _unwritable(path: Path, error: OSError) -> RunError:
    return RunError(f"The file {str(path)!r} must be writable, but {error}.")


def _in_python(name: str) -> bool:
    return bool(getattr(registry.load(registry.resolve(name).target), "in_python", False))


def _faster(one: dict[str, Any], two: dict[str, Any]) -> dict[str, Any]:
    """The measurement of a game that is faster, for each number of threads."""
    pairs = zip(one["speeds"], two["speeds"], strict=True)
    best = [max(pair, key=lambda speed: float(speed["steps_per_second"])) for pair in pairs]
    return two | {"speeds": best}
