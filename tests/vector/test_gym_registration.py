"""The games in Gymnasium's registry: in any order of imports, once, without a warning."""

from __future__ import annotations

import importlib
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import gymnasium
import pytest

import skipjack.gym
from skipjack import registry
from skipjack.errors import SkipjackError
from skipjack.vector import make
from skipjack.vector.gymnasium import GymEnv, GymVector

DOOR = "skipjack.gym:skipjack/Breakout-v0"

MAKE = f"""
env = gymnasium.make("{DOOR}", frame_skip=1)
vector = gymnasium.make_vec("{DOOR}", num_envs=3, vectorization_mode="vector_entry_point", balls=2)
print(len(env.reset(seed=1)[0]), vector.reset(seed=1)[0].shape)
"""


@pytest.mark.parametrize(
    "imports",
    [
        "import gymnasium",
        "import gymnasium, skipjack",
        "import skipjack, gymnasium",
        "import skipjack.gym, gymnasium",
        "import gymnasium, skipjack.gym",
        "import skipjack.vector.gymnasium, gymnasium",
        "import skipjack.gym, gymnasium; gymnasium.register_envs(skipjack.gym)",
    ],
)
def test_any_order_of_imports(imports: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", imports + MAKE],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("118 (3, 118)\n", "")


def test_loading_twice_registers_once() -> None:
    before = dict(gymnasium.registry)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        importlib.reload(skipjack.gym)
    assert dict(gymnasium.registry) == before


def test_every_game_is_there_but_for_those_of_several_seats() -> None:
    """By what the engines say; a preset that only trains otherwise is no env of its own."""
    several, envs = set(), {}
    for name in registry.names():
        vector = make(name, 1, threads=1)
        if vector.num_rows > 1:
            several.add(name)
        else:
            envs.setdefault((name.partition("/")[0], str(vector.engine.config)), name)
    assert several == skipjack.gym.SEVERAL_SEATS
    assert sorted(skipjack.gym.ids().values()) == sorted(envs.values())
    assert {"skipjack/CartPole-v0", "skipjack/Bandit-masked-v0"} <= set(gymnasium.registry)


@pytest.mark.parametrize("env_id", sorted(skipjack.gym.ids()))
def test_every_id_makes_its_game(env_id: str) -> None:
    spec = gymnasium.spec(env_id)
    assert isinstance(spec.entry_point, str)
    assert isinstance(spec.vector_entry_point, str)
    env, vector = gymnasium.make(env_id), gymnasium.make_vec(env_id, num_envs=2)
    assert isinstance(env.unwrapped, GymEnv)
    assert isinstance(vector, GymVector)
    wanted = make(skipjack.gym.ids()[env_id], 1, threads=1).engine
    for found in (env.unwrapped.vector.engine, vector.vector.engine):
        assert type(found) is type(wanted)
        assert not found.config.desynchronise
    env.close()
    vector.close()


def test_keyword_arguments_are_the_games_settings() -> None:
    env: Any = gymnasium.make(DOOR, frame_skip=1, continuous=True)
    assert env.unwrapped.vector.engine.config.frame_skip == 1
    assert isinstance(env.action_space, gymnasium.spaces.Box)
    vector: Any = gymnasium.make_vec(DOOR, num_envs=2, threads=1, desynchronise=True)
    assert vector.vector.engine.config.desynchronise


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"frame_skp": 1}, "There is no setting 'frame_skp'. Did you mean 'frame_skip'?"),
        ({"frame_skip": 3}, "frame_skip must be one of 1, 2, 4, 8"),
        ({"num_envs": 0}, "num_envs must be"),
        ({"autoreset_mode": "Disabled"}, "final_obs"),
        ({"autoreset_mode": "same"}, 'must be "SameStep" or "NextStep"'),
        ({"render_mode": "human"}, "skipjack play, skipjack watch"),
    ],
)
def test_mistakes_are_sentences(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(SkipjackError, match=f"(?i){words}"):
        gymnasium.make_vec(DOOR, **({"num_envs": 2} | wrong))
    if "num_envs" not in wrong and "autoreset_mode" not in wrong and "render_mode" not in wrong:
        with pytest.raises(SkipjackError, match=f"(?i){words}"):
            gymnasium.make(DOOR, **wrong)


@pytest.mark.parametrize("name", sorted(skipjack.gym.SEVERAL_SEATS))
def test_games_of_several_seats_are_sent_to_pettingzoo(name: str) -> None:
    for door in (GymEnv, GymVector):
        with pytest.raises(SkipjackError, match=r"one seat.*Parallel\('"):
            door(name)
