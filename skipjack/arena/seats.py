"""A share of the training games with past selves on one side: whom the learner meets, and how it fares.

Rows are laid out once: the learner's first, then a block for each bank of opponents. The trainer learns from
the first part, a slice, so that nothing an opponent saw can get into a rollout.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from skipjack import seeding
from skipjack.arena.bank import Bank, Weights
from skipjack.arena.results import WITHOUT
from skipjack.arena.sampler import Sampler
from skipjack.arena.seating import narrow, sides
from skipjack.errors import RunError, must
from skipjack.policies.memory import State, clear
from skipjack.rows import Actor, Batch, views
from skipjack.vector import Vector

MOST_UPDATES = 256
"""Updates after which an opponent is changed even if some slot has not played its games."""

NOISE = 64
"""Ticks whose acting noise is drawn at once."""

Opponent = Weights | Actor
"""Who sits in a bank: weights, or whoever acts for rows."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where every seat's row is. All groups are alike; each is a slice.

    Attributes:
        row_of: (envs, seats) row of each seat.
        learner: rows of a group that are learned from; they come first.
        block: rows of each bank in a group; they follow, bank after bank.
        banks: how many banks there are.
        slots: games against past selves in a group, bank after bank.
        slot_of: (learner,) the slot whose outcome a row tells; -1 for most.
    """

    row_of: npt.NDArray[np.int32]
    learner: int
    block: int
    banks: int
    slots: int
    slot_of: npt.NDArray[np.int64]


def plan(num_envs: int, groups: int, teams: Sequence[int], share: float, banks: int) -> Plan:
    """Lay out rows for a share of games against past selves, the learner on either side equally often.

    Args:
        num_envs, groups, teams: of the vector.
        share: of the games; rounded so that all banks have as many, at least one a side.
        banks: past selves at once.

    Raises:
        UsageError: the teams are not two equal ones, or there are too few envs.
    """
    first, second = sides(teams)
    envs, unit = num_envs // groups, 2 * banks
    slots = min(max(1, round(share * envs / unit)), envs // unit) * unit
    if not slots:
        raise must(
            "a group must have two envs for each bank of past selves",
            hint="Lower arena.banks or raise vector.num_envs.",
            envs=envs,
            banks=banks,
        )
    own, size = envs - slots, len(teams)
    learner = own * size + slots * len(first)
    block = slots // banks * len(first)
    row_of = np.arange(num_envs * size, dtype=np.int32).reshape(groups, envs, size)
    slot_of = np.full(learner, -1)
    ours = np.arange(own * size, learner).reshape(slots, -1)
    theirs = np.arange(learner, learner + banks * block).reshape(slots, -1)
    slot_of[ours[:, 0]] = np.arange(slots)
    for group in range(groups):
        start = group * envs * size
        for slot in range(slots):
            mine, other = (first, second) if slot % 2 == 0 else (second, first)
            row_of[group, own + slot, mine] = start + ours[slot]
            row_of[group, own + slot, other] = start + theirs[slot]
    return Plan(row_of.reshape(num_envs, size), learner, block, banks, slots, slot_of)


class PastSeats:
    """The trainer's seats, with past selves in some of them.

    Args:
        plan: where the rows are.
        vector: laid out by it.
        policy: of the learner's shape, on its device.
        sampler: draws whom to meet.
        find: gives weights or an actor (for a number of rows and a seed) for a name.
        seed: of draws and acting noise.
        quota: games of a slot before its opponent is changed.

    Attributes:
        rows: rows that are learned from, over all groups.
        met: the names of those in the banks.
        void, told: games that ended under another opponent than they began with, and all others.
    """

    def __init__(
        self,
        plan: Plan,
        vector: Vector,
        policy: Any,
        sampler: Sampler,
        find: Callable[[str], Weights | Callable[[int, int], Actor]],
        seed: int,
        quota: int,
    ) -> None:
        groups, action = vector.groups, vector.action
        self.plan, self.groups, self.sampler, self.find = plan, groups, sampler, find
        self.rows = groups * plan.learner
        self.seed, self.quota = seeding.child(seed, "opponents"), quota
        self.bank = Bank(policy, plan.banks)
        self.device = next(policy.parameters()).device
        count = plan.learner + plan.banks * plan.block
        self.actions = np.zeros((groups, count, action.width), action.dtype)
        self.met = [""] * plan.banks
        self.actors: dict[tuple[int, int], Actor] = {}  # by group and bank
        self.memory: list[State] = [self.bank.initial_state(plan.block) for _ in range(groups)]
        slots = (groups, plan.slots)
        self.told = self.void = 0
        self.counters = {
            "ticks": np.zeros(groups, np.int64),  # batches acted on
            "epoch": np.zeros(plan.banks, np.int64),  # opponents so far
            "since": np.zeros(plan.banks, np.int64),  # update of the last change
            "began": np.zeros(slots, np.int64),  # the epoch in which a slot's game began
            "counted": np.zeros(slots, np.int64),
            "points": np.zeros((*slots, quota), np.float64),
        }
        self.messages: list[str] = []  # for the user
        # Whole games with an outcome, and without; until the user has been told that none has one.
        self._tells: list[int] | None = [0, 0]
        # By group, of the newest batch.
        self._looked: dict[int, tuple[Batch, Batch]] = {}  # with the learner's part
        self._views: dict[int, dict[str, Any]] = {}  # the arrays of that part: always the same
        self._tensors: dict[int, dict[str, torch.Tensor]] = {}  # the opponents' arrays
        # Acting noise, and from which tick on.
        self._drawn: dict[int, tuple[int, torch.Tensor]] = {}
        # Records of the learner's rows since the last `turn`.
        self._ended: dict[int, list[npt.NDArray[Any]]] = {}

    def narrow(self, batch: Batch) -> Batch:
        """The learner's part of a batch; outcomes against past selves are noted on the way."""
        whole, own = self._looked.get(batch.group, (None, batch))
        if whole is not batch:
            learner = slice(0, self.plan.learner)
            if whole is None:
                self._views[batch.group] = views(batch, learner)
            first = batch.group * self.plan.learner
            own = narrow(batch, learner, first, self._views[batch.group])
            self._looked[batch.group] = batch, own
            if len(own.episodes):
                self._ended.setdefault(batch.group, []).append(own.episodes.copy())
        return own

    def complete(self, batch: Batch, actions: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The learner's actions and those of the past selves."""
        whole, start = self.actions[batch.group], self.plan.learner
        whole[:start] = actions
        seen = self._theirs(batch)
        mask = self._to_device(seen["action_mask"]) if "action_mask" in seen else None
        memory = self.memory[batch.group]
        if memory:
            memory = clear(memory, self._to_device(seen["terminated"] | seen["truncated"]))
        noise = self._noise(batch.group)
        taken, memory = self.bank.act(self._to_device(seen["observations"]), memory, noise, mask)
        if memory:  # a dead step leaves nothing behind
            memory = clear(memory, self._to_device(~seen["alive"]))
        self.memory[batch.group] = memory
        whole[start:] = taken.cpu().numpy()
        if self.actors:
            self._ask_actors(batch, whole[start:])
        return whole

    def turn(self, update: int) -> None:
        """Between two updates: change the opponent of a bank whose slots have all played their games.

        At most one bank changes, so that the mixture of opponents never jumps. Games go on with whoever sits
        opposite then; they count for nobody.
        """
        self._note()
        self._doubt_outcomes()
        for offset in range(self.plan.banks):
            bank = (update + offset) % self.plan.banks
            late = update - self.counters["since"][bank] >= MOST_UPDATES
            if late or self._slots("counted", bank).min() >= self.quota:
                self._credit(bank)
                if self._replace(bank, update):
                    self.counters["since"][bank] = update
                else:  # whoever sits there stays, and those games have counted
                    self._slots("counted", bank)[:] = 0
                return

    def seat(self, bank: int, name: str) -> None:
        """Put a member of the pool into a bank, whose rows remember nothing then."""
        opponent = self.find(name)
        self.met[bank] = name
        rows = slice(bank * self.plan.block, (bank + 1) * self.plan.block)
        for group in range(self.groups):
            self.actors.pop((group, bank), None)
            for part in self.memory[group]:
                part[rows] = 0
            if not isinstance(opponent, Mapping):
                seed = seeding.state(self.seed, "acting", group, bank)
                self.actors[group, bank] = opponent(self.plan.block, seed)
        if isinstance(opponent, Mapping):
            self.bank.load(bank, opponent)

    def summary(self) -> dict[str, float]:
        """What a run reports of it: share of games, members of the pool, mean score, share of void games."""
        self._note()
        points, games = self.sampler.scores.sum(0) if len(self.sampler.names) else (0.0, 0.0)
        found = {
            "past/share": self.plan.slots / (len(self.plan.row_of) // self.groups),
            "past/pool": float(len(self.sampler.names)),
        }
        if games:
            found["past/score"] = float(points / games)
        if self.told + self.void:
            found["past/void"] = self.void / (self.told + self.void)
        self.told = self.void = 0
        return found

    def save(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        """Arrays and names that a resumed run needs."""
        self._note()
        arrays = {name: value.copy() for name, value in self.counters.items()}
        arrays |= {"scores": self.sampler.scores.copy(), "quality": self.sampler.quality.copy()}
        for group, state in enumerate(self.memory):
            for at, part in enumerate(state):
                arrays[f"memory.{group}.{at}"] = part.cpu().numpy().copy()
        return arrays, {"pool": list(self.sampler.names), "met": list(self.met)}

    def load(self, arrays: Mapping[str, npt.NDArray[Any]], names: Mapping[str, Any]) -> None:
        """Take back what `save` gave; where it holds no memory, the games begin anew.

        Who sat in a bank and is gone is met no more: another one takes over in games that count for nobody.

        Raises:
            RunError: nobody of the pool is there.
        """
        self.sampler.keep(names["pool"])
        self.sampler.scores = np.array(arrays["scores"])
        self.sampler.quality = np.array(arrays["quality"])
        empty = [bank for bank, name in enumerate(names["met"]) if not self._seated(bank, name)]
        for name, value in self.counters.items():
            value[:] = arrays[name]
        for group, state in enumerate(self.memory):
            for at, part in enumerate(state):
                if f"memory.{group}.{at}" in arrays:
                    part.copy_(torch.from_numpy(np.array(arrays[f"memory.{group}.{at}"])))
        for bank in empty:
            update = int(self.counters["since"][bank])
            while not self._replace(bank, update):
                if not self.sampler.names:
                    raise RunError("Past selves must be there to go on against, but all are gone.")

    def _seated(self, bank: int, name: str) -> bool:
        """Seat a member; if it is gone it leaves the pool, which the user is told."""
        try:
            self.seat(bank, name)
        except RunError as error:
            self.sampler.keep([each for each in self.sampler.names if each != name])
            self.messages.append(f"{name} is met no more. {error}")
            return False
        return True

    def _replace(self, bank: int, update: int) -> bool:
        """Draw a bank's next opponent; false if that one is gone."""
        if not self.sampler.names:
            return False
        name = self.sampler.draw(seeding.state(self.seed, "opponents", update, bank))
        if not self._seated(bank, name):
            return False
        self.counters["epoch"][bank] += 1
        self._slots("counted", bank)[:] = 0
        return True

    def _theirs(self, batch: Batch) -> dict[str, torch.Tensor]:
        """The opponents' part of a group's arrays, as tensors."""
        # PERF: once a group, for its arrays stay the same; in each tick it took over 1 us.
        found = self._tensors.get(batch.group)
        if found is None:
            arrays = views(batch, slice(self.plan.learner, None))
            found = {
                name: torch.from_numpy(array) for name, array in arrays.items() if array is not None
            }
            self._tensors[batch.group] = found
        return found

    def _noise(self, group: int) -> torch.Tensor:
        """The acting noise of the next tick of a group; it depends on that alone."""
        # PERF: a generator of its own for each tick took 30 us.
        tick = int(self.counters["ticks"][group])
        self.counters["ticks"][group] += 1
        begin = tick - tick % NOISE
        if self._drawn.get(group, (-1,))[0] != begin:
            seed = seeding.state(self.seed, "acting", group, begin)
            generator = torch.Generator(self.device).manual_seed(seed)
            self._drawn[group] = begin, self.bank.noise(NOISE, self.plan.block, generator)
        return self._drawn[group][1][tick - begin]

    def _ask_actors(self, batch: Batch, actions: npt.NDArray[Any]) -> None:
        """Scripted players write over what their bank's weights would do."""
        start = self.plan.learner
        rest = narrow(batch, slice(start, start + len(actions)), 0)
        for (group, bank), actor in self.actors.items():
            if group == batch.group:
                rows = slice(bank * self.plan.block, (bank + 1) * self.plan.block)
                actions[rows] = actor.act(narrow(rest, rows, 0))

    def _note(self) -> None:
        """Take in the outcomes of the games that have ended since the last time, with the same opponents."""
        # PERF: once a rollout; in each tick it took 27 us.
        ended, self._ended = self._ended, {}
        for group, parts in sorted(ended.items()):
            self._note_group(group, np.concatenate(parts))

    def _note_group(self, group: int, episodes: npt.NDArray[Any]) -> None:
        counters, rows = self.counters, self.plan.row_of.size // self.groups
        slot = self.plan.slot_of[episodes["row"] - group * rows]
        told, slot = episodes[slot >= 0], slot[slot >= 0]
        order = np.argsort(slot, kind="stable")  # games of a slot stay in their order
        told, slot = told[order], slot[order]
        nth = np.arange(len(slot)) - slot.searchsorted(slot)
        epoch = counters["epoch"][slot // (self.plan.slots // self.plan.banks)]
        # Only the first of them can have begun under another opponent.
        whole = (nth > 0) | (counters["began"][group, slot] == epoch)
        counters["began"][group, slot] = epoch
        blind = np.isnan(told["outcome"])
        if self._tells is not None:
            for at, seen in enumerate((~blind, blind)):
                self._tells[at] += int(np.count_nonzero(seen & ~told["partial"]))
        whole &= ~told["partial"] & ~blind
        played = int(np.count_nonzero(whole))
        self.told += played
        self.void += len(whole) - played
        slot, outcome = slot[whole], told["outcome"][whole]
        count = counters["counted"][group, slot] + np.arange(len(slot)) - slot.searchsorted(slot)
        fits = count < self.quota
        slot, count = slot[fits], count[fits]
        counters["points"][group, slot, count] = outcome[fits]
        np.add.at(counters["counted"][group], slot, 1)

    def _doubt_outcomes(self) -> None:
        if self._tells is None:
            return
        known, blind = self._tells
        if known:
            self._tells = None
        elif blind >= self.groups * self.plan.slots:
            self._tells = None
            self.messages.append(f"Past selves are chosen without knowing who won. {WITHOUT}")

    def _credit(self, bank: int) -> None:
        """As many games of each slot as all of them have played: the quick ones count no more."""
        enough = int(self._slots("counted", bank).min())
        points = self._slots("points", bank)[..., :enough]
        self.sampler.take(self.met[bank], points.reshape(-1))

    def _slots(self, name: str, bank: int) -> npt.NDArray[Any]:
        """A counter's slots (groups, slots, ...) of one bank; a view."""
        size = self.plan.slots // self.plan.banks
        return self.counters[name][:, bank * size : (bank + 1) * size]

    def _to_device(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(self.device, non_blocking=True)
