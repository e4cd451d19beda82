"""The space: read from declarations, narrowed and widened by a file and by flags."""

from __future__ import annotations

from typing import Any

import pytest

from skipjack import config as settings
from skipjack.errors import UsageError
from skipjack.run.config import configure, declared
from skipjack.sweep.space import Space, space_of
from skipjack.sweep.study import distribution


def space(env: str = "breakout", **more: Any) -> Space:
    return space_of(declared(env), settings.flatten(configure(env).config), **more)


def test_ranges_scales_and_centres_are_the_declared_ones() -> None:
    found = space()
    rate = found["train.learning_rate"]
    assert (rate.scale, rate.low, rate.high, rate.centre) == ("log", 1e-4, 3e-2, 0.004)
    assert found["train.discount"].scale == "logit"
    assert found["train.horizon"].values == (8, 16, 32, 64, 128, 256)
    assert found["policy.layers"].options == (1, 2, 3, 4)
    assert found["train.epochs"].whole
    assert not rate.whole
    assert found["train.steps"].centre == 60_000_000


def test_what_the_preset_switches_off_or_what_changes_the_task_is_not_searched() -> None:
    names = space().names
    assert "train.target_kl" not in names
    assert "train.value_clip" not in names
    assert "env.frame_skip" not in names
    assert "train.optimiser" not in names
    assert "train.muon_momentum" not in names  # Adam is held
    named = space(only=["train.target_kl", "env.frame_skip", "train.optimiser"])
    assert named.names == ("env.frame_skip", "train.steps", "train.optimiser", "train.target_kl")
    assert "train.muon_momentum" in space(file={"train": {"optimiser": ["adam", "muon"]}}).names


def test_only_narrows_and_fix_holds() -> None:
    found = space(
        only=["train.learning_rate", "train.cl*"], fix=["train.clip=0.25", "policy.hidden"]
    )
    assert found.names == ("train.steps", "train.learning_rate")
    assert found.fixed == {"train.clip": 0.25, "policy.hidden": 128}


def test_a_file_widens_narrows_fixes_and_makes_choices() -> None:
    found = space(
        file={
            "train": {
                "clip": [0.1, 0.9],
                "schedule": ["linear", "cosine"],
                "epochs": 2,
                "trace": {"scale": "linear", "low": 0.8, "high": 0.95},
            },
            "env": {"balls": {"scale": "linear", "low": 1, "high": 5}},
        }
    )
    assert (found["train.clip"].low, found["train.clip"].high) == (0.1, 0.9)
    assert found["train.schedule"].options == ("linear", "cosine")
    assert found.fixed == {"train.epochs": 2}
    assert (found["train.trace"].scale, found["train.trace"].centre) == ("linear", 0.9)
    assert found["env.balls"].whole


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"only": ["train.lerning_rate"]}, "learning_rate"),
        ({"only": ["train.keep"]}, "--space FILE"),
        ({"fix": ["train.clip=much"]}, "train.clip must be a number"),
        ({"file": {"train": {"clip": [0.3, 0.1]}}}, "upwards"),
        ({"file": {"train": {"clip": [0.1]}}}, "a low and a high end"),
        ({"file": {"train": {"clip": {"low": 0.1, "high": 0.2, "step": 1}}}}, "step"),
        ({"file": {"train": {"discount": [0.5, 1.0]}}}, "fit its scale logit"),
    ],
)
def test_mistakes_are_told(more: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        space(**more)


def test_a_space_survives_as_text() -> None:
    found = space(fix=["train.clip"])
    assert Space.from_json(found.to_json()) == found


def test_values_at_an_end_are_seen_on_their_scale() -> None:
    found = space()
    rate, discount = found["train.learning_rate"], found["train.discount"]
    assert rate.is_edge(1.05e-4) == "low"
    assert rate.is_edge(2.9e-2) == "high"
    assert rate.is_edge(4e-4) == ""  # near the low end on a linear scale only
    assert discount.is_edge(0.9998) == ""
    assert discount.is_edge(0.9999) == "high"
    assert found["train.horizon"].is_edge(256) == "high"
    assert found["train.horizon"].is_edge(32) == ""


@pytest.mark.parametrize("env", ["grid", "moba", "password", "stochastic", "breakout"])
def test_every_preset_lies_within_its_own_space(env: str) -> None:
    """Some have a width of 96, a horizon of 20 or a discount of 1: no power of two, no place on a logit."""
    for part in space(env).parameters:
        assert distribution(part)._contains(distribution(part).to_internal_repr(part.centre))
        assert part.is_edge(part.centre) in ("", "low", "high")
    assert "train.discount" not in space("stochastic").names
    assert space("stochastic", only=["train.discount"])["train.discount"].centre == 0.9999
