"""What the slow Python twins of the native games share: the stream, the clock, the records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

f32 = np.float32
WORD = (1 << 64) - 1


class Stream:
    """SplitMix64 (Steele, Lea and Flood 2014), written from the paper."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def word(self) -> int:
        self.state = (self.state + 0x9E3779B97F4A7C15) & WORD
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
        return z ^ (z >> 31)

    def uniform(self) -> float:
        return (self.word() >> 40) / 2**24

    def between(self, low: float, high: float) -> float:
        return float(f32(low) + (f32(high) - f32(low)) * f32(self.uniform()))

    def below(self, count: int) -> int:
        return ((self.word() >> 32) * count) >> 32


@dataclass
class Step:
    """What one step of an env brought, a list entry a seat; flags may be one for all seats."""

    observations: list[Any]
    rewards: list[float]
    masks: list[Any]
    terminated: bool | list[bool] = False
    truncated: bool | list[bool] = False
    final: list[Any] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)


class Twin:
    """One env of a game, with one episode after another.

    A game overrides `new_episode`, `play` (rewards, whether the game is over, ticks), `observe`,
    `score`, and where it has them `mask`, `outcome` and `stats`.
    """

    seats = 1

    def __init__(self, seed: int, config: Any) -> None:
        self.config, self.stream = config, Stream(seed)
        self.limit, self.partial, self.episode = config.time_limit, config.desynchronise, 0
        if config.desynchronise:
            self.limit = 1 + self.stream.below(config.time_limit)
        self.begin()

    def begin(self) -> None:
        self.tick, self.lengths = 0, [0] * self.seats
        self.totals = [0.0] * self.seats
        self.new_episode()

    @property
    def length(self) -> int:
        return self.lengths[0]

    def observations(self) -> list[Any]:
        return [self.observe(seat) for seat in range(self.seats)]

    def masks(self) -> list[Any]:
        return [self.mask(seat) for seat in range(self.seats)]

    def step(self, actions: list[Any]) -> Step:
        acts = [mask is None or bool(mask.any()) for mask in self.masks()]
        rewards, over, ticks = self.play(actions)
        self.tick += ticks
        self.lengths = [length + act for length, act in zip(self.lengths, acts, strict=True)]
        self.totals = [total + float(f32(r)) for total, r in zip(self.totals, rewards, strict=True)]
        late = self.tick >= self.limit
        if not (over or late):
            return Step(self.observations(), rewards, self.masks())
        last = self.observations()
        records = [
            {
                "seat": seat,
                "episode": self.episode,
                "length": self.lengths[seat],
                "return": self.totals[seat],
                "score": self.score(seat, truncated=not over),
                "outcome": self.outcome(seat),
                "truncated": not over,
                "partial": self.partial,
                "stats": self.stats(seat),
            }
            for seat in range(self.seats)
        ]
        self.limit, self.partial, self.episode = self.config.time_limit, False, self.episode + 1
        self.begin()
        return Step(self.observations(), rewards, self.masks(), over, not over, last, records)

    def new_episode(self) -> None:
        raise NotImplementedError

    def play(self, actions: list[Any]) -> tuple[list[float], bool, int]:
        raise NotImplementedError

    def observe(self, seat: int) -> Any:
        raise NotImplementedError

    def mask(self, seat: int) -> Any:
        return None

    def score(self, seat: int, truncated: bool) -> float:
        raise NotImplementedError

    def outcome(self, seat: int) -> float:
        return float("nan")

    def stats(self, seat: int) -> list[float]:
        return []
