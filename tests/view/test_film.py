"""Episodes as videos: all, the best, the median one; the pictures are those of the env."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skipjack.errors import RunError
from skipjack.policies.random import RandomActor
from skipjack.run.config import configure
from skipjack.view import film
from skipjack.view.film import Nobody, film_episodes
from skipjack.view.options import Options
from skipjack.view.session import REST, Session
from skipjack.view.world import World

pytest.importorskip("PIL")
av = pytest.importorskip("av")


def session(name: str, **changes: Any) -> Session:
    world = World(configure(name), 1, **changes)
    actor = RandomActor(world.vector.action, 7)
    return Session(world, Nobody(), actor, options=Options(seed=7))


def frames(path: Path) -> list[Any]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_a_video_has_each_step_at_the_envs_pace(tmp_path: Path) -> None:
    """84 x 84 frames whose brightness is the step: 10 steps, then the end for a moment."""
    watched = session("tests.view.envs:Pixels")
    assert film_episodes(watched, tmp_path / "a.mp4", episodes=2) == [0, 1]
    found = [round(float(frame.mean())) for frame in frames(tmp_path / "a.mp4")]
    stays = round(REST * 30)
    wanted = [*range(0, 220, 20), *[200] * stays, *range(20, 220, 20), *[200] * stays]
    assert len(found) == len(wanted)
    np.testing.assert_allclose(found, wanted, atol=4)


def test_fewer_pictures_a_second_leave_some_out(tmp_path: Path) -> None:
    film_episodes(session("tests.view.envs:Pixels"), tmp_path / "a.mp4", fps=10)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].average_rate == 10
    found = [round(float(frame.mean())) for frame in frames(tmp_path / "a.mp4")]
    np.testing.assert_allclose(found[:4], [0, 60, 120, 180], atol=4)


@pytest.mark.parametrize("pick", ["best", "median"])
def test_the_best_and_the_median_episode(tmp_path: Path, pick: Any) -> None:
    watched = session("cartpole")
    (chosen,) = film_episodes(watched, tmp_path / "a.mp4", episodes=5, pick=pick)
    first = [float(record["score"]) for record in watched.tally.episodes[:5]]
    assert len(set(first)) > 2
    order = sorted(first)
    assert first[chosen] == (order[-1] if pick == "best" else order[2])
    again = watched.tally.episodes[5:]
    assert [float(record["score"]) for record in again] == first[: chosen + 1], "played once more"
    length = int(watched.tally.episodes[chosen]["length"])
    wanted = (length + REST * 50) / 2
    assert len(frames(tmp_path / "a.mp4")) == pytest.approx(wanted, abs=2), "that episode alone"


@pytest.mark.parametrize(
    ("show", "size"), [("picture", (576, 330)), ("seen", (300, 0)), ("panel", (988, 0))]
)
def test_what_a_video_shows(tmp_path: Path, show: Any, size: tuple[int, int]) -> None:
    film_episodes(session("breakout", balls=1), tmp_path / "a.mp4", show=show)
    height, width = frames(tmp_path / "a.mp4")[0].shape[:2]
    assert width == size[0]
    assert size[1] in (0, height)


def test_an_env_that_ignores_its_seed_cannot_be_filmed_by_choice(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"must go the same way again.*--pick all"):
        film_episodes(
            session("tests.view.envs:Fickle"), tmp_path / "a.mp4", episodes=2, pick="best"
        )
    assert not list(tmp_path.iterdir())


def test_episodes_without_an_end_are_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(film, "MOST_STEPS", 50)
    with pytest.raises(RunError, match="must end to be filmed, but those of 'breakout' went on"):
        film_episodes(session("breakout"), tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())
