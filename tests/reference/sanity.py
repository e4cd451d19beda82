"""The sanity games, slow and readable."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.reference.twin import Twin, f32


class Bandit(Twin):
    PAYS = (0.4, 0.1, 0.8, 0.5, 0.2, 0.9, 0.6, 0.3, 1.0, 0.7)

    def new_episode(self) -> None:
        self.legal: set[int] = set()
        for arm in range(10):
            if self.stream.below(10 - arm) < self.config.legal - len(self.legal):
                self.legal.add(arm)

    def play(self, actions: list[Any]) -> tuple[list[float], bool, int]:
        self.arm = int(actions[0][0])
        pays = self.stream.uniform() < f32(self.PAYS[self.arm])
        return [float(pays and self.arm in self.legal)], True, 1

    def observe(self, seat: int) -> Any:
        return np.ones(1, np.float32)

    def mask(self, seat: int) -> Any:
        if self.config.legal == 10:
            return None
        return np.array([arm in self.legal for arm in range(10)], np.uint8)

    def score(self, seat: int, truncated: bool) -> float:
        if self.arm not in self.legal:
            return 0.0
        return float(f32(self.PAYS[self.arm]) / f32(max(self.PAYS[arm] for arm in self.legal)))


class Continuous(Twin):
    def new_episode(self) -> None:
        # Drawn in turn, axis by axis.
        drawn = [[f32(self.stream.between(-1, 1)) for _ in range(2)] for _ in range(2)]
        self.place, self.target = ([drawn[axis][which] for axis in range(2)] for which in range(2))
        self.speed = [f32(0), f32(0)]
        self.held = 0

    def play(self, actions: list[Any]) -> tuple[list[float], bool, int]:
        for axis, force in enumerate(actions[0]):
            force = min(max(f32(force), -f32(0.1)), f32(0.1))
            self.speed[axis] = f32(0.7) * self.speed[axis] + force
            self.place[axis] += self.speed[axis]
            if abs(self.place[axis]) > 1:
                self.place[axis] = f32(np.sign(self.place[axis]))
                self.speed[axis] = f32(0)
        dx, dy = (goal - here for goal, here in zip(self.target, self.place, strict=True))
        far = np.sqrt(dx * dx + dy * dy)
        self.held += far < f32(0.2) and self.tick >= self.config.time_limit // 2
        return [float(max(1 - far / 2, f32(0)))], False, 1

    def observe(self, seat: int) -> Any:
        way = [goal - here for goal, here in zip(self.target, self.place, strict=True)]
        return np.array(way + [speed / f32(0.4) for speed in self.speed], np.float32)

    def score(self, seat: int, truncated: bool) -> float:
        return self.held / (self.config.time_limit - self.config.time_limit // 2)


class Multiagent(Twin):
    seats = 2

    def new_episode(self) -> None:
        pass

    def play(self, actions: list[Any]) -> tuple[list[float], bool, int]:
        self.right = [float(actions[seat][0] == seat) for seat in range(2)]
        return self.right, True, 1

    def observe(self, seat: int) -> Any:
        return np.eye(2, dtype=np.float32)[seat]

    def score(self, seat: int, truncated: bool) -> float:
        return self.right[seat]


class Password(Twin):
    def new_episode(self) -> None:
        self.typed = ""

    def play(self, actions: list[Any]) -> tuple[list[float], bool, int]:
        self.typed += str(actions[0][0])
        self.right = self.typed == f"{self.config.password:05b}"
        return [float(self.right)], len(self.typed) == 5, 1

    def observe(self, seat: int) -> Any:
        seen = np.zeros(5, np.float32)
        seen[: len(self.typed)] = [1 if bit == "1" else -1 for bit in self.typed]
        return seen

    def score(self, seat: int, truncated: bool) -> float:
        return float(self.right)


class Spaces(Twin):
    def new_episode(self) -> None:
        self.y, self.x = self.stream.below(5), self.stream.below(5)
        self.levels = [f32(self.stream.between(-1, 1)) for _ in range(3)]

    def play(self, actions: list[Any]) -> tuple[list[float], bool, int]:
        column, level = actions[0]
        first, second, third = self.levels
        off = (np.clip(level, f32(-1), f32(1)) - (first + second + third) / f32(3)) / f32(0.5)
        self.parts = [f32(0.5 * (column == self.x)), f32(0.5) * max(1 - off * off, f32(0))]
        return [float(sum(self.parts))], True, 1

    def observe(self, seat: int) -> Any:
        image = np.zeros((5, 5), np.float32)
        image[self.y, self.x] = 1
        return np.concatenate([image.reshape(-1), self.levels])

    def score(self, seat: int, truncated: bool) -> float:
        return float(sum(self.parts))

    def stats(self, seat: int) -> list[float]:
        return [float(part) for part in self.parts]


class Stochastic(Twin):
    def new_episode(self) -> None:
        self.chosen: list[bool] = []

    def play(self, actions: list[Any]) -> tuple[list[float], bool, int]:
        self.chosen.append(actions[0][0] == 1)
        over = len(self.chosen) == self.config.length
        return [self.score(0, False) if over else 0.0], over, 1

    def observe(self, seat: int) -> Any:
        return np.ones(1, np.float32)

    def score(self, seat: int, truncated: bool) -> float:
        off = (f32(sum(self.chosen)) / f32(len(self.chosen)) - f32(0.7)) / f32(0.3)
        return float(max(1 - off * off, f32(0)))


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
        warmth = self.warmth(self.length)
        reward = 0.375 * (1 + 3 * warmth) if leaves else 0.1 * (warmth == 1)
        self.stayed += not leaves
        return [float(np.float32(reward))], leaves, 1

    def warmth(self, steps: int) -> Any:
        return min(np.float32(1), np.float32(steps) / np.float32(4))

    def observe(self, seat: int) -> Any:
        return np.array([self.warmth(self.length)], np.float32)

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
