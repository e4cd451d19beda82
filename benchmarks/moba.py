"""Figures of the MOBA, as JSON on standard output; on a machine that does nothing else.

    python benchmarks/moba.py sides RUN [--games 20_000]      win rate of blue, a policy against itself
    python benchmarks/moba.py players RUN [--games 512]       win rates against the scripted teams, by side
    python benchmarks/moba.py ladder ENV [--games 256]        win rates of the scripted teams among themselves
    python benchmarks/moba.py speed RUN [--threads 1,2]       steps a second over whole games, by player
    python benchmarks/moba.py waves ENV [--updates 600]       towers taken an update, desynchronised and not
    python benchmarks/moba.py resets [ENV] [--count 1_000_000]    memory while moba/small is reset

RUN is a run, a checkpoint or `baseline:ENV`. Each game counts once in a rate, and its error is that of the
mean over envs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack import folders, registry
from skipjack.cli.saved import saved_of
from skipjack.evaluate import evaluate, standard_error
from skipjack.policies.random import RandomActor
from skipjack.rows import Actor
from skipjack.run.config import Configured, configure
from skipjack.run.envs import make_vector
from skipjack.seeding import env_seeds
from skipjack.vector import Vector

GRADES = ("random", "creep_follower", "lane_pusher", "last_hitter", "retreat_when_low")
"""The scripted teams."""
STEPS = 64
"""Steps of a vector that are timed at once."""
OPENING = 100
"""Ticks of chance at the beginning of games between teams without any: each is another game."""


def told(run: str, **flags: Any) -> tuple[Configured, Any]:
    """A run's settings with changes, and its policy."""
    from skipjack.run.wiring import load_policy

    found = folders.find(run, Path("runs"))
    name, saved = saved_of(found)
    configured = configure(name, saved=saved, flags=flags)
    return configured, load_policy(configured, found)


def games_of(
    run: str, opponent: str, games: int, envs: int, seed: int
) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    """Records of a policy's games, one a game and side, and the names of their statistics."""
    configured, policy = told(run, **{"eval.opponent": opponent})
    envs = min(envs, games)
    with contextlib.closing(make_vector(configured, envs, evaluation=True)) as vector:
        kept: list[npt.NDArray[Any]] = []
        quota = -(-games // envs)
        quota += quota % 2  # sides change with every game
        evaluate(policy, vector, quota, max_steps=2**62, seed=seed, told=kept.append)
        heroes = vector.num_rows // envs // (2 if opponent == "self" else 1)
        records = np.concatenate(kept)
        return records[records["seat"] % heroes == 0], vector.statistics


def rate(records: npt.NDArray[Any]) -> dict[str, float]:
    """Mean outcome and its error, and the share of games that the time limit cut."""
    outcomes = records["outcome"].astype(np.float64)
    return {
        "games": len(records),
        "win_rate": float(outcomes.mean()),
        "standard_error": standard_error(outcomes, records["env"]),
        "cut": float(records["truncated"].mean()),
        "length": float(records["length"].mean()),
    }


def sides(own: argparse.Namespace) -> dict[str, Any]:
    """How often blue wins where one policy plays both sides; equal sides give 0.5."""
    records, _ = games_of(own.run, "self", own.games, own.envs, own.seed)
    found = rate(records[records["team"] == 0])
    apart = (found["win_rate"] - 0.5) / max(found["standard_error"], 1e-12)
    return {"run": own.run, **found, "standard_errors_from_half": apart}


def players(own: argparse.Namespace) -> dict[str, Any]:
    """The policy's win rate against each scripted team, as blue and as red."""
    found = {}
    for grade in GRADES:
        records, names = games_of(own.run, grade, own.games, own.envs, own.seed)
        blue = ~np.isnan(records["stats"][:, names.index("win_blue")])
        found[grade] = {"blue": rate(records[blue]), "red": rate(records[~blue])}
    return {"run": own.run, "against": found}


# ---- scripted teams ----


def ladder(own: argparse.Namespace) -> dict[str, Any]:
    """Win rates of the scripted teams among themselves, each on both sides equally often."""
    found = {
        one: {
            other: duel(own.run, one, other, own.games, own.seed)
            for other in GRADES
            if other != one
        }
        for one in GRADES
    }
    return {"env": own.run, "opening": OPENING, "win_rates": found}


def duel(name: str, one: str, other: str, games: int, seed: int) -> dict[str, float]:
    """How often one scripted team beats another; the first `OPENING` ticks of both are chance."""
    envs = max(2, games // 2)
    configured = configure(name, flags={"env.opponent": "self", "env.desynchronise": False})
    with contextlib.closing(make_vector(configured, envs)) as vector:
        engine: Any = vector.engine
        half = engine.seats // 2
        outcomes: list[npt.NDArray[Any]] = []
        for first, second in ((one, other), (other, one)):
            batch, kept = vector.reset(seed), np.full(envs, np.nan)
            for tick in range(configured.config.env.time_limit + 1):
                grades = ("random", "random") if tick < OPENING else (first, second)
                actions = engine.advised(grades[0], 0, envs)
                actions[:, half:] = engine.advised(grades[1], 0, envs)[:, half:]
                batch = vector.step(actions.reshape(-1, 6))
                ended = batch.episodes[batch.episodes["seat"] == (0 if first == one else half)]
                ended = ended[np.isnan(kept[ended["env"]])]
                kept[ended["env"]] = ended["outcome"]
                if not np.isnan(kept).any():
                    break
            outcomes.append(kept)
    found = np.stack(outcomes).mean(axis=0)  # the same opening from both sides
    return {
        "games": 2 * envs,
        "win_rate": float(found.mean()),
        "standard_error": float(found.std(ddof=1) / envs**0.5),
    }


# ---- speed ----


def speed(own: argparse.Namespace) -> dict[str, Any]:
    """Steps a second of the envs alone over whole games, for each player and number of threads."""
    from skipjack.policies.actor import PolicyActor

    row: dict[str, Any] = {"run": own.run, "envs": own.envs, "games": own.games, "speeds": []}
    _, policy = told(own.run)
    for threads in map(int, own.threads.split(",")):
        configured, _ = told(own.run, **{"vector.threads": threads, "vector.groups": 1})
        for player in ("random", "trained"):
            with contextlib.closing(make_vector(configured, own.envs)) as vector:
                actor: Actor = (
                    RandomActor(vector.action, own.seed)
                    if player == "random"
                    else PolicyActor(policy, vector.num_rows, own.seed)
                )
                measured = play_timed(vector, actor, own.games, own.seed)
            row["speeds"].append({"player": player, "threads": threads, **measured})
    return row


def play_timed(vector: Vector, actor: Actor, games: int, seed: int) -> dict[str, float]:
    """Play games; each stretch of `STEPS` steps is played again from where it began, and that is timed.

    So the player's own work is no part of the time, nor what it does to the caches.
    """
    engine, envs = vector.engine, vector.num_envs
    batch = vector.reset(seed)
    actor.begin()
    ended, steps, seconds, speeds = 0, 0, 0.0, []
    while ended < games:
        state = engine.save(0, envs)
        assert state is not None
        taken = []
        for _ in range(STEPS):
            taken.append(np.array(actor.act(batch)))
            alive = batch.alive.copy()
            batch = vector.step(taken[-1])
            actor.follow(batch, alive)
            ended += int((batch.episodes["seat"] == 0).sum())
        engine.load(0, envs, state)
        began = time.perf_counter()
        for actions in taken:
            batch = vector.step(actions)
        spent = time.perf_counter() - began
        steps, seconds = steps + STEPS * vector.num_rows, seconds + spent
        speeds.append(STEPS * vector.num_rows / spent)
    return {
        "games": ended,
        "steps_per_second": steps / seconds,
        "median": statistics.median(speeds),
        "lowest": min(speeds),
    }


# ---- waves ----


def waves(own: argparse.Namespace) -> dict[str, Any]:
    """Towers that fell in each update of a training, with the desynchronised start and without."""
    return {
        "env": own.run,
        "updates": own.updates,
        **{
            word: towers_taken(own.run, own.updates, own.seed, word == "desynchronised")
            for word in ("desynchronised", "synchronised")
        },
    }


def towers_taken(name: str, updates: int, seed: int, desynchronise: bool) -> dict[str, Any]:
    """A training's curve, and its autocorrelation: waves of games that rise and fall together show in it."""
    from skipjack.bench.train import make_trainer

    trainer = make_trainer(
        configure(name, flags={"env.desynchronise": desynchronise, "seed": seed})
    )
    vector: Any = trainer.vector
    trainer.start()
    standing = np.sum([_standing(vector.engine, env) for env in range(vector.num_envs)])
    lost = vector.statistics.index("towers_lost")
    ended: list[float] = []
    receive = vector.recv

    def recv() -> Any:
        batch = receive()
        of_sides = batch.episodes[batch.episodes["seat"] % (len(vector.teams) // 2) == 0]
        ended.append(float(of_sides["stats"][:, lost].sum()))
        return batch

    vector.recv = recv
    curve = []
    for _ in range(updates):
        ended.clear()
        trainer.collect()
        trainer.learn()
        now = np.sum([_standing(vector.engine, env) for env in range(vector.num_envs)])
        # Who stood and stands no more, and those whose games have ended meanwhile: they stand again.
        curve.append(float(standing - now + sum(ended)))
        standing = now
    vector.close()
    return {"towers": curve, "autocorrelation": autocorrelation(curve)}


def _standing(engine: Any, env: int) -> int:
    return int(sum(engine.snapshot(env)["state"]["standing"]))


def autocorrelation(curve: list[float]) -> list[float]:
    """At lags from 0 to a third of the curve, what a parabola tells of it (the learning) taken away."""
    at = np.arange(len(curve))
    rest = np.array(curve) - np.polyval(np.polyfit(at, curve, 2), at)
    whole = max(float((rest**2).sum()), 1e-12)
    return [
        float((rest[: len(rest) - lag] * rest[lag:]).sum()) / whole
        for lag in range(len(curve) // 3)
    ]


# ---- memory ----


def resets(own: argparse.Namespace) -> dict[str, Any]:
    """What the process holds while envs of `moba/small` are reset, and what the envs and tables take."""
    began = time.perf_counter()
    maker = registry.load(registry.resolve(own.run).target)
    configured = configure(own.run)
    one = maker(1, configured.config.env)
    start = time.perf_counter() - began
    envs = own.envs
    vector = make_vector(configured, envs)
    engine: Any = vector.engine
    vector.reset(own.seed)
    held, done = [], 0
    every = max(own.count // 10, envs)
    while done < own.count:
        for turn in range(every // envs):
            engine.reset(0, envs, env_seeds(own.seed + turn, 0, envs))
        done += every // envs * envs
        held.append(_resident())
    ground = one.ground
    vector.close()
    return {
        "env": own.run,
        "resets": done,
        "resident_bytes": held,
        "growth_bytes": held[-1] - held[0],
        "env_bytes": one.env_nbytes,
        "table_bytes": ground.ways.nbytes + ground.distance.nbytes + 5 * ground.walls.size,
        "start_seconds": start,
    }


def _resident() -> int:
    """Bytes that the process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


COMMANDS: dict[str, tuple[Callable[[argparse.Namespace], dict[str, Any]], dict[str, Any]]] = {
    "sides": (sides, {"games": 20_000, "envs": 256}),
    "players": (players, {"games": 512, "envs": 128}),
    "ladder": (ladder, {"games": 256}),
    "speed": (speed, {"games": 512, "envs": 256, "threads": "1,2"}),
    "waves": (waves, {"updates": 600}),
    "resets": (resets, {"count": 1_000_000, "envs": 256, "run": "moba/small"}),
}
"""Each command's function and flags."""


def main() -> None:
    """Measure one thing and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (function, flags) in COMMANDS.items():
        command = commands.add_parser(name, help=function.__doc__)
        usual = flags.get("run")
        command.add_argument("run", nargs="?" if usual else None, default=usual)  # type: ignore[arg-type]
        for flag, value in {**flags, "seed": 0}.items():
            if flag != "run":
                command.add_argument(f"--{flag}", type=type(value), default=value)
    own = parser.parse_args()
    print(json.dumps({"command": own.command, **COMMANDS[own.command][0](own)}))


if __name__ == "__main__":
    sys.exit(main())
