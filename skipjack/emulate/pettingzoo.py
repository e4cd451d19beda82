"""PettingZoo parallel environments as an engine: one seat for each possible agent."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from skipjack.emulate.config import EmulateConfig
from skipjack.emulate.engine import MASK, PythonEngine, alike, bare, probed, without_mask
from skipjack.errors import must


class Worlds(PythonEngine):
    """`num_envs` PettingZoo parallel environments, stepped one after the other.

    An agent that is not in `env.agents` is not alive: its row waits for it to come (back). When no
    agent is left the env begins anew in the same step. An agent whose episode ends while others go
    on leaves its row until then; one that vanishes without a word was truncated at what it saw last.
    Between two teams of equal size, the one with more reward has won (`Ledger.settle`).

    Args:
        first: the first env, already made.
        make: makes each further one.
        num_envs: envs in all.
        config: settings.

    Raises:
        UsageError: agents differ in their spaces, or a setting does not fit several agents.
    """

    def __init__(
        self, first: Any, make: Callable[[], Any], num_envs: int, config: EmulateConfig
    ) -> None:
        self.agents = list(getattr(first, "possible_agents", ()))
        if not self.agents:
            raise must(
                "a PettingZoo environment must name its possible_agents", got=type(first).__name__
            )
        if config.stack > 1 or config.clip_observations:
            raise must(
                "env.stack and env.clip_observations must be off where there are several agents",
                hint="Use PettingZoo's own wrappers (SuperSuit) in the environment's maker.",
                stack=config.stack,
                clip_observations=config.clip_observations,
            )
        space, self.nested = without_mask(
            _common(first.observation_space, self.agents, "observation")
        )
        _, infos = probed(first)
        super().__init__(
            alike(first, make, num_envs),
            num_envs,
            _teams(self.agents, config.teams),
            config,
            space,
            _common(first.action_space, self.agents, "action"),
            masked=self.nested or any(MASK in info for info in infos.values()),
        )
        self.clocks = [0] * num_envs

    def _step(self, env: int) -> None:
        world, rows, row_of = self.envs[env], self.rows, self.row_of[env]
        acted = set(world.agents)
        actions = {
            agent: self.actions.unpack(rows.actions[row])
            for agent, row in zip(self.agents, row_of, strict=True)
            if agent in acted
        }
        seen, rewards, terminations, truncations, infos = world.step(actions)
        self.clocks[env] += 1
        late = bool(self.config.time_limit) and self.clocks[env] >= self.config.time_limit
        left = set() if late else set(world.agents)
        for seat, (agent, row) in enumerate(zip(self.agents, row_of, strict=True)):
            rows.rewards[row] = 0.0
            rows.terminated[row] = rows.truncated[row] = False
            if agent not in acted:
                if agent in left:  # it comes (back)
                    self._show(env, seat, seen[agent], infos.get(agent, {}))
                continue
            reward = float(rewards.get(agent, 0.0))
            slot = env * self.seats + seat
            self.ledger.returns[slot] += reward
            self.ledger.points[slot] += reward
            self.ledger.lengths[slot] += self._may_act(row)
            rows.rewards[row] = self._clipped(reward)
            terminated = bool(terminations.get(agent, False))
            if terminated or agent not in left or truncations.get(agent, False):
                last, stays = seen.get(agent), agent in left and agent in seen
                self._end(env, seat, row, terminated, last, infos.get(agent, {}), stays)
            else:
                self._show(env, seat, seen[agent], infos.get(agent, {}))
        if not left:
            self.ledger.settle(env)
            self._next(env)

    def _end(
        self,
        env: int,
        seat: int,
        row: int,
        terminated: bool,
        last: Any,
        info: Mapping[str, Any],
        stays: bool,
    ) -> None:
        """An agent's episode is over; its row is nobody's until the next one begins.

        `stays` if the env keeps the agent: what it sees then is also the first of its next episode.
        """
        rows = self.rows
        rows.terminated[row], rows.truncated[row] = terminated, not terminated
        if not terminated or self.final_all:
            if last is None:  # it vanished: what it saw last stands for what it would have seen
                rows.final[row] = rows.observations[row]
            else:
                self.write_final[env][seat](self._bare(last))
        self.ledger.end(env, seat, row, not terminated, info)
        if stays:  # it begins anew at once
            self._show(env, seat, last, info)
        else:
            self._absent(row)

    def _begin(self, env: int, seed: int | None = None) -> None:
        """The env's next episode."""
        self.clocks[env] = 0
        seen, infos = self.envs[env].reset(seed=seed)
        there = set(self.envs[env].agents)
        self._verify(env, [self._bare(seen[agent]) for agent in self.agents if agent in there])
        for seat, (agent, row) in enumerate(zip(self.agents, self.row_of[env], strict=True)):
            if agent in there:
                self._show(env, seat, seen[agent], infos.get(agent, {}))
            else:
                self._absent(row)

    def _show(self, env: int, seat: int, seen: Any, info: Mapping[str, Any]) -> None:
        """What an agent that is there sees."""
        row = self.row_of[env][seat]
        self.write[env][seat](self._bare(seen))
        self.rows.alive[row] = True
        self._write_mask(row, seen.get(MASK) if self.nested else info.get(MASK))

    def _absent(self, row: int) -> None:
        self.rows.alive[row] = False
        self.rows.observations[row] = 0
        if self.rows.action_mask is not None:
            self.rows.action_mask[row] = 0

    def _bare(self, seen: Any) -> Any:
        """The observation without its mask."""
        return bare(seen) if self.nested else seen


def _common(space_of: Callable[[Any], Any], agents: list[Any], what: str) -> Any:
    """The space that all agents share.

    Raises:
        UsageError: they do not.
    """
    first = space_of(agents[0])
    for agent in agents[1:]:
        if space_of(agent) != first:
            raise must(
                f"all agents must share one {what} space",
                hint="Pad them to a common one in the maker, as SuperSuit's pad_observations_v0 and "
                "pad_action_space_v0 do.",
                **{str(agents[0]): str(first), str(agent): str(space_of(agent))},
            )
    return first


def _teams(agents: list[Any], how: str) -> tuple[int, ...]:
    """A number for each agent's team, in the order in which teams appear."""
    if how != "names":
        return tuple(range(len(agents))) if how == "each" else (0,) * len(agents)
    stems = [re.sub(r"_?\d+$", "", str(agent)) for agent in agents]
    order = list(dict.fromkeys(stems))
    return tuple(order.index(stem) for stem in stems)
