"""Options of the trainer: each does what its source says."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch

from skipjack.policies.config import PolicyConfig
from skipjack.policies.policy import Policy
from skipjack.testing.corridor import Corridor
from skipjack.train.config import TrainConfig
from skipjack.train.optim import learning_rate, make_optimisers
from skipjack.train.ppo import PPO
from skipjack.train.rewards import RewardScale
from skipjack.vector import Serial, make
from tests.train.test_ppo import SMALL, states, trainer_of

# ---- schedules ----


def test_schedules() -> None:
    def rates(**settings: Any) -> list[float]:
        config = TrainConfig(steps=1000, learning_rate=0.5, **settings)
        return [learning_rate(config, steps, steps + 50) for steps in (0, 50, 100, 500, 1000, 2000)]

    assert rates(schedule="constant") == [0.5] * 6
    assert rates(schedule="linear") == pytest.approx([0.5, 0.475, 0.45, 0.25, 0, 0])
    cosine = [0.25 * (1 + math.cos(math.pi * share)) for share in (0, 0.05, 0.1, 0.5, 1, 1)]
    assert rates(schedule="cosine") == pytest.approx(cosine)
    warm = rates(schedule="constant", warmup=0.1)
    assert warm == pytest.approx([0.25, 0.5, 0.5, 0.5, 0.5, 0.5])
    assert rates(schedule="linear", warmup=0.2)[1] == pytest.approx(0.475 / 2)


def test_the_last_rollout_is_learned_from_and_so_is_the_only_one() -> None:
    trainer = trainer_of(make("cartpole", 8, threads=1), steps=1, schedule="linear", warmup=0.5)
    before = states(trainer)
    trainer.run(lambda progress: None)
    assert trainer.updates == 1
    assert trainer.progress is not None
    assert trainer.progress.losses["learning_rate"] == pytest.approx(3e-3)
    assert states(trainer) != before


@pytest.mark.parametrize("optimiser", ["adam", "muon"])
def test_the_schedule_reaches_every_optimiser(optimiser: str) -> None:
    trainer = trainer_of(make("cartpole", 8, threads=1), optimiser=optimiser, schedule="linear")
    trainer.collect()
    rate = trainer.learn()["learning_rate"]
    assert rate == pytest.approx(3e-3)  # nothing was done before the first rollout
    found = {group["lr"] for part in trainer.optimisers for group in part.param_groups}
    assert found == {rate}


# ---- optimisers ----


def test_muon_takes_the_matrices_inside_and_adam_the_rest() -> None:
    vector = make("cartpole", 4, threads=1)
    policy = Policy(vector.observation, vector.action, PolicyConfig(hidden=16, memory="lstm"))
    muon, adam = make_optimisers(policy, TrainConfig(optimiser="muon"))
    names = {id(p): name for name, p in policy.named_parameters()}

    def of(optimiser: Any) -> set[str]:
        return {names[id(p)] for group in optimiser.param_groups for p in group["params"]}

    matrices = {"encoder.layers.0.weight", "memory.layer.weight_ih_l0", "memory.layer.weight_hh_l0"}
    assert of(muon) == matrices
    assert of(adam) == set(names.values()) - matrices


def test_a_step_of_muon_is_an_orthogonal_matrix_of_adams_size() -> None:
    """Singular values become about one (Jordan et al. 2024), the size is Adam's (Liu et al. 2025)."""
    torch.manual_seed(0)
    layer = torch.nn.Linear(12, 20, bias=False)
    before = layer.weight.detach().clone()
    (muon,) = make_optimisers(layer, TrainConfig(optimiser="muon", learning_rate=0.1))
    layer.weight.grad = torch.randn(20, 12) @ torch.diag(torch.logspace(0, -2, 12))
    gradient = layer.weight.grad.clone()
    muon.step()
    step = before - layer.weight.detach()
    left, _, right = torch.linalg.svd(gradient, full_matrices=False)
    along = torch.linalg.diagonal(left.T @ step @ right.T)  # in the gradient's own directions
    size = 0.1 * 0.2 * math.sqrt(20)
    assert (along > 0.6 * size).all()
    assert (along < 1.3 * size).all()
    assert step.square().mean().sqrt() == pytest.approx(0.02, rel=0.35)


# ---- accumulation ----


@pytest.mark.parametrize("memory", ["none", "lstm"])
@pytest.mark.parametrize("game", ["cartpole", "corridor"])
def test_a_minibatch_in_pieces_is_the_same_step(game: str, memory: str) -> None:
    """Rows that do not divide evenly, masks, waiting and dead rows: weights to 1e-6."""
    found, losses = [], []
    for accumulate in (1, 3, 99):
        vector = Serial(Corridor(5)) if game == "corridor" else make("cartpole", 10, threads=1)
        trainer = trainer_of(vector, memory, accumulate=accumulate, minibatches=2)
        trainer.collect()
        losses.append(trainer.learn())
        found.append([p.detach().clone() for p in trainer.policy.parameters()])
    for parts in zip(*found, strict=True):
        assert torch.allclose(parts[0], parts[1], atol=2e-6)
        assert torch.allclose(parts[0], parts[2], atol=2e-6)
    for name, value in losses[0].items():
        assert losses[1][name] == pytest.approx(value, abs=2e-6), name


def test_an_extra_term_counts_once_whatever_the_pieces() -> None:
    def decay(policy: Any, minibatch: Any) -> tuple[str, torch.Tensor]:
        return "decay", 0.5 * sum((p**2).sum() for p in policy.parameters())

    found = []
    for accumulate in (1, 4):
        vector = make("cartpole", 9, threads=1)
        torch.manual_seed(0)
        policy = Policy(vector.observation, vector.action, PolicyConfig(hidden=16))
        settings = SMALL | {"accumulate": accumulate, "minibatches": 1, "epochs": 1}
        trainer = PPO(TrainConfig(**settings), vector, policy, terms=(decay,))
        trainer.collect()
        found.append(trainer.learn()["decay"])
    assert found[0] == pytest.approx(found[1], rel=1e-6)


# ---- prioritised segments ----


def test_segments_are_drawn_by_priority_and_weighted_against_it() -> None:
    """Schaul et al. 2016: P(i) = p_i^alpha / sum, w_i = (N P(i))^-beta / max w."""
    trainer = trainer_of(make("cartpole", 8, threads=1), horizon=4)
    trainer.collect()
    rollout = trainer.rollout
    size = torch.tensor([1.0, 2, 4, 8, 1, 1, 1, 1])
    rollout.advantages[:] = size * torch.tensor([1.0, -1, 1, -1])[:, None]
    generator = torch.Generator().manual_seed(0)
    alpha, beta, draws = 0.5, 0.7, 20_000
    counts, weights = torch.zeros(8), torch.zeros(8)
    for _ in range(draws):  # the first of eight minibatches of one row each
        minibatch = next(rollout.preferred(8, generator, alpha, beta))
        counts[minibatch.rows] += 1
        weights[minibatch.rows] = minibatch.policy_weights.sum()
    chance = size**alpha / (size**alpha).sum()
    assert torch.allclose(counts / draws, chance, atol=0.012)
    expected = (8 * chance) ** -beta
    assert torch.allclose(weights, expected / expected.max(), atol=1e-4)
    assert torch.equal(minibatch.value_weights.sum(), minibatch.policy_weights.sum())


def test_without_priority_each_segment_comes_once() -> None:
    trainer = trainer_of(make("cartpole", 10, threads=1), minibatches=3)
    trainer.collect()
    trainer.rollout.finish(0.9, 0.9)
    parts = list(trainer.rollout.minibatches(3, torch.Generator().manual_seed(0)))
    assert sorted(torch.cat([part.rows for part in parts]).tolist()) == list(range(10))
    for part in parts:
        assert part.policy_weights.sum() == pytest.approx(1)


def test_the_correction_of_priority_rises_to_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = trainer_of(make("cartpole", 8, threads=1), priority=0.6, priority_correction=0.4)
    seen: list[float] = []
    preferred = trainer.rollout.preferred

    def spy(count: int, generator: Any, priority: float, correction: float) -> Any:
        seen.append(correction)
        return preferred(count, generator, priority, correction)

    monkeypatch.setattr(trainer.rollout, "preferred", spy)
    trainer.collect()
    trainer.learn()
    trainer.steps = trainer.config.steps
    trainer.learn()
    assert seen[0] == pytest.approx(0.4 + 0.6 * 64 / 10_000)
    assert seen[-1] == 1


# ---- importance-clipped advantages ----


def test_later_epochs_weigh_advantages_by_the_policys_change() -> None:
    """The second epoch's advantages are those of the recorded ratios; the first's are plain."""
    trainer = trainer_of(
        make("cartpole", 12, threads=1), epochs=2, importance_clip=0.9, learning_rate=0.05
    )
    trainer.collect()
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []
    improve = trainer._improve

    def spy(minibatch: Any) -> Any:
        seen.append((minibatch.rows.clone(), minibatch.advantages.clone()))
        return improve(minibatch)

    trainer._improve = spy  # type: ignore[method-assign]
    assert (trainer.rollout.ratios == 1).all()
    trainer.learn()
    plain, clipped = copy.deepcopy(trainer.rollout), trainer.rollout
    plain.finish(trainer.config.discount, trainer.config.trace)
    for rows, advantages in seen[:3]:
        assert torch.equal(advantages, plain.advantages[:, rows])
    different = [not torch.allclose(a, plain.advantages[:, rows]) for rows, a in seen[3:]]
    assert any(different)
    assert not torch.equal(clipped.targets, plain.targets)
    trainer.collect()
    assert (trainer.rollout.ratios == 1).all()


# ---- normalisation ----


def test_rewards_are_divided_by_the_deviation_of_discounted_returns() -> None:
    generator = np.random.default_rng(0)
    rewards = generator.normal(3, 2, (3, 7, 5)).astype(np.float32)
    ended = generator.random((3, 7, 5)) < 0.2
    scale = RewardScale(5, 0.9)
    total, seen = np.zeros(5), []
    for part, ends in zip(rewards, ended, strict=True):
        factor = scale.factor(torch.from_numpy(part), torch.from_numpy(ends))
        for t in range(7):
            total = 0.9 * total + part[t]
            seen.append(total)
            total = np.where(ends[t], 0.0, total)
        assert float(factor) == pytest.approx(1 / np.std(seen), rel=1e-4)


def test_normalised_rewards_forget_the_games_scale() -> None:
    """A thousandfold reward leads to the same training, from the same first weights."""
    found = []
    for factor in (1.0, 1000.0):
        trainer = trainer_of(make("cartpole", 8, threads=1), normalise_rewards=True)
        for _ in range(3):
            trainer.collect()
            trainer.rollout.rewards *= factor
            trainer.learn()
        found.append(torch.cat([p.detach().ravel() for p in trainer.policy.parameters()]))
    assert torch.allclose(found[0], found[1], atol=1e-3)


def test_the_policys_statistics_change_after_learning_alone() -> None:
    vector = make("cartpole", 8, threads=1)
    torch.manual_seed(0)
    policy = Policy(vector.observation, vector.action, PolicyConfig(hidden=16, normalise=True))
    trainer = PPO(TrainConfig(**SMALL), vector, policy)
    trainer.collect()
    trainer.learn()
    mean = policy.encoder.normaliser.mean.clone()
    seen = trainer.rollout.observations[trainer.rollout.alive]
    assert torch.allclose(mean, seen.mean(0), atol=1e-5)
    trainer.collect()
    assert torch.equal(policy.encoder.normaliser.mean, mean)
    kl = trainer.learn()["kl"]
    assert not torch.equal(policy.encoder.normaliser.mean, mean)
    assert kl < 0.1  # acting and learning saw the same numbers
    assert trainer.rollout.ratios.sub(1).abs().max() < 1


# ---- every option trains ----


@pytest.mark.parametrize(
    "changes",
    [
        {"optimiser": "muon"},
        {"priority": 0.8},
        {"importance_clip": 1.0, "epochs": 3},
        {"normalise_rewards": True},
        {"accumulate": 2},
        {"warmup": 0.2},
    ],
)
def test_options_are_deterministic_and_finite(changes: dict[str, Any]) -> None:
    found = []
    for _ in range(2):
        trainer = trainer_of(make("cartpole", 12, threads=1), "lstm", **changes)
        for _ in range(3):
            trainer.collect()
            trainer.learn()
        found.append(states(trainer))
    assert found[0] == found[1]


def test_entropy_is_reported_by_component() -> None:
    torch.manual_seed(0)
    engine = Corridor(5)
    trainer = trainer_of(Serial(engine))
    trainer.collect()
    assert not any(name.startswith("entropy/") for name in trainer.learn())
