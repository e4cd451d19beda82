"""What every vector must do."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

from skipjack.bench.steps import random_actions
from skipjack.errors import SkipjackError
from skipjack.vector import Vector


class VectorContract:
    """Tests of a vector. Override `make_vector`."""

    num_envs = 8

    def make_vector(self, groups: int = 1, final: str = "truncated") -> Vector:
        """A fresh vector of `num_envs` envs, always with the same settings."""
        raise NotImplementedError

    def digest(self, vector: Vector, steps: int, seed: int = 5) -> str:
        """A hash of everything that `steps` steps of every group deliver under random play."""
        found = hashlib.sha256()
        generators = [np.random.default_rng([seed, g]) for g in range(vector.groups)]
        batch = vector.reset(seed)
        for _ in range(steps * vector.groups):
            for array in (batch.observations, batch.rewards, batch.terminated, batch.truncated):
                found.update(array.tobytes())
            found.update(batch.alive.tobytes())
            if batch.action_mask is not None:
                found.update(batch.action_mask.tobytes())
            found.update(batch.final.rows.tobytes() + batch.final.observations.tobytes())
            found.update(batch.episodes.tobytes())
            batch = vector.step(random_actions(vector, generators[batch.group], len(batch.alive)))
        return found.hexdigest()

    def test_reset_twice_is_the_same(self) -> None:
        """A second reset with the same seed gives the same bytes."""
        vector = self.make_vector()
        assert self.digest(vector, 60) == self.digest(vector, 60)
        vector.close()

    def test_groups_take_turns(self) -> None:
        """Every group comes in order, its rows its own."""
        vector = self.make_vector(groups=2)
        batch = vector.reset(0)
        places = []
        for _ in range(6):
            places.append((batch.group, batch.rows.start, batch.rows.stop))
            batch = vector.step(random_actions(vector, np.random.default_rng(0), len(batch.alive)))
        assert [group for group, _, _ in places] == [0, 1, 0, 1, 0, 1]
        assert places[0][2] == places[1][1]
        vector.close()

    def test_groups_change_nothing_in_an_env(self) -> None:
        """An env's rows are the same in one group or in two, given the same actions."""
        whole, halves = self.make_vector(), self.make_vector(groups=2)
        a = whole.reset(1)
        b = [halves.reset(1), halves.recv()]
        for step in range(80):
            parts = np.concatenate([part.observations for part in b])
            assert np.array_equal(a.observations, parts)
            actions = random_actions(whole, np.random.default_rng(step), whole.num_rows)
            a = whole.step(actions)
            for part in b:
                halves.send(actions[part.rows], part.group)
            b = [halves.recv(), halves.recv()]
        whole.close()
        halves.close()

    def test_batch_stays_valid_until_the_next_send(self) -> None:
        """What a group delivered is untouched while another group is stepped."""
        vector = self.make_vector(groups=2)
        first = vector.reset(2)
        kept = first.observations.copy()
        second = vector.recv()
        for _ in range(5):
            vector.send(random_actions(vector, np.random.default_rng(1), len(second.alive)), 1)
            second = vector.recv()
            assert np.array_equal(first.observations, kept)
        vector.close()

    def test_save_load_goes_on_exactly(self) -> None:
        """A fresh vector that loads goes on as the saved one."""
        vector = self.make_vector(groups=2)
        self.digest(vector, 30)
        while vector._ready:  # receive what is under way
            vector.recv()
        saved = vector.save()
        if saved is None:
            pytest.skip("this engine cannot be saved")
        saved = {name: array.copy() for name, array in saved.items()}
        ends = []
        for candidate in (vector, self.make_vector(groups=2)):
            candidate.load(saved)
            batch = candidate.recv()
            assert len(batch.episodes) == 0
            for step in range(60):
                generator = np.random.default_rng(step)
                batch = candidate.step(random_actions(candidate, generator, len(batch.alive)))
            ends.append(batch.observations.copy())
            candidate.close()
        assert np.array_equal(ends[0], ends[1])

    def test_misuse_is_an_error_in_words(self) -> None:
        """Receiving before a reset, sending twice, wrong shapes, too many groups."""
        vector = self.make_vector()
        with pytest.raises(SkipjackError):
            vector.recv()
        batch = vector.reset(0)
        with pytest.raises(SkipjackError):
            vector.send(np.zeros((len(batch.alive) + 1, vector.action.width), vector.action.dtype))
        vector.send(random_actions(vector, np.random.default_rng(0), len(batch.alive)))
        with pytest.raises(SkipjackError):
            vector.send(random_actions(vector, np.random.default_rng(0), len(batch.alive)))
        vector.close()
        with pytest.raises(SkipjackError):
            self.make_vector(groups=self.num_envs + 1)

    def test_final_all(self) -> None:
        """`final="all"` keeps the last observation of every row that ended."""
        vector: Any = self.make_vector(final="all")
        batch = vector.reset(0)
        ended = 0
        for step in range(400):
            generator = np.random.default_rng(step)
            batch = vector.step(random_actions(vector, generator, len(batch.alive)))
            expected = np.flatnonzero(batch.terminated | batch.truncated)
            assert np.array_equal(batch.final.rows, expected)
            assert len(batch.final.observations) == len(expected)
            ended += len(expected)
        assert ended > 0
        vector.close()
