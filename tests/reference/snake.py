"""Snake, slow and readable: the twin of skipjack/games/snake/rules.pyx.

Positions are (row, column) within the walls; the world is a dictionary of what lies where.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.reference.twin import Step, Stream, f32

FOOD, CORPSE, WALL, SNAKE = 1, 2, 3, 4
WAYS = [(-1, 0), (1, 0), (0, -1), (0, 1)]
Place = tuple[int, int]


class Body:
    """One snake's life: its segments, head first."""

    def __init__(self, place: Place, limit: int) -> None:
        self.segments, self.limit, self.way = [place], limit, 0
        self.food = self.corpses = self.kills = 0
        self.length, self.total = 0, 0.0


class Snake:
    """A world with many lives, so not one of `twin.Twin`, whose seats end together."""

    def __init__(self, seed: int, config: Any) -> None:
        self.config, self.stream, self.seats = config, Stream(seed), config.snakes
        if config.desynchronise:
            self.stream.below(config.time_limit)  # the kernel's limit for the env, which has none
        self.lies: dict[Place, int] = {}
        self.episodes = [0] * self.seats
        self.snakes: list[Body] = []
        for seat in range(self.seats):
            limit = config.time_limit
            if config.desynchronise:
                limit = 1 + self.stream.below(limit)
            self.snakes.append(self.hatched(seat, limit))
        self.owed = config.food
        self.feed()

    def at(self, place: Place) -> int:
        inside = 0 <= place[0] < self.config.height and 0 <= place[1] < self.config.width
        return self.lies.get(place, 0) if inside else WALL

    def empty(self) -> Place | None:
        count, width = self.config.width * self.config.height, self.config.width
        for _ in range(32):
            place = divmod(self.stream.below(count), width)
            if place not in self.lies:
                return place
        start = self.stream.below(count)
        places = (divmod((start + i) % count, width) for i in range(count))
        return next((place for place in places if place not in self.lies), None)

    def hatched(self, seat: int, limit: int) -> Body:
        place = self.empty()
        assert place is not None
        self.lies[place] = SNAKE + seat % 4
        return Body(place, limit)

    def feed(self) -> None:
        while self.owed:
            place = self.empty()
            if place is None:
                return
            self.lies[place] = FOOD
            self.owed -= 1

    def move(self, seat: int, choice: int) -> float:
        snake = self.snakes[seat]
        choice = choice if choice in range(4) else 0
        way, last = WAYS[choice], WAYS[snake.way]
        if len(snake.segments) > 1 and (way[0] + last[0], way[1] + last[1]) == (0, 0):
            choice = snake.way
        snake.way = choice
        y, x = snake.segments[0]
        target = y + WAYS[choice][0], x + WAYS[choice][1]
        there = self.at(target)
        if there >= WALL and target != snake.segments[-1]:
            for other in self.snakes:
                if other is not snake and target in other.segments:
                    other.kills += 1
            return -1.0
        eats = there in (FOOD, CORPSE)
        if not eats or len(snake.segments) == self.config.max_length:
            del self.lies[snake.segments.pop()]
        snake.segments.insert(0, target)
        self.lies[target] = SNAKE + seat % 4
        if there == FOOD:
            snake.food += 1
            self.owed += 1
            self.feed()
        snake.corpses += there == CORPSE
        return 0.1 if eats else 0.0

    def end(self, seat: int, truncated: bool) -> dict[str, Any]:
        snake = self.snakes[seat]
        for i, place in enumerate(snake.segments):
            del self.lies[place]
            if i % 2 and self.config.corpses and not truncated:
                self.lies[place] = CORPSE
        size = len(snake.segments)
        record = {
            "seat": seat,
            "episode": self.episodes[seat],
            "length": snake.length,
            "return": snake.total,
            "score": min(f32(size) / f32(self.config.goal), 1),
            "outcome": float("nan"),
            "truncated": truncated,
            "partial": self.config.desynchronise and self.episodes[seat] == 0,
            "stats": [size, snake.food, snake.corpses, snake.kills],
        }
        self.episodes[seat] += 1
        self.snakes[seat] = self.hatched(seat, self.config.time_limit)
        return record

    def step(self, actions: list[Any]) -> Step:
        self.feed()
        rewards, dead, records = [], [False] * self.seats, {}
        for seat in range(self.seats):
            reward = self.move(seat, int(actions[seat][0]))
            rewards.append(reward)
            self.snakes[seat].length += 1
            self.snakes[seat].total += float(f32(reward))
            if reward < 0:
                dead[seat] = True
                records[seat] = self.end(seat, truncated=False)
        late = [snake.length >= snake.limit for snake in self.snakes]
        final = self.observations()
        for seat in np.flatnonzero(late).tolist():
            records[seat] = self.end(seat, truncated=True)
        ordered = [records[seat] for seat in sorted(records)]
        none: list[Any] = [None] * self.seats
        return Step(self.observations(), rewards, none, dead, late, final, ordered)

    def observe(self, seat: int) -> Any:
        y, x = self.snakes[seat].segments[0]
        around = range(-5, 6)
        return np.array([[self.at((y + dy, x + dx)) for dx in around] for dy in around], np.uint8)

    def observations(self) -> list[Any]:
        return [self.observe(seat) for seat in range(self.seats)]
