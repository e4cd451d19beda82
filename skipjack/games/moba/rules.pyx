"""The MOBA: two teams of heroes, with creeps and towers, each for the other's core.

    +-----------------------+      Blue begins in the south-west, red in the north-east, on a ground that
    | t---------------t-- C |      is the same after half a turn. A lane leads along the west and the
    | |  jungle      / t /| |      north, one through the middle, one along the south and the east; a river
    | t             / t / t |      crosses them. Between the lanes lie walls and the camps of neutrals.
    | |   ~~~ river ~~~   | |      Ground `small` has one lane, three heroes a side, two towers and a core
    | t / t /             t |      a side, and no neutrals.
    | |/ t /      jungle  | |      Both sides see and move as if they were blue: red's ground is turned by
    | C --t---------------t |      half, and its top lane is blue's bottom lane.
    +-----------------------+

Nobody has a turn before the other side: what is done in a tick is done at once (`state.pxd`), and ties
are broken alike for both. Positions are whole numbers, 256 to a cell, so that both sides round alike. A
cell holds one entity. Distances "within n cells" are n cells each way, a square.

A tick: creeps come every `creep_every` ticks, camps are filled every `neutral_refill`, heroes regain
health and mana. Heroes use an ability, then creeps, neutrals and towers attack. Damage, healing and pulls
are gathered and come about when all have acted: whoever dies in a tick has still acted in it. Then who is
pulled, heroes, creeps and neutrals go. The dead hero is at home at once, in full health; stuns, slows and
sprints end, cool-downs, level and xp stay.

Actions [7, 7, 3, 2, 2, 2]: vy and vx, of 0, -1, -2/3, -1/3, 1/3, 2/3, 1 (down and to the right; a longer
vector than 1 is shortened to it); attack mode: 0 all, 1 heroes and towers only, 2 none; use Q, W, E. The
first of Q, W, E that can be paid and finds a target is used, else the basic attack. The target is the
nearest hostile (of the other side or neutral) in the window of 11 x 11 that the mode allows; with mode 2
there is none. A hero that meets something on its way goes along it. A stunned hero does nothing.

Skills (numbers and growth in `heroes.py`; "around" without more is around the hero):

    class     Q                           W                              E
    support   pull the target             heal own heroes around         hurt and stun the target
    assassin  hurt creeps and neutrals    appear beside the target and   run faster
              around                      hurt it
    burst     hurt the target             hurt all around the target     stun all around the target
    tank      hurt all around             heal itself                    appear beside the target and
                                                                         pull all around
    carry     step back and slow the      hurt and slow the target       hurt all around the target
              target, three times

Areas hurt towers too; towers are not stunned, slowed or pulled, and a hook takes the nearest that can be.
Healing finds no target where nobody lacks health. A pull ends beside the puller and at whatever stands in
the way. To appear beside a target takes a free cell beside it; if both heroes of a seat want one cell,
neither does anything. Of several slows the strongest holds for the longest.

Xp: who dies belongs to the hero of the other side who hurt it most in that tick (lowest seat first; a
neutral hurt alike by both sides falls to the side on whose half its camp is), or to nobody. The killer
and its allies within `xp_reach` cells of the dead share the xp; what does not divide is the killer's.
Level n takes `ladder` x (n - 1) x (n + 4) / 6 xp:

    2: 240      7: 2640     12: 7040    17: 13440   22: 21840   27: 32240
    3: 560      8: 3360     13: 8160    18: 14960   23: 23760   28: 34560
    4: 960      9: 4160     14: 9360    19: 16560   24: 25760   29: 36960
    5: 1440     10: 5040    15: 10640   20: 18240   25: 27840   30: 39440
    6: 2000     11: 6000    16: 12000   21: 20000   26: 30000

No hero has more xp than the last level takes. A level's health and mana are there at once.

Creeps follow their lane to the enemy's core and fight what they meet of the other side (heroes, creeps,
towers); neutrals attack heroes near their camp and never leave it for long; towers attack the nearest
hero or creep. A side has at most 50 creeps; of a wave that finds fewer places the later lanes get none.
Any tower and core can be attacked at any time. The game ends when a core falls: outcome 1 or 0, 0.5 if
both fall in one tick. At the time limit it is truncated, and the side with more towers standing has won.
`score` is the outcome.

Reward of a hero: `reward_death` for a death, `reward_xp` for each xp gained less what its own death gave
to its killers, `reward_distance` for each cell less to the enemy's core (of the shortest way; coming home
after a death counts too), `reward_tower` for a last hit on a tower or core. So a kill is worth to both
sides together what a death costs, and to die and walk again is worth nothing: trading kills does not pay.
`shared` of it is the team's mean.

`opponent`: "self" makes all heroes seats, blue's first; otherwise the seats are one side's, and
`scripts.pyx` plays the other. Which side is drawn for an env's first game and changes with every game.

The first game of an env, desynchronised, is cut at a random share of the limit, and each of its towers
lacks up to `scatter` of its health.

Observation, uint8[507]: windows [11, 11] around the hero, row by row as its side sees them: kind (0
nothing, 1 wall, 2 creep and 3 creep of the other side or neutral, 4 tower and 5 the other side's, 6 .. 10
own heroes by class, 11 .. 15 the other side's), health (share of 255, rounded up), mana (likewise), level
(8 a level of a hero, 50 a tier of a tower, 25 of a neutral). Then of itself: position [2] (row and
column, as its side sees the ground), level (x 8), health, mana (shares of 255), damage (/ 4), speed (64 a
cell a tick), ticks left of stun and slow (x 4), of the cool-downs of Q, W and E, and until it may attack
(x 16), damage in the last tick (share of 255), class [5] (255 for its own), reward parts of the last tick
[4]: 255 for a death; 128 + xp / 8; 128 + 6.4 a tenth of a cell; 255 for a tower. All saturate.

Statistics: towers (last hits), towers_standing, towers_lost (of its side), xp, reward_death, reward_xp,
reward_distance, reward_tower (sums, before sharing), win_blue and win_red (the outcome of games as that
side); then for each class of hero the figures of the seats that play it: level, kills, deaths, dealt and
taken (damage; a hit counts whole, also what is beyond the health that was left), healed and mended (health
given to others or itself, and received; what was missing counts), q, w and e (uses).
"""

from libc.math cimport NAN

import dataclasses

import numpy as np

from skipjack.errors import RunError, unknown
from skipjack.games.moba.game cimport advance, choose, new_game, outcome, reward, whole
from skipjack.games.moba.heroes import CLASSES, SKILLS
from skipjack.games.moba.picture import picture
from skipjack.games.moba.scripts cimport script
from skipjack.games.moba.shape cimport shape_of
from skipjack.games.moba.sight cimport observe
from skipjack.games.moba.state cimport *
from skipjack.games.moba.terrain import terrain
from skipjack.native.camera import Camera
from skipjack.native.cells cimport prefetch
from skipjack.native.kernel cimport *

MAPS = ("full", "small")
OPPONENTS = {
    "self": SELF, "random": RANDOM, "creep_follower": CREEP_FOLLOWER, "last_hitter": LAST_HITTER,
    "lane_pusher": LANE_PUSHER, "retreat_when_low": RETREAT_WHEN_LOW,
}
FIGURES = (
    "towers", "towers_standing", "towers_lost", "xp", "reward_death", "reward_xp", "reward_distance",
    "reward_tower", "win_blue", "win_red",
)
CLASS_FIGURES = ("level", "kills", "deaths", "dealt", "taken", "healed", "mended", "q", "w", "e")

cdef enum:
    GENERAL = 10        # figures before those of the classes
    OF_CLASS = 10       # figures of each class


cdef class Rules(Game):
    """The native engine; `skipjack.games.moba.env.Moba` adds spaces and settings."""

    cdef Config config
    cdef Shape shape
    cdef readonly object ground
    """The `Terrain`."""
    cdef bint wrong             # damage or xp of a tick did not add up
    cdef object tables          # what `shape` points to
    cdef readonly object camera
    """The `Camera` of pictures."""
    cdef object reaches         # by class, cells that Q, W and E reach around, for pictures

    def __init__(self, int num_envs, config):
        self.ground = terrain(config.map)
        self.config = dict(
            dataclasses.asdict(config), map=MAPS.index(config.map), opponent=OPPONENTS[config.opponent]
        )
        self.tables = shape_of(&self.shape, config, self.ground)
        self.reaches = {
            name: [getattr(getattr(config, name), f"{skill}_reach", 0) for skill in SKILLS[name]]
            for name in CLASSES
        }
        self.camera = Camera()
        heroes = self.shape.heroes
        teams = (0,) * heroes + ((1,) * heroes if config.opponent == "self" else ())
        names = [CLASSES[kind] for kind in self.ground.classes]
        super().__init__(
            num_envs, self.shape.size_of_state, config.time_limit, teams=teams,
            desynchronise=config.desynchronise, abi=ABI,
            statistics=(*FIGURES, *(f"{name}_{each}" for name in names for each in CLASS_FIGURES)),
        )

    cdef World world(self, int env, Turn* turn) noexcept nogil:
        return world_of(
            &self.shape, &self.config, <char*>state(&self.k, env), &header(&self.k, env).stream, turn
        )

    cdef int team_of(self, const World* w, int seat) noexcept nogil:
        """The team that a seat plays for."""
        return seat // self.shape.heroes if self.config.opponent == SELF else w.s.side

    cdef void reset_range(self, int lo, int hi) noexcept nogil:
        cdef World w
        cdef int env
        for env in range(lo, hi):
            w = self.world(env, NULL)
            w.s.side = below(w.stream, 2)
            new_game(&w, header(&self.k, env).first)
            self.show(env)

    cdef void step_range(self, int lo, int hi) noexcept nogil:
        cdef Turn turn
        cdef int env
        memset(&turn, 0, sizeof(Turn))
        # PERF: ranges are short where threads share the envs: without this, 8 of 32 envs took 6 % longer
        # than one of 256.
        for env in range(lo, min(lo + 2, hi)):
            self.ask_for_units(env)
        if lo < hi:
            self.ask_for_ground(lo)
        for env in range(lo, hi):
            if env + 2 < hi:
                self.ask_for_units(env + 2)
            if env + 1 < hi:
                self.ask_for_ground(env + 1)
            self.step_env(env, &turn)
        if turn.ledger.wrong:
            self.wrong = True

    cdef void ask_for_units(self, int env) noexcept nogil:
        """Ask for the memory of a later turn: everybody, and where they stand in bits."""
        # PERF: with what `ask_for_ground` asks for, 1.47 instead of 0.93 M steps/s with 256 envs.
        cdef const char* at = <const char*>header(&self.k, env)
        cdef Py_ssize_t i
        for i in range(0, <Py_ssize_t>(self.k.state_at + self.shape.cells_at), 64):
            prefetch(at + i)

    cdef void ask_for_ground(self, int env) noexcept nogil:
        """Ask for the cells around the heroes, and for the rows that they will see them in."""
        cdef World w = self.world(env, NULL)
        cdef int half, seat
        cdef const uint8_t* cell
        cdef Py_ssize_t i
        for half in range(2):
            for seat in range(self.shape.heroes):
                cell = w.cells + w.e[id_of(half, seat)].cell
                for i in range(-5, 6):
                    prefetch(cell + i * self.shape.size)

    cdef void step_env(self, int env, Turn* turn) noexcept nogil:
        cdef Kernel* k = &self.k
        cdef World w = self.world(env, turn)
        cdef int seat, hero, team
        cdef float[2] mean
        cdef float own
        cdef bint late
        for seat in range(k.seats):
            hero = 5 * self.team_of(&w, seat) + seat % self.shape.heroes
            choose(turn.choice[hero], choices(k, row(k, env, seat)))
        advance(&w)
        for team in range(2):
            mean[team] = 0
            for seat in range(self.shape.heroes):
                reward(&w, 5 * team + seat)
                mean[team] += whole(w.h + 5 * team + seat) / self.shape.heroes
        for seat in range(k.seats):
            team = self.team_of(&w, seat)
            own = whole(w.h + 5 * team + seat % self.shape.heroes)
            give(k, env, seat, own + <float>self.config.shared * (mean[team] - own))
        late = elapse(k, env, 1)
        if w.s.fallen or late:
            self.end(env, &w, w.s.fallen == 0)
        self.show(env)

    cdef void show(self, int env) noexcept nogil:
        cdef World w = self.world(env, NULL)
        cdef int seat
        for seat in range(self.k.seats):
            observe(
                &w, self.team_of(&w, seat), seat % self.shape.heroes,
                <uint8_t*>observation(&self.k, row(&self.k, env, seat)),
            )

    cdef void end(self, int env, World* w, bint truncated) noexcept nogil:
        cdef Kernel local = self.k      # its `last` is given up once the game's last picture is kept
        cdef int seat, team
        cdef float result
        cdef uint8_t* out
        for seat in range(local.seats):
            team = self.team_of(w, seat)
            out = <uint8_t*>final_observation(&local, row(&local, env, seat), truncated)
            if out != NULL:
                observe(w, team, seat % self.shape.heroes, out)
            result = outcome(w, team)
            self.fill(
                w, team, seat % self.shape.heroes, result,
                finish(&local, env, seat, truncated, result, result),
            )
            local.last = NULL
        w.s.side = 1 - w.s.side
        new_game(w, False)
        begin(&self.k, env)

    cdef void fill(self, const World* w, int team, int seat, float result, float* stats) noexcept nogil:
        """A seat's statistics; NaN where the figure is of another class or side."""
        cdef const Hero* h = w.h + 5 * team + seat
        cdef int i
        cdef float* own = stats + GENERAL + OF_CLASS * seat
        for i in range(GENERAL, self.k.statistics):
            stats[i] = NAN
        stats[0], stats[1], stats[2] = h.towers, w.s.standing[team], self.shape.towers - w.s.standing[team]
        stats[3] = h.xp
        for i in range(PARTS):
            stats[4 + i] = <float>h.sums[i]
        stats[8] = result if team == 0 else NAN
        stats[9] = result if team == 1 else NAN
        own[0], own[1], own[2], own[3], own[4] = h.level, h.kills, h.deaths, h.dealt, h.taken
        own[5], own[6], own[7], own[8], own[9] = h.healed, h.mended, h.used[0], h.used[1], h.used[2]

    def advised(self, opponent, int lo, int hi):
        """Actions (envs, seats, 6) int32 of envs [lo, hi) that a scripted team would take for all seats.

        Args:
            opponent: one of the setting's but "self"; "random" draws from the envs' streams.
            lo, hi: the envs.
        """
        self._check(lo, hi)
        cdef Turn turn
        cdef Config config = self.config
        cdef World w
        cdef int env, seat, k, team
        cdef int32_t[:, :, ::1] found = np.zeros((hi - lo, self.seats, 6), np.int32)
        if opponent not in OPPONENTS or OPPONENTS[opponent] == SELF:
            raise unknown("scripted team", opponent, [name for name in OPPONENTS if name != "self"])
        config.opponent = OPPONENTS[opponent]
        for env in range(lo, hi):
            w = self.world(env, &turn)
            w.c = &config
            script(&w, 0)
            script(&w, 1)
            for seat in range(self.k.seats):
                team = self.team_of(&w, seat)
                for k in range(6):
                    found[env - lo, seat, k] = turn.choice[5 * team + seat % self.shape.heroes][k]
        return np.asarray(found)

    def check_rows(self, int lo, int hi):
        """Raise also if damage, healing or xp of a tick did not add up; for checked builds."""
        super().check_rows(lo, hi)
        if self.wrong:
            raise RunError(
                "Damage, healing and xp of every tick of the MOBA must add up, as ledger.pyx says. "
                "Look for what changes health or xp beside hurt, give_health and share."
            )

    cdef object draw(self, int env):
        return picture(
            self.ground, self.peek(env), self.hero_of_seat(env, self.camera.seat), self.camera, self.reaches
        )

    def hero_of_seat(self, int env, int seat):
        """The hero that a seat plays in an env's game, 5 * team + its place in the team."""
        self._check(env, env + 1)
        cdef World w = self.world(env, NULL)
        seat %= self.k.seats
        return 5 * self.team_of(&w, seat) + seat % self.shape.heroes

    def native_config(self):
        """The settings that the C code reads, as a dictionary."""
        return self.config

    cdef dict peek(self, int env):
        cdef World w = self.world(env, NULL)
        cdef int i
        return {
            "state": w.s[0],
            "heroes": [w.h[i] for i in range(10)],
            "entities": [w.e[i] for i in range(IDS)],
        }

    cdef put(self, int env, dict values):
        cdef World w = self.world(env, NULL)
        cdef int i
        w.s[0] = values["state"]
        memcpy(w.cells, self.shape.walls, self.shape.cells)
        memset(w.bits, 0, 3 * self.shape.size * self.shape.stride)
        for i in range(10):
            w.h[i] = values["heroes"][i]
        for i in range(1, IDS):
            w.e[i] = values["entities"][i]
            if w.e[i].alive:
                put_down(&w, i, w.e[i].y, w.e[i].x)
                look(&w, i)
