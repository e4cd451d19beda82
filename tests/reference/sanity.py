"""The sanity games, slow and readable: twins of memory, truncation, reset_leak and squared."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.reference.twin import Twin


class Memory(Twin):
    def new_episode(self) -> None:
        self.symbol = self.stream.below(self.config.symbols)

    def play(self, actions: list[Any]) -> tuple[list[float], bool, int]:
        asked = self.length == self.config.delay + 1
        self.right = asked and actions[0][0] == self.symbol
        return [float(self.right)], asked, 1

    def observe(self, seat: int) -> Any:
        seen = np.zeros(self.config.symbols + 1, np.float32)
        if self.length == 0:
            seen[self.symbol] = 1
        elif self.length == self.config.delay + 1:
            seen[-1] = 1
        return seen

    def score(self, seat: int, truncated: bool) -> float:
        return float(self.right)


class Truncation(Twin):
    def new_episode(self) -> None:
        self.stayed = 0

    def play(self, actions: list[Any]) -> tuple[list[float], bool, int]:
        leaves = actions[0][0] == 1
        self.stayed += not leaves
        return [1.2 if leaves else 0.1], leaves, 1

    def observe(self, seat: int) -> Any:
        return np.ones(1, np.float32)

    def score(self, seat: int, truncated: bool) -> float:
        return self.stayed / self.config.time_limit


class ResetLeak(Twin):
    def new_episode(self) -> None:
        self.ends_after = 2 + self.stream.below(7)
        self.answers: list[bool] = []

    def play(self, actions: list[Any]) -> tuple[list[float], bool, int]:
        wanted = 0 if self.answers else 1
        self.answers.append((actions[0][0] == 1) == (wanted == 1))
        return [1.0 if self.answers[-1] else -1.0], len(self.answers) == self.ends_after, 1

    def observe(self, seat: int) -> Any:
        return np.ones(1, np.float32)

    def score(self, seat: int, truncated: bool) -> float:
        first, *others = self.answers
        return float(first) * (sum(others) / len(others) if others else 1.0)


class Squared(Twin):
    def new_episode(self) -> None:
        last = self.config.size - 1
        # Clockwise around the border, each side with the corner at its beginning.
        sides = [
            [(0, i) for i in range(last)],
            [(i, last) for i in range(last)],
            [(last, last - i) for i in range(last)],
            [(last - i, 0) for i in range(last)],
        ]
        self.target = sides[self.stream.below(4)][self.stream.below(last)]
        self.place = (last // 2, last // 2)

    def play(self, actions: list[Any]) -> tuple[list[float], bool, int]:
        dy, dx = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)][int(actions[0][0])]
        last = self.config.size - 1
        y, x = self.place
        self.place = (min(max(y + dy, 0), last), min(max(x + dx, 0), last))
        there = self.place == self.target
        return [float(there)], there, 1

    def observe(self, seat: int) -> Any:
        board = np.zeros((self.config.size, self.config.size), np.uint8)
        board[self.target] = 2
        board[self.place] = 1
        return board

    def score(self, seat: int, truncated: bool) -> float:
        middle = (self.config.size - 1) // 2
        way = abs(self.target[0] - middle) + abs(self.target[1] - middle)
        return 0.0 if truncated else way / self.tick
