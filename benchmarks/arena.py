"""What games against past selves, and ratings, cost a training, as JSON on standard output.

    python benchmarks/arena.py [ENV ...] [--past 0.2] [--banks 4] [--updates 30] [--beside 3e6] > arena.json

Takes a few minutes. For each environment two trainers, with past selves and without, take updates in turn.
`rollout` is how fast the one plays all its rows, relative to the other; `trained` the same of the steps that
are learned from, over whole updates, and `formula` what docs/rating.md says of it for the share of time that
the other spends on playing. `off` is what the trainer's questions to its seats cost where there are no past
selves, as a share of an update: all that is left of the arena then. All in processor time of one thread, and
of the fastest quarter of the updates: on a busy machine the others say how cold its caches were.

`--beside STEPS` also trains with `skipjack train` for so many steps, in turns with a rater beside it and
without, three times each, and gives the ratio of their median steps a second (`beside`).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from skipjack.run.config import configure
from skipjack.run.envs import make_vector
from skipjack.run.past import Past, plan_of
from skipjack.run.wiring import make_policy
from skipjack.train.ppo import PPO


class Side:
    """A trainer and what its updates took: seconds of collecting, of learning, and steps."""

    def __init__(self, env: str, past: float, banks: int) -> None:
        flags = {
            "vector.threads": 1,
            "arena.past": past,
            "arena.banks": banks,
            "train.device": "cpu",
        }
        configured = configure(env, flags=flags)
        config, plan = configured.config, plan_of(configured)
        row_of = plan.row_of if plan else None
        self.vector = make_vector(configured, config.vector.num_envs, row_of=row_of)
        policy = make_policy(configured, self.vector, torch.device("cpu"))
        self.past: Past | None = None
        if plan is not None:
            self.past = Past(configured, Path(tempfile.mkdtemp()), plan, self.vector, policy)
            self.past.begin(0)
        seats = self.past.seats if self.past else None
        self.trainer = PPO(config.train, self.vector, policy, 1, seats)
        self.rows: list[tuple[float, float, int]] = []

    def update(self) -> None:
        """One update, timed."""
        before, began = self.trainer.steps, time.process_time()
        self.trainer.collect()
        if self.past is not None:
            self.past.seats.summary()  # takes in who won, as a run does after each update
        middle = time.process_time()
        self.trainer.learn()
        end = time.process_time()
        self.rows.append((middle - began, end - middle, self.trainer.steps - before))

    @property
    def playing(self) -> float:
        """Seconds of collecting for a step that is learned from."""
        return self._typical(0)

    @property
    def learning(self) -> float:
        """Seconds of learning for such a step."""
        return self._typical(1)

    def _typical(self, column: int) -> float:
        """Mean over the fastest quarter of the updates but the first three."""
        found = sorted(row[column] / row[2] for row in self.rows[3:])
        return statistics.mean(found[: max(1, len(found) // 4)])


def cost_of_seats(side: Side) -> float:
    """Seconds that an update's questions to seats without past selves take."""
    trainer, repeats = side.trainer, 100_000
    batch = trainer.held[0]
    actions = side.vector.rows.actions[batch.rows]
    began = time.process_time()
    for _ in range(repeats):
        trainer.seats.narrow(batch)
        trainer.seats.narrow(batch)
        trainer.seats.complete(batch, actions)
    each = (time.process_time() - began) / repeats
    return each * side.vector.groups * (trainer.config.horizon + 1)


def speed(env: str, steps: float, rating: str) -> float:
    """Steps a second of a training in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "skipjack", "train", env, "--json"]
        command += ["--train.steps", str(int(steps)), "--train.checkpoint-every", "2"]
        command += ["--arena.rating", rating, "--arena.patience", "0"]
        done = subprocess.run(
            command, cwd=folder, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    return float(json.loads(done.stdout.splitlines()[-1])["steps_per_second"])


def beside(env: str, steps: float) -> float:
    """How fast a training with a rater beside it is, relative to one without."""
    found: dict[str, list[float]] = {"beside": [], "off": []}
    for _ in range(3):
        for rating, speeds in found.items():
            speeds.append(speed(env, steps, rating))
    return statistics.median(found["beside"]) / statistics.median(found["off"])


def measure(env: str, past: float, banks: int, updates: int) -> dict[str, Any]:
    """Both sides' updates in turn, and what they say."""
    without, with_past = Side(env, 0.0, banks), Side(env, past, banks)
    for _ in range(updates):
        without.update()
        with_past.update()
    kept = with_past.trainer.seats.rows / with_past.vector.num_rows
    share = without.playing / (without.playing + without.learning)
    steps = without.rows[-1][2]
    seconds = steps * (without.playing + without.learning)
    return {
        "env": env,
        "past": past,
        "banks": banks,
        "rollout": without.playing / (with_past.playing * kept),
        "trained": (without.playing + without.learning) / (with_past.playing + with_past.learning),
        "formula": kept / (share + kept * (1 - share)),
        "playing": share,
        "off": cost_of_seats(without) / seconds,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What games against past selves cost.")
    parser.add_argument("envs", nargs="*", default=["connect_four", "pong/two"])
    parser.add_argument("--past", type=float, default=0.2)
    parser.add_argument("--banks", type=int, default=4)
    parser.add_argument("--updates", type=int, default=30)
    parser.add_argument("--beside", type=float, default=0.0)
    own = parser.parse_args()
    torch.set_num_threads(1)
    for env in own.envs:
        row = measure(env, own.past, own.banks, own.updates)
        if own.beside:
            row["beside"] = beside(env, own.beside)
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
