"""Evaluation by quota, on an engine whose answer is known."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from skipjack.evaluate import chance, evaluate, play_out
from skipjack.policies.config import PolicyConfig
from skipjack.policies.policy import Policy
from skipjack.rows import Rows, episode_dtype
from skipjack.spaces import Actions, Layout
from skipjack.testing.corridor import Corridor
from skipjack.vector import Serial, Vector, make


class Hasty:
    """Envs that win after 1 step or lose after `long` steps, half and half, at random."""

    statistics = ("wins",)
    seats, teams = 1, (0,)
    observation, action = Layout.box((1,)), Actions.discrete(2)

    def __init__(self, num_envs: int, long: int = 10, stuck: int = 0) -> None:
        self.num_envs, self.long, self.stuck = num_envs, long, stuck

    def bind(self, rows: Rows, row_of: Any, final_all: bool = False) -> None:
        self.rows = rows

    def reset(self, lo: int, hi: int, seeds: Any) -> None:
        self.random = [np.random.default_rng(int(seed)) for seed in seeds]
        self.wins = [generator.random() < 0.5 for generator in self.random]
        self.clock, self.count = [0] * self.num_envs, [0] * self.num_envs
        self.rows.observations[:] = 0

    def step(self, lo: int, hi: int) -> None:
        self.found = []
        for env in range(lo, hi):
            self.clock[env] += 1
            over = self.clock[env] >= (1 if self.wins[env] else self.long) and env >= self.stuck
            self.rows.terminated[env] = over
            if over:
                won = float(self.wins[env])
                self.found.append(
                    (
                        self.count[env],
                        self.clock[env],
                        won,
                        env,
                        env,
                        0,
                        0,
                        won,
                        won,
                        False,
                        False,
                        (won,),
                    )
                )
                self.clock[env], self.count[env] = 0, self.count[env] + 1
                self.wins[env] = self.random[env].random() < 0.5

    def records(self, lo: int, hi: int) -> Any:
        found = [] if lo == hi else [record for record in self.found if lo <= record[4] < hi]
        return np.array(found, episode_dtype(self.statistics))

    def save(self, lo: int, hi: int) -> None:
        return None

    def load(self, lo: int, hi: int, state: bytes) -> None: ...

    def scene(self, env: int) -> None: ...

    def close(self) -> None: ...


def policy_for(vector: Vector, **config: Any) -> Policy:
    torch.manual_seed(0)
    return Policy(vector.observation, vector.action, PolicyConfig(hidden=8, **config))


def test_a_true_half_reads_as_half() -> None:
    """Wins end after 1 step and losses after 10: by a budget of steps alone it would read more."""
    vector = Serial(Hasty(2000))
    found = evaluate(policy_for(vector), vector, quota=3)
    assert found.episodes == 6000
    assert found.unfinished == 0
    assert abs(found.score - 0.5) < 0.025
    assert found.score_ci95 == pytest.approx(1.96 * 0.5 / 6000**0.5, rel=0.01)
    assert found.statistics["wins"] == pytest.approx(found.score)
    assert found.length == pytest.approx(found.score * 1 + (1 - found.score) * 10)
    assert found.return_ == pytest.approx(found.score)


def test_what_a_step_budget_would_have_said() -> None:
    """The trap itself: episodes that ended within 12 steps, of the same envs."""
    vector = Serial(Hasty(2000))
    vector.reset(0)
    records = [vector.step(np.zeros((2000, 1), np.int32)).episodes for _ in range(12)]
    assert np.concatenate(records)["score"].mean() > 0.6


def test_a_budget_sets_the_quota_and_one_whole_episode_is_the_least() -> None:
    vector = Serial(Hasty(50))
    policy = policy_for(vector)
    assert evaluate(policy, vector, quota=100, budget=1).episodes == 50
    whole = evaluate(policy, vector, quota=100, budget=5000)
    assert whole.episodes % 50 == 0
    assert 50 < whole.episodes < 5000
    assert evaluate(policy, vector, quota=2, budget=10**9).episodes == 100


def test_unfinished_slots_are_counted() -> None:
    vector = Serial(Hasty(20, stuck=3))
    found = evaluate(policy_for(vector), vector, quota=1, max_steps=2000)
    assert (found.unfinished, found.episodes) == (3, 17)


def test_nothing_finished_is_nan_and_no_crash() -> None:
    vector = Serial(Hasty(2, stuck=2))
    found = evaluate(policy_for(vector), vector, quota=1, max_steps=20)
    assert np.isnan(found.score)
    assert (found.episodes, found.unfinished) == (0, 2)


def test_same_seed_same_number_on_any_threads_and_no_weight_changes() -> None:
    for memory in ("none", "lstm"):
        scores = []
        for threads in (1, 2, 3):
            vector = make("squared", 16, threads=threads, config={"desynchronise": False})
            policy = policy_for(vector, memory=memory)
            before = [parameter.clone() for parameter in policy.parameters()]
            found = evaluate(policy, vector, quota=2, seed=5)
            scores.append((found.score, found.steps, found.length))
            assert all(map(torch.equal, before, policy.parameters()))
            vector.close()
        assert len(set(scores)) == 1
    assert evaluate(policy, make("squared", 16), quota=2, seed=6).score != scores[0][0]


def test_partial_episodes_stay_out() -> None:
    vector = make("truncation", 32, threads=1)  # desynchronised: every first episode is partial
    found = evaluate(policy_for(vector), vector, quota=1)
    assert (found.episodes, found.unfinished) == (32, 0)


def test_memory_is_cleared_between_episodes() -> None:
    """A policy that answers 1 exactly when its memory is empty solves reset_leak."""

    class Counter(Policy):
        def initial_state(self, rows: int) -> Any:
            return (torch.zeros(rows, 1),)

        def step(self, observations: Any, state: Any) -> Any:
            fresh = state[0] == 0
            logits = torch.cat([~fresh * 50.0, fresh * 50.0], -1)
            return logits, logits[:, 0], (state[0] + 1,)

    vector = make("reset_leak", 16, threads=1, config={"desynchronise": False})
    policy = Counter(vector.observation, vector.action, PolicyConfig(hidden=8))
    assert evaluate(policy, vector, quota=5).score == 1.0


def test_a_dead_step_leaves_no_memory() -> None:
    """Nor does an episode's end: what a row that acts remembers is of its own life alone."""

    class Diary(Policy):
        """Remembers what it saw since its memory was cleared: steps, and whether one was dead."""

        kept: ClassVar[list[Any]] = []

        def initial_state(self, rows: int) -> Any:
            return (torch.zeros(rows, 2),)

        def step(self, observations: Any, state: Any) -> Any:
            dead = observations[:, 2:] == 0  # the corridor's last number says who still runs
            after = state[0] + torch.cat([torch.ones_like(dead), dead], -1)
            self.kept.append((dead[:, 0], state[0]))
            return torch.zeros(len(observations), 2), after[:, 0], (after,)

    vector = Serial(Corridor(6, Corridor.Config(time_limit=9)))
    policy = Diary(vector.observation, vector.action, PolicyConfig(hidden=8))
    evaluate(policy, vector, quota=4)
    dead = torch.stack([dead for dead, _ in policy.kept])
    memory = torch.stack([memory for _, memory in policy.kept])
    assert dead.any()
    assert (memory[..., 1] == 0).all()
    assert memory[..., 0].max() <= 9
    assert (memory[1:, :, 0][dead[:-1]] == 0).all()


def test_deterministic_takes_the_most_probable() -> None:
    vector = make("truncation", 8, threads=1, config={"desynchronise": False})
    policy = policy_for(vector)
    with torch.no_grad():
        policy.actor.weight.zero_()
        policy.actor.bias[:] = torch.tensor([0.01, 0.0])
    assert evaluate(policy, vector, quota=1, deterministic=True).score == 1.0
    assert evaluate(policy, vector, quota=1).score < 1.0


def test_the_random_player_plays_by_the_same_rules() -> None:
    """Half of Hasty's episodes are won whatever one does; the same seed gives the same number."""
    vector = Serial(Hasty(2000))
    score = chance(vector, quota=3, steps=10**6)[0]
    assert abs(score - 0.5) < 0.025
    assert score == chance(vector, quota=3, steps=10**6)[0]
    assert score != chance(vector, quota=3, steps=10**6, seed=1)[0]


def test_the_random_player_has_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may take as many steps as the policy did; what does not end by then is no number."""
    monkeypatch.setattr("skipjack.evaluate.CHANCE_STEPS", 0)
    vector = Serial(Hasty(20, long=100, stuck=1))
    assert np.isnan(chance(vector, quota=1, steps=5000)[0])
    assert max(vector.engine.clock) * 20 == 5000
    assert not np.isnan(chance(Serial(Hasty(20, long=100)), quota=50, steps=2000)[0])


def test_the_random_player_takes_a_few_steps_anyway() -> None:
    """A policy that wins in one step leaves no budget for a player that needs a hundred."""
    assert not np.isnan(chance(Serial(Hasty(20, long=100)), quota=1, steps=20)[0])
    capped = chance(Serial(Hasty(20, long=100)), quota=1, steps=20, max_steps=100)[0]
    assert np.isnan(capped)


class Fixed:
    """Always does the same, and keeps what it is told."""

    def __init__(self, action: int) -> None:
        self.action, self.acted, self.followed, self.begun = action, 0, 0, 0

    def begin(self) -> None:
        self.begun += 1

    def act(self, batch: Any) -> Any:
        self.acted += 1
        return np.full((len(batch.alive), 1), self.action, np.int32)

    def follow(self, batch: Any, alive: Any) -> None:
        self.followed += 1


def test_two_actors_share_the_rows_and_one_seat_is_counted() -> None:
    """Pong for two: who goes up without end loses to the script of the other side."""
    from skipjack.arena.players import Scripted
    from skipjack.arena.seating import facing
    from tests.arena.tables import table

    seats = []
    for counted in (0, 1):
        vector = table("pong", 8, time_limit=3000)
        still, slots = Fixed(1), np.arange(16) // 8 == counted
        actor = facing(still, Scripted(vector.engine), 8)
        found = play_out(actor, vector, seed=1, slots=slots)
        assert (found.episodes, found.unfinished) == (8, 0)
        assert still.begun == 1
        assert still.followed == still.acted > 50
        seats.append(found.score)
    assert seats[0] < 0.3
    assert seats[0] + seats[1] == pytest.approx(1, abs=1e-6)
