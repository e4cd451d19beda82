"""Rock-paper-scissors: both show a hand at once, for several rounds.

              against rock   paper   scissors
    rock            draw     loses   wins
    paper           wins     draw    loses
    scissors        loses    wins    draw

A game is `rounds` rounds; who has won more of them has won. Every hand is beaten by another: there is
no best player, only one that others cannot use (each hand as often), and players that beat each other
in a circle. That makes it a test of ratings and of training against a pool.

`opponent`: "self" makes both sides seats. All others are a player inside the step that the one seat meets:
    "rock", "paper", "scissors"    always that hand; three players in a circle
    "random"    each hand as often; nobody does better or worse against it
    "copycat"   the hand that the other showed in the round before
    "counter"   the hand that beats the one that the other showed in the round before
The last two begin with any hand. A seat that shows what beats its own last hand beats "copycat" in every
further round; one that shows what its own last hand beats, "counter".

Actions: 0 rock, 1 paper, 2 scissors. Reward: 1 for a round won, -1 for a round lost. Score: rounds won, and
half of those drawn, / rounds played. Outcome: who won more rounds. Statistics: won, lost, drawn (rounds),
rock, paper, scissors (share of the rounds in which the seat showed that hand). A tick is a round.

Observation, uint8[2, memory], categories 0 .. 3: what the seat showed in the last rounds of the game, the
newest first, then what the other showed: 1 rock, 2 paper, 3 scissors, 0 before the first round.
"""

from libc.string cimport memset

from skipjack.native.kernel cimport *
from skipjack.native.scene import Rectangle, Scene, Text

cdef enum:
    HANDS = 3
    MOST = 16           # rounds that can be remembered

cdef enum:              # opponents; up to RANDOM the hand that it always shows
    RANDOM = 3
    COPYCAT = 4
    COUNTER = 5
    SELF = 6

OPPONENTS = {
    "rock": 0, "paper": 1, "scissors": 2, "random": RANDOM, "copycat": COPYCAT, "counter": COUNTER,
    "self": SELF,
}


cdef struct Config:
    int opponent
    int rounds
    int memory


cdef struct State:
    int32_t played          # rounds
    int32_t won[2]          # by each side
    int32_t shown[6]        # how often each hand was shown, the first side's three before the second's
    int32_t seen[2][16]     # 1 + the hand of each side in the last rounds, the newest first


cdef inline int winner(int one, int two) noexcept nogil:
    """1 if the first hand wins, -1 if it loses, 0 if both are the same."""
    return (one - two + 4) % HANDS - 1


cdef int reply(const Config* c, const State* s, Stream* stream) noexcept nogil:
    """The opponent's hand; it does not know the other's in this round."""
    cdef int last = s.seen[0][0] - 1
    if c.opponent < RANDOM:
        return c.opponent
    if c.opponent == RANDOM or last < 0:
        return below(stream, HANDS)
    return last if c.opponent == COPYCAT else (last + 1) % HANDS


cdef int play(State* s, int one, int two) noexcept nogil:
    """A round; 1 if the first side won it, -1 if the second did."""
    cdef int hands[2]
    cdef int side, balance = winner(one, two)
    cdef Py_ssize_t i
    hands[0] = one
    hands[1] = two
    for side in range(2):
        for i in range(MOST - 1, 0, -1):
            s.seen[side][i] = s.seen[side][i - 1]
        s.seen[side][0] = 1 + hands[side]
        s.shown[HANDS * side + hands[side]] += 1
    s.won[0] += balance == 1
    s.won[1] += balance == -1
    s.played += 1
    return balance


cdef class Rules(SimpleGame):
    """The native engine; `skipjack.games.rock_paper_scissors.env.RockPaperScissors` adds the rest."""

    cdef Config config

    def __init__(self, int num_envs, config):
        self.config = Config(OPPONENTS[config.opponent], config.rounds, config.memory)
        super().__init__(
            num_envs, sizeof(State), config.time_limit,
            teams=(0, 1) if self.config.opponent == SELF else (0,),
            desynchronise=config.desynchronise,
            statistics=("won", "lost", "drawn", "rock", "paper", "scissors"), abi=ABI,
        )

    cdef void new_episode(self, int env) noexcept nogil:
        memset(state(&self.k, env), 0, sizeof(State))

    cdef bint advance(self, int env) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef int other, balance
        if self.config.opponent == SELF:
            other = self.hand(env, 1)
        else:
            other = reply(&self.config, s, &header(&self.k, env).stream)
        balance = play(s, self.hand(env, 0), other)
        give(&self.k, env, 0, balance)
        if self.k.seats == 2:
            give(&self.k, env, 1, -balance)
        return s.played == self.config.rounds

    cdef inline int hand(self, int env, int seat) noexcept nogil:
        cdef int choice = choices(&self.k, row(&self.k, env, seat))[0]
        return choice if 0 <= choice < HANDS else 0

    cdef float score(self, int env, int seat, bint truncated) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        return (s.played + s.won[seat] - s.won[1 - seat]) / <float>(2 * s.played)

    cdef float outcome(self, int env, int seat, bint truncated) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef int own = s.won[seat], other = s.won[1 - seat]
        return 0.5 + 0.5 * ((own > other) - (own < other))

    cdef void fill(self, int env, int seat, float* stats) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef int hand
        stats[0] = s.won[seat]
        stats[1] = s.won[1 - seat]
        stats[2] = s.played - s.won[0] - s.won[1]
        for hand in range(HANDS):
            stats[3 + hand] = s.shown[HANDS * seat + hand] / <float>s.played

    cdef void observe(self, int env, int seat, void* out) noexcept nogil:
        cdef State* s = <State*>state(&self.k, env)
        cdef uint8_t* seen = <uint8_t*>out
        cdef Py_ssize_t i, memory = self.config.memory
        for i in range(memory):
            seen[i] = s.seen[seat][i]
            seen[memory + i] = s.seen[1 - seat][i]

    cdef object draw(self, int env):
        cdef State* s = <State*>state(&self.k, env)
        cdef int side, i
        names = ("", "rock", "paper", "scissors")
        colours = ((250, 215, 80), (226, 78, 70))
        scene = Scene(300, 150).add(
            Text(20, 10, f"round {s.played + 1} of {self.config.rounds}", 18, (180, 190, 205))
        )
        for side in range(2):
            y = 44 + 50 * side
            scene.add(
                Rectangle(20, y, 8, 36, colours[side]),
                Text(40, y + 2, str(s.won[side]), 28, (235, 235, 240)),
                Text(90, y + 4, names[s.seen[side][0]], 24, (235, 235, 240)),
            )
            for i in range(1, 9):
                letter = names[s.seen[side][i]][:1]
                scene.add(Text(200 + 11 * (i - 1), y + 8, letter, 16, (130, 140, 156)))
        return scene

    def native_config(self):
        """The settings that the C code reads, as a dictionary."""
        return self.config

    cdef dict peek(self, int env):
        return (<State*>state(&self.k, env))[0]

    cdef put(self, int env, dict values):
        (<State*>state(&self.k, env))[0] = values
