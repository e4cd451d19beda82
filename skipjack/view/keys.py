"""Which keys mean which action, for a person who plays.

Directions and the words of an action's names find their keys by themselves: left and right go to the
arrows and to A and D, fire to the space bar. Choices without such a name take digits and letters.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.spaces import Actions
from skipjack.view.screen import DIGITS, LETTERS

CONTROLS = {
    "p": "pause",
    "period": "one step",
    "plus": "faster",
    "minus": "slower",
    "r": "restart",
    "n": "next env",
    "bracketright": "next agent",
    "bracketleft": "agent before",
    "t": "play this agent",
    "z": "closer",
    "x": "farther",
    "tab": "the whole world",
    "v": "view",
    "m": "mute",
    "c": "picture",
    "g": "last ten seconds",
    "escape": "end",
}
"""Keys that a session keeps for itself, and what they do."""

WORDS = {
    "left": "left", "right": "right", "up": "up", "down": "down",
    "forward": "up", "forwards": "up", "back": "down", "backward": "down", "backwards": "down",
    "fire": "fire", "shoot": "fire", "jump": "fire", "attack": "fire",
    "stay": "", "noop": "", "none": "", "nothing": "", "pass": "", "wait": "", "idle": "",
}  # fmt: skip
"""Words of an action's name, and what they ask for; those that ask for nothing need no key."""

Meanings = dict[str, tuple[str, ...]]

SIDES: dict[str, Meanings] = {
    "both": {
        "left": ("left", "a"), "right": ("right", "d"), "up": ("up", "w"), "down": ("down", "s"),
        "fire": ("space",),
    },
    "left": {"left": ("a",), "right": ("d",), "up": ("w",), "down": ("s",), "fire": ("space",)},
    "right": {
        "left": ("left",), "right": ("right",), "up": ("up",), "down": ("down",), "fire": ("enter",),
    },
}  # fmt: skip
"""Keys of what is asked for, by the side of the keyboard that a person sits at."""

SIGNS = {
    "left": "←", "right": "→", "up": "↑", "down": "↓", "space": "Space", "enter": "Enter",
    "escape": "Esc", "tab": "Tab", "period": ".", "plus": "+", "minus": "-", "bracketleft": "[",
    "bracketright": "]",
}  # fmt: skip
"""How keys are written on the screen, where that is not their name in capitals."""

AXES = (("left", "right"), ("up", "down"))
"""Low and high of the first two real numbers: up is low, as y points down in pictures."""


class Keyboard:
    """The keys of one seat.

    Args:
        action: what may be done.
        names: a word for each choice of the first component, or of all of them one after the other; by
            default `action.names`.
        side: "both", or the side of the keyboard where two people share it.
        flows: whether no key means to do nothing; otherwise that has a key too.

    Attributes:
        waits: whether there is no action for no key.
        legend: keys and what they do, for the screen.
    """

    def __init__(
        self,
        action: Actions,
        names: Sequence[str] = (),
        side: str = "both",
        flows: bool = True,
    ) -> None:
        self.action, self.side, self.flows = action, side, flows
        self.meanings = SIDES[side]
        self.legend: list[tuple[str, str]] = []
        self._free = _free_keys(side)
        self.choices = [
            self._choices(component, count, words)
            for component, (count, words) in enumerate(
                zip(action.counts, named(action, names), strict=True)
            )
        ]
        self.reals = [self._axis(component) for component in range(len(action.low))]
        # Where each choice of the first component has a key, none of them is "do nothing".
        resting = () in self.choices[0].values() if self.choices else flows
        self.waits = not resting
        groups = [group for choices in self.choices for each in choices.values() for group in each]
        self.bound = {key for group in (*groups, *sum(self.reals, ())) for key in group}

    def steers(self, keys: Sequence[str]) -> bool:
        """Whether one of the keys is a direction."""
        return any(key in self.meanings[word] for pair in AXES for word in pair for key in keys)

    def act(
        self,
        keys: Sequence[str],
        mask: npt.NDArray[np.uint8] | None = None,
        led: npt.NDArray[Any] | None = None,
    ) -> npt.NDArray[Any] | None:
        """The action (width,) of the keys that are down; None if none of them is one.

        Args:
            keys: in the order in which they were pressed: where two exclude each other, the last counts.
            mask: (choices,), nonzero where legal; an illegal choice is not taken.
            led: (width,), what the mouse asks for: it holds where no key asks for something else.
        """
        found = np.zeros(self.action.width, self.action.dtype)
        if mask is not None and not mask.any():
            return found  # another seat moves
        if led is None and self.waits and not self.bound & set(keys):
            return None
        at = 0
        for component, choices in enumerate(self.choices):
            count = self.action.counts[component]
            legal = None if mask is None else mask[at : at + count]
            at += count
            choice = _best(choices, keys, legal)
            if led is not None and (choice is None or not choices[choice]):  # no key asks
                choice = int(led[component])
            if choice is None:
                if component == 0 and self.waits:
                    return None
                choice = 0 if legal is None or not legal.any() else int(np.flatnonzero(legal)[0])
            found[component] = choice
        for index, (low, high) in enumerate(self.reals):
            push = float(bool(set(high) & set(keys))) - float(bool(set(low) & set(keys)))
            bounds = self.action.low[index], self.action.high[index]
            still = 0.0 if led is None else led[len(self.choices) + index]
            value = bounds[0] if push < 0 else bounds[1] if push > 0 else still
            found[len(self.choices) + index] = np.clip(value, *bounds)
        return found

    def _choices(
        self, component: int, count: int, names: Sequence[str]
    ) -> dict[int, tuple[tuple[str, ...], ...]]:
        """By choice, what must be held: of each group of keys any one."""
        found: dict[int, tuple[tuple[str, ...], ...]] = {}
        for choice in range(count):
            name = names[choice] if choice < len(names) else ""
            if name == "-":
                continue
            asked = _asked(name)
            if asked == set() and not self.flows:
                asked = None
            if asked is None and choice == 0 and len(self.action.counts) > 1:
                asked = set()  # one of several components rests at its first choice
            if asked is not None:
                found[choice] = tuple(self.meanings[word] for word in sorted(asked))
                keys = " ".join(_sign(self.meanings[word]) for word in sorted(asked))
                if keys:
                    self.legend.append((keys, name))
            elif self._free:
                key = self._take(name, choice if component == 0 else -1)
                found[choice] = ((key,),)
                label = self.action.labels[component] if component else ""
                self.legend.append((_sign((key,)), f"{label} {name or choice}".strip()))
            else:
                self.legend.append(("no key", f"{count - choice} more choices"))
                break
        return found

    def _axis(self, index: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Keys that push a real number to its low and to its high end."""
        label = self.action.labels[len(self.choices) + index]
        if index < len(AXES) and not self.choices:
            low, high = (self.meanings[word] for word in AXES[index])
        elif index == 0:
            low, high = self.meanings["down"], self.meanings["up"]
        elif len(self._free) > 1:
            low, high = (self._free.pop(0),), (self._free.pop(0),)
        else:
            return (), ()
        label = f"number {label}" if label.isdecimal() else label
        self.legend.append((f"{_sign(low)} {_sign(high)}", f"{label} down, up"))
        return low, high

    def _take(self, name: str, choice: int) -> str:
        """A free key for a choice: its digit, its first letter, or the next one."""
        wanted = [name[:1].lower()] if name else [str(choice)] * (self.side == "both")
        key = next((key for key in wanted if key in self._free), self._free[0])
        self._free.remove(key)
        return key


def named(action: Actions, names: Sequence[str] = ()) -> list[tuple[str, ...]]:
    """A word for each choice of each component, as far as there are any.

    Args:
        action: the components.
        names: of the first component, or of all one after the other; by default `action.names`.
    """
    names = tuple(names) or action.names
    if len(names) != action.choices:
        return [names, *[()] * len(action.counts)][: len(action.counts)]
    ends = list(itertools.accumulate(action.counts))
    return [names[end - count : end] for end, count in zip(ends, action.counts, strict=True)]


def ordered(order: Sequence[str], held: frozenset[str], pressed: Sequence[str]) -> list[str]:
    """Keys that count, in the order in which they went down.

    Args:
        order: what this gave the last time.
        held: keys that are down now.
        pressed: keys that went down since the last time, held or not.
    """
    now = held | set(pressed)
    kept = [key for key in order if key in now and key not in pressed]
    return [*kept, *dict.fromkeys(pressed), *sorted(now - set(kept) - set(pressed))]


def _best(
    choices: dict[int, tuple[tuple[str, ...], ...]],
    keys: Sequence[str],
    legal: npt.NDArray[np.uint8] | None,
) -> int | None:
    """The legal choice that the most of the keys ask for, the last ones first; None if none fits."""
    found, best = None, (-1, -1)
    for choice, groups in choices.items():
        if legal is not None and not legal[choice]:
            continue
        newest = [
            max((i for i, key in enumerate(keys) if key in group), default=-1) for group in groups
        ]
        if -1 not in newest and (len(groups), max(newest, default=-1)) > best:
            found, best = choice, (len(groups), max(newest, default=-1))
    return found


def _asked(name: str) -> set[str] | None:
    """What an action's name asks for ("UPRIGHTFIRE", "turn left"); None if it is no such name."""
    text = name.lower().strip()
    if not text:
        return None
    longest = "|".join(sorted(WORDS, key=len, reverse=True))
    words = re.findall(longest, text)
    rest = re.sub(rf"{longest}|turn|move|go|[\s_-]", "", text)
    return {WORDS[word] for word in words} - {""} if words and not rest else None


def _free_keys(side: str) -> list[str]:
    """Keys that may stand for a choice without one of its own, the first ones first."""
    taken = {key for keys in SIDES[side].values() for key in keys} | set(CONTROLS)
    halves: Meanings = {
        "both": (*DIGITS, *LETTERS),
        "left": (*"12345", *"qetfgzxb"),
        "right": (*"67890", *"uiojklm"),
    }
    return [key for key in halves[side] if key not in taken]


def _sign(keys: Sequence[str]) -> str:
    """Keys as they are written on the screen."""
    return "/".join(SIGNS.get(key, key.upper()) for key in keys)
