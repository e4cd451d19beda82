"""The picture of an env, and beside it what is going on: one scene for every screen."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from skipjack.native.scene import Image, Line, Rectangle, Scene, Text
from skipjack.spaces import Actions
from skipjack.vector import Vector
from skipjack.view.keys import SIGNS, named
from skipjack.view.players import Thought
from skipjack.view.tally import Tally

MARGIN, TOP, BOTTOM = 16.0, 40.0, 88.0
PICTURE = 640.0
"""Units that the picture is wide."""
LOWEST, HIGHEST = 400.0, 660.0
"""Units that it is high at least and at most; it keeps its proportions."""
SIDE = 300.0
"""Units of the column beside it."""

BACKGROUND = (24, 28, 38)
LIGHT, DIM, FAINT = (220, 225, 235), (130, 140, 160), (48, 54, 68)
BLUE, GOLD, RED = (96, 176, 240), (250, 200, 110), (230, 110, 100)

LINE, OWN_LINE, LINES = 125, 145, 2
"""Letters of a line below the picture, of one in smaller letters, and most lines of each."""

SHORT = 40
"""Letters of a message that fits beside the title; longer ones stand below the picture."""

PIXELS = 1024
"""Pixels of an image's longer side that are enough for any screen."""

CHOICES = 18
"""Choices of a component whose probabilities fit into the column."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a picture of a session shows.

    Attributes:
        picture: the env, or what its agent sees.
        seen: what the agent sees, in small; None if that is the picture.
        title: who plays what.
        lines: of the episode and those before.
        remarks: lines that stay.
        thought: the policy's, of the row that is followed.
        names: a word for each choice of the first component, or of all.
        action: what may be done.
        rewards: the newest ones.
        legend: for each person who plays, keys and what they do.
        controls: names of the session's keys, and what they do.
        message, state: a line for a few seconds; whether it is paused.
    """

    picture: Scene
    seen: Scene | None
    title: str
    lines: Sequence[str]
    remarks: Sequence[str]
    thought: Thought | None
    names: Sequence[str]
    action: Actions
    rewards: Iterable[float]
    legend: Sequence[Sequence[tuple[str, str]]]
    controls: Sequence[tuple[str, str]]
    message: str
    state: str


def size(picture: Scene) -> tuple[float, float]:
    """Width and height of the whole picture around one of an env."""
    tall = PICTURE * picture.height / max(picture.width, 1e-9)
    return PICTURE + SIDE + 3 * MARGIN, TOP + min(max(tall, LOWEST), HIGHEST) + BOTTOM


def within(picture: Scene, x: float, y: float) -> tuple[float, float] | None:
    """The point of an env's picture at (x, y) of the whole one; None outside of it."""
    tall = size(picture)[1] - TOP - BOTTOM
    left, top, scale = picture.fitted(MARGIN, TOP, PICTURE, tall)
    x, y = (x - left) / max(scale, 1e-9), (y - top) / max(scale, 1e-9)
    return (x, y) if 0 <= x < picture.width and 0 <= y < picture.height else None


def compose(shown: Shown) -> Scene:
    """The whole picture as one scene."""
    width, height = size(shown.picture)
    tall = height - TOP - BOTTOM
    scene = Scene(width, height, BACKGROUND)
    scene.place(_smaller(shown.picture), MARGIN, TOP, PICTURE, tall)
    for edge in (  # what stands out of the picture is covered
        Rectangle(0, 0, width, TOP, BACKGROUND),
        Rectangle(0, TOP, MARGIN, tall, BACKGROUND),
        Rectangle(MARGIN + PICTURE, TOP, width, tall, BACKGROUND),
        Rectangle(0, TOP + tall, width, BOTTOM, BACKGROUND),
    ):
        scene.add(edge)
    scene.add(Text(MARGIN, 10, shown.title, 20, LIGHT))
    short = 0 < len(shown.message) <= SHORT
    words, colour = (shown.message, GOLD) if short else (shown.state, DIM)
    scene.add(Text(MARGIN + PICTURE + MARGIN, 12, words, 16, colour))
    _legend(scene, shown, TOP + tall + 8)
    _column(scene, shown, TOP + tall)
    return scene


def lines(tally: Tally, row: int, env: int, seat: int, vector: Vector) -> list[str]:
    """The episode under way, the last one and the mean of all, as lines."""
    where = f"env {env}" if vector.num_envs > 1 else ""
    if vector.num_rows > vector.num_envs:
        where = f"{where} agent {seat}".strip()
    found = [where] if where else []
    found.append(f"step {tally.steps[row]}   return {tally.returns[row]:.4g}")
    last = tally.last(row)
    if last is not None:
        found.append(f"last episode: {_told(last['score'], last['return'])}")
        means = tally.mean(row, "score"), tally.mean(row, "return")
        found.append(f"mean of {tally.counts[row]}: {_told(*means)}")
    return found


def _told(score: float, total: float) -> str:
    words = f"return {total:.4g}"
    return words if math.isnan(score) else f"score {score:.3f}, {words}"


def _smaller(picture: Scene) -> Scene:
    """A picture whose images have no more pixels than a screen: a page is sent every one of them."""
    items = [
        replace(item, pixels=item.pixels[:: _every(item), :: _every(item)])
        if isinstance(item, Image) and _every(item) > 1
        else item
        for item in picture.items
    ]
    return replace(picture, items=items)


def _every(image: Image) -> int:
    """Of how many pixels of an image one is enough."""
    return max(1, max(image.pixels.shape[:2]) // PIXELS)


def _legend(scene: Scene, shown: Shown, y: float) -> None:
    """The keys of the game and those of the session; a long message takes the game's place."""
    own = [f"{SIGNS.get(key, key.upper())} {what}" for key, what in shown.controls]
    if len(shown.message) > SHORT:
        lines, colour = textwrap.wrap(shown.message, LINE)[:LINES], GOLD
    else:
        lines, colour = _wrapped(_pairs(shown.legend), LINE), LIGHT
    for line in lines:
        scene.add(Text(MARGIN, y, line, 15, colour))
        y += 20
    for line in _wrapped(own, OWN_LINE):
        scene.add(Text(MARGIN, y, line, 13, DIM))
        y += 16


def _pairs(legend: Sequence[Sequence[tuple[str, str]]]) -> list[str]:
    """Keys and what they do as words; where there are two people, whose they are."""
    found = []
    for side, person in zip(("left side:", "right side:"), legend, strict=False):
        words = [f"{keys} {what}" if keys != what else keys for keys, what in person]
        found += [side, *words] if len(legend) > 1 else words
    return found


def _wrapped(pairs: list[str], most: int) -> list[str]:
    """Lines of at most so many letters; what does not fit into `LINES` of them is left out."""
    lines = [""]
    for pair in pairs:
        if len(lines[-1]) + len(pair) + 3 > most:
            if len(lines) == LINES:
                lines[-1] += " ..."
                break
            lines.append("")
        lines[-1] += f"   {pair}" if lines[-1] else pair
    return lines


def _column(scene: Scene, shown: Shown, bottom: float) -> None:
    """What is known beside the picture, from the top down, as far as there is room."""
    x, y = PICTURE + 2 * MARGIN, TOP
    for line in (*shown.lines, *shown.remarks):
        scene.add(Text(x, y, line, 15, LIGHT))
        y += 20
    y = _strip(scene, list(shown.rewards), x, y + 4)
    if shown.thought is not None:
        y = _thought(scene, shown, x, y)
    if shown.seen is not None and bottom - y > 40:
        scene.add(Text(x, y, "what the agent sees", 13, DIM))
        tall = SIDE * shown.seen.height / max(shown.seen.width, 1e-9)
        scene.place(shown.seen, x, y + 18, SIDE, min(tall, bottom - y - 18))


def _strip(scene: Scene, rewards: list[float], x: float, y: float) -> float:
    """Rewards as bars, the newest at the right; gives where it ends."""
    most, half = max((abs(reward) for reward in rewards), default=0.0) or 1.0, 14.0
    wide = SIDE / max(len(rewards), 1)
    scene.add(
        Text(x, y, "rewards", 13, DIM), Line(x, y + 18 + half, x + SIDE, y + 18 + half, 1, FAINT)
    )
    for index, reward in enumerate(rewards):
        tall = half * abs(reward) / most
        if tall > 0:
            top = y + 18 + half - (tall if reward > 0 else 0)
            colour = GOLD if reward > 0 else RED
            scene.add(Rectangle(x + index * wide, top, max(wide, 1), tall, colour))
    return y + 18 + 2 * half + 8


def _thought(scene: Scene, shown: Shown, x: float, y: float) -> float:
    """A policy's value, probabilities and means; gives where they end."""
    assert shown.thought is not None
    if shown.thought.value is not None:
        scene.add(Text(x, y, f"value {shown.thought.value:.3f}", 15, LIGHT))
        y += 20
    labels, names = shown.action.labels, named(shown.action, shown.names)
    for component, chances in enumerate(shown.thought.chances):
        if len(shown.thought.chances) > 1:
            scene.add(Text(x, y, labels[component], 13, DIM))
            y += 17
        for choice, chance in list(enumerate(chances))[:CHOICES]:
            name = names[component][choice] if choice < len(names[component]) else "-"
            name = str(choice) if name == "-" else name
            scene.add(
                Text(x, y, name[:12], 13, LIGHT),
                Rectangle(x + 90, y + 2, 160, 11, FAINT),
                Rectangle(x + 90, y + 2, 160 * chance, 11, BLUE),
                Text(x + 258, y, f"{100 * chance:.0f} %", 13, LIGHT),
            )
            y += 17
    for index, value in enumerate(shown.thought.means):
        low, high = shown.action.low[index], shown.action.high[index]
        share = (value - low) / max(high - low, 1e-9)
        scene.add(
            Text(x, y, labels[len(shown.action.counts) + index][:12], 13, LIGHT),
            Rectangle(x + 90, y + 2, 160, 11, FAINT),
            Rectangle(x + 90 + 160 * min(max(share, 0), 1) - 2, y + 1, 4, 13, BLUE),
            Text(x + 258, y, f"{value:.2f}", 13, LIGHT),
        )
        y += 17
    return y + 6
