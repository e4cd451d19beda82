"""What a package manager gets: sources, headers and presets in the wheel; words without a compiler."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
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


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel from the tree as it is built here."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "copy"
    ignore = shutil.ignore_patterns(".git", ".venv*", "runs", "build", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, copy, ignore=ignore)
    weights = copy / "skipjack/games/pong/baselines/trial.safetensors"
    weights.parent.mkdir(exist_ok=True)
    weights.write_bytes(b"as if trained")
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", "bdist_wheel", "-d", str(folder)],
        cwd=copy, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    shutil.rmtree(copy)
    return next(folder.glob("*.whl"))


def test_wheel_holds_headers_presets_and_binaries(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for name in (
        "skipjack/native/kernel.pxd", "skipjack/native/pool.hpp", "skipjack/py.typed",
        "skipjack/games/pong/baselines/trial.safetensors", "skipjack/games/pong/presets/lstm.toml",
        "skipjack/games/pong/rules.pyx", "skipjack/cli/new_game/shared/gitignore.template",
        "skipjack/cli/new_game/board/rules.pyx.template",
        f"skipjack/games/pong/rules{sysconfig.get_config_var('EXT_SUFFIX')}",
    ):  # fmt: skip
        assert name in names, name
    assert not [name for name in names if name.endswith((".c", ".cpp")) or name.startswith("tests")]


class Home:
    """An environment into which the wheel alone was installed, and a folder of its user's.

    What Skipjack depends on is taken from the environment of the tests, behind its own packages.
    """

    def __init__(self, folder: Path, wheel: Path) -> None:
        venv.create(folder / "venv", symlinks=os.name != "nt", with_pip=False)
        base = str(folder / "venv")
        paths = sysconfig.get_paths(
            "venv", {"base": base, "platbase": base, "installed_base": base}
        )
        self.scripts, self.packages = Path(paths["scripts"]), Path(paths["purelib"])
        behind = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        (self.packages / "behind.pth").write_text("\n".join(sorted(behind)))
        self.work = folder / "work"
        self.work.mkdir()
        self.pip("--no-index", str(wheel))

    def pip(self, *what: str) -> None:
        """Install something, without asking for what it depends on."""
        self.run("-m", "pip", "-q", "install", "--no-deps", "--force-reinstall", *what)

    def run(self, *command: str, cwd: Path | None = None) -> str:
        """Run its Python, as outside of every checkout; gives standard output."""
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        done = subprocess.run(
            [self.scripts / "python", *command],
            cwd=cwd or self.work, capture_output=True, text=True, env=environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def skipjack(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run the command that the wheel installed; gives standard output."""
        return self.run(str(self.scripts / "skipjack"), *arguments, cwd=cwd)

    def installed(self) -> dict[str, tuple[int, int]]:
        """Size and time of every file of the installed package; what Python caches aside."""
        return {
            str(path): (path.stat().st_size, path.stat().st_mtime_ns)
            for path in self.packages.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }


@pytest.mark.skipif(os.name == "nt", reason="scripts are programs there")
def test_a_game_of_ones_own_needs_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    """Made, built, tested, trained; then packaged with pip and found by its name."""
    home = Home(tmp_path, wheel)
    place = home.run("-c", "import skipjack; print(skipjack.__file__)").strip()
    assert Path(place).is_relative_to(home.packages)
    before = home.installed()
    home.skipjack("new-game", "harbour", "--board", "--seats", "2")
    assert "./harbour is built" in home.skipjack("build", "./harbour")
    assert home.skipjack("build", "./harbour") == "./harbour is up to date.\n"
    assert home.installed() == before
    assert " passed" in home.run("-m", "pytest", "-q", "harbour")
    train = ["--train.steps", "2000", "--vector.num-envs", "16", "--policy.hidden", "8", "--json"]
    row = json.loads(home.skipjack("train", "./harbour", *train).splitlines()[-1])
    assert (row["env"], row["run"]) == ("./harbour", "runs/harbour-1")
    assert home.installed() == before

    home.pip("--no-index", "--no-build-isolation", "./harbour")
    away = tmp_path / "away"
    away.mkdir()
    assert "  harbour " in home.skipjack("list", cwd=away).replace("\n", " \n")
    row = json.loads(home.skipjack("train", "harbour", *train, cwd=away).splitlines()[-1])
    assert (row["env"], row["run"]) == ("harbour", "runs/harbour-1")
