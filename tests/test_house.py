"""The house: imports go one way, files and functions stay small, public names are documented."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "skipjack"
SOURCES = sorted(PACKAGE.rglob("*.py"))
NATIVE = sorted([*PACKAGE.rglob("*.pyx"), *PACKAGE.rglob("*.pxd")])

ROOMS = [
    ["__main__"],
    ["cli", "gym"],
    ["testing"],
    ["sweep", "view", "bench"],
    ["run"],
    ["evaluate"],
    ["train", "arena"],
    ["policies"],
    ["vector"],
    ["emulate", "games", "atari"],
    ["native"],
    ["folders"],
    ["report", "checkpoint"],
    ["baseline"],
    ["rows"],
    ["spaces"],
    ["seeding", "registry", "config"],
    ["errors"],
]
"""From the top down; a room imports only from lines below its own."""

LONG = {"skipjack/config.py": "reading, checking and writing settings is one idea and hard to part"}
"""Python files past 400 lines, each with its reason."""


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def level(room: str) -> int:
    return next(i for i, rooms in enumerate(ROOMS) if room in rooms)


def imports(path: Path) -> set[str]:
    """What a file imports or cimports, wherever in it, by full name; "." for a relative import."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        found = set()
        for names in re.findall(r"^[ \t]*c?import[ \t]+(.+)", text, re.M):
            found |= {name.split()[0] for name in names.split(",")}
        for module, names in re.findall(
            r"^[ \t]*from[ \t]+([\w.]+)[ \t]+c?import[ \t]+([\w, \t(]+)", text, re.M
        ):
            found |= _members(module, re.findall(r"\w+", names))
        return found
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            module = "." if node.level else str(node.module)
            found |= _members(module, [alias.name for alias in node.names])
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def _members(module: str, names: list[str]) -> set[str]:
    """The front door's names are rooms; a path of dots, whatever follows, is relative."""
    if module.startswith("."):
        return {"."}
    return {f"skipjack.{name}" for name in names} if module == "skipjack" else {module}


@pytest.mark.parametrize("path", [*SOURCES, *NATIVE], ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_downwards(path: Path) -> None:
    """By full names alone: relative ones would hide where they lead."""
    found = imports(path)
    assert "." not in found, "import from skipjack.room instead"
    own = path.relative_to(PACKAGE).parts[0].split(".")[0]
    if own == "__init__":
        return  # the lazy front door names every room
    for module in found - {"skipjack.__version__"}:
        room = room_of(module)
        if module.startswith("skipjack.") and room != own:
            assert level(own) < level(room), f"{own} must not import {module}"


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.py", "def f():\n    from ..run import x", "."),
        ("a.py", "from . import x", "."),
        ("a.py", "from skipjack import run", "skipjack.run"),
        ("a.py", "import numpy, skipjack.run.run", "skipjack.run.run"),
        ("a.pyx", "from .rules cimport Game", "."),
        ("a.pxd", "from . cimport rules", "."),
        ("a.pxd", "cimport skipjack.native.kernel as k", "skipjack.native.kernel"),
        ("a.pyx", "    from skipjack.run import run", "skipjack.run"),
        ("a.pyx", "from skipjack import (run, x)", "skipjack.run"),
        ("a.pyx", "import numpy as np, skipjack.run as r", "skipjack.run"),
    ],
)
def test_every_way_to_import_is_seen(tmp_path: Path, name: str, text: str, found: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert found in imports(path)


def functions(path: Path) -> list[ast.FunctionDef]:
    return [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_and_functions_stay_small(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 400 or str(path.relative_to(ROOT)) in LONG, f"{lines} lines"
    for function in functions(path):
        size = (function.end_lineno or 0) - function.lineno + 1
        assert size <= 75, f"{function.name} has {size} lines"


@pytest.mark.parametrize(
    "path",
    [path for path in NATIVE if path.suffix == ".pyx"],
    ids=lambda p: str(p.relative_to(PACKAGE)),
)
def test_native_files_stay_small_and_ask_no_libc_for_chance(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 450
    assert not re.search(r"\brand\(|\bsrand\(|\bexit\(|\bprintf\(", text)
    assert text.removeprefix("# distutils: language = c++\n").startswith('"""')


def public(tree: ast.Module) -> list[ast.FunctionDef | ast.ClassDef]:
    """Public functions, classes and their public methods."""
    found: list[ast.FunctionDef | ast.ClassDef] = []
    for node in tree.body:
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.name.startswith("_"):
            continue
        found.append(node)
        if isinstance(node, ast.ClassDef):
            found += [
                method
                for method in node.body
                if isinstance(method, ast.FunctionDef) and not method.name.startswith("_")
            ]
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_public_names_have_docstrings_and_annotations(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module needs a docstring"
    for node in public(tree):
        assert ast.get_docstring(node), f"{node.name} needs a docstring"
        if isinstance(node, ast.FunctionDef):
            arguments = [*node.args.args, *node.args.kwonlyargs]
            bare = [a.arg for a in arguments if not a.annotation and a.arg not in ("self", "cls")]
            assert not bare, f"{node.name} needs annotations for {bare}"
            assert node.returns is not None, f"{node.name} needs a return annotation"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_type_checks_are_not_switched_off(path: Path) -> None:
    assert "type: ignore" not in path.read_text(encoding="utf-8")


def test_readme_shows_the_tree_that_is_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    tree = readme.split("```text\nskipjack/\n", 1)[1].split("```", 1)[0]
    shown = {line.split()[0].rstrip("/") for line in tree.splitlines() if re.match(r"  \w", line)}
    there = {
        path.name
        for path in PACKAGE.iterdir()
        if path.name not in ("__pycache__", "py.typed") and (path.suffix == ".py" or path.is_dir())
    }
    assert shown == there, shown ^ there


def test_tests_mirror_the_package() -> None:
    folders = {p.name for p in PACKAGE.iterdir() if p.is_dir() and p.name != "__pycache__"}
    tested = {p.name for p in (ROOT / "tests").iterdir() if p.is_dir()}
    assert folders <= tested, folders - tested


def test_nothing_is_generated_into_git() -> None:
    done = subprocess.run(
        ["git", "ls-files", "*.c", "*.cpp", "*.so", "*.pyc", "runs"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stdout == ""
