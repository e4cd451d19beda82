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
    "evaluate": "skipjack.evaluate",
    "make": "skipjack.vector.make",
}

__all__ = ["Actions"]
