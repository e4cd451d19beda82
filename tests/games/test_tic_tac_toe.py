"""Rules of tic-tac-toe: all games that there are, and how strong its players are."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from tests.games.tables import assert_both_sides_see_alike, legal, mean_score, moved, table, walk
from tests.reference import tic_tac_toe as reference


def put(engine: Any, board: str, mover: int = 0) -> None:
    """Put an engine's first env into a position: nine of ".", "0" and "1"."""
    board = board.replace(" ", "")
    marks = [sum(1 << i for i, cell in enumerate(board) if cell == side) for side in "01"]
    plies = 9 - board.count(".")
    engine.inject(0, {"marks": marks, "plies": plies, "mover": mover, "first": mover})


def test_all_games() -> None:
    """255,168 in all; by length those that the side that begins wins, then the other's, then draws."""
    games = Counter(length for length, _, over in walk("tic_tac_toe", 9) if over)
    assert games == {5: 1440, 6: 5328, 7: 47952, 8: 72576, 9: 81792 + 46080}
    assert sum(games.values()) == 255_168


@pytest.mark.parametrize("line", reference.LINES)
@pytest.mark.parametrize("mover", [0, 1])
def test_each_line_wins(line: str, mover: int) -> None:
    engine, rows = table("tic_tac_toe")
    first, *rest = map(int, line)
    put(engine, "".join(str(mover) if cell in rest else "." for cell in range(9)), mover)
    records = moved(engine, rows, first)
    assert rows.terminated.all()
    assert rows.rewards[mover] == 1
    assert rows.rewards[1 - mover] == -1
    assert records["outcome"][mover] == 1
    assert records["score"][1 - mover] == 0


@pytest.mark.parametrize("board", ["00. ..0 ...", "..0 0.. 0..", ".0. 0.. ..0", "..0 .0. ..."])
def test_a_line_does_not_run_over_an_edge(board: str) -> None:
    engine, rows = table("tic_tac_toe")
    put(engine, board)
    for cell in legal(engine, rows):
        put(engine, board)
        moved(engine, rows, cell)
        after = reference.marked(board.replace(" ", ""), cell, 0)
        assert rows.terminated[0] == reference.wins(after, 0)


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("opponent", ["self", "random"])
def test_the_limit_counts_the_moves_of_both_sides(limit: int, opponent: str) -> None:
    """One that opens a game too; only a reply, made within the step, can go beyond it."""
    engine, rows = table("tic_tac_toe", 64, opponent=opponent, time_limit=limit)
    generator, cut = np.random.default_rng(0), []
    for _ in range(20):
        rows.actions[:] = engine.action.draw(generator, len(rows.actions), rows.action_mask)
        engine.step(0, 64)
        records = engine.records(0, 64)
        cut.extend(records["stats"][records["truncated"]][:, :2].tolist())
    assert {began for _, began in cut} == {0, 1}
    for plies, began in cut:
        opened = opponent != "self" and not began  # the seat moves when their number is odd
        least = max(limit, 2) if opened else limit  # it moves once in any case
        assert plies == least + (opponent != "self" and least % 2 != opened)


def test_a_full_board_is_a_draw() -> None:
    engine, rows = table("tic_tac_toe")
    put(engine, "010 011 10.", mover=0)
    records = moved(engine, rows, 8)
    assert rows.terminated.all()
    assert rows.rewards.tolist() == [0, 0]
    assert records["outcome"].tolist() == [0.5, 0.5]
    assert records["stats"][:, engine.statistics.index("draw")].tolist() == [1, 1]


@pytest.mark.parametrize("cell", [0, 4])
@pytest.mark.parametrize("mover", [0, 1])
def test_a_taken_cell_by_hand_loses(cell: int, mover: int) -> None:
    engine, rows = table("tic_tac_toe")
    put(engine, "0.. .1. ...", mover)
    assert legal(engine, rows) == [1, 2, 3, 5, 6, 7, 8]
    records = moved(engine, rows, cell)
    assert rows.terminated.all()
    assert rows.rewards[mover] == -1
    illegal = records["stats"][:, engine.statistics.index("illegal")]
    assert (illegal[mover], illegal[1 - mover]) == (1, 0)


def test_both_sides_see_alike() -> None:
    assert_both_sides_see_alike("tic_tac_toe", "marks")


def test_perfect_play_is_exact_minimax_in_every_position() -> None:
    """In all positions that can come up, and with every best move taken by some seed's tie."""
    engine, _ = table("tic_tac_toe", opponent="perfect")
    seen = set[tuple[str, int]]()

    def visit(board: str, side: int) -> None:
        if (board, side) in seen or not reference.free(board):
            return
        seen.add((board, side))
        marks = [sum(1 << i for i in range(9) if board[i] == str(s)) for s in (side, 1 - side)]
        assert engine.reply_to(*marks) in reference.best(board, side)
        for cell in reference.free(board):
            after = reference.marked(board, cell, side)
            if not reference.wins(after, side):
                visit(after, 1 - side)

    visit("." * 9, 0)
    assert len(seen) == 4520  # 5,478 positions without the 958 in which the game is over


def test_perfect_never_loses_and_draws_itself() -> None:
    assert mean_score("tic_tac_toe", "perfect", "perfect", 20) == 0.5
    envs = 64
    engine, rows = table("tic_tac_toe", envs, opponent="perfect")
    generator, games = np.random.default_rng(0), 0
    while games < 3000:
        rows.actions[:] = engine.action.draw(generator, envs, rows.action_mask)
        engine.step(0, envs)
        records = engine.records(0, envs)
        assert (records["outcome"] <= 0.5).all()
        games += len(records)


def test_players_are_graded() -> None:
    """What chance scores against each, from the weakest to the strongest."""
    grades = ("random", "easy", "medium", "hard", "perfect")
    scores = [mean_score("tic_tac_toe", grade, "random", 60) for grade in grades]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(0.5, abs=0.04)
    assert scores[-1] < 0.12
    assert mean_score("tic_tac_toe", "random", "one_ply", 60) > 0.85
    assert mean_score("tic_tac_toe", "one_ply", "perfect", 60) > 0.52


def test_a_seat_against_a_player_begins_as_often() -> None:
    engine, rows = table("tic_tac_toe", 500, opponent="random")
    begun = [engine.snapshot(env)["first"] for env in range(500)]
    assert 0.4 < np.mean(begun) < 0.6
    assert rows.observations[:, 1].sum() == sum(begun)
