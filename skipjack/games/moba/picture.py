"""The MOBA as a picture: the ground around a hero, all of it in small, and the hero's own figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.games.moba.heroes import CLASSES, SKILLS
from skipjack.games.moba.terrain import Terrain
from skipjack.native.camera import Camera
from skipjack.native.scene import Circle, Colour, Image, Line, Rectangle, Scene, Text

Reaches = Mapping[str, Sequence[int]]

SHOWN = 37
"""Cells a side that the camera shows around a hero where nobody zooms."""
SIDE = 740.0
"""Units a side of the ground around a hero."""
MAP = 300.0
"""Units a side of the whole ground."""
EDGE = 10.0
"""Units around each of them."""
SMALL, TINY = 9.0, 12.0
"""Units of a cell that units are drawn with at least, and below which they have no names."""
UNIT = 256

BACKGROUND: Colour = (12, 16, 24)
TEAMS: tuple[Colour, ...] = ((80, 140, 255), (240, 90, 80), (200, 190, 90))
INK: Colour = (225, 228, 235)
FAINT: Colour = (120, 126, 140)
MANA: Colour = (90, 120, 255)
HEALTH_BAR: Colour = (40, 130, 66)
MANA_BAR: Colour = (52, 74, 180)
STUN: Colour = (250, 220, 90)
SLOW: Colour = (120, 200, 255)
GROUND = np.array([(34, 46, 40), (66, 70, 82), (36, 60, 84)], np.uint8)
"""Colours of free cells, walls and the river."""
SKILL_COLOURS: tuple[Colour, ...] = (
    (120, 240, 240, 200), (180, 255, 120, 200), (255, 160, 240, 200), (250, 240, 170, 160),
)  # fmt: skip
"""Of Q, W, E and the basic attack."""
AROUND = ("heal", "sweep", "grind", "charge")
"""Skills whose area is around the hero, not around the target."""
HERO, CREEP, NEUTRAL, TOWER = 1, 2, 4, 8
CORE = 5


class View:
    """Where the cells of a ground lie in its picture.

    Args:
        ground: where the game is played.
        camera: how much is shown.
        y, x: cells of what it follows.

    Attributes:
        top, left: the first cells that are shown.
        shown: cells a side.
        unit: units of a cell.
    """

    def __init__(self, ground: Terrain, camera: Camera, y: float, x: float) -> None:
        self.size = ground.size
        self.top, self.shown = camera.span(int(y), SHOWN, 0, ground.size)
        self.left, _ = camera.span(int(x), SHOWN, 0, ground.size)
        self.unit = SIDE / self.shown

    def spot(self, y: float, x: float) -> tuple[float, float]:
        """Units (x, y) of a place in cells."""
        return EDGE + (x - self.left) * self.unit, EDGE + (y - self.top) * self.unit

    def shows(self, y: float, x: float, margin: float = 1.0) -> bool:
        """Whether a place is in the part that is shown, or so many cells beside it."""
        return all(
            -margin < place - first < self.shown + margin
            for place, first in ((y, self.top), (x, self.left))
        )

    def place(self, x: float, y: float) -> tuple[float, float] | None:
        """The cells (y, x) at a point, of the part or of the whole ground in small; None elsewhere."""
        x, y, whole = x - EDGE, y - EDGE, x - SIDE - 2 * EDGE
        if 0 <= x < SIDE and 0 <= y < SIDE:
            return self.top + y / self.unit, self.left + x / self.unit
        if 0 <= whole < MAP and 0 <= y < MAP:
            return y / MAP * self.size, whole / MAP * self.size
        return None


def picture(
    ground: Terrain, game: dict[str, Any], hero: int, camera: Camera, reaches: Reaches
) -> Scene:
    """What a game looks like.

    Args:
        ground: where it is played.
        game: its snapshot.
        hero: the hero that the camera follows, 5 * team + seat.
        camera: how much of the ground is shown around it.
        reaches: cells each way of each class's Q, W and E, 0 for those that have no area.
    """
    view = view_of(ground, game, hero, camera)
    scene = Scene(SIDE + MAP + 3 * EDGE, SIDE + 2 * EDGE, BACKGROUND)
    rows, columns = (slice(first, first + view.shown) for first in (view.top, view.left))
    scene.add(Image(EDGE, EDGE, SIDE, SIDE, _ground(ground)[rows, columns]))
    for number, each in enumerate(game["entities"]):
        if each["alive"] and view.shows(each["y"] / UNIT, each["x"] / UNIT):
            _entity(
                scene, view, each, _of(game, number), number == id_of(hero), game["state"]["time"]
            )
    _flashes(scene, view, game, reaches)
    for x, y, width, height in (  # what stands out of the part that is shown is covered
        (0, 0, scene.width, EDGE), (0, EDGE + SIDE, scene.width, EDGE),
        (0, 0, EDGE, scene.height), (EDGE + SIDE, 0, MAP + 2 * EDGE, scene.height),
    ):  # fmt: skip
        scene.add(Rectangle(x, y, width, height, BACKGROUND))
    _whole(scene, ground, game, view)
    _figures(scene, game, hero)
    return scene


def view_of(ground: Terrain, game: dict[str, Any], hero: int, camera: Camera) -> View:
    """What a camera shows that follows a hero."""
    own = game["entities"][id_of(hero)]
    return View(ground, camera, own["y"] / UNIT, own["x"] / UNIT)


def id_of(hero: int) -> int:
    """Number of a hero's unit among `entities`."""
    return 1 + hero // 5 * 103 + hero % 5


def _of(game: dict[str, Any], number: int) -> dict[str, Any] | None:
    """The hero's own part of an entity, if it is one."""
    half, index = divmod(number - 1, 103)
    found: dict[str, Any] | None = game["heroes"][5 * half + index] if index < 5 else None
    return found


def _ground(ground: Terrain) -> npt.NDArray[np.uint8]:
    """(size, size, 3), walls and river."""
    kinds = np.where(ground.walls, 1, np.where(ground.river, 2, 0))
    return GROUND[kinds]


def _entity(
    scene: Scene,
    view: View,
    each: dict[str, Any],
    hero: dict[str, Any] | None,
    own: bool,
    time: int,
) -> None:
    """A hero, creep, neutral or tower with its bars."""
    (x, y), unit = view.spot(each["y"] / UNIT, each["x"] / UNIT), max(view.unit, SMALL)
    colour, kind = TEAMS[each["team"]], each["kind"]
    size = {HERO: 0.5, CREEP: 0.32, NEUTRAL: 0.36, TOWER: 0.62}[kind] * unit
    near = view.unit >= TINY
    for until, ring in ((each["slowed"], SLOW), (each["stunned"], STUN)):
        if kind != TOWER and until > time:
            scene.add(Circle(x, y, size + 3, ring))
    if kind == TOWER:
        scene.add(Rectangle(x - size, y - size, 2 * size, 2 * size, colour))
        words = "core" if each["lane"] == CORE else str(each["lane"])
        if near:
            scene.add(Text(x - 3.5 * len(words), y - 7, words, 14, (10, 12, 18)))
    else:
        scene.add(Circle(x, y, size, colour))
    if own:
        scene.add(Circle(x, y, size / 3, (250, 250, 250)))
    if hero is not None:
        words = (
            f"{CLASSES[hero['kind']]} {hero['level']}" if near else CLASSES[hero["kind"]][0].upper()
        )
        scene.add(Text(x - 3 * len(words), y + size, words, 12, INK))
        _bar(scene, x, y - size - 5, hero["mana"] / max(hero["most_mana"], 1), MANA)
    if near or kind in (HERO, TOWER):
        share = each["health"] / max(each["most"], 1)
        _bar(scene, x, y - size - 9, share, (90, 220, 110) if share > 0.35 else (235, 190, 60))


def _bar(scene: Scene, x: float, y: float, share: float, colour: Colour) -> None:
    scene.add(Rectangle(x - 10, y, 20, 3, (20, 22, 28)))
    scene.add(Rectangle(x - 10, y, 20 * min(max(share, 0.0), 1.0), 3, colour))


def _flashes(scene: Scene, view: View, game: dict[str, Any], reaches: Reaches) -> None:
    """A line from each hero that has used a skill or attacked to where it aimed, and the skill's area."""
    for number, hero in enumerate(game["heroes"]):
        each, did = game["entities"][id_of(number)], hero["did"]
        if did < 0 or not each["alive"] or hero["fell"]:  # who fell is at home already
            continue
        own, name = (each["y"] / UNIT, each["x"] / UNIT), CLASSES[hero["kind"]]
        row, column = divmod(hero["aimed"], view.size)
        aimed, colour = (row + 0.5, column + 0.5), SKILL_COLOURS[did]
        if not (view.shows(*own) or view.shows(*aimed)):
            continue
        (x, y), (to_x, to_y) = view.spot(*own), view.spot(*aimed)
        scene.add(Line(x, y, to_x, to_y, 3 if did < 3 else 1.5, colour))
        reach = reaches[name][did] if did < 3 else 0
        if reach:
            half = (reach + 0.5) * view.unit
            x, y = (x, y) if SKILLS[name][did] in AROUND else (to_x, to_y)
            scene.add(Rectangle(x - half, y - half, 2 * half, 2 * half, (*colour[:3], 60)))
        elif did < 3:
            scene.add(Circle(to_x, to_y, max(view.unit, SMALL) * 0.9, (*colour[:3], 90)))
        if did < 3:
            scene.add(Text(x + 8, y - 8, SKILLS[name][did], 14, colour[:3]))


def _whole(scene: Scene, ground: Terrain, game: dict[str, Any], view: View) -> None:
    """The whole ground in small, with a frame around what the camera shows."""
    x0, unit = SIDE + 2 * EDGE, MAP / ground.size
    scene.add(Image(x0, EDGE, MAP, MAP, _ground(ground)))
    for each in game["entities"]:
        if not each["alive"]:
            continue
        x, y = x0 + each["x"] / UNIT * unit, EDGE + each["y"] / UNIT * unit
        size = {HERO: 4.0, CREEP: 1.6, NEUTRAL: 1.4, TOWER: 3.5}[each["kind"]]
        item = Rectangle(x - size, y - size, 2 * size, 2 * size, TEAMS[each["team"]])
        scene.add(item if each["kind"] == TOWER else Circle(x, y, size, TEAMS[each["team"]]))
    left, top, wide = x0 + view.left * unit, EDGE + view.top * unit, view.shown * unit
    for line in (
        (left, top, left + wide, top), (left, top + wide, left + wide, top + wide),
        (left, top, left, top + wide), (left + wide, top, left + wide, top + wide),
    ):  # fmt: skip
        scene.add(Line(*line, 1, INK))


def _figures(scene: Scene, game: dict[str, Any], number: int) -> None:
    """The towers of both sides, and the level, bars and cool-downs of the hero."""
    x, y = SIDE + 2 * EDGE, MAP + 24
    state, hero, each = game["state"], game["heroes"][number], game["entities"][id_of(number)]
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
            ("health", each["health"], each["most"], HEALTH_BAR),
            ("mana", hero["mana"], hero["most_mana"], MANA_BAR),
        )
    ):
        at = y + 32 + 22 * row
        scene.add(Rectangle(x, at, MAP, 18, (26, 30, 38)))
        scene.add(Rectangle(x, at, MAP * min(max(value / max(most, 1), 0), 1), 18, colour))
        scene.add(Text(x + 6, at + 2, f"{words} {value} / {most}", 14, INK))
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
