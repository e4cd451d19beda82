"""Settings of the trainer. Loads without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from skipjack.config import Log, Logit, Pow2, Range, Within


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """PPO: how much to collect, how to learn from it, for how long."""

    steps: Annotated[int, Log(1_000_000, 1_000_000_000), Within(1, 2**63 - 1)] = 50_000_000
    """Steps to train for, counted over all rows that may act."""
    horizon: Annotated[int, Pow2(8, 256), Within(1, 65_536)] = 32
    """Steps a row in a rollout."""
    minibatches: Annotated[int, Pow2(1, 64), Within(1, 65_536)] = 4
    """Gradient steps an epoch; a rollout's rows are dealt out to them."""
    epochs: Annotated[int, Range(1, 4), Within(1, 1000)] = 1
    """Times that each rollout is learned from."""
    accumulate: Annotated[int, Within(1, 65_536)] = 1
    """Pieces in which a minibatch is learned from, gradients added up: the same step in less memory."""
    optimiser: Literal["adam", "muon"] = "adam"
    """What turns gradients into steps; muon takes the matrices inside the network, Adam the rest."""
    learning_rate: Annotated[float, Log(1e-4, 3e-2), Within(0.0, 1.0)] = 3e-3
    """Step size of the optimiser at its height."""
    schedule: Literal["constant", "linear", "cosine"] = "linear"
    """How the learning rate goes towards zero over `steps`."""
    warmup: Annotated[float, Range(0.0, 0.1), Within(0.0, 0.9)] = 0.0
    """Share of `steps` in which the learning rate rises to its height."""
    discount: Annotated[float, Logit(0.8, 0.9999), Within(0.0, 1.0)] = 0.99
    """Discount of a reward one step later (gamma)."""
    trace: Annotated[float, Logit(0.5, 0.999), Within(0.0, 1.0)] = 0.95
    """Decay of the advantage trace (lambda)."""
    reward_scale: Annotated[float, Log(0.01, 10.0), Within(0.0, None)] = 1.0
    """Factor on rewards before they are learned from; reported returns stay as they are."""
    normalise_rewards: bool = False
    """Divide rewards by the deviation of discounted returns seen so far, before `reward_scale`."""
    importance_clip: Annotated[float, Range(0.5, 4.0), Within(0.0, None)] = 0.0
    """Bound of importance weights in advantages from the second epoch on (V-trace); 0: no weights."""
    priority: Annotated[float, Range(0.0, 1.0), Within(0.0, 10.0)] = 0.0
    """How much segments with large advantages are preferred (alpha); 0 takes each once an epoch."""
    priority_correction: Annotated[float, Range(0.0, 1.0), Within(0.0, 1.0)] = 0.4
    """How much of that bias is undone at the start (beta); it rises to all of it over `steps`."""
    clip: Annotated[float, Range(0.05, 0.4), Within(0.0, 10.0)] = 0.2
    """Largest change of an action's probability ratio that is rewarded."""
    value_clip: Annotated[float, Log(0.05, 10.0), Within(0.0, None)] = 0.2
    """Largest change of a value that is rewarded; 0 switches the clipping off."""
    value_weight: Annotated[float, Range(0.1, 4.0), Within(0.0, None)] = 0.5
    """Weight of the value loss."""
    entropy_weight: Annotated[float, Log(1e-5, 0.1), Within(0.0, None)] = 0.01
    """Weight of the entropy bonus."""
    target_kl: Annotated[float, Log(0.003, 0.3), Within(0.0, None)] = 0.0
    """KL divergence from which on an update's further epochs are left out; 0 switches it off."""
    max_gradient_norm: Annotated[float, Log(0.1, 5.0), Within(0.0, None)] = 0.5
    """Norm to which gradients are cut; 0 switches it off."""
    adam_beta1: Annotated[float, Logit(0.5, 0.99), Within(0.0, 0.999999)] = 0.9
    """Decay of Adam's mean."""
    adam_beta2: Annotated[float, Logit(0.9, 0.9999), Within(0.0, 0.999999)] = 0.999
    """Decay of Adam's mean square."""
    adam_epsilon: Annotated[float, Log(1e-12, 1e-3), Within(0.0, 1.0)] = 1e-5
    """Adam's epsilon."""
    muon_momentum: Annotated[float, Logit(0.5, 0.99), Within(0.0, 0.999999)] = 0.95
    """Decay of Muon's momentum."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Arithmetic of the network; weights, heads' distributions and losses stay float32."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where the network runs; auto takes a CUDA GPU if there is one."""
    threads: Annotated[int, Within(0, 1024)] = 0
    """torch's threads; 0 is one for each core. Part of bit-for-bit equality."""
    acting_threads: Annotated[int, Within(0, 1024)] = 0
    """torch's threads while acting; 0 is as many as `threads`. Where worker processes keep the cores
    busy meanwhile, one is faster: several would wait for each other. Part of bit-for-bit equality."""
    checkpoint_every: Annotated[float, Within(0.0, None)] = 60.0
    """Seconds between checkpoints: what a kill can lose at most."""
    keep: Annotated[int, Within(1, 1_000_000)] = 3
    """Checkpoints that stay, beside the best and the last."""
