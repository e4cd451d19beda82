"""`skipjack COMMAND ...`: finds the command's module and runs it; standard library only."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from skipjack import __version__
from skipjack.errors import SkipjackError, unknown

COMMANDS = {
    "train": "train a policy; --resume goes on, --from starts from another run's weights",
    "eval": "play whole episodes with a trained policy and report its score",
    "watch": "see a trained policy act: window, browser (--browser) or video (--video out.mp4)",
    "play": "play a game yourself, alone, with somebody or against a policy (--against RUN)",
    "rate": "rank a run's checkpoints, or the runs of a folder, by games against each other",
    "gate": "say whether one policy is better than another; the exit code is the answer",
    "check": "say in plain words what is wrong with an environment, and how fast it is",
    "tune": "measure workers, threads, envs and groups on this machine, and keep the best",
    "sweep": "find the best settings for every cost: sweep ENV --budget 2h",
    "bench": "measure speed and times to a score: bench steps ENV, train ENV, suite",
    "new-game": "write a small game of your own, to be changed (--grid, --board or --physics)",
    "build": "compile a game of your own in its folder",
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
    _find_own_modules()
    try:
        with _terminated_in_order():
            code = _dispatch(arguments)
            sys.stdout.flush()  # a full disk shows now
            return code
    except SkipjackError as error:
        return _failed(str(error), error.exit_code, arguments)
    except SystemExit as error:  # tyro's help, or a signal
        if isinstance(error.code, int) and error.code > 128:
            return _json("Stopped before it was done.", error.code, arguments)
        raise
    except KeyboardInterrupt:
        return _json("Stopped before it was done.", 130, arguments)
    except BrokenPipeError:  # whoever read the output is gone
        return _json("", 1, [])
    except OSError as error:
        return _failed(f"The system refused: {error}.", 1, arguments)


def _failed(sentence: str, code: int, arguments: list[str]) -> int:
    print(f"skipjack: {sentence}", file=sys.stderr)
    return _json(sentence, code, arguments)


def _json(sentence: str, code: int, arguments: list[str]) -> int:
    """Give the exit code, and with --json the error as the last line of output."""
    try:
        if "--json" in arguments:
            print(json.dumps({"error": sentence, "exit_code": code}))
        sys.stdout.flush()
    except OSError:  # it takes no more: keep the interpreter from complaining at its exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _find_own_modules() -> None:
    """Let `module:Class` name what lies in the present folder, as `python -m skipjack` does."""
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())


@contextmanager
def _terminated_in_order() -> Iterator[None]:
    """SIGTERM unwinds, so that what was begun is put away; a training has its own handler."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


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
    module = command.replace("-", "_")
    return importlib.import_module(f"skipjack.cli.{module}").run(rest)
