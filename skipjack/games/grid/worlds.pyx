"""Worlds of the grid family: agents that share one. `task` says what for.

    forage                    predator_prey             group
    # # # # # # # # #         # # # # # # # # #         # # # # # # # # #
    # . . A . . o . #         # . P . . . . Q #         # . 2 . . . 3 . #
    # o . . . A . . #         # . . . Q . . . #         # . . 2 . . 3 . #
    # . . . . . o . #         # P . . . . P . #         # 4 . . . 2 . 5 #
    # # # # # # # # #         # # # # # # # # #         # # # # # # # # #
    agents A, food o          predators P, prey Q       four colours, seat modulo 4

The agents begin on random cells and move one after the other in the order of their seats, by at most one cell
each way; a move to a cell that is not free is not made. All episodes end at the time limit, which
truncates them.

Actions: 0 stay, 1 up, 2 down, 3 left, 4 right, 5 up left, 6 up right, 7 down left, 8 down right; with
`continuous` two numbers in [-1, 1], to the right and down, of which more than 1/3 either way is a cell.
Rewards and statistics:

    forage          0.1 for food that is stepped on; it comes again on a random empty cell. food
    predator_prey   predators (the first seats): prey in view / 10; prey: -predators in view / 10. seen
    group           (others of the own colour in view - those of another) / 10. same, other

The last two are counted when all have moved and lie within [-1, 1]; their statistics are sums over the
episode of what was counted. Score: forage food a tick x 5, at most 1; predator_prey the mean reward, for
prey 1 + the mean reward; group (1 + the mean reward) / 2. Outcome: none. The further statistics of
predator_prey, score_predator and score_prey, are the score of the seats that were such; with as many
predators as prey, at most ten of each, and all of them seats the mean over both sides is 0.5 whoever plays.

`opponent`, in predator_prey: "self" makes all agents seats. Otherwise the seats are one side's, and the
agents of the other, as many, are played inside the step by what they see before anybody moves. Which side
is drawn for an env's first episode and changes with every episode.
    "random"    any move
    "scripted"  predators go to where most prey in view is, without any to the middle of the world; prey
                goes away from where most predators in view are

Observation, uint8[124]: the window [11, 11] as seen from above: 0 empty, 1 wall, then 2 food, 3 agent; or 2
predator, 3 prey; or 2..5 the colours; position [2], row and column x 255 / the last one; reward [1] of
the last step, 127 + 127 x reward, rounded down.
"""

from libc.math cimport NAN

import numpy as np

from skipjack.errors import must
from skipjack.native.camera import Camera
from skipjack.native.cells cimport *
from skipjack.native.kernel cimport *
from skipjack.native.part import part

cdef enum Task:
    FORAGE
    PREDATOR_PREY
    GROUP

cdef enum Opponent:
    SELF
    RANDOM
    SCRIPTED

cdef enum Cell:
    EMPTY
    WALL
    FOOD                # where there is none: the first kind of agents, and the next ones after it
    AGENT

cdef enum:
    COLOURS = 4

TASKS = {"forage": FORAGE, "predator_prey": PREDATOR_PREY, "group": GROUP}
OPPONENTS = {"self": SELF, "random": RANDOM, "scripted": SCRIPTED}
STATISTICS = {
    FORAGE: ("food",), PREDATOR_PREY: ("seen", "score_predator", "score_prey"), GROUP: ("same", "other"),
}

cdef float MEAL = 0.1
cdef float A_COUNT = 0.1
cdef float FOOD_A_TICK = 0.2    # that is a score of 1
cdef float THRESHOLD = 1 / 3.0  # of a number that is a move

PALETTES = {
    FORAGE: [(24, 28, 38), (70, 78, 96), (96, 190, 110), (96, 176, 240)],
    PREDATOR_PREY: [(24, 28, 38), (70, 78, 96), (222, 90, 80), (96, 190, 110)],
    GROUP: [(24, 28, 38), (70, 78, 96), (230, 90, 80), (240, 200, 90), (96, 190, 110), (96, 176, 240)],
}


cdef struct Config:
    int width
    int height
    int agents
    int predators
    int opponent
    int food
    bint continuous


cdef struct Shape:          # what follows from the settings
    Ground ground
    int task
    size_t plans_at         # bytes from the start of the state
    size_t cells_at
    size_t size
    int scale_y             # of the position
    int scale_x
    int move[9]             # how far a cell lies away, by action


cdef struct State:          # then the agents, the opponent's plans and the cells
    int owed                # pieces of food that found no empty cell
    int first               # the first seat's agent


cdef struct Agent:
    int32_t cell
    float reward            # of the last step
    float parts[2]          # statistics


cdef struct World:          # where the parts of one env lie; never kept
    Stream* stream
    State* state
    Agent* agents
    int32_t* plans          # how far away the cell lies that the opponent wants for each agent of its own
    uint8_t* cells          # (height + 10, width + 10)


cdef Shape shape_of(const Config* c, int task):
    cdef Shape g
    cdef int i
    g.ground, g.task = ground(c.width, c.height), task
    g.plans_at = 64 + c.agents * sizeof(Agent)
    g.cells_at = g.plans_at + (c.agents * sizeof(int32_t) if c.opponent != SELF else 0)
    g.size = g.cells_at + g.ground.cells
    g.scale_y, g.scale_x = scale(c.height), scale(c.width)
    ways = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)]
    for i, (dy, dx) in enumerate(ways):
        g.move[i] = dy * g.ground.stride + dx
    return g


cdef inline World world_of(Kernel* k, const Shape* g, int env) noexcept nogil:
    cdef World w
    cdef char* at = <char*>state(k, env)
    w.stream = &header(k, env).stream
    w.state = <State*>at
    w.agents = <Agent*>(at + 64)
    w.plans = <int32_t*>(at + g.plans_at)
    w.cells = <uint8_t*>(at + g.cells_at)
    return w


# ---- reset ----

cdef inline int kind_of(const Config* c, const Shape* g, int agent) noexcept nogil:
    """What an agent is in the windows of others."""
    if g.task == FORAGE:
        return AGENT
    return FOOD + agent % COLOURS if g.task == GROUP else FOOD + (agent >= c.predators)


cdef void new_world(const Config* c, const Shape* g, World* w) noexcept nogil:
    cdef int agent
    wall_in(&g.ground, w.cells, WALL)
    memset(w.agents, 0, c.agents * sizeof(Agent))
    for agent in range(c.agents):
        w.agents[agent].cell = empty_cell(&g.ground, w.stream, w.cells)
        w.cells[w.agents[agent].cell] = <uint8_t>kind_of(c, g, agent)
    w.state.owed = c.food if g.task == FORAGE else 0
    feed(&g.ground, w.stream, w.cells, FOOD, &w.state.owed)


# ---- the opponent ----

cdef inline int sign(int value) noexcept nogil:
    return (value > 0) - (value < 0)


cdef int scripted(const Config* c, const Shape* g, const World* w, int agent) noexcept nogil:
    """How far away the cell lies that the scripted player wants for an agent."""
    cdef int stride = g.ground.stride, cell = w.agents[agent].cell
    cdef bint hunts = agent < c.predators
    cdef int sought = FOOD + hunts, seen = 0, down = 0, right = 0, y, x
    cdef const uint8_t* corner = w.cells + cell - VISION * (stride + 1)
    for y in range(SIDE):
        for x in range(SIDE):
            if corner[y * stride + x] == sought:
                seen += 1
                down += y - VISION
                right += x - VISION
    if not hunts:
        down, right = -down, -right
    elif seen == 0:
        down = 127 - scaled(cell // stride - VISION, g.scale_y)
        right = 127 - scaled(cell % stride - VISION, g.scale_x)
    return sign(down) * stride + sign(right)


cdef void plan(const Config* c, const Shape* g, World* w) noexcept nogil:
    """What the opponent wants for each of its agents."""
    cdef int i, agent
    for i in range(c.predators):    # which are as many as the prey
        agent = c.predators - w.state.first + i
        if c.opponent == RANDOM:
            w.plans[agent] = g.move[below(w.stream, 9)]
        else:
            w.plans[agent] = scripted(c, g, w, agent)


# ---- step ----

cdef inline int chosen(const Config* c, const Shape* g, Kernel* k, int r) noexcept nogil:
    """How far away the cell lies that a row's action asks for."""
    cdef const float* wanted
    cdef int choice
    if c.continuous:
        wanted = reals(k, r)
        return (
            (wanted[0] > THRESHOLD) - (wanted[0] < -THRESHOLD)
            + g.ground.stride * ((wanted[1] > THRESHOLD) - (wanted[1] < -THRESHOLD))
        )
    choice = choices(k, r)[0]
    return g.move[choice] if 0 <= choice < 9 else 0


cdef inline void move(const Config* c, const Shape* g, World* w, int agent, int by) noexcept nogil:
    """One agent moves, if the cell is free."""
    cdef Agent* a = w.agents + agent
    cdef int target = a.cell + by, found = w.cells[target]
    a.reward = 0
    if found != EMPTY and not (found == FOOD and g.task == FORAGE):
        return
    w.cells[a.cell] = EMPTY
    w.cells[target] = <uint8_t>kind_of(c, g, agent)
    a.cell = target
    if found == FOOD:
        a.reward = MEAL
        a.parts[0] += 1
        w.state.owed += 1
        feed(&g.ground, w.stream, w.cells, FOOD, &w.state.owed)


cdef inline int count(const uint8_t* seen, int kind) noexcept nogil:
    cdef Py_ssize_t i
    cdef int found = 0
    for i in range(WINDOW):
        found += seen[i] == kind
    return found


cdef inline void meet(
    const Config* c, const Shape* g, World* w, int agent, const uint8_t* seen
) noexcept nogil:
    """The reward for who is in view, where that is the task."""
    cdef Agent* a = w.agents + agent
    cdef int same, other, kind = kind_of(c, g, agent)
    if g.task == PREDATOR_PREY:
        other = count(seen, 2 * FOOD + 1 - kind)
        a.parts[0] += other
        a.reward = A_COUNT * other * (1 if agent < c.predators else -1)
    elif g.task == GROUP:
        same = count(seen, kind) - 1
        other = WINDOW - count(seen, EMPTY) - count(seen, WALL) - 1 - same
        a.parts[0] += same
        a.parts[1] += other
        a.reward = A_COUNT * (same - other)
    a.reward = clipped(a.reward, -1, 1)


# ---- observe ----

cdef inline void observe(const Shape* g, const World* w, int agent, uint8_t* out) noexcept nogil:
    """The window and the position; the reward follows once it is known."""
    cdef int cell = w.agents[agent].cell
    window(w.cells + cell, g.ground.stride, out)
    out[WINDOW] = scaled(cell // g.ground.stride - VISION, g.scale_y)
    out[WINDOW + 1] = scaled(cell % g.ground.stride - VISION, g.scale_x)


cdef inline void tell(const Agent* a, uint8_t* out) noexcept nogil:
    out[WINDOW + 2] = <uint8_t>(127 + 127 * a.reward)


def check_opponent(config):
    """Whether a world can have an opponent."""
    if config.task != "predator_prey":
        raise must(
            "the opponent must be \"self\" in every task but predator_prey",
            task=config.task, opponent=config.opponent,
        )
    if 2 * config.predators != config.agents:
        raise must(
            "against an opponent half of the agents must be predators",
            agents=config.agents, predators=config.predators,
        )


cdef class Worlds(Game):
    """The native engine; `skipjack.games.grid.env` adds spaces and settings."""

    cdef Config config
    cdef Shape shape
    cdef readonly object camera
    """The `Camera` of pictures."""

    def __init__(self, int num_envs, config):
        food = config.food if config.task == "forage" else 0
        if config.task == "forage" and food == 0:
            raise must(
                "a world of foragers must have food",
                hint="Set env.food, or take the preset grid/forage.", food=food,
            )
        if config.agents + food > config.width * config.height // 2:
            raise must(
                "agents and food must leave half of the world's cells empty",
                agents=config.agents, food=food, cells=config.width * config.height,
            )
        hunts = config.task == "predator_prey"
        if hunts and not 0 < config.predators < config.agents:
            raise must(
                "some agents must be predators and some prey",
                agents=config.agents, predators=config.predators,
            )
        if config.opponent != "self":
            check_opponent(config)
        self.config = Config(
            config.width, config.height, config.agents, config.predators, OPPONENTS[config.opponent],
            config.food, config.continuous,
        )
        self.shape = shape_of(&self.config, TASKS[config.task])
        self.camera = Camera()
        seats = config.agents if config.opponent == "self" else config.predators
        super().__init__(
            num_envs, self.shape.size, config.time_limit,
            teams=tuple(int(hunts and seat >= config.predators) for seat in range(seats)),
            desynchronise=config.desynchronise, statistics=STATISTICS[TASKS[config.task]], abi=ABI,
        )

    cdef void reset_range(self, int lo, int hi) noexcept nogil:
        cdef World w
        cdef int env
        for env in range(lo, hi):
            w = world_of(&self.k, &self.shape, env)
            w.state.first = 0
            if self.config.opponent != SELF:
                w.state.first = self.config.predators * below(w.stream, 2)
            new_world(&self.config, &self.shape, &w)
            self.show(env)

    cdef void step_range(self, int lo, int hi) noexcept nogil:
        cdef int env
        for env in range(lo, hi):
            self.step_world(env)

    cdef void step_world(self, int env) noexcept nogil:
        cdef Kernel* k = &self.k
        cdef Kernel local = self.k      # its `last` is given up once this step's picture is kept
        cdef const Config* c = &self.config
        cdef const Shape* g = &self.shape
        cdef World w = world_of(k, g, env)
        cdef uint8_t* out
        cdef int agent, seat, r, first = w.state.first, seats = k.seats
        feed(&g.ground, w.stream, w.cells, FOOD, &w.state.owed)
        if c.opponent != SELF:
            plan(c, g, &w)
        for agent in range(c.agents):
            if agent + AHEAD < c.agents:
                prefetch(w.cells + w.agents[agent + AHEAD].cell)
            if first <= agent < first + seats:
                move(c, g, &w, agent, chosen(c, g, k, row(k, env, agent - first)))
            else:
                move(c, g, &w, agent, w.plans[agent])
        for seat in range(seats):
            agent = first + seat
            if agent + AHEAD < c.agents:
                prefetch_window(w.cells + w.agents[agent + AHEAD].cell, g.ground.stride)
            r = row(k, env, seat)
            out = <uint8_t*>observation(k, r)
            observe(g, &w, agent, out)
            meet(c, g, &w, agent, out)
            tell(w.agents + agent, out)
            give(k, env, seat, w.agents[agent].reward)
        if elapse(k, env, 1):
            for seat in range(seats):
                self.end(&local, env, &w, seat)
                local.last = NULL
            if c.opponent != SELF:
                w.state.first = c.predators - first
            new_world(c, g, &w)
            begin(k, env)
            self.show(env)

    cdef void end(self, Kernel* k, int env, World* w, int seat) noexcept nogil:
        """Record a seat's episode."""
        cdef int r = row(k, env, seat), agent = w.state.first + seat
        cdef const float* parts = w.agents[agent].parts
        cdef bint hunts = agent < self.config.predators
        cdef float score = <float>(seat_of(k, env, seat).total / seat_of(k, env, seat).length)
        cdef float* stats
        memcpy(final_observation(k, r, True), observation(k, r), WINDOW + 3)
        if self.shape.task == FORAGE:
            score = parts[0] / seat_of(k, env, seat).length / FOOD_A_TICK
        elif self.shape.task == GROUP:
            score = (1 + score) / 2
        elif not hunts:
            score += 1
        stats = finish(k, env, seat, True, score, NAN)
        stats[0] = parts[0]
        if self.shape.task == GROUP:
            stats[1] = parts[1]
        elif self.shape.task == PREDATOR_PREY:
            stats[1] = score if hunts else NAN
            stats[2] = NAN if hunts else score

    cdef void show(self, int env) noexcept nogil:
        cdef World w = world_of(&self.k, &self.shape, env)
        cdef uint8_t* out
        cdef int seat, agent
        for seat in range(self.k.seats):
            agent = w.state.first + seat
            out = <uint8_t*>observation(&self.k, row(&self.k, env, seat))
            observe(&self.shape, &w, agent, out)
            tell(w.agents + agent, out)

    cdef object draw(self, int env):
        cdef World w = world_of(&self.k, &self.shape, env)
        palette = np.array(PALETTES[self.shape.task], np.uint8)
        cells = np.asarray(as_array(&self.shape.ground, w.cells))
        cdef int seat = w.state.first + self.camera.seat % self.seats
        return part(cells, palette, w.agents[seat].cell, self.camera)

    def native_config(self):
        """The settings that the C code reads, as a dictionary."""
        return self.config

    cdef dict peek(self, int env):
        cdef World w = world_of(&self.k, &self.shape, env)
        cdef int agent
        agents = [w.agents[agent] for agent in range(self.config.agents)]
        cells = np.array(as_array(&self.shape.ground, w.cells))
        return dict(w.state[0], cells=cells, agents=agents)

    cdef put(self, int env, dict values):
        cdef World w = world_of(&self.k, &self.shape, env)
        cdef int agent
        np.asarray(as_array(&self.shape.ground, w.cells))[...] = values["cells"]
        w.state[0] = State(values["owed"], values["first"])
        for agent in range(self.config.agents):
            w.agents[agent] = values["agents"][agent]
