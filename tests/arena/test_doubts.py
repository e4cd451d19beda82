"""What the ratings do not say by themselves is said in words."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from skipjack.arena.doubts import doubts, examine, groups, tail, unbeaten
from skipjack.arena.rating import Result, fit
from tests.arena.league import league


@pytest.mark.parametrize("freedom", [0.3, 1.0, 2.5, 20.0, 400.0])
@pytest.mark.parametrize("ratio", [0.2, 0.9, 1.5, 3.0])
def test_the_tail_of_chi_squared(freedom: float, ratio: float) -> None:
    value = freedom * ratio
    assert tail(value, freedom) == pytest.approx(scipy.stats.chi2.sf(value, freedom), rel=1e-9)


def test_a_ladder_is_no_circle_over_200_seeds() -> None:
    alarms = 0
    for seed in range(200):
        theta = np.linspace(0, 5, 8)
        players, results = league(theta, 256, seed=seed, side=0.2, nu=0.3)
        alarms += examine(fit(players, results)).intransitive
    assert alarms <= 2


def test_the_degrees_of_freedom_are_what_chance_makes() -> None:
    found = []
    for seed in range(100):
        players, results = league(np.linspace(0, 2, 6), 100, seed=seed)
        fitted = examine(fit(players, results))
        found.append(fitted.chi2 - fitted.freedom)
        assert fitted.freedom == pytest.approx(15 - 5, abs=0.6)
    assert abs(np.mean(found)) < 3 * np.std(found) / 10


def test_a_circle_is_found_and_named() -> None:
    circle = (("r", "s"), ("s", "p"), ("p", "r"))
    results = [Result(a, b, 85, 0, 43) for a, b in circle]
    results += [Result(b, a, 43, 0, 85) for a, b in circle]  # else it were the side's advantage
    ratings = fit(["r", "p", "s"], results)
    found = examine(ratings)
    assert found.intransitive
    assert found.circles == (("r", "s", "p"),)
    sentence = next(each for each in doubts(ratings, results) if "intransitive" in each)
    assert "r beats s, s beats p, p beats r" in sentence


def test_a_strong_pair_that_was_lost_once_alarms_nobody() -> None:
    """Where a loss is expected a thousandth of the time, one is no contradiction."""
    results = [Result("a", "b", 1, 0, 999), Result("b", "c", 1, 0, 999), Result("c", "a", 49, 0, 1)]
    assert not examine(fit(["a", "b", "c"], results)).intransitive


def test_unbeaten_and_disconnected_players_are_told_of() -> None:
    results = [Result("a", "b", 0, 0, 64), Result("c", "d", 5, 0, 5)]
    ratings = fit(["a", "b", "c", "d", "e"], results)
    assert unbeaten(ratings) == ["b"]
    assert groups(ratings) == [["a", "b"], ["c", "d"], ["e"]]
    said = " ".join(doubts(ratings, results))
    assert "b is unbeaten" in said
    assert "No games connect c d; e with a" in said


def test_cut_games_void_games_and_a_side_are_told_of() -> None:
    results = [Result("a", "b", 300, 0, 100, truncated=5), Result("b", "a", 300, 0, 100, void=3)]
    said = " ".join(doubts(fit(["a", "b"], results), results))
    assert "3 of 803 games had no outcome" in said
    assert "The first side has an advantage" in said
    assert "cut by a limit" not in said
    cut = [Result("a", "b", 50, 0, 50, truncated=5)]
    assert "5.0% of the games were cut" in " ".join(doubts(fit(["a", "b"], cut), cut))


def test_good_results_raise_no_doubt() -> None:
    players, results = league(np.linspace(0, 2, 5), 200, seed=1)
    assert doubts(fit(players, results), results) == []
