"""Facts of runs as short text, and rows of text as aligned columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from skipjack.cli.saved import Saved


def aligned(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Rows as lines with columns as wide as their widest cell.

    Args:
        rows: cells; all rows are equally long.
        right: indices of columns that are set flush right.
    """
    rows = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def score(saved: Saved) -> str:
    """A run's score: with its interval if it is final, or so far."""
    if saved.score is None:
        return "-"
    if not saved.evaluated:
        return f"{saved.score:.3f} so far"
    interval = "" if saved.score_ci95 is None else f" ± {saved.score_ci95:.3f}"
    return f"{saved.score:.3f}{interval}"


def chance(saved: Saved) -> str:
    """The random player's score beside a run's."""
    return "-" if saved.random_score is None else f"{saved.random_score:.3f}"


def one_line(text: str) -> str:
    """Text as it can stand in a line: a folder's name may hold a line break, or colours."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", lambda sign: repr(sign[0])[1:-1], text)


def commit(name: object, dirty: object) -> str:
    """A commit's short name, with a star if files had changed since."""
    return f"{str(name)[:7]}{'*' if dirty else ''}" if name else "-"


def when(seconds: float) -> str:
    """A time in seconds since 1970 as local date and minute."""
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")
