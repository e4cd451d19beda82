"""Sound: as the console makes it, to windows on a real sound system and to a page in a real browser."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ale_py")

from skipjack.run.config import configure
from skipjack.view.options import Options
from skipjack.view.screen import Input
from skipjack.view.session import Session
from skipjack.view.speaker import PIECE, WAITING, Speaker
from skipjack.view.world import World
from tests.view.screens import Script

FRAMES, SAMPLES = 4, 512


@pytest.fixture
def world() -> Iterator[World]:
    made = World(configure("atari:breakout", flags={"env.noops": 0}))
    yield made
    made.close()


def played(world: World, inputs: list[Input], speed: float = 1.0) -> Script:
    """A session of so many pictures, at its own pace."""
    screen = Script(inputs)
    Session(world, screen, None, options=Options(speed=speed)).run()
    return screen


def test_a_step_has_the_sound_of_its_frames(world: World) -> None:
    screen = played(world, [Input()] * 20)
    assert screen.sounds
    assert {rate for _, rate in screen.sounds} == {60 * SAMPLES}
    assert {len(samples) for samples, _ in screen.sounds} == {FRAMES * SAMPLES}


def test_sound_changes_nothing_but_the_silence(world: World) -> None:
    """The same steps with and without it; a ball that bounces is heard."""
    heard, (silent, listening) = (
        [],
        (world.vector, World(configure("atari:breakout", flags={"env.noops": 0}))),
    )
    listening.listen()
    for vector in (silent, listening.vector):
        vector.reset(5)
    for step in range(300):
        actions = np.full((1, 1), (1, 2, 3)[step % 3], np.int32)
        mine, other = silent.step(actions), listening.vector.step(actions)
        if step:
            np.testing.assert_array_equal(mine.rewards, other.rewards)
        heard.append(listening.sound(0))
    assert min(map(len, heard)) > 0
    assert sum(samples.std() > 1 for samples in heard) > 10
    assert heard[0].dtype == np.uint8
    listening.close()


@pytest.mark.parametrize(("inputs", "speed"), [([Input(("m",))], 1.0), ([], 2.0)])
def test_silence_when_it_is_wanted_and_at_another_pace(
    world: World, inputs: list[Input], speed: float
) -> None:
    assert not played(world, [*inputs, *[Input()] * 20], speed).sounds


class Raylib:
    """Takes pieces whenever `due` says so."""

    class ffi:  # noqa: N801
        @staticmethod
        def from_buffer(samples: Any) -> Any:
            return samples

    def __init__(self, works: bool = True) -> None:
        self.works, self.due, self.pieces = works, 0, []  # type: ignore[var-annotated]

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.works

    def IsAudioStreamProcessed(self, stream: Any) -> bool:  # noqa: N802
        self.due -= 1
        return self.due >= 0

    def UpdateAudioStream(self, stream: Any, samples: Any, count: int) -> None:  # noqa: N802
        self.pieces.append(np.array(samples[:count]))


def test_pieces_are_full_in_their_order_and_never_late() -> None:
    raylib = Raylib()
    speaker = Speaker(raylib, 30_720)
    samples = np.arange(PIECE + 10).astype(np.uint8)
    speaker.hear(samples)
    raylib.due = 3
    speaker.feed()
    assert [len(piece) for piece in raylib.pieces] == [PIECE] * 3
    got = np.concatenate(raylib.pieces)
    np.testing.assert_array_equal(got[: len(samples)], samples)
    assert set(got[len(samples) : 2 * PIECE]) == {samples[-1]}  # no click before the silence
    assert set(raylib.pieces[2]) == {128}
    raylib.pieces.clear()
    speaker.hear(np.zeros(9 * PIECE, np.uint8))
    speaker.hear(np.ones(PIECE, np.uint8))
    raylib.due = 99
    speaker.feed()
    assert raylib.pieces[WAITING - 1].all()
    assert not np.concatenate(raylib.pieces[: WAITING - 1]).any()


def test_no_sound_system_is_no_fault() -> None:
    raylib = Raylib(works=False)
    speaker = Speaker(raylib, 30_720)
    raylib.due = 9
    speaker.hear(np.zeros(PIECE, np.uint8))
    speaker.feed()
    speaker.close()
    assert not speaker.works
    assert not raylib.pieces


SPEAK = """
import time
import numpy as np, raylib
from skipjack.view.speaker import Speaker
raylib.SetTraceLogLevel(raylib.LOG_NONE)
speaker = Speaker(raylib, 30720)
tone = (128 + 100 * np.sin(np.arange(4096) * 0.1)).astype(np.uint8)
end = time.monotonic() + 0.2
while time.monotonic() < end:
    speaker.hear(tone)
    time.sleep(0.01)
speaker.close()
print(speaker._raylib.IsAudioDeviceReady(), end="")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ALSA is Linux's")
def test_alsa_gets_the_samples(tmp_path: Path) -> None:
    """A sound card that is a file."""
    pytest.importorskip("raylib")
    heard = tmp_path / "heard"
    card = f'type file file "{heard}" format raw slave {{ pcm {{ type null }} }}'
    slave = f"pcm {{ {card} }} rate 48000 format S16_LE channels 1"
    (tmp_path / "alsa").write_text(f"pcm.!default {{ type plug slave {{ {slave} }} }}\n")
    surroundings = {**os.environ, "ALSA_CONFIG_PATH": str(tmp_path / "alsa")}
    surroundings.pop("PULSE_SERVER", None)
    done = subprocess.run(
        [sys.executable, "-c", SPEAK], env=surroundings, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    if not heard.exists():
        pytest.skip("there is no ALSA here")
    with heard.open("rb") as file:
        samples = np.frombuffer(file.read(1 << 26), np.int16)
    assert samples.max() > 15_000
    assert samples.min() < -15_000
