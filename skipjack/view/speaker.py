"""Sound through raylib, piece by piece as a game makes it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

PIECE = 1024
"""Samples that are handed over at once: a thirtieth of a second."""

WAITING = 4
"""Pieces that may wait: of more, the oldest are left out, so that sound stays with its picture."""

SILENCE = 128


class Speaker:
    """Plays 8-bit samples one after the other; silent where the system has no sound.

    Args:
        raylib: the module.
        rate: samples a second.

    Attributes:
        works: whether there is a device to play on.
    """

    def __init__(self, raylib: Any, rate: int) -> None:
        self._raylib = raylib
        self._waiting = np.zeros(0, np.uint8)
        raylib.InitAudioDevice()
        self.works = bool(raylib.IsAudioDeviceReady())
        if self.works:
            raylib.SetAudioStreamBufferSizeDefault(PIECE)
            self._stream = raylib.LoadAudioStream(rate, 8, 1)
            raylib.PlayAudioStream(self._stream)

    def hear(self, samples: npt.NDArray[np.uint8]) -> None:
        """Play samples after those that wait."""
        if self.works:
            self._waiting = np.concatenate([self._waiting, samples])[-WAITING * PIECE :]
            self.feed()

    def feed(self) -> None:
        """Hand over what is due; to be called some sixty times a second."""
        raylib = self._raylib
        while self.works and raylib.IsAudioStreamProcessed(self._stream):
            piece, self._waiting = self._waiting[:PIECE], self._waiting[PIECE:]
            # A piece that is not full would be filled with zeros, which is not silence but a click.
            full = np.full(PIECE, piece[-1] if len(piece) else SILENCE, np.uint8)
            full[: len(piece)] = piece
            raylib.UpdateAudioStream(self._stream, raylib.ffi.from_buffer(full), PIECE)

    def close(self) -> None:
        """Free the device. Closing twice is allowed."""
        if self.works:
            self.works = False
            self._raylib.UnloadAudioStream(self._stream)
        self._raylib.CloseAudioDevice()
