"""Write the games' baselines: for each preset, the weights of the suite's median seed.

    skipjack bench suite            # trains every preset with five seeds, into runs/suite
    python benchmarks/baselines.py [runs/suite.json]

The median seed, not the best: a baseline says what a preset gives, not what luck can add. Each file is
then evaluated as a user would, and must score what is recorded in it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from skipjack import baseline, checkpoint, registry
from skipjack.bench.suite import Suite, load
from skipjack.errors import SkipjackError

KEPT = ("env.", "policy.")
"""Settings that the policy is rebuilt with; all others may follow the preset as it changes."""


def median_seed(results: list[dict[str, Any]]) -> dict[str, Any]:
    """The result in the middle by score; the lower one of two."""
    return sorted(results, key=lambda result: result["score"])[(len(results) - 1) // 2]


def write(suite: Suite, results: list[dict[str, Any]]) -> Path:
    """Write the baseline of a preset with these results, one a seed; gives its file."""
    chosen = median_seed(results)
    found = checkpoint.latest(suite.run_folder(chosen["run"]))
    file = registry.baseline_file(chosen["env"])
    assert file is not None
    settings = found.state["settings"]
    state = {
        "env": found.state["env"],
        "steps": found.steps,
        "settings": {name: settings[name] for name in settings if name.startswith(KEPT)},
        "seed": chosen["seed"],
        "seeds": len(results),
        **{name: chosen[name] for name in ("score", "score_ci95", "episodes", "random_score")},
        **{name: chosen[name] for name in ("skipjack", "commit")},
    }
    baseline.write(file, found.arrays("policy"), state)
    return file


def check(env: str, state: dict[str, Any]) -> str:
    """Evaluate a baseline through the command line; gives a word on how it compares."""
    command = [sys.executable, "-m", "skipjack", "eval", env, "--baseline", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    row = json.loads(done.stdout.splitlines()[-1])
    # Both are estimates: twice their intervals, and a little where all episodes went alike.
    tolerance = 2 * (row["score_ci95"] + state["score_ci95"]) + 0.01
    fits = abs(row["score"] - state["score"]) <= tolerance
    return f"{row['score']:.3f} again" if fits else f"BUT {row['score']:.3f} when evaluated again"


def main(path: Path) -> int:
    """Write and check every baseline that the suite has results for."""
    by_env: dict[str, list[dict[str, Any]]] = {}
    for result in sorted(load(path)["results"].values(), key=lambda result: result["seed"]):
        if "error" in result or result["env"].partition("/")[0] not in registry.GAMES:
            continue
        found = by_env.setdefault(result["env"], [result])
        # The file may still hold further seeds of earlier settings.
        if result is not found[0] and all(
            result[key] == found[0][key] for key in ("skipjack", "settings")
        ):
            found.append(result)
    failed = False
    for env, results in by_env.items():
        file = write(Suite(path, print), results)
        state = baseline.read(file)
        word = check(env, state)
        failed |= word.startswith("BUT")
        print(
            f"{env:14} seed {state['seed']} of {len(results)}, score {state['score']:.3f}, {word}, "
            f"{file.stat().st_size / 1000:.0f} kB"
        )
    return int(failed)


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/suite.json")))
    except SkipjackError as error:
        sys.exit(str(error))
