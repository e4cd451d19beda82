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

ROOMS = [
    ["__main__"],
    ["cli"],
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
    """Modules of Skipjack that a file imports, wherever in the file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return set(re.findall(r"^\s*(?:from|cimport|import) (skipjack[\w.]*)", text, re.M))
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("skipjack"):
            if node.module == "skipjack":
                found |= {f"skipjack.{alias.name}" for alias in node.names}
            else:
                found.add(str(node.module))
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("skipjack")}
    return {name for name in found if name not in ("skipjack", "skipjack.__version__")}


@pytest.mark.parametrize(
    "path", [*SOURCES, *sorted(PACKAGE.rglob("*.pyx"))], ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_imports_go_downwards(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py").removesuffix(".pyx")
    if own == "__init__":
        return  # the lazy front door names every room
    for module in imports(path):
        room = room_of(module)
        if room not in ("", own):
            assert level(own) < level(room), f"{own} must not import {module}"


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
    "path", sorted(PACKAGE.rglob("*.pyx")), ids=lambda p: str(p.relative_to(PACKAGE))
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
    assert folders - tested <= {"testing"}, "the suites of `testing` run in the other folders"


def test_nothing_is_generated_into_git() -> None:
    done = subprocess.run(
        ["git", "ls-files", "*.c", "*.cpp", "*.so", "*.pyc", "runs"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stdout == ""
