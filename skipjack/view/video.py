"""Pictures into files: PNG, and videos as MP4 or GIF, frame by frame.

A file appears under its name only when it is whole: until then it has another name beside it, which
a kill leaves behind. Needs the extra `view`: PyAV for MP4, Pillow for GIF and PNG.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EISDIR
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from skipjack.errors import RunError, missing, must

SHORTEST = 2
"""Hundredths of a second that a frame of a GIF is shown at least; browsers slow down what is shorter."""

NEAR = 16
"""How far a colour of a GIF, of 0..255, may be off before a frame gets colours of its own."""


class Video:
    """Writes a video; as a context manager it keeps the file only if no error comes out of it.

        with Video("game.mp4", fps=15) as video:
            video.add(pixels)

    An MP4 is H.264 in yuv420p, which browsers play, and written as it goes; an odd width or height
    grows by repeating the last column or row. A GIF has 256 colours a frame, leaves frames out
    above 50 a second, and is in memory until it is closed: for short videos.

    Args:
        path: of the file; its suffix, `.mp4` or `.gif`, is the format. Missing folders are made.
        fps: frames a second.

    Attributes:
        frames: number of frames added.

    Raises:
        UsageError: another suffix, or an fps that is not in 0.01..1000.
        RunError: the file cannot be written.
        MissingPackage: the format's library is not installed.
    """

    def __init__(self, path: str | Path, fps: float = 30) -> None:
        self.path = Path(path)
        writer = _WRITERS.get(self.path.suffix.lower())
        if writer is None:
            raise must("a video's name must end in .mp4 or .gif", got=str(path))
        if not 0.01 <= fps <= 1000:
            raise must("a video must have 0.01 to 1000 frames a second", fps=fps)
        self.frames = 0
        self._part = _part(self.path)
        self._shape: tuple[int, ...] = ()
        self._open = True
        with _written(self.path, self._part):
            self._part.touch()  # an unwritable place shows now, not with the last frame
            self._writer = writer(self._part, Fraction(fps).limit_denominator(1000))

    def add(self, pixels: npt.NDArray[Any]) -> None:
        """Append a frame.

        Args:
            pixels: (height, width, 3) uint8; the shape of the first is that of all.

        Raises:
            UsageError: pixels of another kind or shape, or the video is closed.
            RunError: the file cannot be written.
        """
        if not self._open:
            raise must("a video must be open for a frame to be added", got="a closed one")
        _check(pixels)
        self._shape = self._shape or pixels.shape
        if pixels.shape != self._shape:
            raise must("a video's frames must have one shape", first=self._shape, got=pixels.shape)
        with _written(self.path, self._part):
            self._writer.add(pixels)
        self.frames += 1

    def close(self) -> None:
        """Finish the file and give it its name. Closing twice is allowed.

        Raises:
            RunError: no frame was added, or the file cannot be written.
        """
        if not self._open:
            return
        if not self.frames:
            self.discard()
            raise RunError(
                f"A video must have at least one frame, but none was added to {self.path}."
            )
        self._open = False
        with _written(self.path, self._part):
            self._writer.close()
            os.replace(self._part, self.path)

    def discard(self) -> None:
        """Stop and leave no file."""
        self._open = False
        self._writer.discard()
        self._part.unlink(missing_ok=True)

    def __enter__(self) -> Video:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is None:
            self.close()
        elif self._open:
            self.discard()


def save_png(path: str | Path, pixels: npt.NDArray[Any]) -> None:
    """Write a picture, (height, width, 3) uint8. Missing folders are made.

    Raises:
        UsageError: another suffix than `.png`, or other pixels.
        RunError: the file cannot be written.
        MissingPackage: Pillow is not installed.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise must("a picture's name must end in .png", got=str(path))
    _check(pixels)
    part, pillow = _part(path), _pillow("Saving a picture")
    with _written(path, part):
        pillow.Image.fromarray(pixels).save(part, "png")
        os.replace(part, path)


class _Writer(Protocol):
    """A format: opens a file, takes frames, and either finishes or lets go of it."""

    def __init__(self, path: Path, fps: Fraction) -> None: ...
    def add(self, pixels: npt.NDArray[Any]) -> None: ...
    def close(self) -> None: ...
    def discard(self) -> None: ...


class _Mp4:
    """H.264 through PyAV."""

    def __init__(self, path: Path, fps: Fraction) -> None:
        try:
            import av
        except ImportError:
            raise missing("PyAV", "view", what="An MP4 video") from None
        self.av = av
        # "faststart" puts the index first: a browser shows the beginning before it has the end.
        self.file = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self.stream: Any = self.file.add_stream("libx264", rate=fps)
        self.stream.pix_fmt = "yuv420p"
        self.stream.options = {"preset": "veryfast", "crf": "18"}

    def add(self, pixels: npt.NDArray[Any]) -> None:
        height, width, _ = pixels.shape
        if height % 2 or width % 2:
            pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
        if not self.stream.codec_context.is_open:  # the first frame gives the size
            self.stream.height, self.stream.width = pixels.shape[:2]
        frame = self.av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        self.file.mux(self.stream.encode(frame))

    def close(self) -> None:
        self.file.mux(self.stream.encode())
        self.file.close()

    def discard(self) -> None:
        with suppress(OSError):  # its end is still written, where that can be
            self.file.close()


class _Gif:
    """Pillow's GIF; each frame is shown until the next one's hundredth of a second."""

    def __init__(self, path: Path, fps: Fraction) -> None:
        self.pillow = _pillow("A GIF")
        self.path, self.fps = path, fps
        self.pictures: list[Any] = []
        self.starts: list[int] = []
        self.added = 0

    def add(self, pixels: npt.NDArray[Any]) -> None:
        start = self._hundredths(self.added)
        self.added += 1
        if self.starts and start - self.starts[-1] < SHORTEST:
            return
        self.pictures.append(self._reduced(self.pillow.Image.fromarray(pixels)))
        self.starts.append(start)

    def close(self) -> None:
        ends = [*self.starts[1:], max(self._hundredths(self.added), self.starts[-1] + SHORTEST)]
        durations = [10 * (end - start) for start, end in zip(self.starts, ends, strict=True)]
        first, *others = self.pictures
        first.save(
            self.path, "gif", save_all=True, append_images=others, duration=durations, loop=0
        )

    def discard(self) -> None:
        self.pictures.clear()

    def _reduced(self, picture: Any) -> Any:
        """In 256 colours: those of the frame before if they do, so that nothing flickers."""
        plain = self.pillow.Image.Dither.NONE
        if self.pictures:
            found = picture.quantize(palette=self.pictures[-1], dither=plain)
            off = self.pillow.ImageChops.difference(picture, found.convert("RGB")).getextrema()
            if max(high for _, high in off) <= NEAR:
                return found
        # PERF: the median cut is exact for few colours (8 ms a Breakout picture) and slow for many
        # (150 ms a noisy one, the octree 1 ms).
        few, methods = picture.getcolors(256) is not None, self.pillow.Image.Quantize
        method = methods.MEDIANCUT if few else methods.FASTOCTREE
        return picture.quantize(256, method, dither=plain)

    def _hundredths(self, frame: int) -> int:
        return round(100 * frame / self.fps)


_WRITERS: dict[str, type[_Writer]] = {".mp4": _Mp4, ".gif": _Gif}


def _pillow(what: str) -> ModuleType:
    try:
        import PIL.Image
        import PIL.ImageChops
    except ImportError:
        raise missing("Pillow", "view", what=what) from None
    return PIL


def _check(pixels: npt.NDArray[Any]) -> None:
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise must(
            "pixels must be (height, width, 3) uint8", shape=pixels.shape, dtype=str(pixels.dtype)
        )


def _part(path: Path) -> Path:
    """A file's name until it is whole; hidden, and one for each process."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


@contextmanager
def _written(path: Path, part: Path) -> Iterator[None]:
    """Writes to `part`, which goes away with an error; the system's errors become sentences."""
    try:
        if path.is_dir():
            raise IsADirectoryError(EISDIR, "it is a folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException as error:
        with suppress(OSError):
            part.unlink()
        if isinstance(error, OSError):
            raise RunError(
                f"{path} must be a file that can be written, but got: {error.strerror or error}. "
                "Give another path, or make room."
            ) from error
        raise
