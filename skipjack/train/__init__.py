"""PPO and its parts. torch loads with the first use of the trainer."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from skipjack.train.config import TrainConfig

if TYPE_CHECKING:
    from skipjack.train.ppo import PPO

__all__ = ["PPO", "TrainConfig"]


def __getattr__(name: str) -> Any:
    if name == "PPO":
        return importlib.import_module("skipjack.train.ppo").PPO
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
