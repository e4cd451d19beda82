"""Doors stay light: what a command does not need is not loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "gymnasium", "numpy", "tyro", "rich", "wandb", "scipy", "matplotlib")


def loaded(code: str, folder: Path) -> set[str]:
    """Which heavy packages a fresh interpreter has loaded after running `code`."""
    report = f"import sys; print('loaded', *(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import skipjack", set()),
        ("from skipjack.cli.main import main; main(['--help'])", set()),
        ("from skipjack.cli.main import main; main(['list'])", set()),
        ("from skipjack.cli.main import main; main(['runs'])", set()),
        (
            "import skipjack.cli.runs.listing, skipjack.cli.runs.prune, skipjack.cli.runs.show",
            set(),
        ),
        (
            "from skipjack.cli.main import main; main(['config', 'diff', 'pong', 'pong/lstm'])",
            {"numpy"},
        ),
        ("from skipjack.cli.main import main; main(['trian'])", set()),
        ("from skipjack.cli.main import main; main(['config', 'show', 'pong'])", {"numpy"}),
        ("import skipjack; skipjack.make('breakout', 4).reset(0)", {"numpy"}),
        ("import skipjack.report.dashboard", {"rich"}),
        ("import skipjack.cli.bench, skipjack.bench.suite, skipjack.bench.page", {"numpy"}),
        ("import skipjack.cli.train, skipjack.run.config", {"numpy"}),
        ("import skipjack.gym", {"numpy", "gymnasium"}),
        (
            "import gymnasium; gymnasium.make('skipjack.gym:skipjack/Pong-v0').reset()",
            {"numpy", "gymnasium"},
        ),
        (
            "import gymnasium; gymnasium.make_vec('skipjack.gym:skipjack/Pong-v0', 2).reset()",
            {"numpy", "gymnasium"},
        ),
        ("import skipjack.cli.check, skipjack.cli.tune", set()),
        ("import skipjack.cli.new_game, skipjack.cli.build", set()),
        ("import skipjack.cli.play, skipjack.cli.watch", {"numpy"}),
        ("import skipjack.bench.tune", {"numpy"}),
        ("import skipjack.cli.sweep.begin, skipjack.sweep.space", set()),
        (
            "import skipjack.sweep.sampler, skipjack.sweep.worker, skipjack.sweep.report",
            {"numpy", "scipy"},
        ),
    ],
)
def test_doors_are_light(code: str, allowed: set[str], tmp_path: Path) -> None:
    assert loaded(code, tmp_path) <= allowed


def test_runs_are_listed_shown_and_compared_without_torch(tmp_path: Path) -> None:
    """Two runs as their folders are, made by hand; only `show` asks the env for its preset."""
    for name in ("a", "b"):
        (tmp_path / "runs" / name / "checkpoints").mkdir(parents=True)
        (tmp_path / "runs" / name / "config.toml").write_text(
            f'name = "pong"\nseed = {ord(name)}\n[train]\n'
        )
    line = "from skipjack.cli.main import main; main([{}])"
    assert loaded(line.format("'runs'"), tmp_path) == set()
    assert loaded(line.format("'runs', 'diff', 'a', 'b'"), tmp_path) == set()
    assert loaded(line.format("'runs', 'show', 'a'"), tmp_path) <= {"numpy"}
    pruned = loaded(line.format("'runs', 'prune', '--unfinished', '--yes'"), tmp_path)
    assert pruned <= {"tyro", "rich"}
    assert not list((tmp_path / "runs").iterdir())


def test_the_suite_knows_no_trainer(tmp_path: Path) -> None:
    """It starts commands as child processes."""
    code = "import skipjack.bench.page, sys; assert not {'skipjack.run', 'skipjack.train'} & set(sys.modules)"
    loaded(code, tmp_path)


def test_front_door_names_what_exists() -> None:
    import skipjack

    assert len(set(skipjack.__all__)) == len(skipjack.__all__)
    assert len(skipjack.__all__) <= 20
    for name in skipjack.__all__:
        assert getattr(skipjack, name) is not None
    with pytest.raises(AttributeError):
        skipjack.nothing  # noqa: B018
