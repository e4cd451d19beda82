"""A trainer's state as arrays and back, so that a resumed run equals an uninterrupted one."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch

from skipjack import checkpoint, seeding
from skipjack.errors import RunError
from skipjack.train.ppo import PPO

LATEST_ONLY = ("vector", "memory", "seats")
"""Arrays that only the newest checkpoint keeps: they are large and serve nothing but resuming."""


@runtime_checkable
class Kept(Protocol):
    """Seats that remember something."""

    def save(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        """Arrays and JSON values."""
        ...

    def load(self, arrays: Mapping[str, npt.NDArray[Any]], names: Mapping[str, Any]) -> None:
        """Take back what `save` gave."""
        ...


def save(
    trainer: PPO,
    run: Path,
    name: str,
    settings: dict[str, Any],
    best: tuple[float, int] | None,
    keep: int,
    pinned: Collection[int] = (),
) -> Path:
    """A checkpoint of all that the next update depends on.

    Args:
        trainer: between two updates.
        run: its folder.
        name: the env's name.
        settings: every setting by dotted name.
        best: the best mean score so far and its steps; that checkpoint stays for good.
        keep: how many of the newest stay.
        pinned: steps of others that stay for good.
    """
    arrays = {"policy": weights(trainer.policy), "optimizer": _optimiser_arrays(trainer)}
    # Nothing of Skipjack's draws from torch's own generators; an own policy may (dropout, noise).
    arrays["generators"] = {"cpu": torch.get_rng_state().numpy()}
    if trainer.device.type == "cuda":
        arrays["generators"]["cuda"] = torch.cuda.get_rng_state(trainer.device).numpy()
    if trainer.reward_scale is not None:
        arrays["rewards"] = weights(trainer.reward_scale)
    if trainer.held:
        arrays["memory"] = {
            f"{group}.{index}": part.cpu().numpy()
            for group, state in trainer.memory.items()
            for index, part in enumerate(state)
        }
        vector = trainer.vector.save()
        if vector is not None:
            arrays["vector"] = vector
    state = {
        "env": name,
        "settings": settings,
        "steps": trainer.steps,
        "updates": trainer.updates,
        "seconds": trainer.seconds,
        "seed": trainer.seed,
        "best": best,
    }
    if isinstance(trainer.seats, Kept):
        arrays["seats"], state["seats"] = trainer.seats.save()
    latest_only = [kept for kept in LATEST_ONLY if kept in arrays]
    return checkpoint.save(
        run,
        trainer.steps,
        arrays,
        state,
        latest_only=latest_only,
        keep=keep,
        pinned=[*pinned, *([best[1]] if best else [])],
    )


def restore(trainer: PPO, found: checkpoint.Checkpoint) -> None:
    """Put a fresh trainer where the checkpoint was.

    Raises:
        RunError: the checkpoint is of another env, policy or build of the game.
    """
    load_weights(trainer.policy, found)
    _load_optimiser(trainer, found.arrays("optimizer"))
    if trainer.reward_scale is not None:
        scale = found.arrays("rewards")
        trainer.reward_scale.load_state_dict({name: _tensor(part) for name, part in scale.items()})
    if isinstance(trainer.seats, Kept) and found.has("seats"):
        kept = found.arrays("seats")
        if not found.has("vector"):  # new envs: nobody remembers their games
            kept = {name: part for name, part in kept.items() if not name.startswith("memory")}
        trainer.seats.load(kept, found.state["seats"])
    trainer.steps = trainer.reported = found.state["steps"]
    trainer.updates, trainer.seconds = found.state["updates"], found.state["seconds"]
    if found.has("generators"):
        generators = found.arrays("generators")
        torch.set_rng_state(_tensor(generators["cpu"]))
        if "cuda" in generators and torch.cuda.is_available():
            torch.cuda.set_rng_state(_tensor(generators["cuda"]), trainer.device)
    if not found.has("vector"):
        if (
            trainer.updates
        ):  # the engine cannot be saved: new envs, whose first episodes are partial
            trainer.start(seeding.state(trainer.seed, "envs", trainer.updates), partial=True)
            if trainer.reward_scale is not None:
                trainer.reward_scale.returns.zero_()
        return
    trainer.vector.load(found.arrays("vector"))
    trainer.held = deque(trainer.vector.recv() for _ in range(trainer.vector.groups))
    memory = found.arrays("memory") if found.has("memory") else {}
    for batch in trainer.held:
        fresh = trainer.policy.initial_state(len(trainer.seats.narrow(batch).alive))
        trainer.memory[batch.group] = tuple(
            part.copy_(_tensor(memory[f"{batch.group}.{index}"], part.shape))
            for index, part in enumerate(fresh)
        )


def start_from(trainer: PPO, found: checkpoint.Checkpoint) -> None:
    """Give a fresh trainer another run's weights, and what its critic takes a reward of 1 for.

    Raises:
        RunError: they are another policy's.
    """
    load_weights(trainer.policy, found)
    if trainer.reward_scale is not None and found.has("rewards"):
        known = {name: _tensor(part) for name, part in found.arrays("rewards").items()}
        known["returns"] = trainer.reward_scale.returns  # of the rows, which are new
        trainer.reward_scale.load_state_dict(known)


def weights(policy: Any) -> dict[str, npt.NDArray[Any]]:
    """A module's weights and buffers as arrays by name."""
    return {name: value.detach().cpu().numpy() for name, value in policy.state_dict().items()}


def load_weights(policy: Any, found: checkpoint.Checkpoint) -> None:
    """Put a checkpoint's weights into a policy.

    Raises:
        RunError: they are another policy's.
    """
    arrays, own = found.arrays("policy"), policy.state_dict()
    for name in sorted({*arrays, *own}):
        got = arrays[name].shape if name in arrays else None
        wanted = tuple(own[name].shape) if name in own else None
        if got != wanted:
            raise RunError(
                f"The weights of {str(found.path)!r} must fit the policy, but {name!r} has shape "
                f"{got} there and {wanted} here. Use the settings of the run that saved them "
                f"(the [policy] section of its config.toml, --policy)."
            )
    policy.load_state_dict({name: _tensor(array) for name, array in arrays.items()})


def _optimiser_arrays(trainer: PPO) -> dict[str, npt.NDArray[Any]]:
    names = {id(parameter): name for name, parameter in trainer.policy.named_parameters()}
    return {
        f"{names[id(parameter)]}.{key}": np.asarray(value.cpu().numpy())
        for optimiser in trainer.optimisers
        for parameter, parts in optimiser.state.items()
        for key, value in parts.items()
    }


def _load_optimiser(trainer: PPO, arrays: dict[str, npt.NDArray[Any]]) -> None:
    names = {id(parameter): name for name, parameter in trainer.policy.named_parameters()}
    saved: dict[str, dict[str, Any]] = {}
    for key, array in arrays.items():
        name, _, part = key.rpartition(".")
        saved.setdefault(name, {})[part] = _tensor(array)
    for optimiser in trainer.optimisers:
        whole = optimiser.state_dict()
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        whole["state"] = {
            index: saved[names[id(parameter)]]
            for index, parameter in enumerate(parameters)
            if names[id(parameter)] in saved
        }
        optimiser.load_state_dict(whole)
        for parameter, state in optimiser.state.items():
            for part, value in state.items():
                if value.shape == parameter.shape:
                    # In the parameter's order in memory, which torch's fused Adam takes for granted: the
                    # weights of convolutions are channels-last, arrays from a file are not.
                    state[part] = torch.empty_like(parameter).copy_(value)


def _tensor(array: npt.NDArray[Any], shape: Any = None) -> Any:
    if shape is not None and tuple(array.shape) != tuple(shape):
        raise RunError(
            f"The saved memory must have shape {tuple(shape)}, but has {array.shape}. Resume with "
            f"the same number of envs and groups."
        )
    return torch.from_numpy(array.copy())
