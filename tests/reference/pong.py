"""Pong, slow and readable: the twin of skipjack/games/pong/rules.pyx."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.reference.twin import Twin

W, H, PADDLE_W, PADDLE_H, BALL = 500, 640, 20, 70, 32


def clamp(value: float, low: float, high: float) -> float:
    return max(low, min(value, high))


class Pong(Twin):
    def __init__(self, seed: int, config: Any) -> None:
        self.follows = config.opponent != "self"
        grades = {"easy": 2.0, "medium": 4.0, "hard": 6.0}
        self.speed = grades.get(config.opponent, config.opponent_speed)
        self.seats = 1 if self.follows else 2
        super().__init__(seed, config)

    def new_episode(self) -> None:
        self.paddles = [(H - PADDLE_H) / 2, (H - PADDLE_H) / 2]
        self.points, self.hits = [0, 0], [0, 0]
        self.serve(to_the_right=self.stream.below(2) == 1)

    def serve(self, to_the_right: bool) -> None:
        self.x, self.y = (W - BALL) / 2, (H - BALL) / 2
        self.vx = 10.0 if to_the_right else -10.0
        self.vy = float(self.stream.below(7) - 3)

    def play(self, actions: list[Any]) -> tuple[list[float], bool, int]:
        before = list(self.points)
        moves = [{1: -8.0, 2: 8.0}.get(int(action[0]), 0.0) for action in actions]
        for _ in range(self.config.frame_skip):
            self.frame(moves)
            if 21 in self.points:
                break
        balance = (self.points[0] - before[0]) - (self.points[1] - before[1])
        return [balance, -balance][: self.seats], 21 in self.points, self.config.frame_skip

    def frame(self, moves: list[float]) -> None:
        left, right = moves[0], moves[-1]
        if self.follows:
            wanted = self.y + BALL / 2 - self.paddles[1] - PADDLE_H / 2
            right = clamp(wanted, -self.speed, self.speed)
        paddles = [
            clamp(paddle + move, 0, H - PADDLE_H)
            for paddle, move in zip(self.paddles, [left, right], strict=True)
        ]
        moved = [after - before for after, before in zip(paddles, self.paddles, strict=True)]
        self.paddles = paddles
        before = self.x
        self.x, self.y = self.x + self.vx, self.y + self.vy
        if self.y < 0 or self.y > H - BALL:
            self.y = -self.y if self.y < 0 else 2 * (H - BALL) - self.y
            self.vy = -self.vy
        to_the_right = self.vx > 0
        # Each side's front in its own frame, in which the ball comes from above zero.
        front = self.x - PADDLE_W if not to_the_right else W - PADDLE_W - BALL - self.x
        front_before = before - PADDLE_W if not to_the_right else W - PADDLE_W - BALL - before
        side = int(to_the_right)
        if front <= 0 < front_before:
            overlaps = self.y + BALL >= self.paddles[side]
            if overlaps and self.y <= self.paddles[side] + PADDLE_H:
                self.hits[side] += 1
                self.vx = -self.vx
                self.vy = clamp(self.vy + 3 * float(np.sign(moved[side])), -13, 13)
                edge = PADDLE_W if side == 0 else W - PADDLE_W - BALL
                self.x = 2 * edge - self.x
        elif front <= -PADDLE_W:
            self.points[1 - side] += 1
            self.serve(to_the_right)

    def observe(self, seat: int) -> Any:
        own, other = self.paddles[seat], self.paddles[1 - seat]
        x = self.x if seat == 0 else W - BALL - self.x
        vx = self.vx if seat == 0 else -self.vx
        return np.array(
            [
                (2 * own + PADDLE_H) / H - 1,
                (2 * other + PADDLE_H) / H - 1,
                (2 * self.y + BALL) / H - 1,
                2 * x / (W - BALL) - 1,
                vx / 10,
                self.vy / 13,
                self.points[seat] / 21,
                self.points[1 - seat] / 21,
            ],
            np.float32,
        )

    def score(self, seat: int, truncated: bool) -> float:
        own, other = self.points[seat], self.points[1 - seat]
        return own / (own + other) if own + other else 0.5

    def outcome(self, seat: int) -> float:
        return 0.5 + 0.5 * float(np.sign(self.points[seat] - self.points[1 - seat]))

    def stats(self, seat: int) -> list[float]:
        return [self.points[seat], self.points[1 - seat], self.hits[seat], self.tick]
