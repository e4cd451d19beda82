"""`skipjack COMMAND ...`: finds the command's module and runs it; standard library only."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Sequence

from skipjack import __version__
from skipjack.errors import SkipjackError, unknown

COMMANDS = {
    "train": "train a policy; --resume goes on, --from starts from another run's weights",
    "eval": "play whole episodes with a trained policy and report its score",
    "bench": "measure speed and times to a score: bench steps ENV, train ENV, suite",
    "list": "list environments and runs",
    "runs": "list, show, diff and prune runs",
    "config": "show each setting of an environment and where it came from; diff two",
    "doctor": "say what this machine has and what is missing",
}
"""Every command and what it does; its module is `skipjack.cli.<command>` with a `run(arguments)`."""

HELP = f"""skipjack {__version__}: reinforcement learning for people with one machine

usage: skipjack COMMAND ...

{{commands}}

`skipjack COMMAND --help` lists a command's flags. First steps:
  skipjack train breakout
  skipjack eval breakout-1
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; gives the exit code: 0 done, 1 failed, 2 usage, 130 or 143 stopped by a signal."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _share_cores()
    try:
        return _dispatch(arguments)
    except SkipjackError as error:
        print(f"skipjack: {error}", file=sys.stderr)
        if "--json" in arguments:
            print(json.dumps({"error": str(error), "exit_code": error.exit_code}))
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read the output is gone; keep the interpreter from complaining at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _share_cores() -> None:
    """Have torch's idle threads (GNU OpenMP) sleep soon, unless the user has said how they wait.

    They spin for milliseconds otherwise, on cores that other processes want: two trainings at once
    then run at a tenth of their speed each (docs/speed.md). libgomp reads this once, when torch loads.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def _dispatch(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        listing = "\n".join(f"  {name:8} {what}" for name, what in COMMANDS.items())
        print(HELP.format(commands=listing))
        return 0
    if arguments[0] in ("-V", "--version"):
        print(f"skipjack {__version__}")
        return 0
    command, *rest = arguments
    if command not in COMMANDS:
        raise unknown("command", command, COMMANDS, see="skipjack --help")
    return importlib.import_module(f"skipjack.cli.{command}").run(rest)
