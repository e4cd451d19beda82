"""Advantages: the compiled ones, the readable twin, the definition and cases worked by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skipjack.train.returns import advantages, advantages_of_row
from tests.reference.returns import lambda_advantages


def compute(discount: float = 0.9, trace: float = 0.8, **table: Any) -> list[float]:
    """Advantages of one row; what is not given is 0, alive and not waiting."""
    time = len(table["rewards"])

    def column(name: str, fill: float = 0.0) -> Any:
        return np.array(table.get(name, [fill] * time), np.float32)[:, None]

    def flag(name: str, fill: bool = False) -> Any:
        return np.array(table.get(name, [fill] * time), np.bool_)[:, None]

    found = advantages(
        column("rewards"),
        column("values"),
        np.array([table.get("last_value", 0.0)], np.float32),
        column("final_values"),
        flag("terminated"),
        flag("truncated"),
        flag("alive", True),
        flag("waiting"),
        discount,
        trace,
    )
    return found[:, 0].tolist()


# Three steps, values 1, 2, 3, value after them 4, rewards 1, 10, 100, discount 0.9, lambda 0.8.
BASE = {"rewards": [1.0, 10.0, 100.0], "values": [1.0, 2.0, 3.0], "last_value": 4.0}


def test_three_steps_without_an_end() -> None:
    third = 100 + 0.9 * 4 - 3
    second = 10 + 0.9 * 3 - 2 + 0.72 * third
    first = 1 + 0.9 * 2 - 1 + 0.72 * second
    assert compute(**BASE) == pytest.approx([first, second, third], rel=1e-6)


def test_terminated_in_the_middle() -> None:
    third = 100 + 0.9 * 4 - 3
    second = 10 - 2
    first = 1 + 0.9 * 2 - 1 + 0.72 * second
    found = compute(**BASE, terminated=[0, 1, 0])
    assert found == pytest.approx([first, second, third], rel=1e-6)


def test_truncated_in_the_middle_is_worth_its_last_observation() -> None:
    third = 100 + 0.9 * 4 - 3
    second = 10 + 0.9 * 50 - 2
    first = 1 + 0.9 * 2 - 1 + 0.72 * second
    found = compute(**BASE, truncated=[0, 1, 0], final_values=[7, 50, 7])
    assert found == pytest.approx([first, second, third], rel=1e-6)


def test_an_end_at_the_last_step_hides_the_value_after_it() -> None:
    assert compute(**BASE, terminated=[0, 0, 1])[2] == pytest.approx(97)
    found = compute(**BASE, truncated=[0, 0, 1], final_values=[0, 0, 5])
    assert found[2] == pytest.approx(100 + 0.9 * 5 - 3)


def test_a_waiting_step_gives_its_reward_to_the_decision_before() -> None:
    # The row waits at the second step: its reward 10 belongs to the first, no time passes.
    third = 100 + 0.9 * 4 - 3
    first = (1 + 10) + 0.9 * 3 - 1 + 0.72 * third
    waiting = 10 + 3 + third - 2
    found = compute(**BASE, waiting=[0, 1, 0])
    assert found == pytest.approx([first, waiting, third], rel=1e-6)


def test_a_game_that_ends_while_waiting() -> None:
    first = (1 + 10) - 1
    found = compute(**BASE, waiting=[0, 1, 0], terminated=[0, 1, 0])
    assert found[0] == pytest.approx(first)
    assert found[1] == pytest.approx(10 - 2)


def test_a_dead_step_only_lets_time_pass() -> None:
    third = 100 + 0.9 * 4 - 3
    # Reward 10 a step later, the next decision two steps later.
    first = 1 + 0.9 * (10 + 0.9 * 3) - 1 + 0.72 * 0.9 * third
    found = compute(**BASE, alive=[1, 0, 1])
    assert found == pytest.approx([first, 0, third], rel=1e-6)


def test_nothing_leaks_over_an_end_or_into_another_row() -> None:
    """Changing all that comes after an end, or another row, changes nothing before or beside it."""
    generator = np.random.default_rng(0)
    time, rows = 12, 5

    def table() -> list[Any]:
        floats = generator.normal(size=(2, time, rows)).astype(np.float32)
        return [*floats, generator.normal(size=rows).astype(np.float32)]

    finals = generator.normal(size=(time, rows)).astype(np.float32)
    ended = np.zeros((time, rows), np.bool_)
    ended[6] = True
    none, alive = np.zeros_like(ended), np.ones_like(ended)
    for terminated, truncated in ((ended, none), (none, ended)):
        a, b = table(), table()
        for x, y in zip(a[:2], b[:2], strict=True):
            y[:7] = x[:7]
        one = advantages(*a, finals, terminated, truncated, alive, none, 0.99, 0.95)
        two = advantages(*b, finals, terminated, truncated, alive, none, 0.99, 0.95)
        assert np.array_equal(one[:7], two[:7])
        assert not np.array_equal(one[7:], two[7:])
    c = [part.copy() for part in a]
    for part in c:
        part[..., 1:] += 1
    three = advantages(*c, finals, none, none, alive, none, 0.99, 0.95)
    four = advantages(*a, finals, none, none, alive, none, 0.99, 0.95)
    assert np.array_equal(three[:, 0], four[:, 0])


FLOATS = ("rewards", "values", "last_values", "final_values")


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    time, rows = draw(st.integers(1, 24)), draw(st.integers(1, 4))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    share = draw(st.sampled_from([0.0, 0.2, 0.6]))

    def flags() -> Any:
        return generator.random((time, rows)) < share

    def floats(*shape: int) -> Any:
        return generator.normal(size=shape).astype(np.float32)

    terminated, alive = flags(), ~flags()
    return {
        "rewards": floats(time, rows),
        "values": floats(time, rows),
        "last_values": floats(rows),
        "final_values": floats(time, rows),
        "terminated": terminated,
        "truncated": flags() & ~terminated,
        "alive": alive,
        "waiting": flags() & alive,
        "discount": draw(st.sampled_from([0.0, 0.9, 0.99, 1.0])),
        "trace": draw(st.sampled_from([0.0, 0.8, 1.0])),
        "ratios": np.exp(floats(time, rows)),
        "importance_clip": draw(st.sampled_from([0.0, 0.7, 1.0, 3.0])),
    }


@given(tables())
@settings(max_examples=200, deadline=None)
def test_compiled_equals_the_readable_twin(table: dict[str, Any]) -> None:
    """To 1e-6 of the size of the numbers: float32 comes out, sums on the way are double."""
    found = advantages(**table)
    for row in range(found.shape[1]):
        columns = {
            name: value[:, row] if np.ndim(value) == 2 else value for name, value in table.items()
        }
        columns["last_value"] = columns.pop("last_values")[row]
        assert found[:, row] == pytest.approx(advantages_of_row(**columns), abs=1e-6, rel=1e-6)


@given(tables())
@settings(max_examples=200, deadline=None)
def test_compiled_equals_the_definition(table: dict[str, Any]) -> None:
    """Dead and waiting steps anywhere, an episode's first among them, and importance weights."""
    found = advantages(**table)
    names = ("rewards", "values", "final_values", "terminated", "truncated", "alive", "waiting")
    for row in range(found.shape[1]):
        columns = {name: table[name][:, row].tolist() for name in names}
        if table["importance_clip"]:
            clipped = np.minimum(
                table["ratios"][:, row].astype(np.float64), table["importance_clip"]
            )
            columns["weights"] = clipped.tolist()
        expected = lambda_advantages(
            columns, float(table["last_values"][row]), table["discount"], table["trace"]
        )
        assert found[:, row] == pytest.approx(expected, abs=1e-6, rel=1e-6)


@given(tables())
@settings(max_examples=200, deadline=None)
def test_importance_weights_give_the_targets_of_v_trace(table: dict[str, Any]) -> None:
    """Espeholt et al. 2018, equation 1, with lambda, written as a sum of products."""
    table["alive"] = np.ones_like(table["alive"])
    table["waiting"] = np.zeros_like(table["waiting"])
    table["importance_clip"] = clip = max(table["importance_clip"], 0.7)
    weights = np.minimum(table["ratios"].astype(np.float64), clip)
    targets = table["values"] + weights * advantages(**table)
    time, rows = targets.shape
    decay = table["discount"] * table["trace"]
    table |= {name: part.astype(np.float64) for name, part in table.items() if name in FLOATS}
    for row in range(rows):

        def delta(t: int, row: int = row) -> float:
            if table["terminated"][t, row]:
                after = 0.0
            elif table["truncated"][t, row]:
                after = table["final_values"][t, row]
            else:
                after = table["values"][t + 1, row] if t + 1 < time else table["last_values"][row]
            return table["rewards"][t, row] + table["discount"] * after - table["values"][t, row]

        for start in range(time):
            total, product = float(table["values"][start, row]), 1.0
            for t in range(start, time):
                total += decay ** (t - start) * product * weights[t, row] * delta(t)
                product *= weights[t, row]
                if table["terminated"][t, row] or table["truncated"][t, row]:
                    break
            size = 1 + abs(total) + abs(table["values"][start, row])
            assert targets[start, row] == pytest.approx(total, abs=1e-6 * size)


def test_importance_weights_of_one_change_nothing() -> None:
    generator = np.random.default_rng(0)
    rewards, values = generator.normal(size=(2, 9, 4)).astype(np.float32)
    flags = np.zeros((9, 4), np.bool_)
    rest = (values[0], values, flags, flags, ~flags, flags, 0.9, 0.8)
    plain = advantages(rewards, values, *rest)
    assert np.array_equal(plain, advantages(rewards, values, *rest, np.ones_like(values), 1.0))
