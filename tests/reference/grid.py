"""The grid family, slow and readable: the twins of skipjack/games/grid/mazes.pyx and worlds.pyx.

Places are (row, column) within the walls; what lies outside is wall.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.reference.twin import Twin, f32

EMPTY, WALL, GOAL, LAVA, KEY, DOOR = 0, 1, 2, 3, 4, 10
WAYS = [(-1, 0), (0, 1), (1, 0), (0, -1)]  # up, right, down, left
Place = tuple[int, int]


def plus(place: Place, way: Place, times: int = 1) -> Place:
    return place[0] + times * way[0], place[1] + times * way[1]


def byte(reward: float) -> int:
    return int(f32(127) + f32(127) * f32(reward))


class Cells(Twin):
    """What mazes and worlds share: cells, and where an agent is."""

    def at(self, place: Place) -> int:
        inside = 0 <= place[0] < self.config.height and 0 <= place[1] < self.config.width
        return self.cells.get(place, EMPTY) if inside else WALL

    def position(self, place: Place) -> list[int]:
        sides = self.config.height, self.config.width
        return [255 * here // (side - 1) for here, side in zip(place, sides, strict=True)]

    cells: dict[Place, int]


class Maze(Cells):
    def new_episode(self) -> None:
        high, wide = self.config.height, self.config.width
        self.cells = {(y, x): WALL for y in range(high) for x in range(wide)}
        self.rooms = [(y, x) for y in range(1, high, 2) for x in range(1, wide, 2)]
        self.carve()
        start = self.stream.below(len(self.rooms))
        goal = self.stream.below(len(self.rooms) - 1)
        self.start, self.goal = self.rooms[start], self.rooms[goal + (goal >= start)]
        self.cells[self.goal] = GOAL
        self.heading, self.place = self.stream.below(4), self.start
        self.held: set[int] = set()
        self.doors, self.reward, self.solved = 0, 0.0, False
        if self.config.keys or self.config.lava:
            self.furnish()

    def carve(self) -> None:
        unseen = set(self.rooms)
        trail = [self.rooms[self.stream.below(len(self.rooms))]]
        unseen.remove(trail[0])
        self.cells[trail[0]] = EMPTY
        while trail:
            open_ways = [way for way in WAYS if plus(trail[-1], way, 2) in unseen]
            if not open_ways:
                trail.pop()
                continue
            way = open_ways[self.stream.below(len(open_ways))]
            room = plus(trail[-1], way, 2)
            self.cells[plus(trail[-1], way)] = self.cells[room] = EMPTY
            unseen.remove(room)
            trail.append(room)

    def furnish(self) -> None:
        order, parent = [self.start], {self.start: self.start}
        for place in order:
            for way in WAYS:
                there = plus(place, way)
                if self.at(there) != WALL and there not in parent:
                    parent[there] = place
                    order.append(there)

        def way_to(place: Place) -> list[Place]:
            """From behind the start up to the place itself."""
            found = []
            while place != self.start:
                found.append(place)
                place = parent[place]
            return found[::-1]

        way = way_to(self.goal)[:-1]
        places = way[2::2]
        wanted, colours, doors = min(self.config.keys, len(places)), list(range(6)), []
        for i, place in enumerate(places):
            if self.stream.below(len(places) - i) < wanted - len(doors):
                j = len(doors) + self.stream.below(6 - len(doors))
                colours[len(doors)], colours[j] = colours[j], colours[len(doors)]
                self.cells[place] = DOOR + colours[len(doors)]
                doors.append(place)
        passed = {place: sum(door in way_to(place) for door in doors) for place in order}
        needed = {self.start, *way_to(self.goal)}
        for j in range(len(doors)):
            chosen, seen = self.goal, 0
            for room in self.rooms:
                if self.cells[room] == EMPTY and room != self.start and passed[room] <= j:
                    seen += 1
                    if self.stream.below(seen) == 0:
                        chosen = room
            self.cells[chosen] = KEY + colours[j]
            needed |= set(way_to(chosen))
        spare = [place for place in order if place not in needed]
        left = min(self.config.lava, len(spare))
        for i, place in enumerate(spare):
            if self.stream.below(len(spare) - i) < left:
                self.cells[place] = LAVA
                left -= 1

    def play(self, actions: list[Any]) -> tuple[list[float], bool, int]:
        choice, there = int(actions[0][0]), EMPTY
        if choice in (1, 2, 3, 4):
            self.heading = (self.heading + {1: 0, 2: 3, 3: 1, 4: 2}[choice]) % 4
            target = plus(self.place, WAYS[self.heading])
            there = self.at(target)
            locked = there >= DOOR and there - DOOR not in self.held
            if there == WALL or locked:
                there = EMPTY
            else:
                self.place = target
            if there >= KEY:
                self.cells[target] = EMPTY
                if there >= DOOR:
                    self.doors += 1
                else:
                    self.held.add(there - KEY)
        self.solved = there == GOAL
        self.reward = float((there == GOAL) - (there == LAVA))
        return [self.reward], there in (GOAL, LAVA), 1

    def observe(self, seat: int) -> Any:
        up, right = WAYS[self.heading], WAYS[(self.heading + 1) % 4]
        seen = [
            self.at(plus(plus(self.place, up, ahead), right, aside))
            for ahead in range(5, -6, -1)
            for aside in range(-5, 6)
        ]
        held = [int(colour in self.held) for colour in range(6)]
        rest = [*self.position(self.place), byte(self.reward), self.heading, *held]
        return np.array(seen + rest, np.uint8)

    def score(self, seat: int, truncated: bool) -> float:
        return float(self.solved)

    def stats(self, seat: int) -> list[float]:
        return [len(self.held), self.doors]


MOVES = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)]


def sign(value: int) -> int:
    return (value > 0) - (value < 0)


class World(Cells):
    def __init__(self, seed: int, config: Any) -> None:
        self.agents, self.task = config.agents, config.task
        self.all_seats = config.opponent == "self"
        self.seats, self.first = self.agents if self.all_seats else config.predators, -1
        super().__init__(seed, config)

    def kind(self, agent: int) -> int:
        if self.task == "forage":
            return 3
        return 2 + agent % 4 if self.task == "group" else 2 + (agent >= self.config.predators)

    def empty(self) -> Place | None:
        wide, count = self.config.width, self.config.width * self.config.height
        for _ in range(32):
            place = divmod(self.stream.below(count), wide)
            if place not in self.cells:
                return place
        start = self.stream.below(count)
        places = (divmod((start + i) % count, wide) for i in range(count))
        return next((place for place in places if place not in self.cells), None)

    def feed(self) -> None:
        while self.owed:
            place = self.empty()
            if place is None:
                return
            self.cells[place] = 2
            self.owed -= 1

    def new_episode(self) -> None:
        if self.all_seats:
            self.first = 0
        elif self.first < 0:
            self.first = self.config.predators * self.stream.below(2)
        else:
            self.first = self.config.predators - self.first
        self.cells, self.places = {}, []
        for agent in range(self.agents):
            place = self.empty()
            assert place is not None
            self.places.append(place)
            self.cells[place] = self.kind(agent)
        self.rewards = [0.0] * self.agents
        self.parts = [[0, 0] for _ in range(self.agents)]
        self.owed = self.config.food if self.task == "forage" else 0
        self.feed()

    def wanted(self, action: Any) -> Place:
        if self.config.continuous:
            right, down = (int(a > f32(1 / 3)) - int(a < -f32(1 / 3)) for a in action)
            return down, right
        return MOVES[int(action[0])] if 0 <= action[0] < 9 else (0, 0)

    def planned(self, agent: int) -> Place:
        """Where the opponent's agent wants to go."""
        if self.config.opponent == "random":
            return MOVES[self.stream.below(9)]
        hunts = self.kind(agent) == 2
        seen = self.window(agent).reshape(11, 11)
        ways = [(int(y) - 5, int(x) - 5) for y, x in np.argwhere(seen == (3 if hunts else 2))]
        if hunts and not ways:
            down, right = (127 - here for here in self.position(self.places[agent]))
        else:
            to = 1 if hunts else -1
            down, right = (to * sum(way[i] for way in ways) for i in range(2))
        return sign(down), sign(right)

    def play(self, actions: list[Any]) -> tuple[list[float], bool, int]:
        self.feed()
        own = range(self.first, self.first + self.seats)
        others = [agent for agent in range(self.agents) if agent not in own]
        wanted = {agent: self.planned(agent) for agent in others}
        wanted |= {own[seat]: self.wanted(action) for seat, action in enumerate(actions)}
        for agent in range(self.agents):
            target = plus(self.places[agent], wanted[agent])
            there = self.at(target)
            eats = there == 2 and self.task == "forage"
            self.rewards[agent] = float(f32(0.1)) if eats else 0.0
            if there == EMPTY or eats:
                del self.cells[self.places[agent]]
                self.cells[target] = self.kind(agent)
                self.places[agent] = target
            if eats:
                self.parts[agent][0] += 1
                self.owed += 1
                self.feed()
        if self.task != "forage":
            for agent in own:
                self.meet(agent)
        return [self.rewards[agent] for agent in own], False, 1

    def meet(self, agent: int) -> None:
        seen = self.window(agent)
        own = self.kind(agent)
        others = seen[(seen >= 2)].tolist()
        others.remove(own)
        if self.task == "group":
            same = others.count(own)
            self.parts[agent][0] += same
            self.parts[agent][1] += len(others) - same
            reward = f32(0.1) * f32(same - (len(others) - same))
        else:
            met = others.count(5 - own)
            self.parts[agent][0] += met
            reward = f32(0.1) * f32(met) * f32(1 if own == 2 else -1)
        self.rewards[agent] = float(np.clip(reward, -1, 1))

    def window(self, agent: int) -> Any:
        y, x = self.places[agent]
        around = range(-5, 6)
        return np.array([self.at((y + dy, x + dx)) for dy in around for dx in around], np.uint8)

    def observe(self, seat: int) -> Any:
        agent = self.first + seat
        rest = [*self.position(self.places[agent]), byte(self.rewards[agent])]
        return np.concatenate([self.window(agent), np.array(rest, np.uint8)])

    def score(self, seat: int, truncated: bool) -> float:
        agent = self.first + seat
        if self.task == "forage":
            return min(f32(self.parts[agent][0]) / f32(self.length) / f32(0.2), f32(1))
        mean = f32(self.totals[seat] / self.length)
        if self.task == "group":
            return (f32(1) + mean) / f32(2)
        return min(max(mean if self.kind(agent) == 2 else mean + f32(1), f32(0)), f32(1))

    def stats(self, seat: int) -> list[float]:
        agent = self.first + seat
        if self.task == "group":
            return self.parts[agent]
        score, seen = self.score(seat, True), self.parts[agent][0]
        if self.task == "forage":
            return [seen]
        return [seen, score, np.nan] if self.kind(agent) == 2 else [seen, np.nan, score]
