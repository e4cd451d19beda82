"""The contract suites find what they are for: each fault below fails the test that names it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from skipjack.rows import Batch
from skipjack.testing.corridor import Corridor, CorridorConfig
from skipjack.testing.engine import EngineContract
from skipjack.testing.vector import VectorContract
from skipjack.vector import Serial, Vector

# ---- engines ----


class Deaf(Corridor):
    """Ignores its seed."""

    def reset(self, lo: int, hi: int, seeds: Any) -> None:
        super().reset(lo, hi, np.zeros_like(seeds))


class Blank(Corridor):
    """Gives one and the same last observation, within bounds."""

    last = 0.5

    def _end(self, env: int, seat: int, truncated: bool, goal: bool) -> None:
        super()._end(env, seat, truncated, goal)
        if truncated or self.final_all:
            self.rows.final[self.row_of[env, seat]] = self.last


class Wild(Blank):
    """Gives a last observation out of bounds."""

    last = 9.0


class Early(Corridor):
    """Keeps the observation before the last one."""

    def _step(self, env: int) -> None:
        before = self.rows.observations[self.row_of[env]].copy()
        super()._step(env)
        for row, seen in zip(self.row_of[env], before, strict=True):
            if self.rows.truncated[row]:
                self.rows.final[row] = seen


class Stuck(Corridor):
    """Forbids everybody to act from the tenth tick of an episode on."""

    def step(self, lo: int, hi: int) -> None:
        super().step(lo, hi)
        for env in np.flatnonzero(self.state["clock"][lo:hi] >= 10) + lo:
            self.rows.action_mask[self.row_of[env]] = 0


def contract(engine_class: type[Corridor], random: bool = True) -> EngineContract:
    suite = EngineContract()
    suite.random = random
    suite.make_engine = lambda n: engine_class(n, CorridorConfig(time_limit=12))  # type: ignore[method-assign]
    suite.make_longer = lambda n: engine_class(n, CorridorConfig(time_limit=90))  # type: ignore[method-assign]
    return suite


def test_an_engine_that_ignores_its_seed_must_say_so() -> None:
    with pytest.raises(AssertionError):
        contract(Deaf).test_another_seed_is_another_game()
    contract(Deaf, random=False).test_another_seed_is_another_game()
    with pytest.raises(AssertionError):
        contract(Corridor, random=False).test_another_seed_is_another_game()


@pytest.mark.parametrize("final_all", [False, True])
@pytest.mark.parametrize("engine_class", [Blank, Wild, Early])
def test_a_wrong_last_observation_is_found(engine_class: Any, final_all: bool) -> None:
    with pytest.raises(AssertionError):
        contract(engine_class).assert_truncated_rows_keep(final_all)


def test_a_last_observation_out_of_bounds_is_found_without_a_longer_engine() -> None:
    with pytest.raises(AssertionError):
        contract(Wild).test_final_observations()


def test_a_mask_that_stops_everybody_is_found() -> None:
    words = "no seat of env [0-5] may act.*must allow a choice"
    with pytest.raises(AssertionError, match=words):
        contract(Stuck).test_somebody_may_act()
    short = contract(Stuck)
    short.make_engine = lambda n: Stuck(n, CorridorConfig(time_limit=9))  # type: ignore[method-assign]
    with pytest.raises(AssertionError, match=words):
        short.test_somebody_may_act()
    short.make_longer = lambda n: None  # type: ignore[method-assign]
    short.test_somebody_may_act()


def test_a_longer_engine_that_cuts_nothing_is_no_proof() -> None:
    suite = contract(Corridor)
    suite.steps = 8
    with pytest.raises(AssertionError, match="no row was truncated"):
        suite.test_a_truncated_row_keeps_what_would_have_come()


# ---- vectors ----


class Poor(Serial):
    """Delivers no rewards."""

    def _batch(self, group: int) -> Batch:
        batch = super()._batch(group)
        return dataclasses.replace(batch, rewards=np.zeros_like(batch.rewards))


class Mixed(Serial):
    """Swaps two rows of the second group."""

    def _batch(self, group: int) -> Batch:
        batch = super()._batch(group)
        order = np.arange(len(batch.alive))
        if group == 1:
            order[:2] = 1, 0
        return dataclasses.replace(batch, observations=batch.observations[order])


class Forgetful(Serial):
    """Starts one env of the first group anew when it loads."""

    def load(self, saved: Any) -> None:
        super().load(saved)
        kept = {name: array.copy() for name, array in self.rows.arrays().items()}
        self.engine.reset(1, 2, np.array([7], np.uint64))
        for name, array in self.rows.arrays().items():
            array[:] = kept[name]


class Stale(Serial):
    """Loads the engine and leaves the rows as they are."""

    def load(self, saved: Any) -> None:
        kept = {name: array.copy() for name, array in self.rows.arrays().items()}
        super().load(saved)
        for name in ("rewards", "terminated", "alive"):
            self.rows.arrays()[name][:] = kept[name]


def suite_of(vector_class: type[Serial]) -> VectorContract:
    suite = VectorContract()
    suite.steps = 80

    def make(groups: int = 1, final: str = "truncated", kind: Any = vector_class) -> Vector:
        return kind(Corridor(suite.num_envs), groups=groups, final=final)

    suite.make_vector = make  # type: ignore[method-assign]
    suite.make_reference = lambda groups=1, final="truncated": make(groups, final, Serial)  # type: ignore[method-assign]
    return suite


def test_rewards_that_are_always_nothing_are_found() -> None:
    with pytest.raises(AssertionError):
        suite_of(Poor).test_rewards_and_steps_add_up_to_the_records()
    with pytest.raises(AssertionError, match="rewards differ"):
        suite_of(Poor).test_equals_the_reference(1, "truncated")


def test_a_second_group_that_is_mixed_up_is_found() -> None:
    with pytest.raises(AssertionError, match="observations differ"):
        suite_of(Mixed).test_equals_the_reference(2, "all")
    with pytest.raises(AssertionError, match="observations differ"):
        suite_of(Mixed).test_groups_change_nothing_in_an_env()


@pytest.mark.parametrize("vector_class", [Forgetful, Stale])
def test_a_load_that_does_not_bring_all_back_is_found(vector_class: Any) -> None:
    with pytest.raises(AssertionError):
        suite_of(vector_class).test_save_load_goes_on_exactly()


def test_the_faultless_pass() -> None:
    suite = suite_of(Serial)
    suite.test_rewards_and_steps_add_up_to_the_records()
    suite.test_equals_the_reference(2, "all")
    suite.test_groups_change_nothing_in_an_env()
    suite.test_save_load_goes_on_exactly()
    contract(Corridor).test_a_truncated_row_keeps_what_would_have_come()
    contract(Corridor).test_somebody_may_act()
