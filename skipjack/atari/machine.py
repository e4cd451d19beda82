"""One emulated console: ale-py's, its screens, its seed and its state as bytes."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.atari.config import AtariConfig
from skipjack.errors import RunError, clause, missing, must

HEADER = struct.Struct("<Q?qqqqdqq")
"""Stream, whether it is the first game, frames, frame limit, lives, steps, return, games so far, and the
action that is held."""

NOTHING = 1
"""No palette number: those are even."""

SOUND_RATE = 60 * 512
"""Samples a second of the console's sound: 512 a frame."""


class Machine:
    """A console with a game in it, and the game under way.

    Args:
        game: ale-py's name of it.
        config: settings.

    Attributes:
        ale: the emulator.
        actions: ale-py's actions in the order of the choices; the first does nothing.
        fire: the choice that fires; in a game without it, that does nothing.
        size: rows and columns of its screen.
        screens: the newest screen and the one before: brightness, or red, green and blue.
        numbers: the palette numbers that these brightnesses were made of; `NOTHING` where they were not.
        stack: the newest frames of its observations, the oldest first; empty without a stack.
        stream: state of the env's own random numbers.
        first: whether this game began desynchronised.
        frames, limit: of the game under way, and after how many it is truncated.
        lives: left.
        steps, total: of the game: the agent's steps and the score.
        games: that have ended.
        held: number of the action of the last frame, which a sticky one goes on with.

    Raises:
        MissingPackage: ale-py is not installed.
        UsageError: the game has no such mode or difficulty.
        RunError: its file cannot be loaded.
    """

    def __init__(self, game: str, config: AtariConfig) -> None:
        ale_py = _ale_py()
        self.game, self.config = game, config
        self.ale = ale_py.ALEInterface()
        # Sticky actions are the engine's: the emulator does not save which one it held.
        self.ale.setFloat("repeat_action_probability", 0.0)
        self.state_class = ale_py.ALEState
        self.seed(0)
        legal = (
            self.ale.getLegalActionSet() if config.full_actions else self.ale.getMinimalActionSet()
        )
        self.actions = list(legal)
        named = [action.name for action in self.actions]
        self.fire = named.index("FIRE") if "FIRE" in named else named.index("NOOP")
        self.size: tuple[int, int] = self.ale.getScreenDims()
        self.screens = np.zeros((2, *self.size, *(() if config.grayscale else (3,))), np.uint8)
        self.numbers = np.full((2, *self.size), NOTHING, np.uint8)
        self.stack = np.zeros(0, np.uint8)
        self.stream = 0
        self.first = False
        self.frames = self.limit = self.lives = self.steps = self.games = self.held = 0
        self.total = 0.0

    def seed(self, seed: int) -> None:
        """Put the game in anew, with the emulator's own numbers from a seed."""
        from ale_py import roms

        self.ale.setInt("random_seed", seed % 2**31)
        try:
            path = roms.get_rom_path(self.game)
            if path is None or self.ale.isSupportedROM(path) is None:
                raise ValueError(f"it does not know {path}")  # its loadROM would end the process
            self.ale.loadROM(path)
        except Exception as error:
            raise RunError(
                f"The game {self.game!r} must be one that ale-py can load, but {clause(error)}. "
                f"Install ale-py again: pip install --force-reinstall ale-py."
            ) from error
        self._switch("mode", self.config.mode, self.ale.getAvailableModes(), self.ale.setMode)
        known = self.ale.getAvailableDifficulties()
        self._switch("difficulty", self.config.difficulty, known, self.ale.setDifficulty)

    def save(self) -> bytes:
        """All of the console and of the game under way."""
        state = self.ale.cloneState(include_rng=True).serialize()
        header = HEADER.pack(
            self.stream, self.first, self.frames, self.limit, self.lives, self.steps,
            self.total, self.games, self.held,
        )  # fmt: skip
        return header + self.screens.tobytes() + self.stack.tobytes() + state

    def load(self, saved: bytes) -> None:
        """Take back what `save` gave.

        Raises:
            RunError: it is of another game or version.
        """
        screens = HEADER.size + self.screens.nbytes
        stack = screens + self.stack.nbytes
        try:
            (
                self.stream, self.first, self.frames, self.limit, self.lives, self.steps,
                self.total, self.games, self.held,
            ) = HEADER.unpack_from(saved)  # fmt: skip
            kept = np.frombuffer(saved[:stack], np.uint8)
            self.screens[:] = kept[HEADER.size : screens].reshape(self.screens.shape)
            self.stack[:] = kept[screens:].reshape(self.stack.shape)
            self.numbers[:] = NOTHING
            state = self.state_class.__new__(self.state_class)
            state.__setstate__(saved[stack:])
            self.ale.restoreState(state)
        except Exception as error:
            raise RunError(
                f"The saved console must be of {self.game!r} and of this version of ale-py, but "
                f"{clause(error)}. Start a new run from the weights with --from."
            ) from error

    def forget(self) -> None:
        """Make the screen before a black one: a game begins."""
        self.screens[1], self.numbers[1] = 0, NOTHING

    def age(self) -> None:
        """Make the newest screen the one before."""
        self.screens[1], self.numbers[1] = self.screens[0], self.numbers[0]

    def listen(self) -> None:
        """Let the console make sound from the time on that its game is put in anew."""
        self.ale.setBool("sound_obs", True)

    def picture(self) -> npt.NDArray[np.uint8]:
        """The screen as people see it, (rows, columns, 3) uint8."""
        return self.ale.getScreenRGB()

    def _switch(self, name: str, wanted: int, known: Any, set_to: Any) -> None:
        if wanted < 0:
            return
        if wanted not in known:
            raise must(
                f"env.{name} must be one that {self.game!r} has: {', '.join(map(str, known))}",
                got=wanted,
            )
        set_to(wanted)


def _ale_py() -> Any:
    try:
        import ale_py
    except ImportError:
        raise missing("ale-py", "atari", "Atari") from None
    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)  # it greets on every console's start
    return ale_py
