"""Videos and PNG files: what is in them, and that nothing broken stands under a file's name."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from skipjack.errors import RunError, SkipjackError, UsageError
from skipjack.view.video import Video, save_png

PIL = pytest.importorskip("PIL.Image")
av = pytest.importorskip("av")

Pixels = npt.NDArray[Any]
SUFFIXES = ("mp4", "gif")


def frame(i: int, height: int = 48, width: int = 64) -> Pixels:
    """A square that walks to the right over a blue ground."""
    pixels = np.full((height, width, 3), (20, 30, 120), np.uint8)
    pixels[8:24, 2 * i : 2 * i + 16] = (240, 200, 40)
    return pixels


def write(path: Path, count: int = 10, fps: float = 20, **size: int) -> Path:
    with Video(path, fps) as video:
        for i in range(count):
            video.add(frame(i, **size))
        assert not path.exists(), "not before it is whole"
    assert video.frames == count
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    return path


def read_gif(path: Path) -> tuple[list[Pixels], list[int]]:
    """Frames, and for how many milliseconds each is shown."""
    with PIL.open(path) as picture:
        found = []
        for i in range(picture.n_frames):
            picture.seek(i)
            found.append((np.array(picture.convert("RGB")), picture.info["duration"]))
    frames, durations = zip(*found, strict=True)
    return list(frames), list(durations)


def test_an_mp4_is_what_browsers_play(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4")
    assert path.read_bytes().index(b"moov") < path.read_bytes().index(b"mdat"), "the index is first"
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == 20
        frames = [each.to_ndarray(format="rgb24") for each in file.decode(stream)]
    assert len(frames) == 10
    for i, found in enumerate(frames):
        assert np.abs(found.astype(int) - frame(i)).mean() < 6


def test_odd_sizes_grow_to_even_ones(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", height=33, width=51)
    with av.open(str(path)) as file:
        found = next(file.decode(video=0)).to_ndarray(format="rgb24")
    assert found.shape == (34, 52, 3)
    assert np.abs(found[33, 51].astype(int) - (20, 30, 120)).max() < 20, "the edge is repeated"


def test_a_gif_has_every_frame_in_its_colours(tmp_path: Path) -> None:
    frames, durations = read_gif(write(tmp_path / "a.gif"))
    assert durations == [50] * 10
    assert all(np.array_equal(found, frame(i)) for i, found in enumerate(frames))
    assert b"NETSCAPE2.0" in (tmp_path / "a.gif").read_bytes(), "it loops"


@pytest.mark.parametrize(("fps", "count"), [(15, 30), (60, 60), (12.5, 10), (1000, 50), (7, 1)])
def test_a_gif_lasts_as_long_as_it_should(tmp_path: Path, fps: float, count: int) -> None:
    """Whole hundredths of a second, none below two: browsers show such frames for ten."""
    _, durations = read_gif(write(tmp_path / "a.gif", count, fps, width=256))
    assert min(durations) >= 20
    assert sum(durations) == pytest.approx(1000 * count / fps, abs=10)


def test_a_gif_follows_new_colours(tmp_path: Path) -> None:
    """A first frame of two colours, then all kinds, then others again."""
    ramp = np.indices((64, 64)).transpose(1, 2, 0).astype(np.uint8) * 4
    rich = np.concatenate([ramp, ramp[..., :1] // 2 + 60], 2)
    given = [frame(0, 64), rich, frame(1, 64), 255 - rich]
    with Video(tmp_path / "a.gif", 10) as video:
        for each in given:
            video.add(each)
    frames, _ = read_gif(tmp_path / "a.gif")
    for found, wanted in zip(frames, given, strict=True):
        assert np.abs(found.astype(int) - wanted).mean() < 8


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_error_leaves_what_was_there(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_text("before")
    video = Video(path)
    video.add(frame(0))
    with pytest.raises(ZeroDivisionError), video:
        _ = 1 / 0
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "before"
    video.discard()
    with Video(path) as video:
        video.add(frame(0))
    video.close()
    assert path.read_bytes() != b"before"
    with pytest.raises(UsageError, match="open for a frame"):
        video.add(frame(0))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_kill_leaves_no_broken_video(tmp_path: Path, suffix: str) -> None:
    code = f"""
import os, signal, numpy as np
from skipjack.view.video import Video
with Video("a.{suffix}") as video:
    for i in range(5):
        video.add(np.zeros((64, 64, 3), np.uint8))
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    assert all(each.name.endswith(".part") for each in tmp_path.iterdir())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_is_a_sentence(tmp_path: Path, suffix: str) -> None:
    """A limit on the size of files stands for it."""
    code = f"""
import resource, signal, numpy as np
from skipjack.view.video import Video
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
with Video("a.{suffix}") as video:
    for i in range(60):
        video.add(np.random.default_rng(i).integers(256, size=(128, 128, 3), dtype=np.uint8))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stderr.splitlines()[-1].startswith("skipjack.errors.RunError: a.")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.avi", "a", "mp4"])
def test_other_formats(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"must end in \.mp4 or \.gif"):
        Video(tmp_path / name)
    with pytest.raises(UsageError, match=r"must end in \.png"):
        save_png(tmp_path / name, frame(0))
    assert list(tmp_path.iterdir()) == []


SAVERS: dict[str, Callable[[Path], object]] = {
    "mp4": lambda path: Video(path).discard(),
    "gif": lambda path: Video(path).discard(),
    "png": lambda path: save_png(path, frame(0)),
}


@pytest.mark.parametrize("suffix", SAVERS)
def test_places_that_cannot_be_written(tmp_path: Path, suffix: str) -> None:
    """Told at once: nobody plays a game to its end for a video that cannot be."""
    (tmp_path / "file").write_text("")
    (tmp_path / "folder" / f"a.{suffix}").mkdir(parents=True)
    for wrong in (f"file/a.{suffix}", f"folder/a.{suffix}", f"{'long' * 62}.{suffix}"):
        with pytest.raises(RunError, match="must be a file that can be written"):
            SAVERS[suffix](tmp_path / wrong)
    assert len(list((tmp_path / "folder").iterdir())) == 1
    SAVERS[suffix](tmp_path / "new" / "folder" / f"a.{suffix}")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_mistakes_are_sentences(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    for fps in (0, -1, float("nan"), float("inf")):
        with pytest.raises(UsageError, match=r"0\.01 to 1000 frames a second"):
            Video(path, fps)
    with pytest.raises(RunError, match="at least one frame"), Video(path):
        pass
    for wrong in (frame(0)[..., 0], frame(0)[..., :2], frame(0) / 255):
        with pytest.raises(UsageError, match="uint8"), Video(path) as video:
            video.add(wrong)
    video = Video(path)
    video.add(frame(0))
    with pytest.raises(UsageError, match="one shape"), video:
        video.add(frame(0, width=66))
    assert list(tmp_path.iterdir()) == []


def test_a_png_is_exact(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(256, size=(5, 7, 3), dtype=np.uint8)
    save_png(tmp_path / "a.PNG", pixels[::-1])
    assert np.array_equal(np.array(PIL.open(tmp_path / "a.PNG")), pixels[::-1])
    assert len(list(tmp_path.iterdir())) == 1
    with pytest.raises(SkipjackError, match="uint8"):
        save_png(tmp_path / "b.png", pixels[0])


@pytest.mark.parametrize(
    ("gone", "words", "call"),
    [
        ("av", "An MP4 video needs PyAV", "Video('a.mp4')"),
        ("PIL", "A GIF needs Pillow", "Video('a.gif')"),
        ("PIL", "Saving a picture needs Pillow", "save_png('a.png', np.zeros((2, 2, 3), 'u1'))"),
    ],
)
def test_a_missing_library_is_told(tmp_path: Path, gone: str, words: str, call: str) -> None:
    code = f"import sys, numpy as np; sys.modules[{gone!r}] = None\n"
    code += f"from skipjack.view.video import Video, save_png\n{call}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert words in done.stderr.splitlines()[-1]
    assert 'pip install "skipjack[view]"' in done.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []
