"""Notices when a part of the policy has all but stopped to explore before the game is solved."""

from __future__ import annotations

import math

from skipjack.report.progress import Progress
from skipjack.spaces import Actions

SHARE = 0.01  # of the greatest entropy that a discrete component can have
DEVIATION = 0.01  # of a continuous component, whose actions lie in [-1, 1]
SOLVED = 0.9  # a score from which a sure policy is no fault


class Collapse:
    """Looks at each component's entropy, update by update, and speaks once of each.

    Args:
        action: the actions, whose labels name the components.
    """

    def __init__(self, action: Actions) -> None:
        many = action.width > 1 or action.masked
        self.names = [f"entropy/{label}" if many else "entropy" for label in action.labels]
        normal = 0.5 * math.log(2 * math.pi * math.e) + math.log(DEVIATION)
        self.limits = [SHARE * math.log(max(count, 1)) for count in action.counts]
        self.limits += [normal] * len(action.low)

    def look(self, progress: Progress) -> list[str]:
        """A sentence for each component that this update found collapsed; none while nobody scored."""
        if progress.means.get("score", SOLVED) >= SOLVED:
            return []
        found = []
        for name, limit in list(zip(self.names, self.limits, strict=True)):
            entropy = progress.losses.get(name, math.inf)
            if entropy < limit:
                at = self.names.index(name)
                del self.names[at], self.limits[at]
                found.append(
                    f"The {name.replace('/', ' of component ')} fell to {entropy:.2g} at step "
                    f"{progress.steps} with a score of {progress.means['score']:.2f}: the policy "
                    f"hardly explores there. A larger train.entropy_weight or a lower "
                    f"train.learning_rate may help."
                )
        return found
