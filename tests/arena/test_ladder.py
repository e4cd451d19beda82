"""Which pair plays next, and what a ladder does with players that are new, gone or far away."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from skipjack.arena.doubts import doubts
from skipjack.arena.ladder import Ladder
from skipjack.arena.players import Player, careless, random_player
from skipjack.arena.rating import ELO, Result, fit
from skipjack.arena.results import Block, Results
from skipjack.arena.schedule import FIRST, choose, gains
from skipjack.arena.standings import TOO_WIDE, headline, standings
from skipjack.errors import RunError
from skipjack.policies.random import RandomActor
from tests.arena.league import league
from tests.arena.tables import RULES, always, table


def all_pairs(count: int) -> np.ndarray:
    return ~np.eye(count, dtype=bool)


def test_a_newcomer_meets_the_three_before_it_first() -> None:
    players, results = league(np.linspace(0, 2, 5), 100, seed=1)
    generator = np.random.default_rng(0)
    met = set()
    for _ in range(3):
        pair = choose(fit([*players, "new"], results), all_pairs(6), 16, generator)
        assert pair is not None
        met.add(pair)
        results.append(Result("new", players[pair[1]], FIRST // 2, 0, FIRST // 2))
    assert met == {(5, 4), (5, 3), (5, 2)}


def test_everybody_meets_one_before_anybody_meets_two() -> None:
    """After one block each, all hang together."""
    players = list("abcdef")
    results: list[Result] = []
    generator, pairs = np.random.default_rng(0), []
    for _ in range(5):
        pair = choose(fit(players, results), all_pairs(6), 16, generator)
        assert pair is not None
        pairs.append(pair)
        results.append(Result(players[pair[0]], players[pair[1]], FIRST // 2, 0, FIRST // 2))
    assert sorted(pairs) == [(at, at - 1) for at in range(1, 6)]
    said = " ".join(doubts(fit(players, results), results))
    assert "No games connect" not in said
    fewer = results[1:]
    assert "No games connect" in " ".join(doubts(fit(players, fewer), fewer))
    known = {"a": 0.0, "f": 0.5}  # needs no games to stand together
    assert "No games connect" not in " ".join(doubts(fit(players, fewer, known), fewer))


def test_players_whose_ratings_are_known_spend_no_games_on_each_other(tmp_path: Path) -> None:
    action = table("tic_tac_toe", 1).action
    others = [Player(name, lambda rows, seed: RandomActor(action, seed)) for name in "ab"]
    found = ladder(tmp_path, *others)
    assert found._allowed()[0, 1]
    found.fixed = {"random": 0.0, "a": 1.0}
    assert not found._allowed()[0, 1]
    assert found._allowed()[0, 2]
    assert found._allowed()[1, 2]


def test_the_gain_is_what_the_covariance_loses() -> None:
    """One block more of a pair, of the size that was asked for, with the scores that are expected."""
    players, results = league(np.linspace(0, 1.5, 5), 200, seed=2)
    before = fit(players, results, side_spread=0.0)
    told = gains(before, 40)
    for a, b in ((0, 4), (1, 2)):
        score = before.score(players[a], players[b])[0]
        more = [
            *results,
            Result(players[a], players[b], round(4000 * score), 0, round(4000 * (1 - score))),
        ]
        small = gains(before, 4000)[a, b]
        lost = np.trace(before.covariance) - np.trace(
            fit(players, more, side_spread=0.0).covariance
        )
        assert lost == pytest.approx(small, rel=0.05)
        assert 0 < told[a, b] < small


def test_games_about_one_player_tell_of_that_one() -> None:
    """Its rating, and what it gained; the newcomers beside it wait."""
    players, generator = [str(at) for at in range(17)], np.random.default_rng(0)
    about = (16, 15)

    def error(focus: tuple[int, int] | None) -> tuple[float, float]:
        results: list[Result] = []
        for _ in range(24):
            pair = choose(fit(players, results), all_pairs(17), 32, generator, focus)
            assert pair is not None
            results.append(Result(players[pair[0]], players[pair[1]], 16, 0, 16))
        found = fit(players, results)
        return found.elo("16")[1], found.difference("16", "15")[1]

    assert all(np.array(error(about)) < 0.6 * np.array(error(None)))


def test_a_bridge_is_not_the_player_before(tmp_path: Path) -> None:
    """Known to it alone, a newcomer is not known against the checkpoint before."""
    action = table("tic_tac_toe", 1).action
    make = lambda rows, seed: RandomActor(action, seed)  # noqa: E731
    players = [Player(name, make, steps=at) for at, name in enumerate(("old", "new"))]
    found = ladder(tmp_path, *players)
    found._find_bridge("new~0.5")
    assert found.names == ["random", "old", "new~0.5", "new"]
    pairs = [("new", "new~0.5"), ("new~0.5", "new"), ("random", "old"), ("old", "random")]
    found.results.add(Block("1", RULES, tuple(Result(*pair, 900, 0, 900) for pair in pairs)))
    assert found.ratings().difference("new", "new~0.5")[1] < 25
    assert found.unsettled(found.ratings(), 25.0) == ["new"]
    assert found._before("new") == (3, 1)


def test_some_blocks_are_drawn_from_all_pairs() -> None:
    players, results = league(np.linspace(0, 3, 6), 400, seed=3)
    ratings, generator = fit(players, results), np.random.default_rng(0)
    drawn = [choose(ratings, all_pairs(6), 32, generator) for _ in range(400)]
    favourite = max(set(drawn), key=drawn.count)
    assert 0.85 < drawn.count(favourite) / 400 < 0.97
    assert len(set(drawn)) > 10


def test_nobody_who_may_not_plays() -> None:
    players, results = league(np.linspace(0, 1, 3), 100, seed=4)
    allowed = np.zeros((3, 3), bool)
    assert choose(fit(players, results), allowed, 16, np.random.default_rng(0)) is None
    allowed[0, 2] = allowed[2, 0] = True
    assert choose(fit(players, results), allowed, 16, np.random.default_rng(0)) == (0, 2)


def ladder(tmp_path: Path, *more: Player, said: list[str] | None = None) -> Ladder:
    vector = table("tic_tac_toe", 16)
    one = random_player(vector.action)
    results = Results(tmp_path / "results.sqlite")
    say = (said if said is not None else []).append
    return Ladder([one, *more], results, RULES, vector, seed=1, say=say)


def test_a_ladder_plays_until_it_knows(tmp_path: Path) -> None:
    action = table("tic_tac_toe", 1).action
    found = ladder(tmp_path, careless(always("first", 0), 0.5, action))
    assert found.unsettled(found.ratings(), 60) == []  # careless copies are not waited for
    block = found.play()
    assert block is not None
    assert block.games == 32
    assert found.results.blocks() == 1
    again = ladder(tmp_path, careless(always("first", 0), 0.5, action))
    assert again.counted() == found.counted()


def test_two_players_without_chance_never_meet(tmp_path: Path) -> None:
    found = ladder(tmp_path, always("a", 0), always("b", 1))
    allowed = found._allowed()
    assert not allowed[1, 2]
    assert allowed[0, 1]
    assert allowed[0, 2]


def test_a_player_that_is_gone_leaves_and_the_others_play_on(tmp_path: Path) -> None:
    def gone(rows: int, seed: int) -> None:
        raise RunError("Its file is missing.")

    said: list[str] = []
    action = table("tic_tac_toe", 1).action
    strong = Player("strong", lambda rows, seed: RandomActor(action, seed), steps=5)
    found = ladder(tmp_path, strong, Player("gone", gone, steps=9), said=said)
    assert found.play() is None
    assert found.names == ["random", "strong", "gone"]  # what it played would still count
    assert "gone plays no more. Its file is missing." in said
    assert not found._allowed()[2].any()
    assert found.play() is not None


def test_games_that_do_not_end_refuse_their_pair_alone(tmp_path: Path) -> None:
    said: list[str] = []
    action = table("tic_tac_toe", 1).action
    found = ladder(
        tmp_path, Player("other", lambda rows, seed: RandomActor(action, seed)), said=said
    )

    def endless(*arguments: object, **settings: object) -> None:
        raise RunError("They had not finished.")

    found.vector.reset = endless  # type: ignore[method-assign, assignment]
    assert found.play() is None
    assert found.refused == {("other", "random")}
    assert "They had not finished." in said[0]
    assert found.play() is None
    assert found.results.blocks() == 0


def test_games_without_an_outcome_are_not_rated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    action, said = table("tic_tac_toe", 1).action, []
    others = [Player(name, lambda rows, seed: RandomActor(action, seed)) for name in "ab"]
    found = ladder(tmp_path, *others, said=said)

    def blind(one: Player, other: Player, *rest: object, **more: object) -> Block:
        name = one.name + other.name
        return Block(name, RULES, (Result(one.name, other.name, 0, 0, 0, void=32),))

    monkeypatch.setattr("skipjack.arena.ladder.play_block", blind)
    with pytest.raises(RunError, match="must end with an outcome"):
        found.play()
    # Where others had one, only the pair is left out, until nobody is left.
    found.results.add(Block("1", RULES, (Result("a", "random", 1, 0, 1),)))
    assert found.can_play
    for left in (2, 1, 0):
        assert found.play() is None
        assert found._allowed().sum() == 2 * left
    assert not found.can_play
    assert all("is not rated. Games must end with an outcome" in each for each in said)


def test_wide_gaps_get_bridges_that_are_found_again(tmp_path: Path) -> None:
    action = table("tic_tac_toe", 1).action
    strong = Player("strong", lambda rows, seed: RandomActor(action, seed), steps=5)
    found = ladder(tmp_path, strong)
    unbeaten = (Result("strong", "random", 200, 0, 0), Result("random", "strong", 0, 0, 200))
    found.results.add(Block("1", RULES, unbeaten))
    found.play()
    assert found.names == ["random", "strong~0.5", "strong"]
    assert ladder(tmp_path, strong).names == ["random", "strong~0.5", "strong"]
    # Between a bridge and an end that it is far from too.
    found.results.add(Block("2", RULES, (Result("strong~0.5", "random", 400, 0, 0),)))
    found.results.add(Block("3", RULES, (Result("strong~0.5", "strong", 40, 0, 60),)))
    found.play()
    assert found.names == ["random", "strong~0.75", "strong~0.5", "strong"]
    assert not [name for name in found.unsettled(found.ratings(), 1.0) if "~" in name]


def test_no_copy_takes_over_the_anchor(tmp_path: Path) -> None:
    action = table("tic_tac_toe", 1).action
    make = lambda rows, seed: RandomActor(action, seed)  # noqa: E731
    results = Results(tmp_path / "results.sqlite")
    for at, name in enumerate(("first~0.5", "first~0.75")):
        results.add(Block(str(at), RULES, (Result("first", name, 9, 0, 1),)))
    players = [Player("first", make, steps=0), Player("second", make, steps=1)]
    found = Ladder(players, results, RULES, table("tic_tac_toe", 1), seed=1)
    assert found.names == ["first", "first~0.75", "first~0.5", "second"]
    assert found.ratings().elo("first") == (0.0, 0.0)


def test_standings_and_the_headline_say_how_it_grew() -> None:
    theta = np.array([0.0, 1.0, 2.0, 2.5])
    names, results = league(theta, 400, seed=6, nu=0.3)
    make = lambda rows, seed: RandomActor(table("tic_tac_toe", 1).action, seed)  # noqa: E731
    players = [Player(name, make, steps=None if name == "0" else int(name) * 100) for name in names]
    ratings = fit(names, results)
    lines = standings(ratings, players, results)
    assert [line.steps for line in lines] == [None, 100, 200, 300]
    assert np.isnan(lines[1].gain)  # nobody that was trained is before it
    assert lines[3].gain == pytest.approx(0.5 * ELO, abs=3 * lines[3].gain_error)
    assert lines[3].better > 0.9
    assert lines[3].games == 1200
    assert 0.05 < lines[3].draws < 0.3
    said = headline(ratings, players, {"1": 0.0, "2": 3600.0, "3": 7200.0})
    score = ratings.score("3", "2")[0]
    assert said.startswith(f"the newest beats the one of an hour ago {100 * score:.0f} ± ")
    assert ", the start " in said
    assert headline(ratings, players[:2], {}) == ""


def test_the_headline_says_nothing_that_is_not_known() -> None:
    make = lambda rows, seed: RandomActor(table("tic_tac_toe", 1).action, seed)  # noqa: E731
    players = [Player(name, make, steps=at) for at, name in enumerate("ab")]

    def said(wins: int, losses: int) -> str:
        results = [Result("b", "a", wins, 0, losses), Result("a", "b", losses, 0, wins)]
        return headline(fit("ab", results), players, {})

    assert said(3, 2) == ""
    assert re.fullmatch("the newest beats the start 60 ± . %", said(300, 200))
    assert re.fullmatch(r"the newest beats the start over 9\d %", said(50, 0))
    assert re.fullmatch(r"the newest beats the start under \d %", said(0, 50))
    # Far from a half a score's standard error is small, whatever is unknown; and without games nothing is.
    three = [*players, Player("c", make, steps=2)]
    results = [Result("b", "a", 300, 0, 2), Result("a", "b", 2, 0, 300)]
    known = headline(fit("abc", results), players, {})
    assert headline(fit("abc", results), three, {}) == known != ""
    results = [Result("b", "a", 300, 0, 6), Result("a", "b", 6, 0, 300)]
    vague = fit("abc", [*results, Result("c", "b", 0, 0, 1)])
    assert vague.score("c", "a")[1] * 1.96 < TOO_WIDE
    assert headline(vague, three, {}) == ""


def test_bridges_are_looked_for_with_one_question_to_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = table("tic_tac_toe", 1).action
    players = [Player(str(at), lambda r, s: RandomActor(action, s), steps=at) for at in range(9)]
    results = Results(tmp_path / "results.sqlite")
    found = Ladder(players, results, RULES, table("tic_tac_toe", 1), seed=1)
    ratings, asked = found.ratings(), []
    known = results.all
    monkeypatch.setattr(results, "all", lambda *given: asked.append(given) or known(*given))
    found._build_bridges(ratings)
    assert len(asked) == 1
