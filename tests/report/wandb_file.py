"""Reads what wandb writes offline: protobuf records in blocks, in the format of LevelDB's log."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BLOCK, HEADER = 32768, 7
FULL, LAST = 1, 4


def offline_files(folder: Path) -> list[Path]:
    """The files of every sitting, oldest first, whole: wandb's process has ended."""
    import wandb

    wandb.teardown()
    return sorted(folder.glob("wandb/offline-run-*/run-*.wandb"))


def records(path: Path) -> Iterator[Any]:
    """Every whole record; a last one that a kill cut in half is left out."""
    from wandb.proto.wandb_internal_pb2 import Record

    data = path.read_bytes()
    at, parts = HEADER, b""  # the file has a header of its own
    while at + HEADER <= len(data):
        room = BLOCK - at % BLOCK
        if room < HEADER:
            at += room  # padding
            continue
        _, size, kind = struct.unpack_from("<IHB", data, at)
        parts += data[at + HEADER : at + HEADER + size]
        at += HEADER + size
        if kind in (FULL, LAST):
            yield Record.FromString(parts)
            parts = b""


def history(path: Path) -> list[dict[str, Any]]:
    """The logged rows."""
    return [_values(r.history.item) for r in records(path) if r.HasField("history")]


def config(path: Path) -> dict[str, Any]:
    """The run's config."""
    return next(_values(r.run.config.update) for r in records(path) if r.HasField("run"))


def run(path: Path) -> Any:
    """The run's own record: run_id, project, entity, display_name, run_group, tags."""
    return next(r.run for r in records(path) if r.HasField("run"))


def exit_code(path: Path) -> int:
    """How the run ended."""
    return next(r.exit.exit_code for r in records(path) if r.HasField("exit"))


def _values(items: Any) -> dict[str, Any]:
    return {i.key or ".".join(i.nested_key): json.loads(i.value_json) for i in items}
