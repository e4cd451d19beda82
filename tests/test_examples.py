"""The one-file PPO is the trainer: the same weights, bit for bit, and it learns as a script."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from gymnasium.utils.env_checker import check_env

from examples import one_file_ppo
from skipjack import PolicyConfig, TrainConfig, evaluate, make, seeding
from skipjack.policies.policy import Policy
from skipjack.spaces import Actions, Layout
from skipjack.testing.corridor import Corridor, CorridorConfig
from skipjack.train.ppo import PPO

ROOT = Path(__file__).parents[1]
FILE = ROOT / "examples/one_file_ppo.py"

UPDATES = 6
SMALL = {"num_envs": 64, "horizon": 16, "minibatches": 4, "hidden": 32}
"""Powers of two: the file divides sums by counts, the trainer multiplies with shares of 1."""
NARROW = {"learning_rate": 0.02, "clip": 0.05, "max_gradient_norm": 0.02}
"""Bounds that cut something in every update."""


def weights_of(network: torch.nn.Module) -> list[bytes]:
    return [parameter.detach().numpy().tobytes() for parameter in network.parameters()]


@pytest.mark.parametrize("memory", [False, True], ids=["feed-forward", "lstm"])
@pytest.mark.parametrize("value_clip", [0.0, 0.02])
@pytest.mark.parametrize("time_limit", [20, 500])
def test_the_file_equals_the_trainer(memory: bool, value_clip: float, time_limit: int) -> None:
    """After updates over episodes that terminate and, at a limit of 20, that are truncated."""
    seed = 3
    settings = one_file_ppo.Settings(
        **SMALL,
        **NARROW,
        steps=UPDATES * SMALL["num_envs"] * SMALL["horizon"],
        memory=memory,
        value_clip=value_clip,
    )
    env = {"time_limit": time_limit, "desynchronise": False}

    torch.manual_seed(seeding.child(seed, "weights"))
    vector = make("cartpole", settings.num_envs, threads=1, config=env)
    network = one_file_ppo.Network(vector.observation.size, vector.action.choices, settings)
    ours = one_file_ppo.PPO(settings, vector, network, seed)

    torch.manual_seed(seeding.child(seed, "weights"))
    shape = PolicyConfig(hidden=settings.hidden, memory="lstm" if memory else "none")
    vector = make("cartpole", settings.num_envs, threads=1, config=env)
    policy = Policy(vector.observation, vector.action, shape)
    other = ("num_envs", "hidden", "memory")  # no settings of the trainer
    config = {name: value for name, value in asdict(settings).items() if name not in other}
    trainer = PPO(TrainConfig(**config), vector, policy, seed=seed)

    assert weights_of(network) == weights_of(policy)
    before = weights_of(network)
    ended = {"terminated": 0, "truncated": 0, "resets": 0}
    while trainer.steps < trainer.config.steps:
        trainer.collect()
        for name in ended:
            ended[name] += int(getattr(trainer.rollout, name).sum())
        trainer.learn()
    ours.run()
    assert ours.updates == trainer.updates == UPDATES
    assert weights_of(network) == weights_of(policy)
    assert weights_of(network) != before
    assert ended["terminated"] > 50
    assert (ended["truncated"] > 50) == (time_limit == 20)
    assert (ended["resets"] > 50) == memory

    env["time_limit"] = 50
    expected = evaluate.evaluate(policy, make("cartpole", 16, config=env), seed=seed)
    assert one_file_ppo.evaluate(network, make("cartpole", 16, config=env), seed) == expected.score


def test_the_file_is_short_and_stands_on_make_alone() -> None:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 300
    imports = [line for line in lines if line.startswith(("import skipjack", "from skipjack"))]
    assert imports == ["import skipjack", "from skipjack import seeding"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["cartpol"], "Did you mean 'cartpole'?"),
        (["--help"], "Usage: "),
        (["cartpole", "one"], "Usage: "),
        (["cartpole", "1", "2"], "Usage: "),
        (["spaces"], "The game must have flat float32 observations and one discrete action"),
        (["tests.test_examples:Grids"], "The game must have flat float32 observations"),
    ],
)
def test_mistakes_are_a_sentence(arguments: list[str], words: str) -> None:
    with pytest.raises(SystemExit) as left:
        one_file_ppo.main(*arguments)
    assert words in str(left.value.code)


class Grids(Corridor):
    """Observations that the file's network cannot take."""

    def __init__(self, num_envs: int, config: CorridorConfig = CorridorConfig()) -> None:
        super().__init__(num_envs, config)
        self.observation = Layout.box((4, 4), "uint8", 0, 255)
        self.action = Actions.discrete(2)


@pytest.mark.learning
@pytest.mark.parametrize("game", ["cartpole", "memory"])
def test_the_script_solves(game: str) -> None:
    done = subprocess.run([sys.executable, str(FILE), game, "1"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "steps/s  score" in done.stdout
    assert float(done.stdout.split("Final score: ")[1]) >= 0.95


@pytest.mark.learning
def test_the_environment_of_your_own_trains(tmp_path: Path) -> None:
    """By its name alone, with the settings that Python environments have: better than chance by far."""
    command = [sys.executable, "-m", "skipjack", "train", "examples.custom_env:Thermostat"]
    done = subprocess.run(
        [*command, "--train.steps=30e3", "--eval.quota=2", "--run=own", "--json"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout.splitlines()[-1])
    assert row["score"] is None  # nothing says what success is
    assert row["return"] > 40 > 20 > row["random_return"]


def test_the_environment_of_your_own_is_right_and_short() -> None:
    from examples.custom_env import Thermostat

    check_env(Thermostat(), skip_render_check=True)
    body = inspect.getsource(Thermostat).split("action_space")[1].splitlines()
    code = [line for line in body if line.strip() and '"""' not in line]
    assert len(code) <= 12
