"""The sequential test: errors as rare as promised, draws counted, whole blocks alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

from skipjack.arena.gate import ACCEPTED, REJECTED, UNDECIDED, Gate, decide, likelihood, score_of
from skipjack.arena.rating import Result
from skipjack.errors import UsageError


def play(score: float, draw: float, seed: int, games: int = 64):
    """A player of results with a mean score and a share of draws."""
    generator = np.random.default_rng(seed)
    shares = [score - draw / 2, draw, 1 - score - draw / 2]

    def more() -> list[Result]:
        (w, d, x), (v, e, y) = (generator.multinomial(games // 2, shares) for _ in range(2))
        return [Result("new", "old", w, d, x), Result("old", "new", y, e, v)]

    return more


@pytest.mark.parametrize("draw", [0.0, 0.4])
def test_errors_are_as_rare_as_promised(draw: float) -> None:
    gate, wrong, games = Gate(0, 35), {ACCEPTED: 0, REJECTED: 0}, []
    for seed in range(400):
        no = decide(gate, "new", play(score_of(0), draw, seed))
        yes = decide(gate, "new", play(score_of(35), draw, 1000 + seed))
        wrong[ACCEPTED] += no.verdict == ACCEPTED
        wrong[REJECTED] += yes.verdict == REJECTED
        games += [no.games, yes.games]
    assert wrong[ACCEPTED] / 400 <= 0.08
    assert wrong[REJECTED] / 400 <= 0.08
    assert np.mean(games) < 0.7 * gate.fixed


def test_the_ratio_of_coin_flips_is_that_of_the_binomial() -> None:
    p0, p1 = score_of(0), score_of(35)
    exact = 70 * math.log(p1 / p0) + 30 * math.log((1 - p1) / (1 - p0))
    assert Gate(0, 35).ratio(70, 0, 30) == pytest.approx(exact, abs=1e-3)


def test_the_likeliest_distribution_has_the_mean_it_must_have() -> None:
    """And none is likelier: a grid of all distributions over three outcomes with that mean."""
    counts, mean = np.array([20.0, 30.0, 50.0]), 0.55
    best = -math.inf
    for draw in np.linspace(1e-6, 2 * (1 - mean) - 1e-6, 20001):
        shares = np.array([1 - mean - draw / 2, draw, mean - draw / 2])
        best = max(best, counts @ np.log(shares / (counts / 100)))
    assert likelihood((20, 30, 50), mean) == pytest.approx(best, abs=1e-4)


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


def test_the_new_player_s_results_count_from_either_side() -> None:
    blocks = iter([[Result("new", "old", 60, 0, 4), Result("old", "new", 4, 0, 60)]] * 9)
    assert decide(Gate(), "new", lambda: next(blocks)).verdict == ACCEPTED


def test_all_wins_and_all_draws_are_no_trouble() -> None:
    assert Gate().verdict(500, 0, 0) == ACCEPTED
    assert Gate().verdict(0, 0, 500) == REJECTED
    assert Gate(-35, 0).ratio(0, 500, 0) > 0


def test_hypotheses_out_of_order_are_refused() -> None:
    with pytest.raises(UsageError, match="elo0 must be less"):
        Gate(35, 0)
