"""What every engine must do."""

from __future__ import annotations

import itertools
from typing import Any
from unittest import SkipTest

import numpy as np
import numpy.typing as npt

from skipjack.errors import SkipjackError
from skipjack.native.scene import Scene
from skipjack.rows import Rows, episode_dtype, identity_rows
from skipjack.seeding import env_seeds

# No pytest here: `skipjack check` runs these tests without it, and pytest knows unittest's SkipTest.


class EngineContract:
    """Tests of an engine. Override `make_engine`, and `make_longer` where there is a time limit.

    Attributes:
        steps: steps of a play; they should cover several episodes.
        random: whether the seed makes a difference; false for a game in which nothing is random.
    """

    steps = 300
    random = True

    def make_engine(self, num_envs: int) -> Any:
        """A fresh engine of `num_envs` envs, always with the same settings."""
        raise NotImplementedError

    def make_longer(self, num_envs: int) -> Any:
        """The same engine with a longer time limit, to see what would have come; None without one."""
        return None

    def played(
        self, num_envs: int = 6, steps: int | None = None, ranges: int = 1, **how: Any
    ) -> tuple[Any, Rows, list[dict[str, npt.NDArray[Any]]]]:
        """An engine after random play, its rows, and a copy of rows and records of each step."""
        engine = self.make_engine(num_envs)
        rows = Rows.allocate(num_envs * engine.seats, engine.observation, engine.action)
        row_of = how.get("row_of", identity_rows(num_envs, engine.seats))
        engine.bind(rows, row_of, how.get("final_all", False))
        engine.reset(0, num_envs, env_seeds(how.get("seed", 3), 0, num_envs))
        cuts = [num_envs * i // ranges for i in range(ranges + 1)]
        seen = [self.copied(rows, engine.records(0, 0))]
        for step in range(self.steps if steps is None else steps):
            self.act(engine, rows, row_of, step)
            for lo, hi in itertools.pairwise(cuts):
                engine.step(lo, hi)
            seen.append(self.copied(rows, engine.records(0, num_envs)))
        return engine, rows, seen

    def started(self, engine: Any, final_all: bool) -> tuple[Any, Rows, npt.NDArray[np.int32]]:
        """An engine just reset, its rows, and whose they are."""
        rows = Rows.allocate(engine.num_envs * engine.seats, engine.observation, engine.action)
        row_of = identity_rows(engine.num_envs, engine.seats)
        engine.bind(rows, row_of, final_all)
        engine.reset(0, engine.num_envs, env_seeds(3, 0, engine.num_envs))
        return engine, rows, row_of

    def act(self, engine: Any, rows: Rows, row_of: npt.NDArray[np.int32], step: int) -> None:
        """Random actions that depend on env, seat and step alone: legal ones, every eighth step any."""
        masks = rows.action_mask if step % 8 < 7 else None
        for env in range(engine.num_envs):
            generator = np.random.default_rng([step, env])
            for row in row_of[env]:
                legal = None if masks is None else masks[[row]]
                rows.actions[row] = engine.action.draw(generator, 1, legal)[0]

    def copied(self, rows: Rows, records: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
        """Copies of everything that an engine writes, but `final`, which keeps what is old."""
        named = {name: array.copy() for name, array in rows.arrays().items() if name != "final"}
        return named | {"records": records}

    def test_declares_what_it_is(self) -> None:
        """Names, seats and layouts are there and fit."""
        engine = self.make_engine(2)
        assert engine.num_envs == 2
        assert engine.seats == len(engine.teams) >= 1
        assert len(engine.statistics) <= 64
        assert engine.observation.size >= 1
        assert engine.action.width >= 1

    def test_observations_keep_their_bounds(self) -> None:
        """Values lie within what the layout says, and are finite."""
        engine, _, seen = self.played()
        for step in seen:
            self.assert_within_bounds(engine, step["observations"])

    def test_flags_and_records_agree(self) -> None:
        """One record for each row that ended, with its sums; never both flags at once."""
        engine, rows, seen = self.played()
        totals = np.zeros(len(rows.alive))
        lengths = np.zeros(len(rows.alive), np.int64)
        episodes = np.zeros(len(rows.alive), np.int64)
        for before, step in itertools.pairwise(seen):
            records = step["records"]
            room = records.dtype["stats"].shape[0]
            assert records.dtype == episode_dtype([""] * room)
            assert len(engine.statistics) <= room
            may_act = before["alive"].copy()
            if "action_mask" in before:
                may_act &= before["action_mask"].any(axis=1)
            totals += step["rewards"]
            lengths += may_act
            assert not (step["terminated"] & step["truncated"]).any()
            ended = np.flatnonzero(step["terminated"] | step["truncated"])
            assert sorted(records["row"]) == list(ended)
            for record in records:
                row = record["row"]
                assert abs(record["return"] - totals[row]) <= 1e-4
                assert record["length"] == lengths[row]
                assert record["episode"] == episodes[row]
                assert record["truncated"] == step["truncated"][row]
                assert record["team"] == engine.teams[record["seat"]]
                assert np.isnan(record["score"]) or 0 <= record["score"] <= 1
                assert np.isnan(record["outcome"]) or record["outcome"] in (0, 0.5, 1)
            totals[ended], lengths[ended] = 0, 0
            episodes[ended] += 1
        assert episodes.sum() > 0, "raise `steps`: no episode ended"

    def test_somebody_may_act(self) -> None:
        """Where a seat of an env is alive, one that is may act: its mask is not all zero."""
        # Where there is a longer limit, plays that come to their end see states that short ones do not.
        for made in (self.make_engine(6), self.make_longer(6)):
            if made is None:
                continue
            engine, rows, row_of = self.started(made, False)
            if rows.action_mask is None:
                return
            for step in range(self.steps + 1):
                alive = rows.alive[row_of]
                may = alive & rows.action_mask[row_of].any(axis=2)
                stuck = np.flatnonzero(alive.any(axis=1) & ~may.any(axis=1))
                assert not len(stuck), (
                    f"after {step} steps no seat of env {stuck[0]} may act, so that it would wait for "
                    "ever: a state that goes on must allow a choice to some seat's mask"
                )
                self.act(engine, rows, row_of, step)
                engine.step(0, 6)

    def test_same_seed_same_bytes(self) -> None:
        """Equal seeds and actions give equal bytes, in one range or in many."""
        _, _, one = self.played(num_envs=7)
        for ranges in (1, 2, 7):
            self.assert_equal(one, self.played(num_envs=7, ranges=ranges)[2])

    def test_another_seed_is_another_game(self) -> None:
        """The seed reaches the game, and only a game that says `random`."""
        one, two = (self.played(num_envs=32, seed=seed)[2] for seed in (3, 4))
        assert self.differs(one, two) == self.random

    def test_env_does_not_depend_on_its_neighbours(self) -> None:
        """Env i sees the same with 3 envs as with 6."""
        engine, _, many = self.played(num_envs=6)
        _, _, few = self.played(num_envs=3)
        rows = 3 * engine.seats
        for a, b in zip(few, many, strict=True):
            for name in set(a) - {"records"}:
                assert np.array_equal(a[name], b[name][:rows]), name

    def test_row_of_moves_rows_and_nothing_else(self) -> None:
        """A permutation of the rows permutes what is written."""
        engine, _, plain = self.played(num_envs=4)
        count = 4 * engine.seats
        row_of = np.random.default_rng(0).permutation(count).astype(np.int32)
        _, _, moved = self.played(num_envs=4, row_of=row_of.reshape(4, engine.seats))
        for a, b in zip(plain, moved, strict=True):
            for name in set(a) - {"records"}:
                assert np.array_equal(a[name], b[name][row_of]), name

    def test_save_load_replays(self) -> None:
        """What is loaded goes on exactly as what was saved."""
        engine, rows, _ = self.played(steps=50)
        saved = engine.save(0, engine.num_envs)
        if saved is None:
            raise SkipTest("this engine cannot be saved")
        kept = {name: array.copy() for name, array in rows.arrays().items()}
        row_of = identity_rows(engine.num_envs, engine.seats)
        first = []
        for attempt in range(2):
            for step in range(50, 50 + self.steps):
                self.act(engine, rows, row_of, step)
                engine.step(0, engine.num_envs)
                now = self.copied(rows, engine.records(0, engine.num_envs))
                if attempt == 0:
                    first.append(now)
                else:
                    self.assert_equal([first[step - 50]], [now])
            engine.load(0, engine.num_envs, saved)
            for name, array in rows.arrays().items():
                array[:] = kept[name]

    def test_foreign_bytes_are_refused(self) -> None:
        """Bytes of another number of envs are an error in words."""
        engine, _, _ = self.played(steps=1)
        saved = engine.save(0, engine.num_envs)
        if saved is None:
            raise SkipTest("this engine cannot be saved")
        try:
            engine.load(0, engine.num_envs, saved[:-8])
        except SkipjackError:
            return
        raise AssertionError("the bytes were taken")

    def test_final_observations(self) -> None:
        """Truncated rows keep their last observation; all ended ones do if asked to."""
        for final_all in (False, True):
            engine, rows, row_of = self.started(self.make_engine(6), final_all)
            marker = 77
            for step in range(self.steps):
                rows.final[:] = marker
                self.act(engine, rows, row_of, step)
                engine.step(0, 6)
                written = (rows.final.reshape(len(rows.final), -1) != marker).any(axis=1)
                wanted = rows.truncated | rows.terminated if final_all else rows.truncated
                assert np.array_equal(written, wanted)
                self.assert_within_bounds(engine, rows.final[written])

    def test_a_truncated_row_keeps_what_would_have_come(self) -> None:
        """Its last observation is what the row sees, given the same actions, with a longer limit."""
        for final_all in (False, True):
            self.assert_truncated_rows_keep(final_all)

    def assert_truncated_rows_keep(self, final_all: bool) -> None:
        """The last observations of rows that are cut, against an engine that goes on."""
        longer = self.make_longer(6)
        if longer is None:
            raise SkipTest("there is no engine with a longer limit to compare with")
        engine, rows, row_of = self.started(self.make_engine(6), final_all)
        longer, others, _ = self.started(longer, final_all)
        going, compared = np.ones(6, np.bool_), 0
        for step in range(self.steps):
            for each, own in ((engine, rows), (longer, others)):
                self.act(each, own, row_of, step)
                each.step(0, 6)
            cut = rows.truncated & ~others.truncated & ~others.terminated
            for env in np.flatnonzero(going & cut[row_of].any(axis=1)):
                going[env] = False  # from here on the two are in different episodes
                for row in row_of[env][cut[row_of[env]]]:
                    assert np.array_equal(rows.final[row], others.observations[row])
                    compared += 1
        assert compared > 0, "raise `steps` or lower the time limit: no row was truncated"

    def test_wild_actions_do_no_harm(self) -> None:
        """Choices out of range, infinities and NaN crash nothing and break no bound."""
        engine, rows, _ = self.played(steps=5)
        if getattr(engine, "checked", False):
            raise SkipTest("a checked build refuses them")
        if getattr(engine, "in_python", False):
            raise SkipTest("what a Python env makes of them is its own")
        wild: list[Any] = [-1, 99, 2**31 - 1, -(2**31)]
        if not engine.action.is_discrete:
            wild = [np.nan, np.inf, -np.inf, 1e30]
        for action in wild * 20:
            rows.actions[:] = action
            engine.step(0, engine.num_envs)
            assert np.isfinite(rows.observations.astype(np.float64)).all()
            assert np.isfinite(rows.rewards).all()

    def test_scene(self) -> None:
        """An env draws itself."""
        engine, _, _ = self.played(steps=5)
        scene = engine.scene(0)
        assert isinstance(scene, Scene)
        assert scene.width > 0
        assert scene.items

    def assert_within_bounds(self, engine: Any, observations: npt.NDArray[Any]) -> None:
        """Observations (rows, ...) are finite and within what the layout says of each field."""
        parts = engine.observation.unpack(observations)
        for field in engine.observation.fields:
            part = parts[field.name].astype(np.float64)
            assert np.isfinite(part).all(), field.name
            assert ((field.low <= part) & (part <= field.high)).all(), field.name

    def differs(self, one: list[dict[str, Any]], two: list[dict[str, Any]]) -> bool:
        """Whether two plays differ in any observation, reward or record."""
        try:
            self.assert_equal(one, two)
        except AssertionError:
            return True
        return False

    def assert_equal(self, one: list[dict[str, Any]], two: list[dict[str, Any]]) -> None:
        """Two plays are equal, byte for byte."""
        assert len(one) == len(two)
        for step, (a, b) in enumerate(zip(one, two, strict=True)):
            for name in a:
                assert a[name].tobytes() == b[name].tobytes(), f"{name} differ at step {step}"
