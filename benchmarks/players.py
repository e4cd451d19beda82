"""What the random and the scripted player of every game score, for the games' pages.

    python benchmarks/players.py [--out benchmarks/players.json] [--envs snake,grid/maze]

What the file holds of other games stays.

Whole episodes, as many for each row, in envs of the preset with its `[eval]` opponent. A player that has not
played them within a number of steps has no score; a scripted one, which is slow, is not even asked where
episodes up to the time limit would be more. All take some minutes, `snake/720p` a quarter of an hour.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from skipjack import registry
from skipjack.bench.games import native_names
from skipjack.rows import Rows, identity_rows
from skipjack.seeding import env_seeds

EPISODES = 256
"""Episodes that a score is over, or a few more."""

MOST = {"random": 50_000_000, "scripted": 20_000_000}
"""Steps of rows after which a player is given up."""


def engine_for(name: str, num_envs: int) -> Any:
    """An engine with the settings that a preset is evaluated with; whole episodes from the start."""
    engine_class = registry.load(registry.resolve(name).target)
    preset = registry.preset(name)
    values = dict(preset.get("env", {})) | {"desynchronise": False}
    if opponent := preset.get("eval", {}).get("opponent"):
        values["opponent"] = opponent
    return engine_class(num_envs, engine_class.Config(**values))


def score(name: str, player: str) -> dict[str, Any] | None:
    """Mean score, return, length and statistics; None without such a player, or if it takes too long."""
    seats = engine_for(name, 1).seats
    envs = max(1, 128 // seats)
    engine = engine_for(name, envs)
    quota = -(-EPISODES // (envs * seats))
    longest = quota * envs * seats * engine.config.time_limit
    if player == "scripted" and (longest > MOST[player] or not hasattr(engine, "scripted")):
        return None
    rows = Rows.allocate(envs * seats, engine.observation, engine.action)
    engine.bind(rows, identity_rows(envs, seats), False)
    engine.reset(0, envs, env_seeds(0, 0, envs))
    generator = np.random.default_rng(0)
    left, kept = np.full(envs * seats, quota), []
    for _ in range(MOST[player] // (envs * seats)):
        if not left.any():
            break
        if player == "scripted":
            rows.actions[:] = engine.scripted(rows.observations)
        else:
            rows.actions[:] = engine.action.draw(generator, envs * seats, rows.action_mask)
        engine.step(0, envs)
        for record in engine.records(0, envs):
            if left[record["row"]]:
                left[record["row"]] -= 1
                kept.append(record)
    if left.any():
        return None
    found = np.array(kept, engine.record_dtype)
    means = np.nanmean(found["stats"], axis=0, dtype=float)  # NaN: of another side or class
    statistics = dict(zip(engine.statistics, means.tolist(), strict=True))
    about = {key: float(found[key].mean(dtype=float)) for key in ("score", "return", "length")}
    return {"episodes": len(found), **about, "statistics": statistics}


def main() -> None:
    """Play all, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/players.json"))
    parser.add_argument("--envs", default="")
    given = parser.parse_args()
    names = [name for name in given.envs.split(",") if name] or native_names()
    found = json.loads(given.out.read_text()) if given.out.exists() else {}
    for name in names:
        found[name] = {player: score(name, player) for player in ("random", "scripted")}
        shown = {player: row and round(row["score"], 4) for player, row in found[name].items()}
        print(name, shown, flush=True)
        given.out.write_text(json.dumps(dict(sorted(found.items())), indent=1) + "\n")


if __name__ == "__main__":
    main()
