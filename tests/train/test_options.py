"""Options of the trainer: each does what its source says."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch

from skipjack.policies.config import PolicyConfig
from skipjack.policies.heads import make_head
from skipjack.policies.policy import Policy
from skipjack.spaces import Actions, Layout
from skipjack.testing.corridor import Corridor
from skipjack.train.components import Components
from skipjack.train.config import TrainConfig
from skipjack.train.optim import learning_rate, make_optimisers
from skipjack.train.ppo import PPO
from skipjack.train.rewards import RewardScale
from skipjack.train.rollout import Rollout
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
    late = [0.5 * (1 - share) for share in (0, 0, 0, 3 / 8, 1, 1)]
    assert rates(schedule="linear", warmup=0.2)[3:] == pytest.approx(late[3:])
    warm = rates(schedule="constant", warmup=0.1)
    assert warm == pytest.approx([0.25, 0.5, 0.5, 0.5, 0.5, 0.5])
    assert rates(schedule="linear", warmup=0.2)[:2] == pytest.approx([0.125, 0.25])
    for schedule in ("linear", "cosine"):
        config = TrainConfig(steps=1000, learning_rate=0.5, schedule=schedule, warmup=0.5)
        assert max(learning_rate(config, s, s + 10) for s in range(0, 1000, 10)) == 0.5


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


class OtherNames(torch.nn.Module):
    """An own policy's parts under names of its own, with an embedding and a convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.head = make_head(Actions.discrete(5))
        self.table = torch.nn.Embedding(9, 8)
        self.eyes = torch.nn.Conv2d(3, 8, 3)
        self.body = torch.nn.Linear(8, 8)
        self.choices = torch.nn.Linear(8, 5)
        self.worth = torch.nn.Linear(8, 1)


def test_muon_finds_the_inner_matrices_of_an_own_policy() -> None:
    policy = OtherNames()
    muon, adam = make_optimisers(policy, TrainConfig(optimiser="muon"))
    assert [p is policy.body.weight for p in muon.param_groups[0]["params"]] == [True]
    assert len(adam.param_groups[0]["params"]) == len(list(policy.parameters())) - 1


def test_a_step_of_muon_is_an_orthogonal_matrix_of_adams_size() -> None:
    """Singular values become about one (Jordan et al. 2024), the size is Adam's (Liu et al. 2025)."""
    torch.manual_seed(0)
    layer: Any = torch.nn.Linear(12, 20, bias=False)
    layer.head = make_head(Actions.discrete(3))
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
        return "decay", minibatch.share * 0.5 * sum((p**2).sum() for p in policy.parameters())

    def certainty(policy: Any, minibatch: Any) -> tuple[str, torch.Tensor]:
        return "ones", (torch.ones_like(minibatch.values) * minibatch.policy_weights).sum()

    found = []
    for accumulate in (1, 4):
        vector = make("cartpole", 9, threads=1)
        torch.manual_seed(0)
        policy = Policy(vector.observation, vector.action, PolicyConfig(hidden=16))
        settings = SMALL | {"accumulate": accumulate, "minibatches": 1, "epochs": 1}
        trainer = PPO(TrainConfig(**settings), vector, policy, terms=(decay, certainty))
        trainer.collect()
        found.append(trainer.learn())
    assert found[0]["decay"] == pytest.approx(found[1]["decay"], rel=1e-6)
    assert found[0]["ones"] == pytest.approx(1) == found[1]["ones"]


# ---- prioritised segments ----


@pytest.mark.parametrize("count", [1, 3, 8])
def test_segments_are_drawn_by_priority_and_weighted_against_it(count: int) -> None:
    """Schaul et al. 2016: P(i) = p_i^alpha / sum, w_i ~ (N P(i))^-beta; beta = 1 undoes the bias."""
    trainer = trainer_of(make("cartpole", 8, threads=1), horizon=4, minibatches=count)
    trainer.collect()
    rollout = trainer.rollout
    size = torch.tensor([1.0, 2, 4, 8, 1, 1, 1, 1])
    rollout.advantages[:] = size * torch.tensor([1.0, -1, 1, -1])[:, None]
    generator = torch.Generator().manual_seed(0)
    alpha, draws = 0.5, 6_000
    chance = size**alpha / (size**alpha).sum()
    for beta in (0.0, 0.7, 1.0):
        drawn, pull = torch.zeros(8), torch.zeros(8)
        for _ in range(draws // count):
            for minibatch in rollout.preferred(count, generator, alpha, beta):
                assert minibatch.policy_weights.sum() == pytest.approx(1, abs=1e-5)
                assert minibatch.value_weights.sum() == pytest.approx(1, abs=1e-5)
                drawn.index_add_(0, minibatch.rows, torch.ones(len(minibatch.rows)))
                pull.index_add_(0, minibatch.rows, minibatch.policy_weights.sum(0))
        assert torch.allclose(drawn / drawn.sum(), chance, atol=0.012)
        if count == 1:  # a whole minibatch of eight: weights hardly depend on who else was drawn
            expected = chance * (8 * chance) ** -beta
            assert torch.allclose(pull / pull.sum(), expected / expected.sum(), atol=0.02)


def test_a_row_without_decisions_is_not_drawn_and_takes_no_weight() -> None:
    trainer = trainer_of(make("cartpole", 8, threads=1), horizon=4)
    trainer.collect()
    rollout = trainer.rollout
    rollout.advantages[:] = 1.0
    rollout.alive[:, 3] = False
    rollout.advantages[:, 3] = 0.0
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        for minibatch in rollout.preferred(2, generator, 1.0, 1.0):
            assert 3 not in minibatch.rows
            assert minibatch.policy_weights.sum() == pytest.approx(1, abs=1e-5)
    rollout.alive[:] = False
    assert sum(len(part.rows) for part in rollout.preferred(2, generator, 1.0, 1.0)) == 8


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


@pytest.mark.parametrize("game", ["cartpole", "corridor"])
@pytest.mark.parametrize("minibatches", [1, 3])
def test_ratios_are_those_of_the_policy_as_it_is(game: str, minibatches: int) -> None:
    """Before a further epoch: every action's probability now over when it was taken."""
    vector = Serial(Corridor(5)) if game == "corridor" else make("cartpole", 9, threads=1)
    trainer = trainer_of(vector, "lstm", minibatches=minibatches, epochs=1, learning_rate=0.05)
    trainer.collect()
    trainer.learn()
    kl, rollout = trainer._compare(), trainer.rollout
    state, logs = rollout.state, []
    with torch.no_grad():
        for t in range(8):
            state = tuple(part * ~rollout.resets[t][:, None] for part in state)
            parameters, _, state = trainer.policy.step(rollout.observations[t], state)
            mask = None if rollout.mask is None else rollout.mask[t]
            logp = trainer.policy.head.evaluate(parameters, rollout.actions[t], mask)[0]
            logs.append(logp - rollout.log_probabilities[t])
    acting = rollout.alive & ~rollout.waiting
    expected = torch.stack(logs).exp().where(acting, torch.ones(()))
    assert torch.allclose(rollout.ratios, expected, atol=1e-5)
    assert (expected != 1).any()
    ratio = expected[acting]
    assert kl == pytest.approx(float((ratio - 1 - ratio.log()).mean()), rel=1e-3)


def test_a_clip_below_one_leaves_waiting_steps_alone() -> None:
    """Nothing was decided there: their targets follow from the steps around them, unweighted."""
    trainer = trainer_of(Serial(Corridor(6)), "none")
    trainer.collect()
    rollout = trainer.rollout
    assert rollout.waiting.any()
    rollout.finish(0.9, 0.8, importance_clip=0.5)
    expected = (rollout.values + rollout.advantages)[rollout.waiting]
    assert torch.allclose(rollout.targets[rollout.waiting], expected)
    acting = rollout.alive & ~rollout.waiting
    halved = (rollout.values + 0.5 * rollout.advantages)[acting]
    assert torch.allclose(rollout.targets[acting], halved)


# ---- normalisation ----


def test_rewards_are_divided_by_the_deviation_of_discounted_returns() -> None:
    generator = np.random.default_rng(0)
    rewards = generator.normal(3, 2, (3, 7, 5)).astype(np.float32)
    ended = generator.random((3, 7, 5)) < 0.2
    scale = RewardScale(5, 0.9)
    total, seen = np.zeros(5), []
    for part, ends in zip(rewards, ended, strict=True):
        rollout = Rollout(7, 5, Layout.box((1,)), Actions.discrete(2), torch.device("cpu"))
        rollout.rewards[:] = torch.from_numpy(part)
        rollout.terminated[:] = torch.from_numpy(ends)
        rollout.alive[:] = True
        rollout.alive[:, 4] = False
        rollout.waiting[3, 1] = True
        scale.scale(rollout)
        for t in range(7):
            total = np.where(rollout.waiting[t].numpy(), 1.0, 0.9) * total + part[t]
            counted = rollout.alive[t].numpy() & ~rollout.waiting[t].numpy()
            seen.extend(total[counted])
            total = np.where(ends[t], 0.0, total)
        expected = np.clip(part / np.std(seen), -10, 10)
        assert np.allclose(rollout.rewards.numpy(), expected, rtol=1e-3)


def test_a_first_reward_after_long_silence_is_bounded() -> None:
    scale = RewardScale(2, 0.9)
    rollout = Rollout(4, 2, Layout.box((1,)), Actions.discrete(2), torch.device("cpu"))
    rollout.alive[:] = True
    for _ in range(20):
        scale.scale(rollout)
    rollout.rewards[0, 0] = 1.0
    scale.scale(rollout)
    assert 1 < rollout.rewards.max() <= 10


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


def test_entropy_is_reported_by_component_over_the_steps_that_had_a_choice() -> None:
    trainer = trainer_of(make("cartpole", 5, threads=1))
    trainer.collect()
    assert not any("/" in name for name in trainer.learn())
    action = Actions(counts=(3, 2), low=(-1.0,), high=(1.0,), masked=True, labels=("a", "b", "c"))
    components = Components(action)
    mask = torch.ones(4, 2, 5)
    mask[:, :, 3:] = 0  # b is asked once in eight steps,
    mask[0, 0, 3:] = 1
    mask[1:, :, 1:3] = 0  # and a has but one choice from the second step on
    entropies = torch.zeros(4, 2, 3)
    entropies[0, 0, 1], entropies[0, :, 0], entropies[:, :, 2] = 0.6, 0.9, 1.5
    rollout = Rollout(4, 2, Layout.box((1,)), action, torch.device("cpu"))
    rollout.alive[:] = True
    rollout.mask[:] = mask  # type: ignore[index]
    whole = rollout.select(torch.arange(2))
    for pieces in (1, 2):
        sums: dict[str, float] = {}
        for piece in whole.pieces(pieces):
            for name, part in components.entropies(entropies[:, piece.rows], piece).items():
                sums[name] = sums.get(name, 0.0) + float(part)
        found = components.finish(sums)
        assert found == pytest.approx({"entropy/a": 0.9, "entropy/b": 0.6, "entropy/c": 1.5})
    rollout.mask[:] = 1  # type: ignore[index]
    rollout.mask[:, :, 3:] = 0  # type: ignore[index]
    whole = rollout.select(torch.arange(2))
    sums = {name: float(part) for name, part in components.entropies(entropies, whole).items()}
    assert "entropy/b" not in components.finish(sums), "never asked, no entropy"
