from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skipjack import config as settings
from skipjack.config import Choice, Log, Logit, Pow2, Range, Setting, Within
from skipjack.errors import UsageError


@dataclass(frozen=True)
class Inner:
    rate: Annotated[float, Log(1e-4, 1e-2), Within(0.0, 1.0)] = 1e-3
    """Speed of learning."""
    steps: Annotated[int, Within(1, None)] = 100
    """How long."""
    mode: Literal["fast", "slow"] = "fast"
    """Which way."""
    epochs: Annotated[int, Choice(1, 2, 4)] = 1
    limit: int | None = None
    sizes: tuple[int, ...] = (1, 2)
    name: str = ""
    on: bool = False


@dataclass(frozen=True)
class Outer:
    seed: int = 0
    inner: Inner = field(default_factory=Inner)


def test_a_setting_is_declared_once() -> None:
    found = settings.settings(Outer)
    assert list(found)[:3] == ["seed", "inner.rate", "inner.steps"]
    rate = found["inner.rate"]
    assert (rate.doc, rate.default, rate.bounds()) == (
        "Speed of learning.",
        1e-3,
        "between 0 and 1",
    )
    assert rate.search == Log(1e-4, 1e-2)
    assert found["inner.steps"].bounds() == "at least 1"
    assert found["inner.mode"].options == ("fast", "slow")
    assert found["inner.epochs"].bounds() == "one of 1, 2, 4"


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("inner.steps", "20e9", 20_000_000_000),
        ("inner.steps", 1e3, 1000),
        ("inner.steps", "1_000", 1000),
        ("inner.steps", "9007199254740993", 9007199254740993),  # past a float's precision
        ("inner.rate", 1, 1.0),
        ("inner.rate", "1e-3", 1e-3),
        ("inner.on", "true", True),
        ("inner.limit", "none", None),
        ("inner.limit", "5", 5),
        ("inner.sizes", [3, 4.0], (3, 4)),
    ],
)
def test_values_are_converted(name: str, given: Any, wanted: Any) -> None:
    found = settings.flatten(settings.replace(Outer(), {name: given}))[name]
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("inner.rate", 2.0, "inner.rate must be between 0 and 1, but got 2.0"),
        ("inner.rate", "nan", "must be a number"),
        ("inner.rate", "fast", "must be a number"),
        ("inner.rate", True, "must be a number"),
        ("inner.steps", 0, "inner.steps must be at least 1, but got 0"),
        ("inner.steps", 1.5, "must be a whole number"),
        ("inner.steps", "inf", "must be a whole number"),
        ("inner.steps", True, "must be a whole number"),
        ("inner.mode", "quick", "must be one of fast, slow, but got 'quick'"),
        ("inner.epochs", 3, "must be one of 1, 2, 4"),
        ("inner.name", 3, "must be text"),
        ("inner.on", 1, "must be true or false"),
        ("inner.sizes", 3, "must be a list"),
        ("inner.stesp", 3, "There is no setting 'inner.stesp'. Did you mean 'inner.steps'"),
        ("inner", 3, "There is no setting 'inner'"),
    ],
)
def test_wrong_values_are_sentences(name: str, given: Any, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        settings.replace(Outer(), {name: given})
    assert words in str(caught.value)


def test_layers_come_in_order_and_leave_their_names() -> None:
    layers = [("preset", {"inner": {"rate": 0.5, "steps": 7}}), ("flag", {"inner.rate": 0.25})]
    found = settings.resolve(Outer(), layers)
    assert (found.config.inner.rate, found.config.inner.steps) == (0.25, 7)
    assert found.provenance["inner.rate"] == "flag"
    assert found.provenance["inner.steps"] == "preset"
    assert found.provenance["seed"] == "default"
    with pytest.raises(UsageError, match=r"\(From: mine\.\)"):
        settings.resolve(Outer(), [("mine", {"inner": {"rate": 9}})])


@given(
    rate=st.floats(0, 1),
    steps=st.integers(1, 2**62),
    name=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20),
    sizes=st.lists(st.integers(-5, 5), max_size=3),
    limit=st.none() | st.integers(0, 9),
)
def test_toml_reads_back_exactly(
    rate: float, steps: int, name: str, sizes: list[int], limit: int | None
) -> None:
    inner = Inner(rate=rate, steps=steps, name=name, sizes=tuple(sizes), limit=limit)
    config = Outer(seed=3, inner=inner)
    read = tomllib.loads(settings.to_toml(config))
    assert settings.resolve(Outer(), [("file", read)]).config == config


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="must exist"):
        settings.load_toml(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("[train\nsteps = ")
    with pytest.raises(UsageError, match="must be TOML"):
        settings.load_toml(tmp_path / "bad.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="must be TOML"):
        settings.load_toml(tmp_path / "binary.toml")
    with pytest.raises(UsageError, match="cannot be read"):
        settings.load_toml(tmp_path)


def test_the_machine_file_sets_threads_and_nothing_that_learns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from skipjack.run.config import configure

    file = tmp_path / "machine.toml"
    monkeypatch.setenv("SKIPJACK_MACHINE", str(file))
    assert settings.machine_layer() == []
    file.write_text("[vector]\nthreads = 3\n")
    found = configure("pong")
    assert found.config.vector.threads == 3
    assert found.provenance["vector.threads"] == f"machine {file}"
    file.write_text("[train]\nsteps = 3\n")
    with pytest.raises(UsageError, match="may only set"):
        settings.machine_layer()


def test_real_settings_are_all_documented_and_their_defaults_allowed() -> None:
    from skipjack import registry
    from skipjack.run.config import root

    for name in registry.GAMES:
        config = root(registry.load(registry.resolve(name).target).Config)
        for key, setting in settings.settings(config).items():
            assert setting.doc.endswith("."), f"{key} has no sentence"
            assert settings.checked(setting, setting.default) == setting.default


def test_configs_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Outer().seed = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("kind", "search", "within", "value", "wanted"),
    [
        (float, Log(1e-4, 3e-2), Within(0.0, 1.0), 3e-3, ""),
        (float, Log(1e-4, 3e-2), Within(0.0, 1.0), 3e-2, "at the high end"),
        (float, Log(1e-4, 3e-2), Within(0.0, 1.0), 0.05, "beyond the high end"),
        (float, Log(1e-4, 3e-2), Within(0.0, 1.0), 1e-4, "at the low end"),
        (float, Log(1e-4, 3e-2), Within(0.0, 1.0), 1e-6, "beyond the low end"),
        (float, Log(1e-4, 3e-2), Within(0.0, 1.0), 1.0, "beyond the high end"),
        (float, Log(0.05, 10.0), Within(0.0, None), 0.0, ""),  # switched off
        (float, Range(0.0, 1.0), Within(0.0, 1.0), 1.0, ""),  # the end is the limit
        (float, Range(-1.0, 1.0), None, -1.0, "at the low end"),
        (float, Logit(0.8, 0.9999), Within(0.0, 1.0), 1.0, "beyond the high end"),
        (int, Pow2(1, 64), Within(1, 65_536), 1, ""),  # nothing is fewer than one minibatch
        (int, Pow2(1, 64), Within(1, 65_536), 64, "at the high end"),
        (int, Pow2(8, 256), Within(1, 65_536), 8, "at the low end"),
        (int, Choice(1, 2, 3, 4), None, 1, ""),
        (int, Choice(1, 2, 3, 4), None, 3, ""),
        (int, Choice(1, 2, 3, 4), None, 4, "at the high end"),
        (int, Choice(16, 32, 64), None, 16, "at the low end"),
        (int, Choice(1, 64), None, 64, ""),  # two values are an alternative, no range
        (int, Choice(4, 1, 2), None, 2, ""),  # not in order: no range
        (str, Choice("a", "b", "c"), None, "c", ""),
        (bool, Choice(False, True), None, True, ""),
        (int, None, Within(0, 10), 10, ""),
        (int, Range(1, 5), None, None, ""),
    ],
)
def test_values_at_the_edge_of_their_usual_range(
    kind: type, search: Any, within: Within | None, value: Any, wanted: str
) -> None:
    setting = Setting("train.it", kind, value, "", search, within)
    found = settings.at_edge(setting, value)
    assert found.startswith(wanted)
    assert bool(found) == bool(wanted)
    if found:
        assert " of its usual range, " in found


@dataclass(frozen=True)
class Leaf:
    """A section of a section."""

    depth: int = 1
    """How deep."""


@dataclass(frozen=True)
class Branch:
    """A section."""

    width: int = 2
    """How wide."""
    leaf: Leaf = Leaf()


@dataclass(frozen=True)
class Tree:
    """Settings with a section within a section."""

    branch: Branch = Branch()


def test_sections_within_sections_have_full_names() -> None:
    config = settings.replace(Tree(), {"branch.leaf.depth": 5})
    text = settings.to_toml(config)
    assert "[branch.leaf]" in text
    assert settings.resolve(Tree(), [("file", tomllib.loads(text))]).config == config
