"""What is looked at in every call of an env while it is played."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np

from skipjack.emulate.config import EmulateConfig
from skipjack.emulate.engine import MASK
from skipjack.emulate.ledger import numbers as numeric
from skipjack.errors import SkipjackError
from skipjack.spaces.tree import ActionTree, legal
from skipjack.testing.check.findings import Report
from skipjack.testing.check.fits import leaves, misfits
from skipjack.testing.check.play import Agents, Step, number
from skipjack.testing.check.world import World, mask_in


class Inspector:
    """Tells a report of what an env does wrong, the first time that it does.

    Attributes:
        steps, episodes: played so far.
        ended: episodes that ended by the rules, by a limit of the env's, by the setting's.
        masked: whether a mask was seen.
    """

    def __init__(
        self, report: Report, world: World, tree: ActionTree, config: EmulateConfig
    ) -> None:
        self.report, self.world, self.tree = report, world, tree
        self.dropped = frozenset(config.dropped())
        self.spaces = {agent: world.spaces(agent)[0] for agent in world.possible}
        self.steps = self.episodes = 0
        self.ended = {"terminated": 0, "truncated": 0, "limit": 0}
        self.masked = False
        self.words: set[str] = set()
        self.last: tuple[str, Agents, dict[str, int]] | None = None

    def began(self, step: int, seen: Agents, infos: Agents) -> None:
        """An episode began after so many steps."""
        self.where = "reset" if not step else f"reset after step {step:,}"
        self._reused(seen, "reset")
        self._agents(seen, self.world.present())
        self._observations(seen)
        self._masks(seen, infos)
        for agent, info in infos.items():
            self._info(agent, info)

    def stepped(self, step: int, acted: list[Any], found: Step, over: bool) -> None:
        """The agents that acted made a step."""
        self.where, self.steps = f"step {step:,}", step
        self._reused(found.observations, "step")
        self._agents(found.observations, [] if over else self.world.present())
        self._observations(found.observations)
        for agent in acted:
            self._reward(agent, found.rewards.get(agent))
            flags = [part.get(agent) for part in (found.terminated, found.truncated)]
            self._flags(agent, *flags)
        if not over:
            self._masks(found.observations, found.infos)
        else:
            self.episodes += 1
            cut = any(map(bool, found.truncated.values()))
            ended = any(map(bool, found.terminated.values()))
            self.ended["terminated" if ended else "truncated" if cut else "limit"] += 1
        for agent, info in found.infos.items():
            self._info(agent, info)
            if over and isinstance(info, Mapping):
                list(numeric(info, self.words))

    def _reused(self, seen: Agents, name: str) -> None:
        """Whether this call changed what the one before it gave."""
        if self.last is not None:
            before, kept, copies = self.last
            changed = [part for part, array in _parts(kept) if number(array) != copies[part]]
            if changed:
                self.report.note(
                    "reuse",
                    f"A {name} changes the observation that the {before} before it gave "
                    f"({changed[0] or 'all of it'}): Skipjack copies it, a loop of your own must too. Return "
                    f"a new array, or array.copy().",
                    fault="reused",
                )
        # What is compared later are the very arrays that the env gave.
        self.last = name, dict(seen), {part: number(array) for part, array in _parts(seen)}

    def _agents(self, seen: Agents, present: list[Any]) -> None:
        for agent in present:
            if agent not in self.world.possible:
                self.report.wrong(
                    "agents",
                    f"Every agent must be one of possible_agents, but {agent!r} is in agents at "
                    f"{self.where}.",
                    fault="strange",
                )
            elif agent not in seen:
                self.report.wrong(
                    "agents",
                    f"Every agent in agents must be given an observation, but {agent!r} gets none at "
                    f"{self.where}.",
                    fault="blind",
                )

    def _observations(self, seen: Agents) -> None:
        for agent, value in seen.items():
            if agent not in self.spaces:
                continue
            for level, fault, sentence in misfits(self.spaces[agent], value, self.dropped):
                tell = self.report.wrong if level == "wrong" else self.report.note
                tell("observations", self._at(sentence, agent), fault=fault)

    def _reward(self, agent: Any, reward: Any) -> None:
        plain = isinstance(reward, (numbers.Real, np.bool_))
        if not plain and not (isinstance(reward, np.ndarray) and reward.shape == ()):
            got = f"{type(reward).__name__} {reward!r}"
            sentence = f"A reward must be a number, but got {got}."
            self.report.wrong("rewards", self._at(sentence, agent), fault="number")
        elif not math.isfinite(float(reward)):
            sentence = f"A reward must be finite, but got {float(reward)}."
            self.report.wrong("rewards", self._at(sentence, agent), fault="finite")

    def _flags(self, agent: Any, terminated: Any, truncated: Any) -> None:
        flags = {"terminated": terminated, "truncated": truncated}
        for name, flag in flags.items():
            if not isinstance(flag, (bool, np.bool_)):
                got = f"{type(flag).__name__} {flag!r}"
                sentence = f"{name} must be True or False, but got {got}."
                self.report.wrong("flags", self._at(sentence, agent), fault=name)
        if all(isinstance(flag, (bool, np.bool_)) and flag for flag in flags.values()):
            self.report.note(
                "flags",
                self._at("terminated and truncated are both set: it counts as terminated.", agent),
                fault="both",
            )

    def _masks(self, seen: Agents, infos: Agents) -> None:
        for agent in self.world.present():
            mask = mask_in(seen.get(agent), infos.get(agent))
            if mask is None:
                if self.masked:
                    sentence = f"There is no {MASK} where there was one before: all choices count as legal."
                    self.report.note("masks", self._at(sentence, agent), fault="none")
                continue
            self.masked = True
            try:
                allowed = legal(mask, self.tree.actions)
            except Exception as error:
                words = str(error) if isinstance(error, SkipjackError) else f"got {mask!r}."
                sentence = f"The {MASK} is malformed: {words}"
                self.report.wrong("masks", self._at(sentence, agent), fault="malformed")
                continue
            if not set(np.unique(np.asarray(mask)).tolist()) <= {0, 1}:
                sentence = f"The {MASK} must hold zeros and ones alone."
                self.report.wrong("masks", self._at(sentence, agent), fault="values")
            if not allowed.any() and self.world.possible == [""]:
                sentence = f"The {MASK} allows nothing: the row waits, and its action is ignored."
                self.report.note("masks", self._at(sentence, agent), fault="nothing")

    def _info(self, agent: Any, info: Any) -> None:
        if not isinstance(info, Mapping):
            sentence = f"An info must be a dictionary, but got {type(info).__name__}."
            self.report.wrong("infos", self._at(sentence, agent), fault="dictionary")

    def _at(self, sentence: str, agent: Any) -> str:
        """The sentence with where it was so for the first time."""
        whose = f", {agent}" if agent != "" else ""
        return f"{sentence} (First at {self.where}{whose}.)"


def _parts(seen: Agents) -> list[tuple[str, Any]]:
    return [
        (f"{agent} {name}".strip(), array)
        for agent, value in seen.items()
        for name, array in leaves(value)
    ]
