"""One env of whichever interface, as agents by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skipjack.emulate.engine import MASK
from skipjack.emulate.maker import parallel, single
from skipjack.emulate.old_gym import space_of
from skipjack.errors import UsageError

Agents = dict[Any, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """What a step told, by agent, as the env gave it."""

    observations: Agents
    rewards: Agents
    terminated: Agents
    truncated: Agents
    infos: Agents


class Solo:
    """A Gymnasium env, or one of the old interface: one agent, called "" here.

    Attributes:
        env: the env itself.
        kind: the interface in words.
        possible: names of all agents.
    """

    def __init__(self, env: Any) -> None:
        self.env, self.possible = env, [""]
        taken = single(env)
        self.old = None if taken is env else taken
        self.kind = "an environment of the old gym interface" if self.old else "a Gymnasium env"

    def spaces(self, agent: Any) -> tuple[Any, Any]:
        """Spaces of observation and action; None for one that is missing."""
        found = [getattr(self.env, name, None) for name in ("observation_space", "action_space")]
        observation, action = (None if space is None else space_of(space) for space in found)
        return observation, action

    def present(self) -> list[Any]:
        """The one agent."""
        return [""]

    def reset(self, seed: int | None) -> tuple[Agents, Agents]:
        """Begin an episode.

        Raises:
            UsageError: what it gives is not an observation and an info.
        """
        found = (self.old or self.env).reset(seed=seed)
        if not isinstance(found, tuple) or len(found) != 2 or not isinstance(found[1], Mapping):
            raise UsageError(
                f"reset must give an observation and an info, but gave {_described(found)}. Return "
                f"(observation, {{}})."
            )
        return {"": found[0]}, {"": found[1]}

    def step(self, actions: Agents) -> Step:
        """One step; of an old env, four values or five.

        Raises:
            UsageError: what it gives is neither.
        """
        found = self.env.step(actions[""])
        size = len(found) if isinstance(found, (tuple, list)) else 0
        if size != 5 and not (size == 4 and self.old):
            raise UsageError(
                f"step must give observation, reward, terminated, truncated and info, but gave "
                f"{_described(found)}. Tell apart what ended by the rules and what a limit cut."
            )
        if size == 4:
            observation, reward, done, info = found
            cut = bool(done) and isinstance(info, Mapping) and bool(info.get("TimeLimit.truncated"))
            found = observation, reward, done if not cut else False, cut, info
        return Step(*({"": part} for part in found))


class Crowd:
    """A PettingZoo parallel env, or an AEC env through PettingZoo's own conversion."""

    def __init__(self, env: Any) -> None:
        converted = hasattr(env, "agent_iter")
        self.env = parallel(env)
        self.kind = "a PettingZoo AEC env, converted" if converted else "a PettingZoo parallel env"
        self.possible = list(getattr(self.env, "possible_agents", ()))

    def spaces(self, agent: Any) -> tuple[Any, Any]:
        """Spaces of observation and action of an agent."""
        return self.env.observation_space(agent), self.env.action_space(agent)

    def present(self) -> list[Any]:
        """Agents that act next."""
        return list(self.env.agents)

    def reset(self, seed: int | None) -> tuple[Agents, Agents]:
        """Begin an episode.

        Raises:
            UsageError: what it gives is not two dictionaries.
        """
        found = self.env.reset(seed=seed)
        return self._dictionaries(found, "reset", "observations and infos", 2)

    def step(self, actions: Agents) -> Step:
        """One step.

        Raises:
            UsageError: what it gives is not five dictionaries.
        """
        found = self.env.step(actions)
        words = "observations, rewards, terminations, truncations and infos"
        return Step(*self._dictionaries(found, "step", words, 5))

    @staticmethod
    def _dictionaries(found: Any, name: str, words: str, count: int) -> Any:
        if (
            not isinstance(found, (tuple, list))
            or len(found) != count
            or not all(isinstance(part, Mapping) for part in found)
        ):
            raise UsageError(
                f"{name} must give {words}, each a dictionary by agent, but gave {_described(found)}."
            )
        return found


World = Solo | Crowd


def mask_in(seen: Any, info: Any) -> Any:
    """What the observation, or else the info, holds under action_mask; None without one."""
    for told in (seen, info):
        if isinstance(told, Mapping) and MASK in told:
            return told[MASK]
    return None


def _described(found: Any) -> str:
    """What was given, in a few words."""
    if isinstance(found, (tuple, list)):
        return f"{len(found)} values ({', '.join(type(part).__name__ for part in found)})"
    return f"{type(found).__name__}"
