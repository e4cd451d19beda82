"""What the README and the examples show is true."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from skipjack import registry
from skipjack.cli import new_game
from skipjack.cli.main import COMMANDS
from skipjack.native import compiling
from skipjack.policies.config import PolicyConfig
from skipjack.spaces import Actions, Layout
from skipjack.testing.policy import PolicyContract

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_loop_in_the_readme_runs(tmp_path: Path) -> None:
    """As it stands, with fewer steps."""
    code = README.split("```python\n", 1)[1].split("```", 1)[0]
    assert "1_000_000" in code
    code = code.replace("1_000_000", "100_000")
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 4  # 1024 rows x 32 steps an update


class TestCustomPolicy(PolicyContract):
    observation = Layout.box((118,), low=-1.0, high=1.0)
    action = Actions.discrete(3)

    def make_policy(self) -> torch.nn.Module:
        from examples.custom_policy import TwoTowers

        return TwoTowers(self.observation, self.action, PolicyConfig(hidden=16))


@pytest.mark.slow
def test_the_custom_policy_trains_through_the_command_line(tmp_path: Path) -> None:
    """As it is shown: the installed command, in a folder that holds examples/."""
    script = Path(sys.executable).with_name("skipjack")
    if not script.exists():
        pytest.skip("the package is not installed here")
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    small = ["--train.steps=20e3", "--vector.num-envs=64", "--eval.envs=4", "--eval.quota=1"]
    name = "examples.custom_policy:TwoTowers"
    run = ["train", "breakout", "--policy", name, *small, "--run", "own"]
    # Without the repository on the path: it would hide that the command looks into the present folder.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for command in (run, ["eval", "own", "--episodes", "4"]):
        done = subprocess.run(
            [script, *command], capture_output=True, text=True, cwd=tmp_path, env=env
        )
        assert done.returncode == 0, done.stderr
    assert "score" in done.stdout


def test_commands_and_environments_in_the_readme_exist() -> None:
    shown = re.findall(r"^skipjack ([\w-]+)(?: (?:steps |show |diff )?([\w/.:-]+))?", README, re.M)
    assert len(shown) > 8
    for command, subject in shown:
        assert command in COMMANDS
        if command in ("train", "config", "bench"):
            own = subject == "examples.custom_env:Thermostat"
            assert own or subject.partition(":")[0] in (
                *registry.ADAPTERS,
                *registry.names(),
                "suite",
                "--all",
            )


def test_links_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
        for target in re.findall(r"`((?:skipjack|tests|docs|benchmarks|examples)/[\w/.]+)`", text):
            assert (ROOT / target).exists(), f"{page.name}: {target}"


def test_pages_of_the_games_are_what_the_code_says() -> None:
    """`python docs/pages.py` wrote them last after the code and the files of figures changed."""
    spec = importlib.util.spec_from_file_location("pages", ROOT / "docs" / "pages.py")
    assert spec is not None
    assert spec.loader is not None
    pages = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pages)
    for path, text in pages.texts().items():
        assert path.read_text(encoding="utf-8") == text, f"{path}: run python docs/pages.py"


def test_figures_are_filled_in() -> None:
    assert not re.findall(r"@\w+@", README)


@pytest.mark.slow
def test_the_game_in_the_docs_is_built_and_keeps_the_contract(tmp_path: Path) -> None:
    """Its rules as they stand, put together, with what the page changes in the template's other files."""
    page = (ROOT / "docs" / "new_game.md").read_text(encoding="utf-8")
    rules = "\n\n".join(re.findall(r"```cython\n(.*?)\n```", page, re.S))
    spaces, test = re.findall(r"```python\n(.*?)\n```", page, re.S)
    folder = tmp_path / "catch"
    new_game.write(folder, "grid", 1)
    (folder / "rules.pyx").write_text(rules + "\n")
    for name, start, text in (
        ("env.py", "        size = config.size\n", spaces),
        ("test_catch.py", "def test_a_crate", test),
    ):
        old = (folder / name).read_text()
        (folder / name).write_text(old[: old.index(start)] + text + "\n")
    compiling.build_game(folder, "catch")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "catch"],
        cwd=tmp_path, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "15 passed" in done.stdout
