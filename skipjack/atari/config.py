"""Settings of the Atari games."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from skipjack.config import Choice, Pow2, Within


@dataclass(frozen=True, slots=True)
class AtariConfig:
    """What the agent sees and does of an Atari game, and how its episodes go."""

    frame_skip: Annotated[int, Pow2(1, 16), Within(1, 60)] = 4
    """Frames (1/60 s) a step: the action is held, the rewards are added up."""
    max_pool: bool = False
    """Show the brighter of the last two frames for each pixel: some games draw objects in turn."""
    resize: Literal["stride", "area", "none"] = "stride"
    """How 210 x 160 pixels become fewer: every second one each way (105 x 80), means of areas
    (`height` x `width`), or not at all."""
    height: Annotated[int, Within(1, 210)] = 84
    """Rows of the observation with resize "area"."""
    width: Annotated[int, Within(1, 160)] = 84
    """Columns of the observation with resize "area"."""
    grayscale: bool = True
    """Show brightness alone; otherwise three planes, red, green and blue."""
    stack: Annotated[int, Choice(1, 2, 4), Within(1, 16)] = 1
    """Newest frames that are shown together; a policy with memory needs one."""
    sticky: Annotated[float, Within(0.0, 1.0)] = 0.0
    """Chance in each frame that the action before goes on (Machado et al. 2018). Other libraries differ:
    Gymnasium's `ALE/...-v5` has 0.25."""
    noops: Annotated[int, Within(0, 1000)] = 30
    """Most frames of doing nothing at a game's start, as many as the seed says, at least 1; 0: none."""
    fire_at_reset: bool = False
    """Press fire for a step when a game, or with episodic_life a life, begins: some wait for it."""
    episodic_life: bool = False
    """End the learner's episode with each life; the record stays that of the whole game."""
    clip_rewards: bool = True
    """Show the learner the sign of each reward; records keep the game's own score."""
    full_actions: bool = False
    """All 18 actions of the joystick instead of those that the game uses."""
    frame_limit: Annotated[int, Within(1, 100_000_000)] = 108_000
    """Frames after which a game is truncated, rounded up to a step: half an hour."""
    mode: Annotated[int, Within(-1, 255)] = -1
    """The game's mode; -1 is its first."""
    difficulty: Annotated[int, Within(-1, 3)] = -1
    """Position of the console's switch; -1 is the game's first."""
    desynchronise: bool = True
    """Cut each env's first game at a random share of the frame limit, of at most five minutes."""
