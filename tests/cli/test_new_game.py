"""`skipjack new-game` and `skipjack build`: games in folders of the user's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from skipjack import registry
from skipjack.cli import new_game
from skipjack.errors import UsageError
from skipjack.games import own
from skipjack.native import build, compiling
from skipjack.native.scene import Scene
from skipjack.view import session, window
from skipjack.view.screen import Input
from tests.cli.conftest import TINY, Call, sentence
from tests.view.screens import Script

ROOT = Path(__file__).parents[2]
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What was imported from a game's folder does not outlive its test."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("harbour", "renamed"):
            del sys.modules[name]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A game as generated and built, to be copied."""
    folder = tmp_path_factory.mktemp("built") / "harbour"
    new_game.write(folder, "grid", 1)
    assert compiling.build_game(folder, "harbour") == ["rules"]
    return folder


@pytest.fixture
def harbour(built: Path, tmp_path: Path) -> Path:
    """The built game in the present folder of `call`."""
    return Path(shutil.copytree(built, tmp_path / "harbour"))


@pytest.mark.slow
@pytest.mark.parametrize("seats", [1, 2])
@pytest.mark.parametrize("kind", new_game.KINDS)
def test_every_template_is_built_tested_played_and_trained(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, seats: int
) -> None:
    code, out, err = call("new-game", "harbour", f"--{kind}", "--seats", str(seats))
    assert code == 0, err
    assert "skipjack build ./harbour" in out
    code, out, err = call("build", "./harbour")
    assert code == 0, err
    assert out.startswith("./harbour is built: rules in ")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "harbour"],
        cwd=tmp_path, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout

    clock = [1000.0]

    class Window(Script):
        """Keys of either side of the keyboard go down and up; time passes a sixtieth a picture."""

        def __init__(self, *_: object) -> None:
            keys = ("right", "d", "3", "4")
            super().__init__([Input(pressed=keys, held=frozenset(keys)), Input()] * 200)

        def show(self, scene: Scene) -> None:
            super().show(scene)
            clock[0] += 1 / 60

    with monkeypatch.context() as patch:
        patch.setattr(window, "Window", Window)
        patch.setattr(session.time, "perf_counter", lambda: clock[0])
        patch.setattr(session.time, "sleep", lambda seconds: None)
        code, out, err = call("play", "./harbour", "--json", "--speed", "16")
    assert code == 0, err
    (kept,) = (tmp_path / "plays").glob("harbour-1.play")
    assert json.loads(out)["env"] == "./harbour"
    code, out, err = call("train", "./harbour", *TINY, "--json")
    assert code == 0, err
    row = json.loads(out.splitlines()[-1])
    assert (row["env"], row["run"]) == ("./harbour", str(Path("runs/harbour-1")))
    assert 0 <= row["score"] <= 1
    assert call("eval", "harbour-1", "--episodes", "8")[0] == 0
    assert call("watch", str(kept.relative_to(tmp_path)), "--video", "a.gif")[0] == 0
    assert call("check", "./harbour", "--steps", "200")[0] == 0


@pytest.mark.parametrize("seats", [1, 2])
@pytest.mark.parametrize("kind", new_game.KINDS)
def test_templates_are_filled_in(tmp_path: Path, kind: str, seats: int) -> None:
    """For every kind the same files, which read as if written by hand."""
    files = new_game.write(tmp_path / "old_quay", kind, seats)
    assert files == [
        ".gitignore", "README.md", "__init__.py", "env.py", "presets/default.toml", "pyproject.toml",
        "rules.pyx", "setup.py", "test_old_quay.py",
    ]  # fmt: skip
    for name in files:
        text = (tmp_path / "old_quay" / name).read_text()
        assert text.endswith("\n")
        for line in text.splitlines():
            assert len(line) <= 110
            assert line == line.rstrip()
            assert "$" not in line
            assert not line.startswith(("1|", "2|"))
        if name.endswith(".py"):
            compile(text, name, "exec")
        if name.endswith(".toml"):
            tomllib.loads(text)
    assert own.package(tmp_path / "old_quay") == "old_quay"
    assert "class OldQuay(Rules):" in (tmp_path / "old_quay" / "env.py").read_text()


def test_a_folder_is_an_environment_and_its_presets_are_variants(
    call: Call, harbour: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (harbour / "presets" / "large.toml").write_text("[env]\nsize = 12\n")
    for name in ("./harbour", "harbour/../harbour/.", str(harbour)):
        full = registry.resolve(name if name[0] in "./" else f"./{name}").full_name
        assert full == "./harbour"
    large = registry.resolve("./harbour/large")
    assert (large.full_name, large.game, large.variant) == ("./harbour/large", "./harbour", "large")
    assert registry.presets("./harbour") == ["default", "large"]
    assert registry.stem("./harbour/large") == "harbour-large"
    assert registry.game_of("./harbour/large") == "./harbour"
    assert registry.game_of("./gone/large") == "./gone/large"
    code, out, err = call("config", "show", "./harbour/large", "--json")
    assert code == 0, err
    shown = json.loads(out)
    assert shown["env"] == "./harbour/large"
    assert shown["settings"]["env.size"] == {"value": 12, "from": "preset ./harbour/large"}
    assert call("config", "diff", "./harbour", "./harbour/large")[0] == 0
    code, out, err = call("bench", "steps", "./harbour", "--seconds", "0.1", "--json")
    assert code == 0, err
    assert json.loads(out)["env"] == "./harbour"
    monkeypatch.chdir(harbour)
    assert registry.resolve(".").full_name == "."
    assert registry.stem(".") == "harbour"
    monkeypatch.chdir(build.ROOT)
    assert registry.resolve(str(harbour)).full_name == str(harbour)
    code, _, err = call("eval", str(harbour))
    assert code == 2
    assert "run" in sentence(err)


def test_only_what_changed_is_built(call: Call, harbour: Path) -> None:
    binary, rules = harbour / f"rules{SUFFIX}", harbour / "rules.pyx"
    before = binary.read_bytes()
    os.utime(rules, (binary.stat().st_mtime + 10_000,) * 2)
    code, out, err = call("build", "harbour")
    assert (code, out) == (0, "./harbour is up to date.\n"), err
    assert binary.read_bytes() == before
    rules.write_text(rules.read_text().replace("CRATES = 5 ", "CRATES = 4 "))
    code, out, err = call("build", "./harbour", "--json")
    assert code == 0, err
    row = json.loads(out)
    assert (row["game"], row["built"]) == ("./harbour", ["rules"])
    assert binary.read_bytes() != before
    assert call("build", "./harbour")[1] == "./harbour is up to date.\n"


def test_what_a_binary_depends_on_is_in_its_stamp(
    harbour: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules, stamps = harbour / "rules.pyx", set()
    for name, value in (("NATIVE", "1"), ("NATIVE", "0"), ("DEBUG", "1")):
        monkeypatch.setenv(f"SKIPJACK_{name}", value)
        stamps.add(compiling._stamp(rules, "3.1"))
    stamps.add(compiling._stamp(rules, "3.2"))
    (harbour / "tables.pxd").write_text("")
    (harbour / "tables.h").write_text("int a;")
    stamps.add(compiling._stamp(rules, "3.2"))
    assert len(stamps) == 5


def test_flags_are_the_same_for_skipjack_and_for_a_game(
    harbour: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SKIPJACK_NATIVE", "SKIPJACK_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    assert not compiling.is_native("0")
    assert compiling.is_native("1")
    here, wheel = (compiling.flags(native)["extra_compile_args"] for native in (True, False))
    assert here[: len(wheel)] == wheel
    assert len(here) == len(wheel) + (not compiling.WINDOWS)


def test_an_older_binary_is_told_of_with_the_command_that_helps(harbour: Path, call: Call) -> None:
    rules = harbour / "rules.pyx"
    os.utime(rules, (rules.stat().st_mtime + 10_000,) * 2)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        game = registry.load("./harbour")
        game(2)
        other = game.__new__(game)
        with pytest.raises(
            UsageError, match=r"game=1\. Build it again with: skipjack build harbour\."
        ):
            super(game.__base__, other).__init__(2, 64, 10, abi=1)
    assert any("Build it again with: skipjack build harbour." in str(w.message) for w in caught)
    assert build.remedy("harbour.rules") == "Build it again with: skipjack build harbour."
    assert "pip install -e ." in build.remedy("skipjack.native.kernel")


def test_a_game_that_is_not_built(call: Call) -> None:
    assert call("new-game", "harbour")[0] == 0
    code, _, err = call("train", "./harbour")
    assert code == 2
    assert "must be built before it is used" in sentence(err)
    assert sentence(err).endswith("Build it with: skipjack build ./harbour.")


def test_a_binary_of_another_kernel_is_refused_with_the_command_that_helps(
    harbour: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    (harbour / f"rules{SUFFIX}").write_bytes(b"of another Python")
    code, _, err = call("train", "./harbour")
    assert code == 2
    assert sentence(err).endswith("Build it again with: skipjack build ./harbour.")
    (harbour / "env.py").write_text("raise ValueError('Game size changed')")
    code, _, err = call("train", "./harbour")
    assert code == 2
    assert "ValueError: Game size changed. Build it again with" in sentence(err)
    import skipjack.native.kernel

    monkeypatch.setattr(skipjack.native.kernel, "abi", 1)
    code, _, err = call("build", "./harbour")
    assert code == 1
    assert "the one that is built has 1" in sentence(err)


def test_what_cython_and_the_compiler_refuse(
    harbour: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = harbour / "rules.pyx"
    text = rules.read_text()
    rules.write_text(text.replace("cdef enum:", "cdef enumeration:"))
    code, _, err = call("build", "./harbour")
    assert code == 2
    assert "rules.pyx must be valid Cython" in err.splitlines()[-1]
    rules.write_text(text + "\n")
    monkeypatch.setenv("CC", "no-such-compiler")
    code, _, err = call("build", "./harbour")
    assert code == 1
    assert "'no-such-compiler' did not do it" in err.splitlines()[-1]
    assert "apt install build-essential" in err.splitlines()[-1]
    monkeypatch.setitem(sys.modules, "Cython", None)
    code, _, err = call("build", "./harbour")
    assert code == 1
    assert sentence(err).endswith('Install it with: pip install "skipjack[build]".')


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "A name must come first"),
        (["--grid"], "A name must come first"),
        (["Harbour-Master"], "Try: skipjack new-game harbour_master."),
        (["HarbourMaster"], "Try: skipjack new-game harbour_master."),
        (["2048"], "Try: skipjack new-game game_2048."),
        (["Häfen"], "Try: skipjack new-game hafen."),
        (["class"], "Try: skipjack new-game game_class."),
        (["§"], "Try: skipjack new-game game_1."),
        (["."], "must have a name"),
        (["pong"], "is one of Skipjack's games. Try: skipjack new-game my_pong."),
        (["random"], "is a Python module's. Try: skipjack new-game my_random."),
        (["numpy"], "is a Python module's"),
        (["layout"], "is a Python module's"),
        (["env"], "belongs to a game or lies beside it. Try: skipjack new-game my_env."),
        (["runs"], "belongs to a game or lies beside it"),
        (["nowhere/harbour"], "The folder above a game must be there"),
        (["harbour", "--grid", "--board"], "must be of one kind"),
        (["harbour", "--seats", "3"], "seats"),
        (["harbour", "--bord"], "Did you mean '--board'"),
    ],
)
def test_wrong_new_games(call: Call, tmp_path: Path, arguments: list[str], words: str) -> None:
    code, _, err = call("new-game", *arguments)
    assert code == 2
    assert words in sentence(err)
    assert [path.name for path in tmp_path.iterdir()] == []


def test_nothing_is_overwritten(call: Call, tmp_path: Path) -> None:
    assert call("new-game", "harbour", "--json")[0] == 0
    (tmp_path / "harbour" / "rules.pyx").write_text("mine")
    code, _, err = call("new-game", "harbour", "--board")
    assert code == 2
    assert "'./harbour' must be new, but is there already" in sentence(err)
    assert (tmp_path / "harbour" / "rules.pyx").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["harbour"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "must be given one folder"),
        (["a", "b"], "must be given one folder"),
        (["--fast"], "There is no flag '--fast'"),
        (["./harbor"], "Did you mean './harbour'? Make one with: skipjack new-game harbor."),
        (["./empty"], "must hold a game"),
        (["./broken"], "must be a file in TOML"),
        (["./renamed"], "must be called as its package, 'harbour'"),
    ],
)
def test_wrong_builds(call: Call, tmp_path: Path, arguments: list[str], words: str) -> None:
    new_game.write(tmp_path / "harbour", "grid", 1)
    new_game.write(tmp_path / "renamed", "grid", 1)
    shutil.copy(tmp_path / "harbour" / own.PROJECT, tmp_path / "renamed" / own.PROJECT)
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / own.PROJECT).write_text("[project")
    code, _, err = call("build", *arguments)
    assert code == 2
    assert words in sentence(err)


def test_wrong_folders(call: Call, harbour: Path) -> None:
    with pytest.raises(UsageError, match=r"no environment '\./harbour/fast'"):
        registry.resolve("./harbour/fast")
    (harbour / own.PROJECT).write_text(
        (harbour / own.PROJECT).read_text().replace(":Harbour", ":Harbor")
    )
    with pytest.raises(UsageError, match="has no attribute 'Harbor'"):
        registry.load("./harbour")
    (harbour / "__init__.py").write_text("1 / 0")
    for name in [name for name in sys.modules if name.startswith("harbour")]:
        del sys.modules[name]
    with pytest.raises(UsageError, match=r"its __init__.py raised ZeroDivisionError"):
        registry.load("./harbour")
    sys.modules["harbour"] = sys.modules["json"]
    with pytest.raises(UsageError, match="another module 'harbour' is in use"):
        registry.load("./harbour")
