"""Pictures and videos of a session, kept in a folder; what to tell of it."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from skipjack.errors import RunError, SkipjackError
from skipjack.native.scene import Image, Scene

WIDTH = 960
"""Pixels that kept pictures are wide."""

BYTES = 256 << 20
"""Of the images in remembered pictures: frames of other libraries' envs can be large."""


class Remembered:
    """The newest pictures of a session: so many, and no more of them than fit into `BYTES`.

    Args:
        count: pictures at most.
    """

    def __init__(self, count: int) -> None:
        self.count, self.nbytes = count, 0
        self._kept: deque[tuple[Scene, int]] = deque()
        self._before: set[int] = set()  # images of the newest picture

    def add(self, scene: Scene) -> None:
        """Remember a picture; images that the one before it had cost nothing."""
        images = {}
        for item in scene.items:
            if isinstance(item, Image):
                whole = item.pixels if item.pixels.base is None else item.pixels.base
                images[id(whole)] = whole.nbytes
        cost = sum(size for image, size in images.items() if image not in self._before)
        self._before = set(images)
        self._kept.append((scene, cost))
        self.nbytes += cost
        while len(self._kept) > self.count or (self.nbytes > BYTES and len(self._kept) > 1):
            self.nbytes -= self._kept.popleft()[1]

    def scenes(self) -> list[Scene]:
        """What is remembered, the oldest first."""
        return [scene for scene, _ in self._kept]


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
