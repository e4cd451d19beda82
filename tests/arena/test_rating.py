"""Ratings are a pure function of results: invariances, coverage, and other people's estimators."""

from __future__ import annotations

import math

import numpy as np
import pytest

from skipjack.arena.rating import ELO, Result, fit
from skipjack.errors import UsageError
from tests.arena.league import league

LADDER = np.array([0.0, 0.8, 1.3, 2.1, 2.2, 3.0])


def halves(results: list[Result]) -> list[Result]:
    """Each line as two, with nothing lost."""
    found = []
    for r in results:
        small = (r.wins // 2, r.draws // 2, r.losses // 2)
        found.append(Result(r.first, r.second, *small))
        rest = (r.wins - small[0], r.draws - small[1], r.losses - small[2])
        found.append(Result(r.first, r.second, *rest))
    return found


def test_order_batching_and_splitting_change_nothing() -> None:
    players, results = league(LADDER, 60, seed=1, side=0.2, nu=0.5)
    plain = fit(players, results)
    generator = np.random.default_rng(0)
    for again in (results[::-1], halves(results), list(generator.permutation(halves(results)))):
        found = fit(players, again)
        assert np.abs(found.theta - plain.theta).max() < 1e-9
        assert np.abs(found.covariance - plain.covariance).max() < 1e-9
        assert found.side == pytest.approx(plain.side, abs=1e-9)


def test_new_names_and_another_anchor_change_no_difference() -> None:
    players, results = league(LADDER, 60, seed=2, side=0.3, nu=0.5)
    plain = fit(players, results)
    names = {name: f"player {name}" for name in players}
    renamed = [Result(names[r.first], names[r.second], r.wins, r.draws, r.losses) for r in results]
    assert np.allclose(fit(list(names.values()), renamed).theta, plain.theta, atol=1e-9)
    assert plain.elo("0") == (0.0, 0.0)
    moved = fit(players, results, fixed={"3": 7.0})
    assert moved.theta[3] == 7.0
    assert np.allclose(moved.theta - 7.0, plain.theta - plain.theta[3], atol=1e-9)
    for one, other in (("0", "5"), ("2", "3")):
        assert moved.difference(one, other) == pytest.approx(plain.difference(one, other), abs=1e-6)


def test_the_order_of_players_matters_to_the_prior_alone() -> None:
    players, results = league(LADDER, 60, seed=3)
    plain, turned = (
        fit(players, results, ghost=0.0),
        fit(players[::-1], results, fixed={"0": 0.0}, ghost=0.0),
    )
    assert np.allclose(turned.theta[::-1], plain.theta, atol=1e-9)
    assert np.allclose(turned.covariance[::-1, ::-1], plain.covariance, atol=1e-9)


def test_changing_sides_changes_the_sign_of_the_advantage_alone() -> None:
    players, results = league(LADDER, 200, seed=4, side=0.5, nu=0.4)
    swapped = [Result(r.second, r.first, r.wins, r.draws, r.losses) for r in results]
    turned = [Result(r.second, r.first, r.losses, r.draws, r.wins) for r in results]
    plain = fit(players, results)
    assert plain.side > 3 * plain.side_error
    assert fit(players, turned).side == pytest.approx(-plain.side, abs=1e-9)
    assert np.allclose(fit(players, turned).theta, plain.theta, atol=1e-9)
    # Whoever won on the first side now won on the second: all is the other way round.
    assert fit(players, swapped, ghost=0).theta[1] == pytest.approx(
        -fit(players, results, ghost=0).theta[1], abs=1e-6
    )


def test_a_newcomer_without_games_changes_nobody() -> None:
    players, results = league(LADDER, 60, seed=5)
    plain, more = fit(players, results), fit([*players, "new"], results)
    assert np.abs(more.theta[:-1] - plain.theta).max() < 1e-6 / ELO
    assert more.games("new") == 0
    points, error = more.difference("new", players[-1])
    assert abs(points) < 1e-6
    assert error > 250  # four nats of the one virtual game
    # In the middle, the prior's own bound: a ghost moves its neighbours by less than they err.
    middle = fit([*players[:3], "new", *players[3:]], results)
    kept = np.delete(middle.theta, 3)
    assert np.abs(kept - plain.theta).max() < 0.5 * np.sqrt(np.diag(plain.covariance)[1:]).min()


def test_intervals_cover_what_is_true() -> None:
    theta = np.array([0.0, 0.5, 1.2, 1.5, 2.1, 2.4, 2.6, 3.3, 3.6, 4.0])
    inside = {"anchor": 0, "neighbour": 0, "side": 0}
    nus = []
    for seed in range(200):
        players, results = league(theta, 40, seed=100 + seed, side=40 / ELO, nu=0.6)
        found = fit(players, results)
        for name, (one, other) in {"anchor": ("9", "0"), "neighbour": ("9", "8")}.items():
            points, error = found.difference(one, other)
            true = (theta[int(one)] - theta[int(other)]) * ELO
            inside[name] += abs(points - true) < 1.96 * error
        inside["side"] += abs(found.side - 40 / ELO) < 1.96 * found.side_error
        nus.append(found.nu)
    for name, count in inside.items():
        assert 0.92 <= count / 200 <= 0.98, (name, count)
    assert np.mean(nus) == pytest.approx(0.6, abs=0.02)


def test_an_error_is_that_of_the_difference_and_not_a_sum() -> None:
    """Neighbours share their way to the anchor."""
    chain = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]
    players, results = league(LADDER, 100, seed=6, pairs=chain)
    found = fit(players, results)
    own = [found.elo(name)[1] for name in ("4", "5")]
    assert found.difference("5", "4")[1] < 0.6 * math.hypot(*own)


def test_an_unbeaten_player_gets_a_finite_rating_and_a_wide_error() -> None:
    points, error = fit(["a", "b"], [Result("b", "a", 64, 0, 0)]).elo("b")
    assert 700 < points < 1000
    assert 150 < error < 400


def test_games_that_are_all_draws_are_equal_players() -> None:
    found = fit(["a", "b"], [Result("a", "b", 0, 50, 0)])
    assert abs(found.elo("b")[0]) < 1e-6
    assert found.nu > 1


@pytest.mark.parametrize("draws", [1, 1000])
def test_extreme_results_have_ratings(draws: int) -> None:
    """Where a step of Newton's method would leap far past what a number can hold."""
    results = [
        Result("a", "b", 0, draws, 10_000),
        Result("b", "c", 0, 0, 1),
        Result("d", "c", 9999, 0, 0),
    ]
    found = fit(["a", "b", "c", "d"], results)
    assert np.isfinite(found.theta).all()
    assert np.isfinite(found.covariance).all()
    assert found.theta[1] > 2
    assert 0 < found.nu < 1000
    few = fit(["a", "b"], [Result("a", "b", 1, 1, 0), Result("b", "a", 0, 60, 0)])
    assert np.isfinite(few.theta).all()


def test_fixed_ratings_stay_and_place_the_others() -> None:
    theta = {"a": 0.0, "b": 1.0}
    results = [Result("c", "a", 73, 0, 27), Result("c", "b", 50, 0, 50)]
    found = fit(["a", "b", "c"], results, fixed=theta)
    assert found.theta[1] == 1.0
    assert found.elo("b")[1] == 0.0
    assert found.theta[2] == pytest.approx(1.0, abs=0.05)


def test_expected_scores_are_what_was_played() -> None:
    players, results = league(np.array([0.0, 1.0]), 4000, seed=7, side=0.4, nu=0.5)
    found = fit(players, results)
    score = sum(r.wins if r.first == "1" else r.losses for r in results)
    score = (score + 0.5 * sum(r.draws for r in results)) / 4000
    expected, error = found.score("1", "0")
    assert expected == pytest.approx(score, abs=0.002)
    assert 0.003 < error < 0.01
    assert found.better("1", "0") > 0.999 > 0.001 > found.better("0", "1")


def test_it_agrees_with_choix_where_the_models_coincide() -> None:
    import choix

    players, results = league(LADDER, 80, seed=8)
    pairs = []
    for r in results:
        pairs += [(int(r.first), int(r.second))] * r.wins
        pairs += [(int(r.second), int(r.first))] * r.losses
    theirs = choix.opt_pairwise(len(players), pairs, tol=1e-10)
    ours = fit(players, results, ghost=0.0, side_spread=0.0).theta
    assert np.abs(ours - (theirs - theirs[0])).max() * ELO < 0.01


def test_it_agrees_with_openspiel_s_elo_where_the_models_coincide() -> None:
    """No draws, no side, no prior."""
    elo = pytest.importorskip("pyspiel").elo
    players, results = league(LADDER, 80, seed=8)
    wins = np.zeros((len(players), len(players)), int)
    for r in results:
        wins[int(r.first), int(r.second)] += r.wins
        wins[int(r.second), int(r.first)] += r.losses
    options = elo.default_elo_options()
    options.smoothing_factor, options.convergence_delta = 0.0, 1e-14
    options.max_iterations = 100_000
    theirs = np.array(elo.compute_ratings_from_matrices(wins.tolist(), options=options))
    ours = fit(players, results, ghost=0.0, side_spread=0.0).theta * ELO
    assert np.abs(ours - (theirs - theirs[0])).max() < 0.01


def test_it_agrees_with_the_minorisation_that_programs_for_elo_use() -> None:
    """Hunter (2004), section 2: draws as half a win each, no prior."""
    players, results = league(LADDER, 80, seed=9)
    count = len(players)
    wins, games = np.zeros(count), np.zeros((count, count))
    for r in results:
        a, b = int(r.first), int(r.second)
        wins[a] += r.wins + r.draws / 2
        wins[b] += r.losses + r.draws / 2
        games[a, b] += r.games
        games[b, a] += r.games
    strength = np.ones(count)
    for _ in range(5000):
        strength = wins / (games / (strength[:, None] + strength)).sum(1)
        strength /= strength[0]
    ours = fit(players, results, ghost=0.0, side_spread=0.0).theta
    assert np.allclose(ours, np.log(strength), atol=1e-6)


@pytest.mark.parametrize(
    ("players", "results"),
    [
        (["a", "a"], []),
        (["a", "b"], [Result("a", "c", 1, 0, 0)]),
        (["a", "b"], [Result("a", "a", 1, 0, 0)]),
    ],
)
def test_what_cannot_be_rated_is_told(players: list[str], results: list[Result]) -> None:
    with pytest.raises(UsageError, match="player"):
        fit(players, results)
    with pytest.raises(UsageError, match="must be given"):
        fit(["a", "b"], [], fixed={"z": 0.0})
