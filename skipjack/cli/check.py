"""`skipjack check ENV`: what is wrong with an environment, in plain words, and how fast it is."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from skipjack import config as settings
from skipjack import registry
from skipjack.cli import flags
from skipjack.cli.table import one_line
from skipjack.config import Within


@dataclass(frozen=True, slots=True)
class CheckFlags:
    """Flags of `skipjack check` beside the env's settings."""

    steps: Annotated[int, Within(1, 100_000_000)] = 1000
    """Steps of random play to look at."""
    seed: Annotated[int, Within(0, 2**31 - 2)] = 0
    """Seed of the envs and of the actions."""
    json: bool = False
    """End with a line of JSON on standard output."""


def run(arguments: Sequence[str]) -> int:
    """Check an environment; exit code 1 if something is wrong with it."""
    name, rest = flags.subject(arguments, "skipjack check my_package:make_env")
    maker = registry.load(registry.resolve(name or "gymnasium:CartPole-v1").target)
    layers = [
        ("defaults of Python environments", _env(getattr(maker, "defaults", {}))),
        (f"preset {name}", _env(registry.preset(name) if name else {})),
    ]
    first = settings.resolve(_root(maker.Config), layers).config
    own, chosen = flags.parse(
        CheckFlags,
        rest,
        "skipjack check ENV",
        "Say in plain words what is wrong with an environment, and how fast it is.",
        first,
    )
    config = settings.resolve(first, [("flag", chosen)]).config
    from skipjack.testing.check import check

    report = check(maker, config.env, name, own.steps, own.seed)
    if own.json:
        print(json.dumps(report.as_row()))
        return 0 if report.faultless else 1
    print(f"{report.env}: {report.kind}" if report.kind else report.env)
    for found in report.findings:
        print(f"{found.level:5}  {found.about:12}  {one_line(found.sentence)}")
    wrong, notes = report.count("wrong"), report.count("note")
    said = "Nothing is wrong" if report.faultless else f"{wrong} wrong"
    print(f"{said}, {notes} note{'' if notes == 1 else 's'}.")
    return 0 if report.faultless else 1


def _env(nested: dict[str, Any]) -> dict[str, Any]:
    return {"env": nested.get("env", {})}


def _root(env: type) -> Any:
    """A config of the env's settings alone."""
    section = ("env", env, dataclasses.field(default_factory=env))
    return dataclasses.make_dataclass("CheckConfig", [section], frozen=True)()
