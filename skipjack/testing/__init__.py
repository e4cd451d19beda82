"""Contract suites that ship with the library: subclass one, override its factory, get the tests.

pytest collects the subclass. `Corridor` is a small engine in plain Python to learn from.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skipjack.testing.corridor import Corridor
    from skipjack.testing.engine import EngineContract
    from skipjack.testing.policy import PolicyContract
    from skipjack.testing.sink import SinkContract
    from skipjack.testing.vector import VectorContract

_HOMES = {
    "Corridor": "corridor",
    "EngineContract": "engine",
    "PolicyContract": "policy",
    "SinkContract": "sink",
    "VectorContract": "vector",
}

__all__ = ["Corridor", "EngineContract", "PolicyContract", "SinkContract", "VectorContract"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
