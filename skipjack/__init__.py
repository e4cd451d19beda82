"""Skipjack: reinforcement learning for people with one machine.

Importing the package loads neither torch nor gymnasium; each name loads what it needs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skipjack.errors import SkipjackError
    from skipjack.policies.config import PolicyConfig
    from skipjack.policies.policy import Policy
    from skipjack.rows import Batch, Engine, Rows
    from skipjack.run.config import configure
    from skipjack.spaces import Actions, Layout
    from skipjack.train.config import TrainConfig
    from skipjack.train.ppo import PPO
    from skipjack.vector.contract import Vector
    from skipjack.vector.make import make

__version__ = "0.1.0"

_HOMES = {
    "Actions": "skipjack.spaces",
    "Batch": "skipjack.rows",
    "Engine": "skipjack.rows",
    "Layout": "skipjack.spaces",
    "PPO": "skipjack.train.ppo",
    "Policy": "skipjack.policies.policy",
    "PolicyConfig": "skipjack.policies.config",
    "Rows": "skipjack.rows",
    "SkipjackError": "skipjack.errors",
    "TrainConfig": "skipjack.train.config",
    "Vector": "skipjack.vector.contract",
    "configure": "skipjack.run.config",
    "make": "skipjack.vector.make",
}

__all__ = [
    "PPO",
    "Actions",
    "Batch",
    "Engine",
    "Layout",
    "Policy",
    "PolicyConfig",
    "Rows",
    "SkipjackError",
    "TrainConfig",
    "Vector",
    "configure",
    "make",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
