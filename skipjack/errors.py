"""Errors that a user can act on: what must hold, what was got, what to do.

Every error that a user's input can cause is a `SkipjackError`; the command line prints its
sentence without a traceback and exits with its `exit_code`. Standard library only.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SkipjackError(Exception):
    """Something the user can mend; its message is one or two whole sentences."""

    exit_code = 1


class UsageError(SkipjackError):
    """A wrong name, setting or flag: nothing was started. The command exits with 2."""

    exit_code = 2


class RunError(SkipjackError):
    """A run that cannot go on or cannot be read. The command exits with 1."""


class EnvError(RunError):
    """A Python env raised: the message holds its traceback, env and seed say which one it was.

    Attributes:
        env: index of the env within its engine.
        seed: what it was last reset with.
    """

    def __init__(self, message: str, env: int, seed: int) -> None:
        super().__init__(message)
        self.env, self.seed = env, seed


class MissingPackage(SkipjackError, ImportError):
    """An optional package is not installed; the message holds the pip line that helps."""


def unknown(kind: str, name: str, names: Iterable[str], see: str = "") -> UsageError:
    """Error for a name that does not exist, with the nearest ones that do.

    Args:
        kind: what the name stands for, in a word ("environment", "setting").
        name: what was asked for.
        names: every name that would have been right.
        see: the command that lists them, if there is one.
    """
    lower = {known.lower(): known for known in names}
    near = [lower[n] for n in difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.5)]
    hint = f" Did you mean {_either(near)}?" if near else ""
    listing = f" See them all with: {see}." if see else ""
    return UsageError(f"There is no {kind} {name!r}.{hint}{listing}")


def missing(package: str, extra: str, what: str = "This") -> MissingPackage:
    """Error for an optional package that is not installed."""
    return MissingPackage(
        f'{what} needs {package}, which is not installed. Install it with: pip install "skipjack[{extra}]".'
    )


def must(rule: str, hint: str = "", **got: object) -> UsageError:
    """Error for a value that breaks a rule: what must hold, what was got, what to do.

    Args:
        rule: what must hold, as a clause ("train.horizon must be at least 1").
        hint: what to do, as a whole sentence.
        got: the values that broke it, by name; the name `got` is not shown.
    """
    values = ", ".join(
        repr(value) if name == "got" else f"{name}={value!r}" for name, value in got.items()
    )
    tail = f" {hint}" if hint else ""
    # A setting's name stays as it is written: "train.steps must ...".
    start = rule[:1].upper() + rule[1:] if rule.split(" ", 1)[0].isalpha() else rule
    return UsageError(f"{start}, but got {values}.{tail}")


def clause(error: BaseException) -> str:
    """The first line of an error as part of a sentence: without a full stop at its end."""
    return str(error).strip().partition("\n")[0].rstrip(". ")


def _either(names: list[str]) -> str:
    quoted = [repr(name) for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
