"""The vector contract over every backend, and equality of all of them with the reference."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from skipjack import registry
from skipjack.errors import SkipjackError
from skipjack.rows import Rows
from skipjack.spaces import Actions
from skipjack.testing.corridor import Corridor
from skipjack.testing.vector import VectorContract
from skipjack.vector import Serial, Threads, Vector, make
from tests.games.test_contract import engine_of


class TestSerial(VectorContract):
    def make_vector(self, groups: int = 1, final: str = "truncated") -> Vector:
        return Serial(engine_of("cartpole", self.num_envs), groups=groups, final=final)


class TestThreads(VectorContract):
    def make_vector(self, groups: int = 1, final: str = "truncated") -> Vector:
        return Threads(engine_of("breakout", self.num_envs), 3, groups=groups, final=final)

    def make_reference(self, groups: int = 1, final: str = "truncated") -> Vector:
        return Serial(engine_of("breakout", self.num_envs), groups=groups, final=final)


class TestThreadsOfTwoSeats(VectorContract):
    def make_vector(self, groups: int = 1, final: str = "truncated") -> Vector:
        engine = engine_of("pong/two", self.num_envs, time_limit=400)
        return Threads(engine, 2, groups=groups, final=final)

    def make_reference(self, groups: int = 1, final: str = "truncated") -> Vector:
        return Serial(
            engine_of("pong/two", self.num_envs, time_limit=400), groups=groups, final=final
        )


class TestSerialCorridor(VectorContract):
    def make_vector(self, groups: int = 1, final: str = "truncated") -> Vector:
        return Serial(Corridor(self.num_envs), groups=groups, final=final)


class TestThreadsCorridor(VectorContract):
    def make_vector(self, groups: int = 1, final: str = "truncated") -> Vector:
        return Threads(Corridor(self.num_envs), 2, groups=groups, final=final)

    def make_reference(self, groups: int = 1, final: str = "truncated") -> Vector:
        return Serial(Corridor(self.num_envs), groups=groups, final=final)


ALL = [*sorted(registry.GAMES), "pong/two", "snake/small", "corridor"]


@pytest.mark.parametrize("name", ALL)
def test_threads_change_nothing(name: str) -> None:
    """Same seed and actions, same bytes over 10,000 steps on 1, 2, 3 and 7 threads."""
    steps = 10_000

    def engine() -> Any:
        return Corridor(5) if name == "corridor" else engine_of(name, 14)

    contract = VectorContract()
    if name == "corridor":
        steps = 500  # plain Python: the same check, fewer steps
    reference = contract.digest(Serial(engine()), steps)
    for threads in (1, 2, 3, 7):
        vector = Threads(engine(), threads)
        assert contract.digest(vector, steps) == reference, f"{threads} threads differ"
        vector.close()


@pytest.mark.parametrize("groups", [2, 7])
def test_threads_with_groups_change_nothing(groups: int) -> None:
    contract = VectorContract()
    reference = contract.digest(Serial(engine_of("pong", 14), groups=groups), 1000)
    for threads in (2, 5):
        vector = Threads(engine_of("pong", 14), threads, groups=groups)
        assert contract.digest(vector, 1000) == reference
        vector.close()


def test_threads_are_not_lost_under_load() -> None:
    """Many short steps with idle gaps between them: no chunk is run twice or left out."""
    vector = make("truncation", num_envs=64, threads=4, config={"desynchronise": False})
    batch = vector.reset(0)
    stay = np.zeros((64, 1), np.int32)
    for step in range(1, 20_001):
        batch = vector.step(stay)
        assert batch.truncated.all() == (step % 8 == 0)
    vector.close()


def test_make_takes_settings_and_refuses_unknown_ones() -> None:
    vector = make("breakout", num_envs=2, threads=1, config={"frame_skip": 1})
    assert vector.engine.config.frame_skip == 1
    with pytest.raises(SkipjackError, match="frame_skip"):
        make("breakout", num_envs=2, config={"frame_skp": 1})
    with pytest.raises(SkipjackError, match="time_limit"):
        make("breakout", num_envs=2, config={"time_limit": 0})
    with pytest.raises(SkipjackError, match="num_envs"):
        make("breakout", num_envs=0)


@pytest.mark.parametrize("count", [2.5, "2", None, -1])
def test_counts_must_be_whole_numbers(count: Any) -> None:
    for what in ("num_envs", "threads", "groups"):
        with pytest.raises(SkipjackError, match=f"(?i){what} must be a whole number"):
            make("pong", **({"num_envs": 2} | {what: count}))


def test_what_is_sent_must_fit() -> None:
    """Told in words, and nothing has begun: the right actions go through afterwards."""
    vector = Serial(engine_of("cartpole", 4), groups=2)
    right = np.zeros((2, 1), np.int32)
    with pytest.raises(SkipjackError, match="must be received before"):
        vector.send(right)
    with pytest.raises(SkipjackError, match=r"reset\(\) or send\(\) must come before recv"):
        vector.recv()
    vector.reset(0)
    for group in (-1, 1, 2, 10):
        with pytest.raises(SkipjackError, match=f"must be received before .*group={group}"):
            vector.send(right, group=group)
    for wrong, words in [
        (right.astype(np.float32), "choices must be whole numbers"),
        (right.astype(np.complex64), "choices must be whole numbers"),
        (np.array([["a"], ["b"]]), "choices must be whole numbers"),
        ([[0], [None]], "choices must be whole numbers"),
        ([[0], [0, 1]], "actions must be an array"),
        (right[:1], "one row for each row"),
        (right[:, :0], "one row for each row"),
        (5, "one row for each row"),
    ]:
        with pytest.raises(SkipjackError, match=f"(?i){words}"):
            vector.send(wrong)
    vector.send(right)
    with pytest.raises(SkipjackError, match="must be received before"):
        vector.send(right, group=0)


class Leaning(Corridor):
    """Corridors in which 1.0 is a step to the right."""

    def __init__(self, num_envs: int) -> None:
        super().__init__(num_envs)
        self.action = Actions.continuous(1)

    def bind(self, rows: Rows, row_of: Any, final_all: bool = False) -> None:
        unseen = np.zeros((len(rows.alive), 2), np.uint8)
        super().bind(dataclasses.replace(rows, action_mask=unseen), row_of, final_all)


@pytest.mark.parametrize("wrong", [np.array([["a"], ["b"]]), np.ones((2, 1), complex), [[{}], [1]]])
def test_real_actions_must_be_real_numbers(wrong: Any) -> None:
    vector = Serial(Leaning(1))
    vector.reset(0)
    with pytest.raises(SkipjackError, match="Actions must be real numbers"):
        vector.send(wrong)
    vector.send([[1], [0.5]])
    assert vector.rows.actions.ravel().tolist() == [1.0, 0.5]


def test_groups_must_divide_envs() -> None:
    with pytest.raises(SkipjackError, match="multiple of the number of groups"):
        make("cartpole", num_envs=10, groups=4)


def test_rows_of_a_group_must_lie_together() -> None:
    engine = engine_of("cartpole", 4)
    scattered = np.array([[0], [2], [1], [3]], np.int32)
    Serial(engine, row_of=scattered)
    with pytest.raises(SkipjackError, match="lie together"):
        Serial(engine_of("cartpole", 4), groups=2, row_of=scattered)
    with pytest.raises(SkipjackError, match="permutation"):
        Serial(engine_of("cartpole", 4), row_of=np.zeros((4, 1), np.int32))


def test_records_come_in_the_order_of_rows() -> None:
    engine = engine_of("truncation", 6, desynchronise=False)
    backwards = np.arange(6, dtype=np.int32)[::-1].reshape(6, 1).copy()
    vector = Serial(engine, row_of=backwards)
    vector.reset(0)
    batch = vector.step(np.ones((6, 1), np.int32))
    assert list(batch.episodes["row"]) == list(range(6))
    assert list(batch.episodes["env"]) == list(range(5, -1, -1))
