"""The root config of a run: an env's own settings beside those of every part."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from skipjack import config as settings
from skipjack import registry
from skipjack.arena.config import ArenaConfig
from skipjack.config import Setting, Within
from skipjack.errors import must
from skipjack.evaluate import EvaluateConfig
from skipjack.policies.config import PolicyConfig
from skipjack.registry import Entry
from skipjack.train.config import TrainConfig
from skipjack.vector.config import VectorConfig

FLAG, FILE = "flag", "file"
"""How the provenance of a user's own values begins."""


@dataclass(frozen=True, slots=True)
class Configured:
    """A run's settings.

    Attributes:
        config: the root config, with sections env, vector, policy, train, eval and arena.
        provenance: where each value came from, by dotted name.
        entry: what the env's name stands for.
    """

    config: Any
    provenance: dict[str, str]
    entry: Entry


@dataclass(frozen=True)
class Seeded:
    """What stands at the top of every root config."""

    seed: Annotated[int, Within(0, 2**63 - 1)] = 0
    """Seed of envs, acting noise, first weights and minibatches: the same one, the same run."""


@lru_cache
def root(env_config: type) -> type:
    """The root config class for an env with this config class."""
    fields: list[tuple[str, Any, Any]] = [
        ("env", env_config, _section(env_config)),
        ("vector", VectorConfig, _section(VectorConfig)),
        ("policy", PolicyConfig, _section(PolicyConfig)),
        ("train", TrainConfig, _section(TrainConfig)),
        ("eval", EvaluateConfig, _section(EvaluateConfig)),
        ("arena", ArenaConfig, _section(ArenaConfig)),
    ]
    return dataclasses.make_dataclass("RunConfig", fields, bases=(Seeded,), frozen=True)


def configure(
    name: str,
    *,
    file: Path | None = None,
    saved: Mapping[str, Any] | None = None,
    saved_in: str = "the run's config.toml",
    flags: Mapping[str, Any] | None = None,
) -> Configured:
    """Settings for an env: defaults, preset, machine file, saved run, user's file, flags, in this order.

    Args:
        name: the env's name.
        file: a TOML file of the user's.
        saved: settings of the run to go on with, or of the one whose weights are taken.
        saved_in: where those came from, for the provenance.
        flags: values by dotted name.

    Raises:
        UsageError: an unknown name or setting, or a value that is not allowed.
    """
    entry = registry.resolve(name)
    engine_class = registry.load(entry.target)
    layers: list[tuple[str, Mapping[str, Any]]] = [
        ("defaults of Python environments", getattr(engine_class, "defaults", {})),
        (f"preset {entry.game}/{entry.variant}", registry.preset(name)),
        *settings.machine_layer(),
    ]
    if saved is not None:
        layers.append((saved_in, saved))
    if file is not None:
        values = settings.load_toml(file)
        # A run's own config.toml says which env it is of.
        if registry.resolve(str(values.pop("name", name))).game != entry.game:
            raise must(
                "a file of settings must be of the same environment", file=str(file), env=name
            )
        layers.append((f"{FILE} {file}", values))
    layers.append((FLAG, flags or {}))
    found = settings.resolve(root(engine_class.Config)(), layers)
    return Configured(found.config, found.provenance, entry)


def declared(name: str) -> dict[str, Setting]:
    """Every setting of an env's runs, by dotted name.

    Raises:
        UsageError: there is no such env, or it cannot be imported.
    """
    return settings.settings(root(registry.load(registry.resolve(name).target).Config))


def edges(configured: Configured) -> dict[str, str]:
    """Where each setting stands that is at the edge of its usual range, by dotted name."""
    known = settings.settings(type(configured.config))
    values = settings.flatten(configured.config)
    found = {name: settings.at_edge(known[name], value) for name, value in values.items()}
    return {name: where for name, where in found.items() if where}


def given(configured: Configured) -> list[str]:
    """Settings that the user gave, as a flag or in a file, by dotted name."""
    return [
        name
        for name, label in configured.provenance.items()
        if label == FLAG or label.startswith(f"{FILE} ")
    ]


def _section(cls: type) -> Any:
    return dataclasses.field(default_factory=cls)
