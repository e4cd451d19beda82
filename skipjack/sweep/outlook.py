"""What a study's trials say of settings that nobody ran: their score, their cost, the steps for a cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial

from skipjack.sweep.encode import Cube
from skipjack.sweep.gp import Array
from skipjack.sweep.model import CostModel, History, ScoreModel
from skipjack.sweep.sampler import CostSampler
from skipjack.sweep.space import STEPS
from skipjack.sweep.study import Sweep


class Outlook:
    """The models that the sampler draws with, whoever drew the trials.

    Args:
        sweep: the study.
        trials: all of its trials.

    Attributes:
        cube: of the parameters that can be moved.
        history: what the trials say.
    """

    def __init__(self, sweep: Sweep, trials: Sequence[FrozenTrial]) -> None:
        logits = {part.name: "logit" for part in sweep.space.parameters if part.scale == "logit"}
        moved = {name: each for name, each in sweep.distributions.items() if not each.single()}
        self.knob = STEPS if STEPS in moved else None
        self.cube = Cube(moved, logits)
        sampler = CostSampler(moved, scales=logits, knob=self.knob)
        self.least = sweep.least()
        self.history: History = sampler.history(sweep.study, trials, -1, self.cube)

    @cached_property
    def scores(self) -> ScoreModel:
        """Of the score; needs two trials that have one."""
        return ScoreModel(self.cube, self.history.thinned())

    @cached_property
    def cost(self) -> CostModel:
        """Of the cost; needs a trial that has one."""
        return CostModel(self.cube, self.history, self.knob, self.least)

    def at_cost(self, params: Sequence[Mapping[str, Any]], seconds: float) -> Array:
        """Settings as points (settings, parameters) of the cube, with the steps that cost so much."""
        points = np.array([self.cube.encode(each) for each in params])
        return self.cube.snap(self.cost.project(points, float(np.log(seconds))))
