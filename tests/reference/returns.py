"""Advantages straight from their definition: sums of future rewards, no recursion over carries."""

from __future__ import annotations

from typing import Any


def lambda_advantages(
    rewards: list[float],
    values: list[float],
    last_value: float,
    final_values: list[float],
    ends: list[str],
    discount: float,
    trace: float,
) -> list[float]:
    """Advantages of one row whose every step acts; `ends` holds "", "terminated" or "truncated".

    A_t = sum over l of (discount trace)^l delta_{t+l}, stopping at the episode's end
    (Schulman et al. 2016, equation 16).
    """
    count = len(rewards)

    def delta(t: int) -> float:
        if ends[t] == "terminated":
            after = 0.0
        elif ends[t] == "truncated":
            after = final_values[t]
        else:
            after = values[t + 1] if t + 1 < count else last_value
        return rewards[t] + discount * after - values[t]

    found = []
    for t in range(count):
        total, weight = 0.0, 1.0
        for later in range(t, count):
            total += weight * delta(later)
            weight *= discount * trace
            if ends[later]:
                break
        found.append(total)
    return found


def without_pauses(table: dict[str, list[Any]], kinds: list[str]) -> dict[str, list[Any]]:
    """A row's table with each run of waiting steps folded into the decision before it.

    Waiting steps give their rewards to that decision and pass no time; their end of episode is its.
    Only for tables that begin with a decision.
    """
    folded: dict[str, list[Any]] = {name: [] for name in table}
    for t, kind in enumerate(kinds):
        if kind == "acting":
            for name in table:
                folded[name].append(table[name][t])
        else:
            folded["rewards"][-1] += table["rewards"][t]
            for name in ("ends", "final_values"):
                folded[name][-1] = table[name][t]
    return folded
