"""Builds the native parts: every .pyx below skipjack/, in place or into a wheel.

SKIPJACK_DEBUG=1 adds checks of bounds, actions and NaN and the address sanitizer;
SKIPJACK_NATIVE=1 uses all of this machine's instructions (never for wheels).
"""

import os
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

debug = os.environ.get("SKIPJACK_DEBUG") == "1"
native = os.environ.get("SKIPJACK_NATIVE") == "1"
windows = sys.platform == "win32"

# Contraction into fused multiply-adds is off: a game's numbers are the same on every machine.
flags = ["/O2"] if windows else ["-O3", "-fno-math-errno", "-ffp-contract=off"]
links: list[str] = []
macros: list[tuple[str, str | None]] = []
if native and not windows:
    flags.append("-march=native")
if debug:
    macros.append(("SKIPJACK_DEBUG", "1"))
    if not windows:
        sanitize = ["-O1", "-g", "-fsanitize=address", "-fno-omit-frame-pointer"]
        flags, links = [*flags, *sanitize], ["-fsanitize=address"]


def extension(source: Path) -> Extension:
    """The extension module of one .pyx."""
    is_cpp = "language = c++" in source.read_text(encoding="utf-8").split("\n", 1)[0]
    return Extension(
        ".".join(source.with_suffix("").parts),
        [str(source)],
        include_dirs=["skipjack/native"],
        define_macros=macros,
        extra_compile_args=[*flags, *(["-std=c++17"] if is_cpp and not windows else [])],
        extra_link_args=[*links, *(["-pthread"] if is_cpp and not windows else [])],
        language="c++" if is_cpp else "c",
    )


class Build(build_ext):
    """Compiles on all cores and says what is missing when there is no compiler."""

    def build_extensions(self) -> None:
        """Build every extension, or explain why not."""
        self.parallel = self.parallel or os.cpu_count()
        try:
            super().build_extensions()
        except Exception as error:
            command = (getattr(self.compiler, "compiler", None) or ["cc"])[0]
            raise SystemExit(
                f"Skipjack's games must be compiled, but the C compiler {command!r} did not do it "
                f"({error}). Install one (Debian and Ubuntu: apt install build-essential python3-dev; "
                f"macOS: xcode-select --install) and run the same command again."
            ) from error


setup(
    cmdclass={"build_ext": Build},
    ext_modules=cythonize(
        [extension(source) for source in sorted(Path("skipjack").rglob("*.pyx"))],
        nthreads=0 if windows else (os.cpu_count() or 1),
        compiler_directives={
            "language_level": 3,
            "boundscheck": debug,
            "initializedcheck": debug,
            "wraparound": False,
            "cdivision": True,
            "embedsignature": True,
            "profile": False,
        },
    ),
)
