"""From what the envs say to what is learned from: nothing on the way is dropped or mixed up.

Expectations come from copies of the raw batches and from references, never from the trainer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from skipjack.policies.config import PolicyConfig
from skipjack.policies.policy import Policy
from skipjack.train import loss
from skipjack.vector import make
from tests.reference.returns import lambda_advantages
from tests.train.watched import Watched

# ---- from flags to advantages ----


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(
    ("game", "memory"),
    [("corridor", "lstm"), ("choices", "none"), ("choices", "gru"), ("hybrid", "lstm")],
)
def test_the_rollout_is_what_the_envs_said(game: str, memory: str, groups: int) -> None:
    """Numbers to 1e-5, flags exactly, in three rollouts whose memory and episodes go on."""
    watched = Watched(game, memory, groups)
    met = dict.fromkeys(("terminated", "truncated", "waiting", "dead", "resets"), 0)
    for _ in range(3):
        expected = watched.collect()
        expected["dead"] = ~expected["alive"]
        for name in met:
            met[name] += int(expected[name].sum())
        watched.learn()
        rollout = watched.trainer.rollout
        for name in ("terminated", "truncated", "alive", "waiting", "observations", "mask"):
            assert torch.equal(getattr(rollout, name), expected[name]), name
        if memory != "none":
            assert torch.equal(rollout.resets, expected["resets"])
            for part, other in zip(rollout.state, expected["state"], strict=True):
                assert torch.allclose(part, other, atol=1e-6)
        expected["targets"] = expected["values"] + expected["advantages"]
        decided = expected["alive"] & ~expected["waiting"]
        for name, counted in [
            ("rewards", torch.ones_like(decided)),
            ("final_values", expected["truncated"]),
            ("log_probabilities", decided),
            ("values", expected["alive"]),
            ("advantages", expected["alive"]),
            ("targets", expected["alive"]),
        ]:
            found = getattr(rollout, name)[counted]
            assert torch.allclose(found, expected[name][counted], atol=1e-5, rtol=1e-5), name
    assert watched.trainer.steps == sum(
        int(np.count_nonzero(batch["alive"] & batch["action_mask"].any(1)))
        for group in watched.vector.told
        for batch in group[:-1]  # the last one is not acted on yet
    )
    assert all(met.values()), met


@pytest.mark.parametrize("kind", ["waiting", "alive", "truncated", "terminated"])
def test_each_flag_reaches_the_advantages(kind: str) -> None:
    """On the same table without that flag the definition says something else."""
    watched = Watched("choices")
    rollout = watched.collect()
    watched.learn()
    differ = 0
    for row in range(10):
        table = {name: rollout[name][:, row].tolist() for name in ("rewards", "values")}
        flags = ("final_values", "terminated", "truncated", "alive", "waiting")
        table |= {name: rollout[name][:, row].tolist() for name in flags}
        table[kind] = [kind == "alive"] * 8
        other = lambda_advantages(table, 0.0, 0.9, 0.8)
        differ += not np.allclose(other[:-1], watched.trainer.rollout.advantages[:-1, row])
    assert differ > 2


def test_extreme_settings_reach_the_advantages() -> None:
    """Without discount and with no reward, advantages are the values' own, turned round."""
    watched = Watched("choices", discount=0.0, reward_scale=0.0)
    rollout = watched.collect()
    watched.learn()
    decided = rollout["alive"] & ~rollout["waiting"]
    found = watched.trainer.rollout.advantages[decided]
    assert torch.allclose(found, -rollout["values"][decided], atol=1e-6)


# ---- acting noise ----


class Heard:
    """Keeps the noise that a policy's head is given, and lets it act as it would."""

    def __init__(self, policy: Policy) -> None:
        self.noise: list[torch.Tensor] = []
        sample = policy.head.sample

        def spy(parameters: Any, noise: torch.Tensor, mask: Any = None) -> Any:
            self.noise.append(noise.clone())
            return sample(parameters, noise, mask)

        policy.head.sample = spy  # type: ignore[method-assign]


def test_acting_noise_is_new_everywhere() -> None:
    """In every seed, update, group, tick, row and component."""
    found = []
    for seed in (0, 1):
        watched = Watched("choices", groups=2, seed=seed)
        heard = Heard(watched.policy)
        for _ in range(3):
            watched.trainer.collect()
            watched.trainer.learn()
        found.append(torch.stack(heard.noise))
    noise = torch.stack(found)
    assert noise.shape == (2, 3 * 2 * 8, 5, 3)
    # 1440 numbers of 24 bits: two are equal by chance once in 16 times, and the seeds are fixed.
    assert len(noise.unique()) == noise.numel()
    assert 0 <= noise.min() < 0.02
    assert 0.98 < noise.max() < 1
    assert noise.mean() == pytest.approx(0.5, abs=0.05)


def test_evaluation_noise_is_new_in_every_tick_and_row() -> None:
    from skipjack.evaluate import evaluate

    vector = make("squared", 16, threads=1, config={"desynchronise": False})
    found = []
    for seed in (0, 1):
        policy = Policy(vector.observation, vector.action, PolicyConfig(hidden=8))
        heard = Heard(policy)
        evaluate(policy, vector, quota=1, seed=seed)
        found.append(torch.stack(heard.noise[:20]))
    noise = torch.stack(found)
    assert noise.shape == (2, 20, 16, 1)  # seeds, ticks, rows, components
    assert len(noise.unique()) == noise.numel()
    assert noise.mean() == pytest.approx(0.5, abs=0.05)


# ---- what is reported ----


def test_measures_of_the_update_are_what_their_names_say() -> None:
    """Over steps of several weights, worked by hand."""
    ratio = torch.tensor([[1.0, 1.5, 0.5, 1.09, 9.0]])
    weights = torch.tensor([[0.25, 0.25, 0.25, 0.25, 0.0]])
    assert loss.clip_fraction(ratio, weights, 0.1) == pytest.approx(0.5)
    assert loss.clip_fraction(ratio, weights, 0.05) == pytest.approx(0.75)
    # Between two policies over three choices, in expectation: sum of p log(p / q).
    p, q = torch.tensor([0.2, 0.5, 0.3]), torch.tensor([0.4, 0.4, 0.2])
    divergence = (p * (p / q).log()).sum()
    assert loss.approximate_kl((q / p).log(), p) == pytest.approx(divergence.item(), rel=1e-5)
    targets, even = torch.tensor([[1.0, 2.0, 3.0, 4.0]]), torch.full((1, 4), 0.25)
    assert loss.explained_variance(targets + 7, targets, even) == pytest.approx(1)
    assert loss.explained_variance(targets * 0, targets, even) == pytest.approx(0)
    assert loss.explained_variance(-targets, targets, even) == pytest.approx(-3)
    assert loss.explained_variance(targets / 2, targets, even) == pytest.approx(0.75)


def test_the_entropy_of_an_action_is_the_sum_of_its_components() -> None:
    watched = Watched("switches", epochs=1, minibatches=1, horizon=16)
    watched.collect()
    losses = watched.learn()
    # The first policy is close to uniform: three switches hold three bits.
    assert losses["entropy"] == pytest.approx(3 * np.log(2), abs=1e-3)
    parts = [losses[f"entropy/{label}"] for label in ("0", "1", "2")]
    assert parts == pytest.approx([np.log(2)] * 3, abs=1e-3)


# ---- precision ----


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_network_works_in_the_precision_asked_for(precision: str) -> None:
    """Acting, valuing of last and final observations and learning; all else stays float32."""
    watched = Watched("choices", "lstm", precision=precision)
    calls: dict[str, list[torch.dtype]] = {"collect": [], "learn": []}
    phase = "collect"

    def keep(_: Any, __: Any, out: torch.Tensor) -> None:
        calls[phase].append(out.dtype)

    watched.policy.critic.register_forward_hook(keep)
    watched.policy.actor.register_forward_hook(keep)
    watched.trainer.collect()
    phase = "learn"
    losses = watched.learn()
    horizon = watched.trainer.config.horizon
    assert watched.trainer.rollout.truncated.any()
    assert len(calls["collect"]) == 2 * horizon + 2  # and the values of final and last ones
    assert len(calls["learn"]) == 2 * 2 * 3
    assert set(calls["collect"] + calls["learn"]) == {getattr(torch, precision)}
    rollout = watched.trainer.rollout
    for name in ("log_probabilities", "values", "final_values", "advantages"):
        assert getattr(rollout, name).dtype == torch.float32
    assert all(p.dtype == torch.float32 for p in watched.policy.parameters())
    assert all(part.dtype == torch.float32 for part in watched.trainer.memory[0])
    assert np.isfinite(list(losses.values())).all()
