"""Connect Four, slow and readable: the twin of skipjack/games/connect_four/rules.pyx."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.reference.twin import Stream, Twin

EMPTY = ("",) * 7
"""A board is seven columns, each a word of the stones in it, the lowest first: "0" or "1"."""

Board = tuple[str, ...]

LINES = [
    [(column + i * dx, row + i * dy) for i in range(4)]
    for column in range(7)
    for row in range(6)
    for dx, dy in ((1, 0), (0, 1), (1, 1), (1, -1))
    if column + 3 * dx < 7 and 0 <= row + 3 * dy < 6
]


def at(board: Board, column: int, row: int) -> str:
    return board[column][row] if row < len(board[column]) else ""


def legal(board: Board) -> list[int]:
    return [column for column in range(7) if len(board[column]) < 6]


def dropped(board: Board, column: int, side: int) -> Board:
    return (*board[:column], board[column] + str(side), *board[column + 1 :])


def wins(board: Board, side: int) -> bool:
    return any(all(at(board, *cell) == str(side) for cell in line) for line in LINES)


def open_to(board: Board, side: int) -> int:
    return sum(all(at(board, *cell) != str(1 - side) for cell in line) for line in LINES)


def reached(board: Board, side: int, depth: int) -> int:
    """What the side to move reaches within `depth` stones: plain minimax."""
    if not legal(board):
        return 0
    if depth == 0:
        return int((open_to(board, side) - open_to(board, 1 - side)) / 8)
    return max(worth(board, column, side, depth) for column in legal(board))


def worth(board: Board, column: int, side: int, depth: int) -> int:
    after = dropped(board, column, side)
    return 1000 + depth if wins(after, side) else -reached(after, 1 - side, depth - 1)


def best(board: Board, side: int, depth: int) -> list[int]:
    values = {column: worth(board, column, side, depth) for column in legal(board)}
    return [column for column in values if values[column] == max(values.values())]


def liked(board: Board, side: int, opponent: str, depth: int) -> list[int]:
    """The columns that a scripted player chooses from."""
    if opponent.startswith("minimax"):
        return best(board, side, int(opponent.partition("_")[2] or depth))
    if opponent == "one_ply":
        for who in (side, 1 - side):
            found = [c for c in legal(board) if wins(dropped(board, c, who), who)]
            if found:
                return found
    return legal(board)


def drawn(board: Board, columns: list[int], stream: Stream) -> int:
    """One of the columns, counted from the lowest landing on, then from the left."""
    return sorted(columns, key=lambda c: (len(board[c]), c))[stream.below(len(columns))]


class ConnectFour(Twin):
    def __init__(self, seed: int, config: Any) -> None:
        self.seats = 2 if config.opponent == "self" else 1
        super().__init__(seed, config)

    def new_episode(self) -> None:
        self.board, self.winner, self.illegal = EMPTY, -1, -1
        self.first = self.mover = self.stream.below(2)
        if self.seats == 1 and self.mover == 1:
            self.answer()

    @property
    def plies(self) -> int:
        return sum(map(len, self.board))

    def drop(self, column: int) -> None:
        side, self.mover = self.mover, 1 - self.mover
        if column not in legal(self.board):
            self.illegal, self.winner = side, 1 - side
            return
        self.board = dropped(self.board, column, side)
        if wins(self.board, side):
            self.winner = side

    def answer(self) -> None:
        columns = liked(self.board, 1, self.config.opponent, self.config.depth)
        self.drop(drawn(self.board, columns, self.stream))

    def over(self) -> bool:
        return self.winner >= 0 or self.plies == 42

    def play(self, actions: list[Any]) -> tuple[list[float], bool, int]:
        self.drop(int(actions[self.mover][0]))
        if self.seats == 1 and not self.over():
            self.answer()
        reward = float(self.winner == 0) - float(self.winner == 1)
        return [reward, -reward][: self.seats], self.over(), self.plies - self.tick

    def observe(self, seat: int) -> Any:
        return np.array(
            [
                [[at(self.board, c, r) == str(side) for c in range(7)] for r in reversed(range(6))]
                for side in (seat, 1 - seat)
            ],
            np.uint8,
        )

    def mask(self, seat: int) -> Any:
        moves = legal(self.board) if seat == self.mover else []
        return np.array([column in moves for column in range(7)], np.uint8)

    def score(self, seat: int, truncated: bool) -> float:
        return 0.5 if self.winner < 0 else float(self.winner == seat)

    def outcome(self, seat: int) -> float:
        return self.score(seat, False)

    def stats(self, seat: int) -> list[float]:
        drawn_out = self.winner < 0 and self.plies == 42
        return [
            self.plies,
            self.first == seat,
            self.winner == self.first,
            drawn_out,
            self.illegal == seat,
        ]
