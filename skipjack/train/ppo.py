"""Proximal policy optimisation (Schulman et al. 2017), with memory: the page to read and change."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from skipjack import seeding
from skipjack.config import flatten, replace
from skipjack.errors import must
from skipjack.policies.memory import State, clear
from skipjack.report.progress import Progress
from skipjack.rows import Batch
from skipjack.train import loss
from skipjack.train.components import Components
from skipjack.train.config import TrainConfig
from skipjack.train.episodes import Episodes
from skipjack.train.faults import Idle, check_finite
from skipjack.train.heap import keep_freed_memory
from skipjack.train.optim import learning_rate, make_optimisers
from skipjack.train.profile import Profile
from skipjack.train.rewards import RewardScale
from skipjack.train.rollout import Minibatch, Rollout
from skipjack.train.seats import EverySeat, Seats
from skipjack.train.stash import Stash
from skipjack.train.threads import threads
from skipjack.vector import Vector

Term = Callable[[Any, Minibatch], tuple[str, Tensor]]
"""An extra loss: given policy and minibatch, its name and weighted value.

A minibatch may come in pieces whose losses add up: a mean over steps is a sum by `policy_weights` or
`value_weights`, and what does not depend on the steps is multiplied by `minibatch.share`.
"""


class PPO:
    """Trains a policy on the rows of a vector.

    Args:
        config: the settings.
        vector: envs, not yet reset; the trainer resets them with `seed`.
        policy: a `skipjack.Policy` or the user's own, on the device to train on.
        seed: of envs, acting noise and minibatches.
        seats: which rows are learned from; by default all.
        terms: extra losses, each added to the sum.

    Attributes:
        steps: steps collected so far.
        updates: updates done so far.
        progress: what the last update reported; None before the first.
        stop: set it to end `run` after the update under way.
    """

    def __init__(
        self,
        config: TrainConfig,
        vector: Vector,
        policy: Any,
        seed: int = 0,
        seats: Seats | None = None,
        terms: tuple[Term, ...] = (),
    ) -> None:
        config = replace(config, flatten(config))  # settings made in Python are checked here
        self.config, self.vector, self.policy, self.seed = config, vector, policy, seed
        self.seats = seats or EverySeat(vector.num_rows)
        self.terms = terms
        if config.minibatches > self.seats.rows:
            raise must(
                "there must be at least one row for each minibatch",
                hint="Lower train.minibatches or raise vector.num_envs.",
                minibatches=config.minibatches,
                rows=self.seats.rows,
            )
        keep_freed_memory()
        self.device = next(policy.parameters()).device
        # A policy with statistics of its own (a normaliser) takes in each rollout after learning.
        self.adapt: Callable[[Tensor, Tensor], None] | None = getattr(policy, "adapt", None)
        self.optimisers = make_optimisers(policy, config)
        self.rollout = Rollout(
            config.horizon, self.seats.rows, vector.observation, vector.action, self.device
        )
        self.reward_scale: RewardScale | None = None
        if config.normalise_rewards:
            self.reward_scale = RewardScale(self.seats.rows, config.discount).to(self.device)
        self.components = Components(vector.action)
        self.episodes = Episodes(lambda: vector.statistics)
        self.profile = Profile()
        self.steps = self.updates = 0
        self.idle = Idle()
        self.began = self.reported = 0  # steps before the present rollout, and when last reported
        self.seconds = 0.0
        self.memory: dict[int, State] = {}  # by group, before its newest batch
        self.noise: dict[int, Tensor] = {}  # by group, of the present rollout
        self.held: deque[Batch] = deque()  # each group's newest batch, not yet acted on
        self.stash = Stash()  # of the present rollout
        self.progress: Progress | None = None
        self.stop = False
        policy.eval()  # layers that act otherwise while learning do so in `learn` alone

    def run(self, report: Callable[[Progress], None]) -> None:
        """Collect, learn and report until the step budget is spent or `stop` is set."""
        while self.steps < self.config.steps and not self.stop:
            self.collect()
            losses = self.learn()
            report(self.summarise(losses))

    def start(self, seed: int | None = None, partial: bool = False) -> None:
        """Reset the envs; the first `collect` does it if nobody has.

        Args:
            seed: of the envs' streams; by default the trainer's.
            partial: mark each row's first episode as partial.
        """
        if seed is None:
            seed = seeding.child(self.seed, "envs")
        self.held = deque([self.vector.reset(seed, partial)])
        while len(self.held) < self.vector.groups:
            self.held.append(self.vector.recv())
        for batch in self.held:
            rows = len(self.seats.narrow(batch).alive)
            self.memory[batch.group] = self.policy.initial_state(rows)

    @torch.no_grad()
    def collect(self) -> None:
        """Play one horizon with every group and keep it as the rollout."""
        if not self.held:
            self.start()
        # PERF: within an outer autocast the weights are cast once a rollout, not once a step.
        kept = self._precision(), torch.autocast(self.device.type, enabled=False)
        with threads(self.config.acting_threads), kept[0], kept[1]:
            self._play()
        self.idle.look(self.steps - self.began, self.config.horizon)

    def _play(self) -> None:
        self.began = self.steps
        clock = [0] * self.vector.groups
        ready, self.held = self.held, deque()
        while len(self.held) < self.vector.groups:
            batch = ready.popleft() if ready else self._receive()
            t = clock[batch.group]
            with self.profile("acting"):
                if t > 0:
                    self._keep_outcome(batch, t - 1)
                if t < self.config.horizon:
                    actions = self._act(batch, t)
                else:
                    self.held.append(batch)
                    continue
            with self.profile("environment"):
                self.vector.send(self.seats.complete(batch, actions), batch.group)
            clock[batch.group] += 1
        with self.profile("acting"):
            self._value_stash()
            for batch in self.held:
                self._value_last(self.seats.narrow(batch))

    def learn(self) -> dict[str, float]:
        """Improve the policy on the rollout; gives the losses by name, means over minibatches."""
        config, rollout = self.config, self.rollout
        with self.profile("learning"):
            rate = self._set_learning_rate()
            if self.reward_scale is not None:
                self.reward_scale.scale(rollout)
            rollout.rewards.mul_(config.reward_scale)
            rollout.finish(config.discount, config.trace)
            shuffle = torch.Generator().manual_seed(
                seeding.state(self.seed, "trainer", self.updates)
            )
            found: list[dict[str, Tensor]] = []
            self.policy.train()
            for epoch in range(config.epochs):
                if epoch and (config.target_kl or config.importance_clip):
                    if self._compare() > config.target_kl > 0:
                        break
                    if config.importance_clip:
                        rollout.finish(config.discount, config.trace, config.importance_clip)
                found += [self._improve(minibatch) for minibatch in self._minibatches(shuffle)]
            self.policy.eval()
            losses = self._means(found)
            losses["explained_variance"] = float(
                loss.explained_variance(rollout.values, rollout.targets, loss.shares(rollout.alive))
            )
            losses["learning_rate"] = rate
            if self.adapt is not None:
                self.adapt(rollout.observations, rollout.alive)
        self.updates += 1
        check_finite(losses, self.rollout, self.updates, self.steps)
        return losses

    def summarise(self, losses: dict[str, float]) -> Progress:
        """The update just done, as everyone who watches gets it."""
        seconds, profile = self.profile.take()
        self.seconds += seconds
        before, self.reported = self.reported, self.steps
        count, means = self.episodes.take()
        self.progress = Progress(
            update=self.updates,
            steps=self.steps,
            target_steps=self.config.steps,
            seconds=self.seconds,
            interval_steps=self.steps - before,
            interval_seconds=seconds,
            profile=profile,
            losses=losses,
            episodes=count,
            means=means,
            restarts=getattr(self.vector, "restarts", 0),
        )
        return self.progress

    def _receive(self) -> Batch:
        with self.profile("environment"):
            return self.vector.recv()

    def _keep_outcome(self, whole: Batch, t: int) -> None:
        """What the step at time `t` brought; memory is cleared where an episode ended or nobody lives."""
        batch = self.seats.narrow(whole)
        self.rollout.add_outcome(batch, t)
        self.episodes.add(batch.episodes)
        if len(batch.final.rows):
            self._stash_truncated(batch, t)
        if self.memory[batch.group]:
            # A dead step leaves nothing behind: who comes to life after it remembers nothing.
            alive = self._to_device(batch.alive) & self.rollout.alive[t, batch.rows]
            ended = self._to_device(batch.terminated | batch.truncated) | ~alive
            self.memory[batch.group] = clear(self.memory[batch.group], ended)
            if t + 1 < self.config.horizon:
                self.rollout.resets[t + 1, batch.rows] = ended

    def _act(self, whole: Batch, t: int) -> np.ndarray[Any, Any]:
        """Actions for a batch; what was seen and done goes into the rollout at time `t`."""
        batch, rollout = self.seats.narrow(whole), self.rollout
        if t == 0:
            self.noise[batch.group] = self._noise(batch)
            rollout.begin(batch.rows, self.memory[batch.group])
        observations = self._to_device(batch.observations)
        mask = None if batch.action_mask is None else self._to_device(batch.action_mask)
        with self._precision():
            parameters, values, state = self.policy.step(observations, self.memory[batch.group])
        noise = self.noise[batch.group][t]
        actions, log_probabilities = self.policy.head.sample(parameters, noise, mask)
        self.memory[batch.group] = state
        place = batch.rows
        rollout.observations[t, place] = observations
        rollout.actions[t, place] = actions
        rollout.log_probabilities[t, place] = log_probabilities
        rollout.values[t, place] = values.float()
        rollout.alive[t, place] = self._to_device(batch.alive)
        may_act = batch.may_act
        if mask is not None and rollout.mask is not None:
            rollout.mask[t, place] = mask
            rollout.waiting[t, place] = self._to_device(batch.alive & ~may_act)
        self.steps += int(np.count_nonzero(may_act))
        return self.policy.head.to_env(actions).cpu().numpy()

    def _stash_truncated(self, batch: Batch, t: int) -> None:
        """Keep the last observations of truncated rows, and the memory before it is cleared."""
        truncated = batch.truncated[batch.final.rows]
        if truncated.any():
            rows = torch.from_numpy(batch.final.rows[truncated]).to(self.device)
            observations = self._to_device(batch.final.observations[truncated])
            state = tuple(part[rows] for part in self.memory[batch.group])
            self.stash.add(t, batch.group, rows + batch.rows.start, observations, state)

    def _value_stash(self) -> None:
        """Value all that was truncated in the rollout."""
        with self._precision():
            for t, rows, values in self.stash.take(self.policy):
                self.rollout.final_values[t, rows] = values

    def _value_last(self, batch: Batch) -> None:
        """Value the observations after the horizon's last step."""
        observations = self._to_device(batch.observations)
        with self._precision():
            values = self.policy.value(observations, self.memory[batch.group])
        self.rollout.last_values[batch.rows] = values.float()

    def _minibatches(self, shuffle: torch.Generator) -> Iterator[Minibatch]:
        """An epoch: every segment once, or those with large advantages more often."""
        config = self.config
        if not config.priority:
            return self.rollout.minibatches(config.minibatches, shuffle)
        start = config.priority_correction
        correction = start + (1 - start) * min(1.0, self.steps / config.steps)
        return self.rollout.preferred(config.minibatches, shuffle, config.priority, correction)

    def _improve(self, minibatch: Minibatch) -> dict[str, Tensor]:
        """One gradient step; its losses, still on the device."""
        minibatch.advantages = loss.normalise(minibatch.advantages, loss.shares(minibatch.acting))
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        losses: dict[str, Tensor] = {}
        for piece in minibatch.pieces(self.config.accumulate):
            for name, part in self._differentiate(piece).items():
                losses[name] = losses[name] + part if name in losses else part
        limit = self.config.max_gradient_norm or math.inf
        losses["gradient_norm"] = nn.utils.clip_grad_norm_(self.policy.parameters(), limit)
        for optimiser in self.optimisers:
            optimiser.step()
        return losses

    def _differentiate(self, piece: Minibatch) -> dict[str, Tensor]:
        """The loss of a minibatch, or of a piece of one, and its gradients; by name."""
        config, weights = self.config, piece.policy_weights
        values, log_ratio, entropies = self._judge(piece)
        ratio = log_ratio.exp()
        policy_loss = loss.policy_loss(ratio, piece.advantages, weights, config.clip)
        value_loss = loss.value_loss(
            values, piece.values, piece.targets, piece.value_weights, config.value_clip
        )
        entropy = loss.mean(entropies.sum(-1), weights)
        total = policy_loss + config.value_weight * value_loss - config.entropy_weight * entropy
        losses = {"policy": policy_loss, "value": value_loss, "entropy": entropy}
        for term in self.terms:
            name, extra = term(self.policy, piece)
            assert name not in losses, f"the extra loss {name!r} must have a name of its own"
            losses[name] = extra
            total = total + extra
        total.backward()
        with torch.no_grad():
            losses |= self.components.entropies(entropies, piece)
            losses["kl"] = loss.approximate_kl(log_ratio, weights)
            losses["clip_fraction"] = loss.clip_fraction(ratio, weights, config.clip)
            losses["total"] = total
        return {name: part.detach() for name, part in losses.items()}

    def _judge(self, piece: Minibatch) -> tuple[Tensor, Tensor, Tensor]:
        """What the policy now thinks of what was done.

        Returns:
            values (time, rows), the logarithm of each action's probability now over when it was
            taken (0 where nothing was decided), and entropies (time, rows, components).
        """
        with self._precision():
            parameters, values = self.policy.sequence(piece.observations, piece.state, piece.resets)
        log_probabilities, entropies = self.policy.head.evaluate(
            parameters, piece.actions, piece.mask
        )
        log_ratio = (log_probabilities - piece.log_probabilities) * piece.acting
        return values.float(), log_ratio, entropies

    @torch.no_grad()
    def _compare(self) -> float:
        """Bring the rollout's ratios up to date; gives the KL divergence from the acting policy."""
        rollout, config = self.rollout, self.config
        rows = torch.arange(rollout.rows, device=self.device)
        for chosen in rows.tensor_split(config.minibatches * config.accumulate):
            rollout.ratios[:, chosen] = self._judge(rollout.select(chosen))[1].exp()
        counted = loss.shares(rollout.alive & ~rollout.waiting)
        return float(loss.approximate_kl(rollout.ratios.log(), counted))

    def _set_learning_rate(self) -> float:
        rate = learning_rate(self.config, self.began, self.steps)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
        return rate

    def _noise(self, batch: Batch) -> Tensor:
        """Uniform noise (horizon, rows, components), a function of seed, group and update alone."""
        generator = torch.Generator(self.device).manual_seed(
            seeding.state(self.seed, "acting", batch.group, self.updates)
        )
        size = (self.config.horizon, len(batch.alive), self.policy.head.components)
        return torch.rand(size, generator=generator, device=self.device)

    def _means(self, found: list[dict[str, Tensor]]) -> dict[str, float]:
        """Means over the minibatches."""
        names = list(found[0])
        table = torch.stack([torch.stack([losses[name] for name in names]) for losses in found])
        return self.components.finish(dict(zip(names, table.mean(0).tolist(), strict=True)))

    def _precision(self) -> AbstractContextManager[Any]:
        return torch.autocast(
            self.device.type, torch.bfloat16, enabled=self.config.precision == "bfloat16"
        )

    def _to_device(self, array: Any) -> Tensor:
        return torch.from_numpy(array).to(self.device, non_blocking=True)
