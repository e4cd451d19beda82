"""Short solves: the presets learn what they are for, and the breaks that they must catch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from skipjack.cli.main import main
from skipjack.report import Evaluation
from skipjack.run.config import configure
from skipjack.run.wiring import evaluate_policy, make_policy, make_vector
from skipjack.train.ppo import PPO

pytestmark = pytest.mark.learning

CPU = torch.device("cpu")


def trained(name: str, **flags: Any) -> tuple[PPO, Evaluation]:
    """A training by its preset, without a folder, and its evaluation."""
    values = {key.replace("__", "."): value for key, value in flags.items()}
    configured = configure(name, flags={"seed": 1} | values)
    vector = make_vector(configured, configured.config.vector.num_envs)
    trainer = PPO(configured.config.train, vector, make_policy(configured, vector, CPU), seed=1)
    trainer.run(lambda progress: None)
    return trainer, evaluate_policy(configured, trainer.policy, quota=2)


@pytest.mark.parametrize("name", ["memory", "truncation", "reset_leak", "squared", "cartpole"])
def test_presets_solve_their_games(name: str) -> None:
    _, evaluation = trained(name)
    assert evaluation.score >= 0.95
    assert evaluation.unfinished == 0


def test_breakout_rises() -> None:
    """A fortieth of the preset's run already plays many times better than at the start."""
    _, before = trained("breakout", train__steps=1)
    _, after = trained("breakout", train__steps=1_500_000)
    assert after.score > 5 * before.score


def test_memory_is_what_solves_memory() -> None:
    _, evaluation = trained("memory", policy__memory="none")
    assert evaluation.score < 0.7


def test_truncation_taken_for_an_end_is_not_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    keep = PPO._keep_outcome

    def merged(self: PPO, whole: Any, t: int) -> None:
        whole.terminated[:] |= whole.truncated
        whole.truncated[:] = False
        keep(self, whole, t)

    monkeypatch.setattr(PPO, "_keep_outcome", merged)
    assert trained("truncation")[1].score < 0.5


def test_state_that_leaks_over_an_end_is_not_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skipjack.train.ppo.clear", lambda state, rows: state)
    monkeypatch.setattr("skipjack.policies.memory.clear", lambda state, rows: state)
    assert trained("reset_leak")[1].score < 0.95


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
