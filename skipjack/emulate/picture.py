"""The picture that a Python environment draws of itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from skipjack.errors import RunError
from skipjack.native.scene import Image, Scene


def picture(env: Any) -> Scene:
    """What `env.render()` gives, as a scene.

    Raises:
        RunError: the env draws nothing into memory.
    """
    pixels = env.render() if getattr(env, "render_mode", None) is not None else None
    if not isinstance(pixels, np.ndarray) or pixels.ndim != 3:
        raise RunError(
            "An environment must draw itself as an array to be seen, but this one does not. Make it "
            """with --env.kwargs '{"render_mode": "rgb_array"}'."""
        )
    height, width = pixels.shape[:2]
    scene = Scene(width, height)
    return scene.add(Image(0, 0, width, height, pixels[..., :3].astype(np.uint8)))
