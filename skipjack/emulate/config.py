"""Settings that every Python environment has, whatever it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from skipjack.config import Pow2, Within
from skipjack.errors import must


@dataclass(frozen=True, slots=True)
class EmulateConfig:
    """How a Python environment is made, wrapped and scored."""

    kwargs: str = ""
    """Arguments for the environment's maker, as JSON: '{"continuous": true}'."""
    drop: str = ""
    """Parts of the observation to leave out, with commas between them: "mission,camera.depth"."""
    stack: Annotated[int, Pow2(1, 8), Within(1, 1024)] = 1
    """Newest observations that are shown together."""
    time_limit: Annotated[int, Within(0, 1_000_000_000)] = 0
    """Steps after which an episode is truncated, if the environment does not do so earlier; 0: none."""
    clip_observations: Annotated[float, Within(0.0, None)] = 0.0
    """Bound of every number of an observation, in both directions; 0 leaves them as they are."""
    clip_rewards: Annotated[float, Within(0.0, None)] = 0.0
    """Bound of a reward in both directions; episodes' returns stay as they are; 0: none."""
    score_low: float = 0.0
    """Return of an episode whose score is 0; see score_high."""
    score_high: float = 0.0
    """Return of an episode whose score is 1. If both are 0, the environment's own word counts: success
    in its infos, or else the reward threshold of its registration; without either there is no score."""
    teams: Literal["names", "each", "one"] = "names"
    """Who plays together where there are several agents: those called alike but for a number at the
    end, each for itself, or all."""

    def arguments(self) -> dict[str, Any]:
        """`kwargs` as a dictionary.

        Raises:
            UsageError: it is not a JSON object.
        """
        try:
            found = json.loads(self.kwargs or "{}")
        except json.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise must(
                "env.kwargs must be a JSON object",
                hint="""Write it like this: --env.kwargs '{"continuous": true}'.""",
                got=self.kwargs,
            )
        return found

    def dropped(self) -> list[str]:
        """Names in `drop`."""
        return [name.strip() for name in self.drop.split(",") if name.strip()]
