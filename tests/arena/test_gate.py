"""The sequential test: errors as rare as promised, draws and pairs counted, whole blocks alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

from skipjack.arena.gate import ACCEPTED, REJECTED, UNDECIDED, Gate, decide, likelihood, score_of
from skipjack.arena.rating import Result
from skipjack.arena.results import Block
from skipjack.errors import RunError, UsageError


def block(points: np.ndarray, opposite: np.ndarray, turned: bool = False) -> Block:
    """A block of pairs from the new player's points in the games of each half.

    Args:
        points, opposite: (pairs,) its points where it was the first side, and the second.
        turned: whether it was the second side first.
    """
    counts = [[int((part == each).sum()) for each in (1, 0.5, 0)] for part in (points, opposite)]
    results = [Result("new", "old", *counts[0]), Result("old", "new", *counts[1][::-1])]
    pairs = np.bincount((2 * (points + opposite)).astype(int), minlength=5)
    if turned:
        return Block("", "", (results[1], results[0]), tuple(pairs[::-1].tolist()))
    return Block("", "", (results[0], results[1]), tuple(pairs.tolist()))


def play(score: float, draw: float, seed: int, side: float = 0.0, games: int = 64):
    """A player of blocks with a mean score, a share of draws, and what a pair's opening is worth.

    Args:
        side: what the score is more for the side that the pair's opening favours, and less for the other.
    """
    generator = np.random.default_rng(seed)

    def drawn(mean: np.ndarray) -> np.ndarray:
        seen = generator.random(len(mean))
        return np.where(seen < mean - draw / 2, 1.0, np.where(seen < mean + draw / 2, 0.5, 0.0))

    def more() -> Block:
        opening = side * generator.choice([-1, 1], games // 2)
        return block(drawn(score + opening), drawn(score - opening), generator.random() < 0.5)

    return more


@pytest.mark.parametrize(("draw", "side"), [(0.0, 0.0), (0.4, 0.0), (0.0, 0.4), (0.2, 0.3)])
def test_errors_are_as_rare_as_promised(draw: float, side: float) -> None:
    gate, wrong, games = Gate(0, 35), {ACCEPTED: 0, REJECTED: 0}, []
    for seed in range(400):
        no = decide(gate, "new", play(score_of(0), draw, seed, side))
        yes = decide(gate, "new", play(score_of(35), draw, 1000 + seed, side))
        wrong[ACCEPTED] += no.verdict == ACCEPTED
        wrong[REJECTED] += yes.verdict == REJECTED
        games += [no.games, yes.games]
    assert wrong[ACCEPTED] / 400 <= 0.08
    assert wrong[REJECTED] / 400 <= 0.08
    # What a pair shares is no chance: with an opening worth 0.4 a pair varies a third as much.
    assert np.mean(games) < (0.35 if side == 0.4 else 0.7) * gate.fixed


def test_the_ratio_of_coin_flips_is_that_of_the_binomial() -> None:
    """Two flips a pair, in the shares that are expected of them; the test has to find out that they are."""
    p0, p1, p = score_of(0), score_of(35), 0.53
    pairs = [1e4 * (1 - p) ** 2, 0, 2e4 * p * (1 - p), 0, 1e4 * p**2]
    exact = 2e4 * (p * math.log(p1 / p0) + (1 - p) * math.log((1 - p1) / (1 - p0)))
    assert Gate(0, 35).ratio(pairs) == pytest.approx(exact, rel=0.02)


def test_the_likeliest_distribution_has_the_mean_it_must_have() -> None:
    """And none is likelier: a grid of all distributions over three outcomes with that mean."""
    counts, mean = np.array([20.0, 30.0, 50.0]), 0.55
    best = -math.inf
    for draw in np.linspace(1e-6, 2 * (1 - mean) - 1e-6, 20001):
        shares = np.array([1 - mean - draw / 2, draw, mean - draw / 2])
        best = max(best, counts @ np.log(shares / (counts / 100)))
    assert likelihood((20, 30, 50), mean) == pytest.approx(best, abs=1e-4)
    # A pair that brought half of what it could is a draw, whatever it was made of.
    assert likelihood((20, 0, 30, 0, 50), mean) == pytest.approx(best, abs=1e-4)


def test_a_fixed_test_has_the_length_that_textbooks_say() -> None:
    assert Gate(0, 35).fixed == pytest.approx(1068, rel=0.02)
    assert Gate(0, 35).limit == 3 * Gate(0, 35).fixed


def test_between_the_two_it_stays_undecided_in_the_end() -> None:
    found = decide(Gate(0, 10, most=100), "new", play(score_of(5), 0.0, 1))
    assert (found.verdict, found.games) == (UNDECIDED, 128)


def test_only_blocks_that_are_whole_are_asked_for() -> None:
    """A player of blocks that is stopped gives nothing: what was played before stays undecided."""
    found = decide(Gate(), "new", play(0.5, 0.0, 1), stop=lambda: True)
    assert (found.verdict, found.games, found.ratio) == (UNDECIDED, 0, 0.0)


@pytest.mark.parametrize("turned", [False, True])
def test_the_new_player_s_results_count_from_either_side(turned: bool) -> None:
    points = np.repeat([1.0, 0.0], [60, 4])
    found = decide(Gate(), "new", lambda: block(points, points, turned))
    assert (found.verdict, found.wins, found.losses) == (ACCEPTED, 120, 8)
    assert found.pairs == (4, 0, 0, 0, 60)


def test_all_wins_and_all_draws_are_no_trouble() -> None:
    assert Gate().verdict((0, 0, 0, 0, 250), 500) == ACCEPTED
    assert Gate().verdict((250, 0, 0, 0, 0), 500) == REJECTED
    assert Gate(-35, 0).ratio((0, 0, 250, 0, 0)) > 0
    assert Gate().verdict((0, 0, 0, 0, 0), 10_000) == UNDECIDED  # games without an outcome


def test_games_without_an_outcome_are_not_played_for_ever() -> None:
    nothing = (Result("new", "old", 0, 0, 0, void=32), Result("old", "new", 0, 0, 0, void=32))
    with pytest.raises(RunError, match="must end with an outcome"):
        decide(Gate(), "new", lambda: Block("", "", nothing))


def test_hypotheses_out_of_order_are_refused() -> None:
    with pytest.raises(UsageError, match="elo0 must be less"):
        Gate(35, 0)
