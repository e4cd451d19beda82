"""`skipjack config show ENV`: each setting, its value and where it came from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from skipjack import config as settings
from skipjack.cli import flags
from skipjack.errors import UsageError, unknown
from skipjack.run.config import configure


@dataclass(frozen=True, slots=True)
class ConfigFlags:
    """Flags of `skipjack config show` beside the settings."""

    config: str = ""
    """TOML file with settings."""
    json: bool = False
    """Print JSON."""


def run(arguments: Sequence[str]) -> int:
    """Print the settings that `skipjack train` would use with the same flags."""
    if arguments and arguments[0] in ("-h", "--help"):
        print("usage: skipjack config show ENV [any flag of skipjack train] [--json]")
        return 0
    if not arguments:
        raise UsageError(
            "skipjack config must be told what to do, as in: skipjack config show pong."
        )
    if arguments[0] != "show":
        raise unknown("config command", arguments[0], ["show"], see="skipjack config --help")
    name, rest = flags.subject(arguments[1:], "skipjack config show ENV")
    first = configure(name or "breakout")
    own, chosen = flags.parse(
        ConfigFlags, rest, "skipjack config show ENV", "Show every setting.", first.config
    )
    found = configure(name, file=flags.path_or_none(own.config), flags=chosen)
    values = settings.flatten(found.config)
    if own.json:
        rows = {key: {"value": values[key], "from": found.provenance[key]} for key in values}
        print(json.dumps({"env": found.entry.full_name, "settings": rows}))
        return 0
    section = ""
    for key, value in values.items():
        head, _, leaf = key.rpartition(".")
        if head != section:
            section = head
            print(f"\n[{section}]")
        print(f"{f'{leaf} = {json.dumps(value)}':40} # {found.provenance[key]}")
    return 0
