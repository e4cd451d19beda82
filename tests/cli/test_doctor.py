"""`skipjack doctor`: what it finds, and the lines that help."""

from __future__ import annotations

import importlib.metadata
import json

import pytest

from skipjack.cli import doctor
from tests.cli.conftest import Call


def test_doctor_says_what_is_here(call: Call) -> None:
    code, out, _ = call("doctor")
    assert code == 0, out
    found = json.loads(call("doctor", "--json")[1])
    assert found["problems"] == []
    assert found["native parts"].startswith("0 missing")


def test_doctor_says_how_one_can_watch(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is optional: the line that helps, and no problem."""
    there = {"raylib", "pillow", "aiohttp"}

    def version(package: str) -> str:
        if package in doctor.OPTIONAL and package not in there:
            raise importlib.metadata.PackageNotFoundError(package)
        return "1.0"

    def views() -> tuple[str, ...]:
        code, out, _ = call("doctor", "--json")
        assert code == 0, out
        found = json.loads(out)
        return tuple(found[view] for view in ("window", "browser", "mp4 video", "gif video"))

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(doctor, "display", lambda: ":0")
    assert views() == ("ready", "ready", 'no av: pip install "skipjack[view]"', "ready")
    monkeypatch.setattr(doctor, "display", lambda: None)
    assert "no display: add --browser" in views()[0]
    there.clear()
    assert views() == (
        'no raylib and no pillow: pip install "skipjack[view]"',
        'no aiohttp: pip install "skipjack[web]"',
        'no pillow and no av: pip install "skipjack[view]"',
        'no pillow: pip install "skipjack[view]"',
    )
