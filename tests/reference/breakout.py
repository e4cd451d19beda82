"""Breakout, slow and readable: the twin of skipjack/games/breakout/rules.pyx.

Every brick is tried on every move of the ball; the native rules look only at those near it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.reference.twin import Twin, f32

W, H, PADDLE_Y, TICK = 576, 330, 312, 1.0 / 60.0
ROWS, COLUMNS, BRICK_W, BRICK_H, TOP = 6, 18, 32, 12, 50
PADDLE_W, PADDLE_SPEED, TOP_SPEED = 62, 620.0, 448.0
NEVER = 2.0


def axis(
    low: float, high: float, at: float, size: float, move: float
) -> tuple[float, float] | None:
    """When a side [at, at + size] that moves by `move` starts and stops to overlap [low, high]."""
    if move == 0:
        return (-1e9, 1e9) if at < high and at + size > low else None
    gap = low - (at + size) if move > 0 else at - high
    if -0.01 < gap < 0:
        gap = 0.0  # rounding may leave it a hair inside
    leave = high - at if move > 0 else at + size - low
    return gap / abs(move), leave / abs(move)


class Breakout(Twin):
    def new_episode(self) -> None:
        self.balls, self.points, self.walls, self.hits = self.config.balls, 0, 0, 0
        self.paddle_width: float = PADDLE_W
        self.paddle = (W - PADDLE_W) / 2.0
        self.build_wall()
        self.serve()

    def build_wall(self) -> None:
        self.walls += 1
        self.bricks = {(r, c) for r in range(ROWS) for c in range(COLUMNS)}

    def serve(self) -> None:
        angle = (2.0 * self.stream.uniform() - 1.0) * (math.pi / 4)
        if self.paddle_width < PADDLE_W:
            self.paddle = min(max(self.paddle - PADDLE_W / 4, 0), W - PADDLE_W)
            self.paddle_width = PADDLE_W
        self.x, self.y, self.speed = (W - self.config.ball_size) / 2, 140.0, 256.0
        self.vx, self.vy = self.speed * math.sin(angle), self.speed * math.cos(angle)
        self.hits_of_ball = 0

    def play(self, actions: list[Any]) -> tuple[list[float], bool, int]:
        points = self.points
        if self.config.continuous:
            velocity = float(min(max(f32(actions[0][0]), f32(-1)), f32(1)))
        else:
            velocity = {1: -1.0, 2: 1.0}.get(int(actions[0][0]), 0.0)
        for _ in range(self.config.frame_skip):
            moved = self.paddle + velocity * PADDLE_SPEED * TICK
            self.paddle = min(max(moved, 0), W - self.paddle_width)
            self.move_ball()
            if self.points >= 864:
                break
            if self.y > H:
                self.balls -= 1
                if self.balls == 0:
                    break
                self.serve()
        over = self.balls == 0 or self.points >= 864
        return [float(self.points - points)], over, self.config.frame_skip

    def move_ball(self) -> None:
        left = 1.0
        for _ in range(16):
            dx, dy = self.vx * TICK * left, self.vy * TICK * left
            share, hit = self.first_hit(dx, dy)
            self.x, self.y = self.x + dx * share, self.y + dy * share
            left *= 1 - share
            if hit is None:
                return
            hit(dx, dy)

    def first_hit(self, dx: float, dy: float) -> tuple[float, Any]:
        """The earliest of everything on the way: its share of the way, and what happens."""
        size = self.config.ball_size
        hits: list[tuple[float, Any]] = []
        if dx < 0 and self.x + dx < 0:
            hits.append((self.x / -dx, self.hit_side))
        if dx > 0 and self.x + size + dx > W:
            hits.append(((W - size - self.x) / dx, self.hit_side))
        if dy < 0 and self.y + dy < 0:
            hits.append((self.y / -dy, self.hit_top))
        if dy > 0 and self.y + size <= PADDLE_Y <= self.y + size + dy:
            share = (PADDLE_Y - size - self.y) / dy
            x = self.x + dx * share
            if x + size >= self.paddle and x <= self.paddle + self.paddle_width:
                hits.append((share, self.hit_paddle))
        bricks = []
        for r, c in sorted(self.bricks):
            share, horizontal = self.brick_hit(r, c, dx, dy)
            if share <= 1:
                offset = abs(self.x + dx * share + size / 2 - (c + 0.5) * BRICK_W)
                bricks.append((share, offset, r, c, horizontal))
        if bricks:
            share, _, r, c, horizontal = min(bricks, key=lambda found: found[:2])
            hits.append((share, lambda dx, dy: self.hit_brick(r, c, horizontal, dx, dy)))
        return min(hits, key=lambda found: found[0], default=(1.0, None))

    def brick_hit(self, r: int, c: int, dx: float, dy: float) -> tuple[float, bool]:
        size, left, top = self.config.ball_size, float(c * BRICK_W), float(TOP + r * BRICK_H)
        over_x = axis(left, left + BRICK_W, self.x, size, dx)
        over_y = axis(top, top + BRICK_H, self.y, size, dy)
        if over_x is None or over_y is None:
            return NEVER, False
        if over_x[0] >= over_y[1] or over_y[0] >= over_x[1]:
            return NEVER, False
        share = max(over_x[0], over_y[0])
        return (share if 0 <= share <= 1 else NEVER), over_x[0] > over_y[0]

    def hit_side(self, dx: float, dy: float) -> None:
        self.x = 0.0 if dx < 0 else W - self.config.ball_size
        self.vx = -self.vx

    def hit_top(self, dx: float, dy: float) -> None:
        self.y, self.vy = 0.0, -self.vy
        if self.paddle_width == PADDLE_W:
            self.paddle += PADDLE_W / 4
            self.paddle_width = PADDLE_W / 2

    def hit_paddle(self, dx: float, dy: float) -> None:
        size = self.config.ball_size
        reach = (self.paddle_width + size) / 2
        off = self.x + size / 2 - self.paddle - self.paddle_width / 2
        angle = off / reach * (math.pi / 4)
        self.hits += 1
        self.hits_of_ball += 1
        if self.hits_of_ball % 4 == 0:
            self.speed = min(self.speed + 64.0, TOP_SPEED)
        self.vx, self.vy = self.speed * math.sin(angle), -self.speed * math.cos(angle)
        self.y = PADDLE_Y - size
        if not self.bricks and self.walls < 2:
            self.build_wall()

    def hit_brick(self, r: int, c: int, horizontal: bool, dx: float, dy: float) -> None:
        size, left, top = self.config.ball_size, float(c * BRICK_W), float(TOP + r * BRICK_H)
        if horizontal:
            self.x = left - size if dx > 0 else left + BRICK_W
            self.vx = -self.vx
        else:
            self.y = top - size if dy > 0 else top + BRICK_H
            self.vy = -self.vy
        self.bricks.remove((r, c))
        self.points += (7, 7, 4, 4, 1, 1)[r]
        if r < 3 and self.speed < TOP_SPEED:
            scale = TOP_SPEED / self.speed
            self.vx, self.vy, self.speed = self.vx * scale, self.vy * scale, TOP_SPEED

    def observe(self, seat: int) -> Any:
        size = self.config.ball_size
        paddle, x, y = self.paddle + self.paddle_width / 2, self.x + size / 2, self.y + size / 2
        scalars = [
            2 * paddle / W - 1,
            2 * x / W - 1,
            2 * min(y / H, 1.0) - 1,
            self.vx / TOP_SPEED,
            self.vy / TOP_SPEED,
            min(max((x - paddle) / 96, -1.0), 1.0),
            self.balls / 5,
            self.points / 864,
            self.paddle_width / PADDLE_W,
            (self.hits_of_ball % 4) / 4,
        ]
        broken = [(r, c) not in self.bricks for r in range(ROWS) for c in range(COLUMNS)]
        return np.array([*scalars, *broken], np.float32)

    def score(self, seat: int, truncated: bool) -> float:
        return self.points / 864

    def stats(self, seat: int) -> list[float]:
        return [self.points, self.balls, self.hits, self.tick]
