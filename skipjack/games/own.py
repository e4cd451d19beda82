"""Games in a folder of the user's own: `./harbour`, and `./harbour/fast` for its preset.

The folder is a package as `skipjack new-game` writes it. Its pyproject.toml says, for pip as for this page,
what makes its engines; it needs no installation.
"""

from __future__ import annotations

import dataclasses
import importlib.machinery
import importlib.util
import os
import shlex
import sys
import tomllib
from pathlib import Path
from typing import Any

from skipjack import registry
from skipjack.errors import UsageError, clause, unknown
from skipjack.native.build import SUFFIX

PROJECT = "pyproject.toml"


def resolve(name: str) -> tuple[str, str]:
    """The folder and the variant that a name means, the folder as seen from the present one.

    Raises:
        UsageError: there is no game.
    """
    path = Path(os.path.abspath(name))
    if _target(path):
        return written(path), "default"
    if not path.is_dir() and _target(path.parent):
        return written(path.parent), path.name
    if path.is_dir():
        raise UsageError(
            f"The folder {name!r} must hold a game, but its {PROJECT} names none under "
            f"{registry.ENTRY_POINTS!r}. See how in a game that is made with: skipjack new-game NAME."
        )
    near = [
        written(each.parent)
        for each in path.parent.glob(f"*/{PROJECT}")
        if registry.ENTRY_POINTS in each.read_text(encoding="utf-8", errors="replace")
    ]
    error = unknown("folder", name, near)
    raise UsageError(f"{error} Make one with: skipjack new-game {path.name}.")


def written(folder: Path) -> str:
    """A folder as users write it: from the present one on if it lies below, else whole."""
    here, folder = Path(os.path.abspath(".")), Path(os.path.abspath(folder))
    if folder == here or not folder.is_relative_to(here):
        return "." if folder == here else str(folder)
    return os.path.join(".", folder.relative_to(here))


def package(folder: Path) -> str:
    """The name of a game's package.

    Raises:
        UsageError: the folder is called otherwise, so that its modules cannot import each other.
    """
    name = _target(folder).partition(":")[0].partition(".")[0]
    actual = Path(os.path.abspath(folder)).name
    if name != actual:
        raise UsageError(
            f"The folder of a game must be called as its package, {name!r}, but is called {actual!r}. "
            f"Rename it, or change the name in its {PROJECT} and its imports."
        )
    return name


def load(game: str) -> Any:
    """The engine class of a game in a folder.

    Raises:
        UsageError: it is not built, its binary is of another Skipjack, or it cannot be imported.
    """
    folder = Path(os.path.abspath(game))
    name, command = package(folder), f"skipjack build {shlex.quote(game)}"
    for source in folder.glob("*.pyx"):
        binary = source.with_name(source.stem + SUFFIX)
        if not binary.exists():
            raise UsageError(
                f"The game {game!r} must be built before it is used, but {binary.name} is not there. "
                f"Build it with: {command}."
            )
    _import(name, folder)
    hint = f"Build it again with: {command}."
    found = registry.attribute(_target(folder), "environment", hint)
    if not dataclasses.is_dataclass(getattr(found, "Config", None)):
        raise UsageError(
            f"The environment {game!r} must be an engine class with a dataclass of its settings as "
            f"Config, but {_target(folder)!r} is none."
        )
    return found


def _import(name: str, folder: Path) -> None:
    """Import a folder as the package `name`, whatever else of that name could be imported."""
    if name in sys.modules:
        found = [os.path.abspath(each) for each in getattr(sys.modules[name], "__path__", [])]
        if str(folder) not in found:
            raise UsageError(
                f"The game in {str(folder)!r} must have a name of its own, but another module "
                f"{name!r} is in use. Use one at a time, or rename it."
            )
        return
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a user's module does when it is read
        del sys.modules[name]
        raise UsageError(
            f"The game in {str(folder)!r} must be importable, but its __init__.py raised "
            f"{type(error).__name__}: {clause(error)}."
        ) from error


def _target(folder: Path) -> str:
    """What makes a folder's engines, as `package.module:Class`; empty if it holds no game.

    Raises:
        UsageError: its pyproject.toml cannot be read.
    """
    path = folder / PROJECT
    if not path.is_file():
        return ""
    try:
        text = tomllib.loads(path.read_text(encoding="utf-8"))
        points = text["project"]["entry-points"][registry.ENTRY_POINTS]
        return str(next(iter(points.values())))
    except (KeyError, TypeError, AttributeError, StopIteration):
        return ""
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{written(path)!r} must be a file in TOML, but {clause(error)}. Mend it."
        ) from error
