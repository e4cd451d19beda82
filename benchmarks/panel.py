"""Rates a game's scripted players: the panel that trained policies are measured by.

    python benchmarks/panel.py connect_four random script:one_ply~0.1 script:minimax_2~0.1 [--games 20000]

Prints `panels/VARIANT.toml` of the game's folder: Elo above the first player. It is for all variants with the
same rules. Scripted players need a share of random actions (~0.1): without, they would play the same game
again and again. Whoever changes the players' code or the rules rates them anew.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from skipjack.arena.doubts import doubts
from skipjack.arena.ladder import Ladder
from skipjack.arena.results import Results
from skipjack.run.config import configure
from skipjack.run.ratings import Contest


def main() -> None:
    """Play and print."""
    parser = argparse.ArgumentParser(description="Rate a game's scripted players.")
    parser.add_argument("env")
    parser.add_argument("players", nargs="+")
    parser.add_argument("--games", type=int, default=20_000)
    parser.add_argument(
        "--envs", type=int, default=64, help="games of a block that are played at once"
    )
    own = parser.parse_args()
    contest = Contest(configure(own.env), envs=own.envs)
    with tempfile.TemporaryDirectory() as folder:
        results = Results(Path(folder) / "results.sqlite")
        players = [contest.named(name) for name in own.players]
        ladder = Ladder(players, results, contest.rules, contest.vector, seed=1)
        while sum(result.games for result in ladder.counted()) < own.games:
            ladder.play()
        ratings = ladder.ratings()
        print(f"# Elo above {own.players[0]}, standard errors behind: benchmarks/panel.py")
        for name in own.players:
            elo, error = ratings.elo(name)
            print(f'"{name}" = {elo:.1f}  # {error:.1f}')
        print("\n".join(doubts(ratings, ladder.counted())), file=sys.stderr)


if __name__ == "__main__":
    main()
