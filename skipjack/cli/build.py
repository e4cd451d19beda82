"""`skipjack build FOLDER`: compile a game of the user's own, in its folder."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Sequence
from pathlib import Path

from skipjack.errors import UsageError, unknown
from skipjack.games import own

FLAGS = ("--json", "-h", "--help")
USAGE = """usage: skipjack build FOLDER [--json]

Compiles a game of your own in its folder, for this machine; what has not changed is left as it is.
SKIPJACK_NATIVE=0 keeps to instructions that every machine has, SKIPJACK_DEBUG=1 checks every step."""


def run(arguments: Sequence[str]) -> int:
    """Build a game; nothing is written outside of its folder."""
    if "-h" in arguments or "--help" in arguments:
        print(USAGE)
        return 0
    strange = [each for each in arguments if each.startswith("-") and each not in FLAGS]
    if strange:
        raise unknown("flag", strange[0], FLAGS, see="skipjack build --help")
    named = [each for each in arguments if each not in FLAGS]
    if len(named) != 1:
        raise UsageError(
            f"skipjack build must be given one folder, but got {len(named)}: skipjack build ./harbour."
        )
    game, _ = own.resolve(named[0])
    folder = Path(game)
    package = own.package(folder)
    from skipjack.native import compiling

    start = time.perf_counter()
    built = compiling.build_game(folder, package)
    seconds = time.perf_counter() - start
    if "--json" in arguments:
        print(json.dumps({"game": game, "built": built, "seconds": round(seconds, 3)}))
    elif built:
        print(f"{game} is built: {', '.join(built)} in {seconds:.1f} s.")
        print(f"Next: python -m pytest {shlex.quote(game)}, skipjack train {shlex.quote(game)}")
    else:
        print(f"{game} is up to date.")
    return 0
