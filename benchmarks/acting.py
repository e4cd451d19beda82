"""Acting with memory: rows a second of a policy's step, and of torch's cells in the same place.

    python benchmarks/acting.py > acting.json

Everything in one process, the candidates taking turns; medians of seven turns.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from skipjack import Actions, Layout, Policy, PolicyConfig

ROWS, SIZE, TURNS, SECONDS = 4096, 128, 7, 1.0


class Cells(Policy):
    """The same policy with torch's cell instead of Skipjack's memory."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        kinds = {"lstm": nn.LSTMCell, "gru": nn.GRUCell}
        self.cell = kinds[arguments[2].memory](SIZE, SIZE)

    def step(self, observations: Tensor, state: Any) -> Any:
        """One step through the cell."""
        hidden = self.encode(observations)
        found = self.cell(hidden, state if len(state) == 2 else state[0])
        state = found if isinstance(found, tuple) else (found,)
        return self.actor(state[0]), self.critic(state[0])[:, 0], state


def speed(policy: Any, seen: Tensor, precision: str) -> Callable[[], float]:
    """Measures rows a second over `SECONDS`."""

    def measure() -> float:
        state, count, began = policy.initial_state(ROWS), 0, time.perf_counter()
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=precision != "float32"):
            while time.perf_counter() - began < SECONDS:
                _, _, state = policy.step(seen, state)
                state = tuple(part.float() for part in state)
                count += ROWS
        return count / (time.perf_counter() - began)

    return measure


def main() -> None:
    """Measure every memory and print JSON."""
    observation, action = Layout.box((118,)), Actions.discrete(4)
    seen = torch.randn(ROWS, 118)
    candidates = {}
    for precision in ("float32", "bfloat16"):
        for memory in ("lstm", "gru", "mingru"):
            config = PolicyConfig(hidden=SIZE, memory=memory)  # type: ignore[arg-type]
            candidates[f"{memory}, {precision}"] = speed(
                Policy(observation, action, config), seen, precision
            )
            if memory != "mingru":
                candidates[f"{memory}, torch's cell, {precision}"] = speed(
                    Cells(observation, action, config), seen, precision
                )
    found: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(TURNS + 1):
        for name, measure in candidates.items():
            rate = measure()
            if turn:  # the first one warms up
                found[name].append(rate)
    rows = {
        name: {"median": statistics.median(rates), "low": min(rates), "high": max(rates)}
        for name, rates in found.items()
    }
    for precision in ("float32", "bfloat16"):
        for memory in ("lstm", "gru"):
            pairs = zip(
                found[f"{memory}, {precision}"],
                found[f"{memory}, torch's cell, {precision}"],
                strict=True,
            )
            rows[f"{memory} against torch's cell, {precision}"] = {
                "median": statistics.median(a / b for a, b in pairs)
            }
    print(json.dumps({"rows": ROWS, "threads": torch.get_num_threads()} | rows, indent=1))


if __name__ == "__main__":
    main()
