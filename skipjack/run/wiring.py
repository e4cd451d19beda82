"""What a run is made of: policy and device from its settings, and the evaluation of a policy."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import Any

import torch

from skipjack import checkpoint, registry, seeding
from skipjack.errors import RunError, clause, must
from skipjack.evaluate import chance, evaluate
from skipjack.policies.policy import build
from skipjack.report import Evaluation
from skipjack.run import resume
from skipjack.run.config import Configured
from skipjack.run.envs import make_vector
from skipjack.vector import Vector
from skipjack.vector.config import cores


def make_policy(configured: Configured, vector: Vector, device: torch.device) -> Any:
    """A fresh policy on `device`, its weights drawn from the run's seed."""
    config = configured.config
    torch.manual_seed(seeding.child(config.seed, "weights"))
    return build(vector.observation, vector.action, config.policy).to(device)


def load_policy(configured: Configured, found: checkpoint.Checkpoint) -> Any:
    """The policy of a checkpoint, to be used as it is.

    Raises:
        RunError: the checkpoint is of another env or policy.
    """
    check_env(found, configured)
    torch.set_num_threads(configured.config.train.threads or cores())
    device = choose_device(configured.config.train.device)
    vector = make_vector(configured, 1, evaluation=True)
    policy = make_policy(configured, vector, device)
    vector.close()
    resume.load_weights(policy, found)
    return policy


def evaluate_policy(
    configured: Configured,
    policy: Any,
    quota: int,
    budget: int | None = None,
    episodes: int | None = None,
    stop: Callable[[], bool] = lambda: False,
    told: Callable[[Any, tuple[str, ...]], None] = lambda episodes, statistics: None,
) -> Evaluation:
    """The evaluation that every command and the end of a run share, the random player's beside it.

    Args:
        configured: the run's settings; its [eval] section says how.
        policy: the frozen policy.
        quota, budget: as in `skipjack.evaluate.evaluate`.
        episodes: play at least so many, an equal number a slot, instead of `quota`.
        stop: as in `skipjack.evaluate.evaluate`.
        told: given the records of the episodes that count, and the names of their statistics.
    """
    wanted = configured.config.eval
    envs = min(wanted.envs, episodes) if episodes else wanted.envs
    with (
        enough_memory(),
        contextlib.closing(make_vector(configured, envs, evaluation=True)) as vector,
    ):
        if episodes:
            quota = -(-episodes // vector.num_rows)
        seed = configured.config.seed
        found = evaluate(
            policy,
            vector,
            quota=quota,
            budget=budget,
            max_steps=wanted.max_steps,
            seed=seed,
            deterministic=wanted.deterministic,
            stop=stop,
            told=lambda episodes: told(episodes, vector.statistics),
        )
        score, total = chance(vector, quota, found.steps, wanted.max_steps, seed, stop)
        return dataclasses.replace(found, random_score=score, random_return=total)


def choose_device(name: str) -> torch.device:
    """The device that a setting names; auto is a CUDA GPU if there is one, else the CPU.

    Raises:
        UsageError: it is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there[name]:
        raise must(
            "train.device must be one that torch can use here",
            hint="Use --train.device auto.",
            device=name,
        )
    return torch.device(name)


def check_env(found: checkpoint.Checkpoint, configured: Configured) -> None:
    """Whether a checkpoint is of the run's game, of whichever variant.

    Raises:
        RunError: it is of another.
    """
    saved = registry.game_of(found.state["env"])
    if saved != configured.entry.game:
        raise RunError(
            f"The checkpoint {str(found.path)!r} is of {saved!r}, but the run is of "
            f"{configured.entry.game!r}. Take a checkpoint of the same environment."
        )


_NO_MEMORY = re.compile("out of memory|allocate memory|not enough memory")
"""What torch's errors say of it, on a GPU, on Linux and on Windows."""


@contextlib.contextmanager
def enough_memory() -> Iterator[None]:
    """Turns an allocation that fails inside, of numpy, torch or an engine, into a sentence.

    Raises:
        RunError: memory is out.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not _NO_MEMORY.search(str(error)):
            raise
        raise RunError(
            f"Envs and rollout must fit into memory, but {clause(error) or 'it is out'}. Lower "
            f"vector.num_envs, train.horizon or eval.envs."
        ) from error
