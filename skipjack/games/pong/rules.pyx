"""Pong: two paddles and a ball, first to 21.

      0    20                                        480   500
    0 +-----+----------------------------------------+-----+   walls: the ball bounces
      |     |                                        |     |
      |[===]|                 ##                     |     |   ball 32 x 32, 10 pixels a frame in x
      |[ A ]|                 ##                     |[===]|   paddles 20 x 70, 8 pixels a frame
      |[===]|                                        |[ B ]|
      |     |                                        |[===]|
  640 +-----+----------------------------------------+-----+

Positions are top left corners in pixels, y downwards. A frame moves both paddles, then the ball. A
ball that crosses the front of a paddle and overlaps it comes back, its vertical speed changed by 3 in
the direction in which the paddle moved, to at most 13. One that is missed goes on until it touches
the edge: a point for the other side, and a serve from the middle towards the loser with a random
vertical speed of -3..3. The first serve goes to a random side. One step is `frame_skip` frames.

`opponent`: "follower" puts a player on the right that moves its middle to the ball's by at most
`opponent_speed` pixels a frame (8 is a paddle's own speed); "easy", "medium" and "hard" are the same
player at 2, 4 and 6; "self" makes the right side a second seat.

Actions: 0 stay, 1 up, 2 down. Reward: +1 for a point, -1 for a point of the other side. Score: own points /
all points (0.5 before the first). Outcome: who has more points. Statistics: points, against, hits
(of the own paddle), ticks (frames).

Observation, float32[8], in [-1, 1], mirrored for the right side so that every seat plays on the left:
middles of the own paddle, of the other paddle and of the ball in y (-1 top, 1 bottom), ball x (-1 at the
own edge, 1 at the other), vx / 10, vy / 13, own points / 21, other points / 21.
"""

from skipjack.native.kernel cimport *
from skipjack.native.scene import Rectangle, Scene, Text

cdef enum:
    WIDTH = 500
    HEIGHT = 640
    PADDLE_WIDTH = 20
    PADDLE_HEIGHT = 70
    BALL = 32
    SPEED_X = 10
    TOP_SPEED_Y = 13
    SPIN = 3
    SERVE_SPEED_Y = 3
    WIN = 21

cdef double PADDLE_SPEED = 8.0
cdef double LOWEST = HEIGHT - PADDLE_HEIGHT


cdef struct Config:
    int frame_skip
    bint follower
    double opponent_speed


cdef struct State:
    double paddle[2]        # top of the left and of the right paddle
    double x                # ball's top left corner
    double y
    double vx
    double vy
    int points[2]
    int hits[2]


# ---- reset ----

cdef void serve(State* s, Stream* stream, int towards) noexcept nogil:
    """The ball in the middle, flying to the left (0) or right (1)."""
    s.x = (WIDTH - BALL) / 2.0
    s.y = (HEIGHT - BALL) / 2.0
    s.vx = SPEED_X if towards == 1 else -SPEED_X
    s.vy = below(stream, 2 * SERVE_SPEED_Y + 1) - SERVE_SPEED_Y


cdef void new_game(State* s, Stream* stream) noexcept nogil:
    cdef int side
    for side in range(2):
        s.paddle[side] = LOWEST / 2.0
        s.points[side] = s.hits[side] = 0
    serve(s, stream, below(stream, 2))


# ---- step ----

cdef inline double limited(double value, double low, double high) noexcept nogil:
    return low if value < low else (high if value > high else value)


cdef inline double follow(const Config* c, const State* s) noexcept nogil:
    """How far the scripted player moves in this frame."""
    cdef double wanted = s.y + BALL / 2.0 - s.paddle[1] - PADDLE_HEIGHT / 2.0
    return limited(wanted, -c.opponent_speed, c.opponent_speed)


cdef inline void bounce_off(State* s, int side, double moved) noexcept nogil:
    """The ball at the front of a paddle: it comes back if the paddle is there."""
    if s.y + BALL < s.paddle[side] or s.y > s.paddle[side] + PADDLE_HEIGHT:
        return
    s.vx = -s.vx
    s.vy = limited(s.vy + SPIN * ((moved > 0) - (moved < 0)), -TOP_SPEED_Y, TOP_SPEED_Y)
    s.x = 2 * PADDLE_WIDTH - s.x if side == 0 else 2 * (WIDTH - PADDLE_WIDTH - BALL) - s.x
    s.hits[side] += 1


cdef inline double move(State* s, int side, double wanted) noexcept nogil:
    """Move a paddle within the field; how far it went."""
    cdef double before = s.paddle[side]
    s.paddle[side] = limited(before + wanted, 0, LOWEST)
    return s.paddle[side] - before


cdef int frame(const Config* c, State* s, Stream* stream, double left, double right) noexcept nogil:
    """One frame; 1 if the left side scored, -1 if the right side did, else 0."""
    cdef double before = s.x
    if c.follower:
        right = follow(c, s)
    left = move(s, 0, left)
    right = move(s, 1, right)
    s.x += s.vx
    s.y += s.vy
    if s.y < 0:
        s.y = -s.y
        s.vy = -s.vy
    elif s.y > HEIGHT - BALL:
        s.y = 2 * (HEIGHT - BALL) - s.y
        s.vy = -s.vy
    if s.vx < 0:
        if s.x <= PADDLE_WIDTH < before:
            bounce_off(s, 0, left)
        elif s.x <= 0:
            s.points[1] += 1
            serve(s, stream, 0)
            return -1
    elif before < WIDTH - PADDLE_WIDTH - BALL <= s.x:
        bounce_off(s, 1, right)
    elif s.x >= WIDTH - BALL:
        s.points[0] += 1
        serve(s, stream, 1)
        return 1
    return 0


cdef inline bint is_over(const State* s) noexcept nogil:
    return s.points[0] >= WIN or s.points[1] >= WIN


cdef int advance(const Config* c, State* s, Stream* stream, double left, double right) noexcept nogil:
    """One step; points of the left side minus points of the right. Stops when the game is over."""
    cdef int _i, balance = 0
    for _i in range(c.frame_skip):
        balance += frame(c, s, stream, left, right)
        if is_over(s):
            break
    return balance


# ---- observe ----

cdef void observe(const State* s, int side, float* out) noexcept nogil:
    cdef double x = s.x if side == 0 else WIDTH - BALL - s.x
    cdef double vx = s.vx if side == 0 else -s.vx
    out[0] = <float>((2 * s.paddle[side] + PADDLE_HEIGHT) / HEIGHT - 1)
    out[1] = <float>((2 * s.paddle[1 - side] + PADDLE_HEIGHT) / HEIGHT - 1)
    out[2] = <float>((2 * s.y + BALL) / HEIGHT - 1)
    out[3] = <float>(2 * x / (WIDTH - BALL) - 1)
    out[4] = <float>(vx / SPEED_X)
    out[5] = <float>(s.vy / TOP_SPEED_Y)
    out[6] = <float>(s.points[side] / <double>WIN)
    out[7] = <float>(s.points[1 - side] / <double>WIN)


cdef class Rules(Game):
    """The native engine; `skipjack.games.pong.env.Pong` adds spaces and settings."""

    cdef Config config

    def __init__(self, int num_envs, config):
        follower = config.opponent != "self"
        speed = {"easy": 2.0, "medium": 4.0, "hard": 6.0}.get(config.opponent, config.opponent_speed)
        self.config = Config(config.frame_skip, follower, speed)
        super().__init__(
            num_envs, sizeof(State), config.time_limit, teams=(0,) if follower else (0, 1),
            desynchronise=config.desynchronise,
            statistics=("points", "against", "hits", "ticks"), abi=ABI,
        )

    cdef void reset_range(self, int lo, int hi) noexcept nogil:
        cdef int env
        for env in range(lo, hi):
            new_game(<State*>state(&self.k, env), &header(&self.k, env).stream)
            self.show(env)

    cdef void step_range(self, int lo, int hi) noexcept nogil:
        cdef Kernel* k = &self.k
        cdef State* s
        cdef int env, balance
        cdef double right
        cdef bint over, late
        for env in range(lo, hi):
            s = <State*>state(k, env)
            right = 0 if self.config.follower else self.velocity(env, 1)
            balance = advance(&self.config, s, &header(k, env).stream, self.velocity(env, 0), right)
            give(k, env, 0, balance)
            if k.seats == 2:
                give(k, env, 1, -balance)
            late = elapse(k, env, self.config.frame_skip)
            over = is_over(s)
            if over or late:
                self.end(env, not over)
            self.show(env)

    cdef double velocity(self, int env, int seat) noexcept nogil:
        cdef int choice = choices(&self.k, row(&self.k, env, seat))[0]
        return PADDLE_SPEED * ((choice == 2) - (choice == 1))

    cdef void show(self, int env) noexcept nogil:
        cdef int seat
        for seat in range(self.k.seats):
            observe(
                <State*>state(&self.k, env), seat,
                <float*>observation(&self.k, row(&self.k, env, seat)),
            )

    cdef void end(self, int env, bint truncated) noexcept nogil:
        cdef Kernel* k = &self.k
        cdef State* s = <State*>state(k, env)
        cdef int seat, own, other, ticks = header(k, env).tick
        cdef float* out
        cdef float* stats
        for seat in range(k.seats):
            out = <float*>final_observation(k, row(k, env, seat), truncated)
            if out != NULL:
                observe(s, seat, out)
            own, other = s.points[seat], s.points[1 - seat]
            stats = finish(
                k, env, seat, truncated, own / <float>(own + other) if own + other else 0.5,
                0.5 * ((own > other) - (own < other)) + 0.5,
            )
            stats[0] = own
            stats[1] = other
            stats[2] = s.hits[seat]
            stats[3] = ticks
        new_game(s, &header(k, env).stream)
        begin(k, env)

    cdef object draw(self, int env):
        cdef State* s = <State*>state(&self.k, env)
        light = (220, 225, 235)
        return Scene(WIDTH, HEIGHT).add(
            *(Rectangle(WIDTH / 2 - 2, y, 4, 20, (52, 60, 76)) for y in range(10, HEIGHT, 40)),
            Rectangle(0, s.paddle[0], PADDLE_WIDTH, PADDLE_HEIGHT, (96, 176, 240)),
            Rectangle(WIDTH - PADDLE_WIDTH, s.paddle[1], PADDLE_WIDTH, PADDLE_HEIGHT, (240, 140, 96)),
            Rectangle(s.x, s.y, BALL, BALL, (250, 215, 120)),
            Text(WIDTH / 2 - 70, 16, str(s.points[0]), 36, light),
            Text(WIDTH / 2 + 40, 16, str(s.points[1]), 36, light),
        )

    def native_config(self):
        """The settings that the C code reads, as a dictionary."""
        return self.config

    cdef dict peek(self, int env):
        return (<State*>state(&self.k, env))[0]

    cdef put(self, int env, dict values):
        (<State*>state(&self.k, env))[0] = values
