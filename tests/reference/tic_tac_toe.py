"""Tic-tac-toe, slow and readable: the twin of skipjack/games/tic_tac_toe/rules.pyx."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from tests.reference.twin import Twin

LINES = ("012", "345", "678", "036", "147", "258", "048", "246")

GRADES = {"random": 0, "easy": 1, "medium": 2, "hard": 3, "perfect": 4}


def free(board: str) -> list[int]:
    return [cell for cell in range(9) if board[cell] == "."]


def marked(board: str, cell: int, side: int) -> str:
    return board[:cell] + str(side) + board[cell + 1 :]


def wins(board: str, side: int) -> bool:
    return any(all(board[int(cell)] == str(side) for cell in line) for line in LINES)


@functools.cache
def reached(board: str, side: int) -> int:
    """What the side to move reaches: 10 for a win with the next mark, 9 with the one after, ..."""
    return max((worth(board, cell, side) for cell in free(board)), default=0)


def worth(board: str, cell: int, side: int) -> int:
    after = marked(board, cell, side)
    if wins(after, side):
        return 10
    value = -reached(after, 1 - side)
    return value - int(np.sign(value))


def best(board: str, side: int) -> list[int]:
    values = {cell: worth(board, cell, side) for cell in free(board)}
    return [cell for cell in values if values[cell] == max(values.values())]


class TicTacToe(Twin):
    def __init__(self, seed: int, config: Any) -> None:
        self.seats = 2 if config.opponent == "self" else 1
        super().__init__(seed, config)

    def new_episode(self) -> None:
        self.board, self.winner, self.illegal = "." * 9, -1, -1
        self.first = self.mover = self.stream.below(2)
        if self.seats == 1 and self.mover == 1:
            self.answer()

    @property
    def plies(self) -> int:
        return 9 - len(free(self.board))

    def mark(self, cell: int) -> None:
        side, self.mover = self.mover, 1 - self.mover
        if cell not in free(self.board):
            self.illegal, self.winner = side, 1 - side
            return
        self.board = marked(self.board, cell, side)
        if wins(self.board, side):
            self.winner = side

    def liked(self) -> list[int]:
        """The cells that the opponent chooses from."""
        if self.config.opponent == "one_ply":
            for side in (1, 0):
                found = [c for c in free(self.board) if wins(marked(self.board, c, side), side)]
                if found:
                    return found
            return free(self.board)
        grade = GRADES[self.config.opponent]
        perfect = grade == 4 or (grade > 0 and self.stream.below(4) < grade)
        return best(self.board, 1) if perfect else free(self.board)

    def answer(self) -> None:
        cells = self.liked()
        self.mark(cells[self.stream.below(len(cells))])

    def over(self) -> bool:
        return self.winner >= 0 or self.plies == 9

    def play(self, actions: list[Any]) -> tuple[list[float], bool, int]:
        self.mark(int(actions[self.mover][0]))
        if self.seats == 1 and not self.over():
            self.answer()
        reward = float(self.winner == 0) - float(self.winner == 1)
        return [reward, -reward][: self.seats], self.over(), self.plies - self.tick

    def observe(self, seat: int) -> Any:
        planes = [[cell == str(side) for cell in self.board] for side in (seat, 1 - seat)]
        return np.array(planes, np.uint8).reshape(2, 3, 3)

    def mask(self, seat: int) -> Any:
        cells = free(self.board) if seat == self.mover else []
        return np.array([cell in cells for cell in range(9)], np.uint8)

    def score(self, seat: int, truncated: bool) -> float:
        return 0.5 if self.winner < 0 else float(self.winner == seat)

    def outcome(self, seat: int) -> float:
        return self.score(seat, False)

    def stats(self, seat: int) -> list[float]:
        draw = self.winner < 0 and self.plies == 9
        won = self.winner == self.first
        return [self.plies, self.first == seat, won, draw, self.illegal == seat]
