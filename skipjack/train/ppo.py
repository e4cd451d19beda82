"""Proximal policy optimisation (Schulman et al. 2017), with memory: the page to read and change."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from skipjack import seeding
from skipjack.errors import RunError, must
from skipjack.policies.memory import State, clear
from skipjack.report.progress import Progress
from skipjack.rows import Batch
from skipjack.train import loss
from skipjack.train.config import TrainConfig
from skipjack.train.episodes import Episodes
from skipjack.train.optim import learning_rate, make_optimiser
from skipjack.train.profile import Profile
from skipjack.train.rollout import Minibatch, Rollout
from skipjack.train.seats import EverySeat, Seats
from skipjack.vector import Vector

Term = Callable[[Any, Minibatch], tuple[str, Tensor]]
"""An extra loss: given policy and minibatch, its name and weighted value."""


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
        self.device = next(policy.parameters()).device
        self.optimiser = make_optimiser(policy.parameters(), config)
        self.rollout = Rollout(
            config.horizon, self.seats.rows, vector.observation, vector.action, self.device
        )
        self.episodes = Episodes(vector.statistics)
        self.profile = Profile()
        self.steps = self.updates = self.reported = 0
        self.seconds = 0.0
        self.memory: dict[int, State] = {}  # by group, before its newest batch
        self.noise: dict[int, Tensor] = {}  # by group, of the present rollout
        self.held: deque[Batch] = deque()  # each group's newest batch, not yet acted on
        self.progress: Progress | None = None
        self.stop = False

    def run(self, report: Callable[[Progress], None]) -> None:
        """Collect, learn and report until the step budget is spent or `stop` is set."""
        while self.steps < self.config.steps and not self.stop:
            self.collect()
            losses = self.learn()
            report(self.summarise(losses))

    def start(self) -> None:
        """Reset the envs; the first `collect` does it if nobody has."""
        self.held = deque([self.vector.reset(seeding.child(self.seed, "envs"))])
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
            for batch in self.held:
                self._value_last(self.seats.narrow(batch))

    def learn(self) -> dict[str, float]:
        """Improve the policy on the rollout; gives the losses by name, means over minibatches."""
        config = self.config
        with self.profile("learning"):
            rate = learning_rate(config, self.steps)
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            self.rollout.finish(config.discount, config.trace)
            shuffle = torch.Generator().manual_seed(
                seeding.state(self.seed, "trainer", self.updates)
            )
            found: list[dict[str, Tensor]] = []
            for _ in range(config.epochs):
                for minibatch in self.rollout.minibatches(config.minibatches, shuffle):
                    found.append(self._improve(minibatch))
                if config.target_kl and self._mean(found, "kl") > config.target_kl:
                    break
            losses = {name: self._mean(found, name) for name in found[0]}
            losses["explained_variance"] = float(
                loss.explained_variance(
                    self.rollout.values, self.rollout.targets, self.rollout.alive.float()
                )
            )
            losses["learning_rate"] = rate
        self.updates += 1
        self._check(losses)
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
        )
        return self.progress

    def _receive(self) -> Batch:
        with self.profile("environment"):
            return self.vector.recv()

    def _keep_outcome(self, whole: Batch, t: int) -> None:
        """What the step at time `t` brought; memory is cleared where an episode ended."""
        batch = self.seats.narrow(whole)
        self.rollout.add_outcome(batch, t, self.config.reward_scale)
        self.episodes.add(batch.episodes)
        if len(batch.final.rows):
            self._value_truncated(batch, t)
        if self.memory[batch.group]:
            ended = self._to_device(batch.terminated | batch.truncated | ~batch.alive)
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

    def _value_truncated(self, batch: Batch, t: int) -> None:
        """Value the last observations of truncated rows, given the memory before it is cleared."""
        truncated = batch.truncated[batch.final.rows]
        rows = torch.from_numpy(batch.final.rows[truncated])
        observations = torch.from_numpy(batch.final.observations[truncated]).to(self.device)
        rows = rows.to(self.device)
        state = tuple(part[rows] for part in self.memory[batch.group])
        with self._precision():
            values = self.policy.value(observations, state).float()
        self.rollout.final_values[t, rows + batch.rows.start] = values

    def _value_last(self, batch: Batch) -> None:
        """Value the observations after the horizon's last step."""
        observations = self._to_device(batch.observations)
        with self._precision():
            values = self.policy.value(observations, self.memory[batch.group])
        self.rollout.last_values[batch.rows] = values.float()

    def _improve(self, minibatch: Minibatch) -> dict[str, Tensor]:
        """One gradient step; its losses, still on the device."""
        config, weights = self.config, minibatch.policy_weights
        with self._precision():
            parameters, values = self.policy.sequence(
                minibatch.observations, minibatch.state, minibatch.resets
            )
        values = values.float()
        log_probabilities, entropies = self.policy.head.evaluate(
            parameters, minibatch.actions, minibatch.mask
        )
        log_ratio = (log_probabilities - minibatch.log_probabilities) * weights
        ratio = log_ratio.exp()
        advantages = loss.normalise(minibatch.advantages, weights)
        entropy = loss.mean(entropies.sum(-1), weights)
        policy_loss = loss.policy_loss(ratio, advantages, weights, config.clip)
        value_loss = loss.value_loss(
            values,
            minibatch.values,
            minibatch.targets,
            minibatch.value_weights,
            config.value_clip,
        )
        total = policy_loss + config.value_weight * value_loss - config.entropy_weight * entropy
        losses = {"policy": policy_loss, "value": value_loss, "entropy": entropy}
        for term in self.terms:
            name, extra = term(self.policy, minibatch)
            losses[name] = extra
            total = total + extra
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        limit = config.max_gradient_norm or math.inf
        norm = nn.utils.clip_grad_norm_(self.policy.parameters(), limit)
        self.optimiser.step()
        with torch.no_grad():
            losses["kl"] = loss.approximate_kl(log_ratio, weights)
            losses["clip_fraction"] = loss.clip_fraction(ratio, weights, config.clip)
        losses["total"], losses["gradient_norm"] = total, norm
        return {name: part.detach() for name, part in losses.items()}

    def _check(self, losses: dict[str, float]) -> None:
        wrong = [name for name, found in losses.items() if not math.isfinite(found)]
        if wrong:
            raise RunError(
                f"Losses and gradients must be finite, but {', '.join(wrong)} was not in update "
                f"{self.updates} at step {self.steps}. Lower train.learning_rate or "
                f"train.max_gradient_norm and go on from the last checkpoint."
            )

    def _noise(self, batch: Batch) -> Tensor:
        """Uniform noise (horizon, rows, components), a function of seed, group and update alone."""
        generator = torch.Generator(self.device).manual_seed(
            seeding.state(self.seed, "acting", batch.group, self.updates)
        )
        size = (self.config.horizon, len(batch.alive), self.policy.head.components)
        return torch.rand(size, generator=generator, device=self.device)

    @staticmethod
    def _mean(found: list[dict[str, Tensor]], name: str) -> float:
        return float(torch.stack([losses[name] for losses in found]).mean())

    def _precision(self) -> AbstractContextManager[Any]:
        return torch.autocast(
            self.device.type, torch.bfloat16, enabled=self.config.precision == "bfloat16"
        )

    def _to_device(self, array: Any) -> Tensor:
        return torch.from_numpy(array).to(self.device, non_blocking=True)
