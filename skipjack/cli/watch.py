"""`skipjack watch RUN`: see what a policy does, live or as a video."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from skipjack import baseline, checkpoint, folders, registry
from skipjack import config as settings
from skipjack.arena.players import RANDOM, SCRIPT, Player
from skipjack.arena.seating import face_to_face, facing
from skipjack.cli import flags
from skipjack.cli.saved import saved_of
from skipjack.cli.screens import ScreenFlags, opened
from skipjack.config import Within
from skipjack.errors import RunError, SkipjackError, UsageError, must
from skipjack.rows import Actor
from skipjack.run.config import Configured, configure
from skipjack.run.ratings import Host
from skipjack.view import record
from skipjack.view.film import Nobody, film_episodes
from skipjack.view.options import Options
from skipjack.view.players import Replayed, check_fits
from skipjack.view.session import Session
from skipjack.view.world import World, with_two_seats

USAGE = "skipjack watch RUN [--video out.mp4]"
RUNS = Path("runs")
MANY = 1_000_000_000
"""Episodes: as many as a play that was kept has."""


@dataclass(frozen=True, slots=True)
class WatchFlags(ScreenFlags):
    """Flags of `skipjack watch`."""

    baseline: bool = False
    """Watch the weights that ship with an environment; `baseline:ENV` names them too."""
    player: Literal["policy", "random", "scripted"] = "policy"
    """Who plays: the run's policy, or in an environment (ENV instead of RUN) the random player or the
    game's own script."""
    follow: bool = False
    """Take each new checkpoint of a training that goes on."""
    deterministic: bool = False
    """Take the most probable action instead of a sampled one."""
    opponent: str = ""
    """Opponent in games that take one; empty leaves the run's own setting."""
    against: str = ""
    """Who plays the other side, in games for two: a run, a checkpoint, baseline:ENV, script:GRADE, random."""
    seed: Annotated[int, Within(-1, 2**63 - 1)] = -1
    """Seed of envs and actions; -1 takes the run's."""
    envs: Annotated[int, Within(1, 64)] = 4
    """Environments side by side; a key goes from one to the next."""
    video: str = ""
    """Write a video (.mp4 or .gif) instead of opening anything."""
    episodes: Annotated[int, Within(1, 10_000)] = 1
    """Episodes to play for the video."""
    pick: Literal["all", "best", "median"] = "all"
    """Which of them the video shows."""
    show: Literal["picture", "seen", "panel"] = "picture"
    """What the video shows: the environment, what the agent sees of it, or all that a window shows."""
    fps: Annotated[float, Within(1.0, 120.0)] = 30.0
    """Most pictures a second of the video."""


def run(arguments: Sequence[str]) -> int:
    """Watch until the window is closed, or write a video."""
    target, rest = flags.subject(arguments, USAGE)
    own, chosen = flags.parse(
        WatchFlags,
        rest,
        "skipjack watch RUN",
        "Watch a run's newest checkpoint, a checkpoint, a baseline, or a play that was kept. With "
        "--player random or scripted, an environment, whose settings are flags too.",
        _env_settings(target) if _names_env(rest) else None,
    )
    _check_flags(target, own)
    if own.baseline:
        target = baseline.PREFIX + target.removeprefix(baseline.PREFIX)
    with contextlib.ExitStack() as held:
        if target.endswith(record.SUFFIX):
            session = _replay(Path(target), own, held)
        else:
            session = watched(target, own, held, chosen)
        if own.video:
            return _film(session, own)
        title = session.options.title
        session.screen = held.enter_context(opened(title, session.pictures[-1], own))
        with contextlib.suppress(KeyboardInterrupt):  # how a page's server is ended
            session.run()
    return 0


def watched(
    target: str,
    own: WatchFlags,
    held: contextlib.ExitStack,
    chosen: Mapping[str, Any] | None = None,
) -> Session:
    """A policy, or another player, in fresh envs; `chosen` are settings of the env's."""
    found = None
    changed = {**(chosen or {}), **({"seed": own.seed} if own.seed >= 0 else {})}
    if own.player == "policy":
        found = _found(target)
        name, saved = saved_of(found)
        configured = configure(name, saved=saved, flags=changed)
    else:
        configured = configure(target, flags=changed)
    changes = {"opponent": own.opponent} if own.opponent else {}
    if changes and "opponent" not in settings.settings(type(configured.config.env)):
        raise must("--opponent must be left out for a game that takes none", env=target)
    if own.against:
        changes = with_two_seats(configured)
    layout = face_to_face if own.against else None
    world = World(configured, 1 if own.video else own.envs, layout, **changes)
    held.callback(world.close)
    seed, host = configured.config.seed, Host(configured, world.vector)
    options = Options(seed, speed=own.speed, folder=Path("plays"))
    if found is None:
        options.title = f"{own.player} player in {world.name}"
        player = host.named(RANDOM if own.player == "random" else SCRIPT)
        actor = player.make(world.vector.num_rows, seed)
        return Session(world, Nobody(), actor, options=options)
    other = None
    if own.against:  # called what the user calls it
        other = dataclasses.replace(host.named(own.against), name=own.against)
    load = _Loader(configured, world, own.deterministic, other)
    options.title = load.title(target, found)
    if not found.is_baseline:
        options.folder = folders.run_of(found.path) / "videos"
    if own.follow:
        options.renew = _newest(target, found, load)
    return Session(world, Nobody(), load(found), options=options)


def _replay(path: Path, own: WatchFlags, held: contextlib.ExitStack) -> Session:
    """A play that was kept, exactly."""
    kept = record.read(path)
    try:
        world = World(configure(kept.env), 1, **kept.settings)
    except UsageError as error:
        raise RunError(f"The play {str(path)!r} must fit its env, but does not: {error}") from error
    held.callback(world.close)
    record.check_fits(kept, world.vector)
    actor = Replayed(kept.actions)
    options = Options(kept.seed, f"{path.name}: {kept.env}", own.speed, path.parent, replay=True)
    options.on_step = lambda actions, batch: record.check(kept, actor.at - 1, batch)
    return Session(world, Nobody(), actor, options=options)


def _found(target: str) -> checkpoint.Checkpoint:
    """The checkpoint that a name means.

    Raises:
        UsageError: there is none; where an environment is called so, how to watch that.
    """
    try:
        return folders.find(target, RUNS)
    except UsageError as error:
        try:
            registry.resolve(target)
        except SkipjackError:
            raise error from None
        raise UsageError(
            f"There is no run {target!r}. To watch the environment: skipjack watch {target} "
            f"--baseline, or --player random."
        ) from None


def _names_env(rest: Sequence[str]) -> bool:
    """Whether the flags ask for a player that needs no run, so that an environment comes first."""
    words = " ".join(rest).replace("=", " ").split()
    return any(
        pair in (("--player", "random"), ("--player", "scripted")) for pair in pairwise(words)
    )


def _env_settings(target: str) -> Any:
    """The settings of an env alone, as flags take them."""
    env = configure(target).config.env
    only = dataclasses.field(default_factory=lambda: env)
    return dataclasses.make_dataclass("EnvFlags", [("env", type(env), only)], frozen=True)()


def _check_flags(target: str, own: WatchFlags) -> None:
    """Whether every flag that was given has something to do.

    Raises:
        UsageError: one has not.
    """
    usual = WatchFlags()
    idle: dict[str, tuple[str, ...]] = {
        "a video (--video)": () if own.video else ("episodes", "pick", "show", "fps"),
        "a screen, not with --video": ("browser", "port", "host", "envs") if own.video else (),
        "a policy, not with a play that was kept": (
            (
                *("baseline", "player", "follow", "deterministic", "opponent", "against", "seed"),
                "envs",
            )
            if target.endswith(record.SUFFIX)
            else ()
        ),
        "a policy": (
            ("follow", "deterministic", "baseline", "against") if own.player != "policy" else ()
        ),
        "the env's own player (without --against)": ("opponent",) if own.against else (),
    }
    for what, names in idle.items():
        for name in names:
            if getattr(own, name) != getattr(usual, name):
                raise UsageError(f"The flag --{name} must come with {what}. Leave it out.")


class _Loader:
    """Makes actors of checkpoints for a world; with `other` opposite, if there is somebody."""

    def __init__(
        self, configured: Configured, world: World, deterministic: bool, other: Player | None
    ) -> None:
        self.configured, self.world, self.deterministic = configured, world, deterministic
        self.other = other

    def title(self, target: str, found: checkpoint.Checkpoint) -> str:
        """Who plays."""
        opposite = f" against {self.other.name}" if self.other else ""
        return f"{target} at step {found.steps:,}{opposite}"

    def __call__(self, found: checkpoint.Checkpoint) -> Actor:
        from skipjack.policies.actor import PolicyActor
        from skipjack.run.wiring import load_policy

        policy = load_policy(self.configured, found)
        check_fits(self.world, policy, str(found.path))
        rows, seed = self.world.vector.num_rows, self.configured.config.seed
        if self.other is None:
            return PolicyActor(policy, rows, seed, self.deterministic)
        first = PolicyActor(policy, rows // 2, seed, self.deterministic)
        return facing(first, self.other.make(rows // 2, seed + 1), rows // 2)


def _newest(
    target: str, first: checkpoint.Checkpoint, load: _Loader
) -> Callable[[], tuple[Actor, str] | None]:
    """What gives an actor of the run's newest checkpoint, when there is a new one."""
    run = folders.run_of(first.path)
    if first.is_baseline or run == first.path:
        raise must("--follow must come with a run", target=target)
    shown = first.path

    def newer() -> tuple[Actor, str] | None:
        nonlocal shown
        try:
            found = checkpoint.latest(run)
            if found.path == shown:
                return None
            shown = found.path  # also one that cannot be read is not tried again
            actor = load(found)
        except SkipjackError:
            return None  # being written, or cleared away just now: the next look finds another
        return actor, load.title(target, found)

    return newer


def _film(session: Session, own: WatchFlags) -> int:
    """Write the video and say what is in it."""
    path = Path(own.video)
    whole_play = session.options.replay and own.episodes == 1 and own.pick == "all"
    episodes = MANY if whole_play else own.episodes
    numbers = film_episodes(session, path, episodes, own.pick, own.show, own.fps)
    records = session.tally.of({session.row})
    for number in numbers:
        if number >= len(records):
            print(f"episode {number + 1}: not played to its end")
            break
        record = records[number]
        score = f"score {record['score']:.3f}, " if record["score"] == record["score"] else ""
        print(f"episode {number + 1}: {score}return {record['return']:.4g}")
    print(f"The video is in {path}.")
    return 0
