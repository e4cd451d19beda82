"""Games between two players: equal quotas, both sides, every game counted once."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch

from skipjack import registry
from skipjack.arena.doubts import examine
from skipjack.arena.match import play_block
from skipjack.arena.players import Player, careless, random_player, scripted_player
from skipjack.arena.rating import fit
from skipjack.arena.seating import face_to_face, narrow, sides
from skipjack.emulate.config import EmulateConfig
from skipjack.emulate.maker import from_callable
from skipjack.errors import RunError, UsageError
from skipjack.policies.actor import PolicyActor
from skipjack.policies.config import PolicyConfig
from skipjack.policies.policy import Policy
from skipjack.vector import Vector
from skipjack.vector.serial import Serial
from tests.arena.races import Races
from tests.arena.tables import RULES, always, table
from tests.emulate.envs import Crowd


def races(num_envs: int) -> Vector:
    return Serial(Races(num_envs), row_of=face_to_face(num_envs, (0, 1)))


def test_sides_have_their_rows_together() -> None:
    assert face_to_face(3, (0, 1)).tolist() == [[0, 3], [1, 4], [2, 5]]
    assert face_to_face(2, (1, 0, 0, 1)).tolist() == [[4, 0, 1, 5], [6, 2, 3, 7]]
    for teams in ((0,), (0, 1, 2), (0, 1, 1)):
        with pytest.raises(UsageError, match="two teams of equal size"):
            sides(teams)


def test_a_part_of_a_batch_is_a_batch() -> None:
    vector = table("tic_tac_toe", 8)
    vector.reset(1)
    generator = np.random.default_rng(0)
    ended = 0
    for _ in range(60):
        batch = vector.recv() if not vector._received else vector._batch(0)
        part = narrow(batch, slice(8, 16), 0)
        assert part.rows == slice(0, 8)
        for name in ("observations", "rewards", "alive", "terminated", "action_mask"):
            assert np.array_equal(getattr(part, name), getattr(batch, name)[8:])
        assert np.array_equal(part.episodes["row"], np.flatnonzero(batch.terminated[8:]) + 8)
        ended += len(part.episodes)
        vector.send(vector.action.draw(generator, 16, batch.action_mask))
        vector.recv()
    assert ended > 8


def test_quotas_know_no_length_and_the_first_to_finish_do() -> None:
    """Wins take one step and losses three: a true half."""
    a, b = always("a", 0), always("b", 1)
    vector = races(256)
    block = play_block(a, b, vector, RULES, seed=5, quota=4)
    first, second = block.results
    assert block.games == 2 * 4 * 256
    assert first.wins + first.losses == second.wins + second.losses == 4 * 256
    error = 0.5 / math.sqrt(4 * 256)
    assert abs(first.wins / (4 * 256) - 0.5) < 3 * error
    # The same games, but the first so many of all slots: the estimator that quotas are there against.
    batch = vector.reset(5)
    outcomes: list[float] = []
    while len(outcomes) < 256:
        batch = vector.step(np.zeros((len(batch.alive), 1), np.int32))
        outcomes += batch.episodes["outcome"][batch.episodes["seat"] == 0].tolist()
    assert np.mean(outcomes[:256]) > 0.65


def test_mirrored_games_are_pairs() -> None:
    """The env throws the same coins in both halves: who won as the first side loses as the second."""
    block = play_block(always("a", 0), always("b", 1), races(64), RULES, seed=5, quota=3)
    first, second = block.results
    assert (first.wins, first.losses) == (second.wins, second.losses)
    assert block.pairs == (0, 0, 3 * 64, 0, 0)
    # By themselves the players differ: perfect play never loses to chance, from whichever side.
    vector = table("tic_tac_toe", 64)
    engine_class = registry.load(registry.resolve("tic_tac_toe").target)
    perfect = scripted_player("script:perfect", engine_class, engine_class.Config())
    block = play_block(random_player(vector.action), perfect, vector, RULES, seed=1)
    assert sum(block.pairs) == 64
    assert block.pairs[3] == block.pairs[4] == 0
    assert block.pairs_of("script:perfect") == block.pairs[::-1]
    wins, draws, losses = block.outcomes_of("script:perfect")
    assert (wins + draws, losses) == (128, 0)
    points = np.dot(block.pairs_of("script:perfect"), [0, 0.5, 1, 1.5, 2])
    assert points == wins + draws / 2


class Knockout(Crowd):
    """Two against two: a fair coin says whose first agent is out at once; the others end the game."""

    possible_agents = ["red_0", "red_1", "blue_0", "blue_1"]  # noqa: RUF012

    def step(self, actions: dict[str, Any]) -> Any:
        self.clock += 1
        acted = list(self.agents)
        out = ("red_0", "blue_0")[self.offset % 2]
        rewards, terminations = dict.fromkeys(acted, 0.0), dict.fromkeys(acted, False)
        if self.clock == 1:
            rewards[out], terminations[out] = -1.0, True
            self.agents.remove(out)
        if self.clock == 3:
            terminations, self.agents = dict.fromkeys(acted, True), []
        told = {agent: {} for agent in acted}
        return self._see(acted), rewards, terminations, dict.fromkeys(acted, False), told


def test_games_count_whose_losers_are_out_before_the_end() -> None:
    """An agent that is out cannot know the outcome, and is more often the loser's."""
    engine = from_callable(Knockout)(64, EmulateConfig())
    vector = Serial(engine, row_of=face_to_face(64, engine.teams))
    block = play_block(always("a", 0), always("b", 1), vector, RULES, seed=1, quota=2)
    for result in block.results:
        assert (result.games, result.void) == (128, 0)
        assert 32 < result.wins < 96
        assert result.wins + result.losses == 128
    assert sum(block.pairs) == 128


def test_a_player_does_not_meet_itself() -> None:
    with pytest.raises(UsageError, match="must differ"):
        play_block(always("a", 0), always("a", 0), races(2), RULES, seed=1)


def test_every_finished_game_is_counted_or_surplus() -> None:
    vector = races(64)
    block = play_block(always("a", 0), always("b", 1), vector, RULES, seed=1, quota=3)
    played = vector.engine.games
    assert block.games == 2 * 3 * 64
    assert played > block.games  # slots that were done played on, uncounted


def test_the_same_seed_is_the_same_block_and_mirrors_its_halves() -> None:
    vector = table("tic_tac_toe", 16)
    one, other = (
        random_player(vector.action),
        careless(random_player(vector.action), 0.5, vector.action),
    )
    block = play_block(one, other, vector, RULES, seed=3)
    assert play_block(one, other, vector, RULES, seed=3) == block
    again = play_block(one, other, vector, RULES, seed=4)
    assert again.name != block.name
    assert [(r.first, r.second) for r in block.results] == [
        ("random", "random~0.5"),
        ("random~0.5", "random"),
    ]


def test_a_player_that_is_gone_voids_its_block_alone() -> None:
    def gone(rows: int, seed: int) -> None:
        raise RunError("It is gone.")

    vector = table("tic_tac_toe", 4)
    with pytest.raises(RunError, match="gone"):
        play_block(Player("gone", gone), random_player(vector.action), vector, RULES, seed=1)
    play_block(random_player(vector.action), always("b", 0), vector, RULES, seed=1)


def test_a_game_that_does_not_end_is_given_up() -> None:
    vector = table("tic_tac_toe", 4)
    with pytest.raises(RunError, match="had not finished 1 games after 3 steps"):
        play_block(always("a", 0), random_player(vector.action), vector, RULES, 1, max_ticks=3)


def test_games_that_are_cut_are_counted_with_what_the_game_says() -> None:
    vector = table("tic_tac_toe", 8, time_limit=3)
    one = random_player(vector.action)
    block = play_block(one, careless(one, 0.5, vector.action), vector, RULES, seed=1)
    assert [r.truncated for r in block.results] == [8, 8]
    assert [r.draws for r in block.results] == [8, 8]


def hand(name: str, vector: Vector) -> Player:
    engine_class = registry.load(registry.resolve("rock_paper_scissors").target)
    return scripted_player(f"script:{name}", engine_class, engine_class.Config())


def test_rock_paper_scissors_has_no_order() -> None:
    vector = table("rock_paper_scissors", 64)
    # Careless, so that games differ: of ten rounds each hand wins most, not all.
    players = [
        careless(hand(name, vector), 0.7, vector.action) for name in ("rock", "paper", "scissors")
    ]
    results = []
    for seed, (one, other) in enumerate(itertools.combinations(players, 2)):
        results += play_block(one, other, vector, RULES, seed, quota=2).results
    ratings = fit([player.name for player in players], results)
    assert examine(ratings).intransitive
    assert len(examine(ratings).circles) == 1
    for player in players:
        points, error = ratings.elo(player.name)
        assert abs(points) < 3 * max(error, 1)


def exact(one: float, other: float) -> tuple[float, float, float]:
    """Chances that a perfect player with a share of random marks wins, draws, loses against another.

    By enumeration over all positions; who begins is drawn.
    """
    engine_class = registry.load(registry.resolve("tic_tac_toe").target)
    engine = engine_class(1)
    lines = [
        0b111,
        0b111000,
        0b111000000,
        0b1001001,
        0b10010010,
        0b100100100,
        0b100010001,
        0b1010100,
    ]
    known: dict[tuple[int, int, bool], np.ndarray] = {}

    def chances(own: int, opposite: int, mine: bool) -> np.ndarray:
        """As the first player sees them; `own` are the marks of who moves, `mine` whether it is he."""
        key = (own, opposite, mine)
        if key not in known:
            free = [cell for cell in range(9) if not (own | opposite) >> cell & 1]
            share = one if mine else other
            best = engine.reply_to(own, opposite) if free else -1
            found = np.zeros(3)
            for cell in free:
                weight = share / len(free) + (1 - share) * (cell == best)
                after = own | 1 << cell
                if any(after & line == line for line in lines):
                    found[0 if mine else 2] += weight
                elif len(free) == 1:
                    found[1] += weight
                else:
                    found += weight * chances(opposite, after, not mine)
            known[key] = found
        return known[key]

    win, draw, loss = (chances(0, 0, True) + chances(0, 0, False)) / 2
    return float(win), float(draw), float(loss)


def test_a_ladder_of_careless_perfect_players_agrees_with_enumeration() -> None:
    vector = table("tic_tac_toe", 256)
    engine_class = registry.load(registry.resolve("tic_tac_toe").target)
    perfect = scripted_player("script:perfect", engine_class, engine_class.Config())
    shares = (1.0, 0.75, 0.5)
    players = [careless(perfect, share, vector.action) for share in shares]
    results = []
    for seed, (a, b) in enumerate(itertools.combinations(range(3), 2)):
        block = play_block(players[a], players[b], vector, RULES, seed)
        results += block.results
        win, draw, _ = exact(shares[a], shares[b])
        games, score = block.games, win + draw / 2
        spread = math.sqrt((win + draw / 4 - score**2) / games)
        found = sum(r.wins if r.first == players[a].name else r.losses for r in block.results)
        found += 0.5 * sum(r.draws for r in block.results)
        assert abs(found / games - score) < 2 * spread
    ratings = fit([player.name for player in players], results)
    for a, b in itertools.combinations(range(3), 2):
        win, draw, _ = exact(shares[a], shares[b])
        score, error = ratings.score(players[a].name, players[b].name)
        assert abs(score - win - draw / 2) < 2 * error
    assert ratings.elo(players[2].name)[0] > ratings.elo(players[1].name)[0] > 0


def test_scripted_players_play_as_their_grade() -> None:
    vector = table("connect_four", 32)
    engine_class = registry.load(registry.resolve("connect_four").target)
    strong = scripted_player("script:minimax_2", engine_class, engine_class.Config())
    block = play_block(strong, random_player(vector.action), vector, RULES, seed=1)
    assert sum(r.wins if r.first == strong.name else r.losses for r in block.results) > 58
    with pytest.raises(UsageError, match="Did you mean 'script:minimax"):
        scripted_player("script:minmax", engine_class, engine_class.Config())
    breakout = registry.load(registry.resolve("cartpole").target)
    with pytest.raises(UsageError, match="scripted player"):
        scripted_player("script:hard", breakout, breakout.Config())


def test_a_policy_against_itself_is_a_half_on_both_sides() -> None:
    vector = table("tic_tac_toe", 256)
    torch.manual_seed(1)
    policy = Policy(vector.observation, vector.action, PolicyConfig(hidden=8))
    one, other = (
        Player(name, lambda rows, seed: PolicyActor(policy, rows, seed))
        for name in ("one", "other")
    )
    for result in play_block(one, other, vector, RULES, seed=2).results:
        score = (result.wins + result.draws / 2) / result.games
        assert abs(score - 0.5) < 3 * 0.5 / math.sqrt(256)
        assert 0 < result.draws < 256
