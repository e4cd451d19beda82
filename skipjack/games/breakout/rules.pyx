"""Breakout: a paddle, a ball and a wall of bricks.

    0                                                             576
  0 +---------------------------------------------------------------+   top wall: paddle halves
    |                                                               |
 50 |[32 x 12][..18 columns..]                                      |   rows 0, 1: 7 points
    |[      ][      ]                                               |   rows 2, 3: 4 points
122 |[      ][      ]                                               |   rows 4, 5: 1 point
    |                     ##                                        |   ball, a 32 x 32 hit box
312 |                    ======                                     |   paddle 62 x 8
330 +---------------------------------------------------------------+   below: the ball is lost

Positions are top left corners in pixels, speeds pixels a second; physics runs at 60 ticks a second and
one step is `frame_skip` ticks. The paddle moves first, then the ball travels its way of the tick
bounce by bounce, the earliest hit first, so that no speed lets it pass through a brick.

The ball leaves the paddle at an angle linear in where it hits, up to 45 degrees. It is served downwards
from below the wall (y = 140, in the middle) at a random angle of that range, at 256 pixels a second, so
that no ball scores before it was hit; every fourth paddle hit adds 64 up to 448, and a broken brick of
the three upper rows makes it 448 at once. The top wall halves the paddle until the next serve. When the
wall is cleared the second one is built at the next paddle hit; clearing that one (864 points) ends the
game, as losing the fifth ball does.

Actions: 0 stay, 1 left, 2 right; `continuous`: velocity in [-1, 1] of the paddle's full speed.
Reward: the points scored in the step. Score: points / 864. Statistics: points, balls (left), hits
(of the paddle), ticks.

Observation, float32[118], all in [-1, 1] and 0 where they say little, so that no feature drowns another:
paddle middle x and ball middle x (-1 left, 1 right edge), ball middle y (-1 top, 1 bottom and below),
vx / 448, vy / 448, ball middle minus paddle middle / 96 (saturating), balls left / 5, points / 864,
paddle width / 62, paddle hits towards the next speed-up / 4, then a flag for each brick, 1 once it is
broken, row by row from the top left.
"""

from libc.math cimport NAN, cos, sin
from libc.string cimport memcpy

from skipjack.native.kernel cimport *
from skipjack.native.scene import Circle, Rectangle, Scene, Text

cdef enum:
    WIDTH = 576
    HEIGHT = 330
    ROWS = 6
    COLUMNS = 18
    BRICKS = 108
    BRICK_WIDTH = 32
    BRICK_HEIGHT = 12
    WALL_TOP = 50
    WALL_BOTTOM = 122
    PADDLE_Y = 312
    PADDLE_WIDTH = 62
    WALL_POINTS = 432
    HITS_A_SPEED = 4
    SCALARS = 10

cdef double TICK = 1.0 / 60.0
cdef double PADDLE_SPEED = 620.0
cdef double SERVE_SPEED = 256.0
cdef double SERVE_Y = 140.0
cdef double SPEED_STEP = 64.0
cdef double TOP_SPEED = 448.0
cdef double WIDEST = 0.7853981633974483     # radians, 45 degrees
cdef double REACH = 96.0                    # pixels at which the distance to the paddle saturates
cdef double TOUCH = 0.01                    # pixels of overlap that rounding may leave

cdef enum Hit:
    NOTHING
    SIDE
    TOP
    PADDLE
    BRICK_X
    BRICK_Y


cdef struct Config:
    int frame_skip
    int balls
    double ball_size
    bint continuous


cdef struct State:
    double paddle           # left edge
    double paddle_width
    double x                # ball's top left corner
    double y
    double vx
    double vy
    double speed
    int balls
    int points
    int walls
    int hits                # paddle hits of this game
    int hits_of_ball
    int bricks_left
    uint32_t rows[ROWS]     # a bit a column, set while the brick stands
    float broken[BRICKS]    # the same as the observation wants it


# ---- reset ----

cdef inline double clipped_double(double value, double high) noexcept nogil:
    """`value` within [0, high]."""
    return 0 if value < 0 else (high if value > high else value)


cdef void build_wall(State* s) noexcept nogil:
    cdef int i
    s.walls += 1
    s.bricks_left = BRICKS
    for i in range(ROWS):
        s.rows[i] = (1 << COLUMNS) - 1
    for i in range(BRICKS):
        s.broken[i] = 0


cdef void serve(const Config* c, State* s, Stream* stream) noexcept nogil:
    cdef double angle = (2.0 * uniform(stream) - 1.0) * WIDEST
    if s.paddle_width < PADDLE_WIDTH:
        s.paddle = clipped_double(s.paddle - PADDLE_WIDTH / 4.0, WIDTH - PADDLE_WIDTH)
        s.paddle_width = PADDLE_WIDTH
    s.x = (WIDTH - c.ball_size) / 2.0
    s.y = SERVE_Y
    s.speed = SERVE_SPEED
    s.hits_of_ball = 0
    s.vx = s.speed * sin(angle)
    s.vy = s.speed * cos(angle)


cdef void new_game(const Config* c, State* s, Stream* stream) noexcept nogil:
    s.balls = c.balls
    s.points = s.walls = s.hits = 0
    s.paddle_width = PADDLE_WIDTH
    s.paddle = (WIDTH - PADDLE_WIDTH) / 2.0
    build_wall(s)
    serve(c, s, stream)


# ---- step ----

cdef inline double first_touch(double gap, double move) noexcept nogil:
    """Share of `move` after which a gap ahead is closed; negative when it lies behind."""
    if -TOUCH < gap < 0:
        gap = 0
    return gap / move


cdef double brick_hit(
    const State* s, int r, int column, double size, double dx, double dy, Hit* hit
) noexcept nogil:
    """Share of the move (dx, dy) at which the ball touches a brick, or 2."""
    cdef double left = column * BRICK_WIDTH, top = WALL_TOP + r * BRICK_HEIGHT
    cdef double right = left + BRICK_WIDTH, bottom = top + BRICK_HEIGHT
    cdef double enter_x = -1e9, leave_x = 1e9, enter_y = -1e9, leave_y = 1e9
    if dx > 0:
        enter_x = first_touch(left - (s.x + size), dx)
        leave_x = (right - s.x) / dx
    elif dx < 0:
        enter_x = first_touch(s.x - right, -dx)
        leave_x = (s.x + size - left) / -dx
    elif s.x >= right or s.x + size <= left:
        return 2
    if dy > 0:
        enter_y = first_touch(top - (s.y + size), dy)
        leave_y = (bottom - s.y) / dy
    elif dy < 0:
        enter_y = first_touch(s.y - bottom, -dy)
        leave_y = (s.y + size - top) / -dy
    elif s.y >= bottom or s.y + size <= top:
        return 2
    if enter_x >= leave_y or enter_y >= leave_x:
        return 2
    hit[0] = BRICK_X if enter_x > enter_y else BRICK_Y
    enter_x = max(enter_x, enter_y)
    return enter_x if 0 <= enter_x <= 1 else 2


cdef double wall_hit(
    const State* s, double size, double dx, double dy, Hit* hit, int* row_hit, int* column_hit
) noexcept nogil:
    """Earliest brick on the way; of two at once, the one nearer to the ball's middle."""
    cdef double low_y = min(s.y, s.y + dy), high_y = max(s.y, s.y + dy) + size
    cdef double low_x, high_x, share, best = 2, offset, best_offset = 0
    cdef int r, column, first_row, last_row, first, last
    cdef uint32_t candidates
    cdef Hit side = NOTHING
    if high_y < WALL_TOP or low_y > WALL_BOTTOM:
        return 2
    low_x = min(s.x, s.x + dx)
    high_x = max(s.x, s.x + dx) + size
    first = max(<int>(low_x / BRICK_WIDTH) - 1, 0)
    last = min(<int>(high_x / BRICK_WIDTH), COLUMNS - 1)
    first_row = max(<int>((low_y - WALL_TOP) / BRICK_HEIGHT) - 1, 0)
    last_row = min(<int>((high_y - WALL_TOP) / BRICK_HEIGHT), ROWS - 1)
    candidates = ((2u << last) - 1) & ~((1u << first) - 1)
    for r in range(first_row, last_row + 1):
        if not s.rows[r] & candidates:
            continue
        for column in range(first, last + 1):
            if not s.rows[r] >> column & 1:
                continue
            share = brick_hit(s, r, column, size, dx, dy, &side)
            if share > 1:
                continue
            offset = (s.x + dx * share + size / 2) - (column + 0.5) * BRICK_WIDTH
            offset = offset if offset > 0 else -offset
            if share < best or (share == best and offset < best_offset):
                best, best_offset = share, offset
                hit[0], row_hit[0], column_hit[0] = side, r, column
    return best


cdef int break_brick(State* s, int r, int column) noexcept nogil:
    """Take a brick away; the points it is worth."""
    cdef int points = 7 - 3 * (r // 2)
    cdef double scale
    s.rows[r] &= ~(1u << column)
    s.broken[r * COLUMNS + column] = 1
    s.bricks_left -= 1
    s.points += points
    if r < 3 and s.speed < TOP_SPEED:
        scale = TOP_SPEED / s.speed
        s.vx *= scale
        s.vy *= scale
        s.speed = TOP_SPEED
    return points


cdef void hit_paddle(const Config* c, State* s) noexcept nogil:
    cdef double reach = (s.paddle_width + c.ball_size) / 2
    cdef double angle = (s.x + c.ball_size / 2 - s.paddle - s.paddle_width / 2) / reach * WIDEST
    s.hits += 1
    s.hits_of_ball += 1
    if s.hits_of_ball % HITS_A_SPEED == 0:
        s.speed = min(s.speed + SPEED_STEP, TOP_SPEED)
    s.vx = s.speed * sin(angle)
    s.vy = -s.speed * cos(angle)
    s.y = PADDLE_Y - c.ball_size
    if s.bricks_left == 0 and s.walls < 2:
        build_wall(s)


cdef int move_ball(const Config* c, State* s) noexcept nogil:
    """One tick of the ball; the points it scored. A tick holds at most 16 bounces."""
    cdef double left = 1, dx, dy, share, other, size = c.ball_size
    cdef int points = 0, _bounce, r = 0, column = 0
    cdef Hit hit, side = NOTHING
    for _bounce in range(16):
        dx, dy = s.vx * TICK * left, s.vy * TICK * left
        hit, share = NOTHING, 1
        if dx < 0 and s.x + dx < 0:
            hit, share = SIDE, s.x / -dx
        elif dx > 0 and s.x + size + dx > WIDTH:
            hit, share = SIDE, (WIDTH - size - s.x) / dx
        if dy < 0 and s.y + dy < 0:
            other = s.y / -dy
            if other < share:
                hit, share = TOP, other
        elif dy > 0 and s.y + size <= PADDLE_Y and s.y + size + dy >= PADDLE_Y:
            other = (PADDLE_Y - size - s.y) / dy
            if other < share or (other == share and hit == NOTHING):
                if s.x + dx * other + size >= s.paddle and s.x + dx * other <= s.paddle + s.paddle_width:
                    hit, share = PADDLE, other
        other = wall_hit(s, size, dx, dy, &side, &r, &column)
        if other < share or (other == share and hit == NOTHING):
            hit, share = side, other
        s.x += dx * share
        s.y += dy * share
        left *= 1 - share
        if hit == NOTHING:
            break
        elif hit == SIDE:
            s.x = 0 if dx < 0 else WIDTH - size
            s.vx = -s.vx
        elif hit == TOP:
            s.y = 0
            s.vy = -s.vy
            if s.paddle_width == PADDLE_WIDTH:
                s.paddle += PADDLE_WIDTH / 4.0
                s.paddle_width = PADDLE_WIDTH / 2.0
        elif hit == PADDLE:
            hit_paddle(c, s)
        else:
            if hit == BRICK_X:
                s.x = column * BRICK_WIDTH - size if dx > 0 else (column + 1) * BRICK_WIDTH
                s.vx = -s.vx
            else:
                s.y = WALL_TOP + r * BRICK_HEIGHT - size if dy > 0 else WALL_TOP + (r + 1) * BRICK_HEIGHT
                s.vy = -s.vy
            points += break_brick(s, r, column)
    return points


cdef int advance(const Config* c, State* s, Stream* stream, double velocity) noexcept nogil:
    """One step of `frame_skip` ticks; the points scored. Stops when the game is over."""
    cdef int _tick, points = 0
    for _tick in range(c.frame_skip):
        s.paddle = clipped_double(s.paddle + velocity * PADDLE_SPEED * TICK, WIDTH - s.paddle_width)
        points += move_ball(c, s)
        if s.points >= 2 * WALL_POINTS:
            break
        if s.y > HEIGHT:
            s.balls -= 1
            if s.balls == 0:
                break
            serve(c, s, stream)
    return points


# ---- observe ----

cdef void observe(const Config* c, const State* s, float* out) noexcept nogil:
    cdef double paddle = s.paddle + s.paddle_width / 2
    cdef double x = s.x + c.ball_size / 2, y = s.y + c.ball_size / 2
    cdef double apart = (x - paddle) / REACH
    out[0] = <float>(2 * paddle / WIDTH - 1)
    out[1] = <float>(2 * x / WIDTH - 1)
    out[2] = <float>(2 * min(y / HEIGHT, 1.0) - 1)
    out[3] = <float>(s.vx / TOP_SPEED)
    out[4] = <float>(s.vy / TOP_SPEED)
    out[5] = <float>(-1.0 if apart < -1 else min(apart, 1.0))
    out[6] = <float>(s.balls / 5.0)
    out[7] = <float>(s.points / (2.0 * WALL_POINTS))
    out[8] = <float>(s.paddle_width / PADDLE_WIDTH)
    out[9] = <float>((s.hits_of_ball % HITS_A_SPEED) / <double>HITS_A_SPEED)
    memcpy(out + SCALARS, s.broken, BRICKS * sizeof(float))


cdef class Rules(Game):
    """The native engine; `skipjack.games.breakout.env.Breakout` adds spaces and settings."""

    cdef Config config

    def __init__(self, int num_envs, config):
        self.config = Config(config.frame_skip, config.balls, config.ball_size, config.continuous)
        super().__init__(
            num_envs, sizeof(State), config.time_limit, desynchronise=config.desynchronise,
            statistics=("points", "balls", "hits", "ticks"), abi=ABI,
        )

    cdef void reset_range(self, int lo, int hi) noexcept nogil:
        cdef Kernel* k = &self.k
        cdef int env
        for env in range(lo, hi):
            new_game(&self.config, <State*>state(k, env), &header(k, env).stream)
            observe(&self.config, <State*>state(k, env), <float*>observation(k, row(k, env, 0)))

    cdef void step_range(self, int lo, int hi) noexcept nogil:
        cdef Kernel* k = &self.k
        cdef const Config* c = &self.config
        cdef State* s
        cdef int env, r, choice
        cdef double velocity
        cdef bint over, late
        for env in range(lo, hi):
            s = <State*>state(k, env)
            r = row(k, env, 0)
            if c.continuous:
                velocity = clipped(reals(k, r)[0], -1, 1)
            else:
                choice = choices(k, r)[0]
                velocity = (choice == 2) - (choice == 1)
            give(k, env, 0, advance(c, s, &header(k, env).stream, velocity))
            late = elapse(k, env, c.frame_skip)
            over = s.balls == 0 or s.points >= 2 * WALL_POINTS
            if over or late:
                self.end(env, r, late and not over)
            observe(c, s, <float*>observation(k, r))

    cdef void end(self, int env, int r, bint truncated) noexcept nogil:
        cdef Kernel* k = &self.k
        cdef State* s = <State*>state(k, env)
        cdef float* out = <float*>final_observation(k, r, truncated)
        cdef float* stats = finish(k, env, 0, truncated, s.points / (2.0 * WALL_POINTS), NAN)
        if out != NULL:
            observe(&self.config, s, out)
        stats[0] = s.points
        stats[1] = s.balls
        stats[2] = s.hits
        stats[3] = header(k, env).tick
        new_game(&self.config, s, &header(k, env).stream)
        begin(k, env)

    cdef object draw(self, int env):
        cdef State* s = <State*>state(&self.k, env)
        cdef double size = self.config.ball_size
        colours = ((214, 84, 84), (214, 84, 84), (222, 160, 70), (222, 160, 70), (96, 176, 96), (96, 176, 96))
        scene = Scene(WIDTH, HEIGHT)
        for i in range(BRICKS):
            if not s.broken[i]:
                x, y = i % COLUMNS * BRICK_WIDTH, WALL_TOP + i // COLUMNS * BRICK_HEIGHT
                scene.add(Rectangle(x + 1, y + 1, BRICK_WIDTH - 2, BRICK_HEIGHT - 2, colours[i // COLUMNS]))
        scene.add(Rectangle(s.paddle, PADDLE_Y, s.paddle_width, 8, (220, 225, 235)))
        scene.add(Circle(s.x + size / 2, s.y + size / 2, size / 2, (250, 215, 120)))
        scene.add(Text(8, 8, f"{s.points} points", 20, (220, 225, 235)))
        scene.add(Text(WIDTH - 90, 8, f"{s.balls} balls", 20, (220, 225, 235)))
        return scene

    def native_config(self):
        """The settings that the C code reads, as a dictionary."""
        return self.config

    cdef dict peek(self, int env):
        return (<State*>state(&self.k, env))[0]

    cdef put(self, int env, dict values):
        (<State*>state(&self.k, env))[0] = values

    cdef void show(self, int env) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        observe(&self.config, s, <float*>observation(&self.k, row(&self.k, env, 0)))
