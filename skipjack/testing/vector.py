"""What every vector must do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from skipjack.errors import SkipjackError
from skipjack.rows import Batch
from skipjack.vector import Vector


class VectorContract:
    """Tests of a vector. Override `make_vector`, and `make_reference` where there is one.

    Attributes:
        num_envs: envs of each vector.
        steps: steps of a play; they should cover several episodes.
    """

    num_envs = 8
    steps = 400

    def make_vector(self, groups: int = 1, final: str = "truncated") -> Vector:
        """A fresh vector of `num_envs` envs, always with the same settings."""
        raise NotImplementedError

    def make_reference(self, groups: int = 1, final: str = "truncated") -> Vector | None:
        """A vector that this one must equal, such as `Serial` over the same engine."""
        return None

    def told(self, batch: Batch) -> dict[str, bytes]:
        """Everything that a batch says, as bytes by name."""
        names = ("observations", "rewards", "terminated", "truncated", "alive", "action_mask")
        arrays = {name: getattr(batch, name) for name in names}
        arrays |= {"final.rows": batch.final.rows, "final": batch.final.observations}
        arrays |= {"episodes": batch.episodes, "place": np.array([batch.group, batch.rows.start])}
        return {name: array.tobytes() for name, array in arrays.items() if array is not None}

    def play(self, vector: Vector, steps: int, seed: int = 5) -> Iterator[dict[str, bytes]]:
        """What `steps` steps of every group tell from a reset on, under random play.

        One group is received while the others are under way.
        """
        generators = [np.random.default_rng([seed, g]) for g in range(vector.groups)]
        batch = vector.reset(seed)
        for _ in range(steps * vector.groups):
            yield self.told(batch)
            batch = vector.step(vector.action.draw(generators[batch.group], len(batch.alive)))

    def go_on(self, vector: Vector, steps: int, seed: int = 6) -> Iterator[dict[str, bytes]]:
        """The same from where a vector stands, all groups received: before and after."""
        generator = np.random.default_rng(seed)
        for _ in range(steps):
            for group in range(vector.groups):
                rows = vector.rows_of(group)
                vector.send(vector.action.draw(generator, rows.stop - rows.start), group)
            for _ in range(vector.groups):
                yield self.told(vector.recv())

    def digest(self, vector: Vector, steps: int, seed: int = 5) -> str:
        """A hash of everything that `play` tells."""
        found = hashlib.sha256()
        for told in self.play(vector, steps, seed):
            for part in told.values():
                found.update(part)
        return found.hexdigest()

    @pytest.mark.parametrize("groups", [1, 2])
    @pytest.mark.parametrize("final", ["truncated", "all"])
    def test_equals_the_reference(self, groups: int, final: str) -> None:
        """Every array of every step of every group, byte for byte."""
        vector, reference = self.make_vector(groups, final), self.make_reference(groups, final)
        if reference is None:
            pytest.skip("there is no reference to compare with")
        plays = self.play(vector, self.steps), self.play(reference, self.steps)
        for step, (own, other) in enumerate(zip(*plays, strict=True)):
            assert own.keys() == other.keys()
            for name in own:
                assert own[name] == other[name], f"{name} differ at step {step}"
        vector.close()
        reference.close()

    def test_rewards_and_steps_add_up_to_the_records(self) -> None:
        """An episode's return is the sum of its row's rewards, its length counts its steps."""
        vector, ended = self.make_vector(), 0
        returns, lengths = np.zeros(vector.num_rows), np.zeros(vector.num_rows, np.int64)
        batch = vector.reset(3)
        for step in range(self.steps):
            lengths += batch.may_act
            generator = np.random.default_rng(step)
            batch = vector.step(vector.action.draw(generator, len(batch.alive)))
            returns += batch.rewards
            over = np.flatnonzero(batch.terminated | batch.truncated)
            assert list(batch.episodes["row"]) == list(over)
            assert batch.episodes["return"] == pytest.approx(returns[over], abs=1e-4)
            assert list(batch.episodes["length"]) == list(lengths[over])
            returns[over], lengths[over] = 0, 0
            ended += len(over)
        assert ended > 0, "raise `steps`: no episode ended"
        vector.close()

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
            batch = vector.step(vector.action.draw(np.random.default_rng(0), len(batch.alive)))
        assert [group for group, _, _ in places] == [0, 1, 0, 1, 0, 1]
        assert places[0][2] == places[1][1]
        vector.close()

    def test_groups_change_nothing_in_an_env(self) -> None:
        """An env's rows are the same in one group or in two, given the same actions."""
        whole, halves = self.make_vector(), self.make_vector(groups=2)
        a = whole.reset(1)
        b = [halves.reset(1), halves.recv()]
        for step in range(self.steps):
            for name in ("observations", "rewards", "terminated", "truncated", "alive"):
                parts = np.concatenate([getattr(part, name) for part in b])
                assert np.array_equal(getattr(a, name), parts), f"{name} differ at step {step}"
            ended = np.concatenate([part.final.rows + part.rows.start for part in b])
            assert np.array_equal(a.final.rows, ended)
            assert a.episodes.tobytes() == b"".join(part.episodes.tobytes() for part in b)
            actions = whole.action.draw(np.random.default_rng(step), whole.num_rows)
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
            vector.send(vector.action.draw(np.random.default_rng(1), len(second.alive)), 1)
            second = vector.recv()
            assert np.array_equal(first.observations, kept)
        vector.close()

    def test_save_load_goes_on_exactly(self) -> None:
        """A vector that loads, fresh or used, goes on as the saved one: all groups, every step."""
        vector = self.make_vector(groups=2)
        vector.reset(5)
        vector.recv()
        *_, first, second = self.go_on(vector, 30)
        saved = vector.save()
        if saved is None:
            pytest.skip("this engine cannot be saved")
        saved = {name: array.copy() for name, array in saved.items()}
        expected = list(self.go_on(vector, self.steps))
        for candidate in (vector, self.make_vector(groups=2)):
            candidate.load(saved)
            for told in (first, second):
                batch = candidate.recv()
                assert len(batch.episodes) == len(batch.final.rows) == 0  # they were told already
                now = self.told(batch)
                for name in now.keys() - {"final", "final.rows", "episodes"}:
                    assert now[name] == told[name], f"{name} differ after load"
            assert list(self.go_on(candidate, self.steps)) == expected
            candidate.close()

    def test_misuse_is_an_error_in_words(self) -> None:
        """Receiving before a reset, sending twice, wrong shapes, too many groups."""
        vector = self.make_vector()
        with pytest.raises(SkipjackError):
            vector.recv()
        batch = vector.reset(0)
        with pytest.raises(SkipjackError):
            vector.send(np.zeros((len(batch.alive) + 1, vector.action.width), vector.action.dtype))
        vector.send(vector.action.draw(np.random.default_rng(0), len(batch.alive)))
        with pytest.raises(SkipjackError):
            vector.send(vector.action.draw(np.random.default_rng(0), len(batch.alive)))
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
            batch = vector.step(vector.action.draw(generator, len(batch.alive)))
            expected = np.flatnonzero(batch.terminated | batch.truncated)
            assert np.array_equal(batch.final.rows, expected)
            assert len(batch.final.observations) == len(expected)
            ended += len(expected)
        assert ended > 0
        vector.close()
