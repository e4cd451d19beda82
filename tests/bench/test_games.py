"""`skipjack bench steps --all`: every game's speed in a file, and what has become slower."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from skipjack import registry
from skipjack.bench import games
from skipjack.errors import UsageError


def row(env: str, *speeds: tuple[int, float, float, float]) -> dict[str, Any]:
    names = ("threads", "steps_per_second", "lowest", "highest")
    return {"env": env, "speeds": [dict(zip(names, speed, strict=True)) for speed in speeds]}


def filed(*rows: dict[str, Any]) -> dict[str, Any]:
    return {
        "format": games.FORMAT,
        "machine": games.machine(),
        "games": {each["env"]: each for each in rows},
    }


def test_what_is_slower() -> None:
    before = filed(row("pong", (1, 100, 90, 110), (2, 180, 170, 190)))
    now = [row("pong", (1, 70, 60, 80), (2, 160, 150, 165)), row("snake", (1, 5, 5, 5))]
    found = games.changes(now, before)
    assert [(c.env, c.threads, c.ratio, c.is_slower) for c in found] == [
        ("pong", 1, 0.7, True),
        ("pong", 2, 160 / 180, False),  # within what is allowed
    ]
    noisy = games.changes([row("pong", (1, 70, 20, 91))], before)
    assert not noisy[0].is_slower, "the ranges meet"


def test_what_seems_slower_is_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    speeds = iter([50.0, 60.0, 95.0])

    def measure(name: str, seconds: float, repetitions: int) -> dict[str, Any]:
        speed = next(speeds)
        return row(name, (1, speed, speed, speed))

    monkeypatch.setattr(games, "measure", measure)
    before = filed(row("pong", (1, 100, 90, 110)))
    lines: list[str] = []
    data = games.measure_all(["pong"], 1.0, 1, lines.append, before)
    assert data["games"]["pong"]["speeds"][0]["steps_per_second"] == 95
    assert len(lines) == 3


def test_every_native_game_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    found = games.native_names()
    assert {registry.resolve(name).game for name in found} == set(registry.GAMES)
    assert {"snake/720p", "grid/maze47", "pong/two"} <= set(found)
    monkeypatch.setattr(registry, "names", lambda: ["pong", "gymnasium:CartPole-v1"])
    assert games.native_names() == ["pong"]


@pytest.mark.parametrize("text", ["", "[]", '{"format": 9}', '{"format": 1, "games": {}}'])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UsageError, match="bench steps --all"):
        games.load(tmp_path / "a.json")
