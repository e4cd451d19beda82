"""`skipjack eval RUN`, `skipjack eval ENV --baseline`: whole episodes with a trained policy."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from skipjack import baseline, folders, registry, seeding
from skipjack.checkpoint import Checkpoint
from skipjack.cli import flags
from skipjack.cli.saved import saved_of
from skipjack.config import Within
from skipjack.errors import must
from skipjack.run.config import Configured, configure


@dataclass(frozen=True, slots=True)
class EvalFlags:
    """Flags of `skipjack eval`."""

    baseline: bool = False
    """Evaluate the weights that ship with an environment; `baseline:ENV` names them too."""
    episodes: Annotated[int, Within(1, None)] = 256
    """Episodes to play at least; every slot plays the same number."""
    deterministic: bool = False
    """Take the most probable action instead of a sampled one."""
    opponent: str = ""
    """Opponent in games that take one; empty leaves the run's own setting."""
    against: str = ""
    """Play against this player instead, in games for two, on both sides equally often: a run, a checkpoint,
    baseline:ENV, script:GRADE, random."""
    report: str = ""
    """Folder for the game's own report, in games that have one: in moba the balance of the classes."""
    seed: Annotated[int, Within(-1, 2**63 - 1)] = -1
    """Seed of the evaluation; -1 takes the run's."""
    threads: Annotated[int, Within(0, 1024)] = 0
    """Threads that step native games; 0 is one for each core."""
    workers: Annotated[int, Within(0, 1024)] = 0
    """Processes that step envs written in Python; 0 is one for each core."""
    json: bool = False
    """End with a line of JSON on standard output."""


def run(arguments: Sequence[str]) -> int:
    """Evaluate a run, checkpoint or baseline and print its mean score with the 95 % interval."""
    target, rest = flags.subject(arguments, "skipjack eval RUN [--episodes 1000]")
    own, _ = flags.parse(
        EvalFlags,
        rest,
        "skipjack eval RUN",
        "Evaluate a run's newest checkpoint, a checkpoint, or an environment's baseline.",
    )
    if own.baseline:
        target = baseline.PREFIX + target.removeprefix(baseline.PREFIX)
    found = folders.find(target, Path("runs"))
    name, saved = saved_of(found)
    chosen: dict[str, object] = {"vector.threads": own.threads, "vector.workers": own.workers}
    if own.deterministic:
        chosen["eval.deterministic"] = True
    if own.opponent:
        chosen["eval.opponent"] = own.opponent
    if own.seed >= 0:
        chosen["seed"] = own.seed
    configured = configure(name, saved=saved, flags=chosen)
    if own.against:
        return _against(own, configured, found)
    from skipjack.report.plain import describe
    from skipjack.report.store import evaluation_row
    from skipjack.run.wiring import evaluate_policy, load_policy

    report: Any = getattr(registry.load(configured.entry.target), "report", None)
    if own.report and report is None:
        raise must("--report must be left out for a game that has none", env=name)
    words: list[str] = []

    def told(episodes: Any, statistics: tuple[str, ...]) -> None:
        if own.report:
            words.append(report(episodes, statistics, Path(own.report)))

    policy = load_policy(configured, found)
    evaluation = evaluate_policy(configured, policy, quota=1, episodes=own.episodes, told=told)
    if own.json:
        run, path = str(folders.run_of(found.path)), str(found.path)
        row: dict[str, object] = {"env": name, "run": run, "checkpoint": path, "steps": found.steps}
        row |= evaluation_row(evaluation) | {"seconds": evaluation.seconds}
        print(json.dumps(row))
        return 0
    print(f"{name} at step {found.steps}. Evaluation: {describe(evaluation)}")
    for statistic, mean in {"length": evaluation.length, **evaluation.statistics}.items():
        print(f"  {statistic:12} {mean:10.4g}")
    for each in words:
        print(f"\n{each}\n\nKept in {own.report}.")
    return 0


def _against(own: EvalFlags, configured: Configured, found: Checkpoint) -> int:
    """Whole games against another player, the blocks that ratings are made of."""
    from skipjack.evaluate import half_width
    from skipjack.run.ratings import Contest, play_block

    for flag in ("deterministic", "opponent", "report"):
        if getattr(own, flag):
            raise must(f"--{flag} must be left out with --against", against=own.against)
    began = time.perf_counter()
    half = -(-own.episodes // 2)  # of the games on each side
    envs = min(configured.config.eval.envs, half)
    seed = seeding.child(configured.config.seed, "evaluation")
    with contextlib.closing(Contest(configured, envs)) as contest:
        one, other = contest.trained(found.path), contest.named(own.against)
        vector, rules = contest.vector, contest.rules
        block = play_block(one, other, vector, rules, seed, quota=-(-half // envs))
    wins, draws, losses = block.outcomes_of(one.name)
    # Mirrored games share their opening: a pair is what varies by itself.
    points = np.repeat(np.linspace(0, 1, 5), block.pairs_of(one.name))
    row = {
        "env": configured.entry.full_name,
        "run": str(folders.run_of(found.path)),
        "checkpoint": str(found.path),
        "steps": found.steps,
        "against": own.against,
        "score": float(points.mean()) if len(points) else None,
        "score_ci95": half_width(points, np.arange(len(points))) if len(points) > 1 else None,
        "episodes": block.games,
        "wins": wins,
        "draws": draws,
        "losses": losses,
        "truncated": sum(result.truncated for result in block.results),
        "void": sum(result.void for result in block.results),
        "seconds": time.perf_counter() - began,
    }
    if own.json:
        print(json.dumps(row))
    elif not len(points):
        print(f"No game against {own.against} had an outcome.")
    else:
        width = (
            "" if row["score_ci95"] is None else f" ± {row['score_ci95']:.3f}"
        )  # one pair has none
        print(
            f"{row['env']} at step {found.steps} against {own.against}: score {row['score']:.3f}{width} "
            f"over {block.games} games, {wins} won, {draws} drawn, {losses} lost."
        )
    return 0
