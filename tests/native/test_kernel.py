"""The kernel: ABI, stale binaries, checked builds, the games under the address sanitizer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from skipjack.errors import RunError, SkipjackError
from skipjack.native import build, get_include, kernel, scene
from skipjack.rows import Rows, episode_dtype, identity_rows
from skipjack.seeding import env_seeds
from skipjack.spaces import Actions
from skipjack.vector import Serial
from tests.games.test_contract import engine_of

ROOT = Path(__file__).parents[2]


def test_records_of_c_and_numpy_are_the_same_bytes() -> None:
    """The struct in kernel.pxd and `episode_dtype` say the same thing twice: hold them together."""
    for statistics in ((), ("a",), ("a", "b"), tuple("abcdefg")):
        dtype = episode_dtype(statistics)
        assert dtype.itemsize % 8 == 0
        assert dtype.fields is not None
        assert dtype.fields["stats"][1] % 4 == 0
        assert dtype.fields["stats"][1] + 4 * len(statistics) <= dtype.itemsize


GAME = """
from skipjack.native.kernel cimport *

cdef class Rules(Game):
    def __init__(self, int num_envs):
        super().__init__(num_envs, 8, 5, abi=ABI)

    cdef void step_range(self, int lo, int hi) noexcept nogil:
        cdef int env
        for env in range(lo, hi):
            give(&self.k, env, 0, 1)
            if elapse(&self.k, env, 1):
                finish(&self.k, env, 0, True, 1, 0.5)
                begin(&self.k, env)
"""


@pytest.mark.slow
def test_another_package_builds_a_game_on_the_shipped_sources(tmp_path: Path) -> None:
    """With nothing but the folder that `get_include` names, from elsewhere."""
    (tmp_path / "others.pyx").write_text(GAME)
    (tmp_path / "play.py").write_text(
        "import numpy as np, others\n"
        "from skipjack.spaces import Actions, Layout\n"
        "from skipjack.vector import Serial\n"
        "class Mine(others.Rules):\n"
        "    observation, action = Layout.box((1,)), Actions.discrete(2)\n"
        "vector = Serial(Mine(3))\n"
        "vector.reset(0)\n"
        "print(sum(len(vector.step(np.zeros(3, np.int32)).episodes) for _ in range(10)))\n"
    )
    build = (
        "import sys; from setuptools import Extension, setup; from Cython.Build import cythonize;"
        f"setup(ext_modules=cythonize([Extension('others', ['others.pyx'])],"
        f" include_path=[{get_include()!r}]), script_args=['build_ext', '--inplace', '-q'])"
    )
    subprocess.run([sys.executable, "-c", build], cwd=tmp_path, check=True, capture_output=True)
    done = subprocess.run(
        [sys.executable, "play.py"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert int(done.stdout) >= 6
    assert kernel.abi >= 1


def test_another_abi_is_refused() -> None:
    with pytest.raises(SkipjackError, match="built for this version of the kernel"):
        kernel.Game(1, 8, 10, abi=kernel.abi + 1)
    with pytest.raises(SkipjackError, match="num_envs"):
        kernel.Game(0, 8, 10, abi=kernel.abi)
    with pytest.raises(SkipjackError, match="time_limit"):
        kernel.Game(1, 8, 0, abi=kernel.abi)


def test_a_game_that_forgets_its_abi_is_not_told_to_build_again_and_no_more() -> None:
    with pytest.raises(SkipjackError, match=r"abi=ABI in super\(\).__init__\(\).*Write it there"):
        kernel.Game(1, 8, 10)


@pytest.mark.parametrize(
    ("name", "action", "words"),
    [
        ("tic_tac_toe", Actions.discrete(9), "that writes action masks must declare them"),
        ("connect_four", Actions.discrete(7), "Write masked=True"),
        ("pong", Actions.discrete(3, masked=True), "must write one for each row that may act"),
    ],
)
def test_masks_that_are_written_and_declared_must_agree(
    name: str, action: Actions, words: str
) -> None:
    engine = engine_of(name, 3)
    engine.action = action
    rows = Rows.allocate(3 * engine.seats, engine.observation, engine.action)
    engine.bind(rows, identity_rows(3, engine.seats), False)
    with pytest.raises(SkipjackError, match=words):
        engine.reset(0, 3, env_seeds(0, 0, 3))


def test_an_engine_used_before_bind_says_so() -> None:
    engine = engine_of("pong", 2)
    with pytest.raises(SkipjackError, match="bind"):
        engine.step(0, 2)
    rows = Rows.allocate(2, engine.observation, engine.action)
    engine.bind(rows, identity_rows(2, 1), False)
    with pytest.raises(SkipjackError, match="range of envs"):
        engine.step(0, 3)
    with pytest.raises(SkipjackError, match="one seed for each env"):
        engine.reset(0, 2, env_seeds(0, 0, 1))


@pytest.mark.parametrize("name", ["pong", "squared"])
def test_saved_envs_of_other_rules_are_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Same size, another source: the envs would go on under other rules."""
    first = engine_of(name, 2)
    rows = Rows.allocate(2, first.observation, first.action)
    first.bind(rows, identity_rows(2, 1), False)
    first.reset(0, 2, env_seeds(0, 0, 2))
    saved = first.save(0, 2)
    asked = []
    monkeypatch.setattr(kernel, "digest", lambda module: asked.append(module) or b"another1")
    other = engine_of(name, 2)
    other.bind(rows, identity_rows(2, 1), False)
    with pytest.raises(RunError, match=rf"this build of {type(other).__name__}.*--from"):
        other.load(0, 2, saved)
    assert asked == [f"skipjack.games.{name}.rules"]
    monkeypatch.undo()
    again = engine_of(name, 2)
    again.bind(rows, identity_rows(2, 1), False)
    again.load(0, 2, saved)
    assert again.save(0, 2) == saved


def test_a_source_newer_than_its_binary_warns(tmp_path: Path) -> None:
    package = tmp_path / "skipjack"
    shutil.copytree(ROOT / "skipjack", package, ignore=shutil.ignore_patterns("*.c", "*.cpp"))
    source = package / "games" / "pong" / "rules.pyx"
    code = "import skipjack; skipjack.make('pong', 1)"

    def run() -> str:
        done = subprocess.run(
            [sys.executable, "-W", "always", "-c", code],
            cwd=tmp_path, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": "."},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stderr

    binary = next((package / "games" / "pong").glob("rules.*.so"))
    os.utime(binary, (time.time() + 5, time.time() + 5))
    assert "newer" not in run()
    os.utime(source, (time.time() + 60, time.time() + 60))
    assert "rules.pyx of skipjack.games.pong.rules is newer" in run()


def test_nothing_is_missing_or_stale_here() -> None:
    missing, _ = build.state()
    assert not missing
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        engine_of("breakout", 1)


def test_scene_refuses_nothing_and_keeps_order() -> None:
    picture = scene.Scene(10, 20).add(scene.Rectangle(0, 0, 1, 1, (1, 2, 3)))
    picture.add(scene.Text(0, 0, "a", 5, (0, 0, 0)))
    assert [type(item).__name__ for item in picture.items] == ["Rectangle", "Text"]


CHECKED = """
import numpy as np, pytest
from skipjack.errors import SkipjackError
from skipjack.native import kernel
from skipjack.vector import make
assert kernel.checked
vector = make("pong", 4, threads=2)
vector.reset(0)
with pytest.raises(SkipjackError, match="one of the game's"):
    vector.step(np.full((4, 1), 3, np.int32))
vector = make("cartpole", 1, threads=1)
vector.reset(0)
vector.engine.inject(0, {"v": float("nan")})
with pytest.raises(SkipjackError, match="not finite"):
    vector.step(np.zeros((1, 1), np.int32))
vector = make("moba/small", 1, threads=1)
vector.reset(0)
rest = np.zeros((6, 6), np.int32)
for _ in range(200):
    vector.step(rest)
game = vector.engine.snapshot(0)
carry, core = game["entities"][3], game["entities"][1 + 103 + 93]
carry |= {"y": core["y"], "x": core["x"] - 2 * 256}
core["health"] += 1000  # more than it can have: a hit would take more than its damage
vector.engine.inject(0, game)
with pytest.raises(SkipjackError, match="must add up"):
    vector.step(rest)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="preloading the sanitizer is Linux's way")
def test_games_under_the_address_sanitizer(tmp_path: Path) -> None:
    """A checked build: contract, twins and threads run on it, with bounds, NaN and addresses watched."""
    for name in ("skipjack", "tests", "setup.py", "pyproject.toml", "README.md", "LICENSE"):
        source, target = ROOT / name, tmp_path / name
        ignore = shutil.ignore_patterns("*.so", "*.c", "*.cpp", "__pycache__")
        if source.is_dir():
            shutil.copytree(source, target, ignore=ignore)
        else:
            shutil.copy(source, target)
    environment = os.environ | {"SKIPJACK_DEBUG": "1", "SKIPJACK_NATIVE": "0", "PYTHONPATH": "."}
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    library = subprocess.run(
        ["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    ).stdout.strip()
    environment |= {"LD_PRELOAD": library, "ASAN_OPTIONS": "detect_leaks=0"}
    suites = [
        "tests/games/test_contract.py", "tests/games/test_twins.py",
        "tests/vector/test_vector.py", "-k", "not change_nothing and not under_load",
    ]  # fmt: skip
    for command in (
        [sys.executable, "-c", CHECKED],
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *suites],
    ):
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


def test_rows_that_do_not_fit_are_refused() -> None:
    """A game writes to raw memory: what it is given is looked at once, at the door."""
    engine = engine_of("breakout", 8)
    other = engine_of("pong", 8)
    good = identity_rows(8, 1)
    for rows, row_of in (
        (Rows.allocate(2, engine.observation, engine.action), good),
        (Rows.allocate(8, other.observation, other.action), good),
        (Rows.allocate(8, engine.observation, engine.action), good[:4]),
        (Rows.allocate(8, engine.observation, engine.action), np.zeros((8, 1), np.int32)),
    ):
        with pytest.raises(SkipjackError):
            engine.bind(rows, row_of, False)
    rows = Rows.allocate(8, engine.observation, engine.action)
    engine.bind(rows, good.astype(np.int64), False)
    engine.reset(0, 8, env_seeds(0, 0, 8))
    assert (rows.observations != 0).any(axis=1).all()
    for env in (-1, 8, 10**6):
        with pytest.raises(SkipjackError, match="range of envs"):
            engine.snapshot(env)
        with pytest.raises(SkipjackError, match="range of envs"):
            engine.inject(env, {})
    with pytest.raises(SkipjackError, match="range of envs"):
        engine.clone(0, 8)


@pytest.mark.parametrize(
    ("name", "field", "near"),
    [("cartpole", "speen", "spin"), ("tic_tac_toe", "movr", "mover"), ("snake", "cels", "cells")],
)
def test_a_misspelt_field_is_not_injected(name: str, field: str, near: str) -> None:
    engine = engine_of(name, 1)
    Serial(engine).reset(0)
    before = engine.snapshot(0)
    words = f"no field of a snapshot '{field}'. Did you mean .*'{near}'"
    with pytest.raises(SkipjackError, match=words):
        engine.inject(0, before | {field: 1})
    assert str(engine.snapshot(0)) == str(before)


def test_an_env_of_other_seats_is_not_cloned() -> None:
    """The two are as large as each other, but a seat's counters stand where the other has its state."""
    engines = []
    for name in ("connect_four", "connect_four/one_ply"):
        engine = engine_of(name, 2)
        rows = Rows.allocate(2 * engine.seats, engine.observation, engine.action)
        engine.bind(rows, identity_rows(2, engine.seats), False)
        engine.reset(0, 2, env_seeds(0, 0, 2))
        engines.append(engine)
    assert engines[0].env_nbytes == engines[1].env_nbytes
    with pytest.raises(SkipjackError, match="seats"):
        engines[0].clone(0, 0, engines[1])


def test_a_clone_goes_on_as_its_source() -> None:
    vector = Serial(engine_of("breakout", 2, time_limit=600))
    vector.reset(4)
    for _ in range(50):
        vector.step(np.array([1, 2], np.int32))
    vector.engine.clone(0, 1)
    for step in range(200):
        batch = vector.step(np.full(2, step % 3, np.int32))
        assert np.array_equal(batch.observations[0], batch.observations[1])
        assert batch.rewards[0] == batch.rewards[1]


@pytest.mark.parametrize(
    ("name", "one", "two"),
    [
        ("squared", {"size": 11}, {"size": 3}),
        ("memory", {"symbols": 4}, {"symbols": 2}),
        ("pong", {"frame_skip": 8}, {"frame_skip": 4}),
        ("pong", {"opponent": "easy"}, {"opponent": "hard"}),
        ("cartpole", {"time_limit": 100}, {"time_limit": 200}),
    ],
)
def test_envs_of_other_settings_are_refused(name: str, one: dict, two: dict) -> None:
    engines = [engine_of(name, 4, **changes) for changes in (one, two, one)]
    for engine in engines:
        rows = Rows.allocate(4, engine.observation, engine.action)
        engine.bind(rows, identity_rows(4, 1), False)
        engine.reset(0, 4, env_seeds(0, 0, 4))
    saved = engines[0].save(0, 4)
    engines[2].load(0, 4, saved)
    with pytest.raises(SkipjackError, match="rules and settings"):
        engines[1].load(0, 4, saved)
