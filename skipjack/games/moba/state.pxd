# The MOBA's state, and what its parts share: places, searching, ways, hurting. The rules are in rules.pyx.
#
# A game is two halves, blue's and red's, with the same HALF entities each: entity i of one half is entity i
# of the other turned by half. Whatever is done is done to such pairs, one index after the other, and within
# a pair at once, so that no side is before the other. Positions are whole numbers, UNIT to a cell: turning
# one changes y to size * UNIT - 1 - y, and no rounding tells the sides apart.

from libc.string cimport memcpy, memset

from skipjack.native.kernel cimport Stream, uint8_t, int32_t, int64_t, uint32_t, uint64_t

cdef enum:
    UNIT = 256          # of positions, to a cell
    HEROES = 0          # index within a half of its first hero, ...
    MOST_HEROES = 5
    CREEPS = 5
    MOST_CREEPS = 50
    NEUTRALS = 55
    CAMP = 4            # neutrals of a camp
    MOST_NEUTRALS = 36
    TOWERS = 91
    MOST_TOWERS = 12
    HALF = 103
    IDS = 207           # ids are 1 + half * HALF + index; 0 is nobody
    WALL = 255          # in `cells`
    NEUTRAL = 2         # the team of neutrals
    MOST_LANES = 3
    STAY = 8            # the way where there is none
    PARTS = 4           # of the reward: death, xp, distance, tower
    CORE = 5            # the tier of a core

cdef enum Kind:
    HERO = 1            # bits, so that several are one number
    CREEP = 2
    NEUTRAL_KIND = 4
    TOWER = 8
    MOVABLE = 7
    ANY = 15

cdef enum Class:
    SUPPORT
    ASSASSIN
    BURST
    TANK
    CARRY

cdef enum Opponent:
    SELF
    RANDOM
    CREEP_FOLLOWER
    LAST_HITTER
    LANE_PUSHER
    RETREAT_WHEN_LOW


cdef struct Support:
    int health, health_level, mana, mana_level, damage, damage_level
    int hook_mana, hook_cooldown
    double hook_pull, hook_pull_level
    int heal_mana, heal_cooldown, heal_power, heal_power_level, heal_reach
    int strike_mana, strike_cooldown, strike_damage, strike_damage_level, strike_stun
    double strike_stun_level


cdef struct Assassin:
    int health, health_level, mana, mana_level, damage, damage_level
    int sweep_mana, sweep_cooldown, sweep_damage, sweep_damage_level, sweep_reach
    int ambush_mana, ambush_cooldown, ambush_damage, ambush_damage_level
    int sprint_mana, sprint_cooldown, sprint_ticks
    double sprint_factor


cdef struct Burst:
    int health, health_level, mana, mana_level, damage, damage_level
    int bolt_mana, bolt_cooldown, bolt_damage, bolt_damage_level
    int blast_mana, blast_cooldown, blast_damage, blast_damage_level, blast_reach
    int daze_mana, daze_cooldown, daze_stun, daze_reach
    double daze_stun_level


cdef struct Tank:
    int health, health_level, mana, mana_level, damage, damage_level
    int grind_mana, grind_cooldown, grind_damage, grind_damage_level, grind_reach
    int mend_mana, mend_cooldown, mend_power, mend_power_level
    int charge_mana, charge_cooldown, charge_reach
    double charge_pull, charge_pull_level


cdef struct Carry:
    int health, health_level, mana, mana_level, damage, damage_level
    int kite_mana, kite_cooldown, kite_uses, kite_ticks
    double kite_step, kite_step_level, kite_factor
    int snare_mana, snare_cooldown, snare_damage, snare_damage_level, snare_ticks
    double snare_factor, snare_ticks_level
    int volley_mana, volley_cooldown, volley_damage, volley_damage_level, volley_reach


cdef struct Config:
    int map
    int opponent
    Support support
    Assassin assassin
    Burst burst
    Tank tank
    Carry carry
    double hero_speed
    int attack_every
    int health_regeneration
    int mana_regeneration
    int levels
    int ladder
    int creep_every
    int creep_count
    int creep_health
    int creep_damage
    int creep_attack_every
    int creep_vision
    int creep_reach
    double creep_speed
    int neutral_health
    int neutral_damage
    int neutral_attack_every
    int neutral_vision
    int neutral_reach
    int neutral_leash
    int neutral_refill
    int tower_vision
    int tower_attack_every
    int tower_health_1
    int tower_health_2
    int tower_health_3
    int tower_health_4
    int core_health
    int tower_damage_1
    int tower_damage_2
    int tower_damage_3
    int tower_damage_4
    int core_damage
    int xp_creep
    int xp_neutral
    int xp_tower
    int xp_hero
    double xp_hero_share
    int xp_reach
    double reward_death
    double reward_xp
    double reward_distance
    double reward_tower
    double shared
    double scatter


# What follows from settings and ground, the same for all envs.
cdef struct Shape:
    int size                # cells a side of the ground
    int cells
    int stride              # bytes of a row of bits
    int heroes              # of a team
    int lanes
    int towers              # of a side
    int camps               # of a side
    int home                # cell where blue's heroes appear
    int[MOST_HEROES] kind           # class of each seat
    int[MOST_HEROES] lane_of
    int[MOST_LANES] start           # cells where blue's creeps appear
    int[MOST_TOWERS] tower          # cells of blue's towers
    int[MOST_TOWERS] tier
    int[MOST_TOWERS] tower_health
    int[MOST_TOWERS] tower_damage
    int[MOST_NEUTRALS] post         # cells of the neutrals of blue's half
    int[9] camp                     # cells of its camps' middles
    int[5] health, health_level, mana, mana_level, damage, damage_level     # by class
    int[5][3] cost, cooldown        # of skills
    int[32] ladder                  # xp of a level
    int[7][7][2] step               # (down, right) of the choices vy, vx, UNIT for a whole step
    int[9] by                       # cells that a direction leads on
    size_t cells_at, bits_at, size_of_state
    const uint8_t* walls            # (cells): WALL or 0
    const uint8_t* ways             # (lanes + 2 + camps, cells)
    const unsigned short* distance  # (cells), tenths of cells to red's core
    const uint32_t* wake            # (cells): camps whose neutrals may see something there


cdef struct Entity:
    int32_t y, x            # position
    int32_t cell
    int32_t health, most    # most: of full health
    int32_t stunned         # tick until which it is
    int32_t slowed
    int32_t slow            # what its speed is multiplied with meanwhile, of UNIT
    int32_t ready           # tick from which a hero may attack; of creeps: UNITs gone of a step
    uint8_t kind
    uint8_t team
    uint8_t alive
    uint8_t target          # id of whom a creep or neutral is after
    uint8_t lane            # of a creep; the tier of a tower
    uint8_t half
    uint8_t index
    uint8_t reserved


cdef struct Hero:
    int32_t mana, most_mana
    int32_t xp, level
    int32_t damage
    int32_t[3] cooled       # tick from which a skill may be used
    int32_t kites           # uses of the carry's Q since its cool-down
    int32_t hasted          # tick until which it is
    int32_t kind, lane
    int32_t hurt            # damage of the last tick
    int32_t far, went       # tenths of cells to the enemy's core; how many less than a tick ago
    int32_t gained, given   # xp of the last tick: gained, given away by dying
    int32_t fell, toppled   # deaths and towers of the last tick
    int32_t did, aimed      # for pictures: the last tick's skill (3: attack, -1: none), and the cell
    float[PARTS] parts      # of the last tick's reward
    int32_t kills, deaths, dealt, taken, healed, mended, towers
    int32_t[3] used
    double[PARTS] sums      # of the episode's reward


cdef struct State:
    int32_t time            # ticks since the game began
    int32_t side            # the team that the seats play where the other is scripted
    int32_t fallen          # bits of the teams whose core has fallen
    uint32_t away           # camps with somebody not at home; red's half from bit 16 on
    uint64_t[2] creeps      # bits of a half's creeps that are alive
    int32_t[2] standing     # towers, the core among them
    int32_t[2] waves        # creeps that have appeared, for their slots


# What a tick brings to an entity, gathered before anything of it happens.
cdef struct Pending:
    int32_t damage, heal
    int32_t y, x            # how far it is pulled
    int32_t[2] best         # most damage of one hero, by team
    int32_t[2] by           # who did it: a seat


# What must add up in a tick: see ledger.pyx.
cdef struct Ledger:
    int64_t by_units        # damage by creeps, neutrals and towers
    int64_t lost            # xp beyond the last level
    int64_t due             # xp of the dead that belong to somebody
    int64_t dealt, taken, healed, mended, xp    # all heroes' as the tick began
    int32_t[IDS] health     # likewise
    int32_t wrong           # 1: something did not add up


cdef struct Turn:
    Pending[IDS] pending
    uint64_t[2][2] touched  # by half, bits of the indices that something is pending for
    int32_t[10] can_act
    int32_t[10][6] choice   # of each hero
    int32_t[10] gain        # xp
    Ledger ledger


cdef struct Place:
    int y, x, cell


cdef struct World:
    State* s
    Entity* e               # by id
    Hero* h                 # by 5 * team + seat
    uint8_t* cells          # id of who stands there, WALL, or 0
    uint8_t* bits           # (3, size, stride): where the entities of each team are
    uint32_t* looks         # (2, 256): by team that looks and id, the four bytes of a window's cell
    const Shape* g
    const Config* c
    Stream* stream
    Turn* turn


cdef inline World world_of(
    const Shape* g, const Config* c, char* at, Stream* stream, Turn* turn
) noexcept nogil:
    cdef World w
    w.s = <State*>at
    w.h = <Hero*>(at + sizeof(State))
    w.e = <Entity*>(at + sizeof(State) + 10 * sizeof(Hero))
    w.looks = <uint32_t*>(at + sizeof(State) + 10 * sizeof(Hero) + IDS * sizeof(Entity))
    w.bits = <uint8_t*>(at + g.bits_at)
    w.cells = <uint8_t*>(at + g.cells_at)
    w.g, w.c, w.stream, w.turn = g, c, stream, turn
    return w


# ---- numbers ----

cdef inline int smaller(int a, int b) noexcept nogil:
    return a if a < b else b


cdef inline int larger(int a, int b) noexcept nogil:
    return a if a > b else b


cdef inline int size_of(int a) noexcept nogil:
    return -a if a < 0 else a


cdef inline int sign(int a) noexcept nogil:
    return (a > 0) - (a < 0)


cdef inline int id_of(int half, int index) noexcept nogil:
    return 1 + half * HALF + index


cdef inline Hero* hero_of(World* w, const Entity* e) noexcept nogil:
    return w.h + 5 * e.team + e.index


cdef inline int grown(int base, double per_level, int level) noexcept nogil:
    return <int>(base + per_level * level)


# ---- places ----

cdef inline int turned(const World* w, int cell, int half) noexcept nogil:
    """A cell of blue's half as the half has it."""
    return w.g.cells - 1 - cell if half else cell


cdef inline int middle(int place, int half) noexcept nogil:
    """Position of a row's or column's middle; red's is blue's turned."""
    return place * UNIT + UNIT // 2 - half


cdef inline int apart(const World* w, int a, int b) noexcept nogil:
    """Cells between two cells, along the longer axis."""
    return larger(
        size_of(a // w.g.size - b // w.g.size), size_of(a % w.g.size - b % w.g.size)
    )


cdef inline uint8_t* byte_of(World* w, int team, int cell) noexcept nogil:
    cdef int y = cell // w.g.size
    return w.bits + (team * w.g.size + y) * w.g.stride + (cell - y * w.g.size >> 3)


cdef inline void lift(World* w, Entity* e) noexcept nogil:
    """Nobody stands where this one stood."""
    w.cells[e.cell] = 0
    byte_of(w, e.team, e.cell)[0] &= ~(1 << (e.cell % w.g.size & 7))


cdef inline void put_down(World* w, int id, int y, int x) noexcept nogil:
    cdef Entity* e = w.e + id
    e.y, e.x = y, x
    e.cell = (y // UNIT) * w.g.size + x // UNIT
    w.cells[e.cell] = <uint8_t>id
    byte_of(w, e.team, e.cell)[0] |= 1 << (e.cell % w.g.size & 7)


cdef inline void relocate(World* w, int id, int y, int x) noexcept nogil:
    cdef Entity* e = w.e + id
    if (y // UNIT) * w.g.size + x // UNIT == e.cell:
        e.y, e.x = y, x
        return
    lift(w, e)
    put_down(w, id, y, x)


cdef inline void put_in_cell(World* w, int id, int cell) noexcept nogil:
    cdef int half = w.e[id].half
    put_down(w, id, middle(cell // w.g.size, half), middle(cell % w.g.size, half))


# ---- what windows show ----

cdef inline uint32_t byte(int value) noexcept nogil:
    return 0 if value < 0 else 255 if value > 255 else value


cdef inline int filled(int value, int most) noexcept nogil:
    """A share as a byte; only nothing is 0."""
    return (255 * value + most - 1) // most if most > 0 else 0


cdef inline void look(World* w, int id) noexcept nogil:
    """Let windows show an entity as it is now."""
    cdef Entity* e = w.e + id
    cdef Hero* h
    cdef uint32_t own, other, rest = byte(filled(e.health, e.most)) << 8
    if e.kind == HERO:
        h = hero_of(w, e)
        own, other = 6 + h.kind, 11 + h.kind
        rest |= byte(filled(h.mana, h.most_mana)) << 16 | byte(8 * h.level) << 24
    elif e.kind == TOWER:
        own, other = 4, 5
        rest |= byte(50 * e.lane) << 24
    elif e.kind == CREEP:
        own, other = 2, 3
    else:
        own = other = 3
        rest |= <uint32_t>25 << 24
    w.looks[id] = (other if e.team else own) | rest
    w.looks[256 + id] = (own if e.team == 1 else other) | rest


# ---- searching ----

cdef inline uint32_t row_bits(const World* w, int a, int b, int y, int x) noexcept nogil:
    """Bits of a row from column x on: where entities of two teams are, which may be one."""
    cdef const uint8_t* at = w.bits + y * w.g.stride + (x >> 3)
    cdef Py_ssize_t plane = w.g.size * w.g.stride
    cdef uint32_t one, other
    memcpy(&one, at + a * plane, 4)
    memcpy(&other, at + b * plane, 4)
    return (one | other) >> (x & 7)


cdef inline int first_of(int teams) noexcept nogil:
    return 0 if teams & 1 else 1 if teams & 2 else 2


cdef inline int last_of(int teams) noexcept nogil:
    return 2 if teams & 4 else 1 if teams & 2 else 0


cdef extern from *:
    """
    #if defined(__GNUC__)
    #define SKIPJACK_LOWEST(bits) __builtin_ctz(bits)
    #define SKIPJACK_LOWEST_LONG(bits) __builtin_ctzll(bits)
    #else
    static inline int SKIPJACK_LOWEST_LONG(unsigned long long bits) {
        int i = 0; while (!(bits >> i & 1)) i++; return i;
    }
    #define SKIPJACK_LOWEST(bits) SKIPJACK_LOWEST_LONG(bits)
    #endif
    """
    # The number of the lowest bit of some.
    int lowest "SKIPJACK_LOWEST"(uint32_t bits) noexcept nogil
    int lowest_of "SKIPJACK_LOWEST_LONG"(uint64_t bits) noexcept nogil


cdef inline int nearest(
    const World* w, int teams, int kinds, int cell, int reach, int half
) noexcept nogil:
    """Id of the nearest entity of one or two teams (bits) and of the kinds, `reach` cells each way; or 0.

    Of several as near it is the first one, row by row, as the half sees the ground.
    """
    cdef int y = cell // w.g.size, x = cell % w.g.size, a = first_of(teams), b = last_of(teams)
    cdef int dy, dx, id, key, best = 1 << 30, found = 0, side = 2 * reach + 1
    cdef uint32_t bits, inside = (<uint32_t>1 << side) - 1
    for dy in range(-reach, reach + 1):
        bits = row_bits(w, a, b, y + dy, x - reach) & inside
        while bits:
            dx = lowest(bits) - reach
            bits &= bits - 1
            key = dy * side + dx
            key = (dy * dy + dx * dx) * 1024 + (-key if half else key)
            if key < best:
                id = w.cells[cell + dy * w.g.size + dx]
                if w.e[id].kind & kinds:
                    best, found = key, id
    return found


cdef inline int hostile_to(int team) noexcept nogil:
    """Bits of the teams that a team's heroes fight."""
    return 7 & ~(1 << team)


# ---- ways ----

cdef inline int way(const World* w, int field, int cell, int half) noexcept nogil:
    """Direction of the next step of a half's field."""
    cdef int found
    if not half:
        return w.g.ways[field * w.g.cells + cell]
    found = w.g.ways[field * w.g.cells + w.g.cells - 1 - cell]
    return found if found == STAY else found ^ 4


cdef inline int speed_of(const World* w, const Entity* e, int usual) noexcept nogil:
    """UNITs a tick, as slowed as it is."""
    return usual * e.slow // UNIT if e.slowed > w.s.time else usual


cdef inline void walk(
    const World* w, const Entity* e, int down, int right, bint slide, Place* to
) noexcept nogil:
    """Where a way from its place ends, a cell at most at a time: at what stands in it, or along it."""
    cdef int steps = (larger(size_of(down), size_of(right)) + UNIT - 1) // UNIT
    cdef int i, dy, dx, y = e.y, x = e.x, cell = e.cell, other, attempt
    for i in range(steps):
        dy = down * (i + 1) // steps - down * i // steps
        dx = right * (i + 1) // steps - right * i // steps
        for attempt in range(3 if slide else 1):
            if attempt == 1 and (dy == 0 or dx == 0):
                break
            other = ((y + (dy if attempt != 2 else 0)) // UNIT) * w.g.size
            other += (x + (dx if attempt != 1 else 0)) // UNIT
            if other == e.cell or w.cells[other] == 0:
                y += dy if attempt != 2 else 0
                x += dx if attempt != 1 else 0
                cell = other
                break
        else:
            break
    to.y, to.x, to.cell = y, x, cell


cdef inline void go_both(World* w, const int* ids, const Place* to) noexcept nogil:
    """Two of a pair go where they want, unless that is one cell; an id of 0 stays."""
    cdef int half
    if to[0].cell == to[1].cell:
        return
    for half in range(2):
        if ids[half]:
            relocate(w, ids[half], to[half].y, to[half].x)


# ---- what a tick brings ----

cdef inline Pending* touch(World* w, int id) noexcept nogil:
    cdef int index = w.e[id].index
    w.turn.touched[w.e[id].half][index >> 6] |= <uint64_t>1 << (index & 63)
    return w.turn.pending + id


cdef inline void hurt(World* w, int id, int damage) noexcept nogil:
    """Damage by nobody who is told of it."""
    touch(w, id).damage += damage
    w.turn.ledger.by_units += damage


cdef inline void hurt_by(World* w, const Entity* by, int id, int damage) noexcept nogil:
    """A hero's damage: of those who hurt the most in a tick, the lowest seat is remembered."""
    cdef Pending* p = touch(w, id)
    p.damage += damage
    hero_of(w, by).dealt += damage
    if damage > p.best[by.team] or (damage == p.best[by.team] and by.index < p.by[by.team]):
        p.best[by.team], p.by[by.team] = damage, by.index


cdef inline int worth(World* w, const Entity* e) noexcept nogil:
    """The xp of somebody dead."""
    if e.kind == HERO:
        return w.c.xp_hero + <int>(hero_of(w, e).xp / w.c.xp_hero_share)
    if e.kind == TOWER:
        return w.c.xp_tower * e.lane
    return w.c.xp_creep if e.kind == CREEP else w.c.xp_neutral
