"""Names of ale-py's games: in any spelling, without importing ale-py."""

from __future__ import annotations

import importlib.util
import re
from functools import lru_cache
from pathlib import Path

from skipjack.errors import UsageError, missing, unknown

PREFIX = "atari:"

FOR_TWO = frozenset({"combat", "joust", "maze_craze", "warlords"})
"""Games in ale-py's folder that nobody can play alone: its emulator ends the process that loads one."""


@lru_cache
def games() -> list[str]:
    """Every game, as ale-py's files are called.

    Raises:
        MissingPackage: ale-py is not installed.
    """
    spec = importlib.util.find_spec("ale_py")
    if spec is None or spec.origin is None:
        raise missing("ale-py", "atari", "Atari")
    found = {path.stem for path in (Path(spec.origin).parent / "roms").glob("*.bin")}
    return sorted(found - FOR_TWO)


def resolve(name: str) -> str:
    """The game that a name means: beam_rider, BeamRider, beam-rider and "Beam Rider" are one.

    Raises:
        MissingPackage: ale-py is not installed.
        UsageError: there is no such game; near ones are named.
    """
    plain = {_plain(game): game for game in games()}
    if _plain(name) in map(_plain, FOR_TWO):
        raise UsageError(
            f"The Atari game {name!r} is for two people, and ale-py plays those for one."
        )
    if _plain(name) not in plain:
        raise unknown("Atari game", name, games(), see="skipjack list atari")
    return plain[_plain(name)]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
