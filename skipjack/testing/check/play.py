"""Random play of one env: actions from a seed alone, and what every call told as numbers to compare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from skipjack.spaces.actions import Actions
from skipjack.spaces.tree import ActionTree, legal
from skipjack.testing.check.fits import leaves
from skipjack.testing.check.world import Agents, Step, World, mask_in

Told = dict[str, int]
"""A number for each part of what a call told, equal where the part is equal."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an env in a play: "reset" or "step", after so many steps, and what it told."""

    name: str
    step: int
    told: Told


class Watcher(Protocol):
    """Looks at what each call told, before anything else is done with it."""

    def began(self, step: int, seen: Agents, infos: Agents) -> None:
        """An episode began after so many steps."""

    def stepped(self, step: int, acted: list[Any], found: Step, over: bool) -> None:
        """The agents that acted made a step."""


class Failed(Exception):
    """A call of the env raised; the cause says what."""

    def __init__(self, name: str, step: int) -> None:
        super().__init__(name)
        self.name, self.step = name, step


def play(
    world: World,
    tree: ActionTree,
    seed: int,
    steps: int,
    limit: int = 0,
    watcher: Watcher | None = None,
    drawn: int | None = None,
) -> Iterator[Call]:
    """Play with random legal actions; episodes after the first begin without a seed.

    Args:
        world: the env.
        tree: its actions.
        seed: of the env's first reset.
        steps: steps in all.
        limit: steps after which an episode is over in any case; 0: none.
        watcher: looks at each call.
        drawn: seed of the actions; by default the env's.

    Raises:
        Failed: a call of the env raised.
    """
    generator = np.random.default_rng(seed if drawn is None else drawn)
    clock = 0
    name, step = "reset", 0
    try:
        seen, infos = world.reset(seed)
        if watcher:
            watcher.began(0, seen, infos)
        yield Call(name, 0, told(observation=seen))
        for step in range(1, steps + 1):
            name, acted = "step", world.present()
            actions = {
                agent: tree.unpack(
                    draw(tree.actions, generator, mask_of(world, tree, agent, seen, infos))
                )
                for agent in acted
            }
            found = world.step(actions)
            clock += 1
            over = is_over(world, found) or clock == limit
            if watcher:
                watcher.stepped(step, acted, found, over)
            yield Call(name, step, told_of(found))
            seen, infos = found.observations, found.infos
            if over:
                name, clock = "reset", 0
                seen, infos = world.reset(None)
                if watcher:
                    watcher.began(step, seen, infos)
                yield Call(name, step, told(observation=seen))
    except GeneratorExit:
        raise
    except Exception as error:
        raise Failed(name, step) from error


def is_over(world: World, found: Step) -> bool:
    """Whether the env must be reset: its one agent's episode ended, or no agent is left."""
    if world.possible == [""]:
        return bool(found.terminated[""]) or bool(found.truncated[""])
    return not world.present()


def draw(
    actions: Actions, generator: np.random.Generator, mask: npt.NDArray[np.uint8] | None
) -> npt.NDArray[Any]:
    """A uniform action (width,) among the legal ones."""
    row, at = actions.draw(generator, 1)[0], 0
    if mask is None:
        return row
    for component, count in enumerate(actions.counts):
        allowed = np.flatnonzero(mask[at : at + count])
        at += count
        if len(allowed):
            row[component] = generator.choice(allowed)
    return row


def mask_of(
    world: World, tree: ActionTree, agent: Any, seen: Agents, infos: Agents
) -> npt.NDArray[np.uint8] | None:
    """The legal choices of an agent; None where all are, or where the mask is no good."""
    mask = mask_in(seen.get(agent), infos.get(agent))
    try:
        return None if mask is None else legal(mask, tree.actions)
    except Exception:  # the watcher has told it
        return None


def told_of(found: Step) -> Told:
    """What a step told, without infos: these may hold times."""
    return told(
        observation=found.observations,
        reward=found.rewards,
        terminated=found.terminated,
        truncated=found.truncated,
    )


def told(**named: Agents) -> Told:
    """Numbers of every part, by words such as "reward" or "observation 'camera' of red_0"."""
    numbers = {}
    for what, by_agent in named.items():
        for agent, value in by_agent.items():
            for name, array in leaves(value):
                words = f"{what} {name!r}" if name else what
                whose = f" of {agent}" if agent != "" else ""
                numbers[words + whose] = number(array)
    return numbers


def number(array: npt.NDArray[Any]) -> int:
    """Equal for arrays of equal type, shape and content."""
    content = repr(array.tolist()) if array.dtype.hasobject else array.tobytes()
    return hash((array.dtype.str, array.shape, content))


def difference(one: Told, two: Told) -> str:
    """The first part in which two calls told different things; empty if they are equal."""
    return next((name for name in {**one, **two} if one.get(name) != two.get(name)), "")
