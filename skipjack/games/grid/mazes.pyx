"""Mazes of the grid family: find the goal, with keys for its doors and lava to keep out of.

    # # # # # # # # #       #  wall       G  goal
    # > . . # . . . #       >  the agent and its heading
    # # # . # . # # #       k  a key, D the door that it opens
    # k . . D . . L #       L  lava
    # # # # # . # # #
    # L . . . . . G #       .  empty
    # # # # # # # # #

A maze of odd sides up to 47, walls included, without loops (random depth-first search), new in every
episode; start, goal and heading are random. With `keys`, as many doors, each of its own of six colours,
lie on the way to the goal as far as it has room, the key of each where it can be had before; with
`lava`, so many of the cells that no way needs are lava.

Actions: 0 pass, 1 forward, 2 left, 3 right, 4 back: the agent turns from its heading and goes one cell on; at
a wall, and at a door whose key it has not, it only turns. A key is taken by stepping on it and is
kept; a door that is gone through is gone. Reward: 1 at the goal and -1 in lava, which both end the
episode, else 0. Score: 1 if the goal was reached, else 0. Outcome: none. Statistics: keys (taken), doors
(opened).

Observation, uint8[131]: the window [11, 11], turned so that the heading is up: 0 empty, 1 wall, 2 goal, 3
lava, 4..9 keys, 10..15 doors; position [2], row and column within the maze x 255 / the last one; reward [1]
of the last step, 127 + 127 x reward; heading [1], 0 up, 1 right, 2 down, 3 left; held [6], 1 for each
key that the agent has.
"""

from libc.stdint cimport int16_t

import numpy as np

from skipjack.errors import must
from skipjack.native.camera import Camera
from skipjack.native.cells cimport *
from skipjack.native.kernel cimport *
from skipjack.native.part import part
from skipjack.native.scene import Line

cdef enum:
    ROOMS = 529         # of the largest maze
    CELLS = 3249        # of the largest maze, with the walls around it
    LARGEST = 47
    COLOURS = 6         # of keys and doors

cdef enum Cell:
    EMPTY
    WALL
    GOAL
    LAVA
    KEY
    DOOR = 10
    UNSEEN = 255        # a room that the search has not reached

BRIGHT = [(230, 90, 80), (240, 200, 90), (96, 190, 110), (90, 200, 210), (110, 140, 240), (190, 130, 220)]
DARK = [(115, 45, 40), (120, 100, 45), (48, 95, 55), (45, 100, 105), (55, 70, 120), (95, 65, 110)]
PALETTE = np.array(
    [(24, 28, 38), (70, 78, 96), (140, 240, 150), (250, 120, 40), *BRIGHT, *DARK], np.uint8
)


cdef struct Config:
    int width
    int height
    int keys
    int lava


cdef struct Shape:          # what follows from the settings
    Ground ground
    int scale_y             # of the position
    int scale_x
    int view[4]             # by heading: where the first cell stands in the turned picture, how far from it
    int down[4]             # its neighbours below and to the right, and how long the picture's rows are
    int right[4]
    int line[4]


cdef struct State:          # then four pictures of the cells, turned by heading
    int y                   # walls around included
    int x
    int heading
    int held                # a bit for each key
    int keys                # that were taken
    int doors               # that were opened
    float reward            # of the last step


cdef Shape shape_of(const Config* c):
    cdef Shape g
    cdef int high = c.height + 2 * VISION, wide = c.width + 2 * VISION, i
    g.ground = ground(c.width, c.height)
    g.scale_y, g.scale_x = scale(c.height), scale(c.width)
    pictures = [
        (0, wide, 1, wide),
        ((wide - 1) * high, 1, -high, high),
        (g.ground.cells - 1, -wide, -1, wide),
        (high - 1, -1, high, high),
    ]
    for i, (first, down, right, line) in enumerate(pictures):
        g.view[i], g.down[i], g.right[i], g.line[i] = first + i * g.ground.cells, down, right, line
    return g


cdef inline uint8_t* pictures_of(Kernel* k, int env) noexcept nogil:
    return <uint8_t*>state(k, env) + sizeof(State)


cdef inline int place(const Shape* g, int heading, int y, int x) noexcept nogil:
    """Where a cell stands in the pictures."""
    return g.view[heading] + y * g.down[heading] + x * g.right[heading]


# ---- reset ----

cdef inline int rooms_of(const Ground* g) noexcept nogil:
    return (g.width - 1) // 2 * ((g.height - 1) // 2)


cdef inline int room(const Ground* g, int index) noexcept nogil:
    """The cell of a room."""
    cdef int wide = (g.width - 1) // 2
    return (VISION + 1 + 2 * (index // wide)) * g.stride + VISION + 1 + 2 * (index % wide)


cdef void carve(const Ground* g, Stream* stream, uint8_t* cells, const int* ways) noexcept nogil:
    """A maze without loops that reaches every room."""
    cdef int trail[ROOMS]
    cdef int open_ways[4]
    cdef int rooms = rooms_of(g), depth = 0, i, count, way
    cdef int at = room(g, below(stream, rooms))
    memset(cells, WALL, g.cells)
    for i in range(rooms):
        cells[room(g, i)] = UNSEEN
    cells[at] = EMPTY
    while True:
        count = 0
        for i in range(4):
            if cells[at + 2 * ways[i]] == UNSEEN:
                open_ways[count] = ways[i]
                count += 1
        if count:
            way = open_ways[below(stream, count)]
            trail[depth] = at
            depth += 1
            cells[at + way] = EMPTY
            at += 2 * way
            cells[at] = EMPTY
        elif depth:
            depth -= 1
            at = trail[depth]
        else:
            return


cdef void furnish(
    const Config* c, const Ground* g, Stream* stream, uint8_t* cells, const int* ways, int start, int goal
) noexcept nogil:
    """Doors on the way to the goal, each key before its door, lava where no way needs the cell."""
    cdef int16_t parent[CELLS]
    cdef int16_t order[CELLS]
    cdef uint8_t passed[CELLS]      # doors between the start and a cell
    cdef uint8_t needed[CELLS]
    cdef uint8_t colours[COLOURS]
    cdef int16_t way[CELLS]         # from the start to the goal, without them
    cdef int count = 1, length = 0, doors = 0, i, j, at, cell, seen, chosen, left
    memset(needed, 0, CELLS)
    memset(passed, 0, CELLS)
    order[0], parent[start] = start, start
    for i in range(g.cells):
        if i == count:
            break
        for j in range(4):
            cell = order[i] + ways[j]
            if cells[cell] != WALL and cell != parent[order[i]]:
                parent[cell] = order[i]
                order[count] = cell
                count += 1
    at = parent[goal]
    while at != start:
        length += 1
        at = parent[at]
    at = goal
    for i in range(length - 1, -1, -1):
        at = parent[at]
        way[i] = at
    for i in range(COLOURS):
        colours[i] = i
    left = (length - 1) // 2        # places for doors: between rooms, but for the first
    for i in range(2, length, 2):
        if below(stream, left) < min(c.keys, (length - 1) // 2) - doors:
            j = doors + below(stream, COLOURS - doors)
            colours[doors], colours[j] = colours[j], colours[doors]
            cells[way[i]] = DOOR + colours[doors]
            doors += 1
        left -= 1
    for i in range(1, count):
        passed[order[i]] = passed[parent[order[i]]] + (cells[order[i]] >= DOOR)
    needed[start] = 1
    for j in range(-1, doors):
        chosen, seen = goal, 0
        if j >= 0:
            for i in range(rooms_of(g)):
                cell = room(g, i)
                if cells[cell] == EMPTY and cell != start and passed[cell] <= j:
                    seen += 1
                    if below(stream, seen) == 0:
                        chosen = cell
            cells[chosen] = KEY + colours[j]
        while not needed[chosen]:
            needed[chosen] = 1
            chosen = parent[chosen]
    left = 0
    for i in range(count):
        left += not needed[order[i]]
    seen = min(c.lava, left)
    for i in range(count):
        if not needed[order[i]]:
            if below(stream, left) < seen:
                cells[order[i]] = LAVA
                seen -= 1
            left -= 1


cdef void turn_pictures(const Shape* g, uint8_t* pictures) noexcept nogil:
    """The other three pictures from the first one."""
    cdef int heading, y, x, stride = g.ground.stride
    for heading in range(1, 4):
        for y in range(g.ground.height + 2 * VISION):
            for x in range(stride):
                pictures[place(g, heading, y, x)] = pictures[y * stride + x]


cdef void new_maze(const Config* c, const Shape* g, Kernel* k, int env) noexcept nogil:
    cdef Stream* stream = &header(k, env).stream
    cdef State* s = <State*>state(k, env)
    cdef uint8_t* cells = pictures_of(k, env)
    cdef int[4] ways = [-g.ground.stride, 1, g.ground.stride, -1]
    cdef int start, goal
    memset(s, 0, sizeof(State))
    carve(&g.ground, stream, cells, ways)
    start = below(stream, rooms_of(&g.ground))
    goal = below(stream, rooms_of(&g.ground) - 1)
    goal = room(&g.ground, goal + (goal >= start))
    start = room(&g.ground, start)
    cells[goal] = GOAL
    s.heading = below(stream, 4)
    s.y, s.x = start // g.ground.stride, start % g.ground.stride
    if c.keys or c.lava:
        furnish(c, &g.ground, stream, cells, ways, start, goal)
    turn_pictures(g, cells)


# ---- step ----

cdef inline int walk(const Shape* g, State* s, uint8_t* pictures, int choice) noexcept nogil:
    """Turn and go on, if that can be; what was stepped on."""
    cdef int[5] turn = [0, 0, 3, 1, 2]
    cdef int[4] dy = [-1, 0, 1, 0]
    cdef int[4] dx = [0, 1, 0, -1]
    cdef int y, x, h, found
    if not 0 < choice < 5:
        return EMPTY
    h = s.heading = (s.heading + turn[choice]) & 3
    y, x = s.y + dy[h], s.x + dx[h]
    found = pictures[place(g, h, y, x)]
    if found == WALL or (found >= DOOR and not s.held >> (found - DOOR) & 1):
        return EMPTY
    s.y, s.x = y, x
    if found >= KEY:
        for h in range(4):
            pictures[place(g, h, y, x)] = EMPTY
        if found >= DOOR:
            s.doors += 1
        else:
            s.keys += 1
            s.held |= 1 << (found - KEY)
    return found


# ---- observe ----

cdef inline void see(
    const Shape* g, const State* s, const uint8_t* pictures, uint8_t* out
) noexcept nogil:
    cdef Py_ssize_t i
    window(pictures + place(g, s.heading, s.y, s.x), g.line[s.heading], out)
    out += WINDOW
    out[0] = scaled(s.y - VISION, g.scale_y)
    out[1] = scaled(s.x - VISION, g.scale_x)
    out[2] = <uint8_t>(127 + 127 * s.reward)
    out[3] = <uint8_t>s.heading
    for i in range(COLOURS):
        out[4 + i] = s.held >> i & 1


cdef class Mazes(SimpleGame):
    """The native engine; `skipjack.games.grid.env` adds spaces and settings."""

    cdef Config config
    cdef Shape shape
    cdef readonly object camera
    """The `Camera` of pictures."""

    def __init__(self, int num_envs, config):
        if not all(5 <= side <= LARGEST and side % 2 for side in (config.width, config.height)):
            raise must(
                "a maze must have odd sides from 5 to 47", width=config.width, height=config.height
            )
        if config.agents != 1:
            raise must("a maze must have one agent", agents=config.agents)
        if config.opponent != "self":
            raise must("a maze must have no opponent (\"self\")", opponent=config.opponent)
        self.config = Config(config.width, config.height, config.keys, config.lava)
        self.shape = shape_of(&self.config)
        self.camera = Camera()
        super().__init__(
            num_envs, sizeof(State) + 4 * self.shape.ground.cells, config.time_limit,
            desynchronise=config.desynchronise, statistics=("keys", "doors"), abi=ABI,
        )

    cdef void new_episode(self, int env) noexcept nogil:
        new_maze(&self.config, &self.shape, &self.k, env)

    cdef bint advance(self, int env) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef int choice = choices(&self.k, row(&self.k, env, 0))[0]
        cdef int found = walk(&self.shape, s, pictures_of(&self.k, env), choice)
        s.reward = (found == GOAL) - (found == LAVA)
        give(&self.k, env, 0, s.reward)
        return s.reward != 0

    cdef float score(self, int env, int seat, bint truncated) noexcept nogil:
        return (<State*>state(&self.k, env)).reward

    cdef void fill(self, int env, int seat, float* stats) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        stats[0] = s.keys
        stats[1] = s.doors

    cdef void observe(self, int env, int seat, void* out) noexcept nogil:
        see(&self.shape, <State*>state(&self.k, env), pictures_of(&self.k, env), <uint8_t*>out)

    cdef object draw(self, int env):
        cdef State* s = <State*>state(&self.k, env)
        cell = s.y * self.shape.ground.stride + s.x
        scene = part(self.cells(env), PALETTE, cell, self.camera)
        *_, agent = scene.items
        dy, dx = [(-1, 0), (0, 1), (1, 0), (0, -1)][s.heading]
        reach = 1.6 * agent.radius
        return scene.add(
            Line(agent.x, agent.y, agent.x + dx * reach, agent.y + dy * reach, 3, (245, 245, 245))
        )

    def native_config(self):
        """The settings that the C code reads, as a dictionary."""
        return self.config

    cdef cells(self, int env):
        """A copy of the cells, walls around included."""
        return np.array(as_array(&self.shape.ground, pictures_of(&self.k, env)))

    cdef dict peek(self, int env):
        return dict((<State*>state(&self.k, env))[0], cells=self.cells(env))

    cdef put(self, int env, dict values):
        cdef const uint8_t[:, ::1] given = np.ascontiguousarray(values["cells"], np.uint8)
        memcpy(pictures_of(&self.k, env), &given[0, 0], self.shape.ground.cells)
        turn_pictures(&self.shape, pictures_of(&self.k, env))
        (<State*>state(&self.k, env))[0] = {name: values[name] for name in values if name != "cells"}
