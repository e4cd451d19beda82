"""What doors to other libraries share: a vector as they expect it, and records as their infos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from skipjack import config as configs
from skipjack import registry
from skipjack.errors import must
from skipjack.rows import pace_of
from skipjack.vector.contract import Vector
from skipjack.vector.make import make

RENDER_FPS = 30
"""Steps a second in a video of a game that knows no time."""


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


def metadata(vector: Vector) -> dict[str, Any]:
    """What Gymnasium and PettingZoo want to know of an env's pictures."""
    return {"render_modes": ["rgb_array"], "render_fps": pace_of(vector.engine) or RENDER_FPS}


class Pictures:
    """What `render()` shows of a vector's envs.

    An engine begins the next episode in the step that ends one. Where an env of the other library rests
    at the end, its picture is the one of that end.

    Args:
        vector: whose envs they are; closed where the mode is wrong.
        mode: "rgb_array", or None for no pictures.

    Raises:
        UsageError: another mode.
    """

    def __init__(self, vector: Vector, mode: str | None) -> None:
        if mode not in (None, "rgb_array"):
            vector.close()
            raise must(
                'render_mode must be "rgb_array" or None',
                "To see a game in a window or a browser: skipjack play, skipjack watch.",
                got=mode,
            )
        self.mode = mode
        self.engine: Any = vector.engine
        self._resting = np.zeros(vector.num_envs, np.bool_)
        if mode is not None and hasattr(self.engine, "keep_last"):
            self.engine.keep_last()

    def changed(self, resting: Sequence[bool] | npt.NDArray[np.bool_] | bool = False) -> None:
        """The envs are no longer what they were; some rest at their episode's end."""
        self._resting[:] = resting

    def render(self) -> tuple[npt.NDArray[np.uint8], ...] | None:
        """Each env's picture, (height, width, 3) uint8; None, with a warning, without a mode.

        Raises:
            MissingPackage: Pillow is not installed.
        """
        if self.mode is None:
            gymnasium.logger.warn('There are no pictures without render_mode="rgb_array".')
            return None
        from skipjack.native.raster import render

        return tuple(render(self._scene(env)) for env in range(len(self._resting)))

    def _scene(self, env: int) -> Any:
        rests = self._resting[env] and hasattr(self.engine, "keep_last")
        return self.engine.last_scene(env) if rests else self.engine.scene(env)


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
