"""Rules of Connect Four: known positions, the count of move sequences, and how strong its players are."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from skipjack.rows import Rows
from tests.games.tables import assert_both_sides_see_alike, legal, mean_score, moved, table, walk
from tests.reference import connect_four as reference


def put(engine: Any, drawing: str, mover: int = 0) -> None:
    """Put an engine's first env into a position: lines of ".", "o" (side 0) and "x" (side 1)."""
    lines = [line.split() for line in drawing.strip().splitlines()]
    stones = [0, 0]
    for row, cells in enumerate(reversed(lines)):
        for column, cell in enumerate(cells):
            if cell != ".":
                stones["ox".index(cell)] |= 1 << 8 * row + column
    plies = sum(stone.bit_count() for stone in stones)
    engine.inject(0, {"stones": stones, "plies": plies, "mover": mover, "first": mover})


def played(drawing: str, column: int, mover: int = 0) -> tuple[Rows, Any]:
    """Rows and records after the mover's stone in a position."""
    engine, rows = table("connect_four")
    put(engine, drawing, mover)
    return rows, moved(engine, rows, column)


def test_sequences_of_moves_by_depth() -> None:
    """The known counts; the last two depths by the moves that are legal after the one before."""
    sequences, further = Counter[int](), Counter[int]()
    for length, moves, over in walk("connect_four", 6):
        sequences[length] += 1
        further[length] += 0 if over else moves
    assert [sequences[depth] for depth in range(1, 7)] == [7, 49, 343, 2401, 16807, 117649]
    assert further[6] == 823536


WINS = {
    "across": (". . . . . . .\no o o . x x x", 3),
    "up": (". . . . . . .\no . . x . . .\no . . x . . .\no . . x . . .", 0),
    "rising": (". . . . . . .\n. . o x . . .\n. o x o . . .\no x x x o . .", 3),
    "falling": ("o . . . . . .\nx o . . . . .\no x o . . . .\nx o x . x . o", 3),
}


@pytest.mark.parametrize("which", WINS)
def test_four_in_a_line_win(which: str) -> None:
    rows, records = played(*WINS[which])
    assert rows.terminated.all()
    assert rows.rewards.tolist() == [1, -1]
    assert records["outcome"].tolist() == [1, 0]
    assert records["score"].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("drawing", "column"),
    [
        (". . . . . . .\no . . . . . .\nx x . . o o o", 1),  # round the right edge
        ("o . . . . . .\nx . . . . . .\no o . . . . .\nx o . . . . x", 6),
        (". . . . . . x\n. . . . . x o\n. . . . x o x\no . . . x o o", 0),
    ],
)
def test_a_line_does_not_run_over_an_edge(drawing: str, column: int) -> None:
    rows, records = played(drawing, column)
    assert not rows.terminated.any()
    assert not len(records)


FULL = """
. x o x o x o
o x o x o x o
o x o x o x o
x o x o x o x
x o x o x o x
x o x o x o x
"""


def test_a_full_board_is_a_draw() -> None:
    engine, rows = table("connect_four")
    put(engine, FULL, mover=1)
    assert legal(engine, rows) == [0]
    records = moved(engine, rows, 0)
    assert rows.terminated.all()
    assert rows.rewards.tolist() == [0, 0]
    assert records["outcome"].tolist() == records["score"].tolist() == [0.5, 0.5]
    stats = dict(zip(engine.statistics, records["stats"][0].tolist(), strict=True))
    assert (stats["plies"], stats["draw"], stats["first_won"]) == (42, 1, 0)


@pytest.mark.parametrize("mover", [0, 1])
def test_a_full_column_by_hand_loses(mover: int) -> None:
    engine, rows = table("connect_four")
    put(engine, "o . .\nx . .\no . .\nx . .\no . .\nx . .", mover)
    assert legal(engine, rows) == [1, 2, 3, 4, 5, 6]
    records = moved(engine, rows, 0)
    assert rows.terminated.all()
    assert rows.rewards[mover] == -1
    assert rows.rewards[1 - mover] == 1
    illegal = records["stats"][:, engine.statistics.index("illegal")]
    assert illegal[mover] == 1
    assert illegal[1 - mover] == 0


def test_who_waits_has_an_empty_mask_and_is_not_asked() -> None:
    engine, rows = table("connect_four", num_envs=64)
    assert rows.action_mask is not None
    movers = np.array([engine.snapshot(env)["mover"] for env in range(64)])
    assert 16 < movers.sum() < 48, "who begins is drawn"
    may = rows.action_mask.reshape(64, 2, 7).any(axis=2)
    assert np.array_equal(may[:, 1], movers == 1)
    assert np.array_equal(may[:, 0], movers == 0)
    one, many = [], []
    for waiting in (0, 5):  # what the one that waits sends changes nothing
        engine, rows = table("connect_four")
        for column in (3, 3, 2, 4):
            mover = engine.snapshot(0)["mover"]
            rows.actions[mover], rows.actions[1 - mover] = column, waiting
            engine.step(0, 1)
        (one if waiting else many).append(engine.snapshot(0))
    assert one == many


def test_both_sides_see_alike() -> None:
    assert_both_sides_see_alike("connect_four", "stones")


def test_a_seat_against_a_player_begins_as_often() -> None:
    engine, rows = table("connect_four/one_ply", num_envs=500)
    begun = [engine.snapshot(env)["first"] for env in range(500)]
    assert 0.4 < np.mean(begun) < 0.6
    assert rows.observations[:, 1].sum() == sum(begun), "the player has moved where it begins"
    assert rows.action_mask.all()  # type: ignore[union-attr]


def reply(engine: Any, drawing: str) -> int:
    """The column that a scripted player of "o" chooses."""
    put(engine, drawing)
    own, other = engine.snapshot(0)["stones"]
    return int(engine.reply_to(own, other))


def test_one_ply_wins_then_blocks() -> None:
    engine, _ = table("connect_four/one_ply")
    assert reply(engine, "o . . . x x x\no . . . . . .\no . . . x . .") == 0
    assert reply(engine, ". . . . . . .\no o . . x x x") == 3
    assert reply(engine, "x . . . . . .\nx . . . . . .\nx . o o . . .") == 0


def test_minimax_sees_what_one_ply_does_not() -> None:
    """Two in the open become three with both ends free, and nobody blocks both."""
    engine, _ = table("connect_four", opponent="minimax_4")
    assert reply(engine, ". . x x . . .\n. . o o . . .") in (1, 4)
    # and it does not let the other do so
    assert reply(engine, ". . o o . . .\n. . x x . . .") in (1, 4)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_minimax_with_cuts_is_plain_minimax(depth: int) -> None:
    """Positions of random games: what it likes is what is best without any cutting off."""
    engine, _ = table("connect_four", opponent="minimax", depth=depth)
    generator = np.random.default_rng(depth)
    for _ in range(60 >> depth):
        board, side = reference.EMPTY, 0
        for _ in range(int(generator.integers(6, 30))):
            moves = reference.legal(board)
            after = reference.dropped(board, int(generator.choice(moves)), side)
            if reference.wins(after, side):
                break
            board, side = after, 1 - side
        stones = [0, 0]
        for column in range(7):
            for row, cell in enumerate(board[column]):
                stones[int(cell)] |= 1 << 8 * row + column
        found = engine.reply_to(stones[side], stones[1 - side])
        assert found in reference.best(board, side, depth)


def test_players_are_graded() -> None:
    assert mean_score("connect_four", "random", "random", 20) == pytest.approx(0.5, abs=0.06)
    assert mean_score("connect_four", "random", "one_ply", 8) > 0.85
    assert mean_score("connect_four", "one_ply", "minimax_2", 8) > 0.6
    assert mean_score("connect_four", "minimax_2", "minimax_4", 8) > 0.65
    assert mean_score("connect_four", "minimax_4", "minimax_6", 4) > 0.55


def test_a_player_against_itself_is_even() -> None:
    assert mean_score("connect_four", "one_ply", "one_ply", 20) == pytest.approx(0.5, abs=0.06)
