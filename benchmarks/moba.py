"""Figures of the MOBA, as JSON on standard output; on a machine that does nothing else.

    python benchmarks/moba.py sides RUN [--games 20_000]      win rate of blue, a policy against itself
    python benchmarks/moba.py players RUN [--games 512]       win rates against the scripted teams, by side
    python benchmarks/moba.py ladder ENV [--games 256]        win rates of the scripted teams among themselves
    python benchmarks/moba.py speed RUN [--threads 1,2]       steps a second over whole games, by player
    python benchmarks/moba.py waves ENV [--player learner]    towers taken an update, desynchronised and not
    python benchmarks/moba.py resets [ENV] [--count 1_000_000]    memory while moba/small is reset

RUN is a run, a checkpoint or `baseline:ENV`. Each game counts once in a rate, and its error is that of the
mean over envs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
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
LEAST = 16
"""Stretches that are timed at least: games go on where one of each env is over before."""
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
    """Steps a second of the envs alone over whole games, by player and number of threads, and in pairs."""
    from skipjack.policies.actor import PolicyActor

    counts = [int(each) for each in own.threads.split(",")]
    flags = {"vector.groups": 1, "env.desynchronise": False}
    row: dict[str, Any] = {"run": own.run, "envs": own.envs, "speeds": [], "paired": {}}
    configured, policy = told(own.run, **flags)
    for player in ("random", "trained"):
        with contextlib.ExitStack() as stack:
            played, *timed = (
                stack.enter_context(contextlib.closing(make_vector(each, own.envs)))
                for each in (
                    configured,
                    *(told(own.run, **flags, **{"vector.threads": n})[0] for n in counts),
                )
            )
            actor: Actor = (
                RandomActor(played.action, own.seed)
                if player == "random"
                else PolicyActor(policy, played.num_rows, own.seed)
            )
            every = own.every if player == "random" else 1  # a policy's games may be short
            seconds = play_timed(played, timed, actor, every, own.seed)
            steps = STEPS * played.num_rows
        row["speeds"] += [
            {
                "player": player,
                "threads": n,
                "steps_per_second": steps * len(seconds) / float(spent.sum()),
                "median": steps / float(np.median(spent)),
                "lowest": steps / float(spent.max()),
            }
            for n, spent in zip(counts, seconds.T, strict=True)
        ]
        row["paired"][player] = float(np.median(seconds[:, 0] / seconds[:, -1]))
    return row


def play_timed(
    played: Vector, timed: list[Vector], actor: Actor, every: int, seed: int
) -> npt.NDArray[np.float64]:
    """Seconds (stretches, len(timed)) of stretches of `STEPS` steps, evenly over a whole game of every env.

    One stretch in `every` is played again by each of `timed` from where it began, in turn: the player's own
    work is no part of the time, nor what it does to the caches, and all are compared on the same steps.
    """
    batch = played.reset(seed)
    for vector in timed:
        vector.reset(seed)
    actor.begin()
    whole = np.zeros(played.num_envs, np.bool_)
    seconds: list[list[float]] = []
    stretch = 0
    while not whole.all() or len(seconds) < LEAST:
        state = played.engine.save(0, played.num_envs) if stretch % every == 0 else None
        stretch += 1
        taken = []
        for _ in range(STEPS):
            taken.append(np.array(actor.act(batch)))
            alive = batch.alive.copy()
            batch = played.step(taken[-1])
            actor.follow(batch, alive)
            whole[batch.episodes["env"]] = True
        if state is not None:
            turns = range(len(timed))
            spent = {
                i: replayed(timed[i], state, taken)
                for i in (turns if len(seconds) % 2 else reversed(turns))
            }
            seconds.append([spent[i] for i in turns])
    return np.array(seconds)


def replayed(vector: Vector, state: bytes, taken: list[npt.NDArray[Any]]) -> float:
    """Seconds of a stretch of steps from a saved state."""
    vector.engine.load(0, vector.num_envs, state)
    began = time.perf_counter()
    for actions in taken:
        vector.step(actions)
    return time.perf_counter() - began


# ---- waves ----


def waves(own: argparse.Namespace) -> dict[str, Any]:
    """Towers that fell in each update, with the desynchronised start and without.

    The player is a training's learner, or a scripted team as blue, whose games against the creep followers
    are all alike where nothing sets them apart.
    """
    found = {
        word: towers_taken(own, word == "desynchronised")
        for word in ("desynchronised", "synchronised")
    }
    return {"env": own.run, "player": own.player, "updates": own.updates, **found}


def towers_taken(own: argparse.Namespace, desynchronise: bool) -> dict[str, Any]:
    """A curve and its autocorrelation: waves of games that rise and fall together show in it.

    `wave` is its highest value after it first was not above 0; below `chance` where there are none.
    """
    flags = {"env.desynchronise": desynchronise, "seed": own.seed, "vector.groups": 1}
    learns, configured = own.player == "learner", configure(own.run, flags=flags)
    vector, update = learning(configured) if learns else playing(configured, own.player)
    standing = _all_standing(vector)
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
    for _ in range(own.updates):
        ended.clear()
        update()
        now = _all_standing(vector)
        # Who stood and stands no more, and those whose games have ended meanwhile: they stand again.
        curve.append(float(standing - now + sum(ended)))
        standing = now
    vector.close()
    found = autocorrelation(curve)
    first = next((lag for lag, value in enumerate(found) if value <= 0), 0)
    peak = first + int(np.argmax(found[first:]))
    figures = {"wave": found[peak], "lag": peak, "chance": 1.96 / len(curve) ** 0.5}
    return {**figures, "towers": curve, "autocorrelation": found}


def learning(configured: Configured) -> tuple[Any, Callable[[], Any]]:
    """The vector of a training that has begun, and what does an update of it."""
    from skipjack.bench.train import make_trainer

    trainer = make_trainer(configured)
    trainer.start()
    return trainer.vector, lambda: (trainer.collect(), trainer.learn())


def playing(configured: Configured, grade: str) -> tuple[Any, Callable[[], Any]]:
    """A vector on which a scripted team plays blue, and what does as many steps as an update has."""
    config, envs = configured.config, configured.config.vector.num_envs
    vector: Any = make_vector(configured, envs)
    vector.reset(config.seed)
    engine = vector.engine

    def update() -> None:
        for _ in range(config.train.horizon):
            actions, others = (engine.advised(each, 0, envs) for each in (grade, "creep_follower"))
            actions[:, engine.seats // 2 :] = others[:, engine.seats // 2 :]
            vector.step(actions.reshape(-1, 6))

    return vector, update


def _all_standing(vector: Any) -> int:
    """Towers that stand, in all envs and of both sides."""
    games = (vector.engine.snapshot(env) for env in range(vector.num_envs))
    return sum(sum(game["state"]["standing"]) for game in games)


def autocorrelation(curve: list[float]) -> list[float]:
    """At lags from 0 to a third of the curve, what a parabola tells of it (the learning) taken away."""
    at = np.arange(len(curve))
    rest = np.array(curve) - np.polyval(np.polyfit(at, curve, 2), at)
    whole = max(float((rest**2).sum()), 1e-12)
    lags = range(len(curve) // 3)
    return [float((rest[: len(rest) - lag] * rest[lag:]).sum()) / whole for lag in lags]


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
    "speed": (speed, {"envs": 256, "threads": "1,2", "every": 4}),
    "waves": (waves, {"updates": 600, "player": "learner"}),
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
