"""The trainer: one update against an independent implementation, truncation, order, determinism."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from skipjack.errors import RunError, SkipjackError
from skipjack.policies.config import PolicyConfig
from skipjack.policies.policy import Policy
from skipjack.rows import Batch
from skipjack.testing.corridor import Corridor
from skipjack.train.config import TrainConfig
from skipjack.train.ppo import PPO
from skipjack.vector import Serial, Threads, Vector, make
from tests.games.test_contract import engine_of
from tests.reference import ppo as reference
from tests.train.watched import Watched

SMALL = {"steps": 10_000, "horizon": 8, "minibatches": 3, "epochs": 2, "schedule": "constant"}


def trainer_of(vector: Vector, memory: str = "none", seed: int = 0, **changes: Any) -> PPO:
    torch.manual_seed(seed)
    policy = Policy(vector.observation, vector.action, PolicyConfig(hidden=16, memory=memory))  # type: ignore[arg-type]
    return PPO(TrainConfig(**(SMALL | changes)), vector, policy, seed=seed)


def test_settings_made_in_python_are_checked() -> None:
    for wrong in ({"horizon": 0}, {"clip": -1.0}, {"optimiser": "sgd"}, {"steps": 1.5}):
        (name,) = wrong
        with pytest.raises(SkipjackError, match=f"(?i){name} must be"):
            trainer_of(Serial(engine_of("cartpole", 6)), **wrong)


@pytest.mark.parametrize(
    ("game", "memory", "value_clip"),
    [
        ("cartpole", "none", 0.0),
        ("cartpole", "lstm", 0.2),
        ("corridor", "lstm", 0.0),
        ("choice", "none", 0.2),
        ("choices", "lstm", 0.2),
        ("switches", "none", 0.0),
        ("reals", "lstm", 0.2),
        ("reals", "none", 0.0),
        ("hybrid", "gru", 0.2),
    ],
)
def test_one_update_equals_an_independent_implementation(
    game: str, memory: str, value_clip: float
) -> None:
    """From what the envs said to losses and gradients of each minibatch and weights: 1e-5."""
    watched = Watched(game, memory, value_clip=value_clip)
    for _ in range(2):  # away from the first weights, into rollouts with ends inside
        watched.collect()
        watched.learn()
    rollout = watched.collect()
    twin, expected = watched.reference_of(rollout)
    losses = watched.learn()
    assert len(watched.minibatches) == len(expected) == 6
    for found, step in zip(watched.minibatches, expected, strict=True):
        assert set(found) == set(step)
        for name in set(step) - {"gradients"}:
            assert found[name] == pytest.approx(step[name], abs=1e-5, rel=1e-5), name
        parameters = watched.policy.named_parameters()
        for a, b, (name, _) in zip(found["gradients"], step["gradients"], parameters, strict=True):
            assert torch.allclose(a, b, atol=1e-5, rtol=1e-5), name
    for name in set(expected[0]) - {"gradients"}:
        mean = np.mean([step[name] for step in expected])
        assert losses[name] == pytest.approx(mean, abs=1e-5, rel=1e-5), name
    explained = reference.explained_variance(rollout)
    assert losses["explained_variance"] == pytest.approx(explained, abs=1e-5)
    assert any(step["clip_fraction"] > 0 for step in expected)
    named = watched.policy.named_parameters()
    for (name, a), b in zip(named, twin.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-5), name


class Counting(torch.nn.Module):
    """A policy whose value is the number of steps since its memory was cleared, plus ten."""

    def __init__(self, observation: Any, action: Any, config: Any = None) -> None:
        super().__init__()
        from skipjack.policies.heads import make_head

        self.head = make_head(action)
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def encode(self, observations: torch.Tensor) -> torch.Tensor:
        return observations

    def initial_state(self, rows: int) -> tuple[torch.Tensor, ...]:
        return (torch.zeros(rows, 1),)

    def step(self, observations: torch.Tensor, state: Any) -> Any:
        count = state[0] + 1
        logits = torch.zeros(len(observations), self.head.parameters_size) + self.weight
        return logits, count[:, 0] + 10, (count,)

    def sequence(self, observations: torch.Tensor, state: Any, resets: torch.Tensor) -> Any:
        parameters, values = [], []
        for t in range(len(observations)):
            state = (state[0] * ~resets[t][:, None],)
            found, value, state = self.step(observations[t], state)
            parameters.append(found)
            values.append(value + 0 * self.weight)
        return torch.stack(parameters), torch.stack(values)

    def value(self, observations: torch.Tensor, state: Any) -> torch.Tensor:
        return self.step(observations, state)[1]


@pytest.mark.parametrize("horizon", [3, 4, 8, 11])
def test_bootstrapped_truncation_with_memory_has_the_known_value(horizon: int) -> None:
    """The last observation is valued with the memory before it is cleared.

    Episodes of Truncation last 8 steps. Before a step the memory has counted c steps of its
    episode, so the value there is c + 11; the last observation comes after 8 steps: 19.
    """
    vector = make("truncation", 4, threads=1, config={"desynchronise": False})
    policy = Counting(vector.observation, vector.action)
    # Always stay: the head's noise is below the first edge only if staying is sure.
    policy.head.sample = lambda p, noise, mask=None: (  # type: ignore[method-assign]
        torch.zeros(len(p), 1, dtype=torch.int32),
        torch.zeros(len(p)),
    )
    trainer = PPO(TrainConfig(**(SMALL | {"horizon": horizon})), vector, policy)
    clock = 0
    for _ in range(6):
        trainer.collect()
        rollout = trainer.rollout
        for t in range(horizon):
            counted = clock % 8
            assert rollout.values[t].tolist() == [counted + 11] * 4
            assert rollout.truncated[t].tolist() == [counted == 7] * 4
            assert rollout.resets[t].tolist() == [counted == 0 and t > 0] * 4
            if counted == 7:
                assert rollout.final_values[t].tolist() == [19] * 4
            clock += 1
        assert rollout.last_values.tolist() == [clock % 8 + 11] * 4
        assert rollout.state[0][:, 0].tolist() == [(clock - horizon) % 8] * 4


def states(trainer: PPO) -> list[bytes]:
    return [p.detach().numpy().tobytes() for p in trainer.policy.parameters()]


@pytest.mark.parametrize("memory", ["none", "lstm"])
def test_training_is_bit_equal_on_any_number_of_threads(memory: str) -> None:
    found = []
    for threads in (1, 2, 3):
        engine = engine_of("breakout", 12, time_limit=200)
        vector = Serial(engine) if threads == 1 else Threads(engine, threads)
        trainer = trainer_of(vector, memory)
        for _ in range(4):
            trainer.collect()
            trainer.learn()
        found.append(states(trainer))
        vector.close()
    assert found[0] == found[1] == found[2]


class Shuffled(Serial):
    """Delivers groups that are ready in another order than they were sent."""

    def recv(self) -> Batch:
        if len(self._ready) > 1 and not self._quiet:
            self._ready.rotate(1)
        return super().recv()


def test_acting_takes_threads_of_its_own() -> None:
    trainer = trainer_of(Serial(engine_of("cartpole", 6)), acting_threads=1)
    before = torch.get_num_threads()
    found: dict[str, int] = {}
    policy: Any = trainer.policy
    step, sequence = policy.step, policy.sequence

    def watched(name: str, what: Any) -> Any:
        def inner(*arguments: Any) -> Any:
            found[name] = torch.get_num_threads()
            return what(*arguments)

        return inner

    policy.step, policy.sequence = watched("acting", step), watched("learning", sequence)
    torch.set_num_threads(2)
    try:
        trainer.collect()
        trainer.learn()
        assert found == {"acting": 1, "learning": 2}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_the_order_of_arrival_changes_nothing() -> None:
    found = []
    for kind in (Serial, Shuffled):
        vector = kind(engine_of("cartpole", 12), groups=3)
        trainer = trainer_of(vector, "lstm")
        for _ in range(3):
            trainer.collect()
            trainer.learn()
        found.append((states(trainer), trainer.rollout.rewards.clone()))
    assert found[0][0] == found[1][0]
    assert torch.equal(found[0][1], found[1][1])


def test_another_seed_gives_another_training() -> None:
    found = []
    for seed in (0, 1):
        torch.manual_seed(7)
        vector = make("cartpole", 8, threads=1)
        policy = Policy(vector.observation, vector.action, PolicyConfig(hidden=16))
        trainer = PPO(TrainConfig(**SMALL), vector, policy, seed=seed)
        trainer.collect()
        trainer.learn()
        found.append(states(trainer))
    assert found[0] != found[1]


def test_steps_count_rows_that_may_act() -> None:
    trainer = trainer_of(Serial(Corridor(5)))
    trainer.collect()
    acting = trainer.rollout.alive & ~trainer.rollout.waiting
    assert trainer.steps == int(acting.sum())
    assert 0 < trainer.steps < 8 * 10


def test_waiting_and_dead_rows_leave_the_policy_loss_alone() -> None:
    """Whatever their actions and advantages are, the update is the same."""
    found = []
    for wild in (False, True):
        trainer = trainer_of(Serial(Corridor(6)), epochs=1)
        trainer.collect()
        rollout = trainer.rollout
        idle = ~rollout.alive | rollout.waiting
        assert idle.any()
        if wild:
            rollout.actions[idle] = 1 - rollout.actions[idle]
            rollout.log_probabilities[idle] = -5.0
        trainer.learn()
        found.append(states(trainer))
    assert found[0] == found[1]


@pytest.mark.parametrize("part", ["rewards", "observations"])
def test_what_the_envs_gave_stops_the_run_if_it_is_not_finite(part: str) -> None:
    """The learning rate is not to blame for it."""
    trainer = trainer_of(make("cartpole", 8, threads=1))
    trainer.collect()
    getattr(trainer.rollout, part)[0, 0] = float("nan")
    with pytest.raises(RunError, match=r"Observations and rewards must be finite.*update 1"):
        trainer.learn()


def test_losses_that_are_not_finite_stop_the_run() -> None:
    trainer = trainer_of(make("cartpole", 8, threads=1))
    trainer.collect()
    with torch.no_grad():
        trainer.policy.critic.bias.fill_(float("inf"))
    with pytest.raises(RunError, match=r"Losses and gradients must be finite.*update 1.*rate"):
        trainer.learn()


def test_more_minibatches_than_rows_are_refused() -> None:
    with pytest.raises(SkipjackError, match="one row for each minibatch"):
        trainer_of(make("cartpole", 2, threads=1), minibatches=3)


def test_target_kl_leaves_epochs_out() -> None:
    vector = make("cartpole", 16, threads=1)
    trainer = trainer_of(vector, epochs=10, learning_rate=0.05, target_kl=0.001)
    trainer.collect()
    calls = []
    improve = trainer._improve
    trainer._improve = lambda minibatch: calls.append(1) or improve(minibatch)  # type: ignore[method-assign,func-returns-value]
    trainer.learn()
    assert len(calls) < 10 * trainer.config.minibatches
    assert len(calls) % trainer.config.minibatches == 0


def test_an_extra_term_joins_the_loss() -> None:
    def decay(policy: Any, minibatch: Any) -> tuple[str, torch.Tensor]:
        return "decay", 0.5 * sum((p**2).sum() for p in policy.parameters())

    vector = make("cartpole", 8, threads=1)
    torch.manual_seed(0)
    policy = Policy(vector.observation, vector.action, PolicyConfig(hidden=16))
    trainer = PPO(TrainConfig(**SMALL), vector, policy, terms=(decay,))
    trainer.collect()
    assert trainer.learn()["decay"] > 0


def test_progress_holds_means_over_all_whole_episodes() -> None:
    trainer = trainer_of(make("cartpole", 32, threads=1, config={"time_limit": 30}))
    seen: list[Any] = []
    step = trainer.vector._batch

    def spy(group: int) -> Batch:
        batch = step(group)
        seen.extend(batch.episodes)
        return batch

    trainer.vector._batch = spy  # type: ignore[method-assign]
    for _ in range(4):
        seen.clear()
        trainer.collect()
        progress = trainer.summarise(trainer.learn())
        whole = [record for record in seen if not record["partial"]]
        assert progress.episodes == len(whole)
        if whole:
            assert progress.means["return"] == pytest.approx(np.mean([r["return"] for r in whole]))
            assert "outcome" not in progress.means  # NaN throughout: this game has no winner
    assert sum(progress.profile.values()) == pytest.approx(progress.interval_seconds, rel=1e-6)


def test_rollouts_in_which_nobody_can_act_end_in_an_error() -> None:
    """Steps would stand still for ever; a few such rollouts are no fault."""
    vector = make("bandit/masked", num_envs=8)
    trainer = PPO(TrainConfig(minibatches=1), vector, Policy(vector.observation, vector.action))
    trainer.start()
    for batch in trainer.held:
        batch.action_mask[:] = 0
    vector.engine.step = None
    vector.send = lambda actions, group: None
    vector.recv = lambda: trainer.held[0] if trainer.held else batch
    for _ in range(31):  # of 32 ticks each
        trainer.collect()
    with pytest.raises(RunError, match="no row was for 1024 ticks"):
        trainer.collect()
