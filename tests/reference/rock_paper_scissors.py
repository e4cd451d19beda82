"""Rock-paper-scissors, slow and readable: the twin of skipjack/games/rock_paper_scissors/rules.pyx."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.reference.twin import Twin, f32

HANDS = ("rock", "paper", "scissors")
BEATS = {"rock": "scissors", "paper": "rock", "scissors": "paper"}
BEATEN_BY = {loser: hand for hand, loser in BEATS.items()}


class RockPaperScissors(Twin):
    def __init__(self, seed: int, config: Any) -> None:
        self.seats = 2 if config.opponent == "self" else 1
        super().__init__(seed, config)

    def new_episode(self) -> None:
        self.shown: list[list[str]] = [[], []]

    def answer(self) -> str:
        kind, before = self.config.opponent, self.shown[0]
        if kind in HANDS:
            return str(kind)
        if kind == "random" or not before:
            return HANDS[self.stream.below(3)]
        return before[-1] if kind == "copycat" else BEATEN_BY[before[-1]]

    def play(self, actions: list[Any]) -> tuple[list[float], bool, int]:
        hands = [HANDS[int(action[0])] for action in actions]
        if self.seats == 1:
            hands.append(self.answer())
        for side in range(2):
            self.shown[side].append(hands[side])
        balance = float(BEATS[hands[0]] == hands[1]) - float(BEATS[hands[1]] == hands[0])
        return [balance, -balance][: self.seats], len(self.shown[0]) == self.config.rounds, 1

    def won(self, seat: int) -> int:
        pairs = zip(self.shown[seat], self.shown[1 - seat], strict=True)
        return sum(BEATS[own] == other for own, other in pairs)

    def observe(self, seat: int) -> Any:
        seen = np.zeros((2, self.config.memory), np.uint8)
        for place, side in enumerate((seat, 1 - seat)):
            last = self.shown[side][::-1][: self.config.memory]
            seen[place, : len(last)] = [1 + HANDS.index(hand) for hand in last]
        return seen

    def score(self, seat: int, truncated: bool) -> float:
        rounds = len(self.shown[0])
        return float(f32(rounds + self.won(seat) - self.won(1 - seat)) / f32(2 * rounds))

    def outcome(self, seat: int) -> float:
        return 0.5 + 0.5 * float(np.sign(self.won(seat) - self.won(1 - seat)))

    def stats(self, seat: int) -> list[float]:
        own, other, rounds = self.won(seat), self.won(1 - seat), len(self.shown[0])
        shares = [self.shown[seat].count(hand) / rounds for hand in HANDS]
        return [own, other, rounds - own - other, *shares]
