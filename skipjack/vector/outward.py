"""What doors to other libraries share: a vector as they expect it, and records as their infos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack import config as configs
from skipjack import registry
from skipjack.errors import must
from skipjack.vector.contract import Vector
from skipjack.vector.make import make


def one_seat(name: str, num_envs: int, settings: Mapping[str, Any], threads: int) -> Vector:
    """A vector of envs of one seat each, for Gymnasium.

    Raises:
        UsageError: an unknown name or setting, or a game of several seats.
    """
    vector = synchronised(name, num_envs, settings, threads)
    if vector.num_rows != vector.num_envs:
        seats = vector.num_rows // vector.num_envs
        vector.close()
        raise must(
            "an env of Gymnasium must have one seat",
            f"Use skipjack.vector.pettingzoo.Parallel({name!r}).",
            name=name,
            seats=seats,
        )
    return vector


def synchronised(name: str, num_envs: int, settings: Mapping[str, Any], threads: int) -> Vector:
    """A vector as other libraries expect it: every episode whole, every last observation kept.

    Raises:
        UsageError: an unknown name or setting.
    """
    known = configs.settings(registry.load(registry.resolve(name).target).Config)
    start = {"desynchronise": False} if "desynchronise" in known else {}
    return make(
        name, num_envs, threads=threads, workers=1, final="all", config={**start, **settings}
    )


def record(episode: np.void, statistics: Sequence[str]) -> dict[str, Any]:
    """An episode's record as plain numbers by name; what it does not have is left out."""
    columns = _columns(np.array([episode]), statistics)
    numbers = {name: values[0].item() for name, values in columns.items()}
    return {name: number for name, number in numbers.items() if number == number}


def record_columns(
    episodes: npt.NDArray[Any], statistics: Sequence[str], num_envs: int
) -> dict[str, npt.NDArray[Any]]:
    """Records as Gymnasium's vector infos: (num_envs,) by name, and `_name`, where there is one."""
    found: dict[str, npt.NDArray[Any]] = {}
    for name, values in _columns(episodes, statistics).items():
        there = ~np.isnan(values)
        if there.any():
            rows = episodes["row"][there]
            found[name] = np.zeros(num_envs, values.dtype)
            found[name][rows] = values[there]
            found[f"_{name}"] = np.zeros(num_envs, np.bool_)
            found[f"_{name}"][rows] = True
    return found


def _columns(episodes: npt.NDArray[Any], statistics: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    stats = episodes["stats"].astype(np.float64)
    named = {name: stats[:, i] for i, name in enumerate(statistics)}
    base = {name: episodes[name].astype(np.float64) for name in ("return", "score", "outcome")}
    return named | base | {"length": episodes["length"]}
