"""The table of results: games of frozen players, appended block by block and never changed.

SQLite, so that several raters may write at once, a killed one leaves no part of a block, and whoever is
curious may ask it anything. Ratings are computed from it and kept nowhere else.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from skipjack.arena.rating import Result
from skipjack.errors import RunError

PATIENCE = 30.0
"""Seconds to wait for another rater that is writing."""

WITHOUT = (
    "Games must end with an outcome to be rated (1 won, 0.5 drawn, 0 lost in their episode records), but "
    "none of these did."
)
"""What is said of games that can tell nothing, and would be played for ever."""


class NoOutcomeError(RunError):
    """No game that was ever played had an outcome: there is nothing to rate by."""

    def __init__(self) -> None:
        super().__init__(WITHOUT)


SCHEMA = """
CREATE TABLE IF NOT EXISTS games (
    block TEXT NOT NULL, part INTEGER NOT NULL, rules TEXT NOT NULL,
    first TEXT NOT NULL, second TEXT NOT NULL,
    wins INTEGER NOT NULL, draws INTEGER NOT NULL, losses INTEGER NOT NULL,
    truncated INTEGER NOT NULL, void INTEGER NOT NULL,
    played TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (block, part)
);
CREATE INDEX IF NOT EXISTS by_pair ON games (rules, first, second);
CREATE TABLE IF NOT EXISTS own (player TEXT PRIMARY KEY);
CREATE TRIGGER IF NOT EXISTS no_update BEFORE UPDATE ON games
    BEGIN SELECT RAISE(ABORT, 'results are only appended'); END;
CREATE TRIGGER IF NOT EXISTS no_delete BEFORE DELETE ON games
    BEGIN SELECT RAISE(ABORT, 'results are only appended'); END;
"""


@dataclass(frozen=True, slots=True)
class Block:
    """Games of one pair that belong together: whole quotas, both sides equally often.

    Attributes:
        name: unique; the same name is the same games.
        rules: of the game that was played: results under other rules never mix.
        results: one for each way to take sides.
        pairs: of mirrored games, in which the first result's first player took 0, 1/2, 1, 3/2 and 2
            points: what a pair shares, such as its opening, says nothing about who is better. No part
            of the table.
    """

    name: str
    rules: str
    results: tuple[Result, ...]
    pairs: tuple[int, ...] = (0, 0, 0, 0, 0)

    @property
    def games(self) -> int:
        """Rated games."""
        return sum(result.games for result in self.results)

    def outcomes_of(self, player: str) -> tuple[int, int, int]:
        """Wins, draws and losses of one of the two."""
        own = [
            (r.wins, r.losses) if r.first == player else (r.losses, r.wins) for r in self.results
        ]
        draws = sum(result.draws for result in self.results)
        return sum(wins for wins, _ in own), draws, sum(losses for _, losses in own)

    def pairs_of(self, player: str) -> tuple[int, ...]:
        """Pairs in which one of the two took 0, 1/2, 1, 3/2 and 2 points."""
        return self.pairs if self.results[0].first == player else self.pairs[::-1]


class Results:
    """Blocks in a file.

    Args:
        path: the file; made with its folder if it is not there.

    Raises:
        RunError: it cannot be made, or is something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._told():
            path.parent.mkdir(parents=True, exist_ok=True)
            # Each statement commits by itself; blocks are put together by hand.
            self._link = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
            self._link.execute("PRAGMA journal_mode = WAL")
            self._link.executescript(SCHEMA)

    def add(self, block: Block) -> bool:
        """Append a block, whole or not at all; false if it is there already.

        Raises:
            RunError: the disk is full, or the file is damaged.
        """
        rows = [
            (
                block.name,
                part,
                block.rules,
                r.first,
                r.second,
                r.wins,
                r.draws,
                r.losses,
                r.truncated,
                r.void,
            )
            for part, r in enumerate(block.results)
        ]
        with self._told():
            try:
                with self._transaction():
                    self._link.executemany(
                        "INSERT INTO games (block, part, rules, first, second, wins, draws, losses, "
                        "truncated, void) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        rows,
                    )
            except sqlite3.IntegrityError:
                return False
        return True

    def all(self, rules: str, players: Sequence[str] | None = None) -> list[Result]:
        """Results under some rules, added up for each ordered pair.

        Args:
            rules: which.
            players: only games between these; by default all.
        """
        with self._told():
            rows = self._link.execute(
                "SELECT first, second, SUM(wins), SUM(draws), SUM(losses), SUM(truncated), SUM(void) "
                "FROM games WHERE rules = ? GROUP BY first, second ORDER BY first, second",
                (rules,),
            ).fetchall()
        found = [Result(*row) for row in rows]
        if players is None:
            return found
        known = set(players)
        return [result for result in found if {result.first, result.second} <= known]

    def enter(self, players: Iterable[str]) -> None:
        """Note players as checkpoints of the run that the table lies in.

        The table knows guests, too, and a name does not tell whose it is.
        """
        with self._told(), self._transaction():
            rows = [(player,) for player in players]
            self._link.executemany("INSERT OR IGNORE INTO own VALUES (?)", rows)

    def own(self) -> set[str]:
        """The players that were entered."""
        with self._told():
            return {player for (player,) in self._link.execute("SELECT player FROM own")}

    def blocks(self) -> int:
        """How many there are."""
        with self._told():
            return int(self._link.execute("SELECT COUNT(DISTINCT block) FROM games").fetchone()[0])

    def close(self) -> None:
        """Close the file. Closing twice is allowed."""
        self._link.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._link.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._link.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._link.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """What goes wrong with the file, as a sentence."""
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except (sqlite3.Error, OSError) as error:
            raise RunError(
                f"Results must be written to {str(self.path)!r}, but {error}. Free space, or move the "
                f"file away to begin a new table; what was written before is intact."
            ) from error
