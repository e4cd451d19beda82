"""PPO with memory in one file, to be copied and changed: torch, numpy and `skipjack.make`.

    python examples/one_file_ppo.py cartpole        # or pong, breakout, memory; a seed may follow

The same algorithm as `skipjack.PPO` (a test holds the two equal, bit for bit), for games with one
discrete action and flat observations in which every row acts at every step: no masks, no agents
that die, no continuous actions, no GPU. Tensors are (time, rows, ...); a row is one env's place.
"""

import os
import sys
import time
from dataclasses import dataclass
from typing import NamedTuple

os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # torch's idle threads leave their cores to envs

import numpy as np
import torch
from torch import Tensor, nn

import skipjack
from skipjack import seeding

State = tuple[Tensor, ...]  # the memory between two steps, each part (rows, hidden); () without


@dataclass(frozen=True)
class Settings:
    """The defaults are CartPole's."""

    steps: int = 1_500_000  # to train for, counted over all rows
    num_envs: int = 512  # envs side by side
    horizon: int = 32  # steps a row between two updates
    minibatches: int = 8  # gradient steps an epoch
    epochs: int = 2  # times that each rollout is learned from
    hidden: int = 128  # width of the network
    memory: bool = False  # an LSTM between encoder and heads
    learning_rate: float = 0.005  # of Adam; falls linearly to zero
    discount: float = 0.99  # gamma
    trace: float = 0.95  # lambda
    reward_scale: float = 0.1  # keeps values near 1, where the optimiser expects them
    clip: float = 0.2  # change of an action's probability ratio that is rewarded (epsilon)
    value_clip: float = 0.0  # change of a value that is rewarded; 0 switches it off
    value_weight: float = 0.5  # of the value loss (c1)
    entropy_weight: float = 0.01  # of the entropy bonus (c2)
    max_gradient_norm: float = 0.5  # gradients are cut to it


GAMES = {
    "cartpole": Settings(),
    "pong": Settings(steps=6_000_000, discount=0.98, value_weight=2.0, entropy_weight=0.002),
    "breakout": Settings(steps=20_000_000, num_envs=2048, trace=0.9, clip=0.3, value_weight=2.0),
    "memory": Settings(steps=200_000, num_envs=128, hidden=32, memory=True),
}


def linear(size_in: int, size_out: int, gain: float) -> nn.Linear:
    """A layer with orthogonal weights and zero bias."""
    layer = nn.Linear(size_in, size_out)
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer


class Network(nn.Module):
    """Encoder, optional LSTM, and on top of it actor (logits) and critic (value)."""

    def __init__(self, observation_size: int, choices: int, settings: Settings) -> None:
        super().__init__()
        hidden = self.hidden = settings.hidden
        self.encoder = nn.Sequential(linear(observation_size, hidden, gain=2**0.5), nn.ReLU())
        self.lstm = nn.LSTM(hidden, hidden) if settings.memory else None
        if self.lstm is not None:
            for name, parameter in self.lstm.named_parameters():
                (nn.init.zeros_ if "bias" in name else nn.init.orthogonal_)(parameter)
        self.actor = linear(hidden, choices, gain=0.01)  # the first policy is close to uniform
        self.critic = linear(hidden, 1, gain=1.0)

    def initial_state(self, rows: int) -> State:
        """The memory at the start of an episode."""
        parts = 2 if self.lstm is not None else 0
        return tuple(torch.zeros(rows, self.hidden) for _ in range(parts))

    def step(self, observations: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """Act: logits (rows, choices), values (rows,) and the memory after one step."""
        hidden = self.encoder(observations)
        if self.lstm is not None:
            out, (h, c) = self.lstm(hidden[None], (state[0][None], state[1][None]))
            hidden, state = out[0], (h[0], c[0])
        return self.actor(hidden), self.critic(hidden)[:, 0], state

    def sequence(self, observations: Tensor, state: State, resets: Tensor) -> tuple[Tensor, Tensor]:
        """Learn: what `step` gives over (time, rows), the memory cleared before steps with a reset."""
        hidden = self.encoder(observations)
        if self.lstm is not None:
            # A reset cuts a row's segment in two. All pieces run side by side as sequences that
            # begin together; the steps past a piece's end are computed and not looked at.
            begins = resets.clone()
            begins[0] = True
            row, begin = begins.T.nonzero(as_tuple=True)  # (pieces,)
            piece = begins.T.flatten().cumsum(0).view_as(begins.T).T - 1  # (time, rows)
            clock = torch.arange(len(resets))[:, None]
            age = clock - begin[piece]  # (time, rows), steps since the piece began
            when = (begin + clock[: int(age.max()) + 1]).clamp(max=len(resets) - 1)
            h, c = ((part[row] * (begin == 0)[:, None])[None] for part in state)
            hidden = self.lstm(hidden[when, row.expand_as(when)], (h, c))[0][age, piece]
        return self.actor(hidden), self.critic(hidden)[..., 0]


def sample(logits: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Actions (rows,) by inverse transform of noise (rows,) in [0, 1); their log-probabilities."""
    log_probabilities = logits.log_softmax(-1)
    edges = log_probabilities.exp().cumsum(-1)
    # The last edge is 1 but for rounding: noise is scaled to it and stays below.
    point = noise.clamp(max=1 - 2**-23) * edges[:, -1]
    actions = (edges <= point[:, None]).sum(-1)
    return actions, log_probabilities.gather(-1, actions[:, None])[:, 0]


class Rollout(NamedTuple):
    """What the rows saw, did and got: at one time, over a horizon, or some rows of it."""

    observations: Tensor
    actions: Tensor
    log_probabilities: Tensor  # of the actions when they were taken
    values: Tensor
    resets: Tensor  # whether the memory was cleared before this step
    rewards: Tensor
    terminated: Tensor  # whether the step ended the episode by the game's rules
    truncated: Tensor  # whether it was cut, by a time limit for instance


class PPO:
    """Proximal policy optimisation (Schulman et al. 2017), actor-critic style (algorithm 1)."""

    def __init__(
        self, settings: Settings, vector: skipjack.Vector, network: Network, seed: int
    ) -> None:
        self.settings, self.vector, self.network, self.seed = settings, vector, network, seed
        self.optimiser = torch.optim.Adam(network.parameters(), eps=1e-5, fused=True)
        self.batch = vector.reset(seeding.child(seed, "envs"))
        self.state = network.initial_state(vector.num_rows)
        self.steps = self.updates = 0
        self.scores: list[float] = []  # of the episodes that ended since the last report

    def run(self) -> None:
        """Collect and learn until the steps are spent; print the score once a second."""
        started = shown = time.perf_counter()
        while self.steps < self.settings.steps:
            state = self.state
            rollout, final_values, last_values = self.collect()
            advantages = self.estimate_advantages(rollout, final_values, last_values)
            self.learn(rollout, advantages, state)
            self.steps += self.settings.horizon * self.vector.num_rows
            self.updates += 1
            now = time.perf_counter()
            if self.scores and (now - shown > 1 or self.steps >= self.settings.steps):
                rate, score = self.steps / (now - started), np.mean(self.scores)
                print(f"{self.steps:12,} steps  {rate:10,.0f} steps/s  score {score:.3f}")
                shown, self.scores = now, []

    @torch.no_grad()
    def collect(self) -> tuple[Rollout, Tensor, Tensor]:
        """Play one horizon.

        Gives what happened; values (time, rows) of the last observations of truncated episodes, 0
        elsewhere; values (rows,) of the observations after the horizon.
        """
        rows = self.vector.num_rows
        generator = self._generator("acting", 0, self.updates)  # 0 is the number of a group of envs
        noise = torch.rand(self.settings.horizon, rows, generator=generator)
        ticks: list[Rollout] = []
        cut: list[tuple[Tensor, ...]] = []  # times, rows, last observations, memory's parts
        resets = torch.zeros(rows, dtype=torch.bool)  # the state is clear where it must be
        for t in range(self.settings.horizon):
            observations = torch.tensor(self.batch.observations)  # a copy: the env writes in place
            logits, values, self.state = self.network.step(observations, self.state)
            actions, log_probabilities = sample(logits, noise[t])
            batch = self.batch = self.vector.step(actions.int().numpy())
            got = map(torch.tensor, (batch.rewards, batch.terminated, batch.truncated))
            ticks.append(Rollout(observations, actions, log_probabilities, values, resets, *got))
            # Auto-reset: the batch already holds the next episodes' first observations. The last
            # ones of truncated episodes are valued with the memory before it is cleared.
            if len(batch.final.rows):
                ended, last = map(torch.tensor, (batch.final.rows, batch.final.observations))
                memory = (part[ended] for part in self.state)
                cut.append((torch.full_like(ended, t), ended, last, *memory))
            resets = ticks[-1].terminated | ticks[-1].truncated
            self.state = tuple(part.masked_fill(resets[:, None], 0) for part in self.state)
            self.scores += batch.episodes["score"][~batch.episodes["partial"]].tolist()
        final_values = torch.zeros(self.settings.horizon, rows)
        if cut:
            times, ended, last, *parts = map(torch.cat, zip(*cut, strict=True))
            final_values[times, ended] = self.network.step(last, tuple(parts))[1]
        last_values = self.network.step(torch.tensor(self.batch.observations), self.state)[1]
        return Rollout(*map(torch.stack, zip(*ticks, strict=True))), final_values, last_values

    def estimate_advantages(
        self, rollout: Rollout, final_values: Tensor, last_values: Tensor
    ) -> Tensor:
        """Generalised advantages (Schulman et al. 2016, equation 16), (time, rows)."""
        discount, trace = self.settings.discount, self.settings.trace
        values = rollout.values.double()  # sums over a long horizon keep their digits
        # After a step comes the next one's value, or, if the episode ended there: nothing where it
        # terminated, the value of its own last observation where it was truncated.
        following = torch.cat([values[1:], last_values[None]])
        following = torch.where(rollout.truncated, final_values, following) * ~rollout.terminated
        rewards = rollout.rewards * self.settings.reward_scale
        delta = rewards + discount * following - values
        goes_on = ~(rollout.terminated | rollout.truncated)  # no advantage passes over an end
        advantages = torch.empty_like(delta)
        advantage = torch.zeros_like(delta[0])
        for t in reversed(range(len(delta))):
            advantage = advantages[t] = delta[t] + discount * trace * (goes_on[t] * advantage)
        return advantages.float()

    def learn(self, rollout: Rollout, advantages: Tensor, state: State) -> None:
        """Improve the policy; `state` is the memory before the rollout."""
        settings = self.settings
        rate = settings.learning_rate * (1 - self.steps / settings.steps)
        self.optimiser.param_groups[0]["lr"] = rate
        targets = rollout.values + advantages
        shuffle = self._generator("trainer", self.updates)
        for _ in range(settings.epochs):
            # Rows are shuffled, not steps: a segment stays whole for the memory.
            order = torch.randperm(self.vector.num_rows, generator=shuffle)
            for rows in order.tensor_split(settings.minibatches):
                part = Rollout(*(values[:, rows] for values in rollout))
                memory = tuple(values[rows] for values in state)
                self.optimiser.zero_grad()
                self._loss(part, advantages[:, rows], targets[:, rows], memory).backward()
                nn.utils.clip_grad_norm_(self.network.parameters(), settings.max_gradient_norm)
                self.optimiser.step()

    def _loss(self, part: Rollout, advantages: Tensor, targets: Tensor, state: State) -> Tensor:
        """The objective (Schulman et al. 2017, equation 9), to be minimised."""
        settings = self.settings
        centred = advantages - advantages.mean()
        advantages = centred / ((centred**2).mean().sqrt() + 1e-8)
        logits, values = self.network.sequence(part.observations, state, part.resets)
        everything = logits.log_softmax(-1)
        log_probabilities = everything.gather(-1, part.actions[..., None])[..., 0]
        ratio = (log_probabilities - part.log_probabilities).exp()
        clipped = ratio.clamp(1 - settings.clip, 1 + settings.clip)
        policy_loss = -torch.min(ratio * advantages, clipped * advantages).mean()  # equation 7
        error = (values - targets) ** 2
        if settings.value_clip > 0:
            change = (values - part.values).clamp(-settings.value_clip, settings.value_clip)
            error = torch.max(error, (part.values + change - targets) ** 2)
        value_loss = 0.5 * error.mean()
        entropy = -(everything.exp() * everything).sum(-1).mean()
        return policy_loss + settings.value_weight * value_loss - settings.entropy_weight * entropy

    def _generator(self, stream: str, *counters: int) -> torch.Generator:
        """Randomness as a function of seed, stream and counters, not of what was drawn before."""
        return torch.Generator().manual_seed(seeding.state(self.seed, stream, *counters))


@torch.no_grad()
def evaluate(network: Network, vector: skipjack.Vector, seed: int) -> float:
    """Mean score of one whole episode of every row: equally many, or short ones would count more."""
    seed = seeding.child(seed, "evaluation")
    batch, tick = vector.reset(seed), 0
    state = network.initial_state(vector.num_rows)
    scores = np.full(vector.num_rows, np.nan)
    while np.isnan(scores).any():
        generator = torch.Generator().manual_seed(seeding.state(seed, "acting", tick))
        logits, _, state = network.step(torch.from_numpy(batch.observations), state)
        actions, _ = sample(logits, torch.rand(vector.num_rows, generator=generator))
        batch, tick = vector.step(actions.int().numpy()), tick + 1
        ended = torch.from_numpy(batch.terminated | batch.truncated)
        state = tuple(part.masked_fill(ended[:, None], 0) for part in state)
        first = batch.episodes[np.isnan(scores[batch.episodes["row"]])]
        scores[first["row"]] = first["score"]
    return float(scores.mean())


def main(game: str = "cartpole", seed: str = "0", *more: str) -> None:
    """Train and evaluate; games without settings of their own get CartPole's."""
    if game.startswith("-") or not seed.isdecimal() or more:
        sys.exit("Usage: python examples/one_file_ppo.py [GAME [SEED]], the seed a whole number.")
    settings = GAMES.get(game, Settings())
    try:
        vector = skipjack.make(game, num_envs=settings.num_envs)
    except skipjack.SkipjackError as error:
        sys.exit(str(error))
    actions, seen = vector.action, vector.observation
    flat = len(seen.shape) == 1 and seen.dtype == np.float32
    if actions.counts[1:] or actions.low or actions.masked or not flat:
        sys.exit("The game must have flat float32 observations and one discrete action, no masks.")
    torch.manual_seed(seeding.child(int(seed), "weights"))
    network = Network(seen.size, actions.choices, settings)
    PPO(settings, vector, network, int(seed)).run()
    fresh = skipjack.make(game, num_envs=256, config={"desynchronise": False})
    print(f"Final score: {evaluate(network, fresh, int(seed)):.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
