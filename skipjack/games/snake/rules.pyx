"""Snake: one snake or thousands of them in a walled world of cells, growing by what they eat.

    # # # # # # # # # # # #      #  wall, five cells thick around the world
    # . . . . . . . . . . #      o  food
    # . 4 4 4 . . o . . . #      %  corpse: every second segment of a snake that died
    # . . . 4 . . . . 5 5 #      4  a snake of the first colour, 5 one of the second
    # . % . % . o . . . 5 #      .  empty
    # # # # # # # # # # # #

The snakes move one after the other in the order of their seats, each by one cell. One that eats
grows by that cell, up to `max_length` segments; otherwise its tail leaves before its head
arrives, so that it may follow its own tail. Food that is eaten comes again at once on a random empty
cell; where there is none it comes as soon as there is. A corpse that is eaten is gone.

A snake that runs into a wall or into any other segment dies: its life, which is the seat's episode, is
terminated; its segments vanish, or with `corpses` every second one from the head on stays as a corpse. It
begins again with one segment on a random empty cell. A life of `time_limit` steps is truncated: the
snake vanishes and begins again. The world itself goes on for ever. Of random cells the first empty one of 32
is taken, else the first one after a random cell.

Actions: 0 up, 1 down, 2 left, 3 right; a snake of two segments or more that is told to reverse goes
straight on. Reward: 0.1 for food and for a corpse, -1 for dying. Score: segments at the end of the life /
`goal`, at most 1. Outcome: none. Statistics: size (segments at the end, the most the life had), food,
corpses, kills (other snakes that died on this one's body).

Observation, uint8[11, 11]: the cells around the head, which is in the middle, as seen from above:
0 empty, 1 food, 2 corpse, 3 wall, 4..7 snakes; a snake's colour is 4 + its seat modulo 4, its own
included.
"""

from libc.math cimport NAN

import numpy as np

from skipjack.errors import must
from skipjack.native.camera import Camera
from skipjack.native.cells cimport *
from skipjack.native.kernel cimport *
from skipjack.native.part import part
from skipjack.native.scene import Text

cdef enum Cell:
    EMPTY
    FOOD
    CORPSE
    WALL
    SNAKE

cdef enum:
    COLOURS = 4

cdef float MEAL = 0.1
cdef float DEATH = -1.0

PALETTE = np.array(
    [
        (24, 28, 38), (240, 200, 90), (120, 100, 80), (70, 78, 96),
        (96, 176, 240), (222, 120, 80), (96, 190, 110), (190, 130, 220),
    ],
    np.uint8,
)


cdef struct Config:
    int width
    int height
    int snakes
    int food
    bint corpses
    int max_length
    int goal


cdef struct Shape:          # what follows from the settings
    Ground ground
    size_t snakes_at        # bytes from the start of the state
    size_t bodies_at
    size_t cells_at
    size_t size
    int delta[4]            # how far a cell lies away in each direction


cdef struct State:          # then the snakes, their bodies and the cells
    int owed                # pieces of food that found no empty cell


cdef struct Serpent:
    int32_t head            # index of its cell
    int32_t at              # place of the head in its body, a ring of max_length cells
    int32_t size
    int32_t heading
    int32_t food
    int32_t corpses
    int32_t kills
    int32_t limit           # steps after which this life is cut


cdef struct World:          # where the parts of one env lie; never kept
    Stream* stream
    State* state
    Serpent* snakes
    int32_t* bodies         # (snakes, max_length)
    uint8_t* cells          # (height + 10, width + 10)


cdef Shape shape_of(const Config* c):
    cdef Shape g
    g.ground = ground(c.width, c.height)
    g.snakes_at = 64
    g.bodies_at = g.snakes_at + c.snakes * sizeof(Serpent)
    g.cells_at = g.bodies_at + <size_t>c.snakes * c.max_length * sizeof(int32_t)
    g.size = g.cells_at + g.ground.cells
    g.delta[0], g.delta[1], g.delta[2], g.delta[3] = -g.ground.stride, g.ground.stride, -1, 1
    return g


cdef inline World world_of(Kernel* k, const Shape* g, int env) noexcept nogil:
    cdef World w
    cdef char* at = <char*>state(k, env)
    w.stream = &header(k, env).stream
    w.state = <State*>at
    w.snakes = <Serpent*>(at + g.snakes_at)
    w.bodies = <int32_t*>(at + g.bodies_at)
    w.cells = <uint8_t*>(at + g.cells_at)
    return w


# ---- reset ----

cdef void hatch(const Config* c, const Shape* g, World* w, int seat, int limit) noexcept nogil:
    """A new snake of one segment. There is room: the settings see to it."""
    cdef Serpent* s = w.snakes + seat
    memset(s, 0, sizeof(Serpent))
    s.head = empty_cell(&g.ground, w.stream, w.cells)
    s.size = 1
    s.limit = limit
    w.bodies[<Py_ssize_t>seat * c.max_length] = s.head
    w.cells[s.head] = <uint8_t>(SNAKE + seat % COLOURS)


cdef void new_world(const Config* c, const Shape* g, World* w, int time_limit, bint first) noexcept nogil:
    """Walls, snakes, food; lives that are cut at random shares of the limit if they are the first."""
    cdef int seat, limit = time_limit
    wall_in(&g.ground, w.cells, WALL)
    for seat in range(c.snakes):
        if first:
            limit = 1 + below(w.stream, time_limit)
        hatch(c, g, w, seat, limit)
    w.state.owed = c.food
    feed(&g.ground, w.stream, w.cells, FOOD, &w.state.owed)


# ---- step ----

cdef inline int segment(const Config* c, const World* w, int seat, int behind) noexcept nogil:
    """The cell of a segment so many behind the head."""
    cdef int at = w.snakes[seat].at - behind
    return w.bodies[<Py_ssize_t>seat * c.max_length + (at if at >= 0 else at + c.max_length)]


cdef void remove(const Config* c, World* w, int seat, bint leaves) noexcept nogil:
    """Take a snake off the world; every second segment stays as a corpse if it leaves any."""
    cdef int i
    for i in range(w.snakes[seat].size):
        w.cells[segment(c, w, seat, i)] = CORPSE if leaves and i % 2 else EMPTY


cdef void blame(const Config* c, const Shape* g, World* w, int seat, int cell) noexcept nogil:
    """A kill for the snake, not `seat` itself, whose body lies on a cell."""
    cdef int other = w.cells[cell] - SNAKE, i, dx, dy
    cdef int stride = g.ground.stride
    cdef int y = cell // stride, x = cell % stride
    cdef Serpent* s
    while other < c.snakes:
        s = w.snakes + other
        dy, dx = s.head // stride - y, s.head % stride - x
        # A body reaches no further than it is long.
        if (dy if dy > 0 else -dy) + (dx if dx > 0 else -dx) < s.size:
            for i in range(s.size):
                if segment(c, w, other, i) == cell:
                    s.kills += other != seat
                    return
        other += COLOURS


cdef inline float move(const Config* c, const Shape* g, World* w, int seat, int choice) noexcept nogil:
    """One cell on; the reward. A snake that would die stays as it is."""
    cdef Serpent* s = w.snakes + seat
    cdef int32_t* body = w.bodies + <Py_ssize_t>seat * c.max_length
    cdef int target, tail, found
    cdef bint eats
    if not 0 <= choice < 4:
        choice = 0
    if s.size > 1 and choice == s.heading ^ 1:
        choice = s.heading
    s.heading = choice
    target = s.head + g.delta[choice]
    tail = segment(c, w, seat, s.size - 1)
    found = w.cells[target]
    if found >= WALL and target != tail:
        if found >= SNAKE:
            blame(c, g, w, seat, target)
        return DEATH
    eats = found == FOOD or found == CORPSE
    if eats and s.size < c.max_length:
        s.size += 1
    else:
        w.cells[tail] = EMPTY
    s.at = s.at + 1 if s.at + 1 < c.max_length else 0
    s.head = body[s.at] = target
    w.cells[target] = <uint8_t>(SNAKE + seat % COLOURS)
    if not eats:
        return 0
    s.corpses += found == CORPSE
    if found == FOOD:
        s.food += 1
        w.state.owed += 1
        feed(&g.ground, w.stream, w.cells, FOOD, &w.state.owed)
    return MEAL


# ---- observe ----

cdef inline void observe(const Shape* g, World* w, int seat, void* out) noexcept nogil:
    window(w.cells + w.snakes[seat].head, g.ground.stride, <uint8_t*>out)


cdef class Rules(Game):
    """The native engine; `skipjack.games.snake.env.Snake` adds spaces and settings."""

    cdef Config config
    cdef Shape shape
    cdef readonly object camera
    """The `Camera` of pictures."""

    def __init__(self, int num_envs, config):
        if config.snakes + config.food > config.width * config.height // 2:
            raise must(
                "snakes and food must leave half of the world's cells empty",
                snakes=config.snakes, food=config.food, cells=config.width * config.height,
            )
        self.config = Config(
            config.width, config.height, config.snakes, config.food, config.corpses,
            config.max_length, config.goal,
        )
        self.shape = shape_of(&self.config)
        self.camera = Camera()
        super().__init__(
            num_envs, self.shape.size, config.time_limit, teams=(0,) * config.snakes,
            desynchronise=config.desynchronise,
            statistics=("size", "food", "corpses", "kills"), abi=ABI,
        )

    cdef void reset_range(self, int lo, int hi) noexcept nogil:
        cdef int env
        cdef World w
        for env in range(lo, hi):
            w = world_of(&self.k, &self.shape, env)
            new_world(&self.config, &self.shape, &w, self.k.time_limit, self.k.desynchronise)
            self.show(env)

    cdef void step_range(self, int lo, int hi) noexcept nogil:
        cdef int env
        for env in range(lo, hi):
            self.step_world(env)
            self.show(env)

    cdef void step_world(self, int env) noexcept nogil:
        cdef Kernel* k = &self.k
        cdef Kernel local = self.k      # its `last` is given up once this step's picture is kept
        cdef const Config* c = &self.config
        cdef const Shape* g = &self.shape
        cdef World w = world_of(k, g, env)
        cdef Serpent* ahead
        cdef int seat, late = 0
        cdef float reward
        feed(&g.ground, w.stream, w.cells, FOOD, &w.state.owed)
        for seat in range(c.snakes):
            # PERF: with both prefetches 41 M steps/s on 720p instead of 30 M, on 1440p 32 M instead of 28 M.
            if seat + AHEAD < c.snakes:
                ahead = w.snakes + seat + AHEAD
                prefetch(w.cells + ahead.head)
                prefetch(w.bodies + <Py_ssize_t>(seat + AHEAD) * c.max_length + ahead.at)
            reward = move(c, g, &w, seat, choices(k, row(k, env, seat))[0])
            give(k, env, seat, reward)
            if reward < 0:
                self.last_sight(env, seat, False)
                self.end(&local, env, &w, seat, False)
                local.last = NULL
            late += seat_of(k, env, seat).length >= w.snakes[seat].limit
        if late:
            for seat in range(c.snakes):
                if seat_of(k, env, seat).length >= w.snakes[seat].limit:
                    self.last_sight(env, seat, True)
            for seat in range(c.snakes):
                if seat_of(k, env, seat).length >= w.snakes[seat].limit:
                    self.end(&local, env, &w, seat, True)
                    local.last = NULL

    cdef void last_sight(self, int env, int seat, bint truncated) noexcept nogil:
        cdef World w = world_of(&self.k, &self.shape, env)
        cdef void* out = final_observation(&self.k, row(&self.k, env, seat), truncated)
        if out != NULL:
            observe(&self.shape, &w, seat, out)

    cdef void end(self, Kernel* k, int env, World* w, int seat, bint truncated) noexcept nogil:
        """Record a life and begin the next."""
        cdef Serpent* s = w.snakes + seat
        cdef float* stats
        # Each snake's lives are its own: its first one alone is partial.
        header(k, env).first = k.desynchronise and seat_of(k, env, seat).episode == 0
        stats = finish(k, env, seat, truncated, s.size / <float>self.config.goal, NAN)
        stats[0] = s.size
        stats[1] = s.food
        stats[2] = s.corpses
        stats[3] = s.kills
        remove(&self.config, w, seat, self.config.corpses and not truncated)
        hatch(&self.config, &self.shape, w, seat, k.time_limit)

    cdef void show(self, int env) noexcept nogil:
        cdef Kernel* k = &self.k
        cdef World w = world_of(k, &self.shape, env)
        cdef int seat, count = self.config.snakes
        for seat in range(count):
            if seat + AHEAD < count:
                prefetch_window(w.cells + w.snakes[seat + AHEAD].head, self.shape.ground.stride)
            observe(&self.shape, &w, seat, observation(k, row(k, env, seat)))

    cdef object draw(self, int env):
        cdef World w = world_of(&self.k, &self.shape, env)
        cdef int seat = self.camera.seat
        cdef Serpent* s = w.snakes + seat % self.config.snakes
        scene = part(np.asarray(as_array(&self.shape.ground, w.cells)), PALETTE, s.head, self.camera)
        scene.height += 28
        words = f"length {s.size}   food {s.food}"
        return scene.add(Text(8, scene.height - 24, words, 20, (220, 225, 235)))

    def native_config(self):
        """The settings that the C code reads, as a dictionary."""
        return self.config

    cdef dict peek(self, int env):
        cdef World w = world_of(&self.k, &self.shape, env)
        cdef int seat
        snakes = [
            dict(
                w.snakes[seat],
                body=[segment(&self.config, &w, seat, i) for i in range(w.snakes[seat].size)],
            )
            for seat in range(self.config.snakes)
        ]
        cells = np.array(as_array(&self.shape.ground, w.cells))
        return {"owed": w.state.owed, "cells": cells, "snakes": snakes}

    cdef put(self, int env, dict values):
        cdef World w = world_of(&self.k, &self.shape, env)
        cdef int seat, i
        np.asarray(as_array(&self.shape.ground, w.cells))[...] = values["cells"]
        w.state.owed = values["owed"]
        for seat, given in enumerate(values["snakes"]):
            body = given["body"]
            w.snakes[seat] = {**{name: given[name] for name in given if name != "body"}, "at": len(body) - 1}
            for i in range(len(body)):
                w.bodies[<Py_ssize_t>seat * self.config.max_length + i] = body[len(body) - 1 - i]
