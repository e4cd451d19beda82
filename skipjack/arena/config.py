"""Settings of self-play against past selves, and of ratings. Loads without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from skipjack.config import Choice, Range, Within


@dataclass(frozen=True, slots=True)
class ArenaConfig:
    """Games against past selves in training, and ratings beside it; for games with two teams."""

    past: Annotated[float, Range(0.0, 0.5), Within(0.0, 1.0)] = 0.0
    """Share of the games that one side plays as a past self; 0 is none. Of the rows it takes half of that
    from learning: the other side of such a game is the learner's."""
    banks: Annotated[int, Choice(1, 2, 4, 8), Within(1, 1024)] = 4
    """Past selves that play at once, each in as many games."""
    sampler: Literal["pfsp", "uniform", "variance", "quality", "latest"] = "pfsp"
    """How past selves are chosen: pfsp prefers those that win against the learner, variance those of its
    own strength, quality is OpenAI Five's, latest takes the newest four."""
    games: Annotated[int, Within(1, 1000)] = 4
    """Games of each slot before a bank's past self is changed."""
    pool: Annotated[int, Within(2, 10_000)] = 32
    """Past selves to choose from; more are thinned out, evenly over training."""
    scripted: str = ""
    """Scripted players of the game that join the pool, with commas between: one_ply,minimax_2."""
    rating: Literal["off", "beside"] = "off"
    """Rate every checkpoint while training goes on, in a process beside it."""
    budget: Annotated[float, Within(0.001, 1.0)] = 0.1
    """Share of the time in which the rater plays; it sleeps the rest."""
    precision: Annotated[float, Within(1.0, 1000.0)] = 25.0
    """Standard error in Elo to which the final checkpoint is rated: against the anchor and the one before."""
    patience: Annotated[float, Within(0.0, None)] = 60.0
    """Most seconds that the end of a run waits for that."""
