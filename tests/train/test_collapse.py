"""Warnings of an entropy that collapses."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from skipjack.cli.main import main
from skipjack.spaces import Actions
from skipjack.testing.sink import example_progress
from skipjack.train.collapse import Collapse


def progress(score: float | None, **entropies: float) -> Any:
    losses = {name.replace("__", "/"): value for name, value in entropies.items()}
    means = {} if score is None else {"score": score}
    return dataclasses.replace(example_progress(1), losses=losses, means=means)


def test_each_component_is_spoken_of_once() -> None:
    action = Actions.named({"jump": 2, "gear": 5, "turn": (-1.0, 1.0)})
    collapse = Collapse(action)
    fine = {"entropy__jump": 0.3, "entropy__gear": 0.4, "entropy__turn": -1.0}
    assert collapse.look(progress(0.2, **fine)) == []
    (sentence,) = collapse.look(progress(0.2, **(fine | {"entropy__jump": 0.001})))
    assert "component jump" in sentence
    assert "train.entropy_weight" in sentence
    assert collapse.look(progress(0.2, **(fine | {"entropy__jump": 0.001}))) == []
    (sentence,) = collapse.look(progress(0.2, **(fine | {"entropy__turn": -3.5})))
    assert "component turn" in sentence


@pytest.mark.parametrize("score", [0.95, None])
def test_a_solved_game_or_one_without_a_score_is_no_collapse(score: float | None) -> None:
    assert Collapse(Actions.discrete(4)).look(progress(score, entropy=0.0)) == []


def test_a_training_that_collapses_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A negative weight drives the entropy of a real training to nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("skipjack.train.ppo.loss.policy_loss", lambda *_: torch.zeros(()))
    flags = (
        "--vector.num-envs 64 --train.horizon 16 --train.steps 60000 --eval.envs 4 --eval.quota 1"
    )
    monkeypatch.setattr(
        "skipjack.train.ppo.loss.mean",
        lambda values, weights: -(values * weights).sum(),  # the bonus turned round
    )
    code = main(["train", "squared", *flags.split(), "--train.entropy-weight", "1", "--json"])
    captured = capsys.readouterr()
    assert code == 0
    assert json.loads(captured.out.splitlines()[-1])["steps"] >= 60_000
    assert captured.err.count("hardly explores") == 1
