"""How native code is compiled: flags in one place, and a game of the user's own in its folder.

`setup.py` builds Skipjack with these flags, `skipjack build` a game in place, and a game's own `setup.py`
its wheel. Cython and setuptools load when something is built: an installed Skipjack lacks them perhaps.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from skipjack.errors import RunError, UsageError, clause, missing, must
from skipjack.native import get_include
from skipjack.native.build import ROOT, SUFFIX

WINDOWS = sys.platform == "win32"

INSTALL = (
    "Debian and Ubuntu: apt install build-essential python3-dev; macOS: xcode-select --install"
)
"""What brings a C compiler and Python's headers."""


def is_native(default: str) -> bool:
    """Whether to use all of this machine's instructions: SKIPJACK_NATIVE, or "0" or "1" without it."""
    return os.environ.get("SKIPJACK_NATIVE", default) == "1"


def flags(native: bool) -> dict[str, list[Any]]:
    """What the compiler is told, as setuptools' `Extension` takes it.

    Contraction into fused multiply-adds is off: a game's numbers are the same on every machine.
    SKIPJACK_DEBUG=1 adds checks of bounds, actions and NaN and the address sanitizer.
    """
    debug = _is_debug()
    compile_args = ["/O2"] if WINDOWS else ["-O3", "-fno-math-errno", "-ffp-contract=off"]
    link_args: list[str] = []
    if native and not WINDOWS:
        is_arm = platform.machine().lower() in ("arm64", "aarch64")
        compile_args.append("-mcpu=native" if is_arm else "-march=native")
    if debug and not WINDOWS:
        compile_args += ["-O1", "-g", "-fsanitize=address", "-fno-omit-frame-pointer"]
        link_args.append("-fsanitize=address")
    macros = [("SKIPJACK_DEBUG", "1")] if debug else []
    return {
        "define_macros": macros,
        "extra_compile_args": compile_args,
        "extra_link_args": link_args,
    }


def directives() -> dict[str, Any]:
    """What Cython is told of every native source."""
    return {
        "language_level": 3,
        "boundscheck": _is_debug(),
        "initializedcheck": _is_debug(),
        "wraparound": False,
        "cdivision": True,
        "embedsignature": True,
        "profile": False,
    }


def extension(name: str, source: Path, native: bool) -> Any:
    """The extension module of one .pyx."""
    from setuptools import Extension

    told = flags(native)
    is_cpp = "language = c++" in source.read_text(encoding="utf-8").split("\n", 1)[0]
    if is_cpp and not WINDOWS:
        told["extra_compile_args"].append("-std=c++17")
        told["extra_link_args"].append("-pthread")
    headers = [str(ROOT / "native")]
    language = "c++" if is_cpp else "c"
    return Extension(name, [str(source)], include_dirs=headers, language=language, **told)


def extensions(package: str) -> list[Any]:
    """The modules of a game's package whose folder is the present one, for its own setup.py."""
    from Cython.Build import cythonize

    sources = sorted(Path().glob("*.pyx"))
    modules = [extension(f"{package}.{each.stem}", each, is_native("0")) for each in sources]
    return cythonize(
        modules, include_path=[get_include()], build_dir="build", compiler_directives=directives()
    )


def failed(what: str, compiler: Any, error: BaseException) -> str:
    """The sentence for a compiler that is not there or did not do it.

    Args:
        what: what must be compiled, in words.
        compiler: setuptools', or None.
        error: what came of it.
    """
    command = (getattr(compiler, "compiler", None) or ["cc"])[0]
    return (
        f"{what} must be compiled, but the C compiler {command!r} did not do it ({clause(error)}). "
        f"Install one ({INSTALL}) and run the same command again."
    )


def build_game(folder: Path, package: str) -> list[str]:
    """Compile what has changed of a game in its folder; gives the names of the modules compiled.

    A binary belongs to its source, to the kernel's declarations, to Cython and to the flags: a digest of all
    of them lies in `folder/build`. A new binary takes the old one's place, which a run may still use.

    Raises:
        MissingPackage: Cython or setuptools is not installed.
        UsageError: there is nothing to compile, or Cython refuses a source.
        RunError: there is no compiler, or it fails.
    """
    try:
        import Cython
        import setuptools  # noqa: F401
    except ImportError as error:
        raise missing(str(error.name), "build", "Building a game") from error
    _check_kernel()
    folder = folder.absolute()
    sources = sorted(folder.glob("*.pyx"))
    if not sources:
        raise must("a game's folder must hold its rules in .pyx files", folder=str(folder))
    stamps = folder / "build" / f"stamps{SUFFIX}.json"
    known = _read(stamps)
    compiled = []
    for source in sources:
        binary = source.with_name(source.stem + SUFFIX)
        stamp = _stamp(source, str(Cython.__version__))
        if binary.exists() and known.get(source.name) == stamp:
            if source.stat().st_mtime > binary.stat().st_mtime:
                os.utime(binary)  # the source was touched, not changed: no warning that it is newer
            continue
        _compile(source, f"{package}.{source.stem}", binary)
        known[source.name] = stamp
        stamps.write_text(json.dumps(known, indent=1), encoding="utf-8")
        compiled.append(source.stem)
    return compiled


def _compile(source: Path, name: str, binary: Path) -> None:
    from Cython.Build import cythonize
    from Cython.Compiler.Errors import CompileError
    from setuptools import Distribution
    from setuptools.command.build_ext import build_ext

    place = source.parent / "build"
    # Where Cython puts the C; it makes a folder of one name once a process only.
    (place / source.parent.relative_to(source.anchor)).mkdir(parents=True, exist_ok=True)
    module = extension(name, source, is_native("1"))
    # What compilers say of Cython's own code is nobody's business here; Cython warns of the user's.
    module.extra_compile_args.append("/w" if WINDOWS else "-w")
    try:
        modules = cythonize(
            [module], include_path=[get_include()], build_dir=str(place), force=True, quiet=True,
            compiler_directives=directives(),
        )  # fmt: skip
    except CompileError as error:
        raise UsageError(
            f"{source.name} must be valid Cython, but is not: the lines above say where. Mend it and "
            f"run the same command again."
        ) from error
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        raise RunError(f"Python's headers must be there, but Python.h is not. Install: {INSTALL}.")
    command = build_ext(Distribution({"name": name.partition(".")[0], "ext_modules": modules}))
    command.build_lib = command.build_temp = str(place)
    command.ensure_finalized()
    try:
        command.run()
    except Exception as error:  # setuptools has had several kinds for it
        compiler = getattr(command, "compiler", None)
        raise RunError(failed(source.name, compiler, error)) from error
    shutil.copy(command.get_ext_fullpath(name), fresh := binary.with_suffix(".new"))
    os.replace(fresh, binary)


def _stamp(source: Path, cython: str) -> str:
    """A digest of everything that a binary depends on."""
    hashed = hashlib.blake2b(digest_size=16)
    for file in (source, *_included(source.parent), *sorted((ROOT / "native").glob("*.[ph]*"))):
        if file.suffix != ".py":
            hashed.update(file.read_bytes())
    native = is_native("1")
    machine = [platform.machine(), platform.node()] if native else []
    told = [flags(native), directives(), cython, sys.version, *machine]
    hashed.update(json.dumps(told, sort_keys=True).encode())
    return hashed.hexdigest()


def _included(folder: Path) -> Iterable[Path]:
    """Files of a game that its sources may include."""
    return sorted(each for end in ("pxd", "pxi", "h", "hpp") for each in folder.glob(f"*.{end}"))


def _check_kernel() -> None:
    """Whether the kernel that runs is the one that the declarations shipped with it describe.

    Raises:
        RunError: it is another: a game built on them would be refused.
    """
    from skipjack.native.kernel import abi

    text = (ROOT / "native" / "kernel.pxd").read_text(encoding="utf-8")
    found = re.search(r"^ +ABI = (\d+)$", text, re.M)
    declared = int(found[1]) if found else None
    if declared != abi:
        raise RunError(
            f"The kernel must be the one that kernel.pxd declares, ABI {declared}, but the one that is "
            f"built has {abi}. Install Skipjack again."
        )


def _read(path: Path) -> dict[str, str]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _is_debug() -> bool:
    return os.environ.get("SKIPJACK_DEBUG") == "1"
