"""What ratings say beside what is known otherwise, and what past selves bring, as JSON on standard output.

    python benchmarks/ratings.py known [RUN] [--env connect_four] [--steps 10e6] [--games 20000]
    python benchmarks/ratings.py pool [--env connect_four] [--seeds 1,2,3] [--steps 25e6]

`known`: ten checkpoints of a run are rated by games against each other; each also plays a scripted player
that is no part of the rating. A line with both figures of each checkpoint, and how they correlate. Without
a RUN one is trained, for `--steps`. For tic-tac-toe a test does the same against enumerated chances:
tests/arena/test_match.py::test_a_ladder_of_careless_perfect_players_agrees_with_enumeration.

`pool`: for each seed a training with a fifth of its games against past selves and one without, equally many
steps. A line a seed: each final policy's rating, and its scores against its own earlier selves, of which the
worst says what was forgotten; and the score of the one final policy against the other. A seed takes as long
as two trainings of `--steps` and some thousands of games: `--seeds 1` takes one alone.

Runs are kept in `--folder` and taken from there when they are there already.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from skipjack import checkpoint, folders
from skipjack.arena.ladder import Ladder
from skipjack.arena.match import play_block
from skipjack.arena.players import Player
from skipjack.arena.rating import Ratings
from skipjack.arena.results import Results
from skipjack.run.ratings import Contest, checkpoints_of, configured_of, players_in

COUNT = 10
"""Checkpoints of a run that are looked at."""

PRECISION = 15.0
"""Standard error, in Elo against the player before, at which a rating is known well enough."""

ENVS = 64
"""Games at once on each side."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What ratings say, and what past selves bring.")
    parser.add_argument("what", choices=("known", "pool"))
    parser.add_argument("run", nargs="?")
    parser.add_argument("--env", default="connect_four")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--steps", type=float, default=10e6)
    parser.add_argument("--games", type=int, default=20_000, help="most games of a rating")
    parser.add_argument(
        "--against", default="script:minimax_6", help="the player of known strength"
    )
    parser.add_argument("--folder", type=Path, default=Path("runs/ratings"))
    own = parser.parse_args()
    if own.what == "known":
        run = Path(own.run) if own.run else trained(own, 1, past=0.2)
        print(json.dumps(known(own, run)), flush=True)
        return
    for seed in map(int, own.seeds.split(",")):
        print(json.dumps(pool(own, seed)), flush=True)


def known(own: argparse.Namespace, run: Path) -> dict[str, Any]:
    """Ratings of a run's checkpoints, and their scores against a player of known strength."""
    with contextlib.closing(contest_of(run)) as contest:
        players = spread_out(run, contest)
        random = contest.named("random")
        ratings = rated(contest, [random, *players], own.games)
        other = contest.named(own.against)
        lines = []
        for at, player in enumerate(players):
            block = play_block(player, other, contest.vector, contest.rules, at, quota=4)
            score, error = mean_of(block.pairs_of(player.name))
            elo, elo_error = ratings.elo(player.name)
            lines.append(
                {
                    "steps": player.steps,
                    "elo": elo,
                    "elo_error": elo_error,
                    "score": score,
                    "score_error": error,
                }
            )
    elos, scores = (np.array([line[name] for line in lines]) for name in ("elo", "score"))
    places = (values.argsort().argsort() for values in (elos, scores))
    return {
        "env": own.env,
        "against": own.against,
        "games": int(ratings.table.games.sum()),
        "correlation": float(np.corrcoef(elos, scores)[0, 1]),
        "rank_correlation": float(np.corrcoef(*places)[0, 1]),
        "checkpoints": lines,
    }


def pool(own: argparse.Namespace, seed: int) -> dict[str, Any]:
    """One seed with past selves and without."""
    runs = {"pool": trained(own, seed, past=0.2), "alone": trained(own, seed, past=0.0)}
    row: dict[str, Any] = {"env": own.env, "seed": seed, "steps": int(own.steps)}
    finals: dict[str, Player] = {}
    with contextlib.closing(contest_of(runs["pool"])) as contest:
        for name, run in runs.items():
            *earlier, final = spread_out(run, contest)
            finals[name] = final
            scores = {}
            for at, before in enumerate(earlier):
                block = play_block(final, before, contest.vector, contest.rules, at, quota=2)
                scores[before.steps] = mean_of(block.pairs_of(final.name))[0]
            row[name] = {
                "steps_per_second": speed_of(run),
                "worst": min(scores.values()),
                "scores": scores,
            }
        panel = contest.panel()
        everybody = [*map(contest.named, panel), *finals.values()]
        ratings = rated(contest, everybody, own.games, fixed=panel)
        for name, final in finals.items():
            row[name]["elo"], row[name]["elo_error"] = ratings.elo(final.name)
        block = play_block(*finals.values(), contest.vector, contest.rules, seed, quota=8)
    row["score"], row["score_error"] = mean_of(block.pairs_of(finals["pool"].name))
    return row


def trained(own: argparse.Namespace, seed: int, past: float) -> Path:
    """A run of its own, or the one that is there."""
    name = f"{own.env.replace('/', '-')}-{past:g}-{own.steps:.0f}-{seed}"
    run = own.folder.resolve() / "runs" / name
    if not (run / "done").exists():
        run.parent.mkdir(parents=True, exist_ok=True)
        if run.exists():  # it was stopped before its end
            folders.remove_run(run)
        command = [sys.executable, "-m", "skipjack", "train", own.env, "--run", name, "--json"]
        command += ["--seed", str(seed), "--train.steps", str(int(own.steps))]
        command += ["--arena.past", str(past), "--train.checkpoint-every", "3"]
        command += ["--train.keep", "10000"]
        done = subprocess.run(
            command, cwd=run.parent.parent, check=True, stdout=subprocess.PIPE, text=True
        )
        (run / "done").write_text(done.stdout.splitlines()[-1])
    return run


def speed_of(run: Path) -> float:
    """Steps a second of a training."""
    return float(json.loads((run / "done").read_text())["steps_per_second"])


def contest_of(run: Path) -> Contest:
    """The run's game, as two policies play it."""
    return Contest(configured_of(checkpoint.latest(run)), ENVS)


def spread_out(run: Path, contest: Contest) -> list[Player]:
    """`COUNT` of a run's checkpoints, evenly over training, the first and the last among them."""
    paths = checkpoints_of(run)
    steps = np.array([int(path.name) for path in paths])
    wanted = np.linspace(steps[0], steps[-1], COUNT)
    chosen = sorted({int(np.abs(steps - each).argmin()) for each in wanted})
    return players_in(
        [paths[at] for at in chosen], contest, lambda sentence: print(sentence, file=sys.stderr)
    )


def rated(
    contest: Contest, players: list[Player], games: int, fixed: dict[str, float] | None = None
) -> Ratings:
    """The players' ratings after so many games, or when all are known to 15 Elo."""
    with tempfile.TemporaryDirectory() as folder:
        table = Results(Path(folder) / "results.sqlite")
        with contextlib.closing(table) as results:
            ladder = Ladder(players, results, contest.rules, contest.vector, 1, fixed=fixed)
            ratings = ladder.ratings()
            while ratings.table.games.sum() < games:
                if ladder.play() is None:
                    break
                ratings = ladder.ratings()
                if not ladder.unsettled(ratings, PRECISION):
                    break
            return ratings


def mean_of(pairs: tuple[int, ...]) -> tuple[float, float]:
    """Mean score of pairs of games by half points, and its standard error."""
    points = np.repeat(np.linspace(0, 1, 5), pairs)
    return float(points.mean()), float(points.std(ddof=1)) / math.sqrt(len(points))


if __name__ == "__main__":
    main()
