"""What a package manager gets: sources, headers and presets in the wheel; words without a compiler."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    """The tracked files alone, without anything built."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    target = tmp_path / "clean"
    for name in listed.splitlines():
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    return target


def test_no_compiler_is_one_clear_sentence(clean: Path) -> None:
    """Found as setuptools would: the compiler that CC names is not there."""
    environment = os.environ | {"CC": "no-such-compiler", "CXX": "no-such-compiler"}
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--inplace"],
        cwd=clean, capture_output=True, text=True, env=environment,
    )  # fmt: skip
    assert done.returncode != 0
    words = "Skipjack's games must be compiled, but the C compiler 'no-such-compiler' did not do it"
    assert words in done.stderr
    assert "apt install build-essential" in done.stderr
    assert "Traceback" not in done.stderr.split(words)[1]


def test_sdist_holds_everything_that_a_build_needs(clean: Path, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "setup.py", "-q", "sdist", "-d", str(tmp_path)],
        cwd=clean, check=True, capture_output=True,
    )  # fmt: skip
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    package = {str(p.relative_to(clean)) for p in (clean / "skipjack").rglob("*") if p.is_file()}
    assert package <= names
    assert {"setup.py", "pyproject.toml", "README.md", "LICENSE"} <= names


def test_wheel_holds_headers_presets_and_binaries(tmp_path: Path) -> None:
    """From the tree as it is built here."""
    copy = tmp_path / "copy"
    ignore = shutil.ignore_patterns(".git", ".venv*", "runs", "build", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, copy, ignore=ignore)
    weights = copy / "skipjack/games/pong/baselines/trial.safetensors"
    weights.parent.mkdir(exist_ok=True)
    weights.write_bytes(b"as if trained")
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", "bdist_wheel", "-d", str(tmp_path)],
        cwd=copy, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as archive:
        names = set(archive.namelist())
    for name in (
        "skipjack/native/kernel.pxd", "skipjack/native/pool.hpp", "skipjack/py.typed",
        "skipjack/games/pong/baselines/trial.safetensors", "skipjack/games/pong/presets/lstm.toml",
        "skipjack/games/pong/rules.pyx",
        f"skipjack/games/pong/rules{sysconfig.get_config_var('EXT_SUFFIX')}",
    ):  # fmt: skip
        assert name in names, name
    assert not [name for name in names if name.endswith((".c", ".cpp")) or name.startswith("tests")]
