"""`skipjack list`: environments and runs; `skipjack list atari`: its games."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from skipjack import registry
from skipjack.cli.saved import describe_runs
from skipjack.cli.table import chance, one_line, score
from skipjack.errors import unknown

FLAGS = ("--json", "-h", "--help")
USAGE = """usage: skipjack list [atari] [--json]

Lists the environments, and the runs in runs/; or the games of ale-py."""


def run(arguments: Sequence[str]) -> int:
    """Print names that other commands take."""
    if arguments and arguments[0] == "atari":
        return _atari(arguments[1:])
    for argument in arguments:
        if argument not in FLAGS:
            raise unknown("flag", argument, FLAGS, see="skipjack list --help")
    if "-h" in arguments or "--help" in arguments:
        print(USAGE)
        return 0
    environments: list[dict[str, Any]] = [
        {
            "name": name,
            "summary": registry.summary(name.partition("/")[0]),
            "baseline": (file := registry.baseline_file(name)) is not None and file.exists(),
        }
        for name in registry.names()
    ]
    runs = describe_runs(Path("runs"))
    if "--json" in arguments:
        print(json.dumps({"environments": environments, "runs": [asdict(found) for found in runs]}))
        return 0
    print("Environments")
    for row in environments:
        mark = "baseline" if row["baseline"] else ""
        summary = "" if "/" in row["name"] else row["summary"]
        print(f"  {row['name']:18} {mark:9} {summary}".rstrip())
    print("  atari:GAME for 104 Atari games (skipjack list atari)")
    print("  ./FOLDER for a game of your own (skipjack new-game)")
    print("  gymnasium:ID, pettingzoo:FAMILY.NAME or module:attribute for all others")
    print("\nRuns" if runs else "\nNo runs yet. Start one with: skipjack train breakout")
    for found in runs:
        random = "" if found.random_score is None else f", random {chance(found)}"
        print(
            f"  {one_line(found.run):20} {found.env or '?':18} {found.steps:>14,} steps"
            f" {found.seconds:9.1f} s   {found.state:8}   score {score(found)}{random}"
        )
    return 0


def _atari(arguments: Sequence[str]) -> int:
    """Print ale-py's games, with the scores that theirs are measured by."""
    from skipjack.atari import human, names

    for argument in arguments:
        if argument not in FLAGS:
            raise unknown("flag", argument, FLAGS, see="skipjack list --help")
    if "--json" in arguments:
        nobody = (None, None)
        rows = [
            {"name": f"atari:{game}", "random": random, "human": person}
            for game in names.games()
            for random, person in [human.SCORES.get(game, nobody)]
        ]
        print(json.dumps({"environments": rows}))
        return 0
    print(f"{'Atari games':28} {'random':>9} {'human':>9}")
    for game in names.games():
        known = "".join(f" {value:9.1f}" for value in human.SCORES.get(game, ()))
        print(f"  atari:{game:20}{known}".rstrip())
    print(
        "Each has the presets fast, which is taken without a word, lstm and standard: atari:pong/lstm."
    )
    return 0
