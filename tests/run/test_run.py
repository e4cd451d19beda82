"""What a run makes of its trainer: which checkpoint is the best, how long it evaluates."""

from __future__ import annotations

from pathlib import Path

import pytest

from skipjack import checkpoint
from skipjack.testing.sink import example_progress
from tests.run.test_resume import start


def test_the_best_checkpoint_is_that_of_the_best_mean_score(tmp_path: Path) -> None:
    """Means over all episodes since the last checkpoint, however many an update had."""
    run = start(tmp_path / "run", "cartpole", train__checkpoint_every=0.0, train__keep=1)
    run._save()
    heard = [  # steps, updates since the last checkpoint as (score, episodes), the best from then on
        (100, [(0.2, 5)], [0.2, 100]),
        (200, [(0.9, 10)], [0.9, 200]),
        (300, [(0.5, 10)], [0.9, 200]),
        (400, [(0.99, 1), (0.1, 99)], [0.9, 200]),
        (500, [], [0.9, 200]),
        (600, [(0.0, 1), (1.0, 99)], [0.99, 600]),
        (700, [(0.98, 100)], [0.99, 600]),
    ]
    for steps, updates, best in heard:
        run.trainer.steps = steps
        for score, episodes in updates[:-1]:
            run.saved_at = float("inf")  # no checkpoint is due yet
            run._after_update(example_progress(steps, means={"score": score}, episodes=episodes))
        run.saved_at = 0.0
        score, episodes = updates[-1] if updates else (0.0, 0)
        means = {"score": score} if episodes else {}
        run._after_update(example_progress(steps, means=means, episodes=episodes))
        found = checkpoint.latest(run.folder)
        assert found.steps == steps
        assert found.state["best"] == pytest.approx(best)
        there = {int(path.name) for path in (run.folder / "checkpoints").iterdir()}
        assert there == {best[1], steps}
    run.reporter.close()
    run.vector.close()


@pytest.mark.parametrize(("share", "episodes"), [(0.0, 4), (10.0, 4 * 6)])
def test_the_final_evaluation_keeps_to_its_budget(
    tmp_path: Path, share: float, episodes: int
) -> None:
    """Nothing to spend is one episode a slot; plenty is the whole quota."""
    run = start(tmp_path / "run", "truncation", train__steps=256, eval__share=share, eval__quota=6)
    evaluation = run.train().evaluation
    assert evaluation is not None
    assert (evaluation.episodes, evaluation.unfinished) == (episodes, 0)
