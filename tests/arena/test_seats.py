"""Games against past selves in training: nothing leaks, every outcome belongs to whom it was against."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

import skipjack.train.ppo as ppo
from skipjack import config as settings
from skipjack import registry
from skipjack.arena.sampler import Sampler
from skipjack.arena.seats import MOST_UPDATES, PastSeats, Plan, plan
from skipjack.errors import RunError, UsageError
from skipjack.policies.config import PolicyConfig
from skipjack.policies.policy import Policy
from skipjack.rows import Batch
from skipjack.train.config import TrainConfig
from skipjack.vector import Vector, wrap
from skipjack.vector.serial import Serial
from tests.arena.races import Races, RacesConfig
from tests.arena.tables import Always

TRAIN = TrainConfig(steps=10**9, horizon=8, minibatches=2, learning_rate=0.01)


@pytest.mark.parametrize("teams", [(0, 1), (1, 0, 0, 1), (0, 0, 0, 1, 1, 1)])
@pytest.mark.parametrize("groups", [1, 2])
def test_rows_are_laid_out_once_for_all(teams: tuple[int, ...], groups: int) -> None:
    found = plan(48, groups, teams, 0.25, 3)
    size, half = len(teams), len(teams) // 2
    envs = 48 // groups
    assert found.slots == envs // 4 == round(0.25 * envs)
    assert found.learner + found.banks * found.block == envs * size
    assert found.banks * found.block == found.slots * half
    assert np.array_equal(np.sort(found.row_of, axis=None), np.arange(48 * size))
    sides = np.zeros((3, 2), int)
    for env in range(48):
        start = env // envs * envs * size
        local, rows = env % envs, found.row_of[env] - start
        if local < envs - found.slots:  # self-play lies as it would without
            assert rows.tolist() == list(range(local * size, (local + 1) * size))
            continue
        ours = {team for team, row in zip(teams, rows, strict=True) if row < found.learner}
        theirs = {team for team, row in zip(teams, rows, strict=True) if row >= found.learner}
        assert len(ours) == len(theirs) == 1
        assert ours != theirs
        banks = {(row - found.learner) // found.block for row in rows if row >= found.learner}
        assert len(banks) == 1
        sides[banks.pop(), ours.pop()] += 1
        assert found.slot_of[rows[rows < found.learner]].max() == local - (envs - found.slots)
    assert (sides == found.slots * groups // 6).all()  # each bank meets both sides equally often
    assert sorted(found.slot_of[found.slot_of >= 0]) == list(range(found.slots))


def test_a_plan_needs_two_sides_and_envs_enough() -> None:
    with pytest.raises(UsageError, match="two teams"):
        plan(8, 1, (0,), 0.2, 1)
    with pytest.raises(UsageError, match=r"arena\.banks"):
        plan(8, 2, (0, 1), 0.5, 4)
    assert plan(8, 1, (0, 1), 1.0, 1).slots == 8
    assert plan(8, 1, (0, 1), 0.001, 1).slots == 2


def game(name: str, num_envs: int, layout: Plan, **changes: Any) -> Vector:
    engine_class = registry.load(registry.resolve(name).target)
    env = settings.replace(engine_class.Config(), {"opponent": "self"} | changes)
    make = lambda count: engine_class(count, env)  # noqa: E731
    return wrap(make, num_envs, threads=1, row_of=layout.row_of)


def network(vector: Vector, seed: int = 0, **shape: Any) -> Policy:
    torch.manual_seed(seed)
    return Policy(vector.observation, vector.action, PolicyConfig(hidden=16, **shape))


def seats(layout: Plan, vector: Vector, policy: Policy, found: Any, quota: int = 2) -> PastSeats:
    sampler = Sampler("uniform")
    sampler.keep(["0", "1"])
    made = PastSeats(layout, vector, policy, sampler, found, seed=1, quota=quota)
    for bank in range(layout.banks):
        made.seat(bank, "0")
    return made


class Poisoned:
    """A vector in which all that opponents see and get is no number."""

    def __init__(self, vector: Vector, first: int) -> None:
        self.vector, self.first = vector, first

    def __getattr__(self, name: str) -> Any:
        return getattr(self.vector, name)

    def reset(self, *arguments: Any) -> Batch:
        return self._poison(self.vector.reset(*arguments))

    def recv(self) -> Batch:
        return self._poison(self.vector.recv())

    def _poison(self, batch: Batch) -> Batch:
        batch.observations[self.first :] = np.nan
        batch.rewards[self.first :] = np.nan
        return batch


def test_nothing_that_an_opponent_saw_gets_into_a_rollout() -> None:
    layout = plan(16, 1, (0, 1), 0.5, 2)
    vector = game("pong", 16, layout)
    policy = network(vector)
    past = seats(layout, vector, policy, lambda name: policy.state_dict())
    trainer = ppo.PPO(TRAIN, Poisoned(vector, layout.learner), policy, 1, past)  # type: ignore[arg-type]
    for _ in range(3):
        trainer.collect()
        losses = trainer.learn()  # which checks that they are finite
        past.turn(trainer.updates)
    assert np.isfinite(list(losses.values())).all()
    assert trainer.rollout.observations.shape[1] == past.rows == layout.learner == 24


def test_what_is_learned_depends_on_opponents_actions_alone() -> None:
    found = []
    for seed in (1, 2):
        layout = plan(16, 1, (0, 1), 0.5, 2)
        vector = game("pong", 16, layout)
        policy, other = network(vector), network(vector, seed=seed)
        past = seats(layout, vector, policy, lambda name, other=other: other.state_dict())
        still = torch.zeros(16 * 2 - layout.learner, 1, dtype=torch.int32)
        past.bank.act = lambda seen, state, noise, mask, still=still: (still, state)  # type: ignore
        trainer = ppo.PPO(TRAIN, vector, policy, 1, past)
        for _ in range(2):
            trainer.collect()
            trainer.learn()
        found.append({name: value.clone() for name, value in policy.state_dict().items()})
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_memory_is_cleared_where_it_must_be_and_nowhere_else() -> None:
    layout = plan(8, 1, (0, 1), 1.0, 2)
    vector = game("tic_tac_toe", 8, layout, desynchronise=False)
    policy = network(vector, memory="mingru")
    past = seats(layout, vector, policy, lambda name: policy.state_dict())
    batch = vector.reset(3)
    generator = np.random.default_rng(0)
    ends = 0
    for _ in range(40):
        before = past.memory[0][0].clone()
        rest = slice(layout.learner, 16)
        ended = (batch.terminated | batch.truncated)[rest].copy()
        given: list[torch.Tensor] = []
        act = past.bank.act

        def watched(
            seen: Any, state: Any, noise: Any, mask: Any, act: Any = act, given: Any = given
        ) -> Any:
            given.append(state[0])
            return act(seen, state, noise, mask)

        past.bank.act = watched  # type: ignore[method-assign]
        legal = None if batch.action_mask is None else batch.action_mask[: layout.learner]
        actions = past.complete(batch, vector.action.draw(generator, layout.learner, legal))
        past.bank.act = act  # type: ignore[method-assign]
        assert not given[0][ended].any()
        assert torch.equal(given[0][~ended], before[~ended])
        ends += int(ended.sum())
        batch = vector.step(actions)
    assert ends > 4
    before = past.memory[0][0].clone()
    past.seat(1, "1")
    assert not past.memory[0][0][layout.block :].any()
    assert torch.equal(past.memory[0][0][: layout.block], before[: layout.block])


class Spy(Sampler):
    """Notes what it is told."""

    def __init__(self) -> None:
        super().__init__("uniform")
        self.told: list[tuple[str, npt.NDArray[np.float64]]] = []

    def take(self, name: str, points: npt.NDArray[np.float64]) -> None:
        self.told.append((name, points.copy()))
        super().take(name, points)


def test_no_game_counts_that_two_opponents_played() -> None:
    """The env lets the outcome tell who sat opposite, or that it was more than one."""
    layout = plan(24, 1, (0, 1), 1.0, 2)
    vector = Serial(Races(24, RacesConfig(told=True)), row_of=layout.row_of)

    def constant(name: str) -> Any:
        choice = int(name)
        return lambda rows, seed: Always(lambda b: np.full((len(b.alive), 1), choice, np.int32))

    spy = Spy()
    spy.keep([str(at) for at in range(10)])
    past = PastSeats(layout, vector, network(vector), spy, constant, seed=1, quota=2)
    for bank in range(2):
        past.seat(bank, "0")
    batch = vector.reset(1)
    mixed = told = finished = 0
    for tick in range(400):
        own = past.narrow(batch)
        finished += len(own.episodes)
        mixed += int((own.episodes["outcome"] == 0.25).sum())
        batch = vector.step(past.complete(batch, np.zeros((layout.learner, 1), np.int32)))
        if tick % 5 == 0:
            past.turn(tick)
    past.save()  # takes in what is left
    assert finished == past.told + past.void  # every game is one or the other
    for name, points in spy.told:
        assert (points == (int(name) % 2 == 0)).all(), name
        told += len(points)
        assert len(points) % 12 == 0  # as many of each of a bank's slots
    assert told > 200
    assert mixed > 0  # such games there were
    assert 0 < past.summary()["past/void"] < 1 / 3 + 0.05


def test_one_bank_changes_a_turn_and_quick_slots_count_no_more() -> None:
    layout = plan(12, 1, (0, 1), 1.0, 3)
    vector = game("tic_tac_toe", 12, layout)
    policy, spy = network(vector), Spy()
    spy.keep(["0"])
    past = PastSeats(layout, vector, policy, spy, lambda name: policy.state_dict(), 1, quota=3)
    for bank in range(3):
        past.seat(bank, "0")
    past.counters["points"][:] = [0, 1, 1]
    past.counters["counted"][:] = 3
    for changed in (1, 2, 3):
        past.turn(changed)
        assert past.counters["epoch"].sum() == changed
    assert sorted(past.counters["epoch"]) == [1, 1, 1]
    # One slot of a bank has played a single game: so much of each counts when the bank is late.
    spy.told.clear()
    past.counters["counted"][0, :4] = [3, 1, 2, 3]
    past.turn(3 * MOST_UPDATES)
    assert [points.tolist() for _, points in spy.told] == [[0, 0, 0, 0]]


def test_games_count_once_though_nobody_follows() -> None:
    """The one that was drawn is gone: the one before stays, and its games are not told of again."""
    layout = plan(4, 1, (0, 1), 1.0, 1)
    vector, spy = game("tic_tac_toe", 4, layout), Spy()
    policy = network(vector)
    spy.keep(["0", "1", "2"])
    spy.draw = lambda seed: "1"  # type: ignore[method-assign]

    def find(name: str) -> Any:
        if name != "0":
            raise RunError("It is gone.")
        return policy.state_dict()

    past = PastSeats(layout, vector, policy, spy, find, 1, quota=1)
    past.seat(0, "0")
    past.counters["counted"][:] = 1
    for update in range(1, 9):
        past.turn(update)
    assert past.sampler.names == ["0", "2"]
    assert len(spy.told) == 1


def test_a_resumed_past_goes_on_as_it_was() -> None:
    layout = plan(16, 2, (0, 1), 0.5, 2)
    weights: dict[str, Any] = {}

    def made() -> tuple[Vector, PastSeats]:
        engine_class = registry.load(registry.resolve("tic_tac_toe").target)
        vector = wrap(engine_class, 16, threads=1, groups=2, row_of=layout.row_of)
        policy = network(vector, memory="gru")
        weights.update(
            {"0": policy.state_dict(), "1": network(vector, 7, memory="gru").state_dict()}
        )
        return vector, seats(layout, vector, policy, weights.__getitem__, quota=1)

    vector, past = made()
    batches = [vector.reset(1), vector.recv()]

    def go(vector: Vector, past: PastSeats, ticks: range) -> list[npt.NDArray[Any]]:
        seen = []
        for tick in ticks:
            for group in range(2):
                own = past.narrow(batches[group])
                drawn = vector.action.draw(
                    np.random.default_rng(tick), len(own.alive), own.action_mask
                )
                whole = past.complete(batches[group], drawn)
                seen.append(whole.copy())
                vector.send(whole, group)
                batches[group] = vector.recv()
                past.narrow(batches[group])
            past.turn(tick)
        return seen

    go(vector, past, range(30))
    saved = past.save()
    rows = {name: part.copy() for name, part in (vector.save() or {}).items()}  # else views

    wanted = go(vector, past, range(30, 60))
    other, again = made()
    other.load(rows)
    batches[:] = [other.recv(), other.recv()]
    again.load(*saved)
    found = go(other, again, range(30, 60))
    assert all(np.array_equal(a, b) for a, b in zip(wanted, found, strict=True))
    for name, value in past.save()[0].items():
        assert np.array_equal(value, again.save()[0][name]), name
    assert past.met == again.met


def test_games_that_tell_no_outcome_are_told_of_once() -> None:
    for blind in (False, True):
        layout = plan(8, 1, (0, 1), 1.0, 1)
        vector = game("tic_tac_toe", 8, layout)
        policy = network(vector)
        past = seats(layout, vector, policy, lambda name, policy=policy: policy.state_dict())
        batch, generator = vector.reset(1), np.random.default_rng(0)
        for update in range(60):
            own = past.narrow(batch)
            past.turn(update)
            drawn = vector.action.draw(generator, len(own.alive), own.action_mask)
            batch = vector.step(past.complete(batch, drawn))
            if blind:
                batch.episodes["outcome"] = np.nan
        assert len(past.messages) == int(blind)
        assert all("must end with an outcome" in each for each in past.messages)


def test_a_member_that_is_damaged_is_met_no_more() -> None:
    layout = plan(8, 1, (0, 1), 1.0, 1)
    vector = game("tic_tac_toe", 8, layout)
    policy = network(vector)

    def find(name: str) -> Any:
        if name == "1":
            raise RunError("It is damaged.")
        return policy.state_dict()

    past = seats(layout, vector, policy, find)
    for update in range(1, 2000, 300):  # late enough to change, whatever was played
        past.turn(update)
    assert past.sampler.names == ["0"]
    assert past.met == ["0"]
    assert past.messages == ["1 is met no more. It is damaged."]


def test_a_resumed_past_tolerates_who_is_gone() -> None:
    layout = plan(8, 1, (0, 1), 1.0, 2)
    vector = game("tic_tac_toe", 8, layout)
    policy, there = network(vector, memory="gru"), {"0", "1"}

    def find(name: str) -> Any:
        if name not in there:
            raise RunError("It is missing.")
        return policy.state_dict()

    past = seats(layout, vector, policy, find)
    past.seat(1, "1")
    for part in past.memory[0]:
        part += 1
    saved = past.save()
    there.remove("1")
    again = seats(layout, vector, policy, find)
    again.messages.clear()
    again.load(*saved)
    assert (again.met, again.sampler.names) == (["0", "0"], ["0"])
    assert again.messages == ["1 is met no more. It is missing."]
    # Its games count for nobody, and its successor remembers nothing of them.
    assert (again.counters["epoch"] - past.counters["epoch"]).tolist() == [0, 1]
    assert again.memory[0][0][: layout.block].all()
    assert not again.memory[0][0][layout.block :].any()
    there.clear()
    with pytest.raises(RunError, match="all are gone"):
        again.load(*saved)


def test_the_trainer_knows_nothing_of_it() -> None:
    source = Path(str(ppo.__file__)).read_text(encoding="utf-8")
    assert "arena" not in source
    assert "opponent" not in source
