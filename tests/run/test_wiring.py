"""What runs are made of: enough memory or a sentence, and evaluations that end when they are told to."""

from __future__ import annotations

import math
import re
import subprocess
import sys

import pytest
import torch

from skipjack.errors import RunError
from skipjack.run.config import configure
from skipjack.run.envs import make_vector
from skipjack.run.wiring import (
    choose_device,
    enough_memory,
    evaluate_policy,
    make_policy,
)
from tests.cli.conftest import TINY

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
from skipjack.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
"""The command with 8 GB of addresses: an allocation beyond them fails at once, and takes nothing."""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "but it is out. Lower vector.num_envs"),
        (MemoryError("Unable to allocate 60 GiB for an array"), "60 GiB for an array. Lower"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory:\nmore"),
            "allocate memory:. Lower",
        ),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried."), "you tried. Lower"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to."), "Tried to. Lower"),
    ],
)
def test_memory_that_is_out_is_a_sentence(error: Exception, words: str) -> None:
    with pytest.raises(RunError, match=re.escape(words)), enough_memory():
        raise error


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="unsupported memory format"), enough_memory():
        raise RuntimeError("unsupported memory format option")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere addresses are not limited")
@pytest.mark.parametrize(
    "flags",
    [
        ["train", "breakout", "--vector.num-envs=10000000", "--train.horizon=512"],
        ["train", "cartpole", "--vector.num-envs=100000", "--train.horizon=65536"],
        ["train", "cartpole", *TINY, "--policy.hidden=60000", "--policy.layers=2"],
        ["bench", "train", "breakout", "--vector.num-envs=10000000"],
    ],
    ids=["envs", "rollout", "policy", "bench"],
)  # fmt: skip
def test_more_than_fits_into_memory(tmp_path: object, flags: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *flags],
        capture_output=True, text=True, cwd=str(tmp_path),
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    assert "Envs and rollout must fit into memory" in line
    assert not list((tmp_path / "runs").glob("*"))  # type: ignore[operator]


def test_stop_ends_an_evaluation_at_every_moment() -> None:
    """In the random player's part too: a policy's score stands then, beside no other."""
    configured = configure("cartpole", flags={"eval.envs": 4, "policy.hidden": 8})
    vector = make_vector(configured, 1, evaluation=True)
    policy = make_policy(configured, vector, choose_device("cpu"))
    vector.close()
    asked = 0

    def at(moment: float) -> bool:
        nonlocal asked
        asked += 1
        return asked > moment

    whole = evaluate_policy(configured, policy, quota=1, stop=lambda: at(math.inf))
    total, asked = asked, 0
    found = evaluate_policy(configured, policy, quota=1, stop=lambda: at(total - 3))
    assert asked <= total
    assert (found.score, found.unfinished) == (whole.score, 0)
    assert math.isnan(found.random_score)
    assert not math.isnan(whole.random_score)
    asked = 0
    found = evaluate_policy(configured, policy, quota=1, stop=lambda: at(3))
    assert found.unfinished == 4
    assert asked < 10
