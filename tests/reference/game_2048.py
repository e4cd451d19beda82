"""2048, slow and readable: the twin of skipjack/games/game_2048/rules.pyx."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.reference.twin import Twin

Board = list[list[int]]
"""Rows of tiles' values, 0 for a free cell."""


def slid(row: list[int]) -> tuple[list[int], int]:
    """A row to the left, and its points."""
    tiles = [tile for tile in row if tile]
    found, points = [], 0
    while tiles:
        tile = tiles.pop(0)
        if tiles and tiles[0] == tile and tile < 32768:
            tile += tiles.pop(0)
            points += tile
        found.append(tile)
    return found + [0] * (4 - len(found)), points


def turned(board: Board, move: int) -> Board:
    """The board so that the move goes to the left; twice the same gives the board again."""
    if move == 0:
        return [list(column) for column in zip(*board, strict=True)]
    if move == 1:  # over the other diagonal
        return [list(column)[::-1] for column in zip(*board, strict=True)][::-1]
    return [row[::-1] for row in board] if move == 3 else board


def moved(board: Board, move: int) -> tuple[Board, int]:
    """The board after a move, without a new tile, and the points."""
    rows = [slid(row) for row in turned(board, move)]
    return turned([row for row, _ in rows], move), sum(points for _, points in rows)


def legal(board: Board) -> list[int]:
    return [move for move in range(4) if moved(board, move)[0] != board]


class Game2048(Twin):
    def new_episode(self) -> None:
        self.board: Board = [[0] * 4 for _ in range(4)]
        self.points, self.illegal = 0, 0
        self.add_tile()
        self.add_tile()

    def add_tile(self) -> None:
        free = [(y, x) for y in range(4) for x in range(4) if not self.board[y][x]]
        y, x = free[self.stream.below(len(free))]
        self.board[y][x] = 4 if self.stream.below(10) == 0 else 2

    def play(self, actions: list[Any]) -> tuple[list[float], bool, int]:
        move, points = int(actions[0][0]), 0
        if move in legal(self.board):
            self.board, points = moved(self.board, move)
            self.points += points
            self.add_tile()
        else:
            self.illegal += 1
        return [points / 256], not legal(self.board), 1

    def observe(self, seat: int) -> Any:
        return np.array([[max(tile, 1).bit_length() - 1 for tile in row] for row in self.board])

    def mask(self, seat: int) -> Any:
        return np.array([move in legal(self.board) for move in range(4)], np.uint8)

    @property
    def highest(self) -> int:
        return max(map(max, self.board))

    def score(self, seat: int, truncated: bool) -> float:
        return min(self.highest / 2048, 1)

    def stats(self, seat: int) -> list[float]:
        reached = [self.highest >= tile for tile in (512, 1024, 2048)]
        return [self.points, self.highest, *reached, self.illegal]
