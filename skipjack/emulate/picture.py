"""The picture that a Python environment draws of itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.errors import RunError, clause
from skipjack.native.scene import Image, Scene


def picture(env: Any) -> Scene:
    """What `env.render()` gives, as a scene.

    Raises:
        RunError: the env draws nothing into memory, or its render() fails.
    """
    drawn = None
    if getattr(env, "render_mode", None) is not None:
        try:
            drawn = env.render()
        except Exception as error:
            raise RunError(
                f"An environment's render() must give a picture, but it raised "
                f"{type(error).__name__}: {clause(error)}."
            ) from error
    if isinstance(drawn, list) and drawn:  # the mode rgb_array_list
        drawn = drawn[-1]
    if not isinstance(drawn, np.ndarray):
        raise RunError(
            "An environment must draw itself as an array to be seen, but this one does not. Make it "
            """with --env.kwargs '{"render_mode": "rgb_array"}'."""
        )
    pixels = as_rgb(drawn)
    height, width = pixels.shape[:2]
    return Scene(width, height).add(Image(0, 0, width, height, pixels))


def as_rgb(drawn: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """A frame as (rows, columns, 3) uint8: gray ones get three channels, alpha goes, floats are scaled.

    Raises:
        RunError: it is no picture.
    """
    pixels = drawn[..., None] if drawn.ndim == 2 else drawn
    if pixels.ndim != 3 or pixels.shape[-1] not in (1, 3, 4) or 0 in pixels.shape:
        raise RunError(
            f"An environment's picture must be (rows, columns, 1, 3 or 4 channels), but has the shape "
            f"{drawn.shape}."
        )
    if pixels.dtype.kind == "f":
        scale = 255.0 if np.nanmax(pixels) <= 1.0 else 1.0
        pixels = np.clip(np.nan_to_num(pixels) * scale, 0, 255)
    elif pixels.dtype.kind == "b":
        pixels = pixels * np.uint8(255)
    pixels = pixels.astype(np.uint8, copy=False)
    if pixels.shape[-1] == 1:
        return np.repeat(pixels, 3, -1)
    return np.array(pixels[..., :3])
