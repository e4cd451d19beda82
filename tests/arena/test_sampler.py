"""Whom the learner meets."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from skipjack.arena.sampler import DECAY, Rule, Sampler, thinned


def sampler(rule: Rule, points: dict[str, float]) -> Sampler:
    """Forty games against each, with that mean score."""
    found = Sampler(rule)
    found.keep(list(points))
    for name, score in points.items():
        found.take(name, np.repeat([1.0, 0.0], [round(40 * score), 40 - round(40 * score)]))
    return found


def test_pfsp_prefers_who_wins_but_looks_at_everybody() -> None:
    found = sampler("pfsp", {"easy": 1.0, "even": 0.5, "hard": 0.0}).chances()
    assert found[2] > 2 * found[1] > 4 * found[0]
    assert found.min() > 0.2 / 3 - 1e-9
    assert found.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("rule", "order"), [("variance", "even"), ("quality", "hard"), ("latest", "hard")]
)
def test_the_other_rules(rule: Rule, order: str) -> None:
    names = {"easy": 1.0, "even": 0.5, "hard": 0.0}
    found = sampler(rule, names)
    if rule == "latest":
        found.keep([f"old {at}" for at in range(5)] + list(names))
        assert (found.chances() > 0).sum() == 4
    else:
        assert list(names)[int(found.chances().argmax())] == order


def test_unknown_opponents_count_as_even() -> None:
    found = Sampler("pfsp")
    found.keep(["a", "b"])
    assert found.chances().tolist() == [0.5, 0.5]
    assert sampler("uniform", {"a": 1.0, "b": 0.0}).chances().tolist() == [0.5, 0.5]


def test_older_games_weigh_less() -> None:
    found = Sampler("pfsp")
    found.keep(["a"])
    found.take("a", np.array([1.0, 0.0]))
    assert found.scores[0].tolist() == pytest.approx([DECAY, 1 + DECAY])
    one, two = Sampler("pfsp"), Sampler("pfsp")
    for each in (one, two):
        each.keep(["a"])
    points = np.random.default_rng(0).integers(0, 2, 30).astype(float)
    one.take("a", points)
    for point in points:
        two.take("a", np.array([point]))
    assert np.allclose(one.scores, two.scores)


def test_a_newcomer_is_as_good_as_the_best_and_who_left_is_forgotten() -> None:
    found = sampler("quality", {"a": 1.0, "b": 0.0})
    found.keep(["b", "c"])
    assert found.quality[1] == found.quality.max()
    assert found.scores[1].tolist() == [0, 0]
    found.take("a", np.ones(3))  # a game that was under way when it left
    assert found.names == ["b", "c"]


def test_draws_follow_the_chances() -> None:
    found = sampler("pfsp", {"easy": 0.9, "hard": 0.2})
    drawn = [found.draw(seed) for seed in range(2000)]
    assert drawn.count("hard") / 2000 == pytest.approx(found.chances()[1], abs=0.03)
    assert found.draw(5) == found.draw(5)


def test_thinning_keeps_the_ends_and_spreads_the_rest() -> None:
    steps = [0] + [int(1000 * 1.125**at) for at in range(80)]
    kept = thinned(steps, 12)
    assert len(kept) == 12
    assert kept[0] == 0
    assert kept[-1] == steps[-1]
    assert kept == sorted(set(kept))
    assert thinned(steps[:5], 12) == steps[:5]
    assert thinned([0, 5], 2) == [0, 5]
    # One by one, as a run does it, comes to a spread too: no gap is most of the run.
    grown: list[int] = []
    for step in steps:
        grown = thinned([*grown, step], 12)
    assert max(b - a for a, b in itertools.pairwise(grown)) < 0.5 * steps[-1]
    # Nor do they crowd at either end: a third at least in the first quarter of the steps, a quarter behind.
    for found in (kept, grown):
        early = sum(step < steps[-1] / 4 for step in found)
        assert 4 <= early <= 9
