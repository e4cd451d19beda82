"""How a session begins, and whom it tells what happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy.typing as npt

from skipjack.rows import Actor, Batch


@dataclass(slots=True)
class Options:
    """How a session begins.

    Attributes:
        seed: of the envs.
        title: what is played, by whom.
        speed: multiple of the env's pace.
        folder: where pictures and videos go.
        remarks: lines that stay on the screen.
        renew: asked once a second; gives an actor that takes over and the new title, or None.
        replay: whether a play that was kept is shown: it begins anew from the same seed.
        on_step: told the actions of every step and what they led to.
        on_reset: told of every new beginning, with its seed.
        on_seat: told of a row that a person takes over.
    """

    seed: int = 0
    title: str = ""
    speed: float = 1.0
    folder: Path = Path("plays")
    remarks: list[str] = field(default_factory=list)
    renew: Callable[[], tuple[Actor, str] | None] | None = None
    replay: bool = False
    on_step: Callable[[npt.NDArray[Any], Batch], None] = lambda actions, batch: None
    on_reset: Callable[[int], None] = lambda seed: None
    on_seat: Callable[[int], None] = lambda row: None
