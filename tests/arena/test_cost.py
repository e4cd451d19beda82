"""What past selves cost, counted instead of timed: calls a step, rows that act and are learned from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import skipjack.train.ppo as ppo
from skipjack.arena.seats import plan
from tests.arena.test_seats import TRAIN, game, network, seats


class Calls(TorchDispatchMode):
    """Counts what torch is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(str(func).removeprefix("aten.").partition(".")[0])
        return func(*args, **(kwargs or {}))


@torch.no_grad()
def calls(banks: int, **shape: Any) -> list[str]:
    """What a step of the opponents takes, once what lasts for many steps is there."""
    layout = plan(32, 1, (0, 1), 0.25, banks)
    vector = game("pong", 32, layout)
    policy = network(vector, **shape)
    past = seats(layout, vector, policy, lambda name: policy.state_dict())
    batch = vector.reset(1)
    own = np.zeros((layout.learner, 1), np.int32)
    past.complete(batch, own)
    with Calls() as found:
        past.complete(batch, own)
    vector.close()
    return found.names


@pytest.mark.parametrize(
    "shape", [{}, {"layers": 2}, {"memory": "gru"}, {"memory": "lstm"}, {"normalise": True}]
)
def test_a_step_takes_the_same_calls_for_any_number_of_past_selves(shape: dict[str, Any]) -> None:
    assert calls(1, **shape) == calls(4, **shape)


def test_a_step_takes_two_layers_a_draw_and_no_value() -> None:
    """Views are free but for their calls; nothing is copied, cast, or moved."""
    views = {"view", "select", "detach", "t", "transpose", "_unsafe_view"}
    found = calls(4)
    assert [name for name in found if name not in views] == [
        *("baddbmm", "relu_", "baddbmm"),
        *("add", "argmax"),
    ]
    assert len(found) <= 10


@pytest.mark.parametrize(("share", "kept"), [(0.0, 1.0), (0.25, 0.875), (1.0, 0.5)])
def test_a_rollout_is_as_many_calls_with_past_selves_and_their_rows_are_all_it_lacks(
    share: float, kept: float
) -> None:
    """Half of the rows of the share of games, which is where the formula of docs/rating.md comes from."""
    layout = plan(32, 1, (0, 1), share, 4)
    vector = game("pong", 32, layout)
    policy = network(vector)
    past = seats(layout, vector, policy, lambda name: policy.state_dict()) if share else None
    trainer = ppo.PPO(TRAIN, vector, policy, 1, past)
    acted: list[int] = []
    sent: list[int] = []
    step, send = policy.step, vector.send

    def counted_step(seen: torch.Tensor, state: Any) -> Any:
        acted.append(len(seen))
        return step(seen, state)

    def counted_send(actions: Any, group: int) -> None:
        sent.append(len(actions))
        send(actions, group)

    policy.step, vector.send = counted_step, counted_send  # type: ignore
    trainer.collect()
    assert acted == [int(64 * kept)] * TRAIN.horizon
    assert sent == [64] * TRAIN.horizon
    assert trainer.steps == 64 * kept * TRAIN.horizon
    assert trainer.rollout.observations.shape[:2] == (TRAIN.horizon, 64 * kept)
