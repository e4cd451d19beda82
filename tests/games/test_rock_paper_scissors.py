"""Rules of rock-paper-scissors, and its circle of players."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.games.tables import table

ROCK, PAPER, SCISSORS = range(3)


@pytest.mark.parametrize(
    ("one", "two", "reward"),
    [
        (ROCK, SCISSORS, 1),
        (PAPER, ROCK, 1),
        (SCISSORS, PAPER, 1),
        (ROCK, PAPER, -1),
        (ROCK, ROCK, 0),
    ],
)
def test_what_beats_what(one: int, two: int, reward: int) -> None:
    engine, rows = table("rock_paper_scissors", opponent="self")
    for first, second, paid in ((one, two, reward), (two, one, -reward)):
        rows.actions[:, 0] = first, second
        engine.step(0, 1)
        assert rows.rewards.tolist() == [paid, -paid]


def test_a_game_is_so_many_rounds() -> None:
    engine, rows = table("rock_paper_scissors", opponent="self", rounds=4)
    for hands in ((ROCK, ROCK), (PAPER, ROCK), (PAPER, ROCK), (PAPER, SCISSORS)):
        assert not len(engine.records(0, 1))
        rows.actions[:, 0] = hands
        engine.step(0, 1)
    one, two = engine.records(0, 1)
    assert rows.terminated.all()
    assert (one["outcome"], two["outcome"]) == (1, 0)
    assert (one["score"], two["score"]) == (5 / 8, 3 / 8)
    stats = dict(zip(engine.statistics, one["stats"].tolist(), strict=True))
    assert stats == {"won": 2, "lost": 1, "drawn": 1, "rock": 0.25, "paper": 0.75, "scissors": 0}
    assert not rows.observations.any(), "a new game remembers nothing"


def test_each_seat_sees_its_own_hands_first_and_the_newest_first() -> None:
    engine, rows = table("rock_paper_scissors", opponent="self", memory=3)
    for hands in ((ROCK, PAPER), (SCISSORS, PAPER)):
        rows.actions[:, 0] = hands
        engine.step(0, 1)
    assert rows.observations.tolist() == [[[3, 1, 0], [2, 2, 0]], [[2, 2, 0], [3, 1, 0]]]


def test_a_state_can_be_put_back() -> None:
    engine, rows = table("rock_paper_scissors", opponent="self")
    for hands in ((ROCK, PAPER), (SCISSORS, PAPER)):
        rows.actions[:, 0] = hands
        engine.step(0, 1)
    state, seen = engine.snapshot(0), rows.observations.copy()
    assert state["shown"] == [1, 0, 1, 0, 2, 0]
    engine.step(0, 1)
    engine.inject(0, state)
    assert engine.snapshot(0) == state
    assert np.array_equal(rows.observations, seen)


def test_a_hand_of_this_round_is_not_known_to_the_opponent() -> None:
    """Whatever is shown in the first round, "counter" wins a third of it."""
    engine, rows = table("rock_paper_scissors", 3000)
    rows.actions[:, 0] = PAPER
    engine.step(0, 3000)
    for reward in (-1, 0, 1):
        assert (rows.rewards == reward).mean() == pytest.approx(1 / 3, abs=0.03)
    engine.step(0, 3000)
    assert (rows.rewards == -1).all(), "and all of the next"


def shown(player: str, rows: Any, generator: np.random.Generator) -> Any:
    """Hands of a player that sits at the table."""
    own, other = rows.observations[:, 0, 0].astype(int), rows.observations[:, 1, 0].astype(int)
    hands = {
        "rock": ROCK,
        "paper": PAPER,
        "scissors": SCISSORS,
        "random": generator.integers(0, 3, len(own)),
        "counter": np.where(other, other % 3, ROCK),
        "one ahead": np.where(own, own % 3, ROCK),  # what beats its own last hand
        "one behind": np.where(own, (own + 1) % 3, ROCK),  # what its own last hand beats
    }
    return hands[player]


@pytest.mark.parametrize(
    ("player", "opponent", "score"),
    [
        ("paper", "rock", 1.0),
        ("scissors", "paper", 1.0),
        ("rock", "scissors", 1.0),
        ("rock", "rock", 0.5),
        ("random", "counter", 0.5),
        ("rock", "random", 0.5),
        ("rock", "copycat", 0.5),
        ("rock", "counter", 0.05),
        ("counter", "rock", 0.95),
        ("one ahead", "copycat", 0.95),
        ("one behind", "counter", 0.95),
    ],
)
def test_every_player_is_beaten_by_another(player: str, opponent: str, score: float) -> None:
    envs = 256
    engine, rows = table("rock_paper_scissors", envs, opponent=opponent)
    generator, scores = np.random.default_rng(0), list[float]()
    while len(scores) < 4 * envs:
        rows.actions[:, 0] = shown(player, rows, generator)
        engine.step(0, envs)
        scores += engine.records(0, envs)["score"].tolist()
    assert np.mean(scores) == pytest.approx(score, abs=0.035)
    if player in engine.grades:
        scripted = table("rock_paper_scissors", opponent=player)[0].scripted(rows.observations)
        assert (scripted[:, 0] == shown(player, rows, generator)).all()
