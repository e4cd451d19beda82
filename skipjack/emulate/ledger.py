"""Episode records of Python environments: sums while an episode runs, a record when it ends."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.emulate.config import EmulateConfig
from skipjack.rows import episode_dtype

MOST_STATISTICS = 64
"""Names of statistics that are kept; later ones are dropped."""
RECORD = episode_dtype([""] * MOST_STATISTICS)
"""Names are found while the envs run, so a record has room for all from the start."""
TIE = 1e-9
"""Share of all points by which sums may differ that are equal but for the order of adding."""
SUCCESS = ("is_success", "success")
"""Leaves of an info that tell whether an episode succeeded."""


class Ledger:
    """What the seats of an engine's envs did, and the records of those that ended.

    Args:
        num_envs, seats: of the engine.
        teams: team of each seat.
        config: how returns become scores.
        threshold: reward threshold of the env's registration; None if it has none.
    """

    def __init__(
        self,
        num_envs: int,
        seats: int,
        teams: tuple[int, ...],
        config: EmulateConfig,
        threshold: float | None = None,
    ) -> None:
        self.seats, self.teams = seats, teams
        low, high = config.score_low, config.score_high
        if low == high == 0 and threshold is not None and 0 < threshold < math.inf:
            high = threshold
        self.scale = (low, high) if high != low else None
        self.tells_success = False
        self.own_scale = config.score_low != config.score_high
        sizes = list(Counter(teams).values())
        self.has_sides = len(sizes) == 2 and sizes[0] == sizes[1]
        slots = num_envs * seats
        # Lists, not arrays: one element at a time is what Python envs touch.
        self.returns, self.lengths, self.episodes = [0.0] * slots, [0] * slots, [0] * slots
        self.points = [0.0] * slots  # since the game began, over all of a seat's episodes in it
        self.names: list[str] = []
        self.dropped: set[str] = set()
        self.messages: list[str] = []
        self.found: dict[int, list[tuple[Any, ...]]] = {}

    def begin(self, env: int) -> None:
        """Forget everything of an env: it is reset from a seed."""
        for slot in range(env * self.seats, (env + 1) * self.seats):
            self.returns[slot], self.lengths[slot], self.episodes[slot] = 0.0, 0, 0
            self.points[slot] = 0.0
        self.found.pop(env, None)

    def end(
        self, env: int, seat: int, row: int, truncated: bool, info: Mapping[str, Any] | None
    ) -> None:
        """The seat's episode is over: its record, from the sums so far and the last info."""
        slot = env * self.seats + seat
        leaves = self._numbers(info or {})
        total = self.returns[slot]
        base = (self.episodes[slot], self.lengths[slot], total, row, env, seat, self.teams[seat])
        tail = (self._score(total, leaves), math.nan, truncated, False)
        self.found.setdefault(env, []).append((base, tail, leaves))
        self.returns[slot], self.lengths[slot] = 0.0, 0
        self.episodes[slot] += 1

    def settle(self, env: int) -> None:
        """The game is over for all seats: between two teams of equal size, the larger sum of rewards won.

        Only the records of this step tell: whoever ended before could not know.
        """
        first = env * self.seats
        points, self.points[first : first + self.seats] = (
            self.points[first : first + self.seats],
            [0.0] * self.seats,
        )
        sums = dict.fromkeys(self.teams, 0.0)
        for team, own in zip(self.teams, points, strict=True):
            sums[team] += own
        if not self.has_sides or not all(map(math.isfinite, sums.values())):
            return
        total = sum(sums.values())
        told = []
        for base, (score, _, *rest), leaves in self.found.get(env, ()):
            lead = 2 * sums[base[-1]] - total  # over the other team
            drawn = abs(lead) <= TIE * sum(map(abs, points))
            told.append((base, (score, 0.5 if drawn else float(lead > 0), *rest), leaves))
        if told:
            self.found[env] = told

    def records(self, lo: int, hi: int) -> npt.NDArray[Any]:
        """The records of the last step of envs [lo, hi), in their order."""
        if not self.found:
            return np.zeros(0, RECORD)
        ended = [record for env in range(lo, hi) for record in self.found.get(env, ())]
        records = np.zeros(len(ended), RECORD)
        records["stats"] = np.nan
        for record, (base, tail, leaves) in zip(records, ended, strict=True):
            for name, value in leaves.items():
                if name not in self.names and len(self.names) < MOST_STATISTICS:
                    self.names.append(name)
                if name in self.names:
                    record["stats"][self.names.index(name)] = value
            for field, value in zip(_FIELDS, (*base, *tail), strict=True):
                record[field] = value
        return records

    def _numbers(self, info: Mapping[str, Any]) -> dict[str, float]:
        """Numeric leaves by name; what is dropped is told once a name."""
        dropped: set[str] = set()
        leaves = dict(numbers(info, dropped))
        if new := sorted(dropped - self.dropped):
            self.dropped |= dropped
            self.messages.append(
                f"Infos are statistics where they are single numbers, which these are not: "
                f"{', '.join(new)}."
            )
        return leaves

    def _score(self, total: float, leaves: Mapping[str, float]) -> float:
        """In [0, 1], or NaN where nothing says what success is."""
        if not self.own_scale:
            for name in SUCCESS:
                if name in leaves:
                    self.tells_success = True
                    return min(max(leaves[name], 0.0), 1.0)
            if self.tells_success:  # by its silence
                return 0.0
        if self.scale is None:
            return math.nan
        low, high = self.scale
        return min(max((total - low) / (high - low), 0.0), 1.0)


_FIELDS = (
    *("episode", "length", "return", "row", "env", "seat", "team"),
    *("score", "outcome", "truncated", "partial"),
)


def numbers(
    info: Mapping[str, Any], dropped: set[str], prefix: str = ""
) -> Iterator[tuple[str, float]]:
    """Finite numbers in an info by dotted name; names of what is none are put into `dropped`."""
    for key, value in info.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from numbers(value, dropped, f"{name}.")
        elif isinstance(value, (bool, int, float, np.bool_, np.integer, np.floating)):
            if math.isfinite(value):
                yield name, float(value)
        elif isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "biuf":
            if np.isfinite(value).all():
                yield name, float(value.reshape(()))
        else:
            dropped.add(name)
