"""Episodes as a video, without any screen: all of them, the best one or the median one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from skipjack.errors import RunError
from skipjack.native.scene import Scene
from skipjack.view.keep import film
from skipjack.view.screen import Input
from skipjack.view.session import REST, Session

Pick = Literal["all", "best", "median"]
Show = Literal["picture", "seen", "panel"]

MOST_STEPS = 200_000
"""Steps after which episodes that do not end are given up."""


class Nobody:
    """A screen that nobody looks at."""

    def poll(self) -> Input:
        """No keys."""
        return Input()

    def show(self, scene: Scene) -> None:
        """Nothing."""

    def hear(self, samples: npt.NDArray[np.uint8], rate: int) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def film_episodes(
    session: Session,
    path: Path,
    episodes: int = 1,
    pick: Pick = "all",
    show: Show = "picture",
    fps: float = 30,
    width: int | None = None,
) -> list[int]:
    """Play episodes of the row that is followed, and write a video of them.

    A single one among them is played again from the same seed: nothing is drawn that is not shown.

    Args:
        session: one env with whoever plays it; its tally holds the episodes afterwards.
        path: ends with .mp4 or .gif.
        episodes: to play.
        pick: those to show.
        show: the env's picture, what the agent sees, or the panel of a session.
        fps: most pictures a second; time passes as fast as it does in the env.
        width: pixels; None takes the picture's own.

    Returns:
        numbers of the episodes that are shown, from 0; the last one may be cut where a play was.

    Raises:
        RunError: an episode does not end, or the second play differs from the first.
        SkipjackError: the video cannot be written.
    """
    first, last = 0, episodes
    rewards: list[float] = []
    if pick != "all":
        rewards = _rewards(session, episodes)
        first = _picked(session, episodes, pick)
        last = first + 1
        session.begin()
    rate = session.world.pace * session.world.skip
    every = max(1, math.ceil(rate / fps - 1e-9))
    film(_scenes(session, first, last, show, every, rewards), path, rate / every, width)
    return list(range(first, min(last, _count(session) + 1)))


def _rewards(session: Session, episodes: int) -> list[float]:
    """Play episodes without drawing; gives the row's reward of every step."""
    found: list[float] = []
    while _count(session) < episodes:
        if not session.step(ticks=False):
            raise RunError(
                f"There must be as many whole episodes as are asked for, but the play has "
                f"{_count(session)}. Ask for fewer: --episodes."
            )
        found.append(float(session.batch.rewards[session.row]))
        _check_ends(found, session)
    return found


def _scenes(
    session: Session, first: int, last: int, show: Show, every: int, rewards: list[float]
) -> Iterator[Scene]:
    """Every so many pictures of episodes [first, last), those before them played but not drawn."""
    before, steps, pictures = _count(session), 0, 0
    ended = 0
    if first == 0:
        yield _shown(session, session.pictures[-1], show)
    while ended < last and session.step(ticks=ended >= first):
        steps += 1
        _check_ends(range(steps), session)
        reward = [session.batch.rewards[session.row]]
        if rewards and not np.array_equal(reward, [rewards[steps - 1]], equal_nan=True):
            raise RunError(
                f"An episode must go the same way again from the same seed to be filmed, but "
                f"{session.world.name!r} differs at step {steps}. Film all episodes: --pick all."
            )
        over = _count(session) - before - ended
        if ended >= first:
            # An episode's last picture stays for a moment.
            stays = round(REST * session.world.pace * session.world.skip) if over else 0
            for picture in (*session.pictures, *session.pictures[-1:] * stays):
                pictures += 1
                if pictures % every == 0:
                    yield _shown(session, picture, show)
        ended += over
        if over and ended == first:
            yield _shown(session, session.world.scene(session.env), show)


def _shown(session: Session, picture: Scene, show: Show) -> Scene:
    if show == "panel":
        return session.compose(picture)
    if show == "seen":
        return session.world.seen(session.row, last=session.ended)
    return picture


def _count(session: Session) -> int:
    return int(session.tally.counts[session.row])


def _picked(session: Session, episodes: int, pick: Pick) -> int:
    """The number of the best or the median episode, by score, or by return where there is none."""
    records = session.tally.of({session.row})[:episodes]
    name = "return" if any(math.isnan(record["score"]) for record in records) else "score"
    order = sorted(range(len(records)), key=lambda i: (records[i][name], records[i]["return"]))
    return order[-1] if pick == "best" else order[(len(order) - 1) // 2]


def _check_ends(steps: range | list[float], session: Session) -> None:
    if len(steps) >= MOST_STEPS:
        raise RunError(
            f"Episodes must end to be filmed, but those of {session.world.name!r} went on for "
            f"{MOST_STEPS:,} steps. Give it a time limit (--env.time_limit), or fewer --episodes."
        )
