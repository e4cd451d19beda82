"""Policies: encoder, optional memory, heads; or the user's own. torch loads with the first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skipjack.policies.fields import unpack
    from skipjack.policies.heads import ContinuousHead, DiscreteHead, make_head
    from skipjack.policies.memory import LSTM
    from skipjack.policies.policy import Policy, build

_HOMES = {
    "ContinuousHead": "heads",
    "DiscreteHead": "heads",
    "make_head": "heads",
    "LSTM": "memory",
    "Policy": "policy",
    "build": "policy",
    "unpack": "fields",
}

__all__ = ["LSTM", "ContinuousHead", "DiscreteHead", "Policy", "build", "make_head", "unpack"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
