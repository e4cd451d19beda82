"""What a trainer must have recorded, from what the envs said alone: one row, one step at a time."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor

from tests.reference.ppo import log_probability_and_entropies
from tests.reference.returns import lambda_advantages

State = tuple[Tensor, ...]


@torch.no_grad()
def rollout_of(
    policy: Any,
    told: list[dict[str, Any]],
    taken: Tensor,
    state: State,
    settings: dict[str, float],
) -> tuple[dict[str, Any], State]:
    """A group's rollout and the memory after it.

    Args:
        policy: as it acted.
        told: horizon + 1 batches; the flags and rewards of each are of the step before it.
        taken: (time, rows, components) actions as the policy chose them.
        state: the memory before the first step.
        settings: discount, trace, reward_scale.
    """
    found = []
    for row in range(taken.shape[1]):
        own = tuple(part[row : row + 1] for part in state)
        said = [_of_row(batch, row) for batch in told]
        found.append(_row(policy, said, taken[:, row], own, settings))
    names = [name for name in found[0][0] if name != "state"]
    whole: dict[str, Any] = {
        name: None if found[0][0][name] is None else torch.stack([row[name] for row, _ in found], 1)
        for name in names
    }
    whole["state"] = state
    after = tuple(map(torch.cat, zip(*(own for _, own in found), strict=True)))
    return whole, after


def _of_row(batch: dict[str, Any], row: int) -> dict[str, Any]:
    own = {name: part[row] for name, part in batch.items() if name != "final"}
    return {"action_mask": None} | own | {"final": batch["final"].get(row)}


def _row(
    policy: Any,
    told: list[dict[str, Any]],
    taken: Tensor,
    state: State,
    settings: dict[str, float],
) -> tuple[dict[str, Any], State]:
    steps, reset = [], False
    for t, (seen, after) in enumerate(itertools.pairwise(told)):
        parameters, value, state = policy.step(_seen(seen["observations"]), state)
        mask = None if seen["action_mask"] is None else torch.from_numpy(seen["action_mask"])
        waiting = bool(seen["alive"]) and mask is not None and not mask.any()
        logp, _ = log_probability_and_entropies(policy, parameters[0], taken[t], mask)
        step = {
            "observations": torch.from_numpy(seen["observations"]),
            "mask": mask,
            "log_probabilities": logp,
            "values": value[0],
            "rewards": torch.tensor(after["rewards"]) * settings["reward_scale"],
            "terminated": torch.tensor(bool(after["terminated"])),
            "truncated": torch.tensor(bool(after["truncated"])),
            "final_values": torch.tensor(0.0),
            "alive": torch.tensor(bool(seen["alive"])),
            "waiting": torch.tensor(waiting),
            "resets": torch.tensor(reset),
        }
        if after["truncated"]:  # with the memory of the episode that it belongs to
            step["final_values"] = policy.step(_seen(after["final"]), state)[1][0]
        steps.append(step)
        reset = after["terminated"] or after["truncated"]
        reset = bool(reset or not after["alive"] or not seen["alive"])
        if reset:
            state = tuple(torch.zeros_like(part) for part in state)
    last_value = float(policy.step(_seen(told[-1]["observations"]), state)[1])
    table = {
        name: None if part is None else torch.stack([step[name] for step in steps])
        for name, part in steps[0].items()
    }
    names = ("rewards", "values", "final_values", "terminated", "truncated", "alive", "waiting")
    lists = {name: table[name].tolist() for name in names}
    found = lambda_advantages(lists, last_value, settings["discount"], settings["trace"])
    table["advantages"] = torch.tensor(found)
    return table | {"actions": taken}, state


def _seen(observation: Any) -> Tensor:
    return torch.from_numpy(observation)[None]
