from __future__ import annotations

import importlib.metadata
from typing import Any

import pytest

from skipjack import registry
from skipjack.errors import UsageError
from skipjack.run.config import configure
from skipjack.testing.corridor import Corridor

OWN = "skipjack.testing.corridor:Corridor"


def test_names_resolve() -> None:
    assert registry.resolve("pong").full_name == "pong"
    assert registry.resolve("pong/default").full_name == "pong"
    assert registry.resolve("pong/lstm").full_name == "pong/lstm"
    assert registry.resolve("pong/lstm").target == registry.resolve("pong").target
    assert {"pong", "pong/two", "pong/lstm", "breakout"} <= set(registry.names())


@pytest.mark.parametrize("name", registry.names())
def test_every_preset_is_made_of_settings(name: str) -> None:
    """An unknown or impossible setting in a preset would raise here."""
    configured = configure(name)
    assert configured.config.train.steps > 0
    assert any(origin.startswith("preset") for origin in configured.provenance.values())


def test_names_with_a_prefix_are_whole() -> None:
    name = "gymnasium:ALE/Pong-v5"
    assert registry.resolve(name).full_name == registry.game_of(name) == name
    assert registry.game_of("pong/lstm") == registry.game_of("pong") == "pong"
    assert registry.preset(name) == {}
    assert registry.baseline_file(name) is None


def test_python_environments_have_defaults_of_their_own() -> None:
    configured = configure("gymnasium:CartPole-v1")
    assert configured.provenance["vector.num_envs"] == "defaults of Python environments"
    assert configured.config.policy.normalise


def test_an_own_engine_by_module_and_class() -> None:
    entry = registry.resolve(OWN)
    assert registry.load(entry.target) is Corridor
    assert registry.preset(OWN) == {}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("brekout", "Did you mean 'breakout'"),
        ("pong/tow", "Did you mean 'pong/two'"),
        ("", "no environment"),
        ("CartPole-v1", "gymnasium:CartPole-v1"),
        ("./mine", "folder"),
        (":Class", "module:attribute"),
        ("module:", "module:attribute"),
    ],
)
def test_wrong_names(name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        registry.resolve(name)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("no_such_module:Game", "No module named 'no_such_module'"),
        ("skipjack.testing.corridor:Nothing", "has no attribute 'Nothing'"),
        ("json:__version__", "function or class that makes one"),
    ],
)
def test_targets_that_are_none(target: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        registry.load(target)


def test_entry_points_of_other_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    point = importlib.metadata.EntryPoint("corridor", OWN, registry.ENTRY_POINTS)
    taken = importlib.metadata.EntryPoint("pong", OWN, registry.ENTRY_POINTS)

    def entry_points(**_: Any) -> list[Any]:
        return [point, taken]

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
    assert "corridor" in registry.names()
    assert registry.load(registry.resolve("corridor").target) is Corridor
    assert registry.resolve("pong").target != OWN, "a first-party name cannot be taken"
