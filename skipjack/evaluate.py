"""Evaluation of frozen policies: whole episodes by quota, with a confidence interval."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from skipjack import seeding
from skipjack.config import Within
from skipjack.errors import must
from skipjack.report.progress import Evaluation
from skipjack.rows import Actor
from skipjack.vector import Vector

CHANCE_STEPS = 200_000
"""Steps that the random player may take anyway: a trained policy's episodes can be much shorter."""


@dataclass(frozen=True, slots=True)
class EvaluateConfig:
    """The final evaluation of a run."""

    envs: Annotated[int, Within(1, 1_000_000)] = 256
    """Envs that play side by side; each of their seats is a slot with an equal quota."""
    share: Annotated[float, Within(0.0, 10.0)] = 0.1
    """Steps to spend, as a share of the training steps; every slot plays one episode anyway."""
    quota: Annotated[int, Within(1, 1_000_000)] = 4
    """Most episodes a slot."""
    max_steps: Annotated[int, Within(1, None)] = 20_000_000
    """Steps after which slots without their quota are given up and counted as unfinished."""
    deterministic: bool = False
    """Take the most probable action instead of a sampled one."""
    opponent: str = ""
    """Opponent in games that take one; empty leaves the env's own setting."""


def evaluate(
    policy: Any,
    vector: Vector,
    quota: int = 1,
    budget: int | None = None,
    max_steps: int = 20_000_000,
    seed: int = 0,
    deterministic: bool = False,
    stop: Callable[[], bool] = lambda: False,
    told: Callable[[npt.NDArray[Any]], None] = lambda episodes: None,
) -> Evaluation:
    """Mean score of a policy over an equal quota of whole episodes for every slot.

    A budget of steps alone would count short episodes more often: with wins that end early, a
    true 50 % can read 70 %.

    Args:
        policy: frozen; only read.
        vector: one group, fresh envs that start synchronised; it is reset here.
        quota: episodes a slot.
        budget: with it, `quota` is the most and the number is what fits this many steps, judged
            by the time at which every slot has finished one; at least one.
        max_steps: steps after which unfinished slots are given up.
        seed: of envs and acting noise, both drawn from the evaluation stream.
        deterministic: the most probable action instead of a sampled one.
        stop: asked in every tick; true gives up what is unfinished.
        told: given the records of the episodes that count.

    Raises:
        UsageError: the vector has several groups.
    """
    from skipjack.policies.actor import PolicyActor

    seed = seeding.child(seed, "evaluation")
    actor = PolicyActor(policy, vector.num_rows, seed, deterministic)
    return play_out(actor, vector, seed, quota, budget, max_steps, stop, told=told)


def chance(
    vector: Vector,
    quota: int,
    steps: int,
    max_steps: int = 20_000_000,
    seed: int = 0,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[float, float]:
    """Mean score and return of the random player, by the same rules as a policy's.

    Both are NaN if it does not end.

    Args:
        vector: as in `evaluate`.
        quota: most episodes a slot.
        steps: steps that the policy beside it played: the random player gets as many, so that it
            takes no longer, or `CHANCE_STEPS` if that is more.
        max_steps, seed, stop: the evaluation's.
    """
    from skipjack.policies.random import RandomActor

    seed = seeding.child(seed, "evaluation")
    most = min(max_steps, max(steps, CHANCE_STEPS))
    found = play_out(RandomActor(vector.action, seed), vector, seed, quota, steps, most, stop)
    # Only the short episodes of slots that could not end would count: no number rather than that.
    return (math.nan, math.nan) if found.unfinished else (found.score, found.return_)


def play_out(
    actor: Actor,
    vector: Vector,
    seed: int,
    quota: int = 1,
    budget: int | None = None,
    max_steps: int = 20_000_000,
    stop: Callable[[], bool] = lambda: False,
    slots: npt.NDArray[np.bool_] | None = None,
    told: Callable[[npt.NDArray[Any]], None] = lambda episodes: None,
) -> Evaluation:
    """The episodes of an actor's slots, by the rules of `evaluate`.

    Args:
        actor: plays every row.
        vector: as in `evaluate`.
        seed: of the envs.
        quota, budget, max_steps, stop: as in `evaluate`.
        slots: (rows,) which rows count; by default all.
        told: given the records of the episodes that count.

    Raises:
        UsageError: the vector has several groups.
    """
    if vector.groups != 1:
        raise must("an evaluation must have one group", groups=vector.groups)
    started = time.perf_counter()
    batch = vector.reset(seed)
    actor.begin()
    slots = np.ones(vector.num_rows, np.bool_) if slots is None else slots
    finished = np.where(slots, 0, np.iinfo(np.int64).max)
    records: list[npt.NDArray[Any]] = []
    steps = 0
    while finished.min() < quota and steps < max_steps and not stop():
        actions = actor.act(batch)
        steps += int(np.count_nonzero(batch.may_act))
        alive = batch.alive.copy()  # the step writes over it
        batch = vector.step(actions)
        actor.follow(batch, alive)
        episodes = batch.episodes[slots[batch.episodes["row"]]]
        if len(episodes):
            records.append(episodes)
            finished[episodes["row"][~episodes["partial"]]] += 1
            if budget is not None and finished.min() == 1:
                quota = max(1, min(quota, budget // max(steps, 1)))
                budget = None
    if budget is not None:
        # Some slot has not finished one episode: more than one of the others would be the short ones.
        quota = 1
    episodes = whole(records, quota, vector)
    told(episodes)
    return summarise(episodes, quota, vector, steps, time.perf_counter() - started, slots)


def whole(records: list[npt.NDArray[Any]], quota: int, vector: Vector) -> npt.NDArray[Any]:
    """The first `quota` whole episodes of every row."""
    episodes = np.concatenate(records) if records else vector.engine.records(0, 0)
    episodes = episodes[~episodes["partial"]]
    order = np.argsort(episodes["row"], kind="stable")
    episodes = episodes[order]
    # Records of a row are in the order of time: its n-th is `quota`'s n-th.
    first = np.searchsorted(episodes["row"], episodes["row"])
    return episodes[np.arange(len(episodes)) - first < quota]


def summarise(
    episodes: npt.NDArray[Any],
    quota: int,
    vector: Vector,
    steps: int,
    seconds: float,
    slots: npt.NDArray[np.bool_],
) -> Evaluation:
    """Means over the episodes that `whole` found; `slots` (rows,) are those that count."""
    counts = np.bincount(episodes["row"], minlength=vector.num_rows)
    count = len(episodes)
    scores = episodes["score"].astype(np.float64)
    if not np.isnan(scores).all():  # an env that tells success alone has none where it says nothing
        scores = np.nan_to_num(scores)
    stats = episodes["stats"].astype(np.float64)
    returns = episodes["return"]

    def mean(values: npt.NDArray[Any]) -> float:
        return float(values.mean()) if len(values) else math.nan

    return Evaluation(
        score=mean(scores),
        score_ci95=half_width(scores, episodes["env"]),
        return_=mean(returns),
        return_ci95=1.96 * standard_error(returns, episodes["env"]),
        length=mean(episodes["length"].astype(np.float64)),
        episodes=count,
        unfinished=int(np.count_nonzero(counts[slots] < quota)),
        steps=steps,
        seconds=seconds,
        statistics={  # NaN where an episode has no such statistic
            name: mean(column[~np.isnan(column)])
            for name, column in zip(vector.statistics, stats.T, strict=False)
        },
    )


def half_width(scores: npt.NDArray[Any], envs: npt.NDArray[Any]) -> float:
    """Half width of the 95 % interval of a mean score; NaN for less than two episodes.

    Scores that are all equal say no more than that another one comes less than 3 times in so many:
    the rule of three.

    Args:
        scores: (episodes,) in [0, 1].
        envs: (episodes,) the env of each.
    """
    error = standard_error(scores, envs)
    return 1.96 * error if error else min(1.0, 3 / len(_independent(scores, envs)))


def standard_error(values: npt.NDArray[Any], envs: npt.NDArray[Any]) -> float:
    """Of the mean of episodes' values (episodes,), given the env of each; NaN for less than two."""
    parts = _independent(values, envs)
    return float(parts.std(ddof=1)) / math.sqrt(len(parts)) if len(parts) > 1 else math.nan


def _independent(values: npt.NDArray[Any], envs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Means by env: seats of one env share their games. Single episodes if there is but one env."""
    count = np.bincount(envs)
    parts = np.bincount(envs, weights=values)[count > 0] / count[count > 0]
    return values if len(parts) == 1 else parts
