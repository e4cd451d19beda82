"""Names of environments: one literal table, entry points for third parties, `module:Class`.

Looking names up imports nothing: a game's module loads when it is used.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.metadata
import importlib.util
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skipjack.errors import UsageError, clause, must, unknown

GAMES = {
    "bandit": (
        "skipjack.games.bandit.env:Bandit",
        "find the best of ten arms, or of the legal ones",
    ),
    "breakout": ("skipjack.games.breakout.env:Breakout", "paddle, ball and 108 bricks"),
    "cartpole": ("skipjack.games.cartpole.env:CartPole", "balance a pole; Gymnasium's constants"),
    "connect_four": (
        "skipjack.games.connect_four.env:ConnectFour",
        "four in a line; self-play, or against players of a grade",
    ),
    "continuous": (
        "skipjack.games.continuous.env:Continuous",
        "push a point to a target and hold it",
    ),
    "grid": ("skipjack.games.grid.env:Grid", "mazes; worlds of agents that forage, hunt or flock"),
    "game_2048": ("skipjack.games.game_2048.env:Game2048", "slide and merge tiles up to 2048"),
    "memory": ("skipjack.games.memory.env:Memory", "recall a cue after a delay; needs memory"),
    "moba": (
        "skipjack.games.moba.env:Moba",
        "five heroes against five, with creeps, towers and levels",
    ),
    "multiagent": (
        "skipjack.games.multiagent.env:Multiagent",
        "two seats that must do the opposite",
    ),
    "password": ("skipjack.games.password.env:Password", "five bits, reward at the end only"),
    "pong": ("skipjack.games.pong.env:Pong", "first to 21 against a follower, or self-play"),
    "reset_leak": (
        "skipjack.games.reset_leak.env:ResetLeak",
        "memory must be cleared between episodes",
    ),
    "snake": ("skipjack.games.snake.env:Snake", "alone, or thousands of snakes in one world"),
    "rock_paper_scissors": (
        "skipjack.games.rock_paper_scissors.env:RockPaperScissors",
        "ten rounds; every player is beaten by another",
    ),
    "spaces": ("skipjack.games.spaces.env:Spaces", "observation and action of several parts"),
    "squared": ("skipjack.games.squared.env:Squared", "reach a target on a small grid"),
    "stochastic": ("skipjack.games.stochastic.env:Stochastic", "the best policy takes chances"),
    "tic_tac_toe": (
        "skipjack.games.tic_tac_toe.env:TicTacToe",
        "three in a line; self-play, or up to a perfect player",
    ),
    "truncation": (
        "skipjack.games.truncation.env:Truncation",
        "only right with bootstrapped time limits",
    ),
}
"""First-party games: name -> (engine class, what it is)."""

BARE = {"grid": "maze", "snake": "classic"}
"""Games whose presets all have names of their own: the one that the bare name means."""

ENTRY_POINTS = "skipjack.environments"
"""Entry-point group in which other packages register `name = module:Class`."""

ADAPTERS = {
    "atari": "skipjack.atari.maker:Maker",
    "gymnasium": "skipjack.emulate.maker:from_gymnasium",
    "pettingzoo": "skipjack.emulate.maker:from_pettingzoo",
}
"""Prefixes of other people's environments: prefix -> function that makes a maker of a name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A resolved name: its game, its preset and where its engine class is."""

    game: str
    variant: str
    target: str

    @property
    def full_name(self) -> str:
        """The name as users write it; the default preset goes without a variant."""
        bare = self.variant == default_of(self.game)
        return self.game if bare else f"{self.game}/{self.variant}"


def resolve(name: str) -> Entry:
    """The entry of a name: `game`, `game/variant`, `./folder`, `gymnasium:ID`, `module:attribute`, ...

    Raises:
        UsageError: there is no such name; the message names near ones.
    """
    prefix, colon, rest = name.partition(":")
    if prefix == "atari" and rest:
        return _atari(rest)
    if colon:
        if not prefix or not rest:
            raise must("an own environment must be named module:attribute", environment=name)
        return Entry(name, "default", name)
    if is_folder(name):
        game, variant = _reference("skipjack.games.own:resolve")(name)
        if variant != "default" and variant not in presets(game):
            known = [f"{game}/{each}" for each in presets(game) if each != "default"]
            raise unknown("environment", name, [game, *known])
        return Entry(game, variant, game)
    game, slash, variant = name.partition("/")
    targets = {known: target for known, (target, _) in GAMES.items()} | _third_parties()
    if game not in targets:
        if re.search(r"-v\d+$", name):
            raise UsageError(
                f"There is no environment {name!r} of Skipjack's own. Gymnasium's are named with "
                f"their library in front: gymnasium:{name}."
            )
        raise unknown("environment", name, names(), see="skipjack list")
    entry = Entry(game, variant or default_of(game), targets[game])
    if slash and variant not in presets(game):
        raise unknown("environment", name, names(), see="skipjack list")
    return entry


def _atari(rest: str) -> Entry:
    """The entry of an Atari game, spelled as ale-py does; its presets are for all of them."""
    name, slash, variant = rest.partition("/")
    game = f"atari:{_reference('skipjack.atari.names:resolve')(name)}"
    variant = {"": "default", "fast": "default"}.get(variant, variant)
    if slash and variant not in presets(game):
        known = [f"{game}/{each}".replace("default", "fast") for each in presets(game)]
        raise unknown("environment", f"atari:{rest}", known, see="skipjack list atari")
    return Entry(game, variant, game)


def load(target: str) -> Any:
    """What makes engines: called with a number of envs and a config, which its `Config` declares.

    That is the engine class itself, or a maker of engines around a Python environment.

    Raises:
        UsageError: it cannot be imported, or makes no environments.
    """
    prefix = target.partition(":")[0]
    if prefix in ADAPTERS:
        return _reference(ADAPTERS[prefix])(target)
    if is_folder(target):
        return _reference("skipjack.games.own:load")(target)
    hint = "Build the games with: pip install -e ." if target.startswith("skipjack.") else ""
    found = attribute(target, "environment", hint)
    if dataclasses.is_dataclass(getattr(found, "Config", None)):
        return found
    return maker(found, target)


def maker(make: Any, name: str = "") -> Any:
    """A maker of engines around a function or class that makes Python environments.

    Raises:
        UsageError: it cannot be called.
    """
    return _reference("skipjack.emulate.maker:from_callable")(make, name)


def attribute(target: str, what: str, hint: str = "") -> Any:
    """What `module:Name` names; the present folder is looked into as any other on the path.

    Args:
        target: the name.
        what: what it stands for, in a word.
        hint: what to do if it is not there, as a sentence.

    Raises:
        UsageError: it is not of that form, is not there, or its module fails.
    """
    module_name, _, name = target.partition(":")
    if not module_name or not name or module_name.startswith("."):
        raise must(f"an own {what} must be named module:Class", **{what: target})
    try:
        return getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError) as error:
        hint = hint or "Run from the folder that holds it, or install its package."
        raise UsageError(
            f"The {what} {target!r} must be importable, but {clause(error)}. {hint}"
        ) from error
    except Exception as error:  # whatever a user's module does when it is read
        raise UsageError(
            f"The {what} {target!r} must be importable, but its module raised "
            f"{type(error).__name__}: {clause(error)}. {hint}".rstrip()
        ) from error


def presets(game: str) -> list[str]:
    """Variants of a game, the one that its bare name means first."""
    folder = _preset_folder(game)
    found = sorted(path.stem for path in folder.glob("*.toml")) if folder else []
    return sorted(found, key=lambda name: name != default_of(game))


def default_of(game: str) -> str:
    """The variant that a game's bare name means."""
    return BARE.get(game, "default")


def preset(name: str) -> dict[str, Any]:
    """The preset of a name as nested dictionaries; empty if it has none."""
    entry = resolve(name)
    folder = _preset_folder(entry.game)
    if folder is None:
        return {}
    found = _read(folder / f"{entry.variant}.toml")
    if entry.game.startswith("atari:") and entry.variant == "default":
        own = _read(folder / "games" / f"{entry.game.partition(':')[2]}.toml")
        found = {
            section: found.get(section, {}) | own.get(section, {}) for section in {**found, **own}
        }
    return found


def game_of(name: str) -> str:
    """The game of a name as `resolve` takes it, whether or not it is there: without its variant."""
    if is_folder(name):
        try:
            return resolve(name).game
        except UsageError:
            return name
    return name if ":" in name and not name.startswith("atari:") else name.partition("/")[0]


def is_folder(name: str) -> bool:
    """Whether a name means a game in a folder of the user's own."""
    return name.startswith((".", "/"))


def stem(name: str) -> str:
    """A full name as part of a file's name; a folder goes without the way to it."""
    if is_folder(name):
        game = game_of(name)
        name = Path(os.path.abspath(game)).name + name.removeprefix(game)
    return name.replace("/", "-").replace(":", "-")


def baseline_file(name: str) -> Path | None:
    """Where the trained weights of a name are, or would be; None for an env without presets.

    Raises:
        UsageError: there is no such name.
    """
    entry = resolve(name)
    folder = _preset_folder(entry.game)
    if folder is None:
        return None
    own = f"{entry.game.partition(':')[2]}-" if entry.game.startswith("atari:") else ""
    return folder.with_name("baselines") / f"{own}{entry.variant}.safetensors"


def panels(game: str) -> dict[str, dict[str, float]]:
    """By full name of a variant, the players whose ratings under its rules are known.

    Ratings are in Elo above the random player, who is one of them. Variants that only differ in what is
    learned and against whom share one panel.
    """
    folder = _preset_folder(game)
    found = sorted(folder.with_name("panels").glob("*.toml")) if folder else []
    return {Entry(game, path.stem, "").full_name: _read(path) for path in found}


def names() -> list[str]:
    """Every name: games with their variants, in order."""
    found = []
    for game in sorted([*GAMES, *_third_parties()]):
        found.append(game)
        bare = default_of(game)
        found += [f"{game}/{variant}" for variant in presets(game) if variant != bare]
    return found


def summary(game: str) -> str:
    """What a game is, in a few words; empty for other packages' games."""
    return GAMES[game][1] if game in GAMES else ""


def _reference(target: str) -> Any:
    """What stands at `module:name` in a room above this one, which knows names alone."""
    module_name, _, name = target.partition(":")
    return getattr(importlib.import_module(module_name), name)


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _third_parties() -> dict[str, str]:
    found = importlib.metadata.entry_points(group=ENTRY_POINTS)
    return {point.name: point.value for point in found if point.name not in GAMES}


def _preset_folder(game: str) -> Path | None:
    """The folder of a game's presets, found without importing the game's own module."""
    if game.startswith("atari:"):
        return Path(__file__).parent / "atari" / "presets"
    if is_folder(game):
        return Path(game) / "presets"
    if game.partition(":")[0] in ADAPTERS:
        return None
    if game in GAMES:
        return Path(__file__).parent / "games" / game / "presets"
    target = _third_parties().get(game, game)
    module_name = target.partition(":")[0]
    try:
        spec = importlib.util.find_spec(module_name)
    except Exception:  # finding a module reads the packages that it is in, whatever they do
        return None
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "presets"
