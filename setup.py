"""Builds the native parts: every .pyx below skipjack/, in place or into a wheel.

SKIPJACK_DEBUG=1 adds checks of bounds, actions and NaN and the address sanitizer;
SKIPJACK_NATIVE=1 uses all of this machine's instructions (never for wheels).
"""

import os
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import setup
from setuptools.command.build_ext import build_ext

sys.path.insert(0, str(Path(__file__).parent))  # an isolated build does not look here by itself
from skipjack.native import compiling as native


class Build(build_ext):
    """Compiles on all cores and says what is missing when there is no compiler."""

    def build_extensions(self) -> None:
        """Build every extension, or explain why not."""
        self.parallel = self.parallel or os.cpu_count()
        try:
            super().build_extensions()
        except Exception as error:
            raise SystemExit(native.failed("Skipjack's games", self.compiler, error)) from error


setup(
    cmdclass={"build_ext": Build},
    ext_modules=cythonize(
        [
            native.extension(".".join(source.with_suffix("").parts), source, native.is_native("0"))
            for source in sorted(Path("skipjack").rglob("*.pyx"))
        ],
        nthreads=0 if native.WINDOWS else (os.cpu_count() or 1),
        compiler_directives=native.directives(),
    ),
)
