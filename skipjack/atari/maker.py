"""From `atari:pong` to what makes engines of it; stands where a native game's class does."""

from __future__ import annotations

from skipjack.atari import names
from skipjack.atari.config import AtariConfig
from skipjack.atari.engine import Atari


class Maker:
    """Makes engines of one game.

    Args:
        name: as users write it, "atari:" in front.

    Raises:
        MissingPackage: ale-py is not installed.
        UsageError: there is no such game.
    """

    Config = AtariConfig
    in_python = True

    def __init__(self, name: str) -> None:
        self.game = names.resolve(name.removeprefix(names.PREFIX))

    def __call__(self, num_envs: int, config: AtariConfig = AtariConfig()) -> Atari:
        """An engine of `num_envs` consoles."""
        return Atari(self.game, num_envs, config)
