"""`skipjack new-game NAME`: a folder of the user's own with a game that works, to be changed.

The templates lie beside this page, a folder a kind and one for what all kinds share. `$name`, `$title` (its
class) and `$seats` are filled in; a line with `1|` or `2|` in front is for so many seats only.
"""

from __future__ import annotations

import importlib.machinery
import json
import keyword
import os
import re
import shlex
import shutil
import string
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from skipjack import registry
from skipjack.cli import flags
from skipjack.config import Choice
from skipjack.errors import UsageError, must
from skipjack.games.own import written

KINDS = {
    "grid": "cells that are walked on, choices",
    "board": "a board on which one seat moves at a time, masks of legal moves",
    "physics": "places and speeds, real numbers",
}
"""What a template may be of; the first is the default."""

TEMPLATES = Path(__file__).parent
SUFFIX = ".template"

IMPORTED = ("Actions", "Any", "Annotated", "EngineContract", "Layout", "Rules", "Serial", "Within")
"""Names that a game's Python files use: its class needs another one."""

OWN = ("env", "rules", "presets", "baselines", "setup", "build", "dist", "runs", "plays")
"""What a game's folder holds, or the folder around it: a game of that name would be taken for it."""


@dataclass(frozen=True, slots=True)
class NewGameFlags:
    """Flags of `skipjack new-game`."""

    grid: bool = False
    """A game on a grid, which is also what no flag gives."""
    board: bool = False
    """A board game: two seats take turns, one plays against random moves."""
    physics: bool = False
    """Places, speeds and real numbers as actions."""
    seats: Annotated[int, Choice(1, 2)] = 1
    """Seats of an env."""
    json: bool = False
    """End with a line of JSON on standard output."""


def run(arguments: Sequence[str]) -> int:
    """Write the folder and say what comes next."""
    asks = any(each in ("-h", "--help") for each in arguments)
    if not asks and (not arguments or arguments[0].startswith("-")):
        raise UsageError("A name must come first: skipjack new-game harbour --grid.")
    rest = arguments if asks else arguments[1:]
    words = "Write a folder with a small game that works, to be changed."
    own, _ = flags.parse(NewGameFlags, rest, "skipjack new-game NAME", words)
    chosen = [kind for kind in KINDS if getattr(own, kind)]
    if len(chosen) > 1:
        raise must("a game must be of one kind", hint="Leave out the others.", kinds=chosen)
    folder = Path(arguments[0])
    check_name(folder)
    files = write(folder, chosen[0] if chosen else next(iter(KINDS)), own.seats)
    game = written(folder)
    if own.json:
        print(json.dumps({"game": game, "files": files}))
        return 0
    print(f"{game} is there: {', '.join(files)}.\nNext:")
    for command in (f"build {shlex.quote(game)}", f"train {shlex.quote(game)}"):
        print(f"  skipjack {command}")
    return 0


def check_name(folder: Path) -> None:
    """Whether a game may be called as its folder, and the folder is free.

    Raises:
        UsageError: it may not.
    """
    name = folder.name
    if name in ("", ".."):
        raise must("a game must have a name, as in: skipjack new-game harbour", name=str(folder))
    if not re.fullmatch("[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise must(
            "a game's name must be one for a Python package, of small letters, digits and _, a letter first",
            hint=f"Try: skipjack new-game {shlex.quote(str(folder.with_name(suggested(name))))}.",
            name=name,
        )
    if os.path.lexists(folder):
        raise UsageError(
            f"The folder {written(folder)!r} must be new, but is there already. Nothing was written: "
            f"choose another name, or move it away."
        )
    taken = f"Try: skipjack new-game {shlex.quote(str(folder.with_name(f'my_{name}')))}."
    if name in registry.GAMES:
        raise UsageError(f"The name {name!r} must be free, but is one of Skipjack's games. {taken}")
    if name in OWN:
        raise UsageError(
            f"The name {name!r} must be free, but is that of a file or folder that belongs to a game or "
            f"lies beside it. {taken}"
        )
    if _is_importable(name) or title(name) in IMPORTED:
        raise UsageError(f"The name {name!r} must be free, but is a Python module's. {taken}")
    if not folder.absolute().parent.is_dir():
        raise must("the folder above a game must be there", folder=str(folder.parent))


def suggested(name: str) -> str:
    """The nearest name that is allowed."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain).lower()
    plain = re.sub("[^a-z0-9]+", "_", plain).strip("_")
    return plain if plain[:1].isalpha() and not keyword.iskeyword(plain) else f"game_{plain or 1}"


def title(name: str) -> str:
    """The name of a game's class."""
    return "".join(part.capitalize() for part in name.split("_"))


def write(folder: Path, kind: str, seats: int) -> list[str]:
    """Write a game of a kind; gives the files' names. The folder is there whole, or not at all.

    Raises:
        OSError: the disk refuses.
    """
    words = {"name": folder.name, "title": title(folder.name), "seats": str(seats)}
    names = {
        "gitignore": ".gitignore",
        "default.toml": "presets/default.toml",
        "test.py": f"test_{folder.name}.py",
    }
    texts = {}
    for part in ("shared", kind):
        for path in sorted((TEMPLATES / part).glob(f"*{SUFFIX}")):
            name = path.name.removesuffix(SUFFIX)
            text = path.read_text(encoding="utf-8")
            texts[names.get(name, name)] = filled(text, words)
    begun = folder.with_name(f".{folder.name}.begun")
    shutil.rmtree(begun, ignore_errors=True)
    try:
        (begun / "presets").mkdir(parents=True)
        for name, text in texts.items():
            (begun / name).write_text(text, encoding="utf-8")
        begun.rename(folder)
    finally:
        shutil.rmtree(begun, ignore_errors=True)
    return sorted(texts)


def filled(text: str, words: dict[str, str]) -> str:
    """A template's text for one game."""
    kept = []
    for line in text.splitlines(keepends=True):
        if line[:2] in ("1|", "2|"):
            if line[0] != words["seats"]:
                continue
            line = line[2:]
        kept.append(line)
    return string.Template("".join(kept)).substitute(words)


def _is_importable(name: str) -> bool:
    """Whether Python has a module of that name, the present folder aside."""
    path = [each for each in sys.path if each not in ("", os.getcwd())]
    found = importlib.machinery.PathFinder.find_spec(name, path)
    own = found is not None and found.origin is not None
    return own or name in sys.stdlib_module_names
