"""Trained weights in one file, with what rebuilds their policy: so the games' baselines ship.

A safetensors file whose metadata holds a state as JSON: `env`, `steps`, `settings` (of env and policy,
by dotted name), and for the reader `seed`, `score` and the version. Nothing is ever unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skipjack import registry
from skipjack.errors import RunError, UsageError

FORMAT = 1
"""Number of the metadata's layout; a newer one is refused."""

PREFIX = "baseline:"
"""What the name of a baseline begins with: baseline:pong/lstm."""

SUFFIX = ".safetensors"
"""What the name of such a file ends with."""

LIMIT = 1_000_000
"""Bytes that a baseline must stay below: every installation carries it."""


def find(name: str) -> Path:
    """The file of an environment's baseline.

    Args:
        name: the environment, with or without `PREFIX`.

    Raises:
        UsageError: there is no such environment, or it has no baseline.
    """
    env = name.removeprefix(PREFIX)
    file = registry.baseline_file(env)
    if file is None or not file.exists():
        raise UsageError(
            f"The environment {env!r} has no baseline. See which have one with: skipjack list."
        )
    return file


def write(path: Path, weights: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Write a policy's weights (numpy arrays by name) and their state to a file; makes its folder.

    Raises:
        RunError: it would be too large to ship.
    """
    from safetensors.numpy import save

    data = save(dict(weights), metadata={"skipjack": json.dumps({"format": FORMAT, **state})})
    if len(data) >= LIMIT:
        raise RunError(
            f"The baseline {str(path)!r} must be below {LIMIT} bytes, but has {len(data)}. Train it "
            f"with a smaller network (policy.hidden)."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def read(path: Path) -> dict[str, Any]:
    """The state of a file of weights.

    Raises:
        RunError: it is no such file, damaged, or of a newer format.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            state = json.loads(file.metadata()["skipjack"])
        written, _ = state["format"], (state["env"], state["steps"], state["settings"])
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"{str(path)!r} must be a file of weights that Skipjack wrote, but reading it failed: "
            f"{error}."
        ) from None
    if written > FORMAT:
        raise RunError(
            f"The weights {str(path)!r} have format {written}, but this version of Skipjack reads up "
            f"to {FORMAT}. Install a newer version."
        )
    return state
