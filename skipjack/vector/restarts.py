"""What the parent remembers of running episodes, so as to end those whose worker is gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.rows import Rows


class Unfinished:
    """Sums over the running episode of each row, and its last delivered observation.

    Args:
        rows: the vector's.
        row_of: (envs, seats) row of each seat.
        teams: team of each seat.
        record: dtype of an episode record.
    """

    def __init__(
        self,
        rows: Rows,
        row_of: npt.NDArray[np.int32],
        teams: Sequence[int],
        record: np.dtype[Any],
    ) -> None:
        count = len(rows.alive)
        self.rows, self.row_of, self.teams, self.record = rows, row_of, teams, record
        self.returns = np.zeros(count)
        self.lengths = np.zeros(count, np.int64)
        self.episodes = np.zeros(count, np.int64)  # index of the running one
        self.offsets = np.zeros(count, np.int64)  # episodes before the worker's own count
        self.observations = np.zeros_like(rows.observations)
        self.alive = np.zeros(count, np.bool_)
        self.acts = np.zeros(count, np.bool_)

    def clear(self) -> None:
        """Every env begins anew."""
        for array in (self.returns, self.lengths, self.episodes, self.offsets):
            array[:] = 0

    def before(self, place: npt.NDArray[np.int32]) -> None:
        """Some rows are about to be stepped: a worker that dies may leave them half written."""
        rows = self.rows
        self.observations[place] = rows.observations[place]
        self.alive[place] = self.acts[place] = rows.alive[place]
        if rows.action_mask is not None:
            self.acts[place] &= rows.action_mask[place].any(axis=1)

    def after(self, place: npt.NDArray[np.int32], records: npt.NDArray[Any]) -> None:
        """The step of these rows is done; the records of workers that went on are numbered on."""
        rows = self.rows
        self.returns[place] += rows.rewards[place]
        self.lengths[place] += self.acts[place]
        ended = place[rows.terminated[place] | rows.truncated[place]]
        self.returns[ended] = self.lengths[ended] = 0
        records["episode"] += self.offsets[records["row"]]
        self.episodes[records["row"]] = records["episode"] + 1

    def cut(self, envs: npt.NDArray[np.intp]) -> npt.NDArray[Any]:
        """Truncate what ran in some envs that have just begun anew.

        The step brings no reward, the last delivered observations are the episodes' last ones.

        Returns:
            a partial record for each running episode: its length and its rewards as delivered.
        """
        rows = self.rows
        place = self.row_of[envs].ravel()
        self.offsets[place] = self.episodes[place]
        rows.rewards[place], rows.terminated[place] = 0.0, False
        rows.truncated[place] = self.alive[place]
        rows.final[place] = self.observations[place]
        running = np.flatnonzero(self.alive[place])
        cut = place[running]
        records = np.zeros(len(cut), self.record)
        records["row"], records["env"] = cut, np.repeat(envs, len(self.teams))[running]
        records["seat"] = running % len(self.teams)
        records["team"] = np.asarray(self.teams)[records["seat"]]
        records["return"], records["length"] = self.returns[cut], self.lengths[cut]
        records["score"] = records["outcome"] = records["stats"] = np.nan
        records["truncated"] = records["partial"] = True
        self.acts[place] = False
        self.offsets[cut] += 1  # the worker's count, which begins at 0, goes on after this one
        records["episode"] = -1
        return records
