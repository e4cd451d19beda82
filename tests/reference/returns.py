"""Advantages straight from their definition: sums of future rewards, no recursion over carries."""

from __future__ import annotations

from typing import Any


def lambda_advantages(
    table: dict[str, list[Any]], last_value: float, discount: float, trace: float
) -> list[float]:
    """Advantages of one row; those of dead steps are 0.

    A_t = sum over l of (discount trace)^l delta_{t+l}, stopping at the episode's end (Schulman et
    al. 2016, equation 16), where l counts the row's decisions. What lies between two decisions
    is a stretch: a dead step in it takes time (one more discount), a waiting one takes none. A
    waiting step has the advantage of standing there: what its stretch brings from then on, with
    no time before the next decision, less its value.

    Args:
        table: lists of rewards, values, final_values, terminated, truncated, alive and waiting;
            with `weights`, each decision's deltas from then on count so much (V-trace).
        last_value: the value after the last step.
        discount, trace: gamma and lambda.
    """
    found = []
    for start in range(len(table["rewards"])):
        total, weight, t = 0.0, 1.0, start
        while t is not None and table["alive"][start]:
            decides = not table["waiting"][t]
            if t > start:
                weight *= table["weights"][t] if "weights" in table else 1.0
            rewards, time, value, after = _stretch(table, t, last_value, discount)
            time *= discount if decides else 1.0
            total += weight * (rewards + time * value - table["values"][t])
            weight *= time * (trace if decides else 1.0)
            t = after
        found.append(total)
    return found


def _stretch(table: dict[str, list[Any]], t: int, last_value: float, discount: float) -> Any:
    """From step `t` to the row's next decision or the episode's end.

    Returns:
        the rewards on the way, discounted by the time before them; the discount of the time that
        dead steps took; the value of what is reached; the next decision, None if there is none.
    """
    rewards, time = table["rewards"][t], 1.0
    while True:
        if table["terminated"][t]:
            return rewards, time, 0.0, None
        if table["truncated"][t]:
            return rewards, time, table["final_values"][t], None
        t += 1
        if t == len(table["rewards"]):
            return rewards, time, last_value, None
        if table["alive"][t] and not table["waiting"][t]:
            return rewards, time, table["values"][t], t
        if not table["alive"][t]:
            time *= discount
        rewards += time * table["rewards"][t]
