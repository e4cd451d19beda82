"""`skipjack gate NEW OLD`: is the new policy better? The exit code answers: 0 better, 1 not, 2 undecided."""

from __future__ import annotations

import json
import secrets
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from skipjack import folders, seeding
from skipjack.cli import flags
from skipjack.config import Within
from skipjack.errors import RunError, SkipjackError

WRONG = 64
"""Exit code of whatever is wrong with the command, or with its output: 1 and 2 are answers here."""

BUG = 70
"""Exit code of what nobody foresaw."""


@dataclass(frozen=True, slots=True)
class GateFlags:
    """Flags of `skipjack gate`."""

    elo0: Annotated[float, Within(-2000.0, 2000.0)] = 0.0
    """Elo difference at which the new policy is not better."""
    elo1: Annotated[float, Within(-2000.0, 2000.0)] = 35.0
    """Elo difference at which it is. -35 and 0 ask whether it is no worse."""
    error: Annotated[float, Within(0.001, 0.4)] = 0.05
    """Most probability of a wrong answer, either way."""
    games: Annotated[int, Within(0, None)] = 0
    """Games after which it stays undecided; 0 is three times what a test of fixed length takes."""
    envs: Annotated[int, Within(1, 100_000)] = 32
    """Games of a block that are played at once on each side."""
    seed: Annotated[int, Within(-1, 2**62)] = -1
    """Seed of the games; -1 takes a new one."""
    json: bool = False
    """End with a line of JSON on standard output."""


def run(arguments: Sequence[str]) -> int:
    """Play until it is clear; exit code 0 better, 1 not, 2 undecided, 64 for what is wrong, 70 for a bug."""
    try:
        code = _run(arguments)
        sys.stdout.flush()  # an answer that nobody could read is none
        return code
    except SkipjackError as error:
        error.exit_code = WRONG
        raise
    except OSError as error:
        refused = RunError(f"The system refused: {error}.")
        refused.exit_code = WRONG
        raise refused from error
    except Exception:
        traceback.print_exc()
        return BUG


def _run(arguments: Sequence[str]) -> int:
    usage = "skipjack gate NEW OLD [--elo0 0 --elo1 35]"
    new, rest = flags.subject(arguments, usage)
    old, rest = flags.subject(rest, usage)
    own, _ = flags.parse(
        GateFlags, rest, "skipjack gate NEW OLD", "Say whether a policy is better than another."
    )
    from skipjack.arena import gate
    from skipjack.arena.match import play_block
    from skipjack.arena.results import Block, Results
    from skipjack.run import ratings as wiring

    test = gate.Gate(own.elo0, own.elo1, own.error, own.games)
    found = folders.find(new)
    contest = wiring.Contest(wiring.configured_of(found), own.envs)
    table: Results | None = None
    try:
        one, other = contest.trained(found.path), contest.named(old)
        run = folders.run_of(found.path)
        if run != found.path:
            table = Results(run / wiring.FOLDER / wiring.FILE)
            paths = wiring.checkpoints_of(run)
            mine = {player.name for player in wiring.players_in(paths, contest, lambda said: None)}
            table.enter(mine & {one.name, other.name})
        seed, played = own.seed if own.seed >= 0 else secrets.randbits(62), 0

        def play() -> Block:
            nonlocal played
            played += 1
            block = play_block(
                one, other, contest.vector, contest.rules, seeding.state(seed, "evaluation", played)
            )
            if table is not None:
                table.add(block)
            return block

        decision = gate.decide(test, one.name, play)
    finally:
        contest.close()
        if table is not None:
            table.close()
    code = [gate.ACCEPTED, gate.REJECTED, gate.UNDECIDED].index(decision.verdict)
    row = {
        "verdict": decision.verdict,
        "games": decision.games,
        "wins": decision.wins,
        "draws": decision.draws,
        "losses": decision.losses,
        "pairs": decision.pairs,
        "score": decision.score,
        "log_likelihood_ratio": decision.ratio,
        "bound": test.bound,
    }
    if own.json:
        print(json.dumps(row))
    else:
        print(
            f"{decision.verdict}: {decision.games} games, score {decision.score:.3f} ({decision.wins} won, "
            f"{decision.draws} drawn, {decision.losses} lost), log-likelihood ratio {decision.ratio:.2f} "
            f"(decided at ± {test.bound:.2f})"
        )
    return code
