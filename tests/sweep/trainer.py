"""Stands for `skipjack train` in tests of sweeps: a process that takes as long as it is told.

It writes what a training writes, stops on SIGINT as one does, goes on with --resume, and fails by its
settings: a high learning rate is not finite, a wide network does not fit, many epochs hang.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

STEPS_A_SECOND = 1000.0
UPDATE = 0.05


def main() -> int:
    words = sys.argv[1:]
    flags = dict(word.lstrip("-").split("=", 1) for word in words if "=" in word)
    run = Path("runs") / words[words.index("--run") + 1]
    resumed = "--resume" in words
    (run / "checkpoints").mkdir(parents=True, exist_ok=resumed)
    state = json.loads((run / "latest").read_text()) if resumed else {"flags": flags, "steps": 0}
    flags, limit = state["flags"], float(flags["max-seconds"])
    if resumed and state["steps"] >= int(float(flags["train.steps"])) and has_ended(run):
        return fail("train.steps must be more than the steps that the run has.", 2)
    stopped = []
    signal.signal(signal.SIGINT, lambda *_: stopped.append(1))
    with open("ran", "a") as log:
        log.write(f"{run.name} {os.getpid()} {state['steps']}\n")
    rate, width = float(flags.get("train.learning-rate", 0.01)), int(flags.get("policy.hidden", 32))
    if broken := what_breaks(rate, width):
        return fail(broken)
    if width == 16:
        os.kill(os.getpid(), signal.SIGKILL)
    if width == 8:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        time.sleep(600)
    rated = flags.get("arena.rating") == "beside"
    if rated and run.name.startswith("speed-"):
        return fail("A training that measures speed waits for no rater.")
    parent = os.getppid()
    wanted, update = int(float(flags["train.steps"])), 0
    with open(run / "metrics.jsonl", "a") as file:
        while (
            state["steps"] < wanted
            and state["steps"] / STEPS_A_SECOND < limit
            and not stopped
            and os.getppid() == parent
        ):
            time.sleep(UPDATE)
            update += 1
            state["steps"] += int(UPDATE * STEPS_A_SECOND)
            row = {"update": update, "steps": state["steps"], "episodes": 30}
            row |= {
                "seconds": state["steps"] / STEPS_A_SECOND,
                "episodes/score": score(state["steps"], rate, words[1]),
            }
            file.write(json.dumps(row) + "\n")
            file.flush()
            save(run, state)
    save(run, state)
    if not stopped and os.getppid() == parent:  # who ends with its worker evaluates nothing
        with open(run / "metrics.jsonl", "a") as file:
            file.write('{"kind": "evaluation", "reason": "finished"}\n')
    seconds = state["steps"] / STEPS_A_SECOND
    row = {
        "seconds": seconds, "steps": state["steps"], "steps_per_second": STEPS_A_SECOND,
        "score": None if stopped else score(state["steps"], rate, words[1]), "score_ci95": 0.01,
        "seconds_final": 0.0, "stopped": bool(stopped), "limited": state["steps"] < wanted,
    }  # fmt: skip
    if rated and width != 64:
        row |= {"rating": 1000 * score(state["steps"], rate, words[1]) - 200, "rating_error": 20.0}
    print(json.dumps(row))
    return 130 if stopped else 0


def has_ended(run: Path) -> bool:
    return '"evaluation"' in (run / "metrics.jsonl").read_text().splitlines()[-1]


def save(run: Path, state: dict[str, object]) -> None:
    (run / "checkpoints" / "last").write_text("weights")
    draft = run / "draft"
    draft.write_text(json.dumps(state))
    draft.replace(run / "latest")


def score(steps: int, rate: float, env: str) -> float:
    best = 0.014 if env == "cartpole" else 0.01
    return steps / (steps + 300) * (1 - abs(rate - best) * 30)


def what_breaks(rate: float, width: int) -> str:
    if rate > 0.02:
        return "Losses and gradients must be finite, but were not."
    if width > 128:
        return "Envs and rollout must fit into memory, but it is out."
    if width == 4:
        return "The checkpoint must be written, but [Errno 28] No space left on device."
    return ""


def fail(sentence: str, code: int = 1) -> int:
    print(json.dumps({"error": sentence, "exit_code": code}))
    return code


if __name__ == "__main__":
    raise SystemExit(main())
