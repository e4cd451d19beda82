"""Where runs and the arena meet: checkpoints as players, and tables for their games."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from skipjack import checkpoint, folders, registry
from skipjack import config as settings
from skipjack.arena.match import play_block
from skipjack.arena.players import (
    RANDOM,
    SCRIPT,
    Player,
    careless,
    random_player,
    scripted_player,
)
from skipjack.arena.rating import ELO
from skipjack.arena.seating import face_to_face
from skipjack.config import Setting, Within
from skipjack.errors import RunError, SkipjackError, UsageError, must
from skipjack.rows import Actor
from skipjack.run.config import Configured, configure
from skipjack.run.envs import make_vector
from skipjack.vector import Vector

__all__ = ["Contest", "Host", "play_block", "players_in"]

FOLDER = "arena"
"""In the folder of a run, or of several: results, ratings and plots."""

FILE = "results.sqlite"
"""The table of results in it."""

SHARE = Setting("a share of random actions", float, 0.5, "", None, Within(0.0, 1.0))
"""What stands behind the ~ of a player's name."""

LOADED = 16
"""Policies that stay loaded."""


def as_contest(configured: Configured) -> Configured:
    """The same settings with both sides as seats, and every first episode whole.

    Raises:
        UsageError: the game has no two teams of equal size.
    """
    known = settings.settings(type(configured.config.env))
    changes: dict[str, Any] = {}
    if "opponent" in known and "self" in known["opponent"].options:
        changes["env.opponent"] = "self"
    if "desynchronise" in known:
        changes["env.desynchronise"] = False
    if "eval.opponent" in settings.flatten(configured.config):
        changes["eval.opponent"] = ""
    config = settings.replace(configured.config, changes)
    return Configured(config, configured.provenance, configured.entry)


class Host:
    """Who brings players to a game by their names: to be rated, watched, or played against.

    Args:
        configured: settings of the game.
        vector: its envs, however many.
        rules: those that a checkpoint must have been trained by; empty for any of the same game.
    """

    def __init__(self, configured: Configured, vector: Vector, rules: str = "") -> None:
        self.configured, self.vector, self.rules = configured, vector, rules

    def named(self, name: str) -> Player:
        """The player that a user names: random, script, script:GRADE, or whatever is a checkpoint.

        With ~0.5 behind it, a copy that takes half of its actions at random.

        Raises:
            UsageError: there is none of that name.
            RunError: it is damaged, or plays by other rules.
        """
        model, tilde, share = name.partition("~")
        if tilde and model:
            wanted = settings.checked(SHARE, share)
            return careless(self.named(model), wanted, self.vector.action)
        if name == RANDOM:
            return random_player(self.vector.action)
        if name.partition(":")[0] == SCRIPT:
            engine_class = registry.load(self.configured.entry.target)
            return scripted_player(name, engine_class, self.configured.config.env)
        return self.trained(folders.find(name).path)

    def trained(self, path: Path) -> Player:
        """A checkpoint, or a file of weights, as a player.

        Raises:
            UsageError: it is of another game, where any rules will do.
            RunError: it is damaged, or plays by other rules.
        """
        found = checkpoint.load(path)
        theirs, game = configured_of(found), self.configured.entry.game
        if not self.rules and theirs.entry.game != game:
            raise must("a player must be a policy of the same game", env=game, got=str(path))
        if self.rules and rules_of(as_contest(theirs)) != self.rules:
            raise RunError(
                f"{str(path)!r} must play {self.configured.entry.full_name!r} by the same rules, but is of "
                f"{theirs.entry.full_name!r} or has other settings of the env."
            )
        digest, steps = _digest(found), found.steps
        action, observation = self.vector.action, self.vector.observation

        def make(rows: int, seed: int) -> Actor:
            from skipjack.policies.actor import PolicyActor

            policy = _loaded(path, digest)
            for own, wanted in ((policy.observation, observation), (policy.action, action)):
                if own != wanted:
                    raise RunError(
                        f"{str(path)!r} must see and do what a seat does, but is of another game, or of "
                        f"one with other settings."
                    )
            return PolicyActor(policy, rows, seed)

        run = folders.run_of(path)
        name = "" if run == path else run.name
        return Player(player_name(found), make, steps=steps, run=name)


class Contest(Host):
    """A game as it is played between two policies.

    Args:
        configured: of a run; whoever else plays must know the same rules.
        envs: games at once.

    Attributes:
        rules: what tells this game and its settings from others: results under other rules never mix.
        vector: the envs, rows laid out by player.

    Raises:
        UsageError: the game has no two teams of equal size.
    """

    def __init__(self, configured: Configured, envs: int) -> None:
        configured = as_contest(configured)
        one = make_vector(configured, 1, evaluation=True)
        one.close()
        row_of = face_to_face(envs, one.teams)
        vector = make_vector(configured, envs, evaluation=True, row_of=row_of)
        super().__init__(configured, vector, rules_of(configured))

    def panel(self) -> dict[str, float]:
        """Players whose ratings under these rules are known, in nats; else the random player alone, at 0."""
        for name, known in registry.panels(self.configured.entry.game).items():
            if rules_of(as_contest(configure(name))) == self.rules:
                return {player: elo / ELO for player, elo in known.items()}
        return {RANDOM: 0.0}

    def close(self) -> None:
        """Close the envs."""
        self.vector.close()


def rules_of(configured: Configured) -> str:
    """A game and its settings in a few signs; whoever trained on it plays no part."""
    values = settings.flatten(configured.config.env)
    described = json.dumps(
        [registry.stem(configured.entry.game), values], sort_keys=True, default=str
    )
    return hashlib.sha256(described.encode()).hexdigest()[:12]


def configured_of(found: checkpoint.Checkpoint) -> Configured:
    """The settings that a checkpoint was trained with.

    Raises:
        UsageError: its game is not there.
        RunError: they are damaged.
    """
    try:
        name, saved = str(found.state["env"]), dict(found.state["settings"])
    except (KeyError, TypeError, ValueError):
        raise RunError(f"The checkpoint {str(found.path)!r} holds no settings.") from None
    return configure(name, saved=saved)


def checkpoints_of(run: Path) -> list[Path]:
    """A run's checkpoints, oldest first."""
    found = (run / "checkpoints").glob("[0-9]*")
    return sorted(path for path in found if path.name.isdecimal())


def players_in(paths: Iterable[Path], contest: Contest, say: Callable[[str], None]) -> list[Player]:
    """Checkpoints as players; those that cannot play are told of and left out."""
    found: dict[str, Player] = {}
    for path in paths:
        try:
            player = contest.trained(path)
        except SkipjackError as error:
            say(left_out(path, error))
            continue
        found.setdefault(player.name, player)
    return sorted(found.values(), key=lambda player: (player.steps or 0, player.name))


@dataclass(frozen=True, slots=True)
class Field:
    """Whom a rating is among: where they are, and where its table is.

    Attributes:
        folder: of results, ratings and plots.
        checkpoints: of the players; none if those of a folder are all damaged.
        is_run: whether they are all of one run.
    """

    folder: Path
    checkpoints: tuple[Path, ...]
    is_run: bool


def left_out(path: Path, error: SkipjackError) -> str:
    """The sentence about a checkpoint that cannot play."""
    return f"{folders.run_of(path).name}/{path.name} is left out. {error}"


def contest_of(
    field: Field, envs: int, say: Callable[[str], None]
) -> tuple[Contest, tuple[Path, ...]]:
    """The game of the newest checkpoint that can be rated, and it with all older ones.

    Raises:
        UsageError: there is none: the game has no two teams.
        RunError: there is none: all are damaged.
    """
    paths = list(field.checkpoints)
    while True:
        try:
            return Contest(configured_of(checkpoint.load(paths[-1])), envs), tuple(paths)
        except SkipjackError as error:
            if len(paths) == 1 or (field.is_run and isinstance(error, UsageError)):
                raise  # nor can an older one
            say(left_out(paths.pop(), error))


def remembered(names: Iterable[str], players: Iterable[Player], run: str) -> list[Player]:
    """Those of a run's checkpoints by name that are there no more: their games still count."""
    known = {player.name for player in players}
    return [
        Player(name, _gone, steps=int(name[:12]), run=run) for name in sorted(set(names) - known)
    ]


def _gone(rows: int, seed: int) -> Actor:
    raise RunError("Its checkpoint is there no more.")


def field_of(target: str, say: Callable[[str], None], root: Path = Path("runs")) -> Field:
    """The checkpoints of a run, or of each run in a folder the newest that is whole.

    Args:
        target: the run or folder.
        say: is told of those that are damaged.
        root: where runs are looked for too.

    Raises:
        UsageError: there are none.
    """
    for path in (Path(target), root / target):
        if (path / "checkpoints").is_dir():
            return Field(path / FOLDER, tuple(checkpoints_of(path)), is_run=True)
        runs = [checkpoints_of(path / name) for name in folders.list_runs(path)]
        if any(runs):
            newest = [found for run in runs for found in _newest_whole(run, say)]
            return Field(path / FOLDER, tuple(newest), is_run=False)
    raise must("there must be a run, or a folder with runs, to rate", got=target)


def _newest_whole(paths: list[Path], say: Callable[[str], None]) -> list[Path]:
    """The last checkpoint that can be read, alone; empty if there is none."""
    for path in reversed(paths):
        try:
            checkpoint.load(path)
        except RunError as error:
            say(left_out(path, error))
            continue
        return [path]
    return []


def player_name(found: checkpoint.Checkpoint) -> str:
    """The name of a checkpoint as a player: the same name is the same weights."""
    return f"{found.steps:012d}-{_digest(found)[:8]}"


def _digest(found: checkpoint.Checkpoint) -> str:
    """Of the weights: the same weights are the same player, wherever they lie."""
    if found.is_baseline:
        return hashlib.sha256(found.path.read_bytes()).hexdigest()
    manifest = json.loads((found.path / "manifest.json").read_text(encoding="utf-8"))
    return str(manifest["files"]["policy.safetensors"][1])


@lru_cache(LOADED)
def _loaded(path: Path, digest: str) -> Any:
    """The policy of a checkpoint; once loaded it plays on, whatever becomes of its files."""
    from skipjack.run.wiring import load_policy

    found = checkpoint.load(path)
    if _digest(found) != digest:
        raise RunError(f"The weights of {str(path)!r} must be those that were there before.")
    return load_policy(configured_of(found), found)


def elapsed(path: Path) -> float:
    """Seconds of training behind a checkpoint; NaN if it does not say."""
    try:
        state = json.loads((path / "state.json").read_text(encoding="utf-8"))
        return float(state["seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return float(np.nan)
