"""`skipjack runs`: list, show, diff and prune what has been trained."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from skipjack.errors import unknown

COMMANDS = {
    "list": "list runs, newest last; also without the word: skipjack runs --env pong",
    "show": "show RUN: origin, settings of its own, checkpoints, scores, next commands",
    "diff": "diff A B: settings, commits and versions that differ between runs, files, environments",
    "prune": "say which runs or checkpoints would go by the criteria given; --yes removes them",
}
"""Commands of `skipjack runs`; each is a module with a `run(arguments)`."""


def run(arguments: Sequence[str]) -> int:
    """Run one of `COMMANDS`; without a word, `list`."""
    if arguments and arguments[0] in ("-h", "--help"):
        print("usage: skipjack runs [list] [flags] | show RUN | diff A B | prune [flags]\n")
        print("\n".join(f"  {name:6} {what}" for name, what in COMMANDS.items()))
        print("\n`skipjack runs COMMAND --help` lists a command's flags.")
        return 0
    command, rest = "list", list(arguments)
    if rest and not rest[0].startswith("-"):
        command = rest.pop(0)
    if command not in COMMANDS:
        raise unknown("command of runs", command, COMMANDS, see="skipjack runs --help")
    if command == "diff":  # the same for runs and for settings
        from skipjack.cli import diff

        return diff.run(rest, "skipjack runs diff")
    # Not a module called list: once imported, it would hide the type's name in this one.
    module = "listing" if command == "list" else command
    return importlib.import_module(f"{__name__}.{module}").run(rest)
