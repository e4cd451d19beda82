"""Pictures and videos of a session, kept in a folder; what to tell of it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from skipjack.errors import RunError, SkipjackError
from skipjack.native.scene import Scene

WIDTH = 960
"""Pixels that kept pictures are wide."""


def keep_picture(scenes: Sequence[Scene], folder: Path) -> str:
    """Write the newest scene as a PNG; gives a line for the screen."""
    from skipjack.native.raster import render
    from skipjack.view.video import save_png

    try:
        path = _fresh(folder, ".png")
        save_png(path, render(scenes[-1], WIDTH))
    except SkipjackError as error:
        return str(error)
    return f"kept {path}"


def keep_video(
    scenes: Sequence[Scene], folder: Path, rate: int
) -> tuple[str, threading.Thread | None]:
    """Write scenes as a video; gives a line for the screen, and the thread that writes."""
    from skipjack.view.video import Video

    try:
        path = _fresh(folder, ".mp4")
        Video(path, rate).discard()  # a package that is missing is told now
    except SkipjackError as error:
        return str(error), None

    def write() -> None:
        try:
            film(scenes, path, rate)
        except SkipjackError as error:
            print(f"skipjack: {error}", file=sys.stderr)

    thread = threading.Thread(target=write, name="video")
    thread.start()
    return f"writing {path}", thread


def film(scenes: Iterable[Scene], path: Path, rate: float, width: int | None = WIDTH) -> None:
    """Write scenes as a video.

    Args:
        scenes: in their order.
        path: ends with .mp4 or .gif.
        rate: pictures a second.
        width: pixels; None takes each scene's own.

    Raises:
        SkipjackError: it cannot be written, or a package is missing.
    """
    from skipjack.native.raster import render
    from skipjack.view.video import Video

    height = None
    with Video(path, rate) as video:
        for scene in scenes:
            pixels = render(scene, width, height)
            height, width = pixels.shape[:2]  # what follows fits into the first one's size
            video.add(pixels)


def _fresh(folder: Path, suffix: str) -> Path:
    """A path of this microsecond, in a folder that is there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"The folder {str(folder)!r} must be writable, but {error}.") from error
    return folder / f"{datetime.now():%Y%m%d-%H%M%S-%f}{suffix}"
