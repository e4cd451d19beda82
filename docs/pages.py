"""Writes docs/games.md, docs/games/*.md with their pictures, and the games' table in the README.

    python docs/pages.py [--pictures] [--runs runs/suite]

What is written comes from the code (rules, settings, spaces) and from files of figures: benchmarks/steps.json
(`skipjack bench steps --all --out benchmarks/steps.json`), players.json (`python benchmarks/players.py`) and
suite.json (`skipjack bench suite`). Pictures are drawn anew with `--pictures`, learning curves where the runs
of a suite are given.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

from skipjack import config, registry
from skipjack.bench import curves, suite, table
from skipjack.native.raster import render
from skipjack.native.scene import Scene
from skipjack.report import store
from skipjack.vector import make

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "benchmarks"
PAGES = ROOT / "docs" / "games"
BEGIN, END = "<!-- games: written by docs/pages.py -->", "<!-- /games -->"

PICTURED = {
    "grid": ["grid/maze", "grid/forage", "grid/predator_prey", "grid/group"],
    "snake": ["snake", "snake/small", "snake/720p"],
}
"""Presets whose pictures stand side by side, where it is not the bare name's alone."""

STEPS = {
    "breakout": 200,
    "connect_four": 21,
    "game_2048": 120,
    "memory": 2,
    "password": 3,
    "rock_paper_scissors": 7,
    "snake": 110,
    "tic_tac_toe": 5,
}
"""Steps into an episode at which a picture is taken, where it is not 20."""

HEIGHT = 320


def figures(name: str) -> dict[str, Any]:
    """A file of figures; empty if it is not there yet."""
    path = FIGURES / name
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


class Facts:
    """Everything that was measured: speeds by preset, players' scores, summaries of the suite."""

    def __init__(self) -> None:
        steps, self.players = figures("steps.json"), figures("players.json")
        self.speeds = steps.get("games", {})
        where = steps.get("machine", {})
        self.machine = f"{where['cores']} cores of {where['cpu']}" if where else ""
        results = figures("suite.json").get("results", {}).values()
        self.trained = {summary.env: summary for summary in table.summarise(results)}

    def speed(self, name: str, index: int = 0) -> str:
        """Millions of steps a second on one thread, or on all."""
        speeds = self.speeds.get(name, {}).get("speeds", [])
        return f"{speeds[index]['steps_per_second'] / 1e6:.1f} M" if index < len(speeds) else "-"

    def score(self, name: str, player: str) -> str:
        """What a player scores."""
        found = self.players.get(name, {}).get(player)
        return f"{found['score']:.3f}" if found else "-"

    def preset_score(self, name: str) -> str:
        """What the preset reaches."""
        found = self.trained.get(name)
        return f"{found.score.median:.3f}" if found and found.score else "-"


def variants(game: str) -> list[str]:
    """Full names of a game's presets."""
    return [registry.resolve(f"{game}/{each}").full_name for each in registry.presets(game)]


def engine_of(name: str, num_envs: int = 1) -> Any:
    """An engine with a preset's settings."""
    engine_class = registry.load(registry.resolve(name).target)
    return engine_class(num_envs, engine_class.Config(**registry.preset(name).get("env", {})))


def grid(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [titles, tuple("---" for _ in titles), *rows]
    return "\n".join(
        "| " + " | ".join(each.replace("|", "\\|") for each in line) + " |" for line in lines
    )


def rules(engine: Any) -> str:
    """The rules in prose, as they stand on top of the source; drawings and tables keep their lines."""
    module = next(
        sys.modules[base.__module__]
        for base in type(engine).__mro__
        if not base.__module__.endswith(".env") and base.__module__.startswith("skipjack.games.")
    )
    lines: list[str] = []
    for line in (module.__doc__ or "").strip().splitlines():
        drawn, before = line.startswith("    "), lines[-1] if lines else ""
        if line and before and drawn != before.startswith("    "):
            lines.append("")
        lines.append(line)
    return "\n".join(lines)


def number(value: float) -> str:
    """A bound."""
    return f"{value:g}" if np.isfinite(value) else "any"


def observation(engine: Any) -> str:
    """What a seat sees: a row of numbers, part by part."""
    layout, rows = engine.observation, []
    for part in layout.fields:
        shape = " x ".join(map(str, part.shape)) or "1"
        bounds = f"{number(part.low)} .. {number(part.high)}"
        kinds = f"{part.kinds} categories" if part.kinds else ""
        rows.append((part.name or "(all)", shape, str(layout.dtype_of(part)), bounds, kinds))
    return grid(("part", "shape", "type", "values", "kinds"), rows)


def actions(engine: Any) -> str:
    """What a seat may do."""
    space, rows = engine.action, []
    labels = space.labels if space.width > 1 else ("action",)
    for index, count in enumerate(space.counts):
        spoken = [f"{i} {name}" for i, name in enumerate(space.names) if not name.isdecimal()]
        words = "" if index else ", ".join(spoken)
        masked = "; illegal ones are masked" if space.masked else ""
        rows.append((labels[index], f"one of {count}{masked}", words))
    for index, (low, high) in enumerate(zip(space.low, space.high, strict=True)):
        rows.append((labels[len(space.counts) + index], f"a real number, {low:g} .. {high:g}", ""))
    return grid(("component", "values", "in words"), rows)


def settings(engine: Any) -> str:
    """Every setting of the game."""
    rows = []
    for setting in config.settings(type(engine).Config).values():
        flag = f"`--env.{setting.name.replace('_', '-')}`"
        rows.append((flag, f"`{setting.default}`", setting.bounds(), setting.doc))
    return grid(("setting", "default", "allowed", "what it is"), rows)


def presets(game: str) -> str:
    """Every preset: what differs, and what its file says on top."""
    rows = []
    for variant, name in zip(registry.presets(game), variants(game), strict=True):
        target = registry.resolve(name).target.split(":")[0].rsplit(".", 1)[0]
        path = ROOT / target.replace(".", "/") / "presets" / f"{variant}.toml"
        words = " ".join(re.findall(r"^# (.*)$", path.read_text().split("\n[")[0], re.M))
        changed = registry.preset(name).get("env", {})
        shown = ", ".join(f"{key} {value}" for key, value in changed.items())
        rows.append((f"`{name}`", shown or "-", words))
    return grid(("preset", "settings", ""), rows)


def speeds(names: list[str], facts: Facts) -> str:
    """Speeds, sizes and reset costs of a game's presets."""
    rows = []
    for name in names:
        row = facts.speeds.get(name)
        if row:
            sizes = f"{row['observation_bytes']:,} B", f"{row['env_bytes']:,} B"
            reset = f"{row['reset_seconds'] * 1e6:,.2f} us"
            rows.append((f"`{name}`", facts.speed(name), facts.speed(name, 1), *sizes, reset))
    titles = ("preset", "steps/s, one core", "all cores", "observation", "an env", "reset of one")
    if not rows:
        return ""
    return f"## Speed\n\nRandom play on {facts.machine}.\n\n{grid(titles, rows)}\n\n"


def scores(game: str, names: list[str], facts: Facts) -> str:
    """Scores of players and presets, and the learning curve if there is one."""
    rows = []
    for name in names:
        found = facts.trained.get(name)
        reached = "-"
        if found and found.seconds_to:
            reached = f"{found.target:g} in {found.seconds_to.median:.0f} s"
        players = facts.score(name, "random"), facts.score(name, "scripted")
        rows.append((f"`{name}`", *players, facts.preset_score(name), reached))
    titles = ("preset", "random player", "scripted player", "trained preset", "in training")
    text = f"## Scores\n\n{grid(titles, rows)}\n"
    if (PAGES / f"{game}_curve.svg").exists():
        text += f"\n![Learning curves of {game}]({game}_curve.svg)\n"
    return text


def opening(game: str) -> str:
    """What a game is, as a sentence begins."""
    words = registry.summary(game)
    return words[:1].upper() + words[1:]


def page(game: str, facts: Facts) -> str:
    """A game's page."""
    names = variants(game)
    engines: dict[str, tuple[Any, list[str]]] = {}
    for name in names:  # presets of the same spaces share their tables
        engine = engine_of(name)
        both = f"{observation(engine)}\n\n{actions(engine)}"
        engines.setdefault(both + repr(engine.statistics), (engine, []))[1].append(name)
    parts = [f"# {game}\n\n{opening(game)}.\n\n![{game}]({game}.png)\n"]
    for text in dict.fromkeys(rules(engine) for engine, _ in engines.values()):
        parts.append(f"## Rules\n\n{text}\n")
    for engine, shared in engines.values():
        of = f": {', '.join(shared)}" if len(engines) > 1 else ""
        parts.append(f"## Observation{of}\n\n{observation(engine)}\n")
        parts.append(f"## Actions{of}\n\n{actions(engine)}\n")
        words = ", ".join(engine.statistics) or "none of its own"
        parts.append(f"Statistics of an episode: {words}.\n")
    first = next(iter(engines.values()))[0]
    parts.append(f"## Settings\n\n{settings(first)}\n\n{presets(game)}\n")
    parts.append(speeds(names, facts) + scores(game, names, facts))
    return "\n".join(parts)


def row(game: str, facts: Facts, folder: str) -> tuple[str, ...]:
    """A game's line in the tables of the README and of docs/games.md."""
    names = variants(game)
    seats = sorted({engine_of(name).seats for name in names})
    counts = f"{seats[0]}" if len(seats) == 1 else f"{seats[0]} .. {seats[-1]}"
    others = ", ".join(name.partition("/")[2] for name in names if "/" in name)
    return f"[{game}]({folder}{game}.md)", registry.summary(game), others, counts, facts.speed(game)


def index(facts: Facts) -> str:
    """The scores of every preset, and where the games' pages are."""
    titles = ("game", "what it is", "presets beside its own", "seats", "steps/s, one core")
    games = [row(game, facts, "games/") for game in registry.GAMES]
    shown = []
    for game in registry.GAMES:
        for name in variants(game):
            players = facts.score(name, "random"), facts.score(name, "scripted")
            shown.append((f"`{name}`", *players, facts.preset_score(name)))
    players = ("preset", "random player", "scripted player", "trained preset")
    return (
        "# The games\n\n"
        "Written by `python docs/pages.py` from the code and the figures in `benchmarks/`.\n\n"
        f"{grid(titles, games)}\n\n## Scores\n\nMeans over whole episodes, against the opponent that the "
        f"preset is evaluated with.\n\n{grid(players, shown)}\n"
    )


def texts() -> dict[Path, str]:
    """Every page and the README, as they should be."""
    facts, readme = Facts(), (ROOT / "README.md").read_text(encoding="utf-8")
    found = {PAGES / f"{game}.md": page(game, facts) for game in registry.GAMES}
    found[ROOT / "docs" / "games.md"] = index(facts)
    titles = ("game", "what it is", "presets beside its own", "seats", "steps/s, one core")
    inner = grid(titles, [row(game, facts, "docs/games/") for game in registry.GAMES])
    before, _, rest = readme.partition(BEGIN)
    after = rest.partition(END)[2]
    found[ROOT / "README.md"] = f"{before}{BEGIN}\n{inner}\n{END}{after}"
    return found


def picture(name: str) -> Scene:
    """A scene some steps into an episode, played by the scripted player if there is one."""
    game = registry.resolve(name).game
    vector = make(name, 1, threads=1, config={"desynchronise": False})
    generator, batch = np.random.default_rng(3), vector.reset(3)
    for _ in range(STEPS.get(game, 20)):
        if hasattr(vector.engine, "scripted") and game not in ("connect_four", "tic_tac_toe"):
            chosen = vector.engine.scripted(batch.observations)
        else:
            chosen = vector.action.draw(generator, vector.num_rows, batch.action_mask)
        batch = vector.step(chosen)
    return vector.engine.scene(0)


def draw(game: str) -> None:
    """A game's picture: of one preset, or of several side by side."""
    from PIL import Image

    shots = [render(picture(name), height=HEIGHT) for name in PICTURED.get(game, [game])]
    gap = np.full((HEIGHT, 8, 3), 255, np.uint8)
    wide = np.concatenate([each for shot in shots for each in (shot, gap)][:-1], axis=1)
    small = Image.fromarray(wide).quantize(64, dither=Image.Dither.NONE)
    small.save(PAGES / f"{game}.png", optimize=True)


def draw_curves(runs: Path) -> None:
    """Each game's learning curves from the runs of a suite."""
    found: dict[str, list[list[dict[str, Any]]]] = {}
    results = suite.load(runs.with_suffix(".json"))["results"].values()
    for result in results:
        if "error" not in result:
            metrics = store.read(runs / "runs" / result["run"])
            found.setdefault(result["env"], []).append(metrics)
    for game in registry.GAMES:
        drawn = [each for each in table.summarise(results) if registry.game_of(each.env) == game]
        drawn = [each for each in drawn if each.target is not None and each.env in found]
        if drawn:
            curves.draw(PAGES / f"{game}_curve.svg", drawn, found, "steps")


def main() -> None:
    """Write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", action="store_true")
    parser.add_argument("--runs", type=Path)
    given = parser.parse_args()
    PAGES.mkdir(exist_ok=True)
    if given.pictures:
        for game in registry.GAMES:
            draw(game)
    if given.runs:
        draw_curves(given.runs)
    for path, text in texts().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
