"""The checks of an env that is stepped in Python, as its maker gives it: before Skipjack's wrapping."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import cloudpickle

from skipjack.emulate.config import EmulateConfig
from skipjack.emulate.engine import MASK
from skipjack.emulate.maker import Maker, has_agents
from skipjack.errors import SkipjackError, clause
from skipjack.spaces.tree import ActionTree, Observations
from skipjack.testing.check import speed
from skipjack.testing.check.findings import Report
from skipjack.testing.check.inspector import Inspector
from skipjack.testing.check.play import Call, Failed, difference, play
from skipjack.testing.check.speed import Clock
from skipjack.testing.check.world import Crowd, Solo, World

REPLAYED = 100
"""Calls of the first play that are compared after another reset from the same seed."""
LONGER = 10
"""Times as many steps are played where no episode has ended."""
PATIENCE = 30.0
"""Seconds after which a play is cut short."""


def world_of(env: Any) -> World:
    """The env as agents.

    Raises:
        UsageError: it is of no known interface.
    """
    crowd = has_agents(env)
    return Crowd(env) if crowd else Solo(env)


def examine(
    report: Report,
    maker: Maker,
    env: Any,
    config: EmulateConfig,
    steps: int,
    seed: int,
    clock: Clock,
) -> None:
    """Every check of a Python env for one agent or several.

    Args:
        report: is told what is found.
        maker: makes its engines.
        env: one that was made.
        config: its settings.
        steps, seed: of the play.
        clock: gives seconds.
    """
    try:
        one, two = world_of(env), world_of(maker.make(**config.arguments()))
        report.kind = one.kind
        tree = _spaces(report, one, config)
    except Exception as error:
        report.wrong("spaces", _words(error))
        return
    if tree is None:
        return
    report.ok("spaces", _described(one, _known(config.dropped(), one)))
    inspector = Inspector(report, one, tree, config)
    whole = _play(report, one, two, tree, config, inspector, steps, seed, clock)
    _summary(report, inspector, config)
    if whole and not inspector.episodes:
        _endless(report, inspector, config, steps, seed, clock)
    _pickled(report, maker)
    length = inspector.steps / max(inspector.episodes, 1)
    try:
        if whole:
            found = speed.measure(maker, config, length, steps, seed, clock)
            speed.judge(report, found)
    except Exception as error:  # what the play has found wrong may well stop the engine
        if report.faultless:
            report.wrong("engine", f"Skipjack's engine of it must run, but {_clause(error)}.")
    for world in (one, two):
        getattr(world.env, "close", lambda: None)()


def _spaces(report: Report, world: World, config: EmulateConfig) -> ActionTree | None:
    """Whether Skipjack takes the spaces; gives the actions if it takes these."""
    if not world.possible:
        report.wrong("agents", "A PettingZoo environment must name its possible_agents.")
        return None
    spaces = [world.spaces(agent) for agent in world.possible]
    for what, found in zip(("observation", "action"), zip(*spaces, strict=True), strict=True):
        if any(space is None for space in found):
            report.wrong("spaces", f"The env must have an {what}_space, but it is missing.")
            return None
        for agent, space in zip(world.possible, found, strict=True):
            if space != found[0]:
                report.wrong(
                    "spaces",
                    f"All agents must share one {what} space, but {world.possible[0]!r} has "
                    f"{found[0]} and {agent!r} has {space}. Pad them to a common one in the maker, "
                    f"as SuperSuit's pad_observations_v0 and pad_action_space_v0 do.",
                    fault=what,
                )
    observation, action = spaces[0]
    try:
        Observations(observation, _known(config.dropped(), world))
    except SkipjackError as error:
        report.wrong("spaces", str(error))
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            tree = ActionTree(action)
    except SkipjackError as error:
        report.wrong("spaces", str(error))
        return None
    for warning in told:
        report.note("spaces", str(warning.message).replace("The action ''", "The action"))
    return tree


def _known(dropped: list[str], world: World) -> list[str]:
    """Masks in an observation are no part of what a policy sees."""
    return [*dropped, MASK] if _nested(world) else dropped


def _nested(world: World) -> bool:
    space = world.spaces(world.possible[0])[0]
    return MASK in getattr(space, "spaces", {})


def _play(
    report: Report,
    one: World,
    two: World,
    tree: ActionTree,
    config: EmulateConfig,
    inspector: Inspector,
    steps: int,
    seed: int,
    clock: Clock,
) -> bool:
    """Two envs from one seed in turn, then the first anew; whether the first one got through."""
    limit, began = config.time_limit, clock()
    twin: Iterator[Call] | None = play(two, tree, seed, steps, limit)
    first: list[Call] = []
    try:
        for call in play(one, tree, seed, steps, limit, inspector):
            if len(first) < REPLAYED:
                first.append(call)
            twin = _compared(report, call, twin)
            if clock() - began > PATIENCE:
                report.note(
                    "episodes", f"The play was cut short after {call.step:,} steps: it is slow."
                )
                break
    except Failed as failure:
        report.wrong("calls", _raised(failure))
        return False
    _again(report, one, tree, first, limit, seed)
    if twin is not None:
        _other_seed(report, two, tree, first, limit, seed)
    return True


def _compared(report: Report, call: Call, twin: Iterator[Call] | None) -> Iterator[Call] | None:
    """Look at the same call of the other env; gives it back as long as the two are equal."""
    if twin is None:
        return None
    try:
        other = next(twin)
    except Failed as failure:
        report.wrong("seeds", f"A second env from the same seed fails: {_raised(failure)}")
        return None
    part = difference(call.told, other.told)
    if not part:
        return twin
    report.wrong(
        "seeds",
        f"Two envs with the same seed and the same actions must do the same, but the {part} differs "
        f"{_when(call)}. Draw from self.np_random alone, which reset(seed=...) sets up, and share "
        f"nothing between envs.",
    )
    return None


def _again(
    report: Report, world: World, tree: ActionTree, first: list[Call], limit: int, seed: int
) -> None:
    """The same seed a second time, in an env that was used before."""
    if any(found.about == "seeds" and found.level == "wrong" for found in report.findings):
        return  # it is told already
    try:
        for call, other in zip(first, play(world, tree, seed, REPLAYED, limit), strict=False):
            part = difference(call.told, other.told)
            if part:
                report.wrong(
                    "seeds",
                    f"reset(seed={seed}) must begin an env that was used before as it begins a fresh "
                    f"one, but the {part} differs {_when(call)}. Set everything anew in reset.",
                )
                return
    except Failed as failure:
        report.wrong("seeds", f"A second reset from the same seed fails: {_raised(failure)}")


def _other_seed(
    report: Report, world: World, tree: ActionTree, first: list[Call], limit: int, seed: int
) -> None:
    """Whether another seed, with the same actions, makes any difference."""
    other = play(world, tree, seed + 1, REPLAYED, limit, drawn=seed)
    try:
        if any(difference(a.told, b.told) for a, b in zip(first, other, strict=False)):
            return
    except Failed:
        return
    report.note(
        "seeds",
        f"Seeds {seed} and {seed + 1} do the same: if something should be random, use the seed that "
        f"reset is given.",
    )


def _summary(report: Report, found: Inspector, config: EmulateConfig) -> None:
    """What held over the whole play."""
    if not found.steps:
        return
    span = f"{found.steps:,} steps and {found.episodes:,} episodes"
    report.ok("observations", f"Observations are of their space, over {span} of random play.")
    report.ok("rewards", "Rewards are finite numbers.")
    report.ok("flags", "terminated and truncated are True or False.")
    if not any(finding.about == "calls" for finding in report.findings):
        report.ok("seeds", "The same seed and actions give the same, in another env and once more.")
    if found.masked:
        report.ok("masks", "Action masks have a place for each choice.")
    if isinstance(found.world, Crowd):
        report.ok("agents", f"Agents are among the {len(found.world.possible)} possible ones.")
    elif found.world.old is not None:
        report.note(
            "interface",
            "This is the old gym interface: it works, but what a time limit cuts is known only "
            'by info["TimeLimit.truncated"]. Gymnasium\'s interface tells it.',
        )
    if not any(finding.about == "reuse" for finding in report.findings):
        report.ok("reuse", "What an observation holds stays as it was given.")
    words = sorted(name for name in found.words if MASK not in name)
    if words:
        names = ", ".join(words[:8]) + (", ..." if len(words) > 8 else "")
        report.note("infos", f"Infos hold what is no number and so no statistic: {names}.")
    if found.episodes:
        count, cut = found.ended["terminated"], found.ended["truncated"] + found.ended["limit"]
        tail = "" if cut or _limit(found.world) else (
            "; no limit is known that cuts one: if a good policy could go on for ever, set "
            "--env.time-limit"
        )  # fmt: skip
        report.ok("episodes", f"Episodes end: {count:,} by the rules, {cut:,} cut{tail}.")


def _endless(
    report: Report, found: Inspector, config: EmulateConfig, steps: int, seed: int, clock: Clock
) -> None:
    """No episode ended so far: whether one does in ten times as many steps."""
    limit = _limit(found.world) or config.time_limit
    if limit > found.steps:
        known = f"No episode ended in {found.steps:,} steps; the env cuts one after {limit:,}."
        report.ok("episodes", known)
        return
    began, played = clock(), 0
    try:
        for call in play(found.world, found.tree, seed, LONGER * steps, config.time_limit):
            played = call.step
            if call.name == "reset" and played:
                report.ok("episodes", f"Episodes end; the first did after {played:,} steps.")
                return
            if clock() - began > PATIENCE:
                report.note("episodes", f"No episode ended in {played:,} slow steps.")
                return
    except Failed as failure:
        report.wrong("calls", _raised(failure))
        return
    report.wrong(
        "episodes",
        f"An episode must end, but none did in {played:,} steps, and truncated was never set. Have "
        f"them cut with --env.time-limit 1000 or the like, or look further with --steps.",
    )


def _limit(world: World) -> int:
    """Steps after which the env's registration cuts an episode; 0 where none is known."""
    return getattr(getattr(world.env, "spec", None), "max_episode_steps", None) or 0


def _pickled(report: Report, maker: Maker) -> None:
    """Whether worker processes can be given what makes the env."""
    try:
        cloudpickle.dumps(maker.make)
    except Exception as error:
        report.note(
            "workers",
            f"What makes the env cannot be pickled ({type(error).__name__}: {clause(error)}): worker "
            f"processes start by fork alone. Make the env in a function of a module.",
        )


def _described(world: World, dropped: list[str]) -> str:
    observation, action = world.spaces(world.possible[0])
    whose = "" if world.possible == [""] else f"{len(world.possible)} agents; "
    seen, done = _short(observation, dropped), _short(action)
    return f"Skipjack takes them: {whose}observation {seen}, action {done}."


def _short(space: Any, dropped: Collection[str] = ()) -> str:
    inner = getattr(space, "spaces", None)
    if inner is not None:
        parts = inner if isinstance(inner, Mapping) else [f"[{i}]" for i in range(len(inner))]
        return f"{type(space).__name__} of {', '.join(p for p in parts if p not in dropped)}"
    return f"{space.dtype} {space.shape}" if hasattr(space, "low") else str(space)


def _raised(failure: Failed) -> str:
    """What a call raised, and where."""
    error = failure.__cause__
    assert error is not None
    at = (
        f"reset after step {failure.step:,}"
        if failure.name == "reset"
        else f"step {failure.step:,}"
    )
    when = f"(First at {at if failure.step else 'reset'}.)"
    if isinstance(error, SkipjackError):
        return f"{error} {when}"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{failure.name} must not fail, but {_clause(error)} (in {frame.filename}:{frame.lineno}). {when}"


def _words(error: Exception) -> str:
    if isinstance(error, SkipjackError):
        return str(error)
    return f"The env must tell its interface and its spaces, but {_clause(error)}."


def _clause(error: BaseException) -> str:
    return f"raised {type(error).__name__}: {clause(error)}"


def _when(call: Call) -> str:
    if call.name == "step":
        return f"at step {call.step:,}"
    return f"at the reset after {call.step:,} steps" if call.step else "at the first reset"
