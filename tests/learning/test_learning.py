"""Short solves: the presets learn what they are for. What breaks them: `test_mutations.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.spine import SANITY
from skipjack.cli.main import main
from tests.learning.training import trained

pytestmark = pytest.mark.learning


@pytest.mark.parametrize("name", [*SANITY, "cartpole"])
def test_presets_solve_their_games(name: str) -> None:
    _, evaluation = trained(name)
    assert evaluation.score >= 0.95
    assert evaluation.unfinished == 0


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("memory", {"policy__memory": "gru"}),
        ("memory", {"policy__memory": "mingru"}),
        ("spaces", {"policy__separate_value": True, "policy__normalise": True}),
        ("password", {"train__priority": 0.6}),
        ("squared", {"train__optimiser": "muon", "train__warmup": 0.05, "train__steps": 400_000}),
        ("continuous", {"train__normalise_rewards": True, "train__accumulate": 2}),
        ("bandit/masked", {"train__importance_clip": 1.0, "train__target_kl": 0.1}),
    ],
)
def test_options_solve_too(name: str, options: dict[str, Any]) -> None:
    """Not faster, but as surely: an option that breaks learning would show here."""
    assert trained(name, **options)[1].score >= 0.95


def test_breakout_rises() -> None:
    """A fortieth of the preset's run already plays many times better than at the start."""
    _, before = trained("breakout", train__steps=1)
    _, after = trained("breakout", train__steps=1_500_000)
    assert after.score > 5 * before.score


def test_memory_is_what_solves_memory() -> None:
    _, evaluation = trained("memory", policy__memory="none")
    assert evaluation.score < 0.7


def test_the_whole_command_ends_where_the_library_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`skipjack train` and the loop in Python are one and the same training."""
    monkeypatch.chdir(tmp_path)
    assert main(["train", "cartpole", "--seed", "1", "--json"]) == 0
    row = json.loads(capsys.readouterr().out.splitlines()[-1])
    trainer, _ = trained("cartpole")
    assert row["steps"] == trainer.steps
    rows = [json.loads(line) for line in (tmp_path / "runs/cartpole-1/metrics.jsonl").open()]
    last = [found for found in rows if "update" in found][-1]
    assert trainer.updates == last["update"]
