"""What the native parts were built from: a warning when a source is newer than its binary."""

from __future__ import annotations

import hashlib
import os
import shlex
import sys
import sysconfig
import warnings
from pathlib import Path

ROOT = Path(__file__).parent.parent
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX") or ".so"


def state() -> tuple[list[str], list[str]]:
    """Names of Skipjack's native modules that are not built, and of those older than their source."""
    missing, stale = [], []
    for source in sorted(ROOT.rglob("*.pyx")):
        binary = source.with_name(source.stem + SUFFIX)
        name = ".".join(source.relative_to(ROOT.parent).with_suffix("").parts)
        if not binary.exists():
            missing.append(name)
        elif _is_stale(source, binary):
            stale.append(name)
    return missing, stale


def digest(module: str) -> bytes:
    """Eight bytes that change with the source of a game or of the kernel.

    Envs saved under other rules have the same size but another future: they must not be loaded.
    """
    hashed = hashlib.blake2b(digest_size=8)
    # A game may lie in several files: all those beside its rules are part of them.
    for folder in (_source(module).parent, ROOT / "native"):
        for source in sorted(folder.glob("*.p[xy][dx]")):
            hashed.update(source.read_bytes())
    return hashed.digest()


def warn_if_stale(module: str) -> None:
    """Warn, once a process, if a native module is older than the .pyx beside it."""
    source = _source(module)
    binary = Path(sys.modules[module].__file__ or "")
    if source.exists() and _is_stale(source, binary):
        warnings.warn(
            f"{source.name} of {module} is newer than what was built from it. {remedy(module)}",
            stacklevel=4,
        )


def remedy(module: str) -> str:
    """How a loaded native module is built again, as a sentence: Skipjack's, or a game of the user's own."""
    folder = _source(module).parent
    if module.startswith("skipjack."):
        command = "pip install -e . (or python setup.py build_ext --inplace)"
    elif (folder / "pyproject.toml").exists():
        command = f"skipjack build {shlex.quote(os.path.relpath(folder))}"
    else:
        return f"Install the package of {module} again."
    return f"Build it again with: {command}."


def _source(module: str) -> Path:
    """The .pyx that lies beside a loaded native module."""
    binary = Path(sys.modules[module].__file__ or "")
    return binary.with_name(binary.name.split(".", 1)[0] + ".pyx")


def _is_stale(source: Path, binary: Path) -> bool:
    return source.stat().st_mtime > binary.stat().st_mtime + 1.0
