"""Weights & Biases as a sink; works offline and without an account."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skipjack.errors import RunError, missing
from skipjack.report.background import Say
from skipjack.report.progress import Evaluation, Progress, RunInfo
from skipjack.report.store import evaluation_row, finite, update_row

MODES = ("online", "offline", "shared", "disabled", "dryrun", "run")
"""Values of WANDB_MODE; wandb itself finds another one only when training has begun."""

AXIS = "rating/checkpoint"
"""The x-axis of ratings: steps of the checkpoint that they are of."""


class WandB:
    """Reports to a W&B run whose x-axes are `steps` and `seconds`.

    Every WANDB_* variable that is set has the last word. Without a login that the server
    confirms, the run stays offline.

    Args:
        identity: id, project and entity, as `identity` gives them.
        say: says a sentence to the user.

    Raises:
        MissingPackage: wandb is not installed.
    """

    def __init__(self, identity: Mapping[str, str], say: Say) -> None:
        try:
            import wandb
        except ImportError:
            raise missing("wandb", "track", what="Tracking with wandb") from None
        self.wandb: Any = wandb
        self.identity, self.say = identity, say
        self.run: Any = None
        self.newest: Progress | None = None
        self.rated: set[str] = set()  # ratings whose axis is defined
        self.reason = "failed: it was cut off"

    def start(self, info: RunInfo) -> None:
        """Begin the W&B run, or go on with it.

        Raises:
            RunError: WANDB_MODE wants a login that is not there.
        """
        # Nothing of wandb's own on the screen, no captured output, no copy of the user's code.
        quiet = unless_set(silent=True, console="off", save_code=False)
        session = self.wandb.setup(self.wandb.Settings(**quiet))
        mode = session.settings.mode
        if mode in ("online", "shared") and (problem := self._not_logged_in()):
            if os.environ.get("WANDB_MODE"):
                raise RunError(f"WANDB_MODE={mode} needs a login, but {problem}.")
            mode = "offline"
        self.run = self.wandb.init(
            config={"name": info.env, **info.settings},
            allow_val_change=True,  # a resumed run may have been extended
            reinit="create_new",  # a W&B run of the caller's own stays the caller's
            settings=self.wandb.Settings(**quiet),
            **unless_set(
                mode=mode,
                run_id=self.identity["id"],
                project=self.identity["project"],
                entity=self.identity["entity"] or None,
                name=info.name,
                dir=info.folder,
                resume="allow",
            ),
        )
        self.run.define_metric("*", step_metric="steps")
        if mode == "offline":
            kept = os.path.relpath(Path(self.run.dir).parent)
            self.say(f"W&B is offline. Send the run to your account with: wandb sync {kept}")

    def update(self, progress: Progress) -> None:
        """Log an update's row."""
        self.newest = progress
        self._log(progress, update_row(progress))

    def message(self, text: str) -> None:
        """Messages are for screens."""

    def finish(self, evaluation: Evaluation | None, reason: str) -> None:
        """Log the final evaluation beside the last update."""
        self.reason = reason
        if evaluation is not None and self.newest is not None:
            row = evaluation_row(evaluation)
            self._log(self.newest, {f"evaluation/{name}": value for name, value in row.items()})

    def close(self) -> None:
        """Send what is left and end the W&B run: as failed, if training failed."""
        if self.run is not None:
            self.run.finish(exit_code=int(self.reason.startswith("failed")))

    def abandon(self) -> None:
        """Let the process end at once: wandb's exit hook would wait for the network.

        Its service process ends by itself; what it has not sent stays in its folder.
        """
        # There is no public way. Without this one, the end of the process takes up to 90 s more.
        with contextlib.suppress(Exception):
            self.wandb.setup().assert_service()._cleanup()

    def _not_logged_in(self) -> str:
        """Why nothing can be sent, as a clause: no key, a wrong one or no network; empty if it can."""
        try:
            there = self.wandb.login(prompt=False)  # asks the server
        except Exception as error:  # wandb's own kinds, and whatever the network has
            return str(error).partition("\n")[0].rstrip(".")
        return "" if there else "there is none; log in with: wandb login"

    def _log(self, progress: Progress, row: Mapping[str, Any]) -> None:
        # W&B's own step is the update: it goes on across sittings, and what a resumed run repeats
        # after a kill is not counted twice.
        known = {name: value for name, value in finite(dict(row)).items() if value is not None}
        # Ratings come late, and belong to the checkpoint that they are of. Each by its name: of two patterns
        # that fit, W&B does not say which one counts.
        for name in known.keys() - self.rated:
            if name.startswith("rating/") and name != AXIS:
                self.run.define_metric(name, step_metric=AXIS)
                self.rated.add(name)
        self.run.log(known, step=progress.update)


def identity(kept: Mapping[str, str]) -> dict[str, str]:
    """What names a run's W&B run, so that every sitting finds the same one.

    Each part is from the environment, as kept, or new; entity is empty for the account's own.

    Args:
        kept: what this gave in the run's earlier sitting, if there was one.
    """
    return {
        "id": os.environ.get("WANDB_RUN_ID") or kept.get("id") or secrets.token_hex(6),
        "project": os.environ.get("WANDB_PROJECT") or kept.get("project") or "skipjack",
        "entity": os.environ.get("WANDB_ENTITY") or kept.get("entity") or "",
    }


def unless_set(**arguments: Any) -> dict[str, Any]:
    """The arguments whose WANDB_* variable is not set; an argument would overrule it."""
    return {
        {"run_id": "id"}.get(name, name): value
        for name, value in arguments.items()
        if not os.environ.get(f"WANDB_{name.upper()}")
    }
