"""`skipjack config show ENV`: each setting, its value and where it came from; `diff A B`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from skipjack import config as settings
from skipjack.cli import flags
from skipjack.errors import UsageError, unknown
from skipjack.run.config import configure, edges

USAGE = """usage: skipjack config show ENV [any flag of skipjack train] [--json]
       skipjack config diff A B [--json]    each a run, a TOML file or an environment
"""


@dataclass(frozen=True, slots=True)
class ConfigFlags:
    """Flags of `skipjack config show` beside the settings."""

    config: str = ""
    """TOML file with settings."""
    json: bool = False
    """Print JSON."""


def run(arguments: Sequence[str]) -> int:
    """Show the settings of a training, or what differs between two."""
    if arguments and arguments[0] in ("-h", "--help"):
        print(USAGE)
        return 0
    if not arguments:
        raise UsageError(
            "skipjack config must be told what to do, as in: skipjack config show pong."
        )
    command, *rest = arguments
    if command == "show":
        return show(rest)
    if command == "diff":
        from skipjack.cli import diff

        return diff.run(rest, "skipjack config diff")
    raise unknown("config command", command, ["show", "diff"], see="skipjack config --help")


def show(arguments: Sequence[str]) -> int:
    """Print the settings that `skipjack train` would use with the same flags."""
    name, own, chosen = flags.with_settings(
        ConfigFlags, arguments, "skipjack config show ENV", "Show every setting."
    )
    found = configure(name, file=flags.path_or_none(own.config), flags=chosen)
    values, near = settings.flatten(found.config), edges(found)
    if own.json:
        rows = {key: {"value": values[key], "from": found.provenance[key]} for key in values}
        for key, where in near.items():
            rows[key]["edge"] = where
        print(json.dumps({"env": found.entry.full_name, "settings": rows}))
        return 0
    section = ""
    for key, value in values.items():
        head, _, leaf = key.rpartition(".")
        if head != section:
            section = head
            print(f"\n[{section}]")
        note = ", ".join(filter(None, [found.provenance[key], near.get(key)]))
        print(f"{f'{leaf} = {json.dumps(value)}':40} # {note}")
    return 0
