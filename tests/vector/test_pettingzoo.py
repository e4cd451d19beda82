"""Out to PettingZoo: its tests over every game of several seats, and how agents come and go."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest

import skipjack.gym
from skipjack.errors import SkipjackError
from skipjack.testing.corridor import Corridor, CorridorConfig

pytest.importorskip("pettingzoo")

from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test
from pettingzoo.utils import parallel_to_aec

from skipjack.vector.pettingzoo import Parallel

CORRIDOR = "skipjack.testing.corridor:Corridor"
HUGE: dict[str, dict[str, Any]] = {
    "grid/forage4096": {"agents": 64, "width": 64, "height": 64, "food": 64},
    "moba": {"time_limit": 150},
    "moba/small": {"time_limit": 150},
    "snake/1440p": {"snakes": 64, "width": 128, "height": 128, "food": 64},
}
"""Worlds with thousands of seats, made smaller: PettingZoo's tests ask every seat in Python."""

GAMES: list[tuple[str, dict[str, Any]]] = [
    *((name, HUGE.get(name, {})) for name in sorted(skipjack.gym.SEVERAL_SEATS)),
    ("pong/two", {"time_limit": 200}),
    (CORRIDOR, {}),
    (CORRIDOR, {"time_limit": 12}),
    ("cartpole", {}),
]


@pytest.mark.parametrize(("name", "settings"), GAMES)
def test_pettingzoo_checks_every_game(name: str, settings: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parallel_api_test(Parallel(name, **settings), num_cycles=500)


@pytest.mark.parametrize(("name", "settings"), GAMES)
def test_seeds(name: str, settings: dict[str, Any]) -> None:
    parallel_seed_test(lambda: Parallel(name, **settings), num_cycles=200)
    env = Parallel(name, **settings)
    runs = [tuple(told(*env.reset(seed=seed)) for seed in (4, None, None)) for _ in range(2)]
    assert runs[0] == runs[1], "drawn seeds follow the last one given"


@pytest.mark.parametrize("name", sorted(skipjack.gym.SEVERAL_SEATS))
def test_pettingzoos_conversion_to_turns(name: str) -> None:
    api_test(parallel_to_aec(Parallel(name, **HUGE.get(name, {}))), num_cycles=200)


def told(observations: dict[str, Any], infos: dict[str, Any]) -> str:
    """Everything in words, to be compared."""
    parts = [(a, o if isinstance(o, dict) else {"": o}) for a, o in observations.items()]
    return str([(a, {k: v.tolist() for k, v in o.items()}) for a, o in parts]) + str(infos)


def test_agents_leave_when_their_episode_ends() -> None:
    """Both walk left, the first mover is out first; the other goes on alone, then all is over."""
    env = Parallel(CORRIDOR)
    _, infos = env.reset(seed=1)
    assert env.agents == env.possible_agents == ["seat_0", "seat_1"]
    assert env.teams == {"seat_0": 0, "seat_1": 1}
    ends = {}
    for step in range(20):
        waiting = [agent for agent in env.agents if not infos[agent]["action_mask"].any()]
        assert len(waiting) == 1 or len(env.agents) == 1, "they take turns"
        before = list(env.agents)
        seen, rewards, terminated, truncated, infos = env.step(dict.fromkeys(env.agents, 0))
        for part in (seen, rewards, terminated, truncated, infos):
            assert list(part) == before
        for agent in before:
            if terminated[agent]:
                ends[agent] = step
                assert seen[agent][0] == 0.0, "the left end: its last observation"
                assert infos[agent]["record"]["goals"] == 0
                assert set(infos[agent]) == {"record"}
        if not env.agents:
            break
    assert set(ends) == {"seat_0", "seat_1"}
    assert len(set(ends.values())) == 2
    with pytest.raises(SkipjackError, match=r"reset\(\) must come before step"):
        env.step({})


def test_the_next_episode_is_the_streams_next() -> None:
    """After all have ended a reset without a seed loses none and doubles none."""
    env = Parallel("pong/two", time_limit=80)
    firsts = []
    for seed in (3, None, None):
        seen, _ = env.reset(seed=seed)
        firsts.append(seen["seat_0"].tolist())
        while env.agents:
            env.step(dict.fromkeys(env.agents, 0))
    vector = Parallel("pong/two", time_limit=80).vector
    batch = vector.reset(3)
    wanted = [batch.observations[0].tolist()]
    while len(wanted) < 3:
        batch = vector.step(np.zeros((2, 1), int))
        if batch.truncated[0] or batch.terminated[0]:
            wanted.append(batch.observations[0].tolist())
    assert firsts == wanted


class Reviving(Corridor):
    """Corridors whose first seat begins again at once, and whose second comes after three ticks."""

    Config = CorridorConfig

    def _observe(self, env: int) -> None:
        super()._observe(env)
        tick = int(self.state["clock"][env])
        self.rows.alive[int(self.row_of[env, 1])] &= tick >= 3
        if not self.state["running"][env, 0]:
            self.state["running"][env, 0], self.state["place"][env, 0] = True, 3
            self.rows.alive[int(self.row_of[env, 0])] = True


def test_agents_join_late_and_do_not_come_back() -> None:
    env = Parallel("tests.vector.test_pettingzoo:Reviving")
    env.reset(seed=1)
    assert env.agents == ["seat_0"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parallel_api_test(env, num_cycles=60)
    env.reset(seed=2)
    assert env.agents == ["seat_0"]
    seen_together, left = False, False
    while env.agents:
        _, _, terminated, truncated, _ = env.step(dict.fromkeys(env.agents, 0))
        seen_together |= env.agents == ["seat_0", "seat_1"]
        assert not (left and "seat_0" in env.agents), "it plays on, but not as an agent"
        left |= terminated.get("seat_0", False) or truncated.get("seat_0", False)
    assert seen_together
    assert left
    before = env.vector.rows.observations.copy()
    env.reset()
    assert env.agents == ["seat_0"], "seat_0 was within an episode: all begin anew"
    assert env.vector.engine.state["clock"][0] == 0
    assert before.shape == env.state().shape


def test_spaces_state_and_masks() -> None:
    env = Parallel(CORRIDOR)
    seen, infos = env.reset(seed=1)
    for agent in env.possible_agents:
        assert env.observation_space(agent) is env.observation_space(agent)
        assert env.action_space(agent) is env.action_space(agent)
        assert seen[agent] in env.observation_space(agent)
        assert infos[agent]["alive"] is True
    assert env.state() in env.state_space
    assert np.array_equal(env.state()[1], seen["seat_1"])
    assert infos["seat_0"]["action_mask"].tolist() == [1, 1]
    assert infos["seat_1"]["action_mask"].tolist() == [0, 0]
    env.close()
    env.close()


def test_mistakes_are_sentences() -> None:
    env = Parallel("pong/two")
    env.reset(seed=1)
    with pytest.raises(SkipjackError, match=r"(?i)every agent must be given an action.*seat_1"):
        env.step({"seat_0": 0})
    with pytest.raises(SkipjackError, match="Choices must be of the action space"):
        env.step({"seat_0": 0, "seat_1": 3})
    with pytest.raises(SkipjackError, match="Did you mean 'time_limit'"):
        Parallel("pong/two", time_limt=3)
    with pytest.raises(SkipjackError, match="skipjack play, skipjack watch"):
        Parallel("pong/two", render_mode="human")


def test_without_pettingzoo_the_pip_line_is_told() -> None:
    code = "import sys; sys.modules['pettingzoo'] = None; import skipjack.vector.pettingzoo"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert 'pip install "skipjack[pettingzoo]"' in done.stderr.splitlines()[-1]
