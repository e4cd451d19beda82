"""The MOBA as a picture: the ground around a hero, all of it in small, and the hero's own figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.games.moba.heroes import CLASSES, SKILLS
from skipjack.games.moba.terrain import Terrain
from skipjack.native.scene import Circle, Colour, Image, Line, Rectangle, Scene, Text

SHOWN = 37
"""Cells a side that the camera shows around a hero."""
CELL = 20.0
"""Units of one of them."""
SIDE = SHOWN * CELL
MAP = 300.0
"""Units a side of the whole ground."""
UNIT = 256

TEAMS: tuple[Colour, ...] = ((80, 140, 255), (240, 90, 80), (200, 190, 90))
INK: Colour = (225, 228, 235)
FAINT: Colour = (120, 126, 140)
MANA: Colour = (90, 120, 255)
GROUND = np.array([(34, 46, 40), (66, 70, 82), (36, 60, 84)], np.uint8)
"""Colours of free cells, walls and the river."""
SKILL_COLOURS: tuple[Colour, ...] = (
    (120, 240, 240, 200), (180, 255, 120, 200), (255, 160, 240, 200), (250, 240, 170, 160),
)  # fmt: skip
"""Of Q, W, E and the basic attack."""
HERO, CREEP, NEUTRAL, TOWER = 1, 2, 4, 8
CORE = 5


def picture(ground: Terrain, game: dict[str, Any], hero: int) -> Scene:
    """What a game looks like.

    Args:
        ground: where it is played.
        game: its snapshot.
        hero: the hero that the camera follows, 5 * team + seat.
    """
    own = game["entities"][_id(hero)]
    left, top = (_corner(own[axis] / UNIT, ground.size) for axis in ("x", "y"))
    scene = Scene(SIDE + MAP + 30, SIDE + 20)
    cells = _ground(ground)[int(top) : int(top) + SHOWN, int(left) : int(left) + SHOWN]
    scene.add(Image(10, 10, SIDE, SIDE, cells))
    for number, each in enumerate(game["entities"]):
        if each["alive"]:
            x, y = 10 + (each["x"] / UNIT - left) * CELL, 10 + (each["y"] / UNIT - top) * CELL
            if 10 < x < 10 + SIDE and 10 < y < 10 + SIDE:
                _entity(scene, each, _of(game, number), x, y, number == _id(hero))
    _flashes(scene, ground, game, left, top)
    _whole(scene, ground, game, own)
    _figures(scene, game, hero)
    return scene


def _id(hero: int) -> int:
    return 1 + hero // 5 * 103 + hero % 5


def _of(game: dict[str, Any], number: int) -> dict[str, Any] | None:
    """The hero's own part of an entity, if it is one."""
    half, index = divmod(number - 1, 103)
    found: dict[str, Any] | None = game["heroes"][5 * half + index] if index < 5 else None
    return found


def _corner(place: float, size: int) -> float:
    """First cell that the camera shows; it stays on the ground."""
    return float(min(max(int(place) - SHOWN // 2, 0), size - SHOWN))


def _ground(ground: Terrain) -> npt.NDArray[np.uint8]:
    """(size, size, 3), walls and river."""
    kinds = np.where(ground.walls, 1, np.where(ground.river, 2, 0))
    return GROUND[kinds]


def _entity(
    scene: Scene, each: dict[str, Any], hero: dict[str, Any] | None, x: float, y: float, own: bool
) -> None:
    """A hero, creep, neutral or tower with its bars."""
    colour, kind = TEAMS[each["team"]], each["kind"]
    size = {HERO: 0.5, CREEP: 0.32, NEUTRAL: 0.36, TOWER: 0.62}[kind] * CELL
    if kind == TOWER:
        scene.add(Rectangle(x - size, y - size, 2 * size, 2 * size, colour))
        words = "core" if each["lane"] == CORE else str(each["lane"])
        scene.add(Text(x - 3.5 * len(words), y - 7, words, 14, (10, 12, 18)))
    else:
        scene.add(Circle(x, y, size, colour))
    if own:
        scene.add(Circle(x, y, size / 3, (250, 250, 250)))
    if hero is not None:
        name = CLASSES[hero["kind"]]
        scene.add(Text(x - 3 * len(name), y + size, name, 12, INK))
        _bar(scene, x, y - size - 5, hero["mana"] / max(hero["most_mana"], 1), MANA)
    share = each["health"] / max(each["most"], 1)
    _bar(scene, x, y - size - 9, share, (90, 220, 110) if share > 0.35 else (235, 190, 60))


def _bar(scene: Scene, x: float, y: float, share: float, colour: Colour) -> None:
    scene.add(Rectangle(x - 10, y, 20, 3, (20, 22, 28)))
    scene.add(Rectangle(x - 10, y, 20 * min(max(share, 0.0), 1.0), 3, colour))


def _flashes(scene: Scene, ground: Terrain, game: dict[str, Any], left: float, top: float) -> None:
    """A line from each hero that has used a skill or attacked to where it aimed."""
    for number, hero in enumerate(game["heroes"]):
        each = game["entities"][_id(number)]
        if hero["did"] < 0 or not each["alive"]:
            continue
        row, column = divmod(hero["aimed"], ground.size)
        x, y = (10 + (each[axis] / UNIT - by) * CELL for axis, by in (("x", left), ("y", top)))
        to_x, to_y = (10 + (place + 0.5 - by) * CELL for place, by in ((column, left), (row, top)))
        inside = all(10 < place < 10 + SIDE for place in (x, y, to_x, to_y))
        if inside:
            colour = SKILL_COLOURS[hero["did"]]
            scene.add(Line(x, y, to_x, to_y, 2, colour))
            if hero["did"] < 3:
                scene.add(Circle(to_x, to_y, CELL * 0.9, (*colour[:3], 70)))


def _whole(scene: Scene, ground: Terrain, game: dict[str, Any], own: dict[str, Any]) -> None:
    """The whole ground, with a frame around what the camera shows."""
    x0, unit = SIDE + 20, MAP / ground.size
    scene.add(Image(x0, 10, MAP, MAP, _ground(ground)))
    for each in game["entities"]:
        if not each["alive"]:
            continue
        x, y = x0 + each["x"] / UNIT * unit, 10 + each["y"] / UNIT * unit
        size = {HERO: 4.0, CREEP: 1.6, NEUTRAL: 1.4, TOWER: 3.5}[each["kind"]]
        item = Rectangle(x - size, y - size, 2 * size, 2 * size, TEAMS[each["team"]])
        scene.add(item if each["kind"] == TOWER else Circle(x, y, size, TEAMS[each["team"]]))
    left, top = (_corner(own[axis] / UNIT, ground.size) * unit for axis in ("x", "y"))
    left, top, wide = x0 + left, 10 + top, SHOWN * unit
    for line in (
        (left, top, left + wide, top), (left, top + wide, left + wide, top + wide),
        (left, top, left, top + wide), (left + wide, top, left + wide, top + wide),
    ):  # fmt: skip
        scene.add(Line(*line, 1, INK))


def _figures(scene: Scene, game: dict[str, Any], number: int) -> None:
    """The towers of both sides, and the level, bars and cool-downs of the hero."""
    x, y = SIDE + 20, MAP + 24
    state, hero, each = game["state"], game["heroes"][number], game["entities"][_id(number)]
    time = state["time"]
    for team, words in enumerate(("blue", "red")):
        heroes = game["heroes"][5 * team : 5 * team + 5]
        kills, standing = sum(each["kills"] for each in heroes), state["standing"][team]
        line = f"{words}: {standing} towers, {kills} kills"
        scene.add(Text(x, y + 20 * team, line, 16, TEAMS[team]))
    scene.add(Text(x + 220, y, f"tick {time}", 16, FAINT))
    y += 56
    name = CLASSES[hero["kind"]]
    scene.add(Text(x, y, f"{name}, level {hero['level']}", 22, TEAMS[number // 5]))
    for row, (words, value, most, colour) in enumerate(
        (
            ("health", each["health"], each["most"], (90, 220, 110)),
            ("mana", hero["mana"], hero["most_mana"], MANA),
        )
    ):
        at = y + 32 + 22 * row
        scene.add(Rectangle(x, at, MAP, 18, (26, 30, 38)))
        scene.add(Rectangle(x, at, MAP * min(max(value / max(most, 1), 0), 1), 18, colour))
        scene.add(Text(x + 6, at + 2, f"{words} {value} / {most}", 14, (10, 12, 18)))
    y += 86
    for row, skill in enumerate((*SKILLS[name], "attack")):
        left = (each["ready"] if row == 3 else hero["cooled"][row]) - time
        sign = "QWE "[row]
        used = hero["did"] == row
        colour = SKILL_COLOURS[row][:3] if used else INK if left <= 0 else FAINT
        words = f"{sign} {skill}" + (f"  {left}" if left > 0 else "")
        scene.add(Text(x, y + 22 * row, words, 18, colour))
    y += 100
    for row, (words, value) in enumerate(
        (
            ("stunned", max(each["stunned"] - time, 0)), ("slowed", max(each["slowed"] - time, 0)),
            *((name, hero[name]) for name in ("kills", "deaths", "towers", "xp")),
        )
    ):  # fmt: skip
        scene.add(Text(x, y + 18 * row, f"{words} {value}", 14, INK if value else FAINT))
