"""Rules of 2048: what merges, what appears, what counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.games.tables import legal, moved, table
from tests.reference import game_2048 as reference

UP, DOWN, LEFT, RIGHT = range(4)


def put(engine: Any, board: reference.Board) -> None:
    """Put an engine's first env into a position, tiles by their values."""
    tiles = [tile for row in board for tile in row]
    bits = sum((max(tile, 1).bit_length() - 1) << 4 * cell for cell, tile in enumerate(tiles))
    engine.inject(0, {"board": bits})


def board_of(engine: Any) -> reference.Board:
    bits = engine.snapshot(0)["board"]
    powers = [bits >> 4 * cell & 15 for cell in range(16)]
    return [[1 << p if p else 0 for p in powers[row : row + 4]] for row in range(0, 16, 4)]


@pytest.mark.parametrize(
    ("row", "after", "points"),
    [
        ([2, 0, 0, 2], [4, 0, 0, 0], 4),
        ([4, 4, 8, 0], [8, 8, 0, 0], 8),  # what a merge made does not merge again
        ([2, 2, 2, 2], [4, 4, 0, 0], 8),
        ([2, 2, 2, 0], [4, 2, 0, 0], 4),  # those at the edge first
        ([0, 4, 2, 2], [4, 4, 0, 0], 4),
        ([0, 0, 0, 16], [16, 0, 0, 0], 0),
        ([1024, 1024, 2048, 0], [2048, 2048, 0, 0], 2048),
        ([32768, 32768, 2, 0], None, 0),
    ],
)
def test_rows_slide(row: list[int], after: list[int] | None, points: int) -> None:
    """In all four directions; the new tile is the one difference."""
    for move in range(4):
        engine, rows = table("game_2048")
        board = reference.turned([row, *[[0] * 4 for _ in range(3)]], move)
        put(engine, board)
        if after is None:
            assert move not in legal(engine, rows)
            continue
        moved(engine, rows, move)
        assert rows.rewards[0] == points / 256
        assert engine.snapshot(0)["points"] == points
        wanted = reference.turned([after, *[[0] * 4 for _ in range(3)]], move)
        assert_one_tile_more(board_of(engine), wanted)


def assert_one_tile_more(found: reference.Board, before: reference.Board) -> None:
    cells = [
        (now, then)
        for row, old in zip(found, before, strict=True)
        for now, then in zip(row, old, strict=True)
    ]
    ((now, then),) = [(now, then) for now, then in cells if now != then]
    assert then == 0
    assert now in (2, 4)


def test_every_row_is_as_its_twins() -> None:
    """All rows of free cells, the two lowest tiles, one in the middle and the two highest, both ways."""
    engine, rows = table("game_2048", 4)
    kinds = (0, 1, 2, 5, 14, 15)
    for powers in np.array(np.meshgrid(*[kinds] * 4)).reshape(4, -1).T.tolist():
        row = [1 << p if p else 0 for p in powers]
        board = [row, *[[0] * 4 for _ in range(3)]]
        put(engine, board)
        assert legal(engine, rows) == reference.legal(board)
        for move in (LEFT, RIGHT):
            after, points = reference.moved(board, move)
            if after == board:
                continue
            put(engine, board)
            before = engine.snapshot(0)["points"]
            moved(engine, rows, move)
            assert engine.snapshot(0)["points"] - before == points
            assert_one_tile_more(board_of(engine), after)


def test_tiles_are_conserved() -> None:
    """Merges keep the sum of all tiles: a move adds the new tile alone, a 2 nine times in ten."""
    engine, rows = table("game_2048")
    generator, added = np.random.default_rng(0), []
    while len(added) < 3000:
        before = board_of(engine)
        records = moved(engine, rows, int(generator.choice(legal(engine, rows))))
        if not len(records):
            added.append(sum(map(sum, board_of(engine))) - sum(map(sum, before)))
    assert set(added) == {2, 4}
    assert added.count(4) / len(added) == pytest.approx(0.1, abs=0.02)


def test_a_move_that_changes_nothing_is_none() -> None:
    engine, rows = table("game_2048")
    board = [[2, 4, 0, 0], [4, 2, 0, 0], [2, 4, 0, 0], [4, 2, 0, 0]]
    put(engine, board)
    assert legal(engine, rows) == [RIGHT]
    for move in (UP, DOWN, LEFT):
        moved(engine, rows, move)
        assert board_of(engine) == board
        assert rows.rewards[0] == 0
        assert not rows.terminated[0]
    assert engine.snapshot(0)["illegal"] == 3


def test_the_end_comes_when_nothing_moves() -> None:
    engine, rows = table("game_2048")
    put(engine, [[0, 8, 16, 32], [64, 128, 256, 512], [8, 16, 32, 64], [1024, 128, 256, 512]])
    records = moved(engine, rows, LEFT)
    while not len(records):
        records = moved(engine, rows, legal(engine, rows)[0])
    assert rows.terminated[0]
    stats = dict(zip(engine.statistics, records["stats"][0].tolist(), strict=True))
    assert stats["highest"] >= 1024
    assert (stats["reached_512"], stats["reached_1024"], stats["reached_2048"]) == (1, 1, 0)
    assert records["score"][0] == stats["highest"] / 2048
    assert np.isnan(records["outcome"][0])
    assert sorted(map(sum, board_of(engine)))[-1] <= 8, "a new game"


def mean_points(player: str, games: int = 64) -> float:
    engine, rows = table("game_2048", games)
    generator, points = np.random.default_rng(0), dict[int, float]()
    while len(points) < games:
        rows.actions[:] = (
            engine.scripted(rows.observations)
            if player == "corner"
            else engine.action.draw(generator, games, rows.action_mask)
        )
        engine.step(0, games)
        for record in engine.records(0, games):
            points.setdefault(int(record["env"]), float(record["stats"][0]))
    return float(np.mean(list(points.values())))


def test_a_corner_is_better_than_chance() -> None:
    random, corner = mean_points("random"), mean_points("corner")
    assert 900 < random < 1300  # what others measure: about 1,100
    assert corner > 1.5 * random


def test_the_scripted_player_makes_legal_moves_alone() -> None:
    engine, rows = table("game_2048", 16)
    assert rows.action_mask is not None
    for _ in range(500):
        rows.actions[:] = engine.scripted(rows.observations)
        assert rows.action_mask[np.arange(16), rows.actions[:, 0]].all()
        engine.step(0, 16)
