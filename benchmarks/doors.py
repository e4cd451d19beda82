"""Other trainers on Skipjack's games, through Gymnasium's doors.

    python benchmarks/doors.py > doors.json

Stable-Baselines3's PPO over `gymnasium.make`, as its DummyVecEnv has it, and a PPO in one function
as CleanRL writes them over `gymnasium.make_vec`. Means of returns early and late in each training,
and those of a player that chooses at random.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import gymnasium
import numpy as np
import torch
from torch import Tensor, nn

GAMES = {"CartPole": (100_000, 200_000), "Breakout": (250_000, 2_000_000)}
"""Steps of training: of Stable-Baselines3, which steps env by env, and of the one function."""

Returns = list[float]
"""Returns of the episodes that ended in a training, in order."""


def env_id(game: str) -> str:
    """The id that registers the games first."""
    return f"skipjack.gym:skipjack/{game}-v0"


def random_player(game: str, steps: int = 20_000, seed: int = 1) -> Returns:
    """What a player gets that chooses at random."""
    envs = gymnasium.make_vec(env_id(game), num_envs=16)
    envs.reset(seed=seed)
    envs.action_space.seed(seed)
    found: Returns = []
    for _ in range(steps // 16):
        found += _returns(envs.step(envs.action_space.sample())[4])
    envs.close()
    return found


def stable_baselines(game: str, steps: int, seed: int = 1, **settings: Any) -> Returns:
    """Stable-Baselines3's PPO at its defaults but for `settings`, on eight envs."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.env_util import make_vec_env

    found: Returns = []

    class Collect(BaseCallback):
        def _on_step(self) -> bool:
            found.extend(i["record"]["return"] for i in self.locals["infos"] if "record" in i)
            return True

    envs = make_vec_env(env_id(game), n_envs=8, seed=seed)
    defaults = {"n_steps": 256, "batch_size": 256, "device": "cpu", "seed": seed}
    PPO("MlpPolicy", envs, **(defaults | settings)).learn(steps, callback=Collect())
    envs.close()
    return found


class Agent(nn.Module):
    """Actor and critic on layers of their own."""

    def __init__(self, size: int, choices: int, hidden: int = 64) -> None:
        super().__init__()
        self.actor, self.critic = (
            nn.Sequential(nn.Linear(size, hidden), nn.Tanh(), nn.Linear(hidden, out))
            for out in (choices, 1)
        )

    def act(self, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Actions, their log-probabilities, and values."""
        chances = torch.distributions.Categorical(logits=self.actor(seen))
        actions = chances.sample()
        return actions, chances.log_prob(actions), self.critic(seen)[:, 0]


def one_file(
    game: str,
    steps: int,
    seed: int = 1,
    num_envs: int = 64,
    horizon: int = 64,
    learning_rate: float = 3e-3,
    discount: float = 0.99,
    trace: float = 0.95,
) -> Returns:
    """PPO over `make_vec`, whose envs reset themselves in the same step."""
    torch.manual_seed(seed)
    envs = gymnasium.make_vec(env_id(game), num_envs=num_envs)
    agent = Agent(envs.single_observation_space.shape[0], int(envs.single_action_space.n))
    optimiser = torch.optim.Adam(agent.parameters(), lr=learning_rate)
    seen = torch.as_tensor(envs.reset(seed=seed)[0])
    found: Returns = []
    updates = steps // (num_envs * horizon)
    for update in range(updates):
        optimiser.param_groups[0]["lr"] = learning_rate * (1 - update / updates)
        kept: list[list[Tensor]] = []
        for _ in range(horizon):
            with torch.no_grad():
                actions, logs, values = agent.act(seen)
            after, rewards, terminated, truncated, infos = envs.step(actions.numpy())
            gained = torch.as_tensor(rewards)
            for env in np.flatnonzero(truncated):  # what would have come after is estimated
                last = torch.as_tensor(infos["final_obs"][env])
                gained[env] += discount * agent.critic(last).detach()[0]
            over = torch.as_tensor(terminated | truncated).float()
            kept.append([seen, actions, logs, values, gained, over])
            seen = torch.as_tensor(after)
            found += _returns(infos)
        observations, acted, logs, values, gained, over = map(torch.stack, zip(*kept, strict=True))
        with torch.no_grad():
            following = torch.cat([values[1:], agent.critic(seen).T])
        advantages, running = torch.zeros_like(gained), torch.zeros(num_envs)
        surprises = gained + discount * following * (1 - over) - values
        for t in reversed(range(horizon)):
            running = surprises[t] + discount * trace * (1 - over[t]) * running
            advantages[t] = running
        rollout = [part.flatten(0, 1) for part in (observations, acted, logs, advantages, values)]
        _learn(agent, optimiser, rollout)
    envs.close()
    return found


def _learn(agent: Agent, optimiser: torch.optim.Optimizer, rollout: list[Tensor]) -> None:
    for _ in range(4):
        for part in torch.randperm(len(rollout[0])).chunk(4):
            seen, actions, logs, advantages, values = (whole[part] for whole in rollout)
            chances = torch.distributions.Categorical(logits=agent.actor(seen))
            ratio = (chances.log_prob(actions) - logs).exp()
            gain = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
            policy = torch.min(ratio * gain, ratio.clamp(0.8, 1.2) * gain).mean()
            value = (agent.critic(seen)[:, 0] - values - advantages).square().mean()
            loss = 0.5 * value - policy - 0.01 * chances.entropy().mean()
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optimiser.step()


def _returns(infos: dict[str, Any]) -> Returns:
    records = infos.get("final_info", {}).get("record", {})
    return records["return"][records["_return"]].tolist() if records else []


def summary(returns: Returns, seconds: float, steps: int) -> dict[str, float]:
    """Means of the first and the last tenth of a training's episodes."""
    tenth = max(1, len(returns) // 10)
    return {
        "first": float(np.mean(returns[:tenth])),
        "last": float(np.mean(returns[-tenth:])),
        "episodes": len(returns),
        "steps": steps,
        "seconds": round(seconds, 1),
        "steps_per_second": round(steps / seconds),
    }


def main() -> None:
    """Train through every door and print JSON."""
    found: dict[str, Any] = {}
    for game, budgets in GAMES.items():
        found[game] = {"random": float(np.mean(random_player(game)))}
        for trainer, steps in zip((stable_baselines, one_file), budgets, strict=True):
            began = time.perf_counter()
            returns = trainer(game, steps)
            took = time.perf_counter() - began
            found[game][trainer.__name__] = summary(returns, took, steps)
            print(game, trainer.__name__, found[game][trainer.__name__], file=sys.stderr)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
