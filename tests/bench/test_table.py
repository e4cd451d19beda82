"""Tables and curves: medians, ranges, what counts as a difference, bins."""

from __future__ import annotations

from typing import Any

import pytest

from skipjack.bench import curves, table
from skipjack.bench.table import Spread

MACHINE = {"cpu": "one", "cores": 2}


def result(env: str, seed: int, score: float, speed: float = 100.0, **more: Any) -> dict[str, Any]:
    return {
        "env": env, "seed": seed, "skipjack": "0.1.0", "target": 0.95, "score": score,
        "score_ci95": 0.01, "random_score": 0.1, "steps": 1e6, "seconds": 1e6 / speed,
        "machine": MACHINE, "steps_per_second": speed,
        "reached": {"steps": 5e5, "seconds": 5e5 / speed}, **more,
    }  # fmt: skip


def results(scores: list[float], speed: float = 100.0) -> list[dict[str, Any]]:
    return [result("pong", seed, score, speed) for seed, score in enumerate(scores, 1)]


def as_file(rows: list[dict[str, Any]], **machine: Any) -> dict[str, Any]:
    rows = [row | {"machine": MACHINE | machine} for row in rows]
    return {"results": {str(i): row for i, row in enumerate(rows)}}


def test_a_difference_is_beyond_both_ranges_and_needs_enough_seeds() -> None:
    one = Spread(2.0, 1.0, 3.0, 3)
    assert not one.differs(Spread(3.5, 3.0, 4.0, 3))
    assert one.differs(Spread(3.5, 3.1, 4.0, 3))
    assert one.differs(Spread(0.5, 0.1, 0.9, 3))
    assert not one.differs(Spread(9.0, 9.0, 9.0, 2))
    assert not one.widened(0.2).differs(Spread(3.5, 3.1, 4.0, 3))


def test_summaries() -> None:
    rows = [
        result("b", 1, 0.5, reached=None),
        result("a", 1, 0.8),
        result("b", 2, 0.7),
        {"env": "b", "seed": 3, "error": "It broke."},
    ]
    first, second = table.summarise(rows)
    assert (first.env, second.env) == ("b", "a")
    assert first.score == Spread(0.6, 0.5, 0.7, 2)
    assert (first.finished, first.reached, first.errors) == (2, 1, {3: "It broke."})
    assert first.seconds_to == Spread(5000.0, 5000.0, 5000.0, 1)
    assert second.random_score == 0.1


def test_failed_and_empty_cells() -> None:
    rows = [
        {"env": "a", "seed": 1, "error": "It broke."},
        result("b", 1, 0.5, target=None, reached=None),
    ]
    lines = table.render(table.summarise(rows)).splitlines()
    assert [cell.strip() for cell in lines[2].split("|")[1:4]] == ["a", "failed", "-"]
    assert [cell.strip() for cell in lines[3].split("|")[4:8]] == ["-", "-", "-", "-"]
    assert lines[-1] == "a, seed 1, failed: It broke."


@pytest.mark.parametrize(
    ("before", "arrows"),
    [
        (as_file(results([0.9, 0.91, 0.92])), ""),
        (as_file(results([0.80, 0.81, 0.82])), "↑ from 0.810"),
        (as_file(results([0.97, 0.98, 0.99])), "↓ from 0.980"),
        (as_file(results([0.86, 0.87, 0.89])), ""),  # apart, but within the intervals of 0.01 each
        (as_file(results([0.5])), ""),  # one seed says nothing of noise
    ],
)
def test_arrows(before: dict[str, Any], arrows: str) -> None:
    text = table.render(table.summarise(results([0.9, 0.91, 0.92])), before)
    assert ("from" in text) == bool(arrows)
    assert arrows in text


def test_speeds_are_compared_on_the_same_machine_alone() -> None:
    now = table.summarise(results([0.9, 0.91, 0.92], speed=200.0))
    same = table.render(now, as_file(results([0.9, 0.91, 0.92])))
    assert "200 ↑ from 100" in same
    assert "2500.0 ↓ from 5000.0" in same
    other = table.render(now, as_file(results([0.9, 0.91, 0.92]), cores=64))
    assert "from" not in other


# ---- curves ----


def row(steps: float, score: float | None, episodes: int = 1) -> dict[str, Any]:
    return {"steps": steps, "seconds": steps / 10, "episodes": episodes, "episodes/score": score}


def test_bins_weigh_episodes_and_keep_the_last_score() -> None:
    rows = [
        row(10, None, 0),
        row(25, 0.0, 3),
        row(50, 1.0, 1),
        row(60, 0.5),
        {"kind": "evaluation"},
    ]
    assert curves.binned(rows, "steps", 100, bins=4) == [0.0, 1.0, 0.5, 0.5]
    assert curves.binned(rows, "steps", 100, bins=2) == [0.25, 0.5]
    assert curves.binned(rows, "seconds", 10, bins=10)[:3] == [None, None, 0.0]


def test_curves_over_seeds() -> None:
    """A run that ended early stays where it ended; where no seed has an episode there is no point."""
    one = [row(50, 0.2), row(100, 0.4)]
    two = [row(50, 0.6)]
    found = curves.curve([one, two, []], "steps", bins=4)
    assert [point[0] for point in found] == [50.0, 75.0, 100.0]
    assert found[0][1:] == (0.4, 0.2, 0.6)
    assert found[-1][1:] == (0.5, 0.4, 0.6)
    assert curves.curve([], "steps") == []
