"""Agent steps a second of training on Atari: Skipjack's presets beside the usual PPO on envpool, as JSON.

    python benchmarks/atari_training.py [--games breakout pong] [--updates 6] [--turns 3] > training.json

The peer is the algorithm and the settings of CleanRL's `ppo_atari_envpool` (v1.0: 8 envs of envpool,
horizon 128, four minibatches, four epochs, float32, the CNN of Mnih et al. 2015 on 84 x 84 x 4, Adam), in
the shortest loop that does its work and without its logging, which makes it a little faster than the
original. Skipjack runs `standard` (the same CNN, observations and epochs) and its own presets `fast` and
`lstm`. `limit` is the arithmetic of `standard` alone: its network forward once and forward and backward four
times a step at its minibatch size, without emulators, losses, optimiser or anything else; the rate with
emulators added is `limit and emulators`. In turns in one run, with nothing else on the machine; steps a
second leave out the start and the first tenth of the updates.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ENVS, HORIZON, EPOCHS, MINIBATCHES = 8, 128, 4, 4


def peer(game: str, updates: int) -> float:
    """Steps a second of the usual PPO."""
    import envpool
    import torch
    from torch import nn

    title = "".join(word.title() for word in game.split("_"))
    envs = envpool.make_gymnasium(
        f"{title}-v5", num_envs=ENVS, episodic_life=True, reward_clip=True, seed=1
    )
    policy = nn.Sequential(
        nn.Conv2d(4, 32, 8, 4), nn.ReLU(), nn.Conv2d(32, 64, 4, 2), nn.ReLU(),
        nn.Conv2d(64, 64, 3, 1), nn.ReLU(), nn.Flatten(), nn.Linear(3136, 512), nn.ReLU(),
        nn.Linear(512, envs.action_space.n + 1),
    )  # fmt: skip
    optimiser = torch.optim.Adam(policy.parameters(), 2.5e-4, eps=1e-5)

    def act(seen: torch.Tensor) -> tuple[torch.distributions.Categorical, torch.Tensor]:
        out = policy(seen / 255.0)
        return torch.distributions.Categorical(logits=out[:, :-1]), out[:, -1]

    shape = (HORIZON, ENVS)
    seen = torch.zeros((*shape, 4, 84, 84))
    actions, likely, rewards, ends, values = (torch.zeros(shape) for _ in range(5))
    newest, ended = torch.tensor(envs.reset()[0]), torch.zeros(ENVS)
    began = 0.0
    for update in range(updates + 1):
        if update == 1:
            began = time.perf_counter()
        for step in range(HORIZON):
            seen[step], ends[step] = newest, ended
            with torch.no_grad():
                chances, values[step] = act(seen[step])
                actions[step] = chances.sample()
                likely[step] = chances.log_prob(actions[step])
            found, reward, terminated, truncated, _ = envs.step(actions[step].int().numpy())
            rewards[step] = torch.tensor(reward)
            newest, ended = torch.tensor(found), torch.tensor(terminated | truncated).float()
        with torch.no_grad():
            following = act(newest.float())[1]
            advantages, trace, going = torch.zeros(shape), torch.zeros(ENVS), 1 - ended
            for step in reversed(range(HORIZON)):
                error = rewards[step] + 0.99 * following * going - values[step]
                advantages[step] = trace = error + 0.99 * 0.95 * going * trace
                following, going = values[step], 1 - ends[step]
            returns = advantages + values
        flat = [
            part.reshape(-1, *part.shape[2:])
            for part in (seen, actions, likely, advantages, returns, values)
        ]
        for _ in range(EPOCHS):
            for picked in torch.randperm(ENVS * HORIZON).chunk(MINIBATCHES):
                shown, done, before, better, wanted, old = (part[picked] for part in flat)
                chances, value = act(shown)
                ratio = (chances.log_prob(done) - before).exp()
                better = (better - better.mean()) / (better.std() + 1e-8)
                gain = torch.min(better * ratio, better * ratio.clamp(0.9, 1.1)).mean()
                near = old + (value - old).clamp(-0.1, 0.1)
                miss = torch.max((value - wanted) ** 2, (near - wanted) ** 2).mean()
                optimiser.zero_grad()
                (0.25 * miss - gain - 0.01 * chances.entropy().mean()).backward()
                nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
                optimiser.step()
    return updates * ENVS * HORIZON / (time.perf_counter() - began)


def limit() -> float:
    """Steps a second if there were nothing but the network's arithmetic of `standard`."""
    import numpy as np
    import torch

    from skipjack.policies.config import PolicyConfig
    from skipjack.policies.fields import FieldsEncoder
    from skipjack.spaces import Layout

    rows = 512
    layout = Layout.box((4, 84, 84), np.uint8, 0, 255)
    network = FieldsEncoder(layout, PolicyConfig(hidden=512)).parts[0]
    seen = torch.randint(0, 256, (rows, 4, 84, 84), dtype=torch.uint8)
    towards = torch.randn(rows, 512).bfloat16()
    times: dict[str, list[float]] = {"act": [], "learn": []}
    for _ in range(12):
        with torch.autocast("cpu", torch.bfloat16):
            began = time.perf_counter()
            with torch.no_grad():
                network(seen)
            times["act"].append(time.perf_counter() - began)
            began = time.perf_counter()
            hidden = network(seen)
        hidden.backward(towards)
        times["learn"].append(time.perf_counter() - began)
    act, learn = (statistics.median(times[name][2:]) for name in ("act", "learn"))
    return rows / (act + EPOCHS * learn)


def emulators(env: str) -> float:
    """Steps a second of the envs alone, on all cores."""
    called = [sys.executable, "-m", "skipjack", "bench", "steps", env, "--json"]
    done = subprocess.run(called, check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout.splitlines()[-1])["speeds"][-1]["steps_per_second"])


def ours(env: str, steps: int) -> float:
    """Steps a second of `skipjack train`, from its last line; the first tenth is left out."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [
                sys.executable, "-m", "skipjack", "train", env, f"--train.steps={steps}", "--json",
                "--eval.quota=1", "--eval.share=0.001", "--run=run",
            ],
            check=True, capture_output=True, cwd=folder,
        )  # fmt: skip
        rows = [json.loads(line) for line in (Path(folder) / "runs/run/metrics.jsonl").open()]
    rows = [row for row in rows if "update" in row]
    first = rows[max(1, len(rows) // 10)]
    return (rows[-1]["steps"] - first["steps"]) / (rows[-1]["seconds"] - first["seconds"])


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--games", nargs="+", default=["breakout", "pong"])
    parser.add_argument("--updates", type=int, default=6)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.peer:
        print(peer(given.peer, given.updates))
        return
    found: dict[str, Any] = {"machine": platform.platform(), "cores": os.cpu_count(), "games": {}}
    for game in given.games:
        rates: dict[str, list[float]] = {}
        for _ in range(given.turns):
            called = [sys.executable, __file__, "--peer", game, "--updates", str(given.updates)]
            done = subprocess.run(called, check=True, capture_output=True, text=True)
            rates.setdefault("peer", []).append(float(done.stdout.split()[-1]))
            rates.setdefault("standard", []).append(ours(f"atari:{game}/standard", 30_000))
            rates.setdefault("fast", []).append(ours(f"atari:{game}", 64_000))
            rates.setdefault("lstm", []).append(ours(f"atari:{game}/lstm", 80_000))
            rates.setdefault("limit", []).append(limit())
            both = 1 / rates["limit"][-1] + 1 / emulators(f"atari:{game}/standard")
            rates.setdefault("limit and emulators", []).append(1 / both)
        found["games"][game] = {
            name: {"median": statistics.median(each), "all": each} for name, each in rates.items()
        }
        base = found["games"][game]["peer"]["median"]
        for row in found["games"][game].values():
            row["by peer"] = row["median"] / base
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
